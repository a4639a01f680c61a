#!/bin/bash
# user-node.sh - starts one unprivileged node; the working directory is its folder.
#
# File descriptor 3 is told "ready", or what is wrong.
set -eEu

home=$PWD
address=$(cat address)

fail() {
	echo "$*" >&3
	exit 1
}
trap 'fail "line $LINENO of user-node.sh failed"' ERR

# The whole environment of the node's processes.  Nothing may start another daemon
# of its own accord: it would hide that ours has ended.
environment=(
	"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
	"HOME=$home/home" "USER=lab" "LOGNAME=lab" "SHELL=/bin/bash" "LC_ALL=C"
	"XDG_RUNTIME_DIR=$home/run" "XDG_CONFIG_HOME=$home/config"
	"LIBVIRT_AUTOSTART=0" "LD_PRELOAD=$home/fakecpu.so"
)
printf '%s\n' "${environment[@]}" >environment
echo "lab:x:$(id -u):$(id -g)::$home/home:/bin/bash" >passwd

# A child that has ended and waits to be reaped still has its PID: ask the shell.
runs() {
	jobs -rp | grep -qx "$1"
}

# Port after port until sshd has got one: asking first would be a race.
start_sshd() {
	local port
	for _ in {1..50}; do
		port=$((20000 + RANDOM % 12000))
		: >sshd.log
		env -i "${environment[@]}" /usr/sbin/sshd -D -e -f "$home/sshd_config" \
			-o "ListenAddress=$address" -o "Port=$port" 2>>sshd.log 3>&- &
		until grep -q 'Server listening' sshd.log; do
			runs $! || continue 2
			sleep 0.01
		done
		echo "$port" >port
		return
	done
	fail "sshd finds no port on $address"
}

write_configuration() {
	cat >>sshd_config <<-EOF
		HostKey $home/host_key
		PidFile $home/sshd.pid
		AuthorizedKeysFile $home/authorized_keys
		SetEnv $(printf '%s ' "${environment[@]:1}")
	EOF
	cat >config/libvirt/libvirtd.conf <<-EOF
		host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
		log_outputs = "3:stderr"
	EOF
	printf 'migration_address = "%s"\nmigration_host = "%s"\n' "$address" "$address" \
		>>config/libvirt/qemu.conf
}

wait_for_libvirtd() {
	local end=$((SECONDS + 40)) virt=qemu
	[ ! -e kvm ] || virt=kvm
	until env -i "${environment[@]}" virsh -q -c qemu:///session domcapabilities \
		--virttype $virt >/dev/null 2>answer.log; do
		if [ "$SECONDS" -ge "$end" ] || ! runs "$libvirtd"; then
			fail "libvirtd does not answer"
		fi
		sleep 0.02
	done
	rm -f answer.log
}

write_configuration
env -i "${environment[@]}" /usr/sbin/libvirtd -p "$home/libvirtd.pid" 2>>libvirtd.log 3>&- &
libvirtd=$!
start_sshd
wait_for_libvirtd
echo ready >&3
