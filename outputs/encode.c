/*
 * Reads an alert's JSON, and the formats that wrap it whole: Falco's, CloudEvents, Elasticsearch's
 * bulk, Splunk's event collector, plain text. The others have a file each. Owns what struct
 * encode_alert says. Outputs thread.
 */
#include "encode.h"

#include <errno.h>
#include <json.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#include "template_body.h"

/* ---- reading -------------------------------------------------------------------------------- */

struct str encode_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return STR_NONE;
	return (struct str){ json_object_get_string(value),
			     (uint32_t)json_object_get_string_len(value) };
}

struct str encode_text_of(struct json_object *value)
{
	size_t n;
	const char *text;

	if (json_object_is_type(value, json_type_string))
		return (struct str){ json_object_get_string(value),
				     (uint32_t)json_object_get_string_len(value) };
	text = json_object_to_json_string_length(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	return text ? (struct str){ text, (uint32_t)n } : STR_NONE;
}

static struct json_object *member(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static struct str first_string(struct json_object *object, const char *key,
			       struct json_object *fields, const char *field)
{
	struct str text = encode_string(object, key);

	return text.p ? text : encode_string(fields, field);
}

static int parse(struct str json, struct json_object **ret)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	bool is_whole, is_memory;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, json.p, (int)json.n);
	is_whole = json_tokener_get_error(tokener) == json_tokener_success &&
		   json_tokener_get_parse_end(tokener) == json.n &&
		   json_object_is_type(object, json_type_object);
	is_memory = errno == ENOMEM && !object;
	json_tokener_free(tokener);
	if (is_whole) {
		*ret = object;
		return 0;
	}
	json_object_put(object);
	return is_memory ? -ENOMEM : ENCODE_E_INVALID;
}

/* What is put between others' braces must be one line that begins and ends with its own. */
static bool is_one_line_object(struct str json)
{
	return json.n >= 2 && json.n <= INT32_MAX && json.p[0] == '{' &&
	       json.p[json.n - 1] == '}' && !memchr(json.p, '\n', json.n) &&
	       !memchr(json.p, '\0', json.n);
}

int encode_alert_read(const struct alert *alert, struct encode_alert *ret)
{
	struct encode_alert read = { .alert = alert };
	struct json_object *container, *pod;
	int r;

	if (!is_one_line_object(alert->json))
		return ENCODE_E_INVALID;
	errno = 0;
	r = parse(alert->json, &read.object);
	if (r != 0)
		return r;
	read.tags = member(read.object, "tags", json_type_array);
	read.fields = member(read.object, "output_fields", json_type_object);
	read.own = member(read.object, "haetae", json_type_object);
	read.source = encode_string(read.object, "source");
	read.hostname = encode_string(read.object, "hostname");
	read.output = encode_string(read.object, "output");
	container = member(read.own, "container", json_type_object);
	pod = member(read.own, "k8s", json_type_object);
	read.namespace_name = first_string(pod, "namespace", read.fields, "k8s.ns.name");
	read.pod = first_string(pod, "pod", read.fields, "k8s.pod.name");
	read.container_id = first_string(container, "id", read.fields, "container.id");
	read.container_name = first_string(container, "name", read.fields, "container.name");
	read.image = first_string(container, "image", read.fields, "container.image");
	*ret = read;
	return 0;
}

