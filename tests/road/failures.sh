# shellcheck shell=bash disable=SC2154 # work, lab, status, kind, only, all: of ./lib.sh and ./road
# failures.sh - one node misbehaves.  Sourced by ./road.
#
# Each row: how node02 is broken (lab break lists the ways), the exit status wanted and
# what must be said (both regular expressions).  Whatever is broken: the run names
# node02 and no node is changed.

# shellcheck disable=SC2034 # for ./road
failures=(
	'hostkey 11 HOST KEY CHANGED'
	'refuse-user 12 refuses user'
	'no-sshd 10 refused'
	'silent-sshd 13 connect-timeout|timeout'
	'no-libvirt 20 libvirt'
	'no-libvirt-library 20 libvirt\.so\.0'
	'no-kvm 20 kvm is missing on node02'
	'sleepy 13 connect-timeout|timeout'
	'unplugged 10|13 .'
	'read-only 25 [Rr]ead-only|[Pp]ermission'
	'full-disk 25 [Nn]o space'
	'noexec-home 15 noexec|[Pp]ermission'
	'killed 14|15 .'
)

# A peer dies while the run waits for another node.
negotiate_while_node02_is_killed() {
	LAB_SLEEP=3 lab break node01 sleepy
	lab kill-peer node02 8 &
	herd_all negotiate --level-name second
	wait $!
	lab mend node01
}

attempt() {
	if [ "$1" = killed ]; then
		fingerprint "${all[@]}" >"$work/before"
		negotiate_while_node02_is_killed
		return
	fi
	lab break node02 "$1"
	fingerprint_of_the_reachable >"$work/before"
	herd_all negotiate --level-name second --connect-timeout 5
}

# What can be compared: node02 only where it can still be entered by ssh.
fingerprint_of_the_reachable() {
	case $way in
	hostkey | refuse-user | no-sshd | silent-sshd | sleepy | unplugged)
		fingerprint node01 node03
		;;
	*) fingerprint "${all[@]}" ;;
	esac
}

fails_as_wanted() {
	attempt "$way"
	[[ $status =~ ^($wanted)$ ]] || not_ok "exit status $status, wanted $wanted"
	says "$(sed -n '2s/.*@//p' "$lab/hosts")" # node02, as cpuherd was given it
	says "$said"
	fingerprint_of_the_reachable >"$work/after"
	diff "$work/before" "$work/after" || not_ok "a node was changed"
}

# run_failure 'WAY STATUS TEXT'
run_failure() {
	local way wanted said case
	read -r way wanted said <<<"$1"
	case $kind:$way in
	unprivileged:no-libvirt-library | unprivileged:no-kvm | unprivileged:unplugged) return ;;
	unprivileged:full-disk | unprivileged:noexec-home | unprivileged:no-sshd) return ;;
	esac
	case=with_${way//-/_}_on_a_node_the_run_stops_and_nothing_is_written
	eval "$case() { fails_as_wanted; }"
	run_case "$case"
	lab mend node02
	lab mend node01
}
