/*
 * Payloads: each format by its published fields, the golden bytes of all, and that hostile alerts
 * stay within their strings.
 */
#include <criterion/criterion.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "encode.h"
#include "payload_fixture.h"

static void read_all(struct alert **alerts, struct encode_alert *ret)
{
	for (unsigned i = 0; i < FIXTURE__COUNT; i++) {
		alerts[i] = fixture_alert(i);
		cr_assert_eq(encode_alert_read(alerts[i], &ret[i]), 0, "fixture %u", i);
	}
}

static void free_all(struct alert **alerts, struct encode_alert *read)
{
	for (unsigned i = 0; i < FIXTURE__COUNT; i++) {
		encode_alert_done(&read[i]);
		alert_free(alerts[i]);
	}
}

/* Alerts first .. first + cnt of the fixture, as one body. */
static void encode(enum sink_format format, bool is_array, unsigned first, unsigned cnt,
		   struct buf *out)
{
	const struct encoder encoder = { .format = encode_format(format),
					 .is_array = is_array && encode_format(format)->has_array };
	struct alert *alerts[FIXTURE__COUNT];
	struct encode_alert read[FIXTURE__COUNT];

	buf_init(out, 1 << 20);
	read_all(alerts, read);
	encode_body(&encoder, read + first, cnt, out);
	cr_assert(!out->failed);
	free_all(alerts, read);
}

static struct json_object *parse(struct str text, const char *name)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	cr_assert_eq(json_tokener_get_error(tokener), json_tokener_success, "%s: not JSON: %.*s",
		     name, STR_ARG(text));
	json_tokener_free(tokener);
	return value;
}

/* ---- golden --------------------------------------------------------------------------------- */

static void compare_golden(const char *name, struct str text)
{
	char path[512], *content = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/payload_%s.txt", GOLDEN_DIR, name);
	if (getenv("HAETAE_UPDATE_GOLDEN")) {
		file = fopen(path, "we");
		cr_assert(file && fwrite(text.p, 1, text.n, file) == text.n);
		fclose(file);
		return;
	}
	file = fopen(path, "re");
	cr_assert(file != NULL, "%s is missing", path);
	cr_assert(getdelim(&content, &size, '\0', file) > 0);
	fclose(file);
	cr_expect(strlen(content) == text.n && memcmp(content, text.p, text.n) == 0,
		  "%s is stale; now:\n%.*s", path, STR_ARG(text));
	free(content);
}

Test(encode, golden)
{
	static const struct {
		const char *name;
		enum sink_format format;
		bool is_array;
		unsigned cnt;
	} cases[] = {
		{ "text", SINK_TEXT, false, 3 },
		{ "json", SINK_JSON, false, 1 },
		{ "json_array", SINK_JSON, true, 3 },
		{ "cloudevents", SINK_CLOUDEVENTS, false, 1 },
		{ "cloudevents_batch", SINK_CLOUDEVENTS, true, 3 },
		{ "alertmanager", SINK_ALERTMANAGER, false, 3 },
		{ "slack", SINK_SLACK, false, 1 },
		{ "slack_batch", SINK_SLACK, false, 3 },
		{ "otlp", SINK_OTLP, false, 3 },
		{ "elasticsearch", SINK_ELASTICSEARCH, false, 3 },
		{ "loki", SINK_LOKI, false, 3 },
		{ "splunk_hec", SINK_SPLUNK_HEC, false, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf body;

		encode(cases[i].format, cases[i].is_array, 0, cases[i].cnt, &body);
		compare_golden(cases[i].name, buf_str(&body));
		buf_done(&body);
	}
}

/* ---- field by field ------------------------------------------------------------------------- */

/* "streams.0.stream.rule"; a key with dots is written with ~ for each. NULL where there is none. */
static struct json_object *find(struct json_object *value, const char *path)
{
	char key[128];

	while (*path && value) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		for (char *p = key; *p; p++)
			*p = *p == '~' ? '.' : *p;
		if (json_object_is_type(value, json_type_array))
			value = json_object_array_get_idx(value, strtoul(key, NULL, 10));
		else if (!json_object_object_get_ex(value, key, &value))
			return NULL;
		path += n + (path[n] == '.');
	}
	return value;
}

