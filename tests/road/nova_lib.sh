# shellcheck shell=bash disable=SC2154 # here, virt: of ./lib.sh and who sources this
# nova_lib.sh - nodes with a nova-compute that systemd runs, as ./nova and ./several have them.

# make_nova NODE...: what a node needs beside its packages: users, systemd's sign of life, a
# systemctl, to which the units in /run/unit/units run.
make_nova() {
	local node
	for node; do
		in_node "$node" 'cat >/run/systemctl && chmod 755 /run/systemctl && mkdir -p /run/systemd/system /var/lib/nova
			echo nova:x:64060:64060::/var/lib/nova:/bin/bash >>/etc/passwd
			echo nova:x:64060: >>/etc/group
			mount --bind /run/systemctl /usr/bin/systemctl
			mkdir -p /run/unit && echo 100 >/run/unit/pid
			echo nova-compute.service >/run/unit/units' <<-'END'
			#!/bin/sh
			cd /run/unit || exit 1
			for unit; do :; done
			case $1 in
			restart)
				echo "$((1 + $(cat pid)))" >pid
				echo restart >>calls
				;;
			status) echo "nova-compute[$(cat pid)]: InvalidCPUInfo: told to fail" ;;
			show)
				grep -qx "$unit" units || { echo LoadState=not-found; exit 0; }
				state=active
				[ ! -e fails ] || [ ! -e /etc/nova/nova.conf.d/99-cpuherd.conf ] || state=failed
				printf 'LoadState=loaded\nActiveState=%s\nUser=nova\nNRestarts=0\n' $state
				echo "MainPID=0$(: of no process that /proc knows)"
				echo "ExecStart={ path=/usr/bin/nova-compute ; argv[]=/usr/bin/nova-compute $(cat arguments) ; }"
				;;
			esac
		END
	done
}

# configure_nova NODE LINES ARGUMENTS: nova.conf with these lines of [libvirt], nova-compute with
# these arguments, and nothing of cpuherd's.
configure_nova() {
	in_node "$1" "rm -rf /etc/nova/nova.conf.d /run/unit/fails /run/unit/calls /var/lib/cpuherd
		printf '[DEFAULT]\ntransport_url = rabbit://nova:secret@mq\n[libvirt]\nvirt_type = $virt\n$2' \
			>/etc/nova/nova.conf
		chown root:nova /etc/nova/nova.conf && chmod 640 /etc/nova/nova.conf
		echo '$3' >/run/unit/arguments; touch /run/unit/calls"
}
