/*
 * The closing alert of a key: how many were suppressed, between when and when, and what some of
 * them said. Owns the samples of an entry. Engine thread.
 */
#include "gate_private.h"

#include "haetae/clock.h"
#include "haetae/text.h"

#define SUMMARY_MAX (1u << 20)

/* ---- samples -------------------------------------------------------------------------------- */

static bool is_known(const struct gate_entry *entry, struct str text)
{
	for (uint32_t i = 0; i < entry->sample_cnt; i++)
		if (str_eq(entry->samples[i], text))
			return true;
	return false;
}

void gate_sample(struct gate_entry *entry, const struct rule *rule,
		 const struct alert_context *context)
{
	_cleanup_(buf_done) struct buf message;
	struct str text;
	char *copy;

	buf_init(&message, TEMPLATE_TEXT_MAX);
	if (entry->sample_cnt == GATE_SAMPLES_MAX || entry->try_cnt == GATE_TRIES_MAX ||
	    !rule->template)
		return;
	entry->try_cnt++;
	template_format(rule->template, context->fields, &message);
	text = template_cut(buf_str(&message), GATE_SAMPLE_MAX);
	if (text.n == 0 || is_known(entry, text))
		return;
	copy = malloc(text.n);
	if (!copy)
		return;
	memcpy(copy, text.p, text.n);
	entry->samples[entry->sample_cnt++] = (struct str){ copy, text.n };
}

void gate_samples_done(struct gate_entry *entry)
{
	for (uint32_t i = 0; i < entry->sample_cnt; i++)
		free((void *)(uintptr_t)entry->samples[i].p);
	entry->sample_cnt = entry->try_cnt = 0;
}

/* ---- the text ------------------------------------------------------------------------------- */

static uint64_t suppressed(const struct gate_entry *entry)
{
	return entry->throttled + entry->deduplicated;
}

static bool is_container(const struct gate_entry *entry)
{
	return entry->container_id[0] && strcmp(entry->container_id, container_host.full_id) != 0;
}

static void put_message(const struct gate_entry *entry, struct buf *out)
{
	buf_printf(out, "%llu more alert%s of this rule suppressed between ",
		   (unsigned long long)suppressed(entry), suppressed(entry) == 1 ? "" : "s");
	clock_put_rfc3339(out, entry->first_wall_ns);
	buf_puts(out, " and ");
	clock_put_rfc3339(out, entry->last_wall_ns);
	buf_printf(out, " (%llu throttled, %llu deduplicated", (unsigned long long)entry->throttled,
		   (unsigned long long)entry->deduplicated);
	if (entry->container_id[0])
		buf_printf(out, ", container=%s",
			   entry->container_name[0] ? entry->container_name : entry->container_id);
	if (entry->exepath.p)
		buf_printf(out, ", exepath=%.*s", STR_ARG(entry->exepath));
	buf_putc(out, ')');
	for (uint32_t i = 0; i < entry->sample_cnt; i++)
		buf_printf(out, "%s%.*s", i ? " | " : ": ", STR_ARG(entry->samples[i]));
}

static void put_head(const struct gate_entry *entry, struct buf *out)
{
	clock_put_local(out, entry->last_wall_ns);
	buf_printf(out, ": %s ", priority_name(entry->rule->priority));
}

/* ---- the JSON ------------------------------------------------------------------------------- */

static void put_string(const char *key, struct str text, struct buf *out)
{
	buf_printf(out, ",\"%s\":", key);
	text_put_json_string(out, text);
}

static void put_time(const char *key, uint64_t wall_ns, struct buf *out)
{
	buf_printf(out, ",\"%s\":\"", key);
	clock_put_rfc3339(out, wall_ns);
	buf_putc(out, '"');
}