struct field_case {
	enum sink_format format;
	bool is_array;
	const char *path;
	const char *json; /* as json-c prints it; NULL: there is no such field */
};

/* clang-format off */
static const struct field_case fields[] = {
	/* Falco: what falcosidekick's types.FalcoPayload reads */
	{ SINK_JSON, false, "output", "\"22:15:00.123456789: Warning Sensitive file read (file=/etc/shadow)\"" },
	{ SINK_JSON, false, "priority", "\"Warning\"" },
	{ SINK_JSON, false, "rule", "\"Read sensitive file\"" },
	{ SINK_JSON, false, "time", "\"2023-11-14T22:15:00.123456789Z\"" },
	{ SINK_JSON, false, "source", "\"syscall\"" },
	{ SINK_JSON, false, "hostname", "\"host-1\"" },
	{ SINK_JSON, false, "tags.1", "\"T1003\"" },
	{ SINK_JSON, false, "output_fields.fd~name", "\"/etc/shadow\"" },
	{ SINK_JSON, true, "0.rule", "\"Read sensitive file\"" },
	/* CloudEvents 1.0: required attributes, then the optional ones, then our extension */
	{ SINK_CLOUDEVENTS, false, "specversion", "\"1.0\"" },
	{ SINK_CLOUDEVENTS, false, "id", "\"85c3126a-2861-88b8-a529-00a901c62e31\"" },
	{ SINK_CLOUDEVENTS, false, "source", "\"haetae://host-1\"" },
	{ SINK_CLOUDEVENTS, false, "type", "\"haetae.alert.v1\"" },
	{ SINK_CLOUDEVENTS, false, "subject", "\"Read sensitive file\"" },
	{ SINK_CLOUDEVENTS, false, "time", "\"2023-11-14T22:15:00.123456789Z\"" },
	{ SINK_CLOUDEVENTS, false, "datacontenttype", "\"application/json\"" },
	{ SINK_CLOUDEVENTS, false, "priority", "\"Warning\"" },
	{ SINK_CLOUDEVENTS, false, "data.output_fields.proc~pid", "4711" },
	{ SINK_CLOUDEVENTS, true, "1.source", "\"haetae://host%201%2F%C3%A9\"" },
	{ SINK_CLOUDEVENTS, true, "2.source", "\"haetae://unknown\"" },
	/* Alertmanager: openapi.yaml, postableAlert; labels of decision 33 and no others */
	{ SINK_ALERTMANAGER, false, "0.labels", "{\"alertname\":\"Read sensitive file\",\"rule\":\"Read sensitive file\","
		"\"priority\":\"Warning\",\"namespace\":\"shop\",\"pod\":\"web-7d9c\"}" },
	{ SINK_ALERTMANAGER, false, "1.labels.namespace", NULL },
	{ SINK_ALERTMANAGER, false, "0.startsAt", "\"2023-11-14T22:15:00.123456789Z\"" },
	{ SINK_ALERTMANAGER, false, "0.endsAt", NULL },
	{ SINK_ALERTMANAGER, false, "0.annotations.summary", "\"Read sensitive file on host-1\"" },
	{ SINK_ALERTMANAGER, false, "0.annotations.description", "\"22:15:00.123456789: Warning Sensitive file read (file=/etc/shadow)\"" },
	{ SINK_ALERTMANAGER, false, "0.annotations.tags", "\"filesystem, T1003\"" },
	{ SINK_ALERTMANAGER, false, "0.annotations.proc_pid", "\"4711\"" },
	{ SINK_ALERTMANAGER, false, "0.annotations.user_name", NULL },
	{ SINK_ALERTMANAGER, false, "0.annotations.proc_aname", "\"[\\\"sh\\\",\\\"runc\\\"]\"" },
	{ SINK_ALERTMANAGER, false, "1.annotations.fd_name", "\"a\"" },
	{ SINK_ALERTMANAGER, false, "1.annotations.summary", "\"a \\\"rule\\\" <b> on host 1/é\"" },
	/* Slack: attachments, legacy fields; nothing in it is markup */
	{ SINK_SLACK, false, "text", "\"3 alerts\"" },
	{ SINK_SLACK, false, "mrkdwn", "false" },
	{ SINK_SLACK, false, "unfurl_links", "false" },
	{ SINK_SLACK, false, "attachments.0.color", "\"#f2a900\"" },
	{ SINK_SLACK, false, "attachments.0.fallback", "\"Warning: Read sensitive file on host-1\"" },
	{ SINK_SLACK, false, "attachments.0.ts", "1700000100" },
	{ SINK_SLACK, false, "attachments.0.mrkdwn_in", "[]" },
	{ SINK_SLACK, false, "attachments.0.fields.3", "{\"title\":\"Pod\",\"value\":\"web-7d9c\",\"short\":true}" },
	{ SINK_SLACK, false, "attachments.1.title", "\"a \\\"rule\\\" &lt;b&gt;\"" },
	{ SINK_SLACK, false, "attachments.1.text",
		"\"run &lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; \\\"q\\\" \\\\x1b[31m \\\\u{202e} \\\\u{2028} \\\\u{200b} end\\\\\"" },
	/* OTLP: logs.proto in protobuf's JSON */
	{ SINK_OTLP, false, "resourceLogs.0.resource.attributes.0", "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"haetae\"}}" },
	{ SINK_OTLP, false, "resourceLogs.0.resource.attributes.2", "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"host-1\"}}" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.scope.name", "\"haetae\"" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.timeUnixNano", "\"1700000100123456789\"" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.observedTimeUnixNano", "\"1700000100123456789\"" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.severityNumber", "13" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.severityText", "\"Warning\"" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.body.stringValue",
		"\"22:15:00.123456789: Warning Sensitive file read (file=/etc/shadow)\"" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.attributes.0",
		"{\"key\":\"log.record.uid\",\"value\":{\"stringValue\":\"85c3126a-2861-88b8-a529-00a901c62e31\"}}" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.attributes.4",
		"{\"key\":\"haetae.tags\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"filesystem\"},{\"stringValue\":\"T1003\"}]}}}" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.attributes.10", "{\"key\":\"proc.pid\",\"value\":{\"intValue\":\"4711\"}}" },
	{ SINK_OTLP, false, "resourceLogs.0.scopeLogs.0.logRecords.0.attributes.11",
		"{\"key\":\"proc.is_exe_upper_layer\",\"value\":{\"boolValue\":true}}" },
	{ SINK_OTLP, false, "resourceLogs.1.resource.attributes.2.value.stringValue", "\"host 1/é\"" },
	/* Loki: push API */
	{ SINK_LOKI, false, "streams.0.stream", "{\"rule\":\"Read sensitive file\",\"priority\":\"Warning\",\"namespace\":\"shop\",\"pod\":\"web-7d9c\"}" },
	{ SINK_LOKI, false, "streams.0.values.0.0", "\"1700000100123456789\"" },
	{ SINK_LOKI, false, "streams.2.values.0.1", "\"{}\"" },
	/* Splunk: event metadata of HEC; the first of the objects */
	{ SINK_SPLUNK_HEC, false, "time", "1700000100.123" },
	{ SINK_SPLUNK_HEC, false, "host", "\"host-1\"" },
	{ SINK_SPLUNK_HEC, false, "source", "\"haetae\"" },
	{ SINK_SPLUNK_HEC, false, "sourcetype", "\"_json\"" },
	{ SINK_SPLUNK_HEC, false, "event.rule", "\"Read sensitive file\"" },
	{ SINK_SPLUNK_HEC, false, "fields.pod", "\"web-7d9c\"" },
	/* Elasticsearch: the first action */
	{ SINK_ELASTICSEARCH, false, "create", "{\"_id\":\"85c3126a-2861-88b8-a529-00a901c62e31\"}" },
};
/* clang-format on */

Test(encode, fields)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct field_case *one = &fields[i];
		bool is_single = !one->is_array && encode_format(one->format)->has_array;
		struct json_object *value, *found;
		const char *text;
		struct buf body;

		encode(one->format, one->is_array, 0, is_single ? 1 : FIXTURE__COUNT, &body);
		/* The first of several documents. */
		value = parse((struct str){ body.p, (uint32_t)strcspn(body.p, "\n") }, one->path);
		found = find(value, one->path);
		text = found ? json_object_to_json_string_ext(
				       found,
				       JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;
		if (one->json)
			cr_expect(text && strcmp(text, one->json) == 0, "%s: %s, not %s", one->path,
				  text ? text : "nothing", one->json);
		else
			cr_expect(!text, "%s: %s, not absent", one->path, text);
		json_object_put(value);
		buf_done(&body);
	}
}

