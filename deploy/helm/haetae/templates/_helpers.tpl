{{- define "haetae.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "haetae.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "haetae.labels" -}}
{{ include "haetae.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "haetae.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "haetae.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "haetae.image" -}}
{{- if .Values.image.digest -}}
{{- .Values.image.repository }}@{{ .Values.image.digest -}}
{{- else -}}
{{- .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}
{{- end -}}

{{/* What of the node is mounted for the runtime: a list of name, path, where it lies below /host, type. */}}
{{- define "haetae.runtimeMounts" -}}
{{- $bundles := "io.containerd.runtime.v2.task" -}}
{{- $name := .Values.runtime.name -}}
{{- if eq $name "crio" }}
{{- if .Values.runtime.socket }}
- {name: crio, path: /run/crio, type: DirectoryOrCreate}
{{- end }}
- {name: crio-storage, path: /run/containers/storage, type: DirectoryOrCreate}
{{- else if eq $name "docker" }}
{{- if .Values.runtime.socket }}
- {name: docker, path: /run/docker.sock, place: /var/run/docker.sock, type: Socket}
{{- end }}
{{- else if ne $name "none" }}
{{- $path := get (dict "containerd" "/run/containerd" "k3s" "/run/k3s/containerd" "k0s" "/run/k0s") $name }}
{{- if .Values.runtime.socket }}
- {name: {{ $name }}, path: {{ $path }}, type: DirectoryOrCreate}
{{- else }}
- {name: {{ $name }}, path: {{ $path }}{{ if eq $name "k0s" }}/containerd{{ end }}/{{ $bundles }}, type: DirectoryOrCreate}
{{- end }}
{{- end }}
{{- end -}}

{{/* haetae.yaml: the chart's own keys, and over them what `config` says. */}}
{{- define "haetae.config" -}}
{{- $metadata := dict -}}
{{- if or (not .Values.runtime.socket) (eq .Values.runtime.name "none") -}}
{{- $_ := set $metadata "runtime_sockets" "off" -}}
{{- else if eq .Values.runtime.name "k0s" -}}
{{- $_ := set $metadata "runtime_sockets" (list "/run/k0s/containerd.sock") -}}
{{- end -}}
{{- if not .Values.kubernetes.enabled -}}
{{- $_ := set $metadata "kubernetes" "off" -}}
{{- else if .Values.kubernetes.allPods -}}
{{- $_ := set $metadata "all_pods" true -}}
{{- end -}}
{{- $own := dict "http" (dict "listen" (printf "0.0.0.0:%d" (int .Values.metrics.port))) -}}
{{- if $metadata -}}
{{- $_ := set $own "metadata" $metadata -}}
{{- end -}}
{{- toYaml (mergeOverwrite $own (deepCopy .Values.config)) -}}
{{- end -}}
