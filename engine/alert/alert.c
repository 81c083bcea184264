/*
 * Renders a hit: a line of text and a line of JSON, in one allocation that the outputs thread
 * frees. Owns nothing else. Engine thread.
 */
#include "alert_private.h"

#include <errno.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#define ALERT_JSON_MAX (4u << 20)

/* A table: tried in order until the alert fits. The first holds all but monsters; with the last
 * even 256 values of bytes that take six characters each stay far below the maximum. */
static const struct alert_limits limits_of_try[] = {
	{ .text_max = 65536, .value_max = TEMPLATE_VALUE_MAX, .ancestor_max = 1024 },
	{ .text_max = 16384, .value_max = 256, .ancestor_max = 256 },
};

struct rendering {
	const struct rule *rule;
	const struct alert_context *context;
	const struct alert_limits *limits;
	uint64_t wall_ns;
	char uuid[37];
	struct buf message, cut, text, json;
};

static void rendering_done(struct rendering *rendering)
{
	buf_done(&rendering->message);
	buf_done(&rendering->cut);
	buf_done(&rendering->text);
	buf_done(&rendering->json);
}

/* "HH:MM:SS.nnnnnnnnn: Warning " */
static void put_head(const struct rendering *rendering, struct buf *out)
{
	clock_put_local(out, rendering->wall_ns);
	buf_printf(out, ": %s ", priority_name(rendering->rule->priority));
}

/* Cut to its limit; then `cut` says so. */
static void put_message(struct rendering *rendering, const struct template_values *values)
{
	struct buf *message = &rendering->message, *cut = &rendering->cut;
	struct str shorter;

	buf_clear(message);
	buf_clear(cut);
	template_put_text(values, message);
	template_put_cut(values, cut);
	shorter = template_cut(buf_str(message), rendering->limits->text_max);
	if (shorter.n == message->n && !message->failed)
		return;
	message->n = shorter.n;
	buf_puts(cut, cut->n ? ",\"output\"" : "\"output\"");
}

static void put_tags(const struct rule *rule, struct buf *out)
{
	buf_puts(out, ",\"tags\":[");
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		if (i)
			buf_putc(out, ',');
		text_put_json_string(out, rule->tags[i]);
	}
	buf_putc(out, ']');
}

static void put_string(const char *key, struct str value, struct buf *out)
{
	buf_printf(out, ",\"%s\":", key);
	text_put_json_string(out, value);
}

static struct str text_or_empty(const char *text)
{
	return str_from(text ? text : "");
}

static void put_json(struct rendering *rendering, const struct template_values *values)
{
	const struct rule *rule = rendering->rule;
	const struct field_context *fields = rendering->context->fields;
	struct buf *out = &rendering->json;

	buf_clear(out);
	buf_printf(out, "{\"uuid\":\"%s\",\"time\":\"", rendering->uuid);
	clock_put_rfc3339(out, rendering->wall_ns);
	buf_putc(out, '"');
	put_string("rule", rule->name, out);
	put_string("priority", str_from(priority_name(rule->priority)), out);
	put_string("source", text_or_empty(fields->source), out);
	put_string("hostname", text_or_empty(fields->hostname), out);
	put_tags(rule, out);
	buf_puts(out, ",\"output\":\"");
	put_head(rendering, out);
	text_put_json(out, buf_str(&rendering->message));
	buf_puts(out, "\",\"output_fields\":");
	template_put_fields(values, rendering->context->constants, rendering->context->constant_cnt,
			    out);
	buf_puts(out, ",\"haetae\":");
	alert_put_own(rule, rendering->context, rendering->limits, buf_str(&rendering->cut), out);
	buf_putc(out, '}');
}

static void put_text(struct rendering *rendering)
{
	buf_clear(&rendering->text);
	put_head(rendering, &rendering->text);
	text_put_line(&rendering->text, buf_str(&rendering->message));
}

static bool render(struct rendering *rendering, struct template_values *values)
{
	values->value_max = rendering->limits->value_max;
	put_message(rendering, values);
	put_text(rendering);
	put_json(rendering, values);
	return !rendering->text.failed && !rendering->json.failed;
}

static struct str store(char **at, struct str s)
{
	struct str copy = { *at, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	(*at)[s.n] = '\0';
	*at += s.n + 1;
	return copy;
}

struct alert *alert_restore(const struct alert_parts *parts)
{
	size_t storage = (size_t)parts->rule.n + parts->tags.n + parts->text.n + parts->json.n;
	struct alert *alert = malloc(sizeof(*alert) + storage + 4 /* NULs */);
	char *at;

	if (!alert)
		return NULL;
	*alert = (struct alert){ .wall_ns = parts->wall_ns, .priority = parts->priority };
	memcpy(alert->uuid, parts->uuid.p, MIN(parts->uuid.n, sizeof(alert->uuid) - 1));
	at = alert->storage;
	alert->rule = store(&at, parts->rule);
	alert->tags = store(&at, parts->tags);
	alert->text = store(&at, parts->text);
	alert->json = store(&at, parts->json);
	return alert;
}

static struct alert *make(struct rendering *rendering)
{
	const struct rule *rule = rendering->rule;
	struct buf *tags = &rendering->cut; /* no longer needed */

	buf_clear(tags);
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_put_str(tags, rule->tags[i]);
		buf_putc(tags, '\0');
	}
	if (tags->failed)
		return NULL;
	return alert_restore(&(struct alert_parts){
		.wall_ns = rendering->wall_ns,
		.priority = rule->priority,
		.uuid = str_from(rendering->uuid),
		.rule = rule->name,
		.tags = buf_str(tags),
		.text = buf_str(&rendering->text),
		.json = buf_str(&rendering->json),
	});
}

static const struct template *template_of(const struct rule *rule)
{
	static const struct template nothing;

	return rule->template ? rule->template : &nothing;
}

int alert_new(const struct rule *rule, const struct alert_context *context, struct alert **ret)
{
	const struct event *event = context->fields->event;
	_cleanup_(rendering_done) struct rendering rendering = {
		.rule = rule,
		.context = context,
		.wall_ns = event->header->time_ns + (uint64_t)event->wall_offset_ns,
	};
	struct template_values values;
	struct alert *alert = NULL;
	bool is_rendered = false;

	if (!template_read(template_of(rule), context->fields, &values))
		return -ENOMEM;
	alert_uuid(rule, context, rendering.uuid);
	buf_init(&rendering.message, TEMPLATE_TEXT_MAX);
	buf_init(&rendering.cut, ALERT_JSON_MAX);
	buf_init(&rendering.text, ALERT_JSON_MAX);
	buf_init(&rendering.json, ALERT_JSON_MAX);
	for (size_t i = 0; i < ARRAY_LEN(limits_of_try) && !is_rendered; i++) {
		rendering.limits = &limits_of_try[i];
		is_rendered = render(&rendering, &values);
	}
	if (is_rendered)
		alert = make(&rendering);
	if (!alert)
		return -ENOMEM;
	*ret = alert;
	return 0;
}

struct alert *alert_ref(struct alert *alert)
{
	alert->extra_refs++;
	return alert;
}

struct alert *alert_free(struct alert *alert)
{
	if (alert && alert->extra_refs > 0)
		alert->extra_refs--;
	else
		free(alert);
	return NULL;
}
