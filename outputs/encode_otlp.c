/*
 * OpenTelemetry logs, OTLP/HTTP with JSON (opentelemetry-proto, logs/v1/logs.proto and "JSON
 * Protobuf Encoding" of the OTLP specification: lowerCamelCase names, 64-bit integers as strings,
 * enums as numbers). Owns nothing. Outputs thread.
 */
#include "encode.h"

#include <json.h>

#include "haetae/text.h"

/* Log data model, appendix B, the column of Syslog. */
static const unsigned char severity_numbers[] = {
	[PRIORITY_EMERGENCY] = 21,    [PRIORITY_ALERT] = 19,   [PRIORITY_CRITICAL] = 18,
	[PRIORITY_ERROR] = 17,	      [PRIORITY_WARNING] = 13, [PRIORITY_NOTICE] = 10,
	[PRIORITY_INFORMATIONAL] = 9, [PRIORITY_DEBUG] = 5,
};
_Static_assert(ARRAY_LEN(severity_numbers) == PRIORITY__COUNT, "a number for each priority");

static void put_string_value(struct str text, struct buf *out)
{
	buf_puts(out, "{\"stringValue\":");
	text_put_json_string(out, text);
	buf_putc(out, '}');
}

static void put_value(struct json_object *value, struct buf *out);

static void put_array(struct json_object *array, struct buf *out)
{
	size_t cnt = json_object_array_length(array);

	buf_puts(out, "{\"arrayValue\":{\"values\":[");
	for (size_t i = 0; i < cnt; i++) {
		if (i)
			buf_putc(out, ',');
		put_value(json_object_array_get_idx(array, i), out);
	}
	buf_puts(out, "]}}");
}

static void put_attribute_key(struct str key, struct buf *out)
{
	encode_put_comma('[', out);
	buf_puts(out, "{\"key\":");
	text_put_json_string(out, key);
	buf_puts(out, ",\"value\":");
}

/* What is null is left out: an attribute has a value. So is what is_left_out() names. */
static void put_members(struct json_object *object, bool (*is_left_out)(const char *key),
			struct buf *out)
{
	struct json_object_iterator at = json_object_iter_begin(object),
				    end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct json_object *value = json_object_iter_peek_value(&at);

		if (!value || (is_left_out && is_left_out(json_object_iter_peek_name(&at))))
			continue;
		put_attribute_key(str_from(json_object_iter_peek_name(&at)), out);
		put_value(value, out);
		buf_putc(out, '}');
	}
}

/* AnyValue of common/v1/common.proto. As deep as json-c lets an alert be, which is 32. */
static void put_value(struct json_object *value, struct buf *out)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		buf_puts(out, "{}");
		break;
	case json_type_boolean:
		buf_printf(out, "{\"boolValue\":%s}",
			   json_object_get_boolean(value) ? "true" : "false");
		break;
	case json_type_int:
		buf_printf(out, "{\"intValue\":\"%.*s\"}", STR_ARG(encode_text_of(value)));
		break;
	case json_type_double:
		buf_printf(out, "{\"doubleValue\":%.*s}", STR_ARG(encode_text_of(value)));
		break;
	case json_type_array:
		put_array(value, out);
		break;
	case json_type_object:
		buf_puts(out, "{\"kvlistValue\":{\"values\":[");
		put_members(value, NULL, out);
		buf_puts(out, "]}}");
		break;
	case json_type_string:
	default:
		put_string_value(encode_text_of(value), out);
	}
}

static void put_text_attribute(const char *key, struct str value, struct buf *out)
{
	if (!value.n)
		return;
	put_attribute_key(str_from(key), out);
	put_string_value(value, out);
	buf_putc(out, '}');
}

static void put_json_attribute(const char *key, struct json_object *value, struct buf *out)
{
	if (!value)
		return;
	put_attribute_key(str_from(key), out);
	put_value(value, out);
	buf_putc(out, '}');
}

/* Keys must be unique: a field of such a name gives way to what is put below. Semantic conventions
 * name them. */
static bool is_ours(const char *key)
{
	static const char *const names[] = { "log.record.uid", "k8s.namespace.name", "k8s.pod.name",
					     "container.id", "container.name" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(key, names[i]) == 0)
			return true;
	return strncmp(key, "haetae.", 7) == 0;
}

static void put_attributes(const struct encode_alert *alert, struct buf *out)
{
	put_text_attribute("log.record.uid", str_from(alert->alert->uuid), out);
	put_text_attribute("haetae.rule", alert->alert->rule, out);
	put_text_attribute("haetae.priority", str_from(priority_name(alert->alert->priority)), out);
	put_text_attribute("haetae.source", alert->source, out);
	put_json_attribute("haetae.tags", alert->tags, out);
	put_text_attribute("k8s.namespace.name", alert->namespace_name, out);
	put_text_attribute("k8s.pod.name", alert->pod, out);
	put_text_attribute("container.id", alert->container_id, out);
	put_text_attribute("container.name", alert->container_name, out);
	if (alert->fields)
		put_members(alert->fields, is_ours, out);
	put_json_attribute("haetae.alert", alert->own, out);
}

static void put_record(const struct encode_alert *alert, struct buf *out)
{
	unsigned long long time_ns = alert->alert->wall_ns;

	buf_printf(out,
		   "{\"timeUnixNano\":\"%llu\",\"observedTimeUnixNano\":\"%llu\","
		   "\"severityNumber\":%u,\"severityText\":\"%s\",\"body\":",
		   time_ns, time_ns, (unsigned)severity_numbers[alert->alert->priority],
		   priority_name(alert->alert->priority));
	put_string_value(alert->output.p ? alert->output : STR(""), out);
	buf_puts(out, ",\"attributes\":[");
	put_attributes(alert, out);
	buf_puts(out, "]}");
}

static void put_resource(const struct encode_alert *alert, struct buf *out)
{
	buf_puts(out, "{\"resource\":{\"attributes\":[");
	put_text_attribute("service.name", STR("haetae"), out);
	put_text_attribute("service.version", encode_string(alert->own, "version"), out);
	put_text_attribute("host.name", alert->hostname, out);
	buf_puts(out, "]},\"scopeLogs\":[{\"scope\":{\"name\":\"haetae\"},\"logRecords\":[");
}

/* Alerts that waited in the spool may have the name that the host had then. */
static bool is_same_resource(const struct encode_alert *a, const struct encode_alert *b)
{
	return str_eq(a->hostname, b->hostname) &&
	       str_eq(encode_string(a->own, "version"), encode_string(b->own, "version"));
}

void encode_put_otlp(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out)
{
	buf_puts(out, "{\"resourceLogs\":[");
	for (uint32_t i = 0; i < cnt; i++) {
		if (i && is_same_resource(&alerts[i - 1], &alerts[i])) {
			buf_putc(out, ',');
		} else {
			buf_puts(out, i ? "]}]}," : "");
			put_resource(&alerts[i], out);
		}
		put_record(&alerts[i], out);
	}
	buf_puts(out, "]}]}]}");
}
