/*
 * haetae top: a live view of the running daemon, in the whole terminal; once where there is none.
 * Owns the last two answers.
 */
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "status_view.h"
#include "terminal.h"
#include "top_view.h"

#define SCREEN_MAX   (1u << 20)
#define KEY_WAIT_MS  200
#define ORDER_LETTER "macn" /* in the order of enum top_order */

enum top_option {
	TOP_INTERVAL,
	TOP_ONCE,
	TOP_SORT,
	TOP_SOCKET,
	TOP_OPTION__COUNT
};

static const struct option_spec options[] = {
	[TOP_INTERVAL] = { 0, "interval", "TIME", "Ask anew after this time (default: 1s).",
			   false },
	[TOP_ONCE] = { 0, "once", NULL,
		       "Print once, all rules, and end; as where there is no "
		       "terminal.",
		       false },
	[TOP_SORT] = { 0, "sort", "matches|alerts|cost|name", "Which rules come first.", false },
	[TOP_SOCKET] = { 0, "socket", "PATH",
			 "The daemon's control socket (default: " CONTROL_SOCKET_DEFAULT ").",
			 false },
};
_Static_assert(ARRAY_LEN(options) == TOP_OPTION__COUNT, "one row an option");

struct top {
	struct top_view view;
	const char *socket;
	uint64_t interval_ns;
	struct json_object *now, *before; /* owned */
	uint64_t asked_ns;
};

static int ask(struct top *top)
{
	struct json_object *answer = NULL;
	uint64_t now_ns = clock_boot_ns();
	int r = status_ask(top->socket, "top", &answer);

	if (r != EXIT_OK)
		return r;
	json_object_put(top->before);
	top->before = top->now;
	top->now = answer;
	top->view.period_ns = now_ns - top->asked_ns;
	top->asked_ns = now_ns;
	return EXIT_OK;
}

static void put_plain(const struct top *top)
{
	_cleanup_(buf_done) struct buf out;
	bool is_escape = false;

	buf_init(&out, SCREEN_MAX);
	top_view_put(&top->view, top->now, NULL, &out);
	/* Without the colours: no terminal has asked for them. */
	for (size_t i = 0; i < out.n; i++) {
		is_escape |= out.p[i] == '\x1b';
		if (!is_escape)
			putchar(out.p[i]);
		is_escape &= out.p[i] != 'm';
	}
}

static void show(struct top *top)
{
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, SCREEN_MAX);
	terminal_size(&top->view.rows, &top->view.columns);
	top_view_put(&top->view, top->now, top->before, &out);
	terminal_show(buf_str(&out));
}

/* False where it is to end. */
static bool take_key(struct top *top, int key)
{
	const char *order = key > 0 ? strchr(ORDER_LETTER, key) : NULL;

	if (order)
		top->view.order = (enum top_order)(order - ORDER_LETTER);
	else if (key == '\t')
		top->view.is_for_containers = !top->view.is_for_containers;
	else if (key == ' ')
		top->view.is_paused = !top->view.is_paused;
	return key >= 0 && key != 'q' && key != '\x1b' && key != 4; /* ^D */
}

static int watch(struct top *top)
{
	int r = terminal_begin(), key = 0;

	if (r < 0) {
		put_plain(top);
		return EXIT_OK;
	}
	do {
		show(top);
		key = terminal_key(KEY_WAIT_MS);
		r = EXIT_OK;
		if (!top->view.is_paused && clock_boot_ns() >= top->asked_ns + top->interval_ns)
			r = ask(top);
	} while (r == EXIT_OK && take_key(top, key));
	terminal_end();
	/* Why has gone with the screen. */
	if (r != EXIT_OK)
		fputs("haetae: the daemon no longer answers\n", stderr);
	return r;
}

static int parse(const struct args *args, struct top *top)
{
	static const char *const orders[] = { "matches", "alerts", "cost", "name" };
	const char *sort = args_get(args, TOP_SORT), *interval = args_get(args, TOP_INTERVAL);

	top->interval_ns = NS_PER_SEC;
	if (interval && (!args_parse_duration(interval, &top->interval_ns) ||
			 top->interval_ns < 100 * NS_PER_MS))
		return args_usage_error(
			&command_top, "--interval is a time of at least 100ms, not '%s'", interval);
	for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
		if (sort && strcmp(sort, orders[i]) != 0)
			continue;
		top->view.order = (enum top_order)i;
		return EXIT_OK;
	}
	return args_usage_error(&command_top, "--sort is matches, alerts, cost or name, not '%s'",
				sort);
}

static int run(const struct args *args)
{
	struct top top = { .socket = args_get(args, TOP_SOCKET) ?: CONTROL_SOCKET_DEFAULT };
	bool is_once = args_has(args, TOP_ONCE) || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
	int r = parse(args, &top);

	top.view.columns = 120;
	if (r == EXIT_OK)
		r = ask(&top);
	if (r == EXIT_OK && is_once)
		put_plain(&top);
	else if (r == EXIT_OK)
		r = watch(&top);
	json_object_put(top.now);
	json_object_put(top.before);
	return r;
}

const struct command command_top = {
	.name = "top",
	.operands = "",
	.summary = "watch the running daemon: rules, containers, sinks, loss",
	.description =
		"Fills the terminal with what the daemon does: events, alerts and losses with\n"
		"their rates, sinks, the rules by what they matched and what they cost, and the\n"
		"containers that have most events. Keys: m, a, c and n sort by matches, alerts,\n"
		"cost and name; tab gives the room to containers; space pauses; q ends. Prints\n"
		"once where there is no terminal.",
	.example = "sudo haetae top --sort alerts",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
