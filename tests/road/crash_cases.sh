# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: of ./lib.sh, ./crash_lib.sh and ./crash.  SC2016: scripts for nodes.
# crash_cases.sh - how a run is cut short.  Sourced by ./crash.

# shellcheck disable=SC2034 # for ./crash
cases=(
	a_coordinator_that_is_killed_at_any_step_leaves_a_run_that_can_be_finished
	the_same_on_nodes_where_nothing_was
	a_peer_that_is_killed_at_any_step_leaves_a_run_that_can_be_finished
	a_new_file_of_a_peer_that_is_killed_goes_with_its_folders
	a_torn_write_is_as_none
	both_killed_at_once_at_any_step_leave_a_run_that_can_be_finished
	a_way_out_that_is_killed_at_any_step_can_be_gone_again
	a_way_out_is_there_though_the_peer_is_killed_in_it_at_any_step
	a_node_whose_journal_lost_its_end_is_mended_or_says_so
	a_coordinator_whose_journal_lost_its_end_mends_it_or_says_so
	what_somebody_else_writes_in_the_middle_is_never_lost
	a_second_coordinator_in_the_middle_is_told_who_holds_the_nodes
	a_disk_that_is_full_in_the_middle_leaves_a_run_that_can_be_finished
	an_etc_that_is_read_only_in_the_middle_leaves_a_run_that_can_be_finished
	a_libvirtd_that_stops_in_the_middle_leaves_a_run_that_can_be_finished
)

# kill_the_coordinator STATE MOST
kill_the_coordinator() {
	local n count
	count=$(calls_here "$1")
	[ "$count" -gt 5 ] || not_ok "only $count steps were seen"
	for n in $(steps "$count" "$2"); do
		point "the coordinator is killed at $n of $count, from $1"
		begin_with "$1"
		arm_here before "$n"
		herd_killed negotiate -q --hosts "$lab/hosts"
		was_killed_here
		ends_well
	done
}

a_coordinator_that_is_killed_at_any_step_leaves_a_run_that_can_be_finished() {
	kill_the_coordinator old 5
}

the_same_on_nodes_where_nothing_was() {
	kill_the_coordinator none 2
}

# kill_the_peer STATE MOST WAY [PATTERN]: only at calls that PATTERN describes.
kill_the_peer() {
	local n count call
	count=$(calls_in_node02 "$1")
	[ "$count" -gt 10 ] || not_ok "only $count steps were seen"
	grep -E "${4:-.}" "$work/calls" | some_of "$2" >"$work/chosen"
	while read -r -u 3 n call; do
		point "node02's peer is killed $3 $n of $count ($call), from $1"
		begin_with "$1"
		lab kill-at node02 "$3" "$n"
		negotiate
		was_killed_in node02
		[ "$status" != 0 ] || all_nodes_are "new-$1"
		ends_well
	done 3<"$work/chosen"
	lab kill-at node02 off
}

a_peer_that_is_killed_at_any_step_leaves_a_run_that_can_be_finished() {
	kill_the_peer old 6 before
}

a_new_file_of_a_peer_that_is_killed_goes_with_its_folders() {
	kill_the_peer none 3 before
}

a_torn_write_is_as_none() {
	kill_the_peer old 2 half ' write /'
}

# ---- coordinator and peer at once

both_killed_at_once_at_any_step_leave_a_run_that_can_be_finished() {
	local n count
	count=$(calls_in_node02 old)
	for n in $(steps "$count" 5); do
		point "power fails when node02's peer is before $n of $count"
		begin_with old
		power_fails_at "$n"
		ends_well
	done
}

# A run that is cut short where much is to be done: some nodes committed, or all kept.
cut_short() {
	begin_with old
	power_fails_at "$1"
}

# The numbers of the calls before which a run is most unfinished: where the stanza is
# about to be replaced, and where it was, and where the way back is about to be dropped.
telling_calls() {
	calls_in_node02 old >/dev/null
	awk '$2 == "rename" && /baseline.xml$/ { print $1; print $1 + 1 }
		$2 == "unlink" && /cpuherd-old$/ { last = $1 } END { print last }' "$work/calls"
}

# kill_the_way_out VERB N: at its change N; false when it does not come to it.
kill_the_way_out() {
	arm_here before "$2"
	herd_killed "$1" -q
	[ -e "$work/killat.done" ]
}

# Each of the ways out, of runs that were cut short at each telling call: "AT VERB".
ways_out() {
	local at verb
	for at in $(telling_calls); do
		for verb in resume rollback; do
			echo "$at $verb"
		done
	done
}

a_way_out_that_is_killed_at_any_step_can_be_gone_again() {
	local at n way
	ways_out | some_of 3 >"$work/chosen"
	while read -r -u 3 at way; do
		for ((n = 1; n < 100; n += first_of_each)); do
			point "$way is killed at $n, of a run cut short at $at"
			cut_short "$at"
			kill_the_way_out "$way" "$n" || break
			ends_well
		done
		[ "$n" -gt 1 ] || [ "$way" = rollback ] || not_ok "$way was never killed"
	done 3<"$work/chosen"
}

a_way_out_is_there_though_the_peer_is_killed_in_it_at_any_step() {
	local at n way
	ways_out | some_of 3 >"$work/chosen"
	while read -r -u 3 at way; do
		for ((n = 1; n < 100; n += 2 * first_of_each)); do
			point "node02's peer is killed at $n of $way, of a run cut short at $at"
			cut_short "$at"
			lab kill-at node02 before "$n"
			herd "$way" -q
			lab enter node02 test -e /run/lab-killat.done || break
			ends_well
		done
	done 3<"$work/chosen"
	lab kill-at node02 off
}

