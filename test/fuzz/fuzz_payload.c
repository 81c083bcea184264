/*
 * Two alerts' JSON, a newline between: every format must give documents of valid JSON, or lines of
 * text without control characters. The same bytes as what receivers answer.
 */
#include <json.h>
#include <stdlib.h>

#include "answer.h"
#include "encode.h"
#include "haetae/text.h"
#include "target.h"

#define ALERTS_MAX 2

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_text(struct str text)
{
	for (const char *p = text.p, *end = p + text.n; p < end;) {
		unsigned n = utf8_sequence(p, end);

		check(n > 0 && ((unsigned char)*p >= 0x20 || *p == '\n') && *p != 0x7f);
		p += n;
	}
}

/* One document or several, a line each. */
static void check_documents(struct str text)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		uint32_t n = end ? (uint32_t)(end - text.p) : text.n;
		struct json_tokener *tokener = json_tokener_new_ex(512);
		struct json_object *value;

		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		value = json_tokener_parse_ex(tokener, text.p, (int)n);
		check(json_tokener_get_error(tokener) == json_tokener_success &&
		      json_tokener_get_parse_end(tokener) == n);
		json_object_put(value);
		json_tokener_free(tokener);
		text = (struct str){ text.p + n + (end != NULL), text.n - n - (end != NULL) };
	}
}

static void encode_all(const struct encode_alert *alerts, uint32_t cnt)
{
	for (unsigned f = 0; f < SINK_TEMPLATE; f++) {
		const struct encode_format *format = encode_format((enum sink_format)f);
		const struct encoder encoder = { .format = format, .is_array = format->has_array };
		struct buf out;

		buf_init(&out, 16 << 20);
		encode_body(&encoder, alerts, cnt, &out);
		if (!out.failed && f == SINK_TEXT)
			check_text(buf_str(&out));
		else if (!out.failed)
			check_documents(buf_str(&out));
		buf_done(&out);
	}
}

static void read_answers(struct str body)
{
	struct answer_item items[3];

	for (uint32_t cnt = 1; cnt <= ARRAY_LEN(items); cnt++) {
		if (answer_read_bulk(body, cnt, items))
			for (uint32_t i = 0; i < cnt; i++)
				check(items[i].verdict != RETRY_SPLIT);
		(void)answer_read_otlp(body, cnt, items);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, (uint32_t)size };
	struct alert *alerts[ALERTS_MAX];
	struct encode_alert read[ALERTS_MAX];
	uint32_t cnt = 0;

	if (size > 1u << 16)
		return 0;
	read_answers(rest);
	while (cnt < ALERTS_MAX && rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		uint32_t n = end ? (uint32_t)(end - rest.p) : rest.n;
		const struct alert_parts parts = { .uuid = STR("u"),
						   .rule = { rest.p, MIN(n, 40u) },
						   .tags = STR(""),
						   .text = { rest.p, n },
						   .json = { rest.p, n } };

		alerts[cnt] = alert_restore(&parts);
		check(alerts[cnt] != NULL);
		if (encode_alert_read(alerts[cnt], &read[cnt]) == 0)
			cnt++;
		else
			alert_free(alerts[cnt]);
		rest = (struct str){ rest.p + n + (end != NULL), rest.n - n - (end != NULL) };
	}
	if (cnt)
		encode_all(read, cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		encode_alert_done(&read[i]);
		alert_free(alerts[i]);
	}
	return 0;
}
