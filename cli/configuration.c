/*
 * Reads the configuration of a command and says what is wrong with it. Owns nothing.
 */
#include "configuration.h"

#include <errno.h>
#include <stdio.h>

static int out_of_memory(void)
{
	fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
	return EXIT_HOST;
}

static void print(struct diags *diags)
{
	diags_sort(diags);
	diags_print(diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
}

int configuration_load(const struct args *args, unsigned option, struct conf *conf,
		       struct diags *diags)
{
	const char *path = args_get(args, option);
	int r = conf_load(conf, path ?: CONF_PATH_DEFAULT, diags);

	if (r == 0 || (r == CONF_E_ABSENT && !path))
		return EXIT_OK;
	if (r < 0)
		return out_of_memory();
	if (r == CONF_E_ABSENT)
		return args_usage_error(args->command, "%s: %s", path, strerror(ENOENT));
	print(diags);
	return EXIT_NOT_GOOD;
}

/* One line, as of other mistakes on the command line. The value is not shown: it may be a secret,
 * and the message names what it has to. */
static int usage_error(const struct args *args, const char *assignment, const struct diag *diag)
{
	return args_usage_error(args->command, "-o %.*s: %.*s; %.*s", (int)strcspn(assignment, "="),
				assignment, STR_ARG(diag->text), STR_ARG(diag->hint));
}

int configuration_assign(const struct args *args, unsigned option, struct conf *conf,
			 struct diags *diags)
{
	uint32_t cnt;
	_cleanup_(freep) const char **assignments = args_get_all(args, option, &cnt);

	if (!assignments)
		return out_of_memory();
	for (uint32_t i = 0; i < cnt; i++) {
		uint32_t before = diags->item_cnt;
		int r = conf_assign(conf, assignments[i], diags);

		if (r < 0 || (r > 0 && before == diags->item_cnt))
			return out_of_memory();
		if (r > 0)
			return usage_error(args, assignments[i], &diags->items[before]);
	}
	return EXIT_OK;
}

int configuration_finish(struct conf *conf, struct diags *diags)
{
	int r = conf_finish(conf, diags);

	print(diags);
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}