# ---- journals that lost their end

# cuts FILE: the sizes to cut it to: at each end of a line, and amid the last one.
cuts() {
	awk '{ size += length($0) + 1; print size }
		END { print size - int(length($0) / 2) }' "$1" |
		sort -nu | sed '$d' # the whole is not cut
}

# Cut, the journal may be refused, in words; then it comes back, as from a backup.
mended_or_refused() {
	local put_back=$1
	by_turns
	herd "$verb" -q
	if [ "$status" = 0 ] && ! ls "$journals"/*.journal >/dev/null 2>&1; then
		all_nodes_are old new-old
	else
		says 'journal|cpuherd resume|unfinished|damaged|node02|nothing is to be done'
	fi
	$put_back
	ends_well
}

put_back_in_node02() {
	lab enter node02 bash -c 'for run in /var/lib/cpuherd/runs/*/; do
			[ ! -d "$run" ] || cp /run/journal "$run/journal"
		done'
}

a_node_whose_journal_lost_its_end_is_mended_or_says_so() {
	local at size
	for at in $(telling_calls); do
		cut_short "$at"
		lab enter node02 bash -c 'cat /var/lib/cpuherd/runs/*/journal' >"$work/journal"
		for size in $(cuts "$work/journal" | some_of 3); do
			point "node02's journal is cut to $size bytes, of a run cut short at $at"
			cut_short "$at"
			lab enter node02 bash -euc 'cd /var/lib/cpuherd/runs/* && cp journal /run/
				truncate -s "$0" journal' "$size"
			mended_or_refused put_back_in_node02
		done
	done
}

put_back_here() {
	rm -f "$journals"/*.journal
	cp "$work/whole" "$journals/$name"
}

a_coordinator_whose_journal_lost_its_end_mends_it_or_says_so() {
	local at size name
	for at in $(telling_calls); do
		cut_short "$at"
		cat "$journals"/*.journal >"$work/journal"
		for size in $(cuts "$work/journal" | some_of 3); do
			point "the journal is cut to $size bytes, of a run cut short at $at"
			cut_short "$at"
			name=$(basename "$journals"/*.journal)
			cp "$journals/$name" "$work/whole"
			truncate -s "$size" "$journals/$name"
			mended_or_refused put_back_here
		done
	done
}

# ---- trouble in the middle

what_somebody_else_writes_in_the_middle_is_never_lost() {
	local n call
	calls_in_node02 old >/dev/null
	# always when the new file is about to take its place
	{ grep ' rename .*/baseline.xml$' "$work/calls" && some_of 3 <"$work/calls"; } |
		sort -nu >"$work/chosen"
	while read -r -u 3 n call; do
		point "node02's stanza is edited before $call"
		begin_with old
		halt_at "$n"
		lab enter node02 bash -c 'cd /etc/libvirt/cpuherd && echo "<!-- theirs -->" >theirs &&
			mv theirs baseline.xml'
		go_on
		by_turns
		finish_with "$verb"
		lab enter node02 grep -q theirs /etc/libvirt/cpuherd/baseline.xml ||
			not_ok "the edit is gone"
		of='node01 node03' all_nodes_are old new-old
	done 3<"$work/chosen"
}

# On another machine, as it were: with a folder of journals of its own.
a_second_coordinator_in_the_middle_is_told_who_holds_the_nodes() {
	local n
	n=$(telling_calls | head -n 1)
	point "a second coordinator comes before $n"
	begin_with old
	halt_at "$n"
	negotiate --journal-dir "$work/journals.other"
	exits 24
	says 'node02.* held by run run-[0-9a-f]* of .*, process [0-9]+ since '
	go_on
	exits 0
	all_nodes_are new-old
}

# trouble MOST SCRIPT MENDS: in node02, at each of its changes.
trouble() {
	local n call
	calls_in_node02 old >/dev/null
	some_of "$1" <"$work/calls" >"$work/chosen"
	while read -r -u 3 n call; do
		point "trouble in node02 before $call"
		begin_with old
		halt_at "$n"
		lab enter node02 bash -euc "$2"
		go_on
		lab enter node02 bash -euc "$3"
		ends_well
	done 3<"$work/chosen"
}

a_disk_that_is_full_in_the_middle_leaves_a_run_that_can_be_finished() {
	# /etc and /var of a node are on this one
	trouble 3 'mount -o "remount,size=$(($(df -k --output=used /mnt | tail -n 1) + 4))k" /mnt
		dd if=/dev/zero of=/mnt/full bs=4k 2>/dev/null || true' '
		rm /mnt/full; mount -o remount,size=256m /mnt'
}

an_etc_that_is_read_only_in_the_middle_leaves_a_run_that_can_be_finished() {
	# not while the new file is open
	trouble 3 'mount -o remount,bind,ro /etc 2>/dev/null || true' \
		'mount -o remount,bind,rw /etc'
}

a_libvirtd_that_stops_in_the_middle_leaves_a_run_that_can_be_finished() {
	local n
	for n in $(telling_calls | some_of 1); do
		point "node02's libvirtd stops before $n"
		begin_with old
		halt_at "$n"
		lab break node02 no-libvirt
		go_on
		lab mend node02
		ends_well
	done
}
