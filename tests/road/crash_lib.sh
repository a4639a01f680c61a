# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: work, lab, status, all_steps: of ./lib.sh and ./crash.  SC2016: scripts for nodes.
# crash_lib.sh - what the cases of ./crash share.  Sourced.
#
# A node is in one of the states none (cpuherd never was there), old (an earlier level,
# in a file of another owner and mode) and new, or in neither.

export XDG_STATE_HOME=$work/state
journals=$XDG_STATE_HOME/cpuherd/runs
killat=${CPUHERD_LAB_BIN:?crash: where are the programs of the lab?}/killat.so
product=$cpuherd

# The coordinator with the library of the lab in front of it, and with a known process.
cat >"$work/killed" <<-END
	#!/bin/sh
	LAB_KILLAT=$work/killat LD_PRELOAD=$killat exec "$product" "\$@"
END
cat >"$work/known" <<-END
	#!/bin/sh
	echo \$\$ >$work/pid
	exec "$product" "\$@"
END
chmod +x "$work/killed" "$work/known"

# point TEXT: what happens now, for the log of a case that fails; they are counted.
point() {
	echo "  $1" | tee -a "$work/points"
}

# in_each NAME SCRIPT: in all nodes at once; what they say is in \$work/NAME.NODE.
in_each() {
	local node jobs=()
	for node in $(nodes); do
		lab enter "$node" bash -euc "$2" >"$work/$1.$node" 2>&1 &
		jobs+=($!)
	done
	for node in "${jobs[@]}"; do
		wait "$node" || { cat "$work/$1".node* && not_ok "in_each $1"; }
	done
}

# What is on a node: all that a run may have touched, when its last peer has ended.
# shellcheck disable=SC2317
picture='
	for try in {1..400}; do
		readlink /proc/[0-9]*/exe | grep -v /cpuherd-lab/ | grep -q /cpuherd || break
		sleep 0.01
	done
	cd /
	for place in etc/libvirt/cpuherd "var/lib/cpuherd -mindepth 1"; do
		find $place ! -name hold ! -path var/lib/cpuherd/runs \
			-printf "%p %y %m %U:%G\n" 2>/dev/null || true
	done
	find etc/libvirt/cpuherd var/lib/cpuherd -type f ! -name hold \
		-exec sha256sum {} + 2>/dev/null || true'

# all_nodes_are STATE...: every node (of \$of) is in the same one of these; \$is says which.
all_nodes_are() {
	local state node of=${of:-$(nodes)}
	in_each now "$picture"
	for is; do
		state=$is
		for node in $of; do
			cmp -s "$work/now.$node" "$work/is-$is.$node" || state=
		done
		[ -z "$state" ] || return 0
	done
	for node in $of; do
		echo "    $node is not $*, but:"
		diff "$work/is-$1.$node" "$work/now.$node" || true
	done
	not_ok "nodes are not all of them in one of the states: $*"
}

# begin_with old|none: all nodes, and no run on this machine.
begin_with() {
	begin=$1
	rm -rf "$journals"
	in_each begin 'rm -rf /etc/libvirt/cpuherd /var/lib/cpuherd /run/lab-killat*
		test '"$1"' = none || tar -C / -xpf /run/old.tar'
}

negotiate() {
	herd_all negotiate -q "$@"
}

# What the states look like, from runs that nobody disturbs.
prepare_states() {
	negotiate --without rdrand
	exits 0
	in_each old 'cd /etc/libvirt/cpuherd
		chmod 640 baseline.xml && chown 4711:4712 baseline.xml
		tar -C / -cpf /run/old.tar etc/libvirt/cpuherd var/lib/cpuherd'
	begin_with none
	in_each is-none "$picture"
	negotiate
	exits 0
	in_each is-new-none "$picture"
	begin_with old
	in_each is-old "$picture"
	negotiate
	exits 0
	in_each is-new-old "$picture"
	! cmp -s "$work/is-old.node02" "$work/is-new-old.node02"
}

# ---- where to kill

# steps COUNT MOST: with --all each of 1 to COUNT, else at most MOST of them, evenly spread.
steps() {
	local each=1
	[ "$all_steps" = yes ] || each=$((($1 + $2 - 1) / $2))
	seq "$each" "$each" "$1"
}

# Of what is read: each line, or at most MOST.
some_of() {
	local lines
	mapfile -t lines
	for n in $(steps "${#lines[@]}" "$1"); do
		echo "${lines[n - 1]}"
	done
}

# arm_here WAY N: the next cpuherd of this machine that \$killed is for.
arm_here() {
	rm -f "$work"/killat*
	printf '%s\n' "$1 $2" "$XDG_STATE_HOME/" >"$work/killat"
}

# herd_killed ARGUMENT...: as herd_all, with the library.
herd_killed() {
	local cpuherd=$work/killed
	herd "$@"
}

was_killed_here() {
	[ -e "$work/killat.done" ] || not_ok "it was not killed"
	exits 137
}

was_killed_in() {
	lab enter "$1" test -e /run/lab-killat.done || not_ok "the peer of $1 was not killed"
}

# The number of calls in a run from that state: of this machine, of node02.
calls_here() {
	begin_with "$1"
	arm_here count 0
	herd_killed negotiate -q --hosts "$lab/hosts"
	exits 0
	wc -l <"$work/killat.log"
}

calls_in_node02() {
	begin_with "$1"
	lab kill-at node02 count 0
	negotiate
	exits 0
	lab enter node02 cat /run/lab-killat.log >"$work/calls"
	wc -l <"$work/calls"
}

# ---- in the middle of a run

# halt_at N [ARGUMENT...]: a run is under way, in which node02's peer stands still before
# its change N.
halt_at() {
	local n=$1 cpuherd=$work/known
	shift
	lab kill-at node02 wait "$n"
	(negotiate "$@" && echo "$status" >"$work/halted") &
	halted=$!
	lab enter node02 bash -c 'for try in {1..2000}; do
			test ! -e /run/lab-killat.waiting || exit 0
			sleep 0.005
		done
		exit 1' || not_ok "node02's peer did not come to its change $n"
}

# It goes on, and the run comes to its end.
go_on() {
	lab enter node02 rm -f /run/lab-killat.waiting
	wait "$halted"
	status=$(cat "$work/halted")
}

# Coordinator and node02's peer are killed at once.
power_fails_at() {
	halt_at "$1"
	kill -KILL "$(cat "$work/pid")"
	lab kill-peer node02
	go_on 2>/dev/null
	exits 137
}

# ---- the way out

# finish_with resume|rollback: what an operator does who finds a run of this machine
# unfinished.
finish_with() {
	local verb=$1
	if ! ls "$journals"/*.journal >/dev/null 2>&1; then
		return 0
	fi
	herd "$verb" -q
	if grep -q 'ends before a node was asked to write' "$work/err"; then
		exits 32
	elif [ "$verb:$status" = rollback:2 ]; then
		says 'it can only go forward: cpuherd resume'
		herd resume -q
		exits 0
	else
		exits 0
	fi
	! ls "$journals"/*.journal >/dev/null 2>&1 || not_ok "the run's journal is still there"
}

# Nothing of the run stands in the way of the next one.
next_run_is_well() {
	negotiate
	exits 0
	all_nodes_are "new-$begin"
}

# After whatever happened.
ends_well() {
	by_turns
	finish_with "$verb"
	all_nodes_are "$begin" "new-$begin"
	next_run_is_well
}

# By turns, one or the other of the ways out.
turn=0
by_turns() {
	turn=$((turn + 1))
	if [ $((turn % 2)) = 0 ]; then verb=resume; else verb=rollback; fi
}
