#include "proto/place.h"

static const struct place_row rows[] = {
#define PLACE_ROW(number, place_name, system_path, session_path, meaning) \
	{ PLACE_##place_name, #place_name, system_path, session_path, meaning },
	PLACES(PLACE_ROW)
#undef PLACE_ROW
};

const struct place_row *place_of(uint32_t number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}
