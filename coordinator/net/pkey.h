/* pkey.h - OpenSSL's private keys and SSH's wire: numbers in, public keys and signatures
 * out (RFC 4253, 5656, 8332, 8709).  Only this file knows how either side spells a key.
 *
 * A key may sign for several threads at once.
 */
#ifndef COORDINATOR_PKEY_H
#define COORDINATOR_PKEY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

/* What OpenSSL calls EVP_PKEY. */
struct evp_pkey_st;

/* The numbers of a private key as openssh-key-v1 writes them; RSA's are mpints, largest
 * first.  What is not of the kind stays empty. */
struct pkey_numbers {
	struct bytes seed;			  /* ed25519: 32 bytes */
	struct bytes curve, point, scalar;	  /* ecdsa */
	struct bytes n, e, d, p, q, inverse_of_q; /* rsa */
};

/* The key of these numbers, to be given back to pkey_free(); NULL when they make none, or
 * memory is short. */
struct evp_pkey_st *pkey_from_numbers(
	const char *type, const struct pkey_numbers *numbers);

/* The key in a text of PEM (PKCS#1, SEC1, PKCS#8) that is not locked; NULL. */
struct evp_pkey_st *pkey_from_pem(struct bytes text);

void pkey_free(struct evp_pkey_st *key);

/* The public half as it goes over the wire, in the arena.  RC_INPUT: it is of a kind that
 * SSH does not have. */
enum rc pkey_blob(
	struct evp_pkey_st *key, struct arena *arena, struct bytes *out, struct err *e);

/* Signs with the algorithm of that name ("rsa-sha2-512"); *out is to be freed and holds
 * what RFC 4253, 6.6 calls the signature, without its algorithm's name. */
enum rc pkey_sign(struct evp_pkey_st *key, struct bytes algorithm, struct bytes data,
	uint8_t **out, size_t *size, struct err *e);

#endif
