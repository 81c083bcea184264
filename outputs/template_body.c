/*
 * Compiles a user's payload; template_fill.c fills it. Owns the parts and a copy of the text.
 * Outputs thread.
 *
 * JSON is followed far enough to know whether a placeholder stands in a string; whether the whole
 * is JSON is tried once with null in every place outside of strings. null may stand wherever a
 * value may, and nowhere else (not as a key, not behind a digit), so every alert gives valid JSON.
 */
#include "template_private.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>

#include "haetae/sink.h"
#include "haetae/text.h"

/* ---- the table of names ---------------------------------------------------------------------- */

struct known {
	const char *name;
	bool is_prefix; /* "name.KEY" */
	enum template_source source;
};

static const struct known known_names[] = {
	{ "alert", false, SOURCE_ALERT },
	{ "uuid", false, SOURCE_MEMBER },
	{ "time", false, SOURCE_MEMBER },
	{ "time_s", false, SOURCE_TIME_S },
	{ "time_ns", false, SOURCE_TIME_NS },
	{ "rule", false, SOURCE_MEMBER },
	{ "priority", false, SOURCE_MEMBER },
	{ "source", false, SOURCE_MEMBER },
	{ "hostname", false, SOURCE_MEMBER },
	{ "tags", false, SOURCE_MEMBER },
	{ "output", false, SOURCE_MEMBER },
	{ "output_fields", false, SOURCE_MEMBER },
	{ "output_fields.", true, SOURCE_FIELD },
	{ "haetae", false, SOURCE_MEMBER },
	{ "haetae.", true, SOURCE_MEMBER },
	{ "namespace", false, SOURCE_NAMESPACE },
	{ "pod", false, SOURCE_POD },
	{ "container_id", false, SOURCE_CONTAINER_ID },
	{ "container_name", false, SOURCE_CONTAINER_NAME },
	{ "image", false, SOURCE_IMAGE },
};

static const char *const filter_names[] = {
	[FILTER_TEXT] = "text", [FILTER_HTML] = "html", [FILTER_URL] = "url",
	[FILTER_JSON] = "json", [FILTER_RAW] = "raw",
};

/* ---- compiling ------------------------------------------------------------------------------- */

/* Where a JSON text stands, literal by literal. */
struct json_state {
	bool is_string, is_escape;
	bool has_control; /* in a string, where json-c would let it pass */
};

struct compiler {
	struct template_body *body;
	struct str text;
	struct template_error *error;
	struct json_state json;
	bool is_json;
	uint32_t part_cap;
};

static int fail(struct compiler *compiler, uint32_t offset, const char *message, struct str what)
{
	struct template_error *error = compiler->error;
	struct buf text;

	*error = (struct template_error){ .line = 1, .column = 1 };
	for (uint32_t i = 0; i < offset && i < compiler->text.n; i++) {
		error->column++;
		if (compiler->text.p[i] == '\n') {
			error->line++;
			error->column = 1;
		}
	}
	buf_init(&text, sizeof(error->message) - 1);
	buf_puts(&text, message);
	if (what.n) {
		buf_puts(&text, ": ");
		text_put_line(&text, (struct str){ what.p, MIN(what.n, 60u) });
	}
	snprintf(error->message, sizeof(error->message), "%.*s", (int)text.n, text.p);
	buf_done(&text);
	return TEMPLATE_BODY_E_INVALID;
}

static void follow_json(struct json_state *state, struct str literal)
{
	for (uint32_t i = 0; i < literal.n; i++) {
		char c = literal.p[i];

		state->has_control |= state->is_string && (unsigned char)c < 0x20;
		if (state->is_escape)
			state->is_escape = false;
		else if (state->is_string && c == '\\')
			state->is_escape = true;
		else if (c == '"')
			state->is_string = !state->is_string;
	}
}

static struct str trim(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Keys of output_fields and paths: what fields' names and arguments are made of. */
static bool is_key(struct str key)
{
	for (uint32_t i = 0; i < key.n; i++) {
		char c = key.p[i], lower = (char)(c | 0x20);

		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') &&
		    !(c && strchr("._-[]/():", c)))
			return false;
	}
	return key.n > 0 && key.n < TEMPLATE_BODY_KEY_MAX;
}

