#include "coordinator/net/pkey.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "coordinator/net/wire.h"

enum { ED25519_BYTES = 32, BLOB_BYTES_MAX = 8 * 1024, SIGNATURE_BYTES_MAX = 4096 };

/* The curves of RFC 5656, 10.1. */
static const struct curve {
	const char *ssh, *openssl, *type;
} curves[] = {
	{ "nistp256", "prime256v1", "ecdsa-sha2-nistp256" },
	{ "nistp384", "secp384r1", "ecdsa-sha2-nistp384" },
	{ "nistp521", "secp521r1", "ecdsa-sha2-nistp521" },
};

enum { CURVES = sizeof(curves) / sizeof(*curves) };

/* ---- in: numbers */

static BIGNUM *number_of(struct bytes mpint)
{
	return mpint.size ? BN_bin2bn(mpint.data, (int)mpint.size, NULL) : NULL;
}

static EVP_PKEY *build(const char *kind, OSSL_PARAM_BLD *parts)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
	EVP_PKEY *key = NULL;

	if (!context || !params || EVP_PKEY_fromdata_init(context) != 1 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *build_ecdsa(const char *curve, const struct pkey_numbers *numbers)
{
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	BIGNUM *scalar = number_of(numbers->scalar);
	EVP_PKEY *key = NULL;

	if (parts && scalar &&
		OSSL_PARAM_BLD_push_utf8_string(
			parts, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
		OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY,
			numbers->point.data, numbers->point.size) &&
		OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_PRIV_KEY, scalar))
		key = build("EC", parts);
	OSSL_PARAM_BLD_free(parts);
	BN_clear_free(scalar);
	return key;
}

/* In the order of OpenSSL's parameters; the last two are worked out. */
enum rsa_number {
	RSA_N,
	RSA_E,
	RSA_D,
	RSA_P,
	RSA_Q,
	RSA_INVERSE,
	RSA_DP,
	RSA_DQ,
	RSA_NUMBERS
};

