# shellcheck shell=bash disable=SC2154 # dir, here, bin, kind, virt: of ../lab
# unprivileged.sh - nodes that need no privilege at all.  Sourced.
#
# A node is an sshd on 127.0.1.N and a session libvirtd with XDG folders of its own,
# both with the lab's library preloaded.  They share the machine's network, file
# system and kernel.  libvirtd of root is always the system's one, so for root the
# nodes run as a user id that nobody has.

LAB_UID=61000
LAB_GID=65534 # nogroup: libvirt wants the group to have a name

unprivileged_missing() {
	[ "$(id -u)" != 0 ] || as_owner true 2>/dev/null ||
		echo "root may not change its user id here"
}

# Runs a command as who owns the nodes.
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=$LAB_UID --regid=$LAB_GID --clear-groups -- "$@"
	else
		"$@"
	fi
}

unprivileged_address() {
	echo "127.0.1.$1"
}

unprivileged_prepare() {
	local node=$1 number=$2 home=$dir/nodes/$1
	local longest=$home/config/libvirt/qemu/lib/qmp-XXXXXX/qmp.monitor
	# sun_path of a Unix socket; QEMU would only say that it is too long.
	[ ${#longest} -lt 108 ] || die "$dir is too long a path for QEMU's sockets: use --dir"
	unprivileged_address "$number" >"$home/address"
	echo lab >"$home/user"
	echo qemu:///session >"$home/uri"
	echo "$home" >"$home/programs"
	[ "$virt" = kvm ] && touch "$home/kvm"
	mkdir -p "$home"/{home/.cache,run,config/libvirt}
	chmod 700 "$home/run" "$home/home"
	cp "$bin/fakecpu.so" "$bin/lab-probe" "$home/"
	cp "$dir/id_ed25519.pub" "$home/authorized_keys"
	sshd_common >"$home/sshd_config"
	qemu_common >"$home/config/libvirt/qemu.conf"
	mkfifo "$home/ready"
	[ "$(id -u)" != 0 ] || chown -R "$LAB_UID:$LAB_GID" "$home"
	as_owner test -x "$home" || die "user id $LAB_UID may not enter $dir: use --dir"
}

# All nodes at once: only what the keeper starts hangs on it.  From copies: the nodes'
# owner may not be able to read this tree, as in root's home.
unprivileged_keeper() {
	local start=(bash "$dir/bin/user-nodes.sh" "$dir")
	mkdir -p "$dir/bin"
	cp "$here"/lib/user-node{,s}.sh "$dir/bin/"
	[ "$(id -u)" != 0 ] ||
		start=(setpriv "--reuid=$LAB_UID" "--regid=$LAB_GID" --clear-groups -- "${start[@]}")
	"$bin/lab-keeper" --subreaper "$dir/keeper.pid" "${start[@]}"
}

# The keeper has started it: here is waited for it.
unprivileged_start() {
	local node=$1 word=
	# Opening a FIFO waits for the other end, without read's time-out.
	word=$(timeout 60 head -n 1 "$dir/nodes/$node/ready") || true
	[ "$word" = ready ] || node_failed "$node" "${word:-it ended while starting}"
}

unprivileged_enter() {
	local home=$dir/nodes/$1 environment
	shift
	mapfile -t environment <"$home/environment"
	as_owner env -i -C "$home/home" "${environment[@]}" "$@"
}

unprivileged_run() {
	exec "$@"
}
