# shellcheck shell=bash disable=SC2154 # dir, here, bin, kind, virt: of ../lab
# check.sh - proves that each node shows its table's CPU.  Sourced.
#
# The library leans on symbols of the installed libvirt and QEMU.  When one of them
# changes, nothing fails by itself: the node would quietly show the machine's CPU.
# So every way to see the CPU is compared with the table, through ssh.

# Features that KVM or TCG gives to a guest whatever the silicon is.  The hypervisor
# bit says that it is one; TCG's CPU is an AMD one in its leaf 0x80000001; QEMU takes machine
# checks over for every guest of KVM (target/i386/kvm/kvm.c, kvm_arch_get_supported_cpuid).
EMULATED=' x2apic tsc-deadline tsc_adjust umip arat hypervisor arch-capabilities overflow-recov succor '

# FACTS: what CPUID is to answer on logical CPU 0, and the microcode.
expected_lines() {
	awk '
		$1 == "source" { host = $2 == "host" }
		$1 == "cpu" && host { other = $2 !~ /^0/ }
		$1 == "cpuid" && host && !other { print }
		$1 == "fact" && $2 == "microcode" { microcode = $0 }
		END { if (microcode) print microcode }' "$1"
}

# The node's own: each libvirt has its names, and a node may be of another suite.
cpu_map_of() {
	local root=
	[ ! -e "$dir/nodes/$1/root" ] || root=$(node_of "$1" root)
	echo "$root/usr/share/libvirt/cpu_map/x86_features.xml"
}

# MAP: NAME LEAF INDEX REGISTER BITS for each feature that libvirt knows in CPUID.
feature_bits() {
	sed -n -E \
		-e "s/.*<feature name='([^']+)'.*/\1/; t name" \
		-e "s/.*<cpuid eax_in='([^']+)'( ecx_in='([^']+)')? (e.x)='([^']+)'.*/\1 \3 \4 \5/; t bits" \
		-e d -e ':name' -e h -e d -e ':bits' -e 'H;g' -e 's/\n/ /;p' "$1" |
		sed -E 's/^(\S+ \S+)  /\1 0x0 /'
}

