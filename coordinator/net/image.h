/* image.h - the peer that travels inside the coordinator: the stripped executable
 * cpuherd-peer, as it is and gzipped, put into the program by the assembler.
 */
#ifndef COORDINATOR_IMAGE_H
#define COORDINATOR_IMAGE_H

#include "base/buf.h"
#include "base/digest.h"

struct image {
	struct bytes raw, gzip;
	char sha256[DIGEST_HEX_MAX]; /* of raw */
	const char *machine;	     /* what it runs on, as uname -m says it */
};

struct image image_of_peer(void);

#endif
