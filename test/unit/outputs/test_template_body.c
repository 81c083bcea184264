/*
 * A user's payload: what each placeholder becomes where it stands, and mistakes with their place.
 */
#include <criterion/criterion.h>
#include <json.h>

#include "encode.h"
#include "payload_fixture.h"
#include "template_body.h"

static void fill(const char *text, bool is_json, enum fixture_alert which, struct buf *out)
{
	struct alert *alert = fixture_alert(which);
	struct template_body *body = NULL;
	struct template_error error = { 0 };
	struct encode_alert read;

	buf_init(out, 1 << 20);
	cr_assert_eq(template_body_compile(str_from(text), is_json, &body, &error), 0,
		     "%s: %u:%u: %s", text, (unsigned)error.line, (unsigned)error.column,
		     error.message);
	cr_assert_eq(encode_alert_read(alert, &read), 0);
	template_body_format(body, &read, out);
	template_body_free(body);
	encode_alert_done(&read);
	alert_free(alert);
}

static const struct {
	const char *text;
	bool is_json;
	enum fixture_alert alert;
	const char *expected;
} filled[] = {
	/* A value: JSON of its own type. */
	{ "{\"a\":{{rule}}}", true, FIXTURE_POD, "{\"a\":\"Read sensitive file\"}" },
	{ "{\"a\": {{ tags }} }", true, FIXTURE_POD, "{\"a\": [\"filesystem\",\"T1003\"] }" },
	{ "{{output_fields.proc.pid}}", true, FIXTURE_POD, "4711" },
	{ "{{output_fields.proc.is_exe_upper_layer}}", true, FIXTURE_POD, "true" },
	{ "{{output_fields.user.name}}", true, FIXTURE_POD, "null" },
	{ "{{output_fields.no.such}}", true, FIXTURE_POD, "null" },
	{ "{{output_fields}}", true, FIXTURE_BARE, "null" },
	{ "{{haetae.container.name}}", true, FIXTURE_POD, "\"web\"" },
	{ "{{haetae.container.name}}", true, FIXTURE_HOSTILE, "null" },
	{ "{{haetae.version.x}}", true, FIXTURE_POD, "null" },
	{ "{{time_s}}", true, FIXTURE_POD, "1700000100" },
	{ "[{{time_ns}},{{pod}},{{namespace}}]", true, FIXTURE_POD,
	  "[1700000100123456789,\"web-7d9c\",\"shop\"]" },
	{ "[{{pod}},{{image}}]", true, FIXTURE_BARE, "[null,null]" },
	{ "{\"a\":{{alert}}}", true, FIXTURE_BARE, "{\"a\":{}}" },
	{ "[{{rule | html}}]", true, FIXTURE_HOSTILE, "[\"a &#34;rule&#34; &#60;b&#62;\"]" },
	{ "[{{ rule|json }}]", true, FIXTURE_HOSTILE, "[\"a \\\"rule\\\" <b>\"]" },
	/* In a string: its text, escaped. */
	{ "{\"a\":\"{{rule}}!\"}", true, FIXTURE_HOSTILE, "{\"a\":\"a \\\"rule\\\" <b>!\"}" },
	{ "{\"{{rule}}\":1}", true, FIXTURE_HOSTILE, "{\"a \\\"rule\\\" <b>\":1}" },
	{ "\"{{output_fields.user.name}}\"", true, FIXTURE_POD, "\"\"" },
	{ "\"{{output_fields.proc.pid}} {{tags}}\"", true, FIXTURE_POD,
	  "\"4711 [\\\"filesystem\\\",\\\"T1003\\\"]\"" },
	{ "\"{{rule | json}}\"", true, FIXTURE_POD, "\"\\\"Read sensitive file\\\"\"" },
	{ "\"{{output | text}}\"", true, FIXTURE_HOSTILE,
	  "\"run <!channel> <https://evil.example|click> & \\\"q\\\" \\\\x1b[31m \\\\u{202e} "
	  "\\\\u{2028} \\\\u{200b} end\\\\\"" },
	{ "\"{{rule | url}}\"", true, FIXTURE_HOSTILE, "\"a%20%22rule%22%20%3Cb%3E\"" },
	{ "\"\\\"{{rule}}\\\\\"", true, FIXTURE_POD, "\"\\\"Read sensitive file\\\\\"" },
	{ "\"{{{{}}rule}}\"", true, FIXTURE_POD, "\"{{rule}}\"" },
	/* What an alert says is no template. */
	{ "{{output_fields.proc.cmdline | json}}", true, FIXTURE_HOSTILE,
	  "\"sh -c \\\"</script>\\u0000\\n{{rule}}\\\"\"" },
	/* Plain: one line for people unless asked otherwise. */
	{ "{{output}}", false, FIXTURE_HOSTILE,
	  "run <!channel> <https://evil.example|click> & \"q\" \\x1b[31m \\u{202e} \\u{2028} "
	  "\\u{200b} end\\" },
	{ "a={{rule | url}}&b={{output_fields.no | url}}", false, FIXTURE_HOSTILE,
	  "a=a%20%22rule%22%20%3Cb%3E&b=" },
	{ "<p>{{rule | html}}</p>", false, FIXTURE_HOSTILE, "<p>a &#34;rule&#34; &#60;b&#62;</p>" },
	{ "{{rule | raw}}{{{{}}", false, FIXTURE_HOSTILE, "a \"rule\" <b>{{" },
	{ "{{rule | json}}", false, FIXTURE_HOSTILE, "\"a \\\"rule\\\" <b>\"" },
	{ "no placeholder", false, FIXTURE_POD, "no placeholder" },
};