# Fills feature_of with what the node's libvirt knows.
read_features() {
	local map name bits
	map=$(cpu_map_of "$1")
	feature_of=()
	while read -r name bits; do
		feature_of[$name]=$bits
	done < <(feature_bits "$map")
	[ ${#feature_of[@]} -gt 100 ] || die "$map has no features that can be read"
}

# Fills row_of with the registers that the table has for "LEAF INDEX".
read_table() {
	local word leaf index registers
	row_of=()
	while read -r word leaf index registers; do
		[ "$word" != cpuid ] || row_of["$((leaf)) $((index))"]=$registers
	done < <(expected_lines "$1")
}

# NAME: whether the table has the bits of that feature.
table_has() {
	local leaf index register bits row columns='eax ebx ecx edx'
	read -r leaf index register bits <<<"${feature_of[$1]:-}"
	[ -n "$bits" ] || return 0 # MSR features and unknown ones are not CPUID's matter
	columns=${columns%%"$register"*}
	read -r -a row <<<"${row_of["$((leaf)) $((index))"]:-0 0 0 0}"
	((row[${#columns} / 4] & bits))
}

# All features that the node would give to a guest, by its own libvirt and QEMU, of the
# domain capabilities on the standard input.
offer_of() {
	lab_virsh "$1" hypervisor-cpu-baseline --virttype "$virt" --features /dev/stdin |
		sed -n -E "s/.*policy='require' name='([^']+)'.*/\1/p" | sort
}

# What capabilities must say of the table's leaf 1 (Intel SDM volume 2, CPUID).
signature_of() {
	local eax family model
	eax=$(awk '$1 == "cpuid" && $2 ~ /^0x0*1$/ { print $4; exit }' "$1")
	family=$((eax >> 8 & 15))
	model=$((eax >> 4 & 15))
	[ $family != 6 ] && [ $family != 15 ] || model=$((model | (eax >> 12 & 0xf0)))
	[ $family != 15 ] || family=$((family + (eax >> 20 & 0xff)))
	echo "<signature family='$family' model='$model' stepping='$((eax & 15))'/>"
}

wrong() {
	say "$node: $*"
	wrong_count=$((wrong_count + 1))
}

vendor_and_signature() {
	grep -E '^cpuid 0x0000000[01] ' | cut -d' ' -f1-4
}

# shellcheck disable=SC2094 # $facts is only read
check_registers() {
	local differs probe
	probe=$(node_of "$node" programs)/lab-probe
	differs=$(lab_ssh "$node" taskset -c 0 "$probe" host <"$facts" |
		diff - <(expected_lines "$facts") | head -n 4) || true
	[ -z "$differs" ] || wrong "CPUID of a program is not the table's: $differs"
	[ "$virt" = kvm ] || return 0
	differs=$(lab_ssh "$node" "$probe" kvm <"$facts" | vendor_and_signature |
		diff - <(expected_lines "$facts" | vendor_and_signature)) ||
		wrong "KVM's vendor and signature are not the table's: $differs"
}

check_capabilities() {
	local caps want
	caps=$(lab_virsh "$node" capabilities | sed -n '/<cpu>/,/<\/cpu>/p')
	echo "$caps" | grep -vE '<(counter|topology)' >"$dir/nodes/$node/seen"
	want=$(signature_of "$facts")
	[[ $caps == *"$want"* ]] || wrong "libvirt's host CPU has no $want"
	want=$(sed -n 's/^fact microcode //p' "$facts")
	[ -z "$want" ] || [[ $caps == *"<microcode version='$((want))'/>"* ]] ||
		wrong "libvirt's host CPU has not microcode $((want))"
}

# TCG's CPU is an AMD one on every machine; KVM's has the host's vendor, which QEMU learns
# by a way of its own.
check_vendor() {
	local vendor
	[ "$virt" = kvm ] || return 0
	vendor=$(grep -o '<vendor>.*</vendor>' "$dir/nodes/$node/seen")
	sed -n "/<mode name='host-model'/,/<\/mode>/p" <<<"$1" | grep -qF "$vendor" ||
		wrong "QEMU's host CPU is not of $vendor"
}

check_offer() {
	local feature offer domcaps
	domcaps=$(lab_virsh "$node" domcapabilities --virttype "$virt")
	check_vendor "$domcaps"
	offer=$(offer_of "$node" <<<"$domcaps")
	[ "$(wc -w <<<"$offer")" -ge 20 ] || wrong "the offer for $virt has too few features: $offer"
	for feature in $offer; do
		[[ $EMULATED == *" $feature "* ]] || table_has "$feature" ||
			wrong "QEMU gives $feature, which the table does not have"
	done
	echo "$offer" >"$dir/nodes/$node/offer"
}

# Nodes with different tables must not look alike.
check_difference() {
	local other
	for other in $(nodes); do
		[ "$node" != "$other" ] || return 0
		if ! cmp -s "$facts" "$dir/nodes/$other/cpu.facts" &&
			cmp -s "$dir/nodes/$node/seen" "$dir/nodes/$other/seen"; then
			wrong "libvirt shows the same CPU as on $other"
		fi
	done
}

lab_check() {
	local wrong_count=0 node facts before
	declare -A feature_of row_of
	need_lab
	for node in $(nodes); do
		facts=$dir/nodes/$node/cpu.facts
		before=$wrong_count
		read_features "$node"
		read_table "$facts"
		check_registers
		check_capabilities
		check_offer
		check_difference
		[ "$wrong_count" != "$before" ] ||
			echo "$node shows $(node_of "$node" cpu): $(expected_lines "$facts" | wc -l)" \
				"lines, offer of $(wc -l <"$dir/nodes/$node/offer") features for $virt"
	done
	[ "$wrong_count" = 0 ] || die "$wrong_count things are not as the tables say"
}
