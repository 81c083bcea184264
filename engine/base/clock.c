/*
 * Clocks and their rendering; see clock.h. No state.
 */
#include "haetae/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

int64_t clock_wall_offset_ns(void)
{
	uint64_t best_width = UINT64_MAX;
	int64_t offset = 0;

	/* Between two readings of one clock the thread may be preempted; the narrowest of a few
	 * brackets is the truest. */
	for (int i = 0; i < 3; i++) {
		uint64_t before = read_ns(CLOCK_BOOTTIME);
		uint64_t wall = read_ns(CLOCK_REALTIME);
		uint64_t after = read_ns(CLOCK_BOOTTIME);

		if (after - before < best_width) {
			best_width = after - before;
			offset = (int64_t)(wall - (before + best_width / 2));
		}
	}
	return offset;
}

void clock_put_rfc3339(struct buf *buf, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SEC);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buf_printf(buf, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(wall_ns % NS_PER_SEC));
}

void clock_put_local(struct buf *buf, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SEC);
	struct tm tm;

	localtime_r(&seconds, &tm);
	buf_printf(buf, "%02d:%02d:%02d.%09u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (unsigned)(wall_ns % NS_PER_SEC));
}

bool clock_parse_duration(struct str text, uint64_t *ret_ns)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {
		{ "ms", NS_PER_MS },	    { "s", NS_PER_SEC },	 { "m", 60 * NS_PER_SEC },
		{ "h", 3600 * NS_PER_SEC }, { "d", 86400 * NS_PER_SEC }, { "", NS_PER_SEC },
	};
	uint64_t value = 0;
	uint32_t i = 0;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.p[i] - '0'), &value))
			return false;
	if (i == 0)
		return false;
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		if (str_eq_text((struct str){ text.p + i, text.n - i }, units[u].suffix))
			return !__builtin_mul_overflow(value, units[u].ns, ret_ns);
	return false;
}