static void put_output_fields(const struct gate_entry *entry, const struct alert_context *context,
			      struct buf *out)
{
	buf_printf(out, ",\"output_fields\":{\"evt.time\":%llu",
		   (unsigned long long)entry->last_wall_ns);
	if (entry->container_id[0])
		put_string("container.id", str_from(entry->container_id), out);
	if (entry->exepath.p)
		put_string("proc.exepath", entry->exepath, out);
	for (uint32_t i = 0; i < context->constant_cnt; i++) {
		buf_putc(out, ',');
		text_put_json_string(out, context->constants[i].key);
		buf_putc(out, ':');
		text_put_json_string(out, context->constants[i].value);
	}
	buf_putc(out, '}');
}

static void put_own(const struct gate_entry *entry, const struct alert_context *context,
		    struct buf *out)
{
	buf_puts(out, ",\"haetae\":{\"version\":");
	text_put_json_string(out, str_from(context->version));
	put_string("rule_file", entry->rule->file, out);
	buf_puts(out, ",\"container\":");
	if (is_container(entry)) {
		buf_puts(out, "{\"id\":");
		text_put_json_string(out, str_from(entry->container_id));
		put_string("name", str_from(entry->container_name), out);
		buf_putc(out, '}');
	} else {
		buf_puts(out, "null");
	}
	buf_printf(out,
		   ",\"summary\":{\"suppressed\":%llu,\"throttled\":%llu,\"deduplicated\":%llu",
		   (unsigned long long)suppressed(entry), (unsigned long long)entry->throttled,
		   (unsigned long long)entry->deduplicated);
	put_time("first", entry->first_wall_ns, out);
	put_time("last", entry->last_wall_ns, out);
	buf_puts(out, ",\"samples\":[");
	for (uint32_t i = 0; i < entry->sample_cnt; i++) {
		buf_puts(out, i ? "," : "");
		text_put_json_string(out, entry->samples[i]);
	}
	buf_puts(out, "]}}");
}

static void put_json(const struct gate_entry *entry, const struct alert_context *context,
		     struct str message, struct buf *out)
{
	const struct rule *rule = entry->rule;
	const struct field_context *fields = context->fields;

	buf_printf(out, "{\"uuid\":\"%s\"", entry->uuid);
	put_time("time", entry->last_wall_ns, out);
	put_string("rule", rule->name, out);
	put_string("priority", str_from(priority_name(rule->priority)), out);
	put_string("source", str_from(fields->source ?: ""), out);
	put_string("hostname", str_from(fields->hostname ?: ""), out);
	buf_puts(out, ",\"tags\":[");
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_puts(out, i ? "," : "");
		text_put_json_string(out, rule->tags[i]);
	}
	buf_puts(out, "],\"output\":\"");
	put_head(entry, out);
	text_put_json(out, message);
	buf_putc(out, '"');
	put_output_fields(entry, context, out);
	put_own(entry, context, out);
	buf_putc(out, '}');
}

struct alert *gate_summary(const struct gate_entry *entry, const struct alert_context *context)
{
	_cleanup_(buf_done) struct buf message, text, json, tags;
	const struct rule *rule = entry->rule;

	buf_init(&message, SUMMARY_MAX);
	buf_init(&text, SUMMARY_MAX);
	buf_init(&json, SUMMARY_MAX);
	buf_init(&tags, SUMMARY_MAX);
	put_message(entry, &message);
	put_head(entry, &text);
	text_put_line(&text, buf_str(&message));
	put_json(entry, context, buf_str(&message), &json);
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_put_str(&tags, rule->tags[i]);
		buf_putc(&tags, 0);
	}
	if (message.failed || text.failed || json.failed || tags.failed)
		return NULL;
	return alert_restore(&(struct alert_parts){
		.wall_ns = entry->last_wall_ns,
		.priority = rule->priority,
		.uuid = str_from(entry->uuid),
		.rule = rule->name,
		.tags = buf_str(&tags),
		.text = buf_str(&text),
		.json = buf_str(&json),
	});
}
