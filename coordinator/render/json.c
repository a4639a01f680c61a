/* The level itself as JSON: names and numbers only, so it is written by hand and this
 * folder stays free of jansson. */
#include "coordinator/cpu/names.h"
#include "coordinator/render/writing.h"

static void put_name(struct writing *w, const char *name, size_t index)
{
	PUT(w, "%s\"%s\"", index ? ", " : "", name);
}

static void put_policy(struct writing *w, const char *key, enum policy policy)
{
	const struct level *l = w->level;
	size_t count = 0;

	PUT(w, "  \"%s\": [", key);
	for (size_t i = 0; i < l->feature_count; i++)
		if (l->features[i].policy == policy)
			put_name(w, l->features[i].name, count++);
	PUT(w, "],\n");
}

static void put_vendor(struct writing *w)
{
	if (w->level->vendor[0])
		PUT(w, "  \"vendor\": \"%s\",\n", w->level->vendor);
	else
		PUT(w, "  \"vendor\": null,\n");
}

static void put_maxphysaddr(struct writing *w)
{
	if (w->level->maxphysaddr)
		PUT(w, "  \"maxphysaddr\": %u,\n", w->level->maxphysaddr);
	else
		PUT(w, "  \"maxphysaddr\": null,\n");
}

enum rc write_json(struct writing *w, struct err *e)
{
	const struct level *l = w->level;
	struct texts names = names_of(w->request->catalogue, &l->baseline, w->arena);

	if (!names.item)
		return err_memory(e);
	PUT(w, "{\n  \"schema\": \"cpuherd-level/1\",\n  \"name\": \"%s\",\n",
		w->request->name);
	PUT(w, "  \"virt_type\": \"%s\",\n  \"model\": \"%s\",\n", virt_names[l->virt],
		l->model);
	put_vendor(w);
	put_maxphysaddr(w);
	put_policy(w, "require", POLICY_REQUIRE);
	put_policy(w, "disable", POLICY_DISABLE);
	PUT(w, "  \"features\": [");
	for (size_t i = 0; i < names.count; i++)
		put_name(w, names.item[i], i);
	PUT(w, "]\n}\n");
	return RC_OK;
}
