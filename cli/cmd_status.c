/*
 * haetae status: the state of the running daemon, for people or for scripts. Owns the answer.
 */
#include <stdio.h>

#include "haetae/daemon.h"

#include "commands.h"
#include "status_view.h"

enum status_option {
	STATUS_JSON,
	STATUS_SOCKET,
	STATUS__COUNT
};

static const struct option_spec options[] = {
	[STATUS_JSON] = { 0, "json", NULL, "Print the daemon's answer as JSON.", false },
	[STATUS_SOCKET] = { 0, "socket", "PATH",
			    "The daemon's control socket (default: " CONTROL_SOCKET_DEFAULT ").",
			    false },
};
_Static_assert(ARRAY_LEN(options) == STATUS__COUNT, "one row an option");

static int run(const struct args *args)
{
	const char *socket = args_get(args, STATUS_SOCKET) ?: CONTROL_SOCKET_DEFAULT;
	_cleanup_(buf_done) struct buf out;
	struct json_object *status;
	bool is_ready;
	int r = status_ask(socket, "status", &status);

	buf_init(&out, 1u << 20);
	if (r != EXIT_OK)
		return r;
	is_ready = status_is_ready(status);
	if (args_has(args, STATUS_JSON)) {
		puts(json_object_to_json_string_ext(
			status, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	} else {
		status_view(status, &out);
		fwrite(buf_str(&out).p, 1, out.n, stdout);
	}
	json_object_put(status);
	return is_ready ? EXIT_OK : EXIT_NOT_GOOD;
}

const struct command command_status = {
	.name = "status",
	.operands = "",
	.summary = "tell how the running daemon is",
	.description =
		"Asks the daemon through its control socket: whether it is ready, its rules,\n"
		"events by what became of them, alerts, each sink, the spool, and how full its\n"
		"tables are. Exits with 0 where it is ready, with 1 where it is not, and with 3\n"
		"where no daemon answers. Run it as root, or as the user that runs haetae.",
	.example = "sudo haetae status --json",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
