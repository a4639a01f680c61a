# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: dir, kind and virt are of ../lab.  SC2016: scripts in quotes are for the node.
# break.sh - makes nodes misbehave, for tests of what cpuherd says then.  Sourced.
#
# Each way is a pair of functions, break_WAY and mend_WAY, that work in every kind of
# node or are listed in NAMESPACE_ONLY.  Scripts for the node itself run through
# in_node: without ssh, because that may be what is broken.  Those that show when a guest
# starts or migrates are in break-guests.sh.

# WAY	what the node is like then
ways() {
	cat <<-'EOF'
		no-libvirt	libvirtd has ended, its socket is gone
		no-libvirt-library	libvirt.so.0 cannot be loaded (libvirtd runs on)
		no-kvm	there is no /dev/kvm
		hostkey	sshd shows another key than known_hosts says
		refuse-user	sshd accepts the key for no user
		no-sshd	connections are refused
		silent-sshd	connections are accepted, and then nothing comes
		unplugged	packets to the node vanish
		full-disk	no byte can be written in /etc/libvirt/cpuherd
		read-only	nothing can be written in cpuherd's folder of the libvirt configuration
		noexec-tmp	/tmp, /var/tmp and /dev/shm are noexec
		noexec-home	the homes are noexec too
		wrong-peer-cache	every program in ~/.cache is another one than its name says
		sleepy	the login shell takes LAB_SLEEP seconds (30) to start
		noisy	the login shell prints a greeting on stdout
		adds-feature	QEMU gives each guest LAB_FEATURE besides, and tells libvirt nothing of it
		lacks-feature	QEMU gives no guest LAB_FEATURE, and tells libvirt nothing of it
		no-migration	the other nodes' ports 49152-49215 are unreachable from here
		deaf-to-migration	packets to its own ports 49152-49215 vanish
		no-names	it does not know the other nodes' names
	EOF
}

NAMESPACE_ONLY=' no-libvirt-library no-kvm unplugged full-disk noexec-tmp noexec-home
	adds-feature lacks-feature no-migration deaf-to-migration no-names '

# NODE SCRIPT [ARGUMENT...]: bash in the node; $P is the folder of the lab's files there.
in_node() {
	local node=$1 script=$2
	shift 2
	"${kind}_enter" "$node" env "P=$(node_of "$node" programs)" bash -euc "$script" lab "$@"
}

# The folders of its users and of its libvirt, as words for a script in the node.
homes() {
	if [ "$kind" = namespace ]; then echo '/root /home/*'; else echo "\$P/home"; fi
}

authorized_keys() {
	if [ "$kind" = namespace ]; then
		echo '/root/.ssh/authorized_keys /home/*/.ssh/authorized_keys'
	else
		echo "\$P/authorized_keys"
	fi
}

libvirt_sockets() {
	if [ "$kind" = namespace ]; then echo '/run/libvirt'; else echo "\$P/run/libvirt"; fi
}

libvirt_configuration() {
	if [ "$kind" = namespace ]; then echo '/etc/libvirt'; else echo "\$P/config/libvirt"; fi
}

break_no_libvirt() {
	in_node "$1" '
		pid=$(cat $P/libvirtd.pid)
		kill -KILL "$pid"
		while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
		rm -f '"$(libvirt_sockets)"'/libvirt-sock*'
}

libvirt_answers() {
	(lab_virsh "$1" uri) >/dev/null 2>&1
}

# Through ssh: so that the daemon hangs on the keeper, as before.  In a shell of its own,
# which becomes the ssh.
mend_no_libvirt() {
	local log=$dir/nodes/$1/libvirtd.log program
	program=$(node_of "$1" programs)
	[ "$kind" = unprivileged ] || log=/run/libvirtd.log
	(lab_ssh "$1" "setsid -f /usr/sbin/libvirtd -p $program/libvirtd.pid" \
		"\$(cat $program/libvirtd.options 2>/dev/null) </dev/null >>$log 2>&1")
	deadline 30 libvirt_answers "$1" || die "$1: libvirtd does not start again"
}

# As systemctl would: guests live on.
lab_restart_libvirt() {
	local node=${1:-}
	need_lab
	need_node "$node"
	break_no_libvirt "$node"
	mend_no_libvirt "$node"
}

