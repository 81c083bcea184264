/*
 * Conformance cases of rule files: files with the diagnostics that they raise, or with what was
 *made of them. Prints TAP, one point a case, named by file and line.
 *
 *	== name of the case
 *	- macro: m                  the file a.yaml, until the next "-- name" or "=>"
 *	  condition: evt.type = open
 *	-- b.yaml                   another file; files load in this order
 *	=>
 *	E0501 b.yaml:3:5            a diagnostic; 3:5 alone is in a.yaml, - is no place
 *	condition R: …              expanded; also output, desc, priority, tags, enabled, source
 *	order: R, S                 all rules, in evaluation order
 *
 * The diagnostics must be these and no others, but for those of the compiler's lint (W04xx), which
 * count only where a case names them. A case with an E must not load; any other must.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ruleset.h"

#define FILES_MAX 8
#define TEXT_MAX  (1u << 20)

struct loader_case {
	char name[256];
	unsigned line;
	char files[FILES_MAX][64];
	struct buf texts[FILES_MAX];
	unsigned file_cnt;
	struct buf wanted; /* lines */
	bool is_in_wanted;
};

struct run {
	const char *file;
	unsigned line, case_cnt, failure_cnt;
	struct loader_case now;
	bool has_case;
};

static void die(const struct run *run, const char *what)
{
	printf("Bail out! %s:%u: %s\n", run->file, run->line, what);
	exit(1);
}

/* ---- what was made ----------------------------------------------------------------------------
 */

static bool is_lint(const char *code)
{
	return strncmp(code, "W04", 3) == 0;
}

/* "E0501 3:5" lines; lint only where the case wants that code. */
static void put_diags(const struct diags *diags, const struct buf *wanted, struct buf *out)
{
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		const struct diag *diag = &diags->items[i];
		struct diag_position position = diags_position(diags, diag->at);
		struct str file = diags->sources ? diags->sources[diag->at.source].name : STR("");

		if (diag->is_related)
			continue;
		if (is_lint(diag->code) && !strstr(buf_str(wanted).p, diag->code))
			continue;
		buf_printf(out, "%s ", diag->code);
		if (position.line == 0)
			buf_puts(out, "-");
		else if (!str_eq_text(file, "a.yaml"))
			buf_printf(out, "%.*s:", STR_ARG(file));
		if (position.line)
			buf_printf(out, "%u:%u", position.line, position.column);
		buf_putc(out, '\n');
		if (!diag->hint.p)
			buf_printf(out, "%s has no hint\n", diag->code);
	}
}

static void put_order(const struct ruleset *ruleset, struct buf *out)
{
	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++) {
		buf_puts(out, i ? ", " : "");
		buf_put_str(out, ruleset_rule(ruleset, i)->name);
	}
}

static void put_tags(const struct rule *rule, struct buf *out)
{
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_puts(out, i ? ", " : "");
		buf_put_str(out, rule->tags[i]);
	}
}

static void put_value(const struct ruleset *ruleset, struct str key, struct str name,
		      struct buf *out)
{
	const struct rule *rule = ruleset_find(ruleset, name);

	if (str_eq_text(key, "order"))
		put_order(ruleset, out);
	else if (!rule)
		buf_puts(out, "no such rule");
	else if (str_eq_text(key, "condition"))
		ast_format(ruleset->compiled[rule->index].condition, false, out);
	else if (str_eq_text(key, "output"))
		buf_put_str(out, rule->output);
	else if (str_eq_text(key, "desc"))
		buf_put_str(out, rule->desc);
	else if (str_eq_text(key, "source"))
		buf_put_str(out, rule->source);
	else if (str_eq_text(key, "priority"))
		buf_puts(out, priority_name(rule->priority));
	else if (str_eq_text(key, "enabled"))
		buf_puts(out, rule->is_enabled ? "true" : "false");
	else if (str_eq_text(key, "tags"))
		put_tags(rule, out);
	else
		buf_puts(out, "no such key");
}

/* "key name: value" with the value that there is. */
static void put_answer(const struct ruleset *ruleset, struct str line, struct buf *out)
{
	const char *colon = memchr(line.p, ':', line.n);
	const char *blank = colon ? memchr(line.p, ' ', (size_t)(colon - line.p)) : NULL;
	const char *key_end = blank ? blank : colon;
	struct str key, name = STR("");

	if (!colon) {
		buf_puts(out, "a line without ':'\n");
		return;
	}
	key = (struct str){ line.p, (uint32_t)(key_end - line.p) };
	if (blank)
		name = (struct str){ blank + 1, (uint32_t)(colon - blank - 1) };
	buf_put(out, line.p, (size_t)(colon + 1 - line.p));
	buf_putc(out, ' ');
	if (ruleset)
		put_value(ruleset, key, name, out);
	else
		buf_puts(out, "did not load");
	buf_putc(out, '\n');
}

