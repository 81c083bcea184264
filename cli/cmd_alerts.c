/*
 * haetae alerts: dead letters, the alerts that a receiver has refused for good. Lists them, gives
 * them back to the daemon, or drops them; with the daemon running or not. Owns nothing between
 * calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <syslog.h>

#include "haetae/daemon.h"
#include "haetae/dead_letter.h"
#include "haetae/text.h"

#include "commands.h"

#define SINKS_LISTED  256
#define TEXT_LINE_MAX (64u << 10)

enum alerts_option {
	ALERTS_ALL,
	ALERTS_JSON,
	ALERTS_SINK,
	ALERTS_SPOOL,
	ALERTS__COUNT
};

static const struct option_spec options[] = {
	[ALERTS_ALL] = { 0, "all", NULL, "Retry or drop all of them; instead of UUIDs.", false },
	[ALERTS_JSON] = { 0, "json", NULL, "List as lines of JSON, with each alert as it is.",
			  false },
	[ALERTS_SINK] = { 0, "sink", "NAME", "Only those of this sink.", false },
	[ALERTS_SPOOL] = { 0, "spool", "DIR",
			   "The spool's folder (default: " SPOOL_DIR_DEFAULT ").", false },
};
_Static_assert(ARRAY_LEN(options) == ALERTS__COUNT, "one row an option");

struct alerts {
	const struct args *args;
	int dir_fd;
	char sinks[SINKS_LISTED][256];
	unsigned sink_cnt;
	const char *sink; /* at hand */
	uint64_t cnt, skipped;
	bool *is_found; /* owned: of each UUID given */
};

static bool add_sink(const char *sink, void *data)
{
	struct alerts *alerts = data;
	const char *wanted = args_get(alerts->args, ALERTS_SINK);

	if (!wanted || strcmp(wanted, sink) == 0)
		snprintf(alerts->sinks[alerts->sink_cnt++], sizeof(alerts->sinks[0]), "%s", sink);
	return alerts->sink_cnt < SINKS_LISTED;
}

/* ---- list ----------------------------------------------------------------------------------- */

static bool print_letter(const struct dead_letter *letter, void *data)
{
	struct alerts *alerts = data;
	_cleanup_(buf_done) struct buf line = { 0 };

	alerts->cnt++;
	if (args_has(alerts->args, ALERTS_JSON)) {
		fwrite(letter->line.p, 1, letter->line.n, stdout);
		putchar('\n');
		return true;
	}
	buf_init(&line, TEXT_LINE_MAX);
	for (size_t i = 0; i < 4; i++) {
		const struct str columns[] = { letter->parts.uuid, str_from(letter->time),
					       str_from(alerts->sink), letter->parts.rule };

		text_put_line(&line, columns[i]);
		buf_puts(&line, "  ");
	}
	buf_printf(&line, "%u attempt%s: ", letter->attempts, letter->attempts == 1 ? "" : "s");
	text_put_line(&line, str_from(letter->reason));
	printf("%.*s\n", STR_ARG(buf_str(&line)));
	return true;
}

/* ---- choose --------------------------------------------------------------------------------- */

static bool is_chosen(const struct dead_letter *letter, void *data)
{
	struct alerts *alerts = data;
	bool is_chosen = args_has(alerts->args, ALERTS_ALL);

	if (!letter)
		return is_chosen;
	for (unsigned i = 1; i < alerts->args->operand_cnt; i++) {
		if (!str_eq_text(letter->parts.uuid, alerts->args->operands[i]))
			continue;
		alerts->is_found[i] = true;
		is_chosen = true;
	}
	return is_chosen;
}

/* Who has removed alerts is worth knowing afterwards (decision 41). */
static void log_drop(const struct alerts *alerts)
{
	openlog("haetae", LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE, "alerts drop: uid %u has dropped %llu alerts of sink %s",
	       (unsigned)getuid(), (unsigned long long)alerts->cnt,
	       args_has(alerts->args, ALERTS_SINK) ? args_get(alerts->args, ALERTS_SINK)
						   : "any name");
	closelog();
}

static int check_found(const struct alerts *alerts)
{
	int result = EXIT_OK;

	for (unsigned i = 1; i < alerts->args->operand_cnt; i++) {
		_cleanup_(buf_done) struct buf line = { 0 };

		if (alerts->is_found[i])
			continue;
		buf_init(&line, TEXT_LINE_MAX);
		text_put_line(&line, str_from(alerts->args->operands[i]));
		fprintf(stderr, "haetae alerts: there is no dead letter %.*s\n",
			STR_ARG(buf_str(&line)));
		result = EXIT_NOT_GOOD;
	}
	return result;
}

/* ---- actions -------------------------------------------------------------------------------- */

static int each_sink(struct alerts *alerts, int (*fn)(struct alerts *alerts))
{
	for (unsigned i = 0; i < alerts->sink_cnt; i++) {
		int r;

		alerts->sink = alerts->sinks[i];
		r = fn(alerts);
		if (r < 0) {
			fprintf(stderr, "haetae alerts: sink %s: %s\n", alerts->sink, strerror(-r));
			return EXIT_HOST;
		}
	}
	return EXIT_OK;
}

