/*
 * What a run of tests found, for people, for TAP, for JUnit, as JSON. Owns nothing.
 */
#include <stdio.h>

#include "haetae/text.h"

#include "test_run.h"

#define TEXT_MAX (16u << 20)

static struct diag_position place_of(const struct test_run *run, const struct rule_test *test)
{
	return diags_position(run->diags, test->at);
}

static struct str file_of(const struct test_run *run, const struct rule_test *test)
{
	return run->diags->sources[test->at.source].name;
}

/* "Rule: test". */
static void put_title(const struct rule_test *test, struct buf *out)
{
	if (test->rule.p) {
		text_put_line(out, test->rule);
		buf_puts(out, ": ");
	}
	text_put_line(out, test->name);
}

/* Each line behind `prefix`. */
static void put_lines(struct str text, const char *prefix, struct buf *out)
{
	for (uint32_t begin = 0, end; begin < text.n; begin = end + 1) {
		for (end = begin; end < text.n && text.p[end] != '\n'; end++)
			continue;
		buf_puts(out, prefix);
		buf_put(out, text.p + begin, end - begin);
		buf_putc(out, '\n');
	}
}

static void flush(struct buf *buf, FILE *out)
{
	fwrite(buf_str(buf).p, 1, buf->n, out);
	buf_done(buf);
}

void test_report_text(const struct test_run *run, FILE *out, bool want_color)
{
	const char *red = want_color ? "\033[31m" : "", *green = want_color ? "\033[32m" : "";
	const char *plain = want_color ? "\033[0m" : "";
	struct buf buf;

	buf_init(&buf, TEXT_MAX);
	for (uint32_t i = 0; i < run->result_cnt; i++) {
		const struct test_result *result = &run->results[i];

		if (result->is_passed)
			continue;
		buf_printf(&buf, "%sFAILED%s ", red, plain);
		put_title(result->test, &buf);
		buf_puts(&buf, "\n  at ");
		text_put_line(&buf, file_of(run, result->test));
		buf_printf(&buf, ":%u\n", place_of(run, result->test).line);
		put_lines(result->why, "  ", &buf);
		buf_putc(&buf, '\n');
	}
	buf_printf(&buf, "%s%u passed, %u failed", run->failed_cnt ? red : green,
		   run->result_cnt - run->failed_cnt - run->skipped_cnt, run->failed_cnt);
	if (run->skipped_cnt)
		buf_printf(&buf, ", %u skipped: this architecture never has their events",
			   run->skipped_cnt);
	buf_printf(&buf, "%s\n", plain);
	flush(&buf, out);
}

void test_report_tap(const struct test_run *run, FILE *out)
{
	struct buf buf, title;

	buf_init(&buf, TEXT_MAX);
	buf_printf(&buf, "TAP version 13\n1..%u\n", run->result_cnt);
	for (uint32_t i = 0; i < run->result_cnt; i++) {
		const struct test_result *result = &run->results[i];

		buf_init(&title, TEXT_MAX);
		put_title(result->test, &title);
		buf_printf(&buf, "%s %u - ", result->is_passed ? "ok" : "not ok", i + 1);
		/* A # would begin a directive. */
		for (size_t k = 0; k < title.n; k++)
			buf_printf(&buf, title.p[k] == '#' ? "\\%c" : "%c", title.p[k]);
		if (result->is_skipped)
			buf_puts(&buf, " # SKIP this architecture never has such an event");
		buf_putc(&buf, '\n');
		buf_done(&title);
		if (result->is_passed)
			continue;
		buf_puts(&buf, "# ");
		text_put_line(&buf, file_of(run, result->test));
		buf_printf(&buf, ":%u\n", place_of(run, result->test).line);
		put_lines(result->why, "# ", &buf);
	}
	flush(&buf, out);
}

static void put_member(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, ",\"%s\":", key);
	if (value.p)
		text_put_json_string(out, value);
	else
		buf_puts(out, "null");
}

