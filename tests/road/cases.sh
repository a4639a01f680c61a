# shellcheck shell=bash disable=SC2154 # work, lab, status, kind, hosts, all: of ./lib.sh and ./road
# cases.sh - when all is well.  Sourced by ./road.

# shellcheck disable=SC2034 # for ./road
cases=(
	a_dry_run_shows_the_level_and_writes_nothing
	three_cpus_agree_and_every_node_has_the_same_stanza
	every_libvirt_calls_the_stanza_compatible
	a_second_run_is_unchanged_and_touches_nothing
	a_guest_with_the_level_has_no_feature_that_was_not_stated
	no_node_is_promised_a_feature_that_it_lacks
	json_is_all_there_is_on_standard_output
	saved_facts_give_the_same_level
	a_peer_in_the_cache_is_not_sent_again
	a_wrong_peer_in_the_cache_is_replaced
	a_noisy_login_shell_does_no_harm
	an_unknown_host_is_accepted_only_when_told
	a_user_with_sudo_can_negotiate
	the_order_of_nodes_does_not_matter
	an_edited_stanza_is_shown_and_with_replace_put_right_with_owner_and_mode
	a_ci_job_keeps_the_evidence_and_fails_with_the_reason
)

a_dry_run_shows_the_level_and_writes_nothing() {
	fingerprint "${all[@]}" >"$work/before"
	herd_all negotiate --dry-run
	exits 0
	out_has '<model fallback='
	untouched
}

three_cpus_agree_and_every_node_has_the_same_stanza() {
	local node
	herd_all negotiate
	exits 0
	if [ "$kind" = namespace ]; then
		out_has 'written to /etc/libvirt/cpuherd/baseline.xml$'
	else
		out_has 'written to .*/libvirt/cpuherd/baseline.xml on .*, and its like on each node$'
	fi
	for node in $(nodes); do
		in_node "$node" "cat $(stanza)" >"$work/$node.xml"
		cmp "$work/node01.xml" "$work/$node.xml"
	done
	xmllint --noout "$work/node01.xml"
	no_leftovers
}

every_libvirt_calls_the_stanza_compatible() {
	local node
	need_level
	for node in $(nodes); do
		in_node "$node" "virsh -q -c ${connect[1]:-qemu:///system} hypervisor-cpu-compare \
			--virttype $(cat "$lab/virt") --error $(stanza)"
	done
}

a_second_run_is_unchanged_and_touches_nothing() {
	need_level
	fingerprint "${all[@]}" >"$work/before"
	herd_all negotiate
	exits 0
	out_has unchanged
	untouched
}

# libvirt lists in the live XML what QEMU really gave, when it differs from the request.
a_guest_with_the_level_has_no_feature_that_was_not_stated() {
	local node
	need_level
	in_node node01 "cat $(stanza)" | grep -oE "feature policy='[a-z]*' name='[^']*'" |
		sort >"$work/stated"
	for node in $(nodes); do
		in_node "$node" "sh -s $(stanza) $(cat "$lab/virt") ${connect[1]:-qemu:///system}" \
			<"$here/../../examples/guest/start-paused" >"$work/live"
		grep -q '<model ' "$work/live" || not_ok "$node: no CPU in the live XML"
		grep -oE "feature policy='[a-z]*' name='[^']*'" "$work/live" | sort >"$work/shown"
		comm -13 "$work/stated" "$work/shown" >"$work/extra"
		[ ! -s "$work/extra" ] || not_ok "$node: not stated: $(cat "$work/extra")"
	done
}

# The level's requires against what each node's own libvirt lists for its host-model.
no_node_is_promised_a_feature_that_it_lacks() {
	local node
	need_level
	herd_all plan --json
	exits 0
	for node in $(nodes); do
		in_node "$node" "virsh -q -c ${connect[1]:-qemu:///system} domcapabilities \
			--virttype $(cat "$lab/virt")" >"$work/caps.xml"
		in_node "$node" "cat $(stanza)" | grep -oP "policy='require' name='\K[^']*" >"$work/required"
		# no feature that the level requires may be one that the node's host-model disables
		xmllint --xpath "//mode[@name='host-model']/feature[@policy='disable']/@name" \
			"$work/caps.xml" 2>/dev/null | grep -oP '"\K[^"]*' >"$work/lacking" || true
		grep -xFf "$work/lacking" "$work/required" >"$work/promised" || continue
		[ ! -s "$work/lacking" ] || not_ok "$node lacks: $(cat "$work/promised")"
	done
}

