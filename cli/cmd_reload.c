/*
 * haetae reload: has the running daemon load its rules anew, and waits for how it went. Owns the
 * answers.
 */
#include <stdio.h>
#include <time.h>

#include "haetae/clock.h"
#include "haetae/daemon.h"

#include "commands.h"
#include "haetae/text.h"
#include "status_view.h"

#define ASK_AGAIN_NS (20 * NS_PER_MS)
#define WAIT_NS	     (30 * NS_PER_SEC)

enum reload_option {
	RELOAD_SOCKET,
	RELOAD__COUNT
};

static const struct option_spec options[] = {
	[RELOAD_SOCKET] = { 0, "socket", "PATH",
			    "The daemon's control socket (default: " CONTROL_SOCKET_DEFAULT ").",
			    false },
};
_Static_assert(ARRAY_LEN(options) == RELOAD__COUNT, "one row an option");

/* Lines of people's files: each is made safe by itself. */
static void print_message(struct json_object *status, FILE *out)
{
	struct json_object *reload, *message;
	const char *at = "";
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, 1u << 20);
	if (json_object_object_get_ex(status, "reload", &reload) &&
	    json_object_object_get_ex(reload, "message", &message))
		at = json_object_get_string(message) ?: "";
	while (*at) {
		size_t n = strcspn(at, "\n");

		text_put_line(&text, (struct str){ at, (uint32_t)n });
		buf_putc(&text, '\n');
		at += n + (at[n] == '\n');
	}
	fwrite(buf_str(&text).p, 1, text.n, out);
}

/* How request `number` went. */
static int wait_for(const char *socket, uint64_t number)
{
	const struct timespec pause = { .tv_nsec = ASK_AGAIN_NS };
	uint64_t until_ns = clock_boot_ns() + WAIT_NS;
	struct json_object *status;

	while (clock_boot_ns() < until_ns) {
		int r = status_ask(socket, "status", &status);
		bool is_done, is_failed;

		if (r != EXIT_OK)
			return r;
		is_done = status_number(status, "reload", "done") >= number;
		is_failed = status_number(status, "reload", "last_failed") != 0;
		if (is_done)
			print_message(status, is_failed ? stderr : stdout);
		json_object_put(status);
		if (is_done)
			return is_failed ? EXIT_NOT_GOOD : EXIT_OK;
		(void)nanosleep(&pause, NULL);
	}
	fputs("haetae: the reload takes longer than 30 s; 'haetae status' tells when it is over\n",
	      stderr);
	return EXIT_NOT_GOOD;
}

static int run(const struct args *args)
{
	const char *socket = args_get(args, RELOAD_SOCKET) ?: CONTROL_SOCKET_DEFAULT;
	struct json_object *answer;
	uint64_t number;
	int r = status_ask(socket, "reload", &answer);

	if (r != EXIT_OK)
		return r;
	number = status_number(answer, NULL, "request");
	json_object_put(answer);
	return wait_for(socket, number);
}

const struct command command_reload = {
	.name = "reload",
	.operands = "",
	.summary = "have the running daemon load its rules anew",
	.description =
		"The daemon reads its configuration, compiles its rule files beside those in\n"
		"force and changes over between two events; none is lost. Prints which rules\n"
		"were added, removed or changed, and which options changed or need a restart.\n"
		"Where something is not valid, all stays as it was, the errors are printed,\n"
		"and the exit status is 1. Run it as root, or as the user\n"
		"that runs haetae.",
	.example = "sudo haetae reload",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
