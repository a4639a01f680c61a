#include "proto/place.h"

static const struct place_row rows[] = {
#define PLACE_ROW(number, place_name, owned, system_path, session_path, meaning) \
	{ PLACE_##place_name, #place_name, owned, system_path, session_path, meaning },
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

const char *run_state_name(uint32_t number)
{
	static const char *const names[RUN_STATE_COUNT] = {
#define RUN_STATE_NAME(number, state, meaning) [number] = #state,
		RUN_STATES(RUN_STATE_NAME)
#undef RUN_STATE_NAME
	};

	return number < RUN_STATE_COUNT ? names[number] : NULL;
}
