/*
 * Conditions from text to verdict. A line is a rule; "L " begins a list (items between '|'), "M " a
 * macro; their names are l0, l1, … and m0, m1, …. What compiles must print as a condition that
 * compiles and gives the same answer, and rules must answer alone as they do together.
 */
#include <stdio.h>

#include "language.h"
#include "target.h"

#define RULES_MAX 24 /* enough for an index: alone a rule has none */
#define NAMES_MAX 8
#define TEXT_MAX  (1u << 20)

static const struct given values[] = {
	{ "proc.name", "bash" },
	{ "proc.cmdline", "bash -c id" },
	{ "fd.name", "/etc/shadow" },
	{ "fd.name", "/x/shadow" },
	{ "proc.aname", "sshd" },
	{ "proc.aname", "a" },
	{ "proc.pid", "42" },
	{ "fd.sip", "10.0.0.1" },
	{ "fd.net", "::1" },
	{ "fd.types", "file" },
	{ "evt.is_open_read", "true" },
	{ "proc.args", "-c" },
	{ NULL, NULL },
};

static void add_line(struct language *language, const char *line)
{
	char name[8];

	if (strncmp(line, "L ", 2) == 0 && language->defs.list_cnt < NAMES_MAX) {
		snprintf(name, sizeof(name), "l%u", language->defs.list_cnt % NAMES_MAX);
		language_list(language, name, line + 2);
	} else if (strncmp(line, "M ", 2) == 0 && language->defs.macro_cnt < NAMES_MAX) {
		snprintf(name, sizeof(name), "m%u", language->defs.macro_cnt % NAMES_MAX);
		language_macro(language, name, line + 2);
	} else if (language->defs.rule_cnt < RULES_MAX) {
		language_rule(language, line)->want_evttypes_warning = true;
	}
}

static void add_lines(struct language *language, const uint8_t *data, size_t size)
{
	char line[4096];
	size_t n = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] != '\n' && n + 1 < sizeof(line)) {
			line[n++] = (char)data[i];
			continue;
		}
		line[n] = '\0';
		add_line(language, line);
		n = 0;
	}
}

/* The rule alone, from what ast_format() wrote. */
static void run_again(const struct language *language, uint32_t rule, const char *event, bool want)
{
	struct language again;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	ast_format(language->rules[rule].condition, false, &text);
	if (!text.failed) {
		language_init(&again, 1u << 26);
		language_rule(&again, buf_str(&text).p);
		if (language_compile(&again) != 0) {
			diags_print(&again.diags, stderr, false);
			abort();
		}
		hae_assert((language_run(&again, event, values, NULL) == 1) == want);
		language_done(&again);
	}
	buf_done(&text);
}

static void run(struct language *language, const char *event)
{
	uint64_t hits = 0;

	language_run(language, event, values, &hits);
	for (uint32_t i = 0; i < language->defs.rule_cnt; i++)
		run_again(language, i, event, hits >> i & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct language language;
	struct buf out;

	if (size > 8192)
		return 0;
	language_init(&language, 1u << 26);
	language.is_match_all = true;
	add_lines(&language, data, size);
	if (language_compile(&language) == 0) {
		run(&language, size % 2 ? "open" : "execve");
		buf_init(&out, TEXT_MAX);
		program_dump(language.program, &out);
		buf_done(&out);
	} else {
		hae_assert(language.diags.error_cnt > 0);
	}
	buf_init(&out, TEXT_MAX);
	diags_format_json(&language.diags, &out);
	buf_done(&out);
	language_done(&language);
	return 0;
}
