/*
 * haetae completion: scripts for shells, and the words they offer. A script only asks `haetae
 * completion words`, which knows the tables of commands and options. Owns nothing but the ruleset
 * while names of rules are listed.
 */
#include <stdio.h>

#include "haetae/conf.h"
#include "haetae/diag.h"

#include "commands.h"
#include "rule_paths.h"
#include "trigger.h"

/* ---- scripts -------------------------------------------------------------------------------- */

/* What is offered is quoted as the shell wants it; names of rules hold blanks. ":files" as the
 * first line asks for the names of files. */
static const char bash_script[] =
	"# haetae completion bash; to use it: source <(haetae completion bash)\n"
	"_haetae() {\n"
	"\tlocal word line words=() raw=${COMP_WORDS[COMP_CWORD]}\n"
	"\tCOMPREPLY=()\n"
	"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD}\"; do\n"
	"\t\tword=${word#[\\'\\\"]}\n"
	"\t\twords+=(\"${word//\\\\/}\")\n"
	"\tdone\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [[ $line == :files ]]; then\n"
	"\t\t\tcompopt -o filenames\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$raw\")\n"
	"\t\t\tcontinue\n"
	"\t\tfi\n"
	"\t\tword=${line%%$'\\t'*}\n"
	"\t\tif [[ $word == *= ]]; then compopt -o nospace; fi\n"
	"\t\tif [[ $word == *[[:space:]]* ]]; then printf -v word %q \"$word\"; fi\n"
	"\t\tCOMPREPLY+=(\"$word\")\n"
	"\tdone < <(haetae completion words -- \"${words[@]}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _haetae haetae\n";

static const char zsh_script[] =
	"#compdef haetae\n"
	"# haetae completion zsh; to use it: source <(haetae completion zsh)\n"
	"_haetae() {\n"
	"\tlocal line word doc with_files=\n"
	"\tlocal -a words_shown docs_shown before\n"
	"\tbefore=(\"${(@Q)words[2,CURRENT]}\")\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [[ $line == :files ]]; then with_files=1; continue; fi\n"
	"\t\tword=${line%%$'\\t'*} doc=${line#*$'\\t'}\n"
	"\t\twords_shown+=(\"$word\")\n"
	"\t\tdocs_shown+=(\"${word}  ${doc}\")\n"
	"\tdone < <(haetae completion words -- \"${before[@]}\" 2>/dev/null)\n"
	"\t(( ${#words_shown} )) && compadd -l -d docs_shown -- \"${words_shown[@]}\"\n"
	"\t[[ -n $with_files ]] && _files\n"
	"\treturn 0\n"
	"}\n"
	"compdef _haetae haetae\n";

static const char fish_script[] =
	"# haetae completion fish; to use it: haetae completion fish | source\n"
	"function __haetae_words\n"
	"\tset -l typed (commandline -ct | string replace -r '^[\\'\"]' '')\n"
	"\tset -l typed (string replace -a \\\\ '' -- $typed)\n"
	"\tset -l words (commandline -opc) \"$typed\"\n"
	"\tfor line in (haetae completion words -- $words[2..-1] 2>/dev/null)\n"
	"\t\tif test \"$line\" = :files\n"
	"\t\t\t__fish_complete_path (commandline -ct)\n"
	"\t\telse\n"
	"\t\t\tprintf '%s\\n' $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c haetae -f -a '(__haetae_words)'\n";

static const struct {
	const char *shell, *text;
} scripts[] = {
	{ "bash", bash_script },
	{ "zsh", zsh_script },
	{ "fish", fish_script },
};

/* ---- words ---------------------------------------------------------------------------------- */

/* One line, where the word begins with what was typed. */
static void offer(struct str typed, struct str word, const char *doc)
{
	if (word.n < typed.n || memcmp(word.p, typed.p, typed.n) != 0 ||
	    memchr(word.p, '\n', word.n) || memchr(word.p, '\t', word.n))
		return;
	printf("%.*s\t%s\n", STR_ARG(word), doc ? doc : "");
}

static void offer_text(struct str typed, const char *word, const char *doc)
{
	offer(typed, str_from(word), doc);
}

static void offer_commands(struct str typed)
{
	for (unsigned i = 0; command_at(i); i++)
		offer_text(typed, command_at(i)->name, command_at(i)->summary);
	offer_text(typed, "--help", "Print help and exit.");
	offer_text(typed, "--version", "Print the version and exit.");
}

static void offer_rules(struct str typed)
{
	struct rule_paths paths = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	struct rules_options options;
	struct diags diags;

	if (rule_paths_find(&paths) < 0)
		return;
	rules_options_default(&options);
	diags_init(&diags);
	(void)ruleset_load(paths.paths, paths.path_cnt, &options, &diags, &ruleset);
	for (uint32_t i = 0; ruleset && i < ruleset_rule_cnt(ruleset); i++)
		offer(typed, ruleset_rule(ruleset, i)->name,
		      priority_name(ruleset_rule(ruleset, i)->priority));
	diags_done(&diags);
	rule_paths_done(&paths);
}

static void offer_settings(struct str typed)
{
	char key[128];

	for (unsigned i = 0; conf_option_at(i); i++) {
		snprintf(key, sizeof(key), "%s=", conf_option_at(i)->key);
		offer_text(typed, key, "");
	}
}

