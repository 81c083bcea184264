/*
 * Numbers with units, and the forms of texts. Owns nothing.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "haetae/clock.h"

#include "conf_private.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: the printer takes the first that divides. */
static const struct unit size_units[] = {
	{ "TiB", 1ULL << 40 },
	{ "GiB", 1ULL << 30 },
	{ "MiB", 1ULL << 20 },
	{ "KiB", 1ULL << 10 },
	{ "", 1 },
	{ NULL, 0 },
};
static const struct unit time_units[] = {
	{ "d", 86400 * NS_PER_SEC }, { "h", 3600 * NS_PER_SEC }, { "m", 60 * NS_PER_SEC },
	{ "s", NS_PER_SEC },	     { "ms", NS_PER_MS },	 { NULL, 0 },
};
/* Smallest first: the printer takes the first that yields a whole number. */
static const struct unit rate_units[] = {
	{ "/s", NS_PER_SEC },
	{ "/m", 60 * NS_PER_SEC },
	{ "/h", 3600 * NS_PER_SEC },
	{ NULL, 0 },
};

/* Decimal digits only: no sign, no blank, no 0x. */
static int parse_digits(struct str *text, uint64_t *ret)
{
	uint64_t value = 0;
	uint32_t i = 0;

	for (; i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text->p[i] - '0'), &value))
			return CONF_NUMBER_OVERFLOW;
	if (i == 0)
		return CONF_NUMBER_BAD;
	*text = (struct str){ text->p + i, text->n - i };
	*ret = value;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, struct str name)
{
	for (; units->name; units++)
		if (str_eq_text(name, units->name))
			return units;
	return NULL;
}

static int parse_with_unit(const struct unit *units, struct str rest, uint64_t number,
			   uint64_t *ret)
{
	const struct unit *unit = find_unit(units, rest);

	if (number == 0 && rest.n == 0) {
		*ret = 0;
		return 0;
	}
	if (!unit)
		return CONF_NUMBER_BAD;
	return __builtin_mul_overflow(number, unit->factor, ret) ? CONF_NUMBER_OVERFLOW : 0;
}

static int parse_rate(struct str rest, uint64_t number, uint64_t *ret)
{
	const struct unit *unit = find_unit(rate_units, rest);

	if (number == 0 && (unit || rest.n == 0)) {
		*ret = 0;
		return 0;
	}
	if (!unit)
		return CONF_NUMBER_BAD;
	*ret = unit->factor / number;
	return *ret ? 0 : CONF_NUMBER_OVERFLOW;
}

int conf_number_parse(enum conf_type type, struct str text, uint64_t *ret)
{
	uint64_t number;
	int r = parse_digits(&text, &number);

	if (r)
		return r;
	if (type == CONF_SIZE)
		return parse_with_unit(size_units, text, number, ret);
	if (type == CONF_TIME)
		return parse_with_unit(time_units, text, number, ret);
	if (type == CONF_RATE)
		return parse_rate(text, number, ret);
	*ret = number;
	return text.n ? CONF_NUMBER_BAD : 0;
}

static void put_rate(uint64_t value, struct buf *out)
{
	for (const struct unit *unit = rate_units; value && unit->name; unit++) {
		uint64_t number = (unit->factor + value / 2) / value;

		/* The interval was rounded down when it was read. */
		if (number == 0 || (unit->factor / number != value && unit[1].name))
			continue;
		buf_put_u64(out, number);
		buf_puts(out, unit->name);
		return;
	}
	buf_putc(out, '0');
}

void conf_number_put(enum conf_type type, uint64_t value, struct buf *out)
{
	const struct unit *unit = type == CONF_SIZE ? size_units : time_units;

	if (type == CONF_RATE) {
		put_rate(value, out);
		return;
	}
	if (type == CONF_NUMBER || value == 0) {
		buf_put_u64(out, value);
		buf_puts(out, type == CONF_TIME ? "s" : "");
		return;
	}
	while (unit->name && unit[1].name && value % unit->factor != 0)
		unit++;
	buf_put_u64(out, value / unit->factor);
	buf_puts(out, unit->name);
}

uint64_t conf_number_get(const struct conf_option *option, const void *base)
{
	const void *member = conf_member_const(base, option->offset);

	switch (option->size) {
	case 1:
		return *(const bool *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

/* ---- forms ---------------------------------------------------------------------------------- */

static bool is_printable(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= 0x20 || text.p[i] == 0x7f)
			return false;
	return text.n > 0;
}

bool conf_is_path(struct str text)
{
	return text.n > 0 && text.n < 4096 && text.p[0] == '/';
}

bool conf_is_word(struct str text)
{
	return is_printable(text);
}

bool conf_is_sink_name(struct str text)
{
	for (uint32_t i = 0; i < text.n; i++)
		if (!isalnum((unsigned char)text.p[i]) && !memchr("_.-", text.p[i], 3))
			return false;
	/* It becomes part of a file name. */
	return text.n > 0 && text.n <= CONF_NAME_MAX && text.p[0] != '.';
}

static bool is_url(struct str text, const char *const *schemes, bool needs_port)
{
	if (!is_printable(text))
		return false;
	for (; *schemes; schemes++) {
		struct str scheme = str_from(*schemes), host;

		if (!str_starts_with(text, scheme))
			continue;
		host = (struct str){ text.p + scheme.n, text.n - scheme.n };
		if (host.n == 0 || memchr("/?#:", host.p[0], 4))
			return false;
		return !needs_port || memchr(host.p, ':', host.n);
	}
	return false;
}

bool conf_is_http_url(struct str text)
{
	static const char *const schemes[] = { "https://", "http://", NULL };

	return is_url(text, schemes, false);
}

bool conf_is_proxy_url(struct str text)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://",
					       NULL };

	return is_url(text, schemes, false);
}

bool conf_is_syslog_address(struct str text)
{
	static const char *const schemes[] = { "udp://", "tcp://", "tls://", NULL };

	return str_starts_with(text, STR("unix:/")) || is_url(text, schemes, true);
}

bool conf_is_listen_address(struct str text)
{
	const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
	struct str port, host;
	unsigned char address[16];
	char buffer[INET6_ADDRSTRLEN];
	uint64_t number;

	if (!colon)
		return false;
	port = (struct str){ colon + 1, text.n - (uint32_t)(colon + 1 - text.p) };
	host = (struct str){ text.p, (uint32_t)(colon - text.p) };
	if (conf_number_parse(CONF_NUMBER, port, &number) || number > 65535)
		return false;
	if (host.n >= sizeof(buffer) || host.n < 2)
		return false;
	if (host.p[0] == '[' && host.p[host.n - 1] == ']') {
		memcpy(buffer, host.p + 1, host.n - 2);
		buffer[host.n - 2] = 0;
		return inet_pton(AF_INET6, buffer, address) == 1;
	}
	memcpy(buffer, host.p, host.n);
	buffer[host.n] = 0;
	return inet_pton(AF_INET, buffer, address) == 1;
}
