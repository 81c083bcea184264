# shellcheck shell=bash disable=SC2154,SC2016
# Sourced: Debian packages without touching the machine's own, from the mirror that its apt uses; lists
# and downloads are kept below $folder.

apt_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(SUITE)' 'Created-By: Packages' |
		awk '$2 !~ /-/ && $1 ~ /debian\/?$/ { print $1; exit }'
}

# apt_private SUITE ARCHITECTURE COMMAND...: apt that sees SUITE and no installed package.
apt_private() {
	local suite=$1 architecture=$2 root=$folder/apt-$1-$2

	shift 2
	mkdir -p "$root/lists/partial" "$root/archives/partial"
	if [ ! -e "$root/sources.list" ]; then
		: >"$root/status"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
			"$(apt_mirror) $suite main" >"$root/sources.list"
	fi
	"$@" -qq -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$root/lists" -o Dir::Cache="$root" \
		-o Dir::State::status="$root/status" -o APT::Architecture="$architecture" \
		-o APT::Architectures::="$architecture" -o Debug::NoLocking=1 -o APT::Sandbox::User=root
}

# extract_closure SUITE ARCHITECTURE ROOT PACKAGE...: unpacks the packages and all they depend on into
# ROOT, where nothing of it is set up. ROOT appears when it is whole.
extract_closure() {
	local suite=$1 architecture=$2 root=$3 archives=$folder/apt-$1-$2/archives name deb

	shift 3
	[ -d "$root" ] && return 0
	apt_private "$suite" "$architecture" apt-get update >/dev/null 2>&1 || return 1
	apt_private "$suite" "$architecture" apt-get install -y --no-install-recommends \
		--download-only "$@" >/dev/null || return 1
	rm -rf "$root.part"
	mkdir -p "$root.part/usr"/{bin,sbin,lib,lib64}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root.part/$name"
	done
	for deb in "$archives"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$root.part" --keep-directory-symlink --no-same-owner || return 1
	done
	rm -f "$archives"/*.deb
	mv "$root.part" "$root"
}
