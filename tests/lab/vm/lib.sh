# shellcheck shell=bash
# lib.sh - VMs whose CPUs truly differ: each a QEMU without KVM, with a kernel, an sshd, a
# libvirtd and (for CPUs with svm) a /dev/kvm of its own.  Sourced inside of ./alone.
#
# The state is the folder $vms; $image is what ./make-image printed:
#	id_ed25519, known_hosts, ssh_config, hosts
#	NAME/		name, uuid, host_key; disk (what it has changed); console, pid, qemu.log
# A VM is reached by its name at port 22, from outside and by the others.

vms=/run/vms

vm_die() {
	printf 'vm: %s\n' "$*" >&2
	exit 1
}

# vm_prepare NAME...: keys, addresses and empty disks; nothing runs yet.
vm_prepare() {
	local name number=0
	mkdir -p $vms
	ssh-keygen -q -t ed25519 -N '' -C operator -f $vms/id_ed25519
	echo '127.0.0.1 localhost' | tee $vms/hosts >$vms/hosts.outside
	for name; do
		number=$((number + 1))
		mkdir $vms/"$name"
		echo $number >"$vms/$name/number"
		ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$vms/$name/host_key"
		cat /proc/sys/kernel/random/uuid >"$vms/$name/uuid"
		qemu-img create -q -f qcow2 -b "$image/root.img" -F raw "$vms/$name/disk"
		echo "10.98.0.$number $name" >>$vms/hosts
		echo "127.0.1.$number $name" >>$vms/hosts.outside
		echo "$name,10.98.0.$number,127.0.1.$number $(cut -d' ' -f1,2 "$vms/$name/host_key.pub")" \
			>>$vms/known_hosts
	done
	mount --bind $vms/hosts.outside /etc/hosts
	cat >$vms/ssh_config <<-EOF
		Host *
			User root
			IdentityFile $vms/id_ed25519
			IdentitiesOnly yes
			UserKnownHostsFile $vms/known_hosts
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			BatchMode yes
			LogLevel ERROR
			ControlMaster auto
			ControlPath $vms/%h/ssh
			ControlPersist yes
	EOF
}

# The node's own files, as the second part of its initial file system.
vm_files() {
	local name=$1 own=$vms/$1/files/node
	mkdir -p "$own"
	echo "$name 10.98.0.$(cat "$vms/$name/number")" >"$own/name"
	cp $vms/{id_ed25519,known_hosts,hosts} "$vms/$name"/{uuid,host_key} "$own"
	cp $vms/id_ed25519.pub "$own/authorized_keys"
	(cd "$vms/$name/files" && find . | cpio --quiet -o -H newc)
}

# vm_cpu MODEL: as QEMU's TCG can emulate it, with vme beside.  Every CPU of these kinds has
# that, libvirt and QEMU disagree about which models have it, and no 64-bit kernel uses it, so
# that to say it is enough.  TCG cannot emulate it, and would take it away; what else it
# would take away has to be named then.
vm_cpu() {
	local lacking
	lacking=$(echo quit | qemu-system-x86_64 -machine q35 -accel tcg -cpu "$1" -S -nodefaults \
		-display none -monitor stdio 2>&1 >/dev/null |
		sed -n 's/.*support requested feature: .*:E[A-D]X\.\(.*\) \[bit .*/,-\1/p' | grep -vx ',-vme')
	echo "$1,${lacking//$'\n'/}" | sed 's/,,/,/; s/$/,+vme,x-force-features=on/'
}

# What a kernel measures where the CPU is emulated is the load of this machine: it is told.
vm_tsc='tsc=unstable tsc_early_khz=2500000'

# vm_start NAME CPU: the same disk as before, and that CPU.
vm_start() {
	local name=$1 cpu number
	cpu=$(vm_cpu "$2")
	number=$(cat "$vms/$name/number")
	cat "$image/initrd" <(vm_files "$name") >"$vms/$name/initrd"
	rm -f "$vms/$name/ssh"
	qemu-system-x86_64 -name "$name" -uuid "$(cat "$vms/$name/uuid")" -machine q35 \
		-accel tcg,thread=multi,tb-size=256 -cpu "$cpu" -m 768 \
		-nodefaults -no-reboot -display none -serial "file:$vms/$name/console" \
		-kernel "$image/vmlinuz" -initrd "$vms/$name/initrd" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on $vm_tsc" \
		-drive "file=$vms/$name/disk,if=none,id=disk,cache=unsafe" -device virtio-blk-pci,drive=disk \
		-netdev "user,id=outside,restrict=on,hostfwd=tcp:127.0.1.$number:22-:22" \
		-device "virtio-net-pci,netdev=outside,mac=52:54:00:00:01:0$number" \
		-netdev socket,id=cable,mcast=230.0.0.1:5000,localaddr=127.0.0.1 \
		-device "virtio-net-pci,netdev=cable,mac=52:54:00:00:02:0$number" \
		-device virtio-rng-pci >"$vms/$name/qemu.log" 2>&1 </dev/null &
	echo $! >"$vms/$name/pid"
}

# vm_ready NAME...: waits until each has said so on its console.
vm_ready() {
	local name end=$((SECONDS + 180))
	for name; do
		until grep -qs '^node: ready' "$vms/$name/console"; do
			kill -0 "$(cat "$vms/$name/pid")" 2>/dev/null || vm_failed "$name" 'its QEMU has ended'
			[ $SECONDS -lt $end ] || vm_failed "$name" 'it does not come up'
			sleep 0.2
		done
	done
}

vm_failed() {
	tail -n 5 "$vms/$1/console" "$vms/$1/qemu.log" >&2
	vm_die "$1: $2; its last words are above"
}

# vm_run NAME COMMAND: by ssh, as root.
vm_run() {
	ssh -F $vms/ssh_config "$@"
}

# vm_stop NAME: what it wrote is on its disk.
vm_stop() {
	vm_run "$1" 'sync; echo o >/proc/sysrq-trigger; sleep 20' 2>/dev/null || true
	wait "$(cat "$vms/$1/pid")" || true
}
