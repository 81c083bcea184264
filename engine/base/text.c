/*
 * Rendering of hostile bytes: JSON strings and single lines; see text.h. Runs of harmless bytes are
 * copied at once, because almost every string is one such run.
 */
#include "haetae/text.h"

unsigned utf8_sequence(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);
	unsigned n, low = 0x80, high = 0xbf;

	if (left == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	/* RFC 3629 section 4: the second byte's range excludes overlong forms, surrogates and
	 * what lies beyond U+10FFFF. */
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		n = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (left < n || u[1] < low || u[1] > high)
		return 0;
	for (unsigned i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

uint32_t utf8_decode(const char *p, unsigned n)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);

	for (unsigned i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

static void put_hex_byte(struct buf *buf, const char *prefix, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	buf_puts(buf, prefix);
	buf_putc(buf, digits[byte >> 4]);
	buf_putc(buf, digits[byte & 15]);
}

static void put_json_escape(struct buf *buf, unsigned char c)
{
	switch (c) {
	case '"':
		buf_puts(buf, "\\\"");
		break;
	case '\\':
		buf_puts(buf, "\\\\");
		break;
	case '\n':
		buf_puts(buf, "\\n");
		break;
	case '\r':
		buf_puts(buf, "\\r");
		break;
	case '\t':
		buf_puts(buf, "\\t");
		break;
	default:
		put_hex_byte(buf, "\\u00", c);
	}
}

void text_put_json(struct buf *buf, struct str s)
{
	const char *p = s.p, *end = s.p + s.n, *run = s.p;

	while (p < end) {
		unsigned char c = (unsigned char)*p;
		unsigned n = c < 0x80 ? 1 : utf8_sequence(p, end);

		/* DEL is legal in JSON, but no log viewer is grateful for it. */
		if (n > 1 || (n == 1 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)) {
			p += n;
			continue;
		}
		buf_put(buf, run, (size_t)(p - run));
		if (n)
			put_json_escape(buf, c);
		else
			put_hex_byte(buf, "\\\\x", c);
		run = ++p;
	}
	buf_put(buf, run, (size_t)(p - run));
}

void text_put_json_string(struct buf *buf, struct str s)
{
	buf_putc(buf, '"');
	text_put_json(buf, s);
	buf_putc(buf, '"');
}

bool text_is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x600, 0x605 },
		{ 0x61c, 0x61c },   { 0x6dd, 0x6dd },	{ 0x70f, 0x70f },     { 0x180e, 0x180e },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	if (c >= 0x20 && c < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

void text_put_line(struct buf *buf, struct str s)
{
	const char *p = s.p, *end = s.p + s.n, *run = s.p;

	while (p < end) {
		unsigned n = utf8_sequence(p, end);
		uint32_t c = n ? utf8_decode(p, n) : 0;

		if (n && !text_is_unsafe(c)) {
			p += n;
			continue;
		}
		buf_put(buf, run, (size_t)(p - run));
		if (n > 1)
			buf_printf(buf, "\\u{%x}", c);
		else if (*p == '\n')
			buf_puts(buf, "\\n");
		else if (*p == '\r')
			buf_puts(buf, "\\r");
		else if (*p == '\t')
			buf_puts(buf, "\\t");
		else
			put_hex_byte(buf, "\\x", (unsigned char)*p);
		p += n ? n : 1;
		run = p;
	}
	buf_put(buf, run, (size_t)(p - run));
}
