/*
 * A record of arbitrary bytes: decoded, and where it is accepted, everything that can be asked of
 * the event is asked. The seeds are records of each type.
 */
#include <stdlib.h>
#include <string.h>

#include "haetae/event.h"
#include "target.h"

static struct arena scratch;
static struct buf out;

static void ask_param(const struct event *event, unsigned param)
{
	uint64_t value;
	struct wire_tuple tuple;
	struct str path;

	(void)event_string(event, param);
	(void)event_number(event, param, &value);
	(void)event_portable_number(event, param, &value);
	(void)event_tuple(event, param, &tuple, &path);
	(void)event_passed_path(event, param, (int)(param + 1) % WIRE_PARAM_MAX);
	for (int ino_param = -1; ino_param < 8; ino_param++) {
		(void)event_kpath(event, param, ino_param, false);
		(void)event_kpath(event, param, ino_param, true);
	}
	(void)event_param_format(event, param, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event event = { .scratch = &scratch };
	void *record;

	if (!scratch.max_bytes) {
		arena_init(&scratch, 4 << 20);
		buf_init(&out, 1 << 20);
	}
	if (size > UINT32_MAX)
		return 0;
	arena_reset(&scratch);
	buf_clear(&out);
	record = malloc(size ? size : 1); /* aligned, and of the exact size */
	if (!record)
		return 0;
	if (size)
		memcpy(record, data, size);
	if (event_decode(&event, record, (uint32_t)size) == 0) {
		/* One behind the last too: getters check their argument. */
		for (unsigned i = 0; i <= event.schema->param_cnt; i++)
			ask_param(&event, i);
		event_args_format(&event, &out);
		event_dump(&event, &out);
		(void)event_code_name(event.code);
	}
	free(record);
	return 0;
}
