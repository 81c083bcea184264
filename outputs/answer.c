/*
 * Reads the answers of Elasticsearch's bulk API, OTLP receivers and Splunk. Owns nothing. Outputs
 * thread.
 */
#include "answer.h"

#include <json.h>
#include <stdio.h>

#include "haetae/json_bound.h"
#include "haetae/text.h"

#include "encode.h"

static struct json_object *parse(struct str body)
{
	struct json_tokener *tokener;
	struct json_object *value;

	/* A receiver of alerts must not be able to have the daemon killed for its memory. */
	if (body.n > INT32_MAX || !json_is_bounded(body))
		return NULL;
	tokener = json_tokener_new();
	if (!tokener)
		return NULL;
	value = json_tokener_parse_ex(tokener, body.p, (int)body.n);
	json_tokener_free(tokener);
	if (json_object_is_type(value, json_type_object))
		return value;
	json_object_put(value);
	return NULL;
}

/* A receiver's words in ours: one line. */
static void put_reason(struct answer_item *item, const char *prefix, struct str type,
		       struct str reason)
{
	struct buf line;

	buf_init(&line, 4096);
	buf_puts(&line, prefix);
	if (type.n) {
		buf_puts(&line, ": ");
		text_put_line(&line, (struct str){ type.p, MIN(type.n, 64u) });
	}
	if (reason.n) {
		buf_puts(&line, ": ");
		text_put_line(&line, (struct str){ reason.p, MIN(reason.n, 512u) });
	}
	snprintf(item->reason, sizeof(item->reason), "%.*s", (int)line.n, line.p);
	buf_done(&line);
}

/* {"create":{"_id":…,"status":201,"error":{"type":…,"reason":…}}} */
static bool read_item(struct json_object *item, struct answer_item *ret)
{
	struct json_object *action, *status, *error = NULL;
	char prefix[32];
	int number;

	if (!json_object_object_get_ex(item, "create", &action) ||
	    !json_object_object_get_ex(action, "status", &status) ||
	    !json_object_is_type(status, json_type_int))
		return false;
	number = json_object_get_int(status);
	*ret = (struct answer_item){ .verdict = retry_judge_status(number) };
	/* The id is there already: an earlier request had arrived after all. */
	if (number == 409)
		ret->verdict = RETRY_ACKNOWLEDGE;
	if (ret->verdict == RETRY_ACKNOWLEDGE)
		return true;
	json_object_object_get_ex(action, "error", &error);
	snprintf(prefix, sizeof(prefix), "status %d of the document", number);
	put_reason(ret, prefix, encode_string(error, "type"), encode_string(error, "reason"));
	return true;
}

bool answer_read_bulk(struct str body, uint32_t cnt, struct answer_item *ret)
{
	struct json_object *answer = parse(body), *items;
	bool is_fine = json_object_object_get_ex(answer, "items", &items) &&
		       json_object_is_type(items, json_type_array) &&
		       json_object_array_length(items) == cnt;

	for (uint32_t i = 0; is_fine && i < cnt; i++)
		is_fine = read_item(json_object_array_get_idx(items, i), &ret[i]);
	json_object_put(answer);
	return is_fine;
}

/* A 64-bit integer of protobuf's JSON: a number or a string. */
static int64_t rejected_of(struct json_object *partial)
{
	struct json_object *value;

	if (!json_object_object_get_ex(partial, "rejectedLogRecords", &value))
		return 0;
	return json_object_get_int64(value);
}

bool answer_read_otlp(struct str body, uint32_t cnt, struct answer_item *ret)
{
	struct json_object *answer = NULL, *partial = NULL;
	char prefix[96];
	int64_t rejected;

	for (uint32_t i = 0; i < cnt; i++)
		ret[i] = (struct answer_item){ .verdict = RETRY_ACKNOWLEDGE };
	if (body.n == 0)
		return true;
	answer = parse(body);
	if (!answer)
		return false;
	json_object_object_get_ex(answer, "partialSuccess", &partial);
	rejected = rejected_of(partial);
	if (rejected > 0 && rejected >= cnt)
		snprintf(prefix, sizeof(prefix), "refused by the receiver");
	else
		snprintf(prefix, sizeof(prefix),
			 "the receiver refused %lld of %u records and does not say which",
			 (long long)rejected, (unsigned)cnt);
	for (uint32_t i = 0; rejected > 0 && i < cnt; i++) {
		ret[i].verdict = RETRY_DEAD;
		put_reason(&ret[i], prefix, STR_NONE, encode_string(partial, "errorMessage"));
	}
	json_object_put(answer);
	return true;
}

bool answer_is_hec_setting(struct str body)
{
	/* "Troubleshoot HTTP Event Collector", possible error codes: incorrect index, data channel
	 * missing or invalid, acknowledgement disabled, no authorization in the query. */
	static const int codes[] = { 7, 10, 11, 14, 16 };
	struct json_object *answer = parse(body), *code;
	bool is_setting = false;

	if (json_object_object_get_ex(answer, "code", &code) &&
	    json_object_is_type(code, json_type_int))
		for (size_t i = 0; i < ARRAY_LEN(codes); i++)
			is_setting |= json_object_get_int(code) == codes[i];
	json_object_put(answer);
	return is_setting;
}
