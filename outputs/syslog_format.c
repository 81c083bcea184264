/*
 * Renders alerts as syslog messages (RFC 5424): priority, header, structured data, text. Pure.
 */
#include "syslog_format.h"

#include <stdio.h>
#include <time.h>

#include "haetae/clock.h"
#include "haetae/text.h"

/* RFC 5424 6.3.2: names that are not IANA's carry an enterprise number. 32473 is the one that RFC
 * 5612 keeps for those who have none. */
#define SD_ID		"haetae@32473"
#define MSGID_MAX	32   /* 6 */
#define VALUE_MAX	1024 /* bytes of a parameter's value */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* RFC 5424 table 1; names as syslog.conf(5) has them. */
static const char *const facilities[24] = {
	"kern",	  "user",   "mail",	"daemon", "auth",   "syslog",	"lpr",	   "news",
	"uucp",	  "cron",   "authpriv", "ftp",	  "ntp",    "security", "console", "solaris-cron",
	"local0", "local1", "local2",	"local3", "local4", "local5",	"local6",  "local7",
};

bool syslog_facility_parse(const char *name, unsigned *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(facilities); i++) {
		if (strcmp(facilities[i], name) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static bool is_printable(char c)
{
	return c > 32 && c < 127; /* PRINTUSASCII */
}

void syslog_head_init(struct syslog_head *head, unsigned facility)
{
	const char *node = getenv("NODE_NAME"); /* decision 31: a pod's own name is of no use */

	*head = (struct syslog_head){ .facility = facility };
	if (node && node[0])
		snprintf(head->hostname, sizeof(head->hostname), "%s", node);
	else if (gethostname(head->hostname, sizeof(head->hostname) - 1) < 0)
		head->hostname[0] = '\0';
	for (char *at = head->hostname; *at; at++)
		if (!is_printable(*at))
			*at = '_';
	if (!head->hostname[0])
		strcpy(head->hostname, "-");
	snprintf(head->process_id, sizeof(head->process_id), "%d", (int)getpid());
}

/* Six digits of a second at most (6.2.3). */
static void put_time(uint64_t wall_ns, struct buf *out)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SEC);
	char text[32];
	struct tm parts;

	if (!gmtime_r(&seconds, &parts)) {
		buf_putc(out, '-');
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	buf_printf(out, "%s.%06uZ", text, (unsigned)(wall_ns % NS_PER_SEC / 1000));
}

/* A rule's name where it fits; what MSGID can't hold is an underscore. */
static void put_message_id(struct str rule, struct buf *out)
{
	if (rule.n == 0)
		buf_putc(out, '-');
	for (uint32_t i = 0; i < MIN(rule.n, (uint32_t)MSGID_MAX); i++)
		buf_putc(out, is_printable(rule.p[i]) ? rule.p[i] : '_');
}

/* At most `max` bytes, and no character cut in two. */
static struct str cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	s.n = (uint32_t)max;
	while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

/* 6.3.3: quote, backslash and bracket are escaped. Control characters may stand there, but no
 * reader is grateful for them. */
static void put_parameter(const char *name, struct str value, struct buf *out)
{
	_cleanup_(buf_done) struct buf line;

	buf_init(&line, 8 * VALUE_MAX);
	text_put_line(&line, cut(value, VALUE_MAX));
	buf_printf(out, " %s=\"", name);
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '"' || line.p[i] == '\\' || line.p[i] == ']')
			buf_putc(out, '\\');
		buf_putc(out, line.p[i]);
	}
	buf_putc(out, '"');
}

static void put_data(const struct alert *alert, bool is_cut, struct buf *out)
{
	const char *at = alert->tags.p, *end = at + alert->tags.n;

	buf_puts(out, "[" SD_ID);
	put_parameter("uuid", str_from(alert->uuid), out);
	put_parameter("rule", alert->rule, out);
	put_parameter("priority", str_from(priority_name(alert->priority)), out);
	/* A name may come more than once (6.3.4). */
	for (unsigned i = 0; at < end && i < 16; i++) {
		struct str tag = { at, (uint32_t)strnlen(at, (size_t)(end - at)) };

		put_parameter("tag", tag, out);
		at += tag.n + 1;
	}
	if (is_cut)
		buf_puts(out, " cut=\"1\"");
	buf_putc(out, ']');
}

static bool is_ascii(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* JSON stays JSON: what reorders or hides text becomes \uXXXX, which means the same. */
static void put_json(struct str json, struct buf *out)
{
	const char *p = json.p, *end = p + json.n;

	while (p < end) {
		unsigned n = utf8_sequence(p, end);
		uint32_t c = n > 1 ? utf8_decode(p, n) : 0;

		if (n > 1 && text_is_unsafe(c)) {
			if (c >= 0x10000)
				buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
					   0xdc00 + (c & 0x3ff));
			else
				buf_printf(out, "\\u%04x", c);
		} else {
			buf_put(out, p, n ? n : 1);
		}
		p += n ? n : 1;
	}
}

static void put_head(const struct syslog_head *head, const struct alert *alert, bool is_cut,
		     struct buf *out)
{
	buf_printf(out, "<%u>1 ", head->facility * 8 + (unsigned)alert->priority);
	put_time(alert->wall_ns, out);
	buf_printf(out, " %s haetae %s ", head->hostname, head->process_id);
	put_message_id(alert->rule, out);
	buf_putc(out, ' ');
	put_data(alert, is_cut, out);
	buf_putc(out, ' ');
}

void syslog_format(const struct syslog_head *head, const struct alert *alert, bool want_json,
		   size_t max_bytes, struct buf *out)
{
	_cleanup_(buf_done) struct buf json;
	struct str text = alert->text;
	size_t before = out->n, used;
	bool is_plain;

	buf_init(&json, 8u << 20);
	if (want_json) {
		put_json(alert->json, &json);
		text = buf_str(&json);
	}
	is_plain = is_ascii(text);
	put_head(head, alert, false, out);
	used = out->n - before + (is_plain ? 0 : strlen(BYTE_ORDER_MARK));
	if (used + text.n > max_bytes) {
		out->n = before;
		put_head(head, alert, true, out);
		used = out->n - before + (is_plain ? 0 : strlen(BYTE_ORDER_MARK));
		text = cut(text, max_bytes - MIN(used, max_bytes));
	}
	if (!is_plain) /* 6.4: UTF-8 begins with its mark */
		buf_puts(out, BYTE_ORDER_MARK);
	buf_put_str(out, text);
}
