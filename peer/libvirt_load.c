/* libvirt.so.0, loaded when it is first needed. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "peer/libvirt_private.h"

struct libvirt_symbols vir;

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL_ROW(symbol) { #symbol, offsetof(struct libvirt_symbols, symbol) },
	LIBVIRT_SYMBOLS(SYMBOL_ROW)
#undef SYMBOL_ROW
};

/* libvirt's own handler prints to stderr. */
static void stay_silent(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

static enum rc load_symbols(void *handle, struct err *e)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return err_set(e, RC_LIBVIRT, 0,
				"libvirt.so.0 is too old: it has no %s", symbols[i].name);
		memcpy((char *)&vir + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return RC_OK;
}

/* Once loaded it stays: libvirt cannot be unloaded. */
enum rc libvirt_load(struct err *e)
{
	void *handle;
	enum rc rc;

	if (vir.handle)
		return RC_OK;
	handle = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(
			e, RC_LIBVIRT, 0, "libvirt is not installed: %s", dlerror());
	rc = load_symbols(handle, e);
	if (rc != RC_OK) {
		dlclose(handle);
		return rc;
	}
	if (vir.virInitialize() != 0)
		return err_set(e, RC_LIBVIRT, 0, "libvirt could not be initialised");
	vir.virSetErrorFunc(NULL, stay_silent);
	vir.handle = handle;
	return RC_OK;
}

enum rc libvirt_load_qemu(struct err *e)
{
	static const char name[] = "virDomainQemuMonitorCommand";
	void *handle, *symbol;

	if (vir.virDomainQemuMonitorCommand)
		return RC_OK;
	handle = dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL);
	symbol = handle ? dlsym(handle, name) : NULL;
	if (!symbol)
		return err_set(e, RC_LIBVIRT, 0, "QEMU cannot be asked: %s", dlerror());
	memcpy(&vir.virDomainQemuMonitorCommand, &symbol, sizeof(symbol));
	return RC_OK;
}

const char *libvirt_last(int *code)
{
	const virError *error = vir.virGetLastError();

	*code = error ? error->code : 0;
	return error && error->message ? error->message : "libvirt gave no reason";
}

enum rc libvirt_failed(const char *what, struct err *e)
{
	const char *text;
	int code;

	text = libvirt_last(&code);
	return err_set(e, RC_LIBVIRT, code, "%s: %s", what, text);
}

enum rc libvirt_open(const char *uri, virConnectPtr *connection, struct err *e)
{
	if (!libvirt_uri_is_allowed(uri))
		return err_set(e, RC_LIBVIRT, 0,
			"libvirt URI \"%.64s\": only qemu:///system and qemu:///session "
			"are accepted",
			uri);
	if (libvirt_load(e) != RC_OK)
		return e->code;
	vir.virResetLastError();
	*connection = vir.virConnectOpen(uri);
	return *connection ? RC_OK : libvirt_failed(uri, e);
}

const char *libvirt_text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

char *libvirt_keep(struct arena *arena, char *from_libvirt, bool *short_of_memory)
{
	char *copy;

	if (!from_libvirt)
		return NULL;
	copy = arena_text(arena, from_libvirt);
	*short_of_memory |= !copy;
	free(from_libvirt);
	return copy;
}
