/*
 * Messages of RFC 5424. Pure.
 */
#ifndef HAETAE_OUTPUTS_SYSLOG_FORMAT_H
#define HAETAE_OUTPUTS_SYSLOG_FORMAT_H

#include "haetae/sink.h"

struct syslog_head {
	unsigned facility;
	char hostname[256]; /* PRINTUSASCII, "-" where unknown */
	char process_id[16];
};

/* "daemon", "local0", …; false where it is none. */
bool syslog_facility_parse(const char *name, unsigned *ret);
void syslog_head_init(struct syslog_head *head, unsigned facility);
/* One message, cut to max_bytes at a character's end, which the parameter cut="1" says then. json:
 * the alert's JSON is the text, otherwise its line. */
void syslog_format(const struct syslog_head *head, const struct alert *alert, bool want_json,
		   size_t max_bytes, struct buf *out);

#endif
