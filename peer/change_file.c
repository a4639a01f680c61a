/* A change that is a file: place.h, as the run wants it. */
#include "peer/change.h"

static enum rc look(const struct change_ground *g, const struct spot *spot,
	struct arena *arena, struct found *out, struct err *e)
{
	struct digest *digest = arena_alloc(arena, 1, sizeof(*digest));
	struct place_content now = { .arena = arena };
	struct folder_way way;
	enum rc rc = place_way(g->world, spot->place, spot->name, arena, &way, e);

	if (!digest)
		return err_memory(e);
	if (rc == RC_OK)
		rc = place_look(g->world, &way, &now, e);
	if (rc != RC_OK)
		return rc;
	*digest = now.digest;
	*out = (struct found){
		.path = way.path, .exists = now.exists, .content = now.content
	};
	if (now.exists)
		out->digest = (struct bytes){ digest->byte, DIGEST_BYTES };
	return RC_OK;
}

typedef enum rc place_fn(struct placing *p, const struct place_world *world,
	const struct place_request *request, struct err *e);

static enum rc with_request(place_fn *step, struct change_state *c,
	const struct change_ground *g, const struct change *wanted, struct err *e)
{
	struct arena scratch = { 0 };
	struct folder_way way;
	struct place_request request = { &way, wanted->content, wanted->expected };
	enum rc rc = place_way(g->world, c->place, c->name, &scratch, &way, e);

	if (rc == RC_OK)
		rc = step(&c->file, g->world, &request, e);
	arena_destroy(&scratch);
	c->unchanged = c->file.state == PLACE_UNCHANGED;
	return rc;
}

static enum rc plan(struct change_state *c, const struct change_ground *g,
	const struct change *wanted, struct err *e)
{
	return with_request(place_plan, c, g, wanted, e);
}

static enum rc stage(struct change_state *c, const struct change_ground *g,
	const struct change *wanted, struct arena *scratch, struct err *e)
{
	(void)scratch;
	return with_request(place_stage, c, g, wanted, e);
}

static enum rc commit(struct change_state *c, const struct change_ground *g,
	struct arena *scratch, struct err *e)
{
	(void)g;
	(void)scratch;
	return place_commit(&c->file, e);
}

static enum rc read_back(struct change_state *c, const struct change_ground *g,
	struct arena *arena, struct bytes *content, struct err *e)
{
	struct place_content now = { .arena = arena };
	struct folder_way way = { c->file.path, c->file.base, 0 };
	enum rc rc = place_look(g->world, &way, &now, e);

	if (rc == RC_OK && !now.exists)
		rc = err_set(e, RC_CONFLICT, 0, "%s has gone", c->file.path);
	*content = now.content;
	return rc;
}

static enum rc revert(struct change_state *c, const struct change_ground *g,
	bool *changed, struct err *e)
{
	(void)g;
	return place_revert(&c->file, changed, e);
}

static enum rc confirm(
	const struct change_state *c, const struct change_ground *g, struct err *e)
{
	(void)g;
	return place_check(&c->file, e);
}

static enum rc forget(
	struct change_state *c, const struct change_ground *g, struct err *e)
{
	(void)g;
	return place_forget(&c->file, e);
}

static enum rc restore(
	struct change_state *c, const struct change_ground *g, struct err *e)
{
	return place_restore(&c->file, g->world, e);
}

static void release(struct change_state *c)
{
	place_release(&c->file);
}

const struct change_hands change_file = {
	.look = look,
	.plan = plan,
	.stage = stage,
	.commit = commit,
	.read_back = read_back,
	.revert = revert,
	.confirm = confirm,
	.forget = forget,
	.restore = restore,
	.release = release,
	.by_system_calls = true,
};
