/*
 * haetae explain: what the engine made of a rule. Owns the ruleset for the duration of the command.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "explain_event.h"
#include "rule_paths.h"

#define TEXT_MAX (16u << 20)

enum explain_option {
	EXPLAIN_RULES,
	EXPLAIN_JSON,
	EXPLAIN_MATURITY,
	EXPLAIN__COUNT
};

static const struct option_spec options[] = {
	[EXPLAIN_RULES] = { 'r', "rules", "PATH",
			    "A rule file, or a folder of them; instead of the installed rules.",
			    true },
	[EXPLAIN_JSON] = { 0, "json", NULL, "With an event: print one JSON object.", false },
	[EXPLAIN_MATURITY] = { 0, "maturity", RULE_MATURITY_VALUE,
			       "The least mature rules that are on (default: stable).", false },
};
_Static_assert(ARRAY_LEN(options) == EXPLAIN__COUNT, "one row an option");

/* Names hold blanks, so a part that no other rule has is as good as the whole. */
static const struct rule *find_rule(const struct ruleset *ruleset, struct str name)
{
	const struct rule *found = ruleset_find(ruleset, name);
	unsigned found_cnt = 0;

	for (uint32_t i = 0; !found && found_cnt < 2 && i < ruleset_rule_cnt(ruleset); i++)
		found_cnt += str_contains(ruleset_rule(ruleset, i)->name, name);
	for (uint32_t i = 0; !found && found_cnt == 1 && i < ruleset_rule_cnt(ruleset); i++)
		if (str_contains(ruleset_rule(ruleset, i)->name, name))
			found = ruleset_rule(ruleset, i);
	return found;
}

static int unknown_rule(const struct ruleset *ruleset, const char *word)
{
	_cleanup_(buf_done) struct buf best;
	struct near_name near;

	buf_init(&best, 4096);
	near_name_init(&near, str_from(word));
	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++) {
		struct str name = ruleset_rule(ruleset, i)->name;
		const char *before = near.best;
		char text[256];

		snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
		near_name_offer(&near, text);
		if (near.best != before) {
			buf_clear(&best);
			buf_put_str(&best, name);
			/* `text` ends here; the distance stays. */
			near.best = "";
		}
	}
	if (near.best)
		return args_usage_error(&command_explain, "no rule '%s'; did you mean '%s'?", word,
					buf_str(&best).p);
	return args_usage_error(&command_explain,
				"no rule '%s'; 'haetae list rules' prints their names", word);
}

static int explain(const struct args *args, const struct ruleset *ruleset, struct diags *diags)
{
	const struct rule *rule = find_rule(ruleset, str_from(args->operands[0]));
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, TEXT_MAX);
	if (!rule)
		return unknown_rule(ruleset, args->operands[0]);
	if (args->operand_cnt == 2)
		return explain_event(ruleset, diags, rule, args->operands[1],
				     args_has(args, EXPLAIN_JSON));
	ruleset_explain(ruleset, rule, &out);
	fwrite(buf_str(&out).p, 1, buf_str(&out).n, stdout);
	return EXIT_OK;
}

static int run(const struct args *args)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(diags_done) struct diags diags;
	struct rules_options rules;
	int r;

	diags_init(&diags);
	rules_options_default(&rules);
	rules.compile_output = template_compile;
	/* So that an earlier rule is seen beside the one that is asked for. */
	rules.is_match_all = args->operand_cnt == 2;
	r = rule_maturity_from_args(args, EXPLAIN_MATURITY, &rules.maturity);
	if (r == EXIT_OK)
		r = rule_paths_from_args(args, EXPLAIN_RULES, &paths);
	if (r != EXIT_OK)
		return r;
	r = ruleset_load(paths.paths, paths.path_cnt, &rules, &diags, &ruleset);
	if (r == 0)
		return explain(args, ruleset, &diags);
	if (r > 0)
		diags_print(&diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	else
		fprintf(stderr, "haetae explain: %s\n", strerror(-r));
	return r > 0 ? EXIT_NOT_GOOD : EXIT_HOST;
}

const struct command command_explain = {
	.name = "explain",
	.operands = "RULE [EVENT-FILE[:N]]",
	.summary = "show what a rule means to the engine, or why it matches an event or does not",
	.description =
		"Prints a rule's condition with its macros and lists filled in and where each\n"
		"part comes from, the events that it looks at, and the plan that is run. With an\n"
		"event (a map of fields as in the tests of rules, an alert's JSON, a line of JSON\n"
		"Lines; '-' is standard input): each part's answer, and what decided.",
	.example = "haetae explain -r rules 'Read sensitive file'",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 1,
	.operand_max = 2,
	.run = run,
};
