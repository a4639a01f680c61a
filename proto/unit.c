#include "proto/unit.h"

#include <stddef.h>
#include <string.h>

static const struct unit_row rows[] = {
#define UNIT_ROW(service_name, ...) { #service_name, { __VA_ARGS__ } },
	UNITS(UNIT_ROW)
#undef UNIT_ROW
};

const struct unit_row *unit_of(const char *service)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].service, service) == 0)
			return &rows[i];
	return NULL;
}
