/* address.h - numeric addresses, written in one way only, as ssh does before it looks into
 * known_hosts. */
#ifndef COORDINATOR_SSH_ADDRESS_H
#define COORDINATOR_SSH_ADDRESS_H

#include <stdbool.h>

enum { ADDRESS_MAX = 64 };

/* "::0001" becomes "::1", "127.1" becomes "127.0.0.1"; false: it is no address, or one with
 * a zone (%eth0), which stays as it is. */
bool address_normalize(const char *text, char out[static ADDRESS_MAX]);

#endif
