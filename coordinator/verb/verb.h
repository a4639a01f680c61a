/* verb.h - what cpuherd can be told to do: one file per verb.
 *
 * A verb prints its result on standard output, whatever happened, and returns the
 * outcome; main() turns it into one line on standard error and the exit status.
 */
#ifndef COORDINATOR_VERB_H
#define COORDINATOR_VERB_H

#include "coordinator/verb/options.h"

/* In the order of the help; ends with a row without a name. */
extern const struct verb verbs[];

/* NULL when there is no such verb. */
const struct verb *verb_find(const char *name);

enum rc negotiate_main(const struct options *o, struct err *e);
enum rc resume_main(const struct options *o, struct err *e);
enum rc rollback_main(const struct options *o, struct err *e);
enum rc check_main(const struct options *o, struct err *e);
enum rc admit_main(const struct options *o, struct err *e);
enum rc rehearse_main(const struct options *o, struct err *e);
enum rc plan_main(const struct options *o, struct err *e);
enum rc prove_main(const struct options *o, struct err *e);
enum rc probe_main(const struct options *o, struct err *e);
enum rc merge_main(const struct options *o, struct err *e);
enum rc peer_main(const struct options *o, struct err *e);
enum rc render_main(const struct options *o, struct err *e);
enum rc version_main(const struct options *o, struct err *e);
enum rc help_main(const struct options *o, struct err *e);

/* Warns of what cannot work with the libssh2 in use, where there is such a thing. */
void version_warn(void);

/* The help of the whole program. */
void help_print(void);

#endif
