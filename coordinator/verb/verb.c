#include "coordinator/verb/verb.h"

#include <string.h>

const struct verb verbs[] = {
	{ "negotiate", negotiate_main, FOR_NEGOTIATE, "[options] NODES...",
		"Agree on one guest CPU, let every node vote, write it to all of them",
		"  cpuherd negotiate node[01-16]\n"
		"  cpuherd negotiate --dry-run --hosts fleet.txt --without node07\n"
		"  cpuherd negotiate --user admin --become rack[1-2]node[01-20]\n"
		"  cpuherd negotiate --json node[01-03] > agreed.json\n" },
	{ "check", check_main, FOR_CHECK, "[options] [NODES...]",
		"Hold the nodes of the lock against what was agreed: what changed, and "
		"whether it harms",
		"  cpuherd check\n"
		"  cpuherd check --lock rack1.lock node[01-16]\n"
		"  cpuherd check --json > drift.json\n"
		"  cpuherd check --from facts/\n" },
	{ "admit", admit_main, FOR_ADMIT, "[options] NODES...",
		"Judge new nodes against a lock, or which of several would take them",
		"  cpuherd admit node[17-20]\n"
		"  cpuherd admit --lock intel.lock --lock amd.lock node[17-20]\n" },
	{ "plan", plan_main, FOR_PLAN, "[options] NODES...",
		"Show the level that the nodes could agree on, and who costs what",
		"  cpuherd plan node[01-16]\n"
		"  cpuherd plan --from facts/ --without node07\n"
		"  cpuherd plan --at-least x86-64-v2 --require aes node[01-16]\n"
		"  cpuherd plan --as nova node[01-16] > cpu.conf\n" },
	{ "prove", prove_main, FOR_PROVE, "[options] [NODES...]",
		"Start a paused guest with the level on every node, and compare what it "
		"gets",
		"  cpuherd prove\n"
		"  cpuherd prove node[01-16]\n"
		"  cpuherd prove --cpu cpu.xml --json node[01-16] > proof.json\n"
		"  cpuherd negotiate --prove node[01-16]\n" },
	{ "probe", probe_main, FOR_PROBE, "[options] NODES...",
		"Show what each node is and can give a guest",
		"  cpuherd probe node[01-16]\n"
		"  cpuherd probe --save facts/ --hosts fleet.txt\n" },
	{ "rehearse", rehearse_main, FOR_REHEARSE, "[options] [NODES...]",
		"Migrate trial guests from node to node, and see whether they live on "
		"with their CPU",
		"  cpuherd rehearse\n"
		"  cpuherd rehearse node[01-16]\n"
		"  cpuherd rehearse --all-pairs --evidence rehearsal.json node[01-05]\n"
		"  cpuherd rehearse --migrate-uri qemu+tls://%s/system node[01-16]\n"
		"  cpuherd rehearse --sample 20 --hosts fleet.txt\n" },
	{ "resume", resume_main, FOR_RESUME, "[options] [RUN]",
		"Go on with a run of negotiate that was interrupted, up to its end",
		"  cpuherd resume\n"
		"  cpuherd resume run-0123456789abcdef0123456789abcdef\n" },
	{ "rollback", rollback_main, FOR_ROLLBACK, "[options] [RUN]",
		"Put back what an unfinished run of negotiate has changed",
		"  cpuherd rollback\n"
		"  cpuherd rollback run-0123456789abcdef0123456789abcdef --on "
		"node[01-16]\n" },
	{ "merge", merge_main, FOR_MERGE, "[--out FILE] PATH...",
		"Fold facts that anything gathered of many nodes into one small file",
		"  cpuherd merge --out rack1.facts facts/\n"
		"  pdsh -w node[001-512] /tmp/cpuherd-peer --facts |\n"
		"      cpuherd merge --out rack2.facts -\n"
		"  cpuherd merge --out all.facts rack1.facts rack2.facts\n"
		"  cpuherd plan --from all.facts\n" },
	{ "peer", peer_main, FOR_PEER, "[--out FILE]",
		"Write the program that runs on nodes, for those who copy it themselves",
		"  cpuherd peer --out cpuherd-peer\n"
		"  clush -w node[001-512] --copy cpuherd-peer --dest /tmp\n" },
	{ "render", render_main, FOR_RENDER, "[--as FORMAT] FILE",
		"Say a level in the words of QEMU, nova, Proxmox VE, KubeVirt and others",
		"  cpuherd render --as qemu baseline.xml\n"
		"  cpuherd render --as nova --nova-release queens baseline.xml\n"
		"  ssh node01 cat /etc/libvirt/cpuherd/baseline.xml |\n"
		"      cpuherd render --as kubevirt -\n" },
	{ "version", version_main, FOR_VERSION, "[--json]",
		"Print the versions of program, protocol, libssh2 and catalogue", "" },
	{ "help", help_main, FOR_HELP, "[VERB | errors]",
		"Explain a verb, or list the exit statuses", "" },
	{ 0 },
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}
