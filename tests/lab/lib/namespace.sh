# shellcheck shell=bash disable=SC2154 # dir, here, bin, kind, virt: of ../lab
# namespace.sh - nodes in namespaces of their own, by root.  Sourced.
#
# The keeper holds the lab's network namespace (one bridge) and PID namespace; each
# node is a child of it with mount, network, UTS, IPC and PID namespaces of its own.

# Says why this kind cannot be had here; silent when it can.
namespace_missing() {
	[ "$(id -u)" = 0 ] || { echo "you are not root"; return; }
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m -u -n -p -i -f --propagation private sh -ec '
		mount -t tmpfs tmpfs /mnt
		ip link add lab0 type bridge
		ip link add lab1 type veth peer name lab2' 2>&1 | tail -n 1
}

namespace_keeper() {
	local pid
	"$bin/lab-keeper" --own-namespaces "$dir/keeper.pid"
	pid=$(keeper_pid) || die "the keeper did not start"
	nsenter --net="/proc/$pid/ns/net" -- ip -batch - <<-EOF
		link set lo up
		link add br0 type bridge
		addr add 10.99.0.1/16 dev br0
		link set br0 up
	EOF
}

# Node number N of 1, 2, ...: its address in the lab's network.
namespace_address() {
	echo "10.99.$((($1 + 9) / 250)).$((($1 + 9) % 250 + 1))"
}

# Writes what the node is started with.
namespace_prepare() {
	local node=$1 number=$2 home=$dir/nodes/$1
	namespace_address "$number" >"$home/address"
	echo 22 >"$home/port"
	echo root >"$home/user"
	echo qemu:///system >"$home/uri"
	echo /run/cpuherd-lab >"$home/programs"
	[ "$virt" = kvm ] && touch "$home/kvm"
	cp "$bin/fakecpu.so" "$bin/killat.so" "$bin/lab-keeper" "$bin/lab-probe" "$home/"
	cp "$dir/etc-hosts" "$home/"
	cp "$dir/id_ed25519.pub" "$home/"
	sshd_common >"$home/sshd_config"
	qemu_common >"$home/qemu.conf"
	mkfifo "$home/ready"
}

namespace_start() {
	local node=$1 number=$2 home=$dir/nodes/$1 pid word=
	pid=$(keeper_pid)
	(
		cd "$home" || exit
		exec setsid nsenter --net="/proc/$pid/ns/net" --pid="/proc/$pid/ns/pid" -- \
			unshare -m -u -n -p -i -f --propagation private \
			bash "$here/lib/node.sh" "$node" "$number" 3>ready 9<"/proc/$pid/ns/net"
	) </dev/null >"$home/start.log" 2>&1 &
	read -r -t 60 word <"$home/ready" || true
	[ "$word" = ready ] || node_failed "$node" "${word:-it ended while starting}"
}

# Runs a command in the node, as its root.
namespace_enter() {
	local node=$1
	shift
	nsenter -t "$(node_of "$node" pid)" -m -u -i -n -p -- \
		env -i -C / "PATH=$PATH" HOME=/root "$@"
}

# Becomes a command that reaches the nodes and knows their names.
namespace_run() {
	local pid
	pid=$(keeper_pid)
	# shellcheck disable=SC2016 # for the inner shell
	exec nsenter --net="/proc/$pid/ns/net" -- unshare -m --propagation private \
		bash -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$dir/etc-hosts" "$@"
}
