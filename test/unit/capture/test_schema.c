/*
 * Tables of events of other versions: rows are only ever added to, so more or fewer are readable.
 */
#include <criterion/criterion.h>

#include "capture_private.h"

/* Our table with a part replaced by another of any length. */
static bool compare_with(const char *from, const char *to, char why[512])
{
	_cleanup_(buf_done) struct buf ours, theirs;
	const char *at;

	buf_init(&ours, CAPTURE_PAYLOAD_MAX);
	buf_init(&theirs, CAPTURE_PAYLOAD_MAX);
	put_schema(&ours);
	at = memmem(ours.p, ours.n, from, strlen(from));
	cr_assert(at, "'%s' is in the table", from);
	buf_put(&theirs, ours.p, (size_t)(at - ours.p));
	buf_puts(&theirs, to);
	buf_puts(&theirs, at + strlen(from));
	why[0] = '\0';
	return schema_compare(buf_str(&theirs), why, 512);
}

Test(schema, what_may_differ)
{
	static const struct {
		const char *name, *from, *to, *why; /* why NULL: readable */
	} cases[] = {
		{ "the same", "\nopenat ", "\nopenat ", NULL },
		{ "a parameter more", "\nopenat2 ", " later:4\nopenat2 ", NULL },
		{ "all parameters fewer but the first", "\nopenat fd:0 ", "\nopenat fd:0\nxxx ",
		  "its event 'xxx' is" },
		{ "an event between two", "\nopenat ", "\nlater ret:4\nopenat ",
		  "its event 'later' is" },
		{ "a parameter of another name", "\nopenat fd:", "\nopenat fz:",
		  "parameter 0 of event openat is fz:0 in it and fd:0 here" },
		{ "hostile: no end", "\nopenat ", "\n%s%n%s", "its event '%s%n%s" },
	};
	char why[512];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_readable = compare_with(cases[i].from, cases[i].to, why);

		cr_expect_eq(is_readable, !cases[i].why, "%s: '%s'", cases[i].name, why);
		if (cases[i].why)
			cr_expect(strstr(why, cases[i].why), "%s: '%s'", cases[i].name, why);
	}
}

Test(schema, fewer_and_more_events)
{
	_cleanup_(buf_done) struct buf text;
	char why[512];
	const char *half;

	buf_init(&text, CAPTURE_PAYLOAD_MAX);
	put_schema(&text);
	half = memchr(text.p + text.n / 2, ' ', text.n / 2);
	cr_expect(
		schema_compare((struct str){ text.p, (uint32_t)(half - text.p) }, why, sizeof(why)),
		"a table that ends within an event, before its next parameter: '%s'", why);
	cr_expect(schema_compare(STR(""), why, sizeof(why)));
	buf_puts(&text, "later ret:4\n");
	cr_expect(schema_compare(buf_str(&text), why, sizeof(why)), "an event more: '%s'", why);
}