void test_report_json(const struct test_run *run, FILE *out)
{
	struct buf buf;

	buf_init(&buf, TEXT_MAX * 4u);
	buf_printf(&buf, "{\"passed\":%u,\"failed\":%u,\"skipped\":%u,\"events\":%llu,\"tests\":[",
		   run->result_cnt - run->failed_cnt - run->skipped_cnt, run->failed_cnt,
		   run->skipped_cnt, (unsigned long long)run->event_cnt);
	for (uint32_t i = 0; i < run->result_cnt; i++) {
		const struct test_result *result = &run->results[i];

		buf_printf(&buf, "%s\n{\"passed\":%s", i ? "," : "",
			   result->is_passed && !result->is_skipped ? "true" : "false");
		buf_printf(&buf, ",\"skipped\":%s", result->is_skipped ? "true" : "false");
		put_member(&buf, "rule", result->test->rule);
		put_member(&buf, "name", result->test->name);
		put_member(&buf, "file", file_of(run, result->test));
		buf_printf(&buf, ",\"line\":%u", place_of(run, result->test).line);
		put_member(&buf, "why", result->is_passed ? STR_NONE : result->why);
		buf_putc(&buf, '}');
	}
	buf_puts(&buf, "\n]}\n");
	flush(&buf, out);
}

/* Text and attributes of XML 1.0: what it has no way to write is replaced. */
static void put_xml(struct buf *out, struct str text)
{
	struct buf clean;

	buf_init(&clean, TEXT_MAX);
	text_put_line(&clean, text);
	for (size_t i = 0; i < clean.n; i++) {
		switch (clean.p[i]) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			buf_putc(out, clean.p[i]);
		}
	}
	buf_done(&clean);
}

static void put_case(const struct test_run *run, const struct test_result *result, struct buf *out)
{
	const struct rule_test *test = result->test;

	buf_puts(out, "  <testcase classname=\"");
	put_xml(out, test->rule.p ? test->rule : file_of(run, test));
	buf_puts(out, "\" name=\"");
	put_xml(out, test->name);
	buf_puts(out, "\" file=\"");
	put_xml(out, file_of(run, test));
	buf_printf(out, "\" line=\"%u\"", place_of(run, test).line);
	if (result->is_passed) {
		buf_puts(out, result->is_skipped ? "><skipped/></testcase>\n" : "/>\n");
		return;
	}
	buf_puts(out, ">\n    <failure message=\"not as expected\">");
	for (uint32_t begin = 0, end; begin < result->why.n; begin = end + 1) {
		for (end = begin; end < result->why.n && result->why.p[end] != '\n'; end++)
			continue;
		put_xml(out, (struct str){ result->why.p + begin, end - begin });
		buf_putc(out, '\n');
	}
	buf_puts(out, "</failure>\n  </testcase>\n");
}

void test_report_junit(const struct test_run *run, FILE *out)
{
	struct buf buf;

	buf_init(&buf, TEXT_MAX * 4u);
	buf_printf(&buf,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<testsuites tests=\"%u\" failures=\"%u\">\n",
		   run->result_cnt, run->failed_cnt);
	for (uint32_t i = 0, end; i < run->result_cnt; i = end) {
		uint32_t source = run->results[i].test->at.source, failed = 0;

		for (end = i; end < run->result_cnt && run->results[end].test->at.source == source;
		     end++)
			failed += !run->results[end].is_passed;
		buf_puts(&buf, " <testsuite name=\"");
		put_xml(&buf, run->diags->sources[source].name);
		buf_printf(&buf, "\" tests=\"%u\" failures=\"%u\">\n", end - i, failed);
		for (uint32_t k = i; k < end; k++)
			put_case(run, &run->results[k], &buf);
		buf_puts(&buf, " </testsuite>\n");
	}
	buf_puts(&buf, "</testsuites>\n");
	flush(&buf, out);
}
