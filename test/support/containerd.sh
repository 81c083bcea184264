# A containerd of a test's own: state, root and socket in $CONTAINERD_DIR, two images, and everything
# gone at the end, also what runc leaves behind (cgroups, shims, mounts). Source it; needs root.
#
#	containerd_start [FOLDER]   config, daemon, images; 1 where it does not come up
#	containerd_stop             ends shims and daemon by pid, removes mounts, cgroups, the folder
#	$CONTAINERD_DIR             state/ has the bundles, containerd.sock is the address
#
# CONTAINERD_STATE is another place for state/.
# CONTAINERD_RUNTIMES may hold further lines of TOML for the CRI plugin's table of runtimes.

containerd_needs()
{
	local program

	for program in containerd ctr runc umoci busybox; do
		command -v "$program" >/dev/null || {
			echo "$program"
			return 1
		}
	done
}

# The shell's own cgroups stay as they are: what containers leave is removed by name.
containerd_remove_cgroups()
{
	local parent

	for parent; do
		find /sys/fs/cgroup -maxdepth 3 -type d -path "*/$parent" 2>/dev/null |
			while read -r folder; do
				find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null
			done
	done
}

containerd_write_config()
{
	cat >"$CONTAINERD_DIR/config.toml" <<END
version = 2
root = "$CONTAINERD_DIR/root"
state = "${CONTAINERD_STATE:-$CONTAINERD_DIR/state}"
[grpc]
  address = "$CONTAINERD_DIR/containerd.sock"
[ttrpc]
  address = "$CONTAINERD_DIR/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "haetae.test/pause:1"
  disable_apparmor = true
  disable_hugetlb_controller = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
${CONTAINERD_RUNTIMES:-}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CONTAINERD_DIR/cni.d"
END
}

# containerd_image NAME FOLDER COMMAND: an OCI layout as a tar file, tagged 1.
containerd_image()
{
	local layout=$CONTAINERD_DIR/oci-$1

	umoci init --layout "$layout" && umoci new --image "$layout:1" &&
		umoci insert --image "$layout:1" "$2" / &&
		umoci config --image "$layout:1" --config.cmd "$3" --config.env PATH=/bin \
			--architecture "$(dpkg --print-architecture)" --os linux &&
		tar -C "$layout" -cf "$CONTAINERD_DIR/$1.tar" . && rm -rf "$layout"
}

# busybox with links for its applets; the pause image is the same program, asleep.
containerd_images()
{
	local rootfs=$CONTAINERD_DIR/rootfs applet

	mkdir -p "$rootfs/bin" "$rootfs/tmp" "$rootfs/proc" "$rootfs/etc"
	cp "$(command -v busybox)" "$rootfs/bin/busybox"
	echo 'boss:x:0:0::/:/bin/sh' >"$rootfs/etc/passwd"
	ln -s /etc/shadow "$rootfs/etc/group" # of the container, not of the host
	for applet in sh cat true sleep usleep id ls echo mkdir rmdir chmod touch head kill; do
		ln -sf busybox "$rootfs/bin/$applet"
	done
	containerd_image busybox "$rootfs" /bin/sh &&
		umoci_pause "$rootfs" || return
	ctr images import --base-name haetae.test/busybox "$CONTAINERD_DIR/busybox.tar" &&
		ctr -n k8s.io images import --base-name haetae.test/busybox "$CONTAINERD_DIR/busybox.tar" &&
		ctr -n k8s.io images import --base-name haetae.test/pause "$CONTAINERD_DIR/pause.tar"
}

umoci_pause()
{
	local layout=$CONTAINERD_DIR/oci-pause

	umoci init --layout "$layout" && umoci new --image "$layout:1" &&
		umoci insert --image "$layout:1" "$1" / &&
		umoci config --image "$layout:1" --config.entrypoint /bin/sleep --config.cmd 100000 \
			--config.env PATH=/bin --architecture "$(dpkg --print-architecture)" --os linux &&
		tar -C "$layout" -cf "$CONTAINERD_DIR/pause.tar" . && rm -rf "$layout"
}

containerd_start()
{
	local i

	CONTAINERD_DIR=${1:-$(mktemp -d /tmp/haetae-containerd-XXXXXX)}
	mkdir -p "$CONTAINERD_DIR/cni.d"
	containerd_write_config
	containerd --config "$CONTAINERD_DIR/config.toml" >"$CONTAINERD_DIR/log" 2>&1 </dev/null &
	CONTAINERD_PID=$!
	export CONTAINERD_ADDRESS=$CONTAINERD_DIR/containerd.sock
	for ((i = 0; i < 200; i++)); do
		timeout 5 ctr version >/dev/null 2>&1 && break
		kill -0 "$CONTAINERD_PID" 2>/dev/null || return 1
		sleep 0.05
	done
	containerd_images >"$CONTAINERD_DIR/images.log" 2>&1
}

# The shims of this containerd: each is told our address.
containerd_shims()
{
	local pid

	for pid in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$pid/cmdline" |
			grep -q -- "-address $CONTAINERD_DIR/containerd.sock" && basename "$pid"
	done
}

containerd_stop()
{
	local pid namespace id folder

	[ -n "${CONTAINERD_DIR:-}" ] && [ -d "$CONTAINERD_DIR" ] || return 0
	for namespace in default k8s.io; do
		for id in $(timeout 10 ctr -n "$namespace" tasks ls -q 2>/dev/null); do
			timeout 10 ctr -n "$namespace" tasks kill -s KILL -a "$id"
		done
	done >/dev/null 2>&1
	for pid in $(containerd_shims); do
		# Its children first: they would be orphans in their cgroups.
		while read -r child; do kill -KILL "$child"; done \
			< <(tr ' ' '\n' <"/proc/$pid/task/$pid/children" | grep .)
		kill -KILL "$pid"
	done 2>/dev/null
	[ -z "${CONTAINERD_PID:-}" ] || {
		kill -TERM "$CONTAINERD_PID"
		wait "$CONTAINERD_PID"
	} 2>/dev/null
	grep -o " $CONTAINERD_DIR/[^ ]*" /proc/self/mounts | sort -r | xargs -r -n 1 umount -l 2>/dev/null
	sleep 0.1
	# What runc keeps of a container whose shim could not tidy up; $$ is in the tests' names.
	for folder in /run/containerd/runc/*/*; do
		grep -qs "$CONTAINERD_DIR/" "$folder/state.json" && rm -rf "$folder"
		[[ $folder != *-$$ ]] || rm -rf "$folder"
	done
	# shellcheck disable=SC2086
	containerd_remove_cgroups ${CONTAINERD_CGROUPS:-}
	rm -rf "$CONTAINERD_DIR"
}

# cri_calls: calls of standard input, see cri_client.py; answers on standard output.
cri_calls()
{
	local folder

	folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
	[ -e "$CONTAINERD_DIR/cri_client_pb2.py" ] ||
		protoc --proto_path="$folder" --python_out="$CONTAINERD_DIR" "$folder/cri_client.proto" || return
	# Debian's python3 has the modules, whatever else stands first in PATH.
	timeout 40 /usr/bin/python3 "$folder/cri_client.py" "$CONTAINERD_DIR/containerd.sock" "$CONTAINERD_DIR"
}
