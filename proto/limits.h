/* limits.h - how much one end accepts from the other.
 *
 * Both ends treat each other as hostile: every length, count and depth that
 * outside bytes announce is held against a cap of this file before memory is
 * taken.  The largest real figures seen are given beside them.
 */
#ifndef PROTO_LIMITS_H
#define PROTO_LIMITS_H

enum {
	LIMIT_FRAME_BYTES = 2 * 1024 * 1024, /* domain capabilities: 60 KiB */
	LIMIT_BODY_BYTES = 1024 * 1024,	     /* one bulky body */
	LIMIT_TEXT_BYTES = 1024 * 1024,
	LIMIT_LIST_ITEMS = 8192,		 /* leaves of a CPU: 120; features: 330 */
	LIMIT_DEPTH = 8,			 /* arrays in arrays; messages need 6 */
	LIMIT_PLACE_BYTES = 256 * 1024,		 /* a file that cpuherd writes */
	LIMIT_CHANGES = 256,			 /* of one run on one node */
	LIMIT_JOURNAL_BYTES = 4 * 1024 * 1024,	 /* a run's journal on a node */
	LIMIT_DUMP_BYTES = 8 * 1024 * 1024,	 /* a facts file */
	LIMIT_MERGED_BYTES = 1024 * 1024 * 1024, /* merged facts: 100,000 nodes, 3 MiB */
	LIMIT_LOCK_BYTES = 256 * 1024 * 1024,	 /* cpuherd.lock: 100,000 nodes, 40 MiB */
	LIMIT_LINE_BYTES = LIMIT_BODY_BYTES + 1024, /* of what engines gathered */
	LIMIT_CPUS = 8192,
	LIMIT_CPU_KINDS = 64, /* CPUs of one node that differ */

	/* Frames on the peer's command line (hello and ask_facts: 32).  As hexadecimal
	 * digits behind the bootstrap's script they stay below the 9000 bytes that
	 * dropbear takes as a command.  More of them need a new PROTOCOL_VERSION. */
	LIMIT_FIRST_BYTES = 2048,
};

#endif