static int list_sink(struct alerts *alerts)
{
	uint64_t skipped = 0;
	int r = dead_letters_each(alerts->dir_fd, alerts->sink, print_letter, alerts, &skipped);

	alerts->skipped += skipped;
	return r;
}

static int retry_sink(struct alerts *alerts)
{
	uint64_t cnt = 0;
	int r = dead_letters_retry(alerts->dir_fd, alerts->sink, is_chosen, alerts, &cnt);

	alerts->cnt += cnt;
	return r;
}

static int drop_sink(struct alerts *alerts)
{
	uint64_t cnt = 0;
	int r = dead_letters_drop(alerts->dir_fd, alerts->sink, is_chosen, alerts, &cnt);

	alerts->cnt += cnt;
	return r;
}

static int run_list(struct alerts *alerts)
{
	int result = each_sink(alerts, list_sink);

	if (result != EXIT_OK)
		return result;
	if (alerts->skipped)
		fprintf(stderr, "haetae alerts: %llu lines can't be read\n",
			(unsigned long long)alerts->skipped);
	if (!args_has(alerts->args, ALERTS_JSON))
		printf("%llu dead letter%s\n", (unsigned long long)alerts->cnt,
		       alerts->cnt == 1 ? "" : "s");
	return alerts->skipped ? EXIT_NOT_GOOD : EXIT_OK;
}

static int run_retry(struct alerts *alerts)
{
	int result = each_sink(alerts, retry_sink);

	if (result != EXIT_OK)
		return result;
	printf("%llu alert%s to be tried again: by a daemon that runs within a second, otherwise "
	       "by the next one\n",
	       (unsigned long long)alerts->cnt, alerts->cnt == 1 ? " is" : "s are");
	return check_found(alerts);
}

static int run_drop(struct alerts *alerts)
{
	int result = each_sink(alerts, drop_sink);

	if (alerts->cnt)
		log_drop(alerts);
	if (result != EXIT_OK)
		return result;
	printf("%llu alert%s dropped\n", (unsigned long long)alerts->cnt,
	       alerts->cnt == 1 ? "" : "s");
	return check_found(alerts);
}

static const struct action {
	const char *name;
	bool wants_choice;
	int (*run)(struct alerts *alerts);
} actions[] = {
	{ "list", false, run_list },
	{ "retry", true, run_retry },
	{ "drop", true, run_drop },
};

static int run_action(const struct action *action, const struct args *args)
{
	const char *dir =
		args_has(args, ALERTS_SPOOL) ? args_get(args, ALERTS_SPOOL) : SPOOL_DIR_DEFAULT;
	_cleanup_(close_fdp) int dir_fd =
		open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(freep) struct alerts *alerts = calloc(1, sizeof(*alerts));
	_cleanup_(freep) bool *is_found = calloc(args->operand_cnt, sizeof(*is_found));
	int r;

	if (dir_fd < 0) {
		fprintf(stderr, "haetae alerts: %s: %s\n", dir, strerror(errno));
		return EXIT_HOST;
	}
	if (!alerts || !is_found) {
		fprintf(stderr, "haetae: %s\n", strerror(ENOMEM));
		return EXIT_HOST;
	}
	*alerts = (struct alerts){ .args = args, .dir_fd = dir_fd, .is_found = is_found };
	r = dead_letters_sinks(dir_fd, add_sink, alerts);
	if (r < 0) {
		fprintf(stderr, "haetae alerts: %s: %s\n", dir, strerror(-r));
		return EXIT_HOST;
	}
	return action->run(alerts);
}

static int run(const struct args *args)
{
	bool has_choice = args->operand_cnt > 1 || args_has(args, ALERTS_ALL);

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].name, args->operands[0]) != 0)
			continue;
		if (actions[i].wants_choice && !has_choice)
			return args_usage_error(&command_alerts, "%s needs UUIDs, or --all",
						actions[i].name);
		if (!actions[i].wants_choice && has_choice)
			return args_usage_error(&command_alerts, "%s takes no UUIDs",
						actions[i].name);
		if (args->operand_cnt > 1 && args_has(args, ALERTS_ALL))
			return args_usage_error(&command_alerts, "UUIDs or --all, not both");
		return run_action(&actions[i], args);
	}
	return args_usage_error(&command_alerts, "unknown action '%s': list, retry or drop",
				args->operands[0]);
}

const struct command command_alerts = {
	.name = "alerts",
	.operands = "list | retry UUID... | drop UUID...",
	.summary = "list, retry or drop alerts that a receiver has refused",
	.description =
		"An alert that its receiver refuses for good (HTTP 400, say) is kept beside the\n"
		"spool as a dead letter, with the reason. 'list' prints them; 'retry' has the\n"
		"daemon send them again, whether it runs or not; 'drop' removes them. Run it as\n"
		"the user that runs haetae.",
	.example = "sudo haetae alerts retry --sink siem --all",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 1,
	.operand_max = UINT_MAX,
	.run = run,
};
