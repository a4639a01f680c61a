#!/bin/bash
# node.sh NODE NUMBER - PID 1 of a namespace node while it starts.
#
# Started by namespace.sh in new namespaces, with the node's folder as the working
# directory: it stays reachable as "." when its path is covered by a mount.
# File descriptor 3 is told "ready"; 9 is the lab's network namespace.
set -eEu

node=$1
number=$2
state=/run/cpuherd-lab # the node's own copy of what it needs later

fail() {
	echo "$*" >&3
	exit 1
}
trap 'fail "line $LINENO of node.sh failed"' ERR

# /proc is still the machine's: these are the machine's words for this process.
read -r pid _ </proc/self/stat
echo "$pid" >pid

plug_in() {
	nsenter --net=/proc/self/fd/9 -- ip -batch - <<-EOF
		link add lab$number type veth peer name eth0 netns 1
		link set lab$number master br0 up
	EOF
	ip -batch - <<-EOF
		link set lo up
		addr add $(cat address)/16 dev eth0
		link set eth0 up
	EOF
	exec 9<&-
}

# The programs of another suite: its folder is / from here on.  It was unpacked and not
# configured, so the users are ours.
enter_root() {
	local root=$1
	mount -t tmpfs -o mode=755,size=64m tmpfs /mnt
	mkdir /mnt/{dev,home,mnt,proc,root,run,sys,tmp,usr}
	cp -a "$root"/{bin,lib,lib64,sbin,etc,var} /mnt/
	rm -rf /mnt/var/{run,lock}
	ln -s /run /run/lock /mnt/var/
	mount --bind "$root/usr" /mnt/usr
	mount -o remount,bind,ro /mnt/usr
	mount --rbind /dev /mnt/dev
	printf '%s:x:%s:%s::%s:/bin/bash\n' root 0 0 /root sshd 100 65534 /run/sshd \
		libvirt-qemu 64055 64055 /var/lib/libvirt nobody 65534 65534 / >/mnt/etc/passwd
	printf '%s:x:%s:\n' root 0 tty 5 kvm 104 nogroup 65534 libvirt 105 libvirt-qemu 64055 \
		>/mnt/etc/group
	echo 'root:*:20000:0:99999:7:::' >/mnt/etc/shadow
	chmod 600 /mnt/etc/shadow
	echo 'hosts: files' >/mnt/etc/nsswitch.conf
	(cd /mnt && pivot_root . mnt)
	mount -t proc proc /proc
	umount -l /mnt # "." is on it and stays usable
	ldconfig
}

# /etc and /var as the machine has them, with the node's changes in memory.  Where
# the kernel refuses an overlay on this file system, a copy of what is needed.
cover() {
	local folder=$1
	mkdir -p "/mnt/upper$folder" "/mnt/work$folder"
	mount -t overlay -o "lowerdir=$folder,upperdir=/mnt/upper$folder,workdir=/mnt/work$folder" \
		lab "$folder" 2>/dev/null && return
	case $folder in
	/etc) cp -a /etc/. "/mnt/upper$folder" ;;
	/var) mkdir -p "/mnt/upper$folder"/{cache,lib,log,tmp} ;;
	esac
	mount --bind "/mnt/upper$folder" "$folder"
}

# A /dev of the node's own, so that things can be taken out of it.
own_dev() {
	local name
	mkdir /mnt/dev
	mount -t tmpfs -o mode=755,size=1m tmpfs /mnt/dev
	mkdir /mnt/dev/{pts,shm}
	for name in null zero full random urandom tty; do
		touch "/mnt/dev/$name"
		mount --bind "/dev/$name" "/mnt/dev/$name"
	done
	if [ -e kvm ]; then
		touch /mnt/dev/kvm
		mount --bind /dev/kvm /mnt/dev/kvm
	fi
	ln -s /proc/self/fd /mnt/dev/fd
	ln -s /proc/self/fd/0 /mnt/dev/stdin
	ln -s /proc/self/fd/1 /mnt/dev/stdout
	ln -s /proc/self/fd/2 /mnt/dev/stderr
	ln -s pts/ptmx /mnt/dev/ptmx
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /mnt/dev/pts
	mount -t tmpfs -o mode=1777,size=64m tmpfs /mnt/dev/shm
	mount --move /mnt/dev /dev
}

