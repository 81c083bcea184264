/*
 * The state of a running daemon as lines for people. Owns nothing. Every text of the answer is
 * escaped: names of rules and containers are other people's.
 */
#include "status_view.h"

#include <errno.h>
#include <stdio.h>

#include "control_client.h"
#include "haetae/daemon.h"
#include "haetae/text.h"

#define NAME_WIDTH 10

static int say_error(const char *socket, int r)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		fprintf(stderr,
			"haetae: no daemon listens at %s; start one with 'haetae run', or name "
			"its socket with --socket\n",
			socket);
		break;
	case -EACCES:
	case -EPERM:
		fprintf(stderr, "haetae: %s: only root and the daemon's own user may ask\n",
			socket);
		break;
	case CONTROL_E_CLOSED:
		fprintf(stderr, "haetae: %s: the daemon has hung up\n", socket);
		break;
	case CONTROL_E_TIME:
		fprintf(stderr, "haetae: %s: the daemon does not answer\n", socket);
		break;
	default:
		fprintf(stderr, "haetae: %s: %s\n", socket, strerror(-r));
	}
	return EXIT_HOST;
}

/* Its answer where it says that this worked. */
static int check_answer(struct json_object **answer)
{
	struct json_object *member;
	_cleanup_(buf_done) struct buf text = { 0 };

	if (json_object_object_get_ex(*answer, "ok", &member) && json_object_get_boolean(member))
		return EXIT_OK;
	buf_init(&text, 4096);
	status_put_text(&text, *answer, "error", 1000);
	fprintf(stderr, "haetae: %.*s\n", STR_ARG(buf_str(&text)));
	json_object_put(*answer);
	*answer = NULL;
	return EXIT_NOT_GOOD;
}

int status_ask(const char *socket, const char *command, struct json_object **ret)
{
	struct control_client client = { .fd = -1 };
	struct json_object *answer = NULL;
	int r = control_client_open(socket, &client);

	if (r != 0)
		return say_error(socket, r);
	r = control_client_ask(&client, command, &answer);
	control_client_close(&client);
	if (r != 0)
		return say_error(socket, r);
	r = check_answer(&answer);
	*ret = answer;
	return r;
}

uint64_t status_number(struct json_object *status, const char *group, const char *key)
{
	struct json_object *at = status, *member;

	if (group && !json_object_object_get_ex(status, group, &at))
		return 0;
	if (!json_object_is_type(at, json_type_object) ||
	    !json_object_object_get_ex(at, key, &member))
		return 0;
	return json_object_get_uint64(member);
}

static bool is_true(struct json_object *status, const char *group, const char *key)
{
	return status_number(status, group, key) != 0;
}

bool status_is_ready(struct json_object *status)
{
	return is_true(status, "readiness", "ready");
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *member;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &member) ||
	    !json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

/* Bytes that are no ASCII count as columns, too: what is cut is cut a little early. */
void status_put_text(struct buf *out, struct json_object *object, const char *key, int width)
{
	_cleanup_(buf_done) struct buf text;
	size_t n;

	buf_init(&text, 16384);
	text_put_line(&text, str_from(text_of(object, key)));
	n = MIN(text.n, (size_t)width);
	/* Not in the middle of a character. */
	while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	buf_put(out, buf_str(&text).p, n);
}

static void put_duration(struct buf *out, uint64_t seconds)
{
	unsigned long long days = seconds / 86400, hours = seconds / 3600 % 24;
	unsigned minutes = (unsigned)(seconds / 60 % 60);

	if (days)
		buf_printf(out, "%llu d %llu h", days, hours);
	else if (hours)
		buf_printf(out, "%llu h %u min", hours, minutes);
	else if (minutes)
		buf_printf(out, "%u min %u s", minutes, (unsigned)(seconds % 60));
	else
		buf_printf(out, "%u s", (unsigned)seconds);
}

static void put_readiness(struct json_object *status, struct buf *out)
{
	if (status_is_ready(status))
		buf_puts(out, "ready");
	else if (!is_true(status, "readiness", "probes"))
		buf_puts(out, "not ready: it has not begun yet");
	else if (!is_true(status, "readiness", "draining"))
		buf_puts(out, "not ready: it does not keep up with the events");
	else if (!status_number(status, "rules", "enabled"))
		buf_puts(out, "not ready: no rule is enabled");
	else
		buf_puts(out, "not ready: it did not detect its own test");
}

void status_put_head(struct json_object *status, struct buf *out)
{
	buf_puts(out, "haetae ");
	status_put_text(out, status, "version", 40);
	buf_printf(out, ", pid %llu, up ", (unsigned long long)status_number(status, NULL, "pid"));
	put_duration(out, status_number(status, NULL, "uptime_seconds"));
	buf_puts(out, ": ");
	put_readiness(status, out);
	buf_putc(out, '\n');
}

/* All numbers of a group, as they are named. Lists are for scripts. */
static void put_group(struct json_object *status, const char *group, struct buf *out)
{
	struct json_object *object;
	const char *separator = "";

	if (!json_object_object_get_ex(status, group, &object) ||
	    !json_object_is_type(object, json_type_object))
		return;
	buf_printf(out, "%-*s", NAME_WIDTH, group);
	json_object_object_foreach(object, key, value)
	{
		if (json_object_is_type(value, json_type_array))
			continue;
		buf_puts(out, separator);
		for (const char *c = key; *c; c++)
			buf_putc(out, *c == '_' ? ' ' : *c);
		buf_putc(out, ' ');
		text_put_line(out, str_from(json_object_get_string(value) ?: "none"));
		separator = ", ";
	}
	buf_putc(out, '\n');
}

static void put_sink(struct json_object *sink, struct buf *out)
{
	buf_printf(out, "%-*s", NAME_WIDTH, "sink");
	status_put_text(out, sink, "name", 64);
	buf_puts(out, " (");
	status_put_text(out, sink, "type", 32);
	buf_puts(out, is_true(sink, NULL, "durable") ? ", durable): " : "): ");
	status_put_text(out, sink, "health", 32);
	buf_printf(out, ", delivered %llu, queued %llu, failed %llu, dropped %llu",
		   (unsigned long long)status_number(sink, NULL, "delivered"),
		   (unsigned long long)status_number(sink, NULL, "queued"),
		   (unsigned long long)status_number(sink, NULL, "failed"),
		   (unsigned long long)status_number(sink, NULL, "dropped"));
	if (*text_of(sink, "problem")) {
		buf_puts(out, "; ");
		status_put_text(out, sink, "problem", 200);
	}
	buf_putc(out, '\n');
}

void status_view(struct json_object *status, struct buf *out)
{
	struct json_object *sinks;
	size_t cnt = 0;

	status_put_head(status, out);
	put_group(status, "rules", out);
	put_group(status, "events", out);
	put_group(status, "filter", out);
	put_group(status, "alerts", out);
	if (json_object_object_get_ex(status, "sinks", &sinks) &&
	    json_object_is_type(sinks, json_type_array))
		cnt = json_object_array_length(sinks);
	for (size_t i = 0; i < cnt; i++)
		put_sink(json_object_array_get_idx(sinks, i), out);
	put_group(status, "spool", out);
	put_group(status, "tables", out);
	put_group(status, "reload", out);
	put_group(status, "self_test", out);
}