Test(template_body, filled)
{
	for (size_t i = 0; i < ARRAY_LEN(filled); i++) {
		struct buf out;

		fill(filled[i].text, filled[i].is_json, filled[i].alert, &out);
		cr_expect_str_eq(out.p, filled[i].expected, "%s: %s", filled[i].text, out.p);
		buf_done(&out);
	}
}

/* Whatever the alert, a JSON template gives JSON. */
Test(template_body, always_json)
{
	static const char template[] =
		"{\"a\":{{output}},\"b\":\"{{output}}\",\"c\":[{{output_fields}},{{haetae}}],"
		"\"d\":\"{{alert}}\",\"e\":{{alert}},\"f\":\"{{output_fields.proc.cmdline | "
		"raw2}}\"}";
	static const char *const filters[] = { "text", "html", "url ", "json" };

	for (unsigned f = 0; f < ARRAY_LEN(filters); f++) {
		for (unsigned which = 0; which < FIXTURE__COUNT; which++) {
			char text[sizeof(template)];
			struct json_object *value;
			struct buf out;

			memcpy(text, template, sizeof(text));
			memcpy(strstr(text, "raw2"), filters[f], 4);
			fill(text, true, which, &out);
			value = json_tokener_parse(out.p);
			cr_expect(value != NULL, "%s: %s", filters[f], out.p);
			json_object_put(value);
			buf_done(&out);
		}
	}
}

static const struct {
	const char *text;
	bool is_json;
	unsigned line, column;
	const char *message; /* how it begins */
} mistakes[] = {
	{ "", false, 1, 1, "empty" },
	{ "a {{rul}}", false, 1, 5, "unknown placeholder: rul" },
	{ "a\nbc {{ }}", false, 2, 6, "unknown placeholder" },
	{ "{{output_fields.}}", false, 1, 3, "unknown placeholder" },
	{ "{{output_fields.a b}}", false, 1, 3, "unknown placeholder" },
	{ "{{rule.x}}", false, 1, 3, "unknown placeholder: rule.x" },
	{ "{{rule | upper}}", false, 1, 3, "unknown filter: upper" },
	{ "{{rule | }}", false, 1, 3, "unknown filter" },
	{ "{{rule", false, 1, 1, "'{{' without '}}'" },
	{ "x\n {{", false, 2, 2, "'{{' without '}}'" },
	{ "{\"a\":{{rule | raw}}}", true, 1, 8, "'raw' would break the JSON" },
	{ "{\"a\":\"\\{{rule}}\"}", true, 1, 10, "a placeholder behind a backslash" },
	/* Not a key, not part of another value. */
	{ "{ {{rule}}: 1 }", true, 1, 5, "not JSON from here on" },
	{ "[1{{time_s}}]", true, 1, 5, "not JSON from here on" },
	{ "[{{rule}}{{rule}}]", true, 1, 12, "not JSON from here on" },
	{ "[-{{time_s}}]", true, 1, 5, "not JSON from here on" },
	{ "{\"a\":{{rule}},}", true, 1, 15, "not JSON from here on" },
	{ "{\"a\":\n {{rule}}", true, 2, 10, "not JSON from here on" },
	{ "{{rule}} x", true, 1, 10, "not JSON from here on" },
	{ "\"\\u12{{rule}}\"", true, 1, 8, "not JSON from here on" },
	{ "/* no */ {{rule}}", true, 1, 1, "not JSON from here on" },
	{ "'{{rule}}'", true, 1, 1, "not JSON from here on" },
	{ "\"a\nb\"", true, 1, 1, "a control character" },
	{ "[NaN]", true, 1, 1, "NaN and Infinity" },
	{ "\"\xff\"", true, 1, 2, "not JSON from here on" },
};

Test(template_body, mistakes)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct template_body *body = NULL;
		struct template_error error = { 0 };
		int r = template_body_compile(str_from(mistakes[i].text), mistakes[i].is_json,
					      &body, &error);

		cr_expect_eq(r, TEMPLATE_BODY_E_INVALID, "%s is fine", mistakes[i].text);
		cr_expect(error.line == mistakes[i].line && error.column == mistakes[i].column,
			  "%s: %u:%u", mistakes[i].text, (unsigned)error.line,
			  (unsigned)error.column);
		cr_expect(strncmp(error.message, mistakes[i].message,
				  strlen(mistakes[i].message)) == 0,
			  "%s: %s", mistakes[i].text, error.message);
		template_body_free(body);
	}
}

Test(template_body, bounds)
{
	struct template_body *body = NULL;
	struct template_error error = { 0 };
	struct buf text;

	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < 3 * TEMPLATE_BODY_PLACES_MAX; i++)
		buf_puts(&text, "{{rule}}");
	cr_expect_eq(template_body_compile(buf_str(&text), false, &body, &error),
		     TEMPLATE_BODY_E_INVALID);
	cr_expect_str_eq(error.message, "too many placeholders");
	buf_clear(&text);
	while (text.n <= TEMPLATE_BODY_MAX)
		buf_puts(&text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	cr_expect_eq(template_body_compile(buf_str(&text), false, &body, &error),
		     TEMPLATE_BODY_E_INVALID);
	buf_done(&text);
}

Test(template_body, content_types)
{
	static const struct {
		const char *type;
		bool is_json;
	} cases[] = {
		{ "application/json", true },
		{ "application/JSON; charset=utf-8", true },
		{ "application/x+json", true },
		{ "text/plain", false },
		{ "json", false },
		{ "application/jsonx", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(template_body_is_json(cases[i].type), cases[i].is_json, "%s",
			     cases[i].type);
}
