# shellcheck shell=bash disable=SC2154 # kind, connect: of ./road
# lib.sh - what the cases of the road share.  Sourced by ./road.
#
# A case is a function whose name is a sentence.  herd runs cpuherd where the nodes are
# reachable and keeps its exit status and output for the checks; the first check that
# does not hold ends the case.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab_command=$here/../lab/lab
# shellcheck disable=SC2034 # for ./road and its cases
cpuherd=${CPUHERD:-$here/../../build/dev/coordinator/cpuherd}
work=$(mktemp -d) && chmod 755 "$work"
lab=$work/lab
# runs of other tests are not ours to finish
export XDG_STATE_HOME=$work/state
passed=0 failed=0

lab() {
	"$lab_command" --dir "$lab" "$@"
}

# herd ARGUMENT...: cpuherd with the lab's keys.  Fills status, $work/out and $work/err.
herd() {
	local keep=()
	status=0
	# what one case agrees on is not what the next finds
	[ "$1" != negotiate ] || [[ " $* " == *" --lock "* ]] || keep=(--lock none)
	"$lab_command" run "$lab" -- "$cpuherd" "$@" "${keep[@]}" -F none --known-hosts "${known_hosts:-$lab/known_hosts}" \
		--identity "$lab/id_ed25519" --no-agent "${connect[@]}" \
		>"$work/out" 2>"$work/err" </dev/null || status=$?
}

# The same for all nodes of the lab (or those in the file $hosts).
herd_all() {
	herd "$@" --hosts "${hosts:-$lab/hosts}"
}

not_ok() {
	printf '    %s\n' "$*"
	sed 's/^/    out| /' "$work/out" | head -n 60
	sed 's/^/    err| /' "$work/err" | head -n 20
	return 1
}

exits() {
	[ "$status" = "$1" ] || not_ok "exit status $status, wanted $1"
}

out_has() {
	grep -qE -- "$1" "$work/out" || not_ok "standard output lacks: $1"
}

err_has() {
	grep -qE -- "$1" "$work/err" || not_ok "standard error lacks: $1"
}

says() {
	cat "$work/out" "$work/err" | grep -qE -- "$1" || not_ok "nothing says: $1"
}

# The stanza's path in a node.
stanza() {
	if [ "$kind" = namespace ]; then
		echo "/etc/libvirt/cpuherd/baseline.xml"
	else
		echo "\$XDG_CONFIG_HOME/libvirt/cpuherd/baseline.xml"
	fi
}

# in_node NODE SCRIPT: by ssh, with the node's own environment.
in_node() {
	lab ssh "$1" "$2"
}

nodes() {
	cat "$lab/nodes.list"
}

# For cases that begin with the level in place, whichever ran before.
need_level() {
	in_node node03 "test -e $(stanza)" || herd_all negotiate
}

# fingerprint NODE...: owner, mode, inode, time and content of all in cpuherd's folder:
# what must not change when nothing was written.
fingerprint() {
	local node
	for node; do
		echo "$node"
		in_node "$node" "cd \"\$(dirname $(stanza))\" 2>/dev/null || exit 0
			stat -c '%n %U %a %i' .; stat -c '%n %U %a %i %y %s' * .[a-z]* 2>/dev/null
			sha256sum * 2>/dev/null; true"
	done
}

untouched() {
	fingerprint "${all[@]}" >"$work/after"
	diff "$work/before" "$work/after" >"$work/diff" ||
		not_ok "nodes were changed: $(cat "$work/diff")"
}

# Nothing of cpuherd's own may stay on a node but the stanza and the cached peer.
no_leftovers() {
	local node
	for node in $(nodes); do
		in_node "$node" "ls -A \"\$(dirname $(stanza))\" 2>/dev/null | grep -v '^baseline.xml$'" \
			>"$work/left" || continue
		not_ok "left on $node: $(tr '\n' ' ' <"$work/left")" || return 1
	done
}

# run_case FUNCTION: prints its name and how it went.
run_case() {
	local begin=$SECONDS log=$work/case.log result
	# shellcheck disable=SC2053 # a pattern
	[[ $1 == ${only:-*} ]] || return 0
	: >"$work/out"
	: >"$work/err"
	# Not as the condition of an if: there bash ignores -e, and checks would not end a case.
	set +e
	(set -e; "$1") >"$log" 2>&1
	result=$?
	set -e
	if [ $result = 0 ]; then
		printf 'ok    %s (%d s)\n' "${1//_/ }" $((SECONDS - begin))
		passed=$((passed + 1))
	else
		printf 'FAIL  %s\n' "${1//_/ }"
		cat "$log"
		failed=$((failed + 1))
	fi
}

finish() {
	lab down || true
	rm -rf "$work"
}
trap finish EXIT
