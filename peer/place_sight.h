/* place_sight.h - what lies at a place: place.c's and place_back.c's. */
#ifndef PEER_PLACE_SIGHT_H
#define PEER_PLACE_SIGHT_H

#include "peer/place.h"

struct place_mark place_mark_of(const struct stat *s);

/* What lies in the folder under the three names.  A missing folder holds nothing. */
struct place_sight {
	struct stat path, old;
	bool has_path, has_old, has_new;
	bool ours; /* the path is what commit put there, untouched */
};

struct place_sight place_sight(const struct placing *p);

/* RC_PLACE with the words for errno. */
enum rc place_fail(const struct placing *p, struct err *e, const char *what);

#endif
