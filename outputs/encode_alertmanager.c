/*
 * Prometheus Alertmanager, POST /api/v2/alerts (api/v2/openapi.yaml, postableAlerts). Labels are
 * what tells alerts apart and what routes match, so they are few (decision 33); all else is an
 * annotation. Owns nothing. Outputs thread.
 *
 * No endsAt: Alertmanager then sets one, its resolve_timeout from when it gets the alert. One of
 * ours would have an alert that waited in the spool end before it comes.
 */
#include "encode.h"

#include <json.h>

#include "haetae/clock.h"

#define LABEL_CHARS	 256
#define ANNOTATION_CHARS 1024
#define OUTPUT_CHARS	 4096

static void put_pair(const char *key, struct str value, uint32_t max_chars, struct buf *out)
{
	if (!value.n)
		return;
	encode_put_comma('{', out);
	buf_printf(out, "\"%s\":", key);
	encode_put_line(value, max_chars, out);
}

static void put_labels(const struct encode_alert *alert, struct buf *out)
{
	struct str rule = alert->alert->rule;

	buf_puts(out, "{\"labels\":{");
	/* The name is required, and "rule" is what other receivers call it. */
	put_pair("alertname", rule.n ? rule : STR("unnamed"), LABEL_CHARS, out);
	put_pair("rule", rule, LABEL_CHARS, out);
	put_pair("priority", str_from(priority_name(alert->alert->priority)), LABEL_CHARS, out);
	put_pair("namespace", alert->namespace_name, LABEL_CHARS, out);
	put_pair("pod", alert->pod, LABEL_CHARS, out);
	buf_putc(out, '}');
}

/* "filesystem, T1003" */
static void put_tags(struct json_object *tags, struct buf *out)
{
	size_t cnt = tags ? json_object_array_length(tags) : 0;
	struct buf joined;

	buf_init(&joined, 64u << 10);
	for (size_t i = 0; i < cnt; i++) {
		buf_puts(&joined, i ? ", " : "");
		buf_put_str(&joined, encode_text_of(json_object_array_get_idx(tags, i)));
	}
	put_pair("tags", buf_str(&joined), ANNOTATION_CHARS, out);
	buf_done(&joined);
}

#define NAME_MAX_BYTES 128

/* Names of annotations are [a-zA-Z_][a-zA-Z0-9_]* up to Alertmanager 0.26. False where the key
 * does not fit. */
static bool annotation_name(const char *key, char ret[NAME_MAX_BYTES])
{
	size_t n = strlen(key);

	if (n == 0 || n >= NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i <= n; i++) {
		char c = key[i], lower = (char)(c | 0x20);
		bool is_fine = (lower >= 'a' && lower <= 'z') || (i > 0 && c >= '0' && c <= '9');

		ret[i] = is_fine || c == '\0' ? c : '_';
	}
	return true;
}

/* Each field by its name, unless another has the same already: "fd.name" before "fd_name". */
static void put_fields(const struct encode_alert *alert, struct json_object *taken, struct buf *out)
{
	struct json_object_iterator at = json_object_iter_begin(alert->fields),
				    end = json_object_iter_end(alert->fields);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct json_object *value = json_object_iter_peek_value(&at);
		char name[NAME_MAX_BYTES];

		if (!value || !annotation_name(json_object_iter_peek_name(&at), name) ||
		    json_object_object_get_ex(taken, name, NULL))
			continue;
		if (json_object_object_add(taken, name, NULL) < 0)
			out->failed = true;
		put_pair(name, encode_text_of(value), ANNOTATION_CHARS, out);
	}
}

static void put_annotations(const struct encode_alert *alert, struct buf *out)
{
	static const char *const own[] = { "summary", "description", "uuid", "hostname",
					   "source",  "tags",	     "image" };
	struct json_object *taken = json_object_new_object();
	struct buf summary;

	if (!taken) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (json_object_object_add(taken, own[i], NULL) < 0)
			out->failed = true;
	buf_init(&summary, 64u << 10);
	buf_put_str(&summary, alert->alert->rule);
	if (alert->hostname.n)
		buf_printf(&summary, " on %.*s", STR_ARG(alert->hostname));
	buf_puts(out, ",\"annotations\":{");
	put_pair("summary", buf_str(&summary), ANNOTATION_CHARS, out);
	put_pair("description", alert->output, OUTPUT_CHARS, out);
	put_pair("uuid", str_from(alert->alert->uuid), ANNOTATION_CHARS, out);
	put_pair("hostname", alert->hostname, ANNOTATION_CHARS, out);
	put_pair("source", alert->source, ANNOTATION_CHARS, out);
	put_tags(alert->tags, out);
	put_pair("image", alert->image, ANNOTATION_CHARS, out);
	if (alert->fields)
		put_fields(alert, taken, out);
	buf_putc(out, '}');
	buf_done(&summary);
	json_object_put(taken);
}

void encode_put_alertmanager(const struct encoder *encoder, const struct encode_alert *alerts,
			     uint32_t cnt, struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		buf_putc(out, i ? ',' : '[');
		put_labels(&alerts[i], out);
		put_annotations(&alerts[i], out);
		buf_puts(out, ",\"startsAt\":\"");
		clock_put_rfc3339(out, alerts[i].alert->wall_ns);
		buf_puts(out, "\"}");
	}
	buf_putc(out, ']');
}