/* Lines in pairs: an action, a document that has the alert's keys and @timestamp. */
Test(encode, bulk_is_lines)
{
	struct buf body;
	unsigned line_cnt = 0;

	encode(SINK_ELASTICSEARCH, false, 0, FIXTURE__COUNT, &body);
	cr_assert_eq(body.p[body.n - 1], '\n');
	for (char *line = strtok(body.p, "\n"); line; line = strtok(NULL, "\n")) {
		struct json_object *value = parse(str_from(line), line);
		const char *key = line_cnt++ % 2 ? "@timestamp" : "create";

		cr_expect(json_object_object_get_ex(value, key, NULL), "%s in %s", key, line);
		json_object_put(value);
	}
	cr_expect_eq(line_cnt, 2 * FIXTURE__COUNT);
	buf_done(&body);
}

/* Alerts of one stream stand together, in their order, and no alert is twice there. */
Test(encode, loki_groups)
{
	const struct encoder encoder = { .format = encode_format(SINK_LOKI) };
	struct alert *pod = fixture_alert(FIXTURE_POD), *bare = fixture_alert(FIXTURE_BARE);
	struct encode_alert alerts[4];
	struct json_object *value;
	struct buf body;

	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(encode_alert_read(i % 2 ? bare : pod, &alerts[i]), 0);
	buf_init(&body, 1 << 20);
	encode_body(&encoder, alerts, 4, &body);
	value = parse(buf_str(&body), "loki");
	cr_expect_eq(json_object_array_length(find(value, "streams")), 2);
	cr_expect_eq(json_object_array_length(find(value, "streams.0.values")), 2);
	cr_expect_eq(json_object_array_length(find(value, "streams.1.values")), 2);
	json_object_put(value);
	buf_done(&body);
	for (unsigned i = 0; i < 4; i++)
		encode_alert_done(&alerts[i]);
	alert_free(pod);
	alert_free(bare);
}

