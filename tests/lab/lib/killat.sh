# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: dir and kind are of ../lab.  SC2016: scripts in quotes are for the node.
# killat.sh - a node whose cpuherd-peer ends at a chosen one of its changes (killat.c).
# Sourced.

# What a peer may change, its own cache left out.
KILLAT_PATHS='/etc/ /usr/share/libvirt /var/lib/cpuherd'

# NODE WAY N: the next peer there; NODE off: none.  The node's /run/lab-killat.log has the
# calls, /run/lab-killat.done is there when it has happened.
lab_kill_at() {
	local node=${1:-} way=${2:-}
	need_lab
	need_node "$node"
	[ "$kind" = namespace ] || die "kill-at needs namespace nodes"
	case $way in
	off) in_node "$node" 'echo $P/fakecpu.so >/etc/ld.so.preload; rm -f /run/lab-killat*' ;;
	count | before | after | half | wait)
		in_node "$node" 'rm -f /run/lab-killat*
			printf "%s\n" "$1 $2" $3 >/run/lab-killat
			printf "%s\n" $P/fakecpu.so $P/killat.so >/etc/ld.so.preload' \
			"$way" "${3:?kill-at: at which call?}" "$KILLAT_PATHS"
		;;
	*) die "kill-at: count, before, after, half, wait or off" ;;
	esac
}
