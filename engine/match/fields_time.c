/*
 * Times of the event: evt.time, evt.datetime, evt.rawtime. No state. Engine thread.
 */
#include "fields_evt.h"

#include <time.h>

#include "haetae/clock.h"

#define TIME_TEXT_MAX 64

static uint64_t wall_ns(const struct event *event)
{
	return event->header->time_ns + (uint64_t)event->wall_offset_ns;
}

/* The time of day as clock_put_local() writes it, cut to `length` bytes. */
static void give_local(const struct field_context *context, uint32_t length, struct value_set *ret)
{
	struct buf text = scratch_buf(context, TIME_TEXT_MAX);

	clock_put_local(&text, wall_ns(context->event));
	text.n = MIN(text.n, (size_t)length);
	give_buf(context, &text, ret);
}

void evt_get_time(const struct field_context *context, const struct field_argument *argument,
		  struct value_set *ret)
{
	give_local(context, TIME_TEXT_MAX, ret);
}

void evt_get_time_s(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret)
{
	give_local(context, sizeof("HH:MM:SS") - 1, ret);
}

void evt_get_time_iso8601(const struct field_context *context,
			  const struct field_argument *argument, struct value_set *ret)
{
	struct buf text = scratch_buf(context, TIME_TEXT_MAX);

	clock_put_rfc3339(&text, wall_ns(context->event));
	if (text.n)
		text.n--; /* the Z */
	buf_puts(&text, "+0000");
	give_buf(context, &text, ret);
}

static void give_datetime(const struct field_context *context, bool want_ns, struct value_set *ret)
{
	struct buf text = scratch_buf(context, TIME_TEXT_MAX);
	uint64_t ns = wall_ns(context->event);
	time_t seconds = (time_t)(ns / NS_PER_SEC);
	struct tm tm;

	localtime_r(&seconds, &tm);
	buf_printf(&text, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (want_ns)
		buf_printf(&text, ".%09u", (unsigned)(ns % NS_PER_SEC));
	give_buf(context, &text, ret);
}

void evt_get_datetime(const struct field_context *context, const struct field_argument *argument,
		      struct value_set *ret)
{
	give_datetime(context, true, ret);
}

void evt_get_datetime_s(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret)
{
	give_datetime(context, false, ret);
}

void evt_get_rawtime(const struct field_context *context, const struct field_argument *argument,
		     struct value_set *ret)
{
	give_u64(context, VALUE_ABSTIME, wall_ns(context->event), ret);
}

void evt_get_rawtime_s(const struct field_context *context, const struct field_argument *argument,
		       struct value_set *ret)
{
	give_u64(context, VALUE_ABSTIME, wall_ns(context->event) / NS_PER_SEC, ret);
}

void evt_get_rawtime_ns(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret)
{
	give_u64(context, VALUE_ABSTIME, wall_ns(context->event) % NS_PER_SEC, ret);
}