own_folders() {
	mount -t tmpfs -o mode=755,size=256m tmpfs /mnt
	cover /etc
	cover /var
	mount -t proc proc /proc
	# Of the own network namespace: libvirtd looks every interface up that it lists.
	mount -t sysfs sysfs /sys 2>/dev/null || true
	own_dev
	own_cpu_map
	mount -t tmpfs -o mode=755,size=64m tmpfs /run
	mkdir -p /run/sshd /run/lock /run/libvirt "$state"
	mount -t tmpfs -o mode=1777,size=64m tmpfs /var/tmp
	# Empty homes: the machine's own start-up files may be slow or noisy.
	mount -t tmpfs -o mode=700,size=64m tmpfs /root
	mount -t tmpfs -o mode=755,size=64m tmpfs /home
	mount -t tmpfs -o mode=1777,size=64m tmpfs /tmp
}

# What the level's target cpu-map writes: never the machine's own map, nor the suite's.
own_cpu_map() {
	local map=/usr/share/libvirt/cpu_map
	mkdir /mnt/cpu_map
	mount -t tmpfs -o mode=755,size=16m tmpfs /mnt/cpu_map
	cp -a "$map/." /mnt/cpu_map
	mount --move /mnt/cpu_map "$map"
}

own_identity() {
	hostname "$node"
	echo "$node" >/etc/hostname
	tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
	cat "etc-hosts" >/etc/hosts
}

# Lets the key in as that user, whose home is in memory.
let_in() {
	local user=$1 home=$2
	mkdir -p "$home/.ssh" "$home/.cache"
	cp id_ed25519.pub "$home/.ssh/authorized_keys"
	chmod 700 "$home" "$home/.ssh"
	chown -R "$user:" "$home"
}

# operator may become root without a password, visitor may not.
own_users() {
	local user uid=61000
	let_in root /root
	for user in operator visitor; do
		uid=$((uid + 1))
		sed -i "/^$user:/d" /etc/passwd /etc/shadow
		echo "$user:x:$uid:65534::/home/$user:/bin/bash" >>/etc/passwd
		echo "$user:*:20000:0:99999:7:::" >>/etc/shadow
		let_in "$user" "/home/$user"
	done
	[ -d /etc/sudoers.d ] || return 0
	echo 'operator ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/lab
	chmod 440 /etc/sudoers.d/lab
}

# Last: from here on every program of the node has the other CPU.
own_cpu() {
	cp fakecpu.so killat.so cpu.facts lab-keeper lab-probe "$state/"
	[ ! -e kvm ] || { touch "$state/kvm" && mount --bind /dev/kvm "$state/kvm"; }
	echo "$state/fakecpu.so" >/etc/ld.so.preload
}

start_sshd() {
	cp sshd_config host_key "$state/"
	chmod 600 "$state/host_key"
	printf 'HostKey %s/host_key\nPermitRootLogin prohibit-password\nPidFile %s/sshd.pid\n' \
		"$state" "$state" >>"$state/sshd_config"
	/usr/sbin/sshd -D -e -f "$state/sshd_config" 2>>sshd.log 3>&- &
}

# With nothing of the machine's own guests and caches.
prepare_libvirtd() {
	rm -rf /var/lib/libvirt/qemu /var/cache/libvirt /etc/libvirt/qemu
	mkdir -p /var/{lib,cache,log}/libvirt/qemu /etc/libvirt/qemu
	cat >/etc/libvirt/libvirtd.conf <<-EOF
		host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		auth_unix_rw = "none"
		log_outputs = "3:stderr"
	EOF
	{ cat qemu.conf && printf 'user = "root"\ngroup = "root"\n'; } >/etc/libvirt/qemu.conf
}

start_libvirtd() {
	/usr/sbin/libvirtd -p "$state/libvirtd.pid" 2>>libvirtd.log 3>&- &
}

wait_for() {
	local what=$1 end=$((SECONDS + 40))
	shift
	until "$@" 2>answer.log; do
		if [ "$SECONDS" -ge "$end" ] || [ "$(jobs -r | wc -l)" != 2 ]; then
			fail "$what does not answer"
		fi
		sleep 0.02
	done
	rm -f answer.log
}

plug_in
[ ! -e root ] || enter_root "$(cat root)"
own_folders
own_identity
own_users
own_cpu
start_sshd
prepare_libvirtd
start_libvirtd
wait_for sshd grep -q 'Server listening' sshd.log
# The first answer makes libvirt ask QEMU for all it can do; the rest is cached.
[ -e kvm ] && virt=kvm || virt=qemu
wait_for libvirtd virsh -q -c qemu:///system domcapabilities --virttype "$virt" >/dev/null
echo ready >&3
exec 3>&-
exec "$state/lab-keeper" --stay
