# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: dir and kind are of ../lab.  SC2016: scripts in quotes are for the node.
# break-guests.sh - nodes whose facts are in order, and whose guests are not.  Sourced.
#
# More ways of break.sh, for namespace nodes alone.

# Debian's QEMU looks for its data and modules beside the folder that it lies in: the true
# one moves to a folder with the same neighbours, and a script covers it.  Not in a namespace
# of its own: libvirt starts QEMU without privileges.
cover_qemu() {
	in_node "$1" '
		qemu=$(command -v qemu-system-x86_64)
		mkdir -p /run/lab-qemu/bin
		ln -sfn /usr/share /run/lab-qemu/share
		ln -sfn /usr/lib /run/lab-qemu/lib
		touch /run/lab-qemu/bin/qemu-system-x86_64
		mount --bind "$qemu" /run/lab-qemu/bin/qemu-system-x86_64
		cat >/run/lab-qemu/script
		chmod 755 /run/lab-qemu/script
		mount --bind /run/lab-qemu/script "$qemu"'
}

# Guests that run keep theirs.
uncover_qemu() {
	in_node "$1" '
		umount -l "$(command -v qemu-system-x86_64)"
		umount -l /run/lab-qemu/bin/qemu-system-x86_64
		rm -r /run/lab-qemu'
}

# NODE WORD: what each guest's CPU is given besides.  Where libvirt asks QEMU what it can do
# no CPU is named, so the answers stay as they are.
change_guests_cpu() {
	[[ $2 =~ ^[-+][a-z0-9][a-z0-9.-]*$ ]] ||
		die "LAB_FEATURE '${2#[-+]}' is no feature in QEMU's spelling"
	cover_qemu "$1" <<-EOF
		#!/bin/sh
		before=
		for word; do
			shift
			[ "\$before" != -cpu ] || word="\$word,$2"
			set -- "\$@" "\$word"
			before=\$word
		done
		exec /run/lab-qemu/bin/qemu-system-x86_64 "\$@"
	EOF
}

break_adds_feature() {
	change_guests_cpu "$1" "+${LAB_FEATURE:?LAB_FEATURE: which one?}"
}

break_lacks_feature() {
	change_guests_cpu "$1" "-${LAB_FEATURE:?LAB_FEATURE: which one?}"
}

mend_adds_feature() {
	uncover_qemu "$1"
}

mend_lacks_feature() {
	uncover_qemu "$1"
}

# The ports that QEMU migrates over (qemu.conf, migration_port_min and _max), as a rule of
# routing: a firewall would need modules of the kernel.
MIGRATION='ipproto tcp dport 49152-49215'

break_no_migration() {
	in_node "$1" "ip rule add pref 10 $MIGRATION unreachable"
}

mend_no_migration() {
	in_node "$1" "ip rule del pref 10 $MIGRATION unreachable"
}

# What comes in is the local table's, which is asked first: it has to wait.
break_deaf_to_migration() {
	in_node "$1" "
		ip rule add pref 20 lookup local
		ip rule add pref 10 iif eth0 $MIGRATION blackhole
		ip rule del pref 0"
}

mend_deaf_to_migration() {
	in_node "$1" "
		ip rule add pref 0 lookup local
		ip rule del pref 10 iif eth0 $MIGRATION blackhole
		ip rule del pref 20"
}

break_no_names() {
	in_node "$1" 'cp /etc/hosts /run/lab-hosts
		grep -wE "localhost|$(hostname)" /run/lab-hosts >/etc/hosts'
}

mend_no_names() {
	in_node "$1" 'cat /run/lab-hosts >/etc/hosts; rm /run/lab-hosts'
}