static bool find_name(struct template_body_part *part)
{
	for (size_t i = 0; i < ARRAY_LEN(known_names); i++) {
		const struct known *known = &known_names[i];
		struct str name = str_from(known->name);

		if (!known->is_prefix && !str_eq(part->name, name))
			continue;
		if (known->is_prefix && !str_starts_with(part->name, name))
			continue;
		part->source = known->source;
		part->key = part->name;
		if (known->source == SOURCE_FIELD)
			part->key = (struct str){ part->name.p + name.n, part->name.n - name.n };
		return is_key(part->key);
	}
	return false;
}

static bool find_filter(struct str name, enum template_filter *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(filter_names); i++) {
		if (filter_names[i] && str_eq_text(name, filter_names[i])) {
			*ret = (enum template_filter)i;
			return true;
		}
	}
	return false;
}

/* "name" or "name | filter". */
static int compile_place(struct compiler *compiler, struct str inside,
			 struct template_body_part *part)
{
	uint32_t offset = (uint32_t)(inside.p - compiler->text.p);
	const char *bar = inside.n ? memchr(inside.p, '|', inside.n) : NULL;
	struct str filter = STR_NONE;

	part->has_place = true;
	part->name = inside;
	if (bar) {
		part->name.n = (uint32_t)(bar - inside.p);
		filter = trim((struct str){ bar + 1, inside.n - part->name.n - 1 });
	}
	part->name = trim(part->name);
	if (!find_name(part))
		return fail(compiler, offset, "unknown placeholder", part->name);
	if (bar && !find_filter(filter, &part->filter))
		return fail(compiler, offset, "unknown filter", filter);
	if (!compiler->is_json)
		return 0;
	if (part->filter == FILTER_RAW)
		return fail(compiler, offset, "'raw' would break the JSON", STR_NONE);
	if (compiler->json.is_escape)
		return fail(compiler, offset, "a placeholder behind a backslash", part->name);
	part->place = compiler->json.is_string ? PLACE_STRING : PLACE_VALUE;
	return 0;
}

static struct template_body_part *add_part(struct compiler *compiler)
{
	struct template_body *body = compiler->body;

	if (body->part_cnt == compiler->part_cap) {
		uint32_t cap = MAX(compiler->part_cap * 2, 8u);
		struct template_body_part *grown = reallocarray(body->parts, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		body->parts = grown;
		compiler->part_cap = cap;
	}
	body->parts[body->part_cnt] = (struct template_body_part){ 0 };
	return &body->parts[body->part_cnt++];
}

/* One literal and the placeholder behind it; *offset moves over both. */
static int compile_part(struct compiler *compiler, uint32_t *offset)
{
	struct str text = compiler->text;
	const char *begin = text.p + *offset, *end = text.p + text.n;
	const char *open = memmem(begin, (size_t)(end - begin), "{{", 2), *close;
	struct template_body_part *part = add_part(compiler);

	if (!part)
		return -ENOMEM;
	if (compiler->body->part_cnt > 2 * TEMPLATE_BODY_PLACES_MAX)
		return fail(compiler, *offset, "too many placeholders", STR_NONE);
	part->literal = (struct str){ begin, (uint32_t)((open ? open : end) - begin) };
	follow_json(&compiler->json, part->literal);
	*offset = text.n;
	if (!open)
		return 0;
	/* "{{{{}}" is how to write "{{". */
	if (end - open >= 6 && memcmp(open, "{{{{}}", 6) == 0) {
		part->literal.n += 2;
		follow_json(&compiler->json, (struct str){ open, 2 });
		*offset = (uint32_t)(open + 6 - text.p);
		return 0;
	}
	close = memmem(open + 2, (size_t)(end - open - 2), "}}", 2);
	if (!close)
		return fail(compiler, (uint32_t)(open - text.p), "'{{' without '}}'", STR_NONE);
	*offset = (uint32_t)(close + 2 - text.p);
	return compile_place(compiler, (struct str){ open + 2, (uint32_t)(close - open - 2) },
			     part);
}

#define SAMPLE "null"

/* The text with a sample in each place. */
static void put_sample(const struct template_body *body, struct buf *out)
{
	for (uint32_t i = 0; i < body->part_cnt; i++) {
		buf_put_str(out, body->parts[i].literal);
		if (body->parts[i].has_place)
			buf_puts(out, body->parts[i].place == PLACE_STRING ? "x" : SAMPLE);
	}
}

/* Offset in the text of a byte of the sample. */
static uint32_t offset_of_sample(const struct compiler *compiler, size_t at)
{
	for (uint32_t i = 0; i < compiler->body->part_cnt; i++) {
		const struct template_body_part *part = &compiler->body->parts[i];
		size_t n;

		if (at < part->literal.n)
			return (uint32_t)(part->literal.p - compiler->text.p) + (uint32_t)at;
		at -= part->literal.n;
		if (!part->has_place)
			continue;
		n = part->place == PLACE_STRING ? 1 : strlen(SAMPLE);
		if (at < n)
			return (uint32_t)(part->name.p - compiler->text.p);
		at -= n;
	}
	return compiler->text.n;
}

/* json-c takes more than RFC 8259 has; what it lets through as a word is refused here. */
static bool has_number_of_no_json(struct json_object *value)
{
	struct json_object_iterator at, end;

	if (json_object_is_type(value, json_type_double)) {
		double number = json_object_get_double(value);

		return number != number || number - number != 0;
	}
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (has_number_of_no_json(json_object_array_get_idx(value, i)))
				return true;
		return false;
	}
	if (!json_object_is_type(value, json_type_object))
		return false;
	at = json_object_iter_begin(value);
	end = json_object_iter_end(value);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (has_number_of_no_json(json_object_iter_peek_value(&at)))
			return true;
	return false;
}

