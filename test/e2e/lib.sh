# Shared by the end-to-end tests. Each runs the program as a user does, looks only at a process tree
# of its own (the actor), and prints TAP.
#
#	HAETAE, ACT    the program, and the small helper beside these scripts (act.c)
#	RULES          the shipped rules
#	WORK           a folder of the test's own, removed at the end
set -uo pipefail
HAETAE=$(realpath "$1")
ACT=$(realpath "$2")
RULES=$(realpath "$3")
WORK=$(mktemp -d /tmp/haetae-e2e-XXXXXX)
chmod 755 "$WORK"
daemon_pid='' case_cnt=0 failed_cnt=0

finish()
{
	local status=$? pid

	# Not `wait` alone: what a test's own cleanup ends is still there.
	for pid in $daemon_pid ${ACTOR_PID:-}; do
		kill -KILL "$pid"
		wait "$pid"
	done 2>/dev/null
	[ -z "${cleanup:-}" ] || eval "$cleanup"
	rm -rf "$WORK"
	[ "$failed_cnt" -eq 0 ] || exit 1
	exit $status
}
trap finish EXIT

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

# What needs probes needs root; why a host cannot is the program's to say.
need_probes()
{
	[ "$EUID" -eq 0 ] || skip_all "needs root"
	[ -r /sys/kernel/btf/vmlinux ] || skip_all "the kernel has no BTF"
}

# A program in /tmp raises an alert for that alone, whatever it is started as: it is copied out of it.
leave_tmp()
{
	local folder

	[[ $HAETAE == /tmp/* ]] || return 0
	folder=$(mktemp -d /var/haetae-e2e-XXXXXX)
	cleanup="${cleanup:-:}; rm -rf $folder"
	cp "$HAETAE" "$folder/haetae"
	chmod 755 "$folder"
	HAETAE=$folder/haetae
}

# result STATUS DESCRIPTION [FILE...]: one case; the files are shown where it failed.
result()
{
	local status=$1 description=$2

	shift 2
	case_cnt=$((case_cnt + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $case_cnt - $description"
		return
	fi
	failed_cnt=$((failed_cnt + 1))
	echo "not ok $case_cnt - $description"
	for file; do
		# Ancestors are not the test's own processes: nothing of them is shown.
		tail -n 20 "$file" | sed 's/"ancestors":.*//; s/^/# /' | cut -c1-2000
	done
}

plan() { echo "1..$case_cnt"; }

# The actor: a shell that does what the test writes to it. Everything suspicious happens in it or
# below it, so that the daemon's scope is the actor's tree.
start_actor()
{
	coproc ACTOR { exec bash --norc --noprofile; }
	ACTOR_OUT=${ACTOR[0]} ACTOR_IN=${ACTOR[1]}
	# shellcheck disable=SC2153
	ACTOR_PID=$ACTOR_PID
}

# act COMMAND: runs it in the actor and waits; its output goes to $WORK/act.out.
act()
{
	local line

	printf '{ %s\n} >%q 2>&1 </dev/null; echo acted\n' "$1" "$WORK/act.out" >&"$ACTOR_IN"
	IFS= read -r -t 30 -u "$ACTOR_OUT" line && [ "$line" = acted ]
}

# start_daemon [OPTION...]: alerts go to $WORK/alerts, messages to $WORK/log; returns when it is
# ready. What it does is recorded, for stop_daemon.
start_daemon()
{
	: >"$WORK/log"
	: >"$WORK/alerts"
	daemon_options=("$@")
	"$HAETAE" run --scope-pid "$ACTOR_PID" --record "$WORK/run.hcap" --force \
		-o control.socket="$WORK/control.sock" "$@" >>"$WORK/alerts" 2>"$WORK/log" &
	daemon_pid=$!
	for _ in $(seq 300); do
		grep -q 'ready' "$WORK/log" && return 0
		kill -0 "$daemon_pid" 2>/dev/null || break
		sleep 0.05
	done
	echo "# the daemon did not become ready"
	sed 's/^/# /' "$WORK/log"
	return 1
}

# stop_daemon [SIGNAL]: its exit status is the result. Where it could end in order, a case of its own
# checks the recording.
stop_daemon()
{
	local status=0

	kill -"${1:-TERM}" "$daemon_pid"
	wait "$daemon_pid" || status=$?
	daemon_pid=''
	[ "${1:-TERM}" = KILL ] || check_replay
	return $status
}

# The recording, with the same options, gives the same alerts, byte by byte. no_replay=WHY: of a run
# whose alerts do not all go to standard output.
check_replay()
{
	[ -z "${no_replay:-}" ] || return 0
	: >"$WORK/difference"
	timeout 60 "$HAETAE" replay "$WORK/run.hcap" "${daemon_options[@]}" \
		>"$WORK/replayed" 2>"$WORK/replay.log" &&
		cmp "$WORK/alerts" "$WORK/replayed" >"$WORK/difference" 2>&1 &&
		! grep -E "left out|passed over" "$WORK/replay.log" >"$WORK/difference"
	result $? "its recording replays the same alerts ($(wc -l <"$WORK/alerts"))" \
		"$WORK/difference" "$WORK/replay.log"
	rm -f "$WORK/run.hcap"
}

# alert FILTER: waits up to five seconds for an alert for which the jq filter is true.
alert()
{
	for _ in $(seq 100); do
		# The last line may still be on its way.
		grep -a '}$' "$WORK/alerts" | jq -e -s "map(select($1)) | length > 0" \
			>/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

# no_alert FILTER: what was not there after the daemon has ended will not come.
no_alert()
{
	! jq -e -s "map(select($1)) | length > 0" "$WORK/alerts" >/dev/null 2>&1
}
