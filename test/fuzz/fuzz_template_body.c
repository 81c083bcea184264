/*
 * A user's payload: a byte that says whether it is JSON, the text, a NUL, an alert's JSON. What
 * compiles must give valid JSON for every alert, and a mistake must have its place in the text.
 */
#include <json.h>
#include <stdlib.h>

#include "encode.h"
#include "target.h"
#include "template_body.h"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_json(struct str text)
{
	struct json_tokener *tokener = json_tokener_new_ex(256);
	struct json_object *value;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL behind it, so that a number is at its end. */
	value = json_tokener_parse_ex(tokener, text.p, (int)text.n + 1);
	check(json_tokener_get_error(tokener) == json_tokener_success);
	json_object_put(value);
	json_tokener_free(tokener);
}

static void fill(const struct template_body *body, struct str json, bool is_json)
{
	const struct alert_parts parts = {
		.uuid = STR("u"), .rule = STR("r"), .tags = STR(""), .text = STR("t"), .json = json
	};
	struct alert *alert = alert_restore(&parts);
	struct encode_alert read;
	struct buf out;

	check(alert != NULL);
	if (encode_alert_read(alert, &read) == 0) {
		buf_init(&out, 8 << 20);
		template_body_format(body, &read, &out);
		if (is_json && !out.failed)
			check_json(buf_str(&out));
		buf_done(&out);
		encode_alert_done(&read);
	}
	alert_free(alert);
}

static uint32_t line_cnt(struct str text)
{
	uint32_t cnt = 1;

	for (uint32_t i = 0; i < text.n; i++)
		cnt += text.p[i] == '\n';
	return cnt;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data + 1, '\0', size - 1) : NULL;
	struct template_error error = { 0 };
	struct template_body *body = NULL;
	struct str text;
	bool is_json;

	if (!end || size > 1u << 16)
		return 0;
	is_json = data[0] & 1;
	text = (struct str){ (const char *)data + 1, (uint32_t)(end - data - 1) };
	if (template_body_compile(text, is_json, &body, &error) == 0) {
		fill(body, STR("{}"), is_json);
		fill(body, (struct str){ (const char *)end + 1, (uint32_t)(size - text.n - 2) },
		     is_json);
	} else {
		check(error.line > 0 && error.line <= line_cnt(text) && error.message[0]);
	}
	template_body_free(body);
	return 0;
}