/* What people read in a chat holds no character that drives a terminal or turns text around. */
Test(encode, chat_is_harmless)
{
	static const enum sink_format formats[] = { SINK_SLACK, SINK_ALERTMANAGER };
	static const char *const forbidden[] = { "\\u001b",	 "\x1b",	 "\xe2\x80\xae",
						 "\xe2\x80\xa8", "\xe2\x80\x8b", "\\u202e",
						 "\\u0000" };

	for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
		struct buf body;

		encode(formats[f], false, 0, FIXTURE__COUNT, &body);
		for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
			cr_expect(!strstr(body.p, forbidden[i]), "format %u has %s: %s",
				  (unsigned)formats[f], forbidden[i], body.p);
		if (formats[f] == SINK_SLACK)
			cr_expect(!strpbrk(body.p, "<>"), "%s", body.p);
		buf_done(&body);
	}
}

static struct alert *long_alert(const char *piece, unsigned cnt)
{
	struct alert_parts parts = {
		.wall_ns = 1, .uuid = STR("u"), .rule = STR("r"), .text = STR("t")
	};
	struct alert *alert;
	struct buf json;

	buf_init(&json, 4 << 20);
	buf_puts(&json, "{\"output\":\"");
	for (unsigned i = 0; i < cnt; i++)
		buf_puts(&json, piece);
	buf_puts(&json, "\"}");
	parts.json = buf_str(&json);
	alert = alert_restore(&parts);
	buf_done(&json);
	return alert;
}

