"""What deploy/ has for Kubernetes: its manifests, and what helm makes of the chart."""
import glob
import os
import subprocess

import yaml

from cluster import CACHES


def find_tools():
    """The folder with helm and kubectl, which ./dev test has fetched; None where it could not."""
    found = [os.environ.get("HAETAE_KUBERNETES_TOOLS") or ""]
    for cache in CACHES:
        found += sorted(glob.glob(cache + "/kubernetes-tools/*"))
    return next((path for path in found if os.access(path + "/helm", os.X_OK)), None)


class Deploy:
    def __init__(self, tree):
        self.manifests = os.path.join(tree, "deploy/kubernetes")
        self.chart = os.path.join(tree, "deploy/helm/haetae")
        self.tools = find_tools()

    def text(self, name):
        with open(os.path.join(self.manifests, name)) as file:
            return file.read()

    def objects(self, name):
        return [each for each in yaml.safe_load_all(self.text(name)) if each]

    def names(self):
        return sorted(name for name in os.listdir(self.manifests) if name.endswith(".yaml"))

    def run(self, program, *arguments, text=None, env=None):
        """(exit status, standard output, standard error)"""
        done = subprocess.run([os.path.join(self.tools, program), *arguments], input=text,
                              capture_output=True, text=True, timeout=60, env=env)
        return done.returncode, done.stdout, done.stderr

    def template(self, *options, text=None, name="haetae"):
        """(objects, YAML, error) of `helm template`, with values as YAML text."""
        values = ["--values", "-"] if text else []
        status, out, error = self.run("helm", "template", name, self.chart, "--namespace", "haetae",
                                      *values, *options, text=text)
        if status:
            return [], "", error
        return [each for each in yaml.safe_load_all(out) if each], out, ""


def of_kind(objects, kind):
    return next((each for each in objects if each["kind"] == kind), None)


def config_text(objects):
    return next(each["data"]["haetae.yaml"] for each in objects
                if each["kind"] == "ConfigMap" and "haetae.yaml" in each["data"])


def pod_of(objects):
    return of_kind(objects, "DaemonSet")["spec"]["template"]["spec"]


def mounts_of(pod):
    """[(place in the container, volume, whether it is read-only, propagation)], sorted by place"""
    volumes = {each["name"]: each for each in pod["volumes"]}
    return sorted(((each["mountPath"], volumes[each["name"]], each.get("readOnly", False),
                    each.get("mountPropagation")) for each in pod["containers"][0]["volumeMounts"]),
                  key=lambda mount: mount[0])
