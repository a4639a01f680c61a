/* What the peer sees of a node's nova, and how it judges a drop-in: for the test
 * `nova`, inside a root that has nova.
 *
 *	nova-node look FOLDER
 *		version, unit, "file PATH" and "option FILE SECTION NAME VALUE" lines
 *	nova-node judge FOLDER FILE staged|written
 *		"accepted", or "rejected: WHY" and exit status 1
 *	nova-node restart SERVICE
 *		by the systemd that runs there; exit status 1 and why when it did not work
 */
#include <stdio.h>
#include <string.h>

#include "peer/nova.h"
#include "peer/unit.h"
#include "proto/limits.h"

static struct place_world world = { .root = "" };

static int complain(const struct err *e)
{
	fprintf(stderr, "nova-node: %s %s\n", rc_name(e->code), e->text);
	return 2;
}

static int look(const char *folder, struct arena *arena)
{
	const struct nova_option *options;
	struct nova nova;
	struct err e;

	if (nova_look(&world, folder, arena, &nova, &e) != RC_OK)
		return complain(&e);
	printf("version %s\nunit %s\n", nova.version, nova.unit);
	for (size_t i = 0; i < nova.files.count; i++)
		printf("file %s\n", nova.files.item[i]);
	options = nova.options.item;
	for (size_t i = 0; i < nova.options.count; i++)
		printf("option %s %s %s %s\n", options[i].file, options[i].section,
			options[i].name, options[i].value);
	return 0;
}

static int judge(
	const char *folder, const char *file, const char *state, struct arena *arena)
{
	static uint8_t text[LIMIT_PLACE_BYTES];
	struct change_ground ground = { .world = &world };
	struct change_state change = { .place = PLACE_nova };
	struct change_judging j = { .ground = &ground,
		.change = &change,
		.scratch = arena,
		.written = strcmp(state, "written") == 0 };
	struct change_verdict verdict;
	FILE *in = fopen(file, "re");
	struct err e;

	if (!in)
		return 2;
	snprintf(change.name, sizeof(change.name), "%s", folder);
	j.content = (struct bytes){ text, fread(text, 1, sizeof(text), in) };
	fclose(in);
	if (nova_judge(&j, &verdict, &e) != RC_OK)
		return complain(&e);
	printf("%s%s\n", verdict.accepted ? "accepted" : "rejected: ", verdict.reason);
	return verdict.accepted ? 0 : 1;
}

static int restart(const char *service)
{
	const struct texts services = { &service, 1 };
	struct err e;

	if (unit_restart(&world, &services, &e) == RC_OK)
		return 0;
	fprintf(stderr, "%s %s\n", rc_name(e.code), e.text);
	return 1;
}

int main(int argc, char **argv)
{
	struct arena arena = { 0 };
	int status = 2;

	if (argc == 3 && strcmp(argv[1], "look") == 0)
		status = look(argv[2], &arena);
	if (argc == 5 && strcmp(argv[1], "judge") == 0)
		status = judge(argv[2], argv[3], argv[4], &arena);
	if (argc == 3 && strcmp(argv[1], "restart") == 0)
		status = restart(argv[2]);
	arena_destroy(&arena);
	return status;
}
