# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: here and work are of who sources this, gone and cause of the ground.  SC2016: for sed.
# story.sh - the story, over the functions of a ground (./namespaces.sh has them all).  Sourced.
#
# Each step says in plain words what is done, does it, holds what came against what must come,
# and quotes the lines of the programs that matter.  What is not as told ends the story.

said=$work/said
without=${without:-} # features that no model in cpu_map gives a guest on this ground
paused= # --paused, where the ground cannot run guests of this virt type truly

tell() {
	printf '%s\n' "$@"
}

step() {
	printf '\n%s\n' "$1"
	[ $# = 1 ] || printf '   %s\n' "${@:2}"
}

fails() {
	printf '\nNOT AS TOLD: %s\n' "$*"
	[ ! -s "$said" ] || { echo "The last program said:" && sed 's/^/   | /' "$said"; }
	exit 1
} >&2

# A list of many words is told by the first and how many they are.
shortened() {
	awk '{
		n = split($0, part, " ")
		for (i = 1; i <= n; i++)
			if ((m = split(part[i], word, ",")) > 8)
				part[i] = word[1] "," word[2] "," word[3] "," word[4] "," word[5] ",... (" m ")"
		for (i = 1; i <= n; i++)
			printf "%s%s", part[i], i < n ? " " : "\n"
	}'
}

# PATTERN...: what the last program said of that, which must be there.
quote() {
	local pattern
	for pattern; do
		grep -m 1 -oE -- "$pattern" "$said" >"$work/quoted" || fails "nothing says: $pattern"
		sed "s|$work/||g" "$work/quoted" | shortened | fold -s -w 100 | sed 's/^/      /; 2,$s/^/    /'
	done
}

# STATUS ARGUMENT...: cpuherd, which must end so.
cpuherd() {
	local wanted=$1 status=0 shown
	shift
	herd "$@" >"$said" 2>&1 || status=$?
	shown="   \$ cpuherd ${*//"$work/"/}"
	[ "$status" = 0 ] || shown="$shown     (exit status $status)"
	tell "$shown"
	[ "$status" = "$wanted" ] || fails "exit status $status, not $wanted"
}

# ---- guests

# CPU: a guest that is there to be refused; what runs and is looked into is rehearse's.
guest() {
	cat <<-EOF2
		<domain type='$(virt)'><name>gate</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
		<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/><apic/></features>
		$1<devices><memballoon model='none'/></devices></domain>
	EOF2
}

# ADDRESSES: a CPU that is named and nothing else; but what a model cannot say is said beside it.
gate64() {
	echo "<cpu mode='custom' match='exact' check='partial'>$1<model fallback='allow'>gate64</model></cpu>"
}

# NODE CPU: it is started there; fails with libvirt's words in $said.
starts() {
	guest "$2" >"$work/guest.xml"
	in_node "$1" "cat >/run/gate.xml && virsh -q create --paused /run/gate.xml" <"$work/guest.xml" >"$said" 2>&1
}

ends() {
	in_node "$1" 'virsh -q destroy gate'
}

# FROM TO CPU: a guest with it does not go there, and lives on where it is.
is_refused() {
	starts "$1" "$3" || fails "the guest does not start on $1"
	! in_node "$1" "virsh -q migrate --live gate qemu+ssh://root@$2/system" >"$said" 2>&1 || fails "it went"
	quote '(guest|Host) CPU .* features: .*'
	in_node "$1" 'virsh -q domstate gate' >"$said"
	quote '^paused' >/dev/null
	ends "$1"
}

# ARGUMENT...: guests of the project's own kernel go over every ordered pair of nodes; cpuherd
# looks at them before and after.
every_pair() {
	local all
	mapfile -t all < <(nodes)
	cpuherd 0 rehearse --all-pairs ${paused:+"$paused"} "$@" "${all[@]}"
	quote "^$((${#all[@]} * (${#all[@]} - 1))) of .* migrations .*"
}

# LEVEL: the <cpu> that cpuherd has written.
written_cpu() {
	in_node "$(nodes | head -n 1)" "cat /etc/libvirt/cpuherd/$1.xml"
}

# ---- steps

set_the_scene() {
	tell "gate64: one guest CPU for unlike machines" "" \
		"   $(ground_words)." "   $(ground_versions)"
}

host_model_fails() {
	local first last
	first=$(nodes | head -n 1) last=$(nodes | tail -n 1)
	step "a. On $first a guest gets all that this machine can do (host-model). It is to go to $last."
	is_refused "$first" "$last" "<cpu mode='host-model'/>"
	tell "   libvirt refuses. The guest stays where it was."
}

