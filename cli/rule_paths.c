/*
 * Chooses the rule files of a command. Owns nothing beyond the call.
 */
#include "rule_paths.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/daemon.h"

#define LOCAL_RULES_DIR	 "/etc/haetae/rules.d"
#define DEFAULT_PATH_MAX 2

/* build/haetae stands beside rules/: a tree that was built but not installed. */
static bool find_source_tree(char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	int length;

	if (n <= 0)
		return false;
	self[n] = 0;
	for (int up = 0; up < 2; up++) {
		slash = strrchr(self, '/');
		if (!slash)
			return false;
		*slash = 0;
	}
	length = snprintf(path, PATH_MAX, "%s/rules", self);
	return length > 0 && length < PATH_MAX && access(path, R_OK) == 0;
}

int rule_paths_find(struct rule_paths *ret)
{
	static const char *const installed[DEFAULT_PATH_MAX] = { HAETAE_RULES_DIR,
								 LOCAL_RULES_DIR };

	ret->paths = calloc(DEFAULT_PATH_MAX, sizeof(*ret->paths));
	if (!ret->paths)
		return -ENOMEM;
	for (unsigned i = 0; i < DEFAULT_PATH_MAX; i++)
		if (access(installed[i], F_OK) == 0)
			ret->paths[ret->path_cnt++] = installed[i];
	if (ret->path_cnt == 0 && find_source_tree(ret->source_tree))
		ret->paths[ret->path_cnt++] = ret->source_tree;
	return 0;
}

static const char **copy_operands(const struct args *args, uint32_t *ret_cnt)
{
	const char **paths = calloc(args->operand_cnt + 1, sizeof(*paths));

	*ret_cnt = args->operand_cnt;
	for (unsigned i = 0; paths && i < args->operand_cnt; i++)
		paths[i] = args->operands[i];
	return paths;
}

int rule_paths_from_args(const struct args *args, unsigned option, struct rule_paths *ret)
{
	bool is_operands = option == RULE_PATHS_OPERANDS;
	int r = 0;

	*ret = (struct rule_paths){ 0 };
	ret->paths = is_operands ? copy_operands(args, &ret->path_cnt)
				 : args_get_all(args, option, &ret->path_cnt);
	if (!ret->paths)
		r = -ENOMEM;
	if (r == 0 && ret->path_cnt == 0) {
		rule_paths_done(ret);
		r = rule_paths_find(ret);
	}
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	if (ret->path_cnt == 0)
		return args_usage_error(
			args->command, "no rules: nothing is installed in %s or %s; give %s",
			HAETAE_RULES_DIR, LOCAL_RULES_DIR, is_operands ? "a PATH" : "-r PATH");
	return EXIT_OK;
}

int rule_maturity_from_args(const struct args *args, unsigned option, enum maturity *ret)
{
	const char *word = args_get(args, option);

	if (word && !maturity_parse(str_from(word), ret))
		return args_usage_error(args->command,
					"--maturity is stable, incubating or sandbox, not '%s'",
					word);
	return EXIT_OK;
}

int rule_paths_load(const struct args *args, unsigned option, enum maturity maturity,
		    struct ruleset **ret)
{
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };
	_cleanup_(diags_done) struct diags diags;
	struct rules_options rules;
	int r;

	diags_init(&diags);
	rules_options_default(&rules);
	rules.compile_output = template_compile;
	rules.maturity = maturity;
	r = rule_paths_from_args(args, option, &paths);
	if (r != EXIT_OK)
		return r;
	r = ruleset_load(paths.paths, paths.path_cnt, &rules, &diags, ret);
	if (r < 0) {
		fprintf(stderr, "haetae: %s\n", strerror(-r));
		return EXIT_HOST;
	}
	if (r > 0)
		diags_print(&diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

void rule_paths_done(struct rule_paths *paths)
{
	free(paths->paths);
	paths->paths = NULL;
	paths->path_cnt = 0;
}