void encode_alert_done(struct encode_alert *alert)
{
	json_object_put(alert->object);
	*alert = (struct encode_alert){ 0 };
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* At most max characters, no character cut in two. */
static struct str first_chars(struct str text, uint32_t max)
{
	const char *p = text.p, *end = text.p + text.n;

	for (uint32_t i = 0; i < max && p < end; i++) {
		unsigned n = utf8_sequence(p, end);

		p += n ? n : 1;
	}
	return (struct str){ text.p, (uint32_t)(p - text.p) };
}

void encode_put_line(struct str text, uint32_t max_chars, struct buf *out)
{
	struct buf line;
	struct str shown;

	buf_init(&line, 64u << 20);
	text_put_line(&line, text.p ? text : STR(""));
	shown = first_chars(buf_str(&line), max_chars);
	if (shown.n < line.n)
		shown = first_chars(buf_str(&line), max_chars - 1);
	buf_putc(out, '"');
	text_put_json(out, shown);
	buf_puts(out, shown.n < line.n ? "…\"" : "\"");
	out->failed |= line.failed;
	buf_done(&line);
}

void encode_put_uri(struct str text, struct buf *out)
{
	/* RFC 3986 section 2.3. */
	for (uint32_t i = 0; i < text.n; i++) {
		char c = text.p[i], lower = (char)(c | 0x20);

		if ((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
		    (c && strchr("-._~", c)))
			buf_putc(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}

/* ---- formats that take the object whole ------------------------------------------------------ */

static void put_text(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		text_put_line(out, alerts[i].alert->text);
		buf_putc(out, '\n');
	}
}

static void put_objects(const struct encoder *encoder, const struct encode_alert *alerts,
			uint32_t cnt, struct buf *out,
			void (*put_one)(const struct encode_alert *alert, struct buf *out))
{
	if (encoder->is_array)
		buf_putc(out, '[');
	for (uint32_t i = 0; i < cnt; i++) {
		if (i)
			buf_putc(out, ',');
		put_one(&alerts[i], out);
	}
	if (encoder->is_array)
		buf_putc(out, ']');
}

static void put_one_json(const struct encode_alert *alert, struct buf *out)
{
	buf_put_str(out, alert->alert->json);
}

/* Falcosidekick reads one object a request. */
static void put_json(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out)
{
	put_objects(encoder, alerts, cnt, out, put_one_json);
}

/* CloudEvents 1.0 (spec.md section "Context Attributes", json-format.md). A string attribute holds
 * no control characters, hence the line. */
static void put_one_cloudevent(const struct encode_alert *alert, struct buf *out)
{
	buf_printf(out, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"haetae://",
		   alert->alert->uuid);
	encode_put_uri(alert->hostname.n ? alert->hostname : STR("unknown"), out);
	buf_puts(out, "\",\"type\":\"haetae.alert.v1\",\"subject\":");
	encode_put_line(alert->alert->rule, 256, out);
	buf_puts(out, ",\"time\":\"");
	clock_put_rfc3339(out, alert->alert->wall_ns);
	buf_printf(out, "\",\"priority\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":",
		   priority_name(alert->alert->priority));
	buf_put_str(out, alert->alert->json);
	buf_putc(out, '}');
}

static void put_cloudevents(const struct encoder *encoder, const struct encode_alert *alerts,
			    uint32_t cnt, struct buf *out)
{
	put_objects(encoder, alerts, cnt, out, put_one_cloudevent);
}

/* An action and a document a line. "create" fails with 409 where the id exists: what was sent twice
 * is there once. */
static void put_elasticsearch(const struct encoder *encoder, const struct encode_alert *alerts,
			      uint32_t cnt, struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		struct str json = alerts[i].alert->json;

		buf_printf(out, "{\"create\":{\"_id\":\"%s\"}}\n{\"@timestamp\":\"",
			   alerts[i].alert->uuid);
		clock_put_rfc3339(out, alerts[i].alert->wall_ns);
		buf_puts(out, json_object_object_length(alerts[i].object) ? "\"," : "\"");
		buf_put(out, json.p + 1, json.n - 1);
		buf_putc(out, '\n');
	}
}

static void put_hec_field(const char *key, struct str value, struct buf *out)
{
	if (!value.n)
		return;
	buf_printf(out, ",\"%s\":", key);
	text_put_json_string(out, value);
}

/* Splunk's "Format events for HTTP Event Collector": time in seconds with milliseconds, fields flat
 * and of strings, events one behind the other. */
static void put_splunk_hec(const struct encoder *encoder, const struct encode_alert *alerts,
			   uint32_t cnt, struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		const struct alert *alert = alerts[i].alert;

		buf_printf(out, "{\"time\":%llu.%03llu",
			   (unsigned long long)(alert->wall_ns / NS_PER_SEC),
			   (unsigned long long)(alert->wall_ns % NS_PER_SEC / NS_PER_MS));
		put_hec_field("host", alerts[i].hostname, out);
		buf_puts(out, ",\"source\":\"haetae\",\"sourcetype\":\"_json\",\"event\":");
		buf_put_str(out, alert->json);
		buf_printf(out, ",\"fields\":{\"uuid\":\"%s\"", alert->uuid);
		put_hec_field("rule", alert->rule, out);
		put_hec_field("priority", str_from(priority_name(alert->priority)), out);
		put_hec_field("namespace", alerts[i].namespace_name, out);
		put_hec_field("pod", alerts[i].pod, out);
		buf_puts(out, "}}\n");
	}
}

static void put_template(const struct encoder *encoder, const struct encode_alert *alerts,
			 uint32_t cnt, struct buf *out)
{
	for (uint32_t i = 0; i < cnt; i++)
		template_body_format(encoder->template_body, &alerts[i], out);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct encode_format formats[] = {
	[SINK_TEXT] = { "text/plain; charset=utf-8", NULL, 1, 1000, false, put_text },
	[SINK_JSON] = { "application/json", NULL, 1, 1000, true, put_json },
	/* Batches must not be sent where nobody asked for them (http-protocol-binding.md 3.3). */
	[SINK_CLOUDEVENTS] = { "application/cloudevents+json; charset=utf-8",
		"application/cloudevents-batch+json; charset=utf-8", 1, 1000, true, put_cloudevents },
	[SINK_ALERTMANAGER] = { "application/json", NULL, 100, 1000, false, encode_put_alertmanager },
	/* Slack advises against more than 20 attachments. */
	[SINK_SLACK] = { "application/json", NULL, 20, 20, false, encode_put_slack },
	[SINK_OTLP] = { "application/json", NULL, 100, 1000, false, encode_put_otlp },
	[SINK_ELASTICSEARCH] = { "application/x-ndjson", NULL, 100, 1000, false, put_elasticsearch },
	[SINK_LOKI] = { "application/json", NULL, 100, 1000, false, encode_put_loki },
	[SINK_SPLUNK_HEC] = { "application/json", NULL, 100, 1000, false, put_splunk_hec },
	[SINK_TEMPLATE] = { NULL, NULL, 1, 1, false, put_template },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(formats) == SINK_FORMAT__COUNT, "a row for each format");

const struct encode_format *encode_format(enum sink_format format)
{
	return &formats[format];
}

const char *encode_content_type(const struct encoder *encoder)
{
	const struct encode_format *format = encoder->format;

	return encoder->is_array && format->content_type_of_array ? format->content_type_of_array
								  : format->content_type;
}

void encode_body(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		 struct buf *out)
{
	encoder->format->put(encoder, alerts, cnt, out);
}