agreement() {
	local all
	mapfile -t all < <(nodes)
	step "b. cpuherd asks all of them, and writes one CPU."
	cpuherd 0 negotiate --lock "$work/cpuherd.lock" "${all[@]}"
	quote "^${#all[@]} nodes agree on .*"
	tell "   Every node starts a guest with it, and what these guests got is compared."
	cpuherd 0 prove --lock "$work/cpuherd.lock"
	quote "^${#all[@]} of ${#all[@]} nodes give .*"
	tell "   A guest with this CPU goes from every node to every other."
	every_pair --lock "$work/cpuherd.lock"
}

# The features of 2016: those of a Core 2 but monitor and pse36 (devstack, tools/cpu_map_update.py).
gate64_of_2016() {
	local feature
	printf "<cpus>\n  <model name='gate64'>\n    <decode host='off' guest='off'/>\n    <vendor name='Intel'/>\n"
	for feature in fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat clflush mmx fxsr \
		sse sse2 pni ssse3 syscall nx lm; do
		printf "    <feature name='%s'/>\n" "$feature"
	done
	printf "  </model>\n</cpus>\n"
}

# What came of it: a guest that does not start, or that has more than the list says.
what_2016_comes_to() {
	local first=$1 more
	if ! starts "$first" "$(gate64 '')"; then
		quote '(guest|Host) CPU .* features: .*'
		return
	fi
	in_node "$first" 'virsh dumpxml gate' >"$said"
	more=$(sed -n "s/.*policy='require' name='\(.*\)'.*/\1/p" "$said" | paste -sd ,)
	[ -n "$more" ] || fails "the guest has what the list says, no more"
	tell "      It starts, as $(sed -n 's,.*<model [^>]*>\(.*\)</model>.*,\1,p' "$said"), and has what the list does not say: $more"
	ends "$first"
}

by_hand_in_2016() {
	local first map=/usr/share/libvirt/cpu_map
	first=$(nodes | head -n 1)
	step "c. In 2016 OpenStack wrote such a CPU into libvirt's map by hand: gate64, a Core 2 without monitor and pse36." \
		"It was a guess. On $first, today:"
	gate64_of_2016 >"$work/gate64.xml"
	in_node "$first" "cd $map && cp -p index.xml /run/index.xml && cat >gate64.xml &&
		sed -i '0,\\|  </arch>|s||    <include filename=\"gate64.xml\"/>\n  </arch>|' index.xml" <"$work/gate64.xml"
	libvirtd_restarts "$first"
	what_2016_comes_to "$first"
	in_node "$first" "cd $map && cp -p /run/index.xml index.xml && rm gate64.xml /run/index.xml"
}

the_way_of_2016() {
	local all node addresses
	mapfile -t all < <(nodes)
	by_hand_in_2016
	tell "   cpuherd writes under this name what the nodes agreed on."
	[ -z "$without" ] || tell "   (Without $without: QEMU gives it to no guest by a model's name.)"
	cpuherd 0 negotiate --target cpu-map --level-name gate64 --lock "$work/gate64.lock" \
		${without:+--without "$without"} "${all[@]}"
	quote "^${#all[@]} nodes agree on .*" 'guests can name gate64 after a restart'
	for node in "${all[@]}"; do
		libvirtd_restarts "$node"
	done
	addresses=$(grep -m 1 '<maxphysaddr' "$said") || addresses=
	tell "   libvirtd is restarted everywhere. A guest that names nothing but gate64:"
	gate64 "$addresses" >"$work/gate64.cpu"
	every_pair --cpu "$work/gate64.cpu"
}

microcode() {
	local all first
	ground_of_microcode
	mapfile -t all < <(nodes)
	first=${all[0]}
	step "d. $(nodes | paste -sd ' ') agree."
	cpuherd 0 negotiate --lock "$work/later.lock" "${all[@]}"
	quote "^${#all[@]} nodes agree on .*"
	microcode_changes "$first"
	tell "   Then $first gets $cause. Gone: $gone."
	cpuherd 31 check --lock "$work/later.lock"
	quote "^$first: not offered: [^;]*" 'likely cause: [^;]*' '[0-9]+ nodes: .* 1 broken, 0 unknown$'
	tell "   So it is: a guest that is on ${all[1]}, with the old level, is refused there."
	is_refused "${all[1]}" "$first" "$(written_cpu baseline)"
	tell "   A new level is agreed on, without what is gone."
	cpuherd 0 negotiate --upgrade --lock "$work/later.lock" "${all[@]}"
	quote "^${#all[@]} nodes agree on .*"
	cpuherd 0 check --lock "$work/later.lock"
	quote '[0-9]+ nodes: .* 0 drifted, 0 broken, 0 unknown$'
	every_pair --lock "$work/later.lock"
}

tell_story() {
	set_the_scene
	host_model_fails
	agreement
	the_way_of_2016
	microcode
	step "All as it should be ($SECONDS s)."
}
