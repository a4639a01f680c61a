# shellcheck shell=bash disable=SC2154,SC2034
# SC2154: here, work and set are of ./gate.  SC2034: paused, gone and cause are for the story.
# namespaces.sh - ground for the story: nodes of a namespace lab (tests/lab).  Sourced.
#
# Their CPUs are tables.  Guests run under TCG, which gives them what the table has.  TCG has
# no TSX: for what microcode takes there is a second lab under KVM, where there is a
# /dev/kvm.  Its guests stay paused: a KVM that runs them shows the machine's CPU.

lab=$work/lab
for build in release dev; do # scripts/quickstart builds the one, scripts/check the other
	program=${CPUHERD:-$here/../../../build/$build/coordinator/cpuherd}
	[ ! -x "$program" ] || break
done

lab() {
	"$here/../lab" --dir "$lab" "$@"
}

# VIRT CPU...: a node for each CPU, named after it, or NAME=CPU.
lab_of() {
	local virt=$1 cpu places=()
	shift
	for cpu; do
		places+=("${cpu%%=*}=${cpu#*=}")
	done
	lab up --kind namespace --virt "$virt" "${places[@]}" 2>"$work/up" && lab join
}

ground_up() {
	lab_of qemu "$@" && return
	cat "$work/up" >&2
	grep -qE 'are not possible here|is missing' "$work/up" && exit 77
	exit 1
}

ground_down() {
	lab down || true
}

nodes() {
	cat "$lab/nodes.list"
}

virt() {
	cat "$lab/virt"
}

in_node() {
	lab enter "$1" bash -c "$2"
}

herd() {
	"$here/../lab" run "$lab" -- "$program" "$@" \
		-F none --known-hosts "$lab/known_hosts" --identity "$lab/id_ed25519" --no-agent </dev/null
}

libvirtd_restarts() {
	lab restart-libvirt "$1"
}

ground_words() {
	echo "$(nodes | wc -l) nodes in namespaces of one machine; each with its own sshd, libvirtd, QEMU, and registers of a true CPU"
}

ground_versions() {
	printf 'libvirt %s, QEMU %s, %s.\n' "$(libvirtd --version | grep -o '[0-9.]*$')" \
		"$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/\1/p')" "$("$program" --version | sed 's/ (.*//')"
}

# What microcode or firmware takes here: leaf, register, its bits, their names, and the story
# of it.  Under TCG it is what a switch of the firmware takes.
taken() {
	case $set.$(virt) in
	intel.kvm) echo 0x00000007 ebx 0x810 hle,rtm "new microcode, without TSX (as Intel's of 2014 and 2021)" ;;
	amd.kvm) echo 0x00000007 ebx 0x40000 rdseed "new microcode, without RDSEED" ;;
	*) echo 0x00000001 ecx 0x8 monitor "new firmware, which switches MONITOR off" ;;
	esac
}

ground_of_microcode() {
	{ : <>/dev/kvm; } 2>/dev/null || return 0
	lab down
	case $set in
	intel) lab_of kvm skylake skylake2=skylake cascadelake broadwell broadwell2=broadwell ;;
	amd) lab_of kvm ryzen ryzen2=ryzen epyc epyc2=epyc epyc3=epyc ;;
	esac || { cat "$work/up" >&2 && exit 1; }
	paused=--paused
}

# LEAF REGISTER BITS: a table of CPUID, without these bits of that leaf, with newer microcode.
without_bits() {
	local line columns='eax ebx ecx edx'
	columns=${columns%%"$2"*}
	while read -r -a line; do
		case "${line[*]:0:2}" in
		"cpuid $1") line[3 + ${#columns} / 4]=$(printf 0x%08x $((line[3 + ${#columns} / 4] & ~$3))) ;;
		'fact microcode') line[2]=$(printf 0x%x $((line[2] + 16))) ;;
		esac
		echo "${line[*]}"
	done
}

# The node has it from its next start on, which here is libvirtd's.  What libvirt remembers of
# TCG it would not ask anew: nowhere but here does that depend on the machine.
microcode_changes() {
	local leaf register bits
	read -r leaf register bits gone cause < <(taken)
	gone=${gone//,/, }
	without_bits "$leaf" "$register" "$bits" <"$lab/nodes/$1/cpu.facts" >"$work/facts"
	in_node "$1" 'cat >/run/cpuherd-lab/cpu.facts; rm -rf /var/cache/libvirt/qemu/capabilities' <"$work/facts"
	libvirtd_restarts "$1"
}
