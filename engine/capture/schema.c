/*
 * The table of events as it stands in a capture, and whether another one gives its records the same
 * meaning: rows and parameters may be more or fewer, what both have must be the same. Owns nothing.
 */
#include <stdio.h>

#include "capture_private.h"

/* One line an event, by number: "openat ret:4 dirfd:0 …". */
static void put_event(struct buf *out, unsigned type)
{
	const struct event_schema *schema = event_schema_get((enum event_type)type);

	if (schema) {
		buf_puts(out, schema->name);
		for (uint32_t i = 0; i < schema->param_cnt; i++)
			buf_printf(out, " %s:%d", schema->params[i].name,
				   (int)schema->params[i].type);
	}
	buf_putc(out, '\n');
}

void put_schema(struct buf *out)
{
	for (unsigned i = 0; i < EVENT__COUNT; i++)
		put_event(out, i);
}

uint64_t capture_schema_digest(void)
{
	_cleanup_(buf_done) struct buf text;
	struct str s;

	buf_init(&text, CAPTURE_PAYLOAD_MAX);
	put_schema(&text);
	s = buf_str(&text);
	return text.failed ? 0 : hash_bytes(s.p, s.n, 0);
}

/* Cuts off what stands before the separator, and it; the rest where there is none. */
static struct str next_part(struct str *rest, char separator)
{
	const char *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	struct str part = { rest->p, end ? (uint32_t)(end - rest->p) : rest->n };
	uint32_t skip = end ? part.n + 1 : part.n;

	*rest = (struct str){ rest->p + skip, rest->n - skip };
	return part;
}

static bool compare_event(struct str theirs, struct str ours, char *reterr, size_t size)
{
	struct str name = next_part(&theirs, ' '), our_name = next_part(&ours, ' ');

	if (!str_eq(name, our_name)) {
		snprintf(reterr, size, "its event '%.*s' is '%.*s' here", (int)MIN(name.n, 60u),
			 name.p, (int)MIN(our_name.n, 60u), our_name.p);
		return false;
	}
	for (unsigned i = 0; theirs.n && ours.n; i++) {
		struct str param = next_part(&theirs, ' '), our_param = next_part(&ours, ' ');

		if (str_eq(param, our_param))
			continue;
		snprintf(reterr, size,
			 "parameter %u of event %.*s is %.*s in it and %.*s here (name:type)", i,
			 (int)MIN(name.n, 60u), name.p, (int)MIN(param.n, 60u), param.p,
			 (int)MIN(our_param.n, 60u), our_param.p);
		return false;
	}
	return true;
}

bool schema_compare(struct str payload, char *reterr, size_t size)
{
	_cleanup_(buf_done) struct buf text;
	struct str ours;

	buf_init(&text, CAPTURE_PAYLOAD_MAX);
	put_schema(&text);
	ours = buf_str(&text);
	if (text.failed) {
		snprintf(reterr, size, "out of memory");
		return false;
	}
	while (payload.n && ours.n)
		if (!compare_event(next_part(&payload, '\n'), next_part(&ours, '\n'), reterr, size))
			return false;
	return true;
}
