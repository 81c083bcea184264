/*
 * The daemon's own messages, to stderr. Only daemon/, cli/ and sink workers log; every other stage
 * returns an error or counts. Nothing on the event path logs. Never log a secret.
 */
#ifndef HAETAE_LOG_H
#define HAETAE_LOG_H

#include "haetae/base.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON
};

/* Before the second thread starts. */
void log_configure(enum log_level level, enum log_format format);
/* One line, "haetae: warning: …" or {"time":…,"level":…,"message":…}; control characters are
 * escaped. Thread-safe: one write(2) per message. */
void log_write(enum log_level level, const char *format, ...) _printf_(2, 3);

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