# A file that is no library covers it; what has it loaded already keeps it.
break_no_libvirt_library() {
	in_node "$1" '
		library=$(ldconfig -p | sed -n "s/.*libvirt\.so\.0 .*=> //p" | head -n 1)
		mount --bind /dev/null "$(readlink -f "$library")"'
}

mend_no_libvirt_library() {
	in_node "$1" '
		library=$(ldconfig -p | sed -n "s/.*libvirt\.so\.0 .*=> //p" | head -n 1)
		umount "$(readlink -f "$library")"'
}

break_no_kvm() {
	in_node "$1" 'if [ -e /dev/kvm ]; then umount /dev/kvm && rm /dev/kvm; fi'
}

mend_no_kvm() {
	in_node "$1" 'if [ -e $P/kvm ]; then touch /dev/kvm && mount --bind $P/kvm /dev/kvm; fi'
}

# sshd reads its keys again at SIGHUP by executing itself anew; it listens again a
# moment later.
reload_sshd() {
	local log=$dir/nodes/$1/sshd.log
	: >"$log"
	in_node "$1" 'kill -HUP $(cat $P/sshd.pid)'
	deadline 10 sshd_listens "$log" || die "$1: sshd does not come back"
}

break_hostkey() {
	in_node "$1" '
		mv $P/host_key $P/host_key.true
		ssh-keygen -q -t ed25519 -N "" -f $P/host_key </dev/null'
	reload_sshd "$1"
}

mend_hostkey() {
	in_node "$1" 'mv $P/host_key.true $P/host_key'
	reload_sshd "$1"
}

break_refuse_user() {
	in_node "$1" 'for file in '"$(authorized_keys)"'; do : >$file; done'
}

mend_refuse_user() {
	in_node "$1" 'for file in '"$(authorized_keys)"'; do echo "$1" >$file; done' \
		"$(cat "$dir/id_ed25519.pub")"
}

# The listener stops; connections that are open stay.
break_no_sshd() {
	in_node "$1" 'mv $P/sshd.pid $P/sshd.pid.old; kill -TERM $(cat $P/sshd.pid.old)'
	deadline 10 port_is_closed "$1" || die "$1: sshd does not end"
}

port_is_closed() {
	! ("${kind}_run" bash -c ": </dev/tcp/$(node_of "$1" address)/$(node_of "$1" port)") 2>/dev/null
}

# Nobody can start it again where it belongs: it would not hang on the keeper.
mend_no_sshd() {
	if [ "$kind" = unprivileged ]; then
		die "$1: an unprivileged node's sshd cannot be started again, bring up a new lab"
	fi
	in_node "$1" 'setsid -f /usr/sbin/sshd -f $P/sshd_config -E /run/sshd.log \
		</dev/null >/dev/null 2>&1'
}

# The kernel goes on accepting for a stopped listener.
break_silent_sshd() {
	in_node "$1" 'kill -STOP $(cat $P/sshd.pid)'
}

mend_silent_sshd() {
	in_node "$1" 'kill -CONT $(cat $P/sshd.pid)'
}

break_unplugged() {
	in_node "$1" 'ip link set eth0 down'
}

mend_unplugged() {
	in_node "$1" 'ip link set eth0 up'
}

break_full_disk() {
	in_node "$1" '
		mkdir -p /etc/libvirt/cpuherd
		mount -t tmpfs -o size=4k,mode=755 tmpfs /etc/libvirt/cpuherd
		head -c 4096 /dev/zero >/etc/libvirt/cpuherd/.full'
}

mend_full_disk() {
	in_node "$1" 'umount /etc/libvirt/cpuherd'
}

# Root writes in a folder of any mode: there it takes a read-only mount.
break_read_only() {
	local folder
	folder=$(libvirt_configuration)/cpuherd
	if [ "$kind" = namespace ]; then
		in_node "$1" "mkdir -p $folder; mount -t tmpfs -o ro,mode=755 tmpfs $folder"
	else
		in_node "$1" "mkdir -p $folder; chmod 555 $folder"
	fi
}

mend_read_only() {
	local folder
	folder=$(libvirt_configuration)/cpuherd
	if [ "$kind" = namespace ]; then
		in_node "$1" "umount $folder"
	else
		in_node "$1" "chmod 755 $folder"
	fi
}

remount() {
	in_node "$1" 'option=$1; shift; for folder; do mount -o remount,$option $folder; done' \
		"${@:2}"
}