json_is_all_there_is_on_standard_output() {
	for verb in negotiate plan probe; do
		herd_all $verb --json
		exits 0
		python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["schema"] == "cpuherd/2"; \
			assert len(d["nodes"]) == 3' <"$work/out" || not_ok "$verb: not the JSON that was promised"
	done
}

saved_facts_give_the_same_level() {
	rm -rf "$work/facts"
	herd_all probe --save "$work/facts"
	exits 0
	"$cpuherd" plan --from "$work/facts" --json >"$work/from.json"
	herd_all plan --json
	exits 0
	python3 -c 'import json,sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
assert a["level"] == b["level"], (a["level"], b["level"])' "$work/from.json" "$work/out"
}

a_peer_in_the_cache_is_not_sent_again() {
	herd_all probe --verbose
	exits 0
	herd_all probe -v -v
	exits 0
	! grep -qiE 'push' "$work/err" || not_ok "the peer was pushed though it is cached"
}

a_wrong_peer_in_the_cache_is_replaced() {
	local cached="sha256sum ~/.cache/cpuherd/cpuherd-peer-*"
	herd_all probe
	in_node node02 "$cached" >"$work/peer"
	lab break node02 wrong-peer-cache
	! in_node node02 "$cached" | grep -v '\.lab$' | diff -q - "$work/peer" >/dev/null ||
		not_ok 'the cached peer was not broken'
	herd_all probe
	exits 0
	in_node node02 "$cached" | grep -v '\.lab$' | diff - "$work/peer"
	lab mend node02
}

a_noisy_login_shell_does_no_harm() {
	lab break node02 noisy
	herd_all probe
	lab mend node02
	exits 0
}

an_unknown_host_is_accepted_only_when_told() {
	: >"$work/known"
	known_hosts=$work/known herd_all probe
	exits 11
	says 'SHA256:'
	known_hosts=$work/known herd_all probe --accept-new
	exits 0
	[ "$(grep -c ed25519 "$work/known")" = 3 ] || not_ok "keys were not recorded: $(cat "$work/known")"
	known_hosts=$work/known herd_all probe
	exits 0
}

a_user_with_sudo_can_negotiate() {
	[ "$kind" = namespace ] || return 0
	herd negotiate --user operator --become node01 node02 node03
	exits 0
	herd negotiate --user visitor --become node01 node02 node03
	exits 15
	says 'sudo'
}

the_order_of_nodes_does_not_matter() {
	[ "$kind" = namespace ] || return 0
	herd plan --json node01 node02 node03
	exits 0
	python3 -c 'import json,sys; print(json.load(sys.stdin)["level"])' <"$work/out" >"$work/level.1"
	herd plan --json node03 node01 node02
	python3 -c 'import json,sys; print(json.load(sys.stdin)["level"])' <"$work/out" >"$work/level.2"
	cmp "$work/level.1" "$work/level.2"
}

an_edited_stanza_is_shown_and_with_replace_put_right_with_owner_and_mode() {
	need_level
	in_node node02 "f=$(stanza); echo '<!-- mine -->' >>\$f; chmod 640 \$f"
	herd_all negotiate
	exits 24
	out_has '^-<!-- mine -->'
	herd_all negotiate --replace
	exits 0
	in_node node02 "grep -c mine $(stanza); stat -c %a $(stanza)" >"$work/is" || true
	[ "$(tr '\n' ' ' <"$work/is")" = '0 640 ' ] || not_ok "content and mode: $(cat "$work/is")"
	in_node node02 "chmod 644 $(stanza)"
	no_leftovers
}

a_ci_job_keeps_the_evidence_and_fails_with_the_reason() {
	local agree=("$here/../../examples/ci/agree" "$work/evidence.json" --hosts "$lab/hosts"
		--identity "$lab/id_ed25519" --no-agent "${connect[@]}")
	CPUHERD=$cpuherd "$lab_command" run "$lab" -- "${agree[@]}" -F none --known-hosts "$lab/known_hosts"
	grep -q '"schema": "cpuherd/2"' "$work/evidence.json"
	: >"$work/known"
	status=0
	CPUHERD=$cpuherd "$lab_command" run "$lab" -- "${agree[@]}" -F none --known-hosts "$work/known" ||
		status=$?
	exits 11
	grep -q '"code": "HOSTKEY"' "$work/evidence.json"
}