static int check_json(struct compiler *compiler)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value = NULL;
	struct buf sample;
	size_t end = 0;
	int r = 0;

	buf_init(&sample, 2 * TEMPLATE_BODY_MAX);
	put_sample(compiler->body, &sample);
	if (!tokener || sample.failed) {
		r = -ENOMEM;
	} else {
		/* With the NUL, or a word at the end would wait for more. */
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		value = json_tokener_parse_ex(tokener, sample.p, (int)sample.n + 1);
		end = json_tokener_get_parse_end(tokener);
		while (end < sample.n && strchr(" \t\r\n", sample.p[end]) && sample.p[end])
			end++;
		if (json_tokener_get_error(tokener) != json_tokener_success || end < sample.n)
			r = fail(compiler, offset_of_sample(compiler, end),
				 "not JSON from here on (a placeholder stands for one value, "
				 "keys need quotes)",
				 STR_NONE);
		else if (compiler->json.has_control)
			r = fail(compiler, 0, "a control character in a JSON string", STR_NONE);
		else if (has_number_of_no_json(value))
			r = fail(compiler, 0, "NaN and Infinity are no JSON", STR_NONE);
	}
	json_object_put(value);
	if (tokener)
		json_tokener_free(tokener);
	buf_done(&sample);
	return r;
}

static void body_freep(struct template_body **body)
{
	template_body_free(*body);
}

int template_body_compile(struct str text, bool is_json, struct template_body **ret,
			  struct template_error *reterr)
{
	_cleanup_(body_freep) struct template_body *body = calloc(1, sizeof(*body));
	struct compiler compiler = { .body = body, .error = reterr, .is_json = is_json };
	uint32_t offset = 0;
	int r = 0;

	if (!body)
		return -ENOMEM;
	if (text.n == 0 || text.n > TEMPLATE_BODY_MAX)
		return fail(&compiler, 0, text.n ? "too long" : "empty", STR_NONE);
	body->text = malloc(text.n);
	if (!body->text)
		return -ENOMEM;
	memcpy(body->text, text.p, text.n);
	compiler.text = (struct str){ body->text, text.n };
	while (r == 0 && offset < text.n)
		r = compile_part(&compiler, &offset);
	if (r == 0 && memchr(text.p, '\0', text.n))
		r = fail(&compiler, 0, "a NUL byte", STR_NONE);
	if (r == 0 && is_json)
		r = check_json(&compiler);
	if (r == 0)
		*ret = TAKE_PTR(body);
	return r;
}

struct template_body *template_body_free(struct template_body *body)
{
	if (!body)
		return NULL;
	free(body->parts);
	free(body->text);
	free(body);
	return NULL;
}

bool template_body_is_json(const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");

	return (n >= 5 && strncasecmp(content_type + n - 5, "/json", 5) == 0) ||
	       (n >= 5 && strncasecmp(content_type + n - 5, "+json", 5) == 0);
}

bool sink_template_check(const char *text, const char *content_type, char *reterr, size_t size)
{
	struct template_body *body = NULL;
	struct template_error error = { 0 };
	int r = template_body_compile(str_from(text), template_body_is_json(content_type), &body,
				      &error);

	template_body_free(body);
	if (r == TEMPLATE_BODY_E_INVALID)
		snprintf(reterr, size, "%u:%u: %s", (unsigned)error.line, (unsigned)error.column,
			 error.message);
	return r != TEMPLATE_BODY_E_INVALID;
}