static const char *const rsa_names[RSA_NUMBERS] = {
	[RSA_N] = OSSL_PKEY_PARAM_RSA_N,
	[RSA_E] = OSSL_PKEY_PARAM_RSA_E,
	[RSA_D] = OSSL_PKEY_PARAM_RSA_D,
	[RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[RSA_INVERSE] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	[RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

/* d modulo one less than a prime, for the faster way to sign. */
static BIGNUM *exponent_of(const BIGNUM *d, const BIGNUM *prime, BN_CTX *scratch)
{
	BIGNUM *less = d && prime ? BN_dup(prime) : NULL, *out = BN_new();

	if (!less || !out || !BN_sub_word(less, 1) || BN_is_zero(less) ||
		!BN_mod(out, d, less, scratch)) {
		BN_clear_free(out);
		out = NULL;
	}
	BN_clear_free(less);
	return out;
}

static EVP_PKEY *build_rsa(const struct pkey_numbers *numbers)
{
	BIGNUM *all[RSA_NUMBERS] = { number_of(numbers->n), number_of(numbers->e),
		number_of(numbers->d), number_of(numbers->p), number_of(numbers->q),
		number_of(numbers->inverse_of_q) };
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	BN_CTX *scratch = BN_CTX_new();
	EVP_PKEY *key = NULL;
	bool good = parts && scratch;

	if (good) {
		all[RSA_DP] = exponent_of(all[RSA_D], all[RSA_P], scratch);
		all[RSA_DQ] = exponent_of(all[RSA_D], all[RSA_Q], scratch);
	}
	for (int i = 0; i < RSA_NUMBERS && good; i++)
		good = all[i] && OSSL_PARAM_BLD_push_BN(parts, rsa_names[i], all[i]);
	if (good)
		key = build("RSA", parts);
	for (int i = 0; i < RSA_NUMBERS; i++)
		BN_clear_free(all[i]);
	BN_CTX_free(scratch);
	OSSL_PARAM_BLD_free(parts);
	return key;
}

static EVP_PKEY *from_numbers(const char *type, const struct pkey_numbers *numbers)
{
	if (strcmp(type, "ssh-ed25519") == 0)
		return numbers->seed.size == ED25519_BYTES
			       ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
					 numbers->seed.data, numbers->seed.size)
			       : NULL;
	for (size_t i = 0; i < CURVES; i++)
		if (strcmp(type, curves[i].type) == 0 &&
			wire_equals(numbers->curve, curves[i].ssh))
			return build_ecdsa(curves[i].openssl, numbers);
	return strcmp(type, "ssh-rsa") == 0 ? build_rsa(numbers) : NULL;
}

struct evp_pkey_st *pkey_from_numbers(
	const char *type, const struct pkey_numbers *numbers)
{
	EVP_PKEY *key = from_numbers(type, numbers);

	ERR_clear_error();
	return key;
}

/* Nobody is asked: a locked text makes no key. */
static int no_passphrase(char *room, int size, int writing, void *context)
{
	(void)room;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

struct evp_pkey_st *pkey_from_pem(struct bytes text)
{
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.size);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
			    : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

void pkey_free(struct evp_pkey_st *key)
{
	EVP_PKEY_free(key);
}

/* ---- out: the public half */

static enum rc blob_of_rsa(EVP_PKEY *key, struct buf *out)
{
	BIGNUM *n = NULL, *e = NULL;
	enum rc rc = RC_INPUT;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
		uint8_t room[SIGNATURE_BYTES_MAX];

		if (BN_num_bytes(n) <= (int)sizeof(room) &&
			BN_num_bytes(e) <= (int)sizeof(room))
			rc = wire_put_text(out, "ssh-rsa");
		if (rc == RC_OK)
			rc = wire_put_mpint(out, room, (size_t)BN_bn2bin(e, room));
		if (rc == RC_OK)
			rc = wire_put_mpint(out, room, (size_t)BN_bn2bin(n, room));
	}
	BN_free(n);
	BN_free(e);
	return rc;
}

static enum rc blob_of_ecdsa(EVP_PKEY *key, struct buf *out)
{
	char group[64];
	uint8_t *point = NULL;
	size_t size = 0;
	enum rc rc = RC_INPUT;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return RC_INPUT;
	for (size_t i = 0; i < CURVES; i++) {
		if (strcmp(group, curves[i].openssl) != 0)
			continue;
		size = EVP_PKEY_get1_encoded_public_key(key, &point);
		rc = size ? wire_put_text(out, curves[i].type) : RC_INPUT;
		if (rc == RC_OK)
			rc = wire_put_text(out, curves[i].ssh);
		if (rc == RC_OK)
			rc = wire_put_string(out, point, size);
	}
	OPENSSL_free(point);
	return rc;
}

static enum rc blob_of_ed25519(EVP_PKEY *key, struct buf *out)
{
	uint8_t public[ED25519_BYTES];
	size_t size = sizeof(public);
	enum rc rc;

	if (EVP_PKEY_get_raw_public_key(key, public, &size) != 1)
		return RC_INPUT;
	rc = wire_put_text(out, "ssh-ed25519");
	return rc == RC_OK ? wire_put_string(out, public, size) : rc;
}

static enum rc put_blob(EVP_PKEY *key, struct buf *out)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return blob_of_ed25519(key, out);
	case EVP_PKEY_EC:
		return blob_of_ecdsa(key, out);
	case EVP_PKEY_RSA:
		return blob_of_rsa(key, out);
	default:
		return RC_INPUT;
	}
}

enum rc pkey_blob(
	struct evp_pkey_st *key, struct arena *arena, struct bytes *out, struct err *e)
{
	struct buf blob = buf_with_cap(BLOB_BYTES_MAX);
	enum rc rc = put_blob(key, &blob);
	struct bytes made = buf_bytes(&blob);
	char *copy = rc == RC_OK ? arena_text_n(arena, made.data, made.size) : NULL;