/* In the form of the wanted lines, to be compared with them as text. */
static void put_result(const struct loader_case *now, const struct diags *diags,
		       const struct ruleset *ruleset, struct buf *out)
{
	const char *line = buf_str(&now->wanted).p, *end;

	put_diags(diags, &now->wanted, out);
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!strchr("EWN", line[0]))
			put_answer(ruleset, (struct str){ line, (uint32_t)(end - line) }, out);
	}
	if (!ruleset && diags->error_cnt == 0)
		buf_puts(out, "did not load, without an error\n");
	if (ruleset && diags->error_cnt)
		buf_puts(out, "loaded, with errors\n");
}

/* ---- cases ------------------------------------------------------------------------------------
 */

static void write_file(const struct run *run, const char *name, struct str text)
{
	FILE *out = fopen(name, "we");

	if (!out || fwrite(text.p, 1, text.n, out) != text.n || fclose(out) != 0)
		die(run, "cannot write a file of a case");
}

static int load(struct run *run, struct diags *diags, struct ruleset **ret)
{
	const char *paths[FILES_MAX];
	struct rules_options options;
	int r;

	for (unsigned i = 0; i < run->now.file_cnt; i++) {
		paths[i] = run->now.files[i];
		write_file(run, paths[i], buf_str(&run->now.texts[i]));
	}
	rules_options_default(&options);
	r = ruleset_load(paths, run->now.file_cnt, &options, diags, ret);
	for (unsigned i = 0; i < run->now.file_cnt; i++)
		unlink(paths[i]);
	return r;
}

static void run_case(struct run *run)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(diags_done) struct diags diags;
	_cleanup_(buf_done) struct buf got;
	const char *wanted = buf_str(&run->now.wanted).p;
	bool is_good;

	diags_init(&diags);
	buf_init(&got, TEXT_MAX);
	if (load(run, &diags, &ruleset) < 0)
		die(run, "out of memory");
	put_result(&run->now, &diags, ruleset, &got);
	is_good = strcmp(buf_str(&got).p, wanted) == 0;
	run->case_cnt++;
	run->failure_cnt += !is_good;
	printf("%sok %u - %s:%u %s\n", is_good ? "" : "not ", run->case_cnt, run->file,
	       run->now.line, run->now.name);
	if (is_good)
		return;
	fflush(stdout);
	fprintf(stderr, "%s:%u %s\n--- wanted\n%s--- got\n%s", run->file, run->now.line,
		run->now.name, wanted, buf_str(&got).p);
	diags_print(&diags, stderr, false);
}

static void end_case(struct run *run)
{
	if (!run->has_case)
		return;
	if (!run->now.is_in_wanted)
		die(run, "a case without =>");
	run_case(run);
	for (unsigned i = 0; i < run->now.file_cnt; i++)
		buf_done(&run->now.texts[i]);
	buf_done(&run->now.wanted);
	run->has_case = false;
}

static void begin_file(struct run *run, const char *name)
{
	unsigned i = run->now.file_cnt++;

	if (i == FILES_MAX)
		die(run, "too many files");
	snprintf(run->now.files[i], sizeof(run->now.files[i]), "%s", name);
	buf_init(&run->now.texts[i], TEXT_MAX);
}

static void begin_case(struct run *run, const char *name)
{
	end_case(run);
	run->now = (struct loader_case){ .line = run->line };
	snprintf(run->now.name, sizeof(run->now.name), "%s", name);
	buf_init(&run->now.wanted, TEXT_MAX);
	begin_file(run, "a.yaml");
	run->has_case = true;
}

static void read_line(struct run *run, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "== ", 3) == 0) {
		begin_case(run, line + 3);
		return;
	}
	if (!run->has_case) {
		if (line[0] && line[0] != '#')
			die(run, "text before the first case");
		return;
	}
	if (strcmp(line, "=>") == 0)
		run->now.is_in_wanted = true;
	else if (run->now.is_in_wanted && line[0] && line[0] != '#')
		buf_printf(&run->now.wanted, "%s\n", line);
	else if (!run->now.is_in_wanted && strncmp(line, "-- ", 3) == 0)
		begin_file(run, line + 3);
	else if (!run->now.is_in_wanted)
		buf_printf(&run->now.texts[run->now.file_cnt - 1], "%s\n", line);
}

static void read_file(struct run *run, const char *path)
{
	FILE *in = fopen(path, "re");
	size_t capacity = 0;
	char *line = NULL;

	run->file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	run->line = 0;
	if (!in)
		die(run, strerror(errno));
	while (getline(&line, &capacity, in) >= 0) {
		run->line++;
		read_line(run, line);
	}
	end_case(run);
	free(line);
	fclose(in);
}

/* Cases are written as files, with short names, into a folder of their own. */
int main(int argc, char **argv)
{
	char folder[] = "/tmp/haetae-loader-XXXXXX";
	struct run run = { .file = "run_loader" };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(folder) || chdir(folder) < 0)
		die(&run, "no folder for the files");
	for (int i = 1; i < argc; i++)
		read_file(&run, argv[i]);
	printf("1..%u\n", run.case_cnt);
	if (chdir("/") < 0 || rmdir(folder) < 0)
		die(&run, "a file of a case is left behind");
	return run.failure_cnt || run.case_cnt == 0;
}
