/*
 * Values as YAML, secrets masked. Owns nothing.
 */
#include <ctype.h>

#include "haetae/text.h"

#include "conf_private.h"

#define MASK "********"

/* Words that YAML 1.1 takes for something else than a text. */
static bool is_yaml_word(struct str text)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on",
					     "off",  "null",  "y",   "n",  NULL };

	for (unsigned i = 0; words[i]; i++)
		if (text.n == strlen(words[i]) && strncasecmp(text.p, words[i], text.n) == 0)
			return true;
	return false;
}

void conf_put_text(struct buf *out, struct str text)
{
	bool is_plain = text.n > 0 && (isalpha((unsigned char)text.p[0]) || text.p[0] == '/') &&
			!is_yaml_word(text);

	for (uint32_t i = 0; is_plain && i < text.n; i++)
		is_plain = isalnum((unsigned char)text.p[i]) || memchr("_./-", text.p[i], 4);
	if (is_plain)
		buf_put_str(out, text);
	else
		text_put_json_string(out, text);
}

/* "${NAME}" and nothing else: no secret stands in it. */
static bool is_one_variable(struct str text)
{
	return str_starts_with(text, STR("${")) &&
	       memchr(text.p, '}', text.n) == text.p + text.n - 1;
}

/* Scheme, host and the first part of the path stay: webhooks hold their secret behind it. */
static void put_masked_url(struct str url, struct buf *out)
{
	const char *end = url.p + url.n, *p = memmem(url.p, url.n, "://", 3), *at, *host_end;

	p = p ? p + 3 : url.p;
	buf_put(out, url.p, (size_t)(p - url.p));
	host_end = p;
	while (host_end < end && !memchr("/?#", *host_end, 3))
		host_end++;
	at = memrchr(p, '@', (size_t)(host_end - p));
	if (at) {
		buf_puts(out, MASK);
		p = at;
	}
	buf_put(out, p, (size_t)(host_end - p));
	p = host_end;
	while (p < end && *p != '?' && *p != '#' && (p == host_end || *p != '/'))
		p++;
	buf_put(out, host_end, (size_t)(p - host_end));
	if (p + 1 < end) {
		buf_putc(out, *p);
		buf_puts(out, MASK);
	}
}

static bool is_url_option(const struct conf_option *option)
{
	return option->is_valid == conf_is_http_url || option->is_valid == conf_is_proxy_url;
}

static void put_secret(const struct conf_option *option, struct str text, struct buf *out)
{
	_cleanup_(buf_done) struct buf masked;

	buf_init(&masked, 1u << 20);
	if (is_url_option(option))
		put_masked_url(text, &masked);
	else
		buf_puts(&masked, MASK);
	conf_put_text(out, buf_str(&masked));
}

static void put_string(const struct conf *conf, const struct conf_option *option, const char *value,
		       struct buf *out)
{
	struct str text, written;

	if (!value || (!*value && option->is_nullable)) {
		buf_puts(out, "null");
		return;
	}
	text = str_from(value);
	if (conf && conf_is_expanded(conf, value, &written)) {
		text = written;
		if (is_one_variable(text)) {
			conf_put_text(out, text);
			return;
		}
	}
	if (conf && option->is_secret)
		put_secret(option, text, out);
	else
		conf_put_text(out, text);
}

static void put_choice(const struct conf_option *option, const void *base, struct buf *out)
{
	uint64_t value = conf_number_get(option, base);

	for (const struct conf_choice *choice = option->choices; choice->name; choice++) {
		if ((uint64_t)choice->value != value)
			continue;
		buf_puts(out, choice->name);
		return;
	}
}

static void put_texts(const struct conf *conf, const struct conf_option *option, const void *base,
		      struct buf *out)
{
	const char *const *texts = conf_member_const(base, option->offset);
	uint32_t cnt = *(const uint32_t *)conf_member_const(base, option->cnt_offset);

	buf_putc(out, '[');
	for (uint32_t i = 0; i < cnt; i++) {
		buf_puts(out, i ? ", " : "");
		put_string(conf, option, texts[i], out);
	}
	buf_putc(out, ']');
}

/* Only names of headers are shown. */
static void put_headers(const struct conf *conf, const struct sink_config *sink, struct buf *out)
{
	buf_putc(out, '{');
	for (uint32_t i = 0; i < sink->http.header_cnt; i++) {
		const char *header = sink->http.headers[i], *colon = strchr(header, ':');
		struct str written;

		buf_puts(out, i ? ", " : "");
		conf_put_text(out, (struct str){ header, (uint32_t)(colon - header) });
		buf_puts(out, ": ");
		if (!conf)
			conf_put_text(out, str_from(colon + 2));
		else if (conf_is_expanded(conf, header, &written) && is_one_variable(written))
			conf_put_text(out, written);
		else
			conf_put_text(out, STR(MASK));
	}
	buf_putc(out, '}');
}