	*out = (struct bytes){ (const uint8_t *)copy, made.size };
	buf_destroy(&blob);
	ERR_clear_error();
	if (rc == RC_INPUT)
		return err_set(e, RC_INPUT, 0,
			"a private key that is neither Ed25519, ECDSA (NIST) nor RSA");
	return copy ? RC_OK : err_memory(e);
}

/* ---- out: signatures */

/* The hash of each algorithm; Ed25519 has its own inside. */
static const struct algorithm {
	const char *name;
	int kind;
	const EVP_MD *(*hash)(void);
} algorithms[] = {
	{ "ssh-ed25519", EVP_PKEY_ED25519, NULL },
	{ "ecdsa-sha2-nistp256", EVP_PKEY_EC, EVP_sha256 },
	{ "ecdsa-sha2-nistp384", EVP_PKEY_EC, EVP_sha384 },
	{ "ecdsa-sha2-nistp521", EVP_PKEY_EC, EVP_sha512 },
	{ "rsa-sha2-512", EVP_PKEY_RSA, EVP_sha512 },
	{ "rsa-sha2-256", EVP_PKEY_RSA, EVP_sha256 },
	{ "ssh-rsa", EVP_PKEY_RSA, EVP_sha1 },
};

static const struct algorithm *find_algorithm(EVP_PKEY *key, struct bytes name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (wire_equals(name, algorithms[i].name) &&
			algorithms[i].kind == EVP_PKEY_get_base_id(key))
			return &algorithms[i];
	return NULL;
}

static bool sign_plain(EVP_PKEY *key, const struct algorithm *with, struct bytes data,
	uint8_t *out, size_t *size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context &&
		    EVP_DigestSignInit(context, NULL, with->hash ? with->hash() : NULL,
			    NULL, key) == 1 &&
		    EVP_DigestSign(context, out, size, data.data, data.size) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

/* OpenSSL writes the two numbers in DER, SSH as mpints. */
static bool numbers_of_der(const uint8_t *der, size_t size, struct buf *out)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
	const BIGNUM *numbers[2] = { NULL, NULL };
	uint8_t room[SIGNATURE_BYTES_MAX];
	bool good = signature != NULL;

	if (good)
		ECDSA_SIG_get0(signature, &numbers[0], &numbers[1]);
	for (int i = 0; i < 2 && good; i++)
		good = wire_put_mpint(out, room, (size_t)BN_bn2bin(numbers[i], room)) ==
		       RC_OK;
	ECDSA_SIG_free(signature);
	return good;
}

static bool copy_out(const uint8_t *data, size_t n, uint8_t **out, size_t *size)
{
	*out = malloc(n);
	if (*out)
		memcpy(*out, data, n);
	*size = n;
	return *out != NULL;
}

enum rc pkey_sign(struct evp_pkey_st *key, struct bytes algorithm, struct bytes data,
	uint8_t **out, size_t *size, struct err *e)
{
	const struct algorithm *with = find_algorithm(key, algorithm);
	struct buf numbers = buf_with_cap(SIGNATURE_BYTES_MAX);
	uint8_t raw[SIGNATURE_BYTES_MAX];
	size_t n = sizeof(raw);
	bool good = with && sign_plain(key, with, data, raw, &n);

	if (good && with->kind == EVP_PKEY_EC) {
		struct bytes made;

		good = numbers_of_der(raw, n, &numbers);
		made = buf_bytes(&numbers);
		good = good && copy_out(made.data, made.size, out, size);
	} else if (good) {
		good = copy_out(raw, n, out, size);
	}
	buf_destroy(&numbers);
	ERR_clear_error();
	if (!good)
		return err_set(e, RC_AUTH, 0, "the key cannot sign as %.*s",
			(int)algorithm.size, (const char *)algorithm.data);
	return RC_OK;
}
