/*
 * Fills a user's payload with an alert. Owns nothing. Outputs thread.
 */
#include "template_private.h"

#include <json.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#include "encode.h"

/* What stands for a placeholder: a JSON value, or a text of ours. */
struct filled {
	struct json_object *json; /* borrowed */
	struct str text;	  /* p NULL: json counts, NULL of which is null */
	bool is_json;		  /* the text is JSON already: a number, the alert */
	char digits[24];
};

/* "haetae.container.id", step by step. */
static struct json_object *walk(struct json_object *object, struct str path)
{
	while (object && path.n) {
		const char *dot = memchr(path.p, '.', path.n);
		uint32_t n = dot ? (uint32_t)(dot - path.p) : path.n;
		char key[TEMPLATE_BODY_KEY_MAX];

		memcpy(key, path.p, n);
		key[n] = '\0';
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, key, &object))
			return NULL;
		path = dot ? (struct str){ dot + 1, path.n - n - 1 } : STR_NONE;
	}
	return object;
}

static struct json_object *find_field(struct json_object *fields, struct str name)
{
	struct json_object *value;
	char key[TEMPLATE_BODY_KEY_MAX];

	memcpy(key, name.p, name.n);
	key[name.n] = '\0';
	return json_object_object_get_ex(fields, key, &value) ? value : NULL;
}

static void set_number(uint64_t number, struct filled *ret)
{
	int n = snprintf(ret->digits, sizeof(ret->digits), "%llu", (unsigned long long)number);

	ret->text = (struct str){ ret->digits, (uint32_t)n };
	ret->is_json = true;
}

static void read_value(const struct template_body_part *part, const struct encode_alert *alert,
		       struct filled *ret)
{
	const struct str own[] = {
		[SOURCE_NAMESPACE] = alert->namespace_name,
		[SOURCE_POD] = alert->pod,
		[SOURCE_CONTAINER_ID] = alert->container_id,
		[SOURCE_CONTAINER_NAME] = alert->container_name,
		[SOURCE_IMAGE] = alert->image,
	};

	*ret = (struct filled){ 0 };
	switch (part->source) {
	case SOURCE_ALERT:
		ret->text = alert->alert->json;
		ret->is_json = true;
		break;
	case SOURCE_MEMBER:
		ret->json = walk(alert->object, part->key);
		break;
	case SOURCE_FIELD:
		ret->json = find_field(alert->fields, part->key);
		break;
	case SOURCE_TIME_S:
		set_number(alert->alert->wall_ns / NS_PER_SEC, ret);
		break;
	case SOURCE_TIME_NS:
		set_number(alert->alert->wall_ns, ret);
		break;
	case SOURCE_NAMESPACE:
	case SOURCE_POD:
	case SOURCE_CONTAINER_ID:
	case SOURCE_CONTAINER_NAME:
	case SOURCE_IMAGE:
		ret->text = own[part->source];
	}
}

/* Nothing for null. */
static struct str text_of(const struct filled *filled)
{
	if (filled->text.p)
		return filled->text;
	return filled->json ? encode_text_of(filled->json) : STR("");
}

static void put_as_json(const struct filled *filled, struct buf *out)
{
	bool is_text = filled->text.p ? !filled->is_json
				      : json_object_is_type(filled->json, json_type_string);

	if (!filled->text.p && !filled->json)
		buf_puts(out, "null");
	else if (is_text)
		text_put_json_string(out, text_of(filled));
	else
		buf_put_str(out, text_of(filled));
}

static void put_html(struct str line, struct buf *out)
{
	for (uint32_t i = 0; i < line.n; i++) {
		const char *at = strchr("&<>\"'", line.p[i]);

		if (at && line.p[i])
			buf_printf(out, "&#%d;", line.p[i]);
		else
			buf_putc(out, line.p[i]);
	}
}

static void put_filtered(enum template_filter filter, const struct filled *filled, struct buf *out)
{
	struct buf line;

	switch (filter) {
	case FILTER_NONE:
	case FILTER_RAW:
		buf_put_str(out, text_of(filled));
		break;
	case FILTER_TEXT:
		text_put_line(out, text_of(filled));
		break;
	case FILTER_HTML:
		buf_init(&line, out->max);
		text_put_line(&line, text_of(filled));
		put_html(buf_str(&line), out);
		out->failed |= line.failed;
		buf_done(&line);
		break;
	case FILTER_URL:
		encode_put_uri(text_of(filled), out);
		break;
	case FILTER_JSON:
		put_as_json(filled, out);
	}
}

static void put_place(const struct template_body_part *part, const struct encode_alert *alert,
		      struct buf *out)
{
	bool is_value = part->place == PLACE_VALUE &&
			(part->filter == FILTER_NONE || part->filter == FILTER_JSON);
	struct filled filled;
	struct buf text;

	read_value(part, alert, &filled);
	if (is_value) {
		put_as_json(&filled, out);
		return;
	}
	if (part->place == PLACE_PLAIN) {
		put_filtered(part->filter == FILTER_NONE ? FILTER_TEXT : part->filter, &filled,
			     out);
		return;
	}
	buf_init(&text, out->max);
	put_filtered(part->filter, &filled, &text);
	if (part->place == PLACE_VALUE)
		text_put_json_string(out, buf_str(&text));
	else
		text_put_json(out, buf_str(&text));
	out->failed |= text.failed;
	buf_done(&text);
}

void template_body_format(const struct template_body *body, const struct encode_alert *alert,
			  struct buf *out)
{
	for (uint32_t i = 0; i < body->part_cnt; i++) {
		buf_put_str(out, body->parts[i].literal);
		if (body->parts[i].has_place)
			put_place(&body->parts[i], alert, out);
	}
}
