# shellcheck shell=bash disable=SC2154,SC2034
# SC2154: program and image are of ../vm/story, vms of ../vm/lib.sh.  SC2034: without,
# work, gone and cause are for the story.
# vms.sh - ground for the story: VMs whose CPUs truly differ (../vm).  Sourced, after ../vm/lib.sh.
#
# Guests run under the VMs' own KVM and see what it makes of the VM's CPU.

work=$vms/work
names=()
export XDG_STATE_HOME=$work/state
# QEMU leaves it out of what its models have.
without=svm

# What the "microcode" of the first node takes, and its revision then: one more than QEMU's own.
gone=popcnt
microcode=0x1000066

# NAME=CPU...
ground_up() {
	local node
	for node; do
		names+=("${node%%=*}")
	done
	vm_prepare "${names[@]}"
	mkdir $work
	for node; do
		echo "${node#*=},+svm,+npt" >"$vms/${node%%=*}/cpu"
		vm_start "${node%%=*}" "$(cat "$vms/${node%%=*}/cpu")"
	done
	vm_ready "${names[@]}"
}

nodes() {
	printf '%s\n' "${names[@]}"
}

virt() {
	echo kvm
}

in_node() {
	vm_run "$1" "$2"
}

# Where every CPU is emulated, a migration takes half a minute, and longer where others work on
# the machine too.
herd() {
	[ "$1" != rehearse ] || set -- "$@" --migrate-timeout 300 --timeout 400
	"$program" "$@" -F none --known-hosts $vms/known_hosts --identity $vms/id_ed25519 --no-agent \
		--user root </dev/null
}

libvirtd_restarts() {
	vm_run "$1" restart-libvirtd
}

ground_words() {
	echo "${#names[@]} VMs, up after $SECONDS s; each with its own CPU, kernel, KVM, sshd, libvirtd and QEMU. Guests run"
}

ground_versions() {
	# shellcheck disable=SC2016 # expanded there
	vm_run "${names[0]}" 'echo "Debian $(cat /etc/debian_version), Linux $(uname -r), libvirt $(libvirtd --version |
		grep -o "[0-9.]*$"), QEMU $(qemu-system-x86_64 --version | sed -n "s/.* version \([0-9.]*\).*/\1/p"),"'
	printf '   %s. %s. CPUs: QEMU %s.\n' "$("$program" --version | sed 's/ (.*//')" \
		"$(date -u '+%Y-%m-%d %H:%M UTC')" \
		"$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/\1/p')"
	printf '\n0. What they are:\n   $ cpuherd probe %s\n' "${names[*]}"
	herd probe "${names[@]}" | sed '/^$/,$d; s/^/      /'
}

# The same VMs go on.
ground_of_microcode() {
	:
}

# NODE: it is booted anew, with the CPU that the new microcode leaves.
microcode_changes() {
	cause="new microcode $microcode and is booted again (it took TSX once; QEMU cannot emulate that)"
	vm_stop "$1"
	vm_start "$1" "$(cat "$vms/$1/cpu"),-$gone,ucode-rev=$microcode"
	vm_ready "$1"
}
