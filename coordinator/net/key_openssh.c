#include "coordinator/net/key_openssh.h"

#include <string.h>

#include "coordinator/net/wire.h"

/* The private half of each type; mpints have the shape of strings. */
static bool take_ed25519(struct bytes *in, struct pkey_numbers *out)
{
	struct bytes public, both;

	/* the seed, and the public key once more */
	if (!wire_take_string(in, &public) || !wire_take_string(in, &both) ||
		!wire_take(&both, 32, &out->seed))
		return false;
	return wire_same(both, public);
}

static bool take_ecdsa(struct bytes *in, struct pkey_numbers *out)
{
	return wire_take_string(in, &out->curve) && wire_take_string(in, &out->point) &&
	       wire_take_string(in, &out->scalar);
}

static bool take_rsa(struct bytes *in, struct pkey_numbers *out)
{
	return wire_take_string(in, &out->n) && wire_take_string(in, &out->e) &&
	       wire_take_string(in, &out->d) &&
	       wire_take_string(in, &out->inverse_of_q) &&
	       wire_take_string(in, &out->p) && wire_take_string(in, &out->q);
}

static const struct type_row {
	const char *type;
	bool (*take)(struct bytes *in, struct pkey_numbers *out);
} types[] = {
	{ "ssh-ed25519", take_ed25519 },
	{ "ecdsa-sha2-nistp256", take_ecdsa },
	{ "ecdsa-sha2-nistp384", take_ecdsa },
	{ "ecdsa-sha2-nistp521", take_ecdsa },
	{ "ssh-rsa", take_rsa },
};

static const struct type_row *type_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (wire_equals(name, types[i].type))
			return &types[i];
	return NULL;
}

/* Behind the comment stand 1, 2, 3 ... up to a multiple of the block. */
static bool is_padding(struct bytes rest)
{
	for (size_t i = 0; i < rest.size; i++)
		if (rest.data[i] != (uint8_t)(i + 1))
			return false;
	return rest.size < 8;
}

/* Two equal numbers, the type, its numbers, a comment, padding. */
static bool take_private(struct bytes in, struct key_openssh *out)
{
	struct bytes type, comment;
	const struct type_row *row;
	uint32_t check[2];

	if (!wire_take_number(&in, &check[0]) || !wire_take_number(&in, &check[1]) ||
		check[0] != check[1] || !wire_take_string(&in, &type))
		return false;
	row = type_of(type);
	if (!row)
		return false;
	memcpy(out->type, type.data, type.size);
	return row->take(&in, &out->numbers) && wire_take_string(&in, &comment) &&
	       is_padding(in);
}

bool key_openssh_parse(struct bytes in, struct key_openssh *out)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct bytes part, cipher, kdf, options, private, type;
	uint32_t count;

	*out = (struct key_openssh){ .locked = true };
	if (!wire_take(&in, sizeof(magic), &part) ||
		memcmp(part.data, magic, sizeof(magic)) != 0)
		return false;
	if (!wire_take_string(&in, &cipher) || !wire_take_string(&in, &kdf) ||
		!wire_take_string(&in, &options) || !wire_take_number(&in, &count) ||
		count != 1 || !wire_take_string(&in, &out->public) ||
		!wire_take_string(&in, &private))
		return false;
	part = out->public;
	if (!wire_take_string(&part, &type))
		return false;
	out->locked = !wire_equals(cipher, "none");
	out->foreign = !type_of(type);
	return out->locked || out->foreign || take_private(private, out);
}