static void offer_actions(struct str typed)
{
	for (unsigned i = 0; trigger_action_at(i); i++)
		offer_text(typed, trigger_action_at(i)->name, trigger_action_at(i)->doc);
}

/* "text|json", and "list | retry UUID...": each alternative's first word. */
static void offer_choices(struct str typed, const char *choices)
{
	while (*choices) {
		size_t n;

		choices += strspn(choices, " |");
		n = strcspn(choices, " |");
		if (n)
			offer(typed, (struct str){ choices, (uint32_t)n }, NULL);
		choices += n;
		choices += strcspn(choices, "|");
	}
}

/* By what help calls the value or the operand. */
static const struct {
	const char *name;
	void (*offer)(struct str typed);
} kinds[] = {
	{ "RULE", offer_rules },
	{ "ACTION", offer_actions },
	{ "KEY=VALUE", offer_settings },
};

/* name: up to the next blank; what follows are later operands. */
static void offer_values(struct str typed, const char *name)
{
	struct str all = { name, (uint32_t)strcspn(name, " ") };
	uint32_t n = (uint32_t)strcspn(name, " .[]");

	if (memchr(all.p, '|', all.n)) {
		offer_choices(typed, name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq((struct str){ name, n }, str_from(kinds[i].name)))
			kinds[i].offer(typed);
	if (str_contains(all, STR("PATH")) || str_contains(all, STR("FILE")) ||
	    str_contains(all, STR("DIR")))
		puts(":files");
}

static const struct option_spec *find_option(const struct command *command, const char *word)
{
	for (unsigned i = 0; i < command->option_cnt; i++) {
		const struct option_spec *option = &command->options[i];

		if ((word[0] == '-' && word[1] == '-' && strcmp(word + 2, option->name) == 0) ||
		    (word[0] == '-' && option->letter && word[1] == option->letter && !word[2]))
			return option;
	}
	return NULL;
}

static void offer_options(const struct command *command, const char *const *words, unsigned cnt,
			  struct str typed)
{
	char name[64];

	for (unsigned i = 0; i < command->option_cnt; i++) {
		const struct option_spec *option = &command->options[i];
		bool is_given = false;

		for (unsigned word = 1; word + 1 < cnt; word++)
			is_given |= find_option(command, words[word]) == option;
		snprintf(name, sizeof(name), "--%s", option->name);
		if (!is_given || option->is_repeatable)
			offer_text(typed, name, option->doc);
	}
	offer_text(typed, "--help", "Print help and exit.");
}

/* Of "PATH... [EVENT-FILE]" the one at this place; the last one may be repeated. */
static const char *operand_at(const char *operands, unsigned place)
{
	const char *at = operands + strspn(operands, " [");

	while (place-- > 0) {
		const char *next = at + strcspn(at, " ");

		next += strspn(next, " [");
		if (!*next)
			break;
		at = next;
	}
	return at;
}

static void offer_operands(const struct command *command, const char *const *words, unsigned cnt,
			   struct str typed)
{
	unsigned place = 0;

	for (unsigned i = 1; i + 1 < cnt; i++) {
		const struct option_spec *option = find_option(command, words[i]);

		if (option && option->value)
			i++;
		else if (words[i][0] != '-')
			place++;
	}
	if (strchr(command->operands, '|')) {
		if (place == 0)
			offer_choices(typed, command->operands);
	} else if (command->operands[0]) {
		offer_values(typed, operand_at(command->operands, place));
	}
}

/* words: those behind `haetae`; the last is being typed. */
static int offer_words(const char *const *words, unsigned cnt)
{
	const struct command *command = NULL;
	struct str typed = cnt ? str_from(words[cnt - 1]) : STR("");
	const struct option_spec *option;

	if (cnt <= 1) {
		offer_commands(typed);
		return EXIT_OK;
	}
	for (unsigned i = 0; command_at(i); i++)
		if (strcmp(command_at(i)->name, words[0]) == 0)
			command = command_at(i);
	if (!command)
		return EXIT_OK;
	option = cnt > 2 ? find_option(command, words[cnt - 2]) : NULL;
	if (option && option->value)
		offer_values(typed, option->value);
	else if (typed.n && typed.p[0] == '-')
		offer_options(command, words, cnt, typed);
	else
		offer_operands(command, words, cnt, typed);
	return EXIT_OK;
}

static int run(const struct args *args)
{
	const char *what = args->operands[0];

	if (strcmp(what, "words") == 0)
		return offer_words(args->operands + 1, args->operand_cnt - 1);
	if (args->operand_cnt > 1)
		return args_usage_error(&command_completion, "'%s' stands behind the shell",
					args->operands[1]);
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		if (strcmp(what, scripts[i].shell) != 0)
			continue;
		fputs(scripts[i].text, stdout);
		return EXIT_OK;
	}
	return args_usage_error(&command_completion,
				"no script for '%s'; there are bash, zsh, fish", what);
}

const struct command command_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish",
	.summary = "print a script that completes haetae's words in a shell",
	.description =
		"Prints a script for the shell, which offers commands, options, their values, "
		"names\n"
		"of rules, options of the configuration and names of actions where they belong.\n"
		"It asks 'haetae completion words -- WORD...' for them, so it is never out of "
		"date.",
	.example = "source <(haetae completion bash)",
	.operand_min = 1,
	.operand_max = UINT_MAX,
	.run = run,
};