static void put_selectors(const struct daemon_config *config, struct buf *out)
{
	buf_putc(out, '[');
	for (uint32_t i = 0; i < config->rules.selector_cnt; i++) {
		const struct rule_selector *selector = &config->selectors[i];

		buf_printf(out, "%s{%s: {%s: ", i ? ", " : "",
			   selector->is_enable ? "enable" : "disable",
			   selector->tag.p ? "tag" : "rule");
		conf_put_text(out, selector->tag.p ? selector->tag : selector->rule_pattern);
		buf_puts(out, "}}");
	}
	buf_putc(out, ']');
}

static void put_match(const struct output_addition *addition, struct buf *out)
{
	const char *separator = "";

	buf_puts(out, "{match: {");
	if (addition->rule.p) {
		buf_puts(out, "rule: ");
		conf_put_text(out, addition->rule);
		separator = ", ";
	}
	if (addition->source.p) {
		buf_printf(out, "%ssource: ", separator);
		conf_put_text(out, addition->source);
		separator = ", ";
	}
	if (addition->tag_cnt) {
		buf_printf(out, "%stags: [", separator);
		for (uint32_t i = 0; i < addition->tag_cnt; i++) {
			buf_puts(out, i ? ", " : "");
			conf_put_text(out, addition->tags[i]);
		}
		buf_putc(out, ']');
	}
	buf_puts(out, "}, extra_output: ");
}

static void put_additions(const struct conf *conf, const struct conf_option *option,
			  const struct daemon_config *config, struct buf *out)
{
	buf_putc(out, '[');
	for (uint32_t i = 0; i < config->rules.addition_cnt; i++) {
		const struct output_addition *addition = &config->additions[i];
		bool has_match = addition->rule.p || addition->source.p || addition->tag_cnt;

		buf_puts(out, i ? ", " : "");
		if (has_match)
			put_match(addition, out);
		put_string(conf, option, addition->text.p, out);
		buf_puts(out, has_match ? "}" : "");
	}
	buf_putc(out, ']');
}

static void put_fields(const struct conf *conf, const struct conf_option *option,
		       const struct daemon_config *config, struct buf *out)
{
	buf_putc(out, '{');
	for (uint32_t i = 0; i < config->constant_cnt; i++) {
		buf_puts(out, i ? ", " : "");
		conf_put_text(out, config->constants[i].key);
		buf_puts(out, ": ");
		put_string(conf, option, config->constants[i].value.p, out);
	}
	buf_putc(out, '}');
}

static void put_gate_keys(const struct daemon_config *config, struct buf *out)
{
	const char *separator = "";

	buf_putc(out, '[');
	for (unsigned i = 0; i < GATE_KEY__COUNT; i++) {
		if (!config->gate.by[i])
			continue;
		buf_printf(out, "%s%s", separator, conf_gate_key_names[i]);
		separator = ", ";
	}
	buf_putc(out, ']');
}

static void put_sockets(const struct conf *conf, const struct conf_option *option,
			const struct daemon_config *config, struct buf *out)
{
	if (!config->metadata.want_runtimes)
		buf_puts(out, "off");
	else if (config->metadata.socket_cnt == 0)
		buf_puts(out, "auto");
	else
		put_texts(conf, option, config, out);
}

/* A flat switch. */
void conf_put_value(const struct conf *conf, const struct conf_option *option, const void *base,
		    struct buf *out)
{
	switch (option->type) {
	case CONF_BOOL:
		buf_puts(out, conf_number_get(option, base) ? "true" : "false");
		return;
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_TIME:
	case CONF_RATE:
		if (option->is_nullable && conf_number_get(option, base) == 0)
			buf_puts(out, "null");
		else
			conf_number_put(option->type, conf_number_get(option, base), out);
		return;
	case CONF_TEXT:
		put_string(conf, option,
			   *(const char *const *)conf_member_const(base, option->offset), out);
		return;
	case CONF_CHOICE:
		put_choice(option, base, out);
		return;
	case CONF_TEXTS:
		put_texts(conf, option, base, out);
		return;
	case CONF_SOCKETS:
		put_sockets(conf, option, base, out);
		return;
	case CONF_SELECTORS:
		put_selectors(base, out);
		return;
	case CONF_ADDITIONS:
		put_additions(conf, option, base, out);
		return;
	case CONF_FIELDS:
		put_fields(conf, option, base, out);
		return;
	case CONF_GATE_KEYS:
		put_gate_keys(base, out);
		return;
	case CONF_HEADERS:
		put_headers(conf, base, out);
		return;
	case CONF_SINKS:
	case CONF_TYPE__COUNT:
		return;
	}
}