/* Cut to the receiver's limit, in characters, between characters and entities. */
Test(encode, cut)
{
	static const struct {
		const char *name, *piece;
		unsigned cnt;
		enum sink_format format;
		const char *path;
		size_t max_bytes;
		const char *end;
	} cases[] = {
		{ "just fits", "x", 3000, SINK_SLACK, "attachments.0.text", 3000, "xxxx" },
		{ "one more", "x", 3001, SINK_SLACK, "attachments.0.text", 3002, "xx…" },
		{ "entities", "&", 4000, SINK_SLACK, "attachments.0.text", 3003, "&amp;…" },
		{ "characters", "é", 4000, SINK_SLACK, "attachments.0.text", 6001, "éé…" },
		{ "annotation", "é", 5000, SINK_ALERTMANAGER, "0.annotations.description", 8193,
		  "éé…" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct encoder encoder = { .format = encode_format(cases[i].format) };
		struct alert *alert = long_alert(cases[i].piece, cases[i].cnt);
		struct encode_alert read;
		struct json_object *value;
		struct buf body;
		struct str text;

		cr_assert_eq(encode_alert_read(alert, &read), 0, "%s", cases[i].name);
		buf_init(&body, 1 << 20);
		encode_body(&encoder, &read, 1, &body);
		value = parse(buf_str(&body), cases[i].name);
		text = encode_text_of(find(value, cases[i].path));
		cr_expect(text.n <= cases[i].max_bytes, "%s: %u bytes", cases[i].name, text.n);
		cr_expect(str_ends_with(text, str_from(cases[i].end)), "%s: ends with %s",
			  cases[i].name, text.p + text.n - 12);
		json_object_put(value);
		buf_done(&body);
		encode_alert_done(&read);
		alert_free(alert);
	}
}

/* An alert that is no JSON object on one line would break what is put around it. */
Test(encode, invalid_alerts)
{
	static const char *const cases[] = { "",	 "{",	       "[]",   "null",
					     "{} {}",	 "{}x",	       " {}",  "{\n}",
					     "{\"a\":}", "{\"a\":1,}", "{}\n", "{\"a\":\"\xff\"}" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct alert *alert =
			alert_restore(&(struct alert_parts){ .uuid = STR("u"),
							     .rule = STR("r"),
							     .text = STR("t"),
							     .tags = STR(""),
							     .json = str_from(cases[i]) });
		struct encode_alert read;

		cr_expect_eq(encode_alert_read(alert, &read), ENCODE_E_INVALID, "%s", cases[i]);
		alert_free(alert);
	}
}

/* A body that does not fit says so; nothing is written beyond the limit. */
Test(encode, bounded)
{
	for (unsigned f = 0; f < SINK_TEMPLATE; f++) {
		const struct encoder encoder = { .format = encode_format((enum sink_format)f) };
		struct alert *alert = fixture_alert(FIXTURE_POD);
		struct encode_alert read;
		struct buf body;

		cr_assert_eq(encode_alert_read(alert, &read), 0);
		for (size_t max = 0; max < 60; max++) {
			buf_init(&body, max);
			encode_body(&encoder, &read, 1, &body);
			cr_expect(body.failed && body.n <= max, "format %u at %zu", f, max);
			buf_done(&body);
		}
		encode_alert_done(&read);
		alert_free(alert);
	}
}
