/*
 * haetae explain: what the engine made of a rule. Owns the ruleset for the duration of the command.
 */
#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "rule_paths.h"

#define TEXT_MAX (16u << 20)

enum explain_option {
	EXPLAIN_RULES,
	EXPLAIN__COUNT
};

static const struct option_spec options[] = {
	[EXPLAIN_RULES] = { 'r', "rules", "PATH",
			    "A rule file, or a folder of them; instead of the installed rules.",
			    true },
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

static int explain(const struct ruleset *ruleset, const char *name)
{
	const struct rule *rule = find_rule(ruleset, str_from(name));
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, TEXT_MAX);
	if (!rule)
		return unknown_rule(ruleset, name);
	ruleset_explain(ruleset, rule, &out);
	fwrite(buf_str(&out).p, 1, buf_str(&out).n, stdout);
	return EXIT_OK;
}

static int run(const struct args *args)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	int r = rule_paths_load(args, EXPLAIN_RULES, &ruleset);

	return r == EXIT_OK ? explain(ruleset, args->operands[0]) : r;
}

const struct command command_explain = {
	.name = "explain",
	.operands = "RULE",
	.summary = "show what a rule means to the engine: condition, event types, plan",
	.description =
		"Prints a rule's condition with its macros and lists filled in and where each\n"
		"part comes from, the events that it looks at, and the plan that is run.",
	.example = "haetae explain -r rules 'Read sensitive file'",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 1,
	.operand_max = 1,
	.run = run,
};
