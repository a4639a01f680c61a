# shellcheck shell=bash disable=SC2154,SC2016 # of lib.sh and the roads; scripts for nodes
# traces.sh - what trial guests could leave behind on a node.  Sourced by the roads that
# start them, behind lib.sh.

# traces: a line for each file, domain and process on the nodes that a trial may make,
# and one more, which a node that could not be looked at lacks.
traces() {
	local node
	for node in "${all[@]}"; do
		in_node "$node" 'virsh -q list --all --name | sed "s/^/domain /"
			find /tmp /var/tmp /run /dev/shm /var/lib/libvirt /var/log/libvirt/qemu /var/cache/libvirt \
				-name "*cpuherd-*" -o -path "/run/libvirt/qemu/*" -o -path "/var/lib/libvirt/qemu/*" \
				-o -path "*/log/libvirt/qemu/*" | grep -v "/\.cache/"
			ps axww -o args | grep -oE "guest[=]cpuherd-[^ ,]*|^[^ ]*cpuherd-peer [^-]*"
			echo looked at' |
			sort | sed "s/^/$node /" >"$work/traces.$node" &
	done
	wait
	cat "${all[@]/#/$work/traces.}"
}

# Guests of a run that was cut short end some seconds after it.
no_traces() {
	local second
	for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 late; do
		traces >"$work/after"
		diff "$work/before" "$work/after" >"$work/diff" && return
		[ "$second" = late ] || sleep 1
	done
	not_ok "left behind: $(cat "$work/diff")"
}

# The same, against the nodes as they were before the first case.
no_traces_after() {
	cp "$work/untouched" "$work/before"
	no_traces
}

# killed_after SECONDS ARGUMENT...: cpuherd, killed in the middle.
killed_after() {
	local seconds=$1
	shift
	"$lab_command" run "$lab" -- timeout -s KILL "$seconds" "$cpuherd" "$@" -F none \
		--known-hosts "$lab/known_hosts" --identity "$lab/id_ed25519" --no-agent \
		>"$work/out" 2>"$work/err" </dev/null || true
}
