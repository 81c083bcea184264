/*
 * Messages of the daemon to stderr; see log.h. Owns the level and the format, which a reload may
 * change.
 */
#include "haetae/log.h"

#include <stdarg.h>
#include <time.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#define LOG_LINE_MAX 8192

static _Atomic enum log_level log_level = LOG_LEVEL_INFO;
static _Atomic enum log_format log_format = LOG_FORMAT_TEXT;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_configure(enum log_level level, enum log_format format)
{
	log_level = level;
	log_format = format;
}

static void put_json_line(struct buf *line, enum log_level level, struct str message)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_puts(line, "{\"time\":\"");
	clock_put_rfc3339(line, (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec);
	buf_printf(line, "\",\"level\":\"%s\",\"message\":", level_names[level]);
	text_put_json_string(line, message);
	buf_puts(line, "}\n");
}

static void put_text_line(struct buf *line, enum log_level level, struct str message)
{
	buf_puts(line, "haetae: ");
	if (level != LOG_LEVEL_INFO)
		buf_printf(line, "%s: ", level_names[level]);
	text_put_line(line, message);
	buf_putc(line, '\n');
}

void log_write(enum log_level level, const char *format, ...)
{
	_cleanup_(buf_done) struct buf message, line;
	va_list args;

	buf_init(&message, LOG_LINE_MAX);
	buf_init(&line, 8 * LOG_LINE_MAX);
	if (level > log_level)
		return;
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	if (log_format == LOG_FORMAT_JSON)
		put_json_line(&line, level, buf_str(&message));
	else
		put_text_line(&line, level, buf_str(&message));
	(void)!write(STDERR_FILENO, buf_str(&line).p, buf_str(&line).n);
}
