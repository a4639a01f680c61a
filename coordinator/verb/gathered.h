/* gathered.h - facts that something else gathered: one stream, the texts of many nodes.
 *
 * Read as they are: what clush, pdsh and srun --label print ("node01: LINE", in any
 * order), clush -b (a name between rules), ansible (a name, "| CHANGED | rc=0 >>"),
 * kubectl logs --prefix ("[pod/NAME/CONTAINER] LINE"), texts of cpuherd-peer --facts one
 * behind the other, and a file of one node.
 */
#ifndef COORDINATOR_GATHERED_H
#define COORDINATOR_GATHERED_H

#include "coordinator/verb/lines.h"

struct gathered_text {
	const char *name;  /* as the engine calls the node, may be a pattern of several;
			    * "": it does not, the node's own word counts */
	const char *where; /* file, and node where there are several: for errors */
	bool alone;	   /* all of the file, which then names the node */
	bool stray; /* all of the file as well, and nothing in it begins as facts: the
			    * name may be the first word of an error ("bash: ...") */
	struct bytes text;
	const char *trouble; /* why there is no text: the engine's word; else NULL */
};

/* Called for each text, as soon as it is whole or the file ends. */
typedef enum rc gathered_take(
	void *context, const struct gathered_text *text, struct err *e);

/* Reads from l->line on, which is there, to the end.  RC_INPUT with file and line where
 * no node can be told; what is wrong with one node's text is the taker's to find. */
enum rc gathered_read(struct lines *l, gathered_take *take, void *context, struct err *e);

#endif