break_noexec_tmp() {
	remount "$1" noexec /tmp /var/tmp /dev/shm
}

mend_noexec_tmp() {
	remount "$1" exec /tmp /var/tmp /dev/shm
}

break_noexec_home() {
	remount "$1" noexec /tmp /var/tmp /dev/shm /root /home
}

mend_noexec_home() {
	remount "$1" exec /tmp /var/tmp /dev/shm /root /home
}

# Same names, same modes, other bytes: as an attacker or a torn write leaves them.
break_wrong_peer_cache() {
	in_node "$1" '
		found=0
		while read -r file; do
			cp -p "$file" "$file.lab"
			printf "#!/bin/sh\necho this is not cpuherd-peer\nexit 99\n" >"$file"
			found=1
		done < <(for home in '"$(homes)"'; do
			find "$home/.cache" -type f -perm -u+x ! -name "*.lab"; done)
		[ $found = 1 ]' || die "$1: no program is in any ~/.cache: run cpuherd once before"
}

mend_wrong_peer_cache() {
	in_node "$1" 'for home in '"$(homes)"'; do
		find "$home/.cache" -name "*.lab" -exec bash -c '\''mv "$0" "${0%.lab}"'\'' {} \;
	done'
}

# bash reads ~/.bashrc when sshd starts it, also for a command (bash(1), INVOCATION).
break_sleepy() {
	in_node "$1" 'for home in '"$(homes)"'; do echo "sleep $1" >$home/.bashrc; done' \
		"${LAB_SLEEP:-30}"
}

break_noisy() {
	in_node "$1" 'for home in '"$(homes)"'; do
		echo "echo Welcome to $(hostname), cpuherd-start is not a word of mine" >$home/.bashrc
	done'
}

mend_sleepy() {
	in_node "$1" 'for home in '"$(homes)"'; do rm -f $home/.bashrc; done'
}

mend_noisy() {
	mend_sleepy "$1"
}

list_broken() {
	[ ! -f "$dir/nodes/$1/broken" ] || tr '\n' ' ' <"$dir/nodes/$1/broken"
}

lab_break() {
	local node=${1:-} way=${2:-}
	if [ -z "$way" ]; then
		ways | sed 's/\t/\n\t/' | paste - - | expand -t 20
		return
	fi
	need_lab
	need_node "$node"
	ways | cut -f1 | grep -qxF -- "$way" || die "no way '$way': lab break lists them"
	[[ $kind = namespace || ! $NAMESPACE_ONLY =~ [[:space:]]$way[[:space:]] ]] ||
		die "$way needs namespace nodes"
	! grep -qxF -- "$way" "$dir/nodes/$node/broken" 2>/dev/null ||
		die "$node is $way already"
	"break_${way//-/_}" "$node"
	echo "$way" >>"$dir/nodes/$node/broken"
}

# Last broken, first mended.
lab_mend() {
	local node=${1:-} way
	need_lab
	need_node "$node"
	[ -f "$dir/nodes/$node/broken" ] || return 0
	for way in $(tac "$dir/nodes/$node/broken"); do
		"mend_${way//-/_}" "$node"
		sed -i '$d' "$dir/nodes/$node/broken"
	done
	rm "$dir/nodes/$node/broken"
}

# PIDs, as the node counts them, of the programs that run from a folder of cpuherd's or
# are called cpuherd-peer.  Of an unprivileged node are those with its environment.
peers_of() {
	in_node "$1" '
		for proc in /proc/[0-9]*; do
			[ "$P" = /run/cpuherd-lab ] || grep -qsz "^XDG_RUNTIME_DIR=$P/" $proc/environ ||
				continue
			case $(readlink $proc/exe) in
			*/lab-keeper | */lab-probe) ;;
			*/cpuherd*/* | */cpuherd-peer*) echo ${proc#/proc/} ;;
			esac
		done'
}

peer_appears() {
	mapfile -t peers < <(peers_of "$1")
	[ ${#peers[@]} -gt 0 ]
}

lab_kill_peer() {
	local node=${1:-} peers=()
	need_lab
	need_node "$node"
	deadline "${2:-10}" peer_appears "$node" || die "$node: no cpuherd-peer runs there"
	in_node "$node" 'kill -KILL "$@"' "${peers[@]}"
}
