/*
 * The control socket's clients: requests in, answers and the stream of alerts out. Owns the socket
 * and the clients, whose buffers are bounded; a reader that is too slow loses alerts, which are
 * counted and told in its stream. Outputs thread; nothing here waits.
 */
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "control_socket.h"
#include "haetae/clock.h"
#include "haetae/json_bound.h"
#include "haetae/log.h"
#include "haetae/text.h"
#include "readiness.h"
#include "reload.h"
#include "status.h"

#define REQUEST_MAX	 4096
#define OUTPUT_MAX	 (1u << 20) /* of one client */
#define RULES_MAX	 (OUTPUT_MAX / 2)
#define LOST_LINE	 64 /* longer than {"lost":N} */
#define EVENTS_MAX	 (CONTROL_CLIENTS_MAX + 1)
#define FINISH_NS	 (500 * NS_PER_MS)
#define FINISH_PERIOD_MS 50

struct client {
	int fd;				/* owned; -1: free */
	bool is_subscriber, is_waiting; /* for room to write */
	bool is_ended;			/* goes when its output is written */
	uint64_t used;			/* the count of requests when it last asked */
	uint64_t lost;			/* not yet told */
	struct buf out;
	size_t sent; /* of out */
	size_t in_cnt;
	char in[REQUEST_MAX];
};

struct control {
	struct control_socket socket;
	int epoll_fd;
	struct metrics *metrics;
	struct outputs *outputs;       /* borrowed; NULL: none */
	const struct ruleset *ruleset; /* before the engine has published one */
	struct reload *reload;	       /* borrowed; NULL: the rules stay as they are */
	struct client clients[CONTROL_CLIENTS_MAX];
	uint64_t request_cnt;
	struct control_stats stats;
};

/* ---- output --------------------------------------------------------------------------------- */

static void hang_up(struct client *client)
{
	close_fdp(&client->fd);
	buf_done(&client->out);
	client->is_subscriber = false;
}

static void want_room(struct control *control, struct client *client, bool is_waiting)
{
	struct epoll_event event = { .events = EPOLLIN | (is_waiting ? EPOLLOUT : 0),
				     .data.ptr = client };

	if (client->is_waiting == is_waiting)
		return;
	client->is_waiting = is_waiting;
	(void)epoll_ctl(control->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

static void drop_sent(struct client *client)
{
	if (client->sent == 0)
		return;
	memmove(client->out.p, client->out.p + client->sent, client->out.n - client->sent);
	client->out.n -= client->sent;
	client->sent = 0;
}

static void tell_lost(struct client *client)
{
	if (client->lost == 0 || client->out.n + LOST_LINE > OUTPUT_MAX)
		return;
	buf_printf(&client->out, "{\"lost\":%llu}\n", (unsigned long long)client->lost);
	client->lost = 0;
}

/* False where the client has gone. */
static bool write_out(struct control *control, struct client *client)
{
	while (client->sent < client->out.n) {
		ssize_t n = send(client->fd, client->out.p + client->sent,
				 client->out.n - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR) {
			hang_up(client);
			return false;
		}
		client->sent += n > 0 ? (size_t)n : 0;
	}
	if (client->sent == client->out.n || client->sent > OUTPUT_MAX / 2)
		drop_sent(client);
	tell_lost(client);
	want_room(control, client, client->out.n > 0);
	if (!client->is_ended || client->out.n > 0)
		return true;
	hang_up(client);
	return false;
}

static void on_alert(void *data, const struct alert *alert)
{
	struct control *control = data;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->fd < 0 || !client->is_subscriber || client->is_ended)
			continue;
		/* In order: what was lost is told before what comes after it. */
		tell_lost(client);
		if (client->lost > 0 ||
		    client->out.n + alert->json.n + 1 + LOST_LINE > OUTPUT_MAX) {
			client->lost++;
			control->stats.lost++;
			continue;
		}
		buf_put_str(&client->out, alert->json);
		buf_putc(&client->out, '\n');
		control->stats.sent++;
		want_room(control, client, true);
	}
}

/* ---- requests ------------------------------------------------------------------------------- */

static void answer_version(struct control *control, struct client *client)
{
	(void)control;
	buf_puts(&client->out, "{\"ok\":true,\"version\":");
	text_put_json_string(&client->out, STR(HAETAE_VERSION));
	buf_printf(&client->out, ",\"protocol\":%d,\"pid\":%d}\n", CONTROL_PROTOCOL, (int)getpid());
}

static void answer_ping(struct control *control, struct client *client)
{
	struct control_stats stats;

	control_stats(control, &stats);
	buf_puts(&client->out, "{\"ok\":true,");
	readiness_put(metrics_take(control->metrics), &client->out);
	buf_printf(
		&client->out,
		",\"control\":{\"clients\":%u,\"subscribers\":%u,\"accepted\":%llu,"
		"\"refused\":%llu,\"crowded\":%llu,\"alerts_sent\":%llu,\"alerts_lost\":%llu}}\n",
		stats.clients, stats.subscribers, (unsigned long long)stats.accepted,
		(unsigned long long)stats.refused, (unsigned long long)stats.crowded,
		(unsigned long long)stats.sent, (unsigned long long)stats.lost);
}

static void answer_error(struct client *client, const char *what)
{
	buf_puts(&client->out, "{\"ok\":false,\"error\":");
	text_put_json_string(&client->out, str_from(what));
	buf_puts(&client->out, "}\n");
}

static void put_rules(const struct ruleset *ruleset, struct buf *out)
{
	static const char *const keys[] = { "rules", "immature" };

	buf_puts(out, "{\"ok\":true");
	for (unsigned k = 0; k < ARRAY_LEN(keys); k++) {
		const char *separator = "";

		buf_printf(out, ",\"%s\":[", keys[k]);
		for (uint32_t i = 0; ruleset && i < ruleset_rule_cnt(ruleset); i++) {
			const struct rule *rule = ruleset_rule(ruleset, i);

			if (rule->is_self_test || (k == 0 ? !rule->is_enabled : !rule->is_immature))
				continue;
			buf_puts(out, separator);
			text_put_json_string(out, rule->name);
			separator = ",";
		}
		buf_putc(out, ']');
	}
	buf_puts(out, "}\n");
}

static void answer_rules(struct control *control, struct client *client)
{
	const struct ruleset *ruleset = metrics_take(control->metrics)->ruleset;
	_cleanup_(buf_done) struct buf rules;

	buf_init(&rules, RULES_MAX);
	put_rules(ruleset ?: control->ruleset, &rules);
	if (rules.failed)
		buf_puts(&client->out,
			 "{\"ok\":false,\"error\":\"too many rules for one answer\"}\n");
	else
		buf_put_str(&client->out, buf_str(&rules));
}

static void answer_alerts(struct control *control, struct client *client)
{
	(void)control;
	client->is_subscriber = true;
	buf_puts(&client->out, "{\"ok\":true}\n");
}

static void answer_status(struct control *control, struct client *client)
{
	buf_puts(&client->out, "{\"ok\":true,");
	status_put(metrics_take(control->metrics), control->outputs, &client->out);
	if (control->reload)
		reload_put(control->reload, &client->out);
	buf_puts(&client->out, "}\n");
}

static void answer_top(struct control *control, struct client *client)
{
	const struct metrics_snapshot *snapshot = metrics_take(control->metrics);

	buf_puts(&client->out, "{\"ok\":true,");
	status_put(snapshot, control->outputs, &client->out);
	buf_putc(&client->out, ',');
	status_put_top(snapshot, &client->out);
	buf_puts(&client->out, "}\n");
}

/* The answer is the number under which "status" tells how it went. */
static void answer_reload(struct control *control, struct client *client)
{
	if (control->reload)
		buf_printf(&client->out, "{\"ok\":true,\"request\":%llu}\n",
			   (unsigned long long)reload_request(control->reload, RELOAD_CONTROL));
	else
		answer_error(client, "this daemon has no rule files to load anew");
}

static const struct request_kind {
	const char *name;
	void (*answer)(struct control *control, struct client *client);
} commands[] = {
	{ "version", answer_version }, { "ping", answer_ping },	    { "rules", answer_rules },
	{ "alerts", answer_alerts },   { "status", answer_status }, { "top", answer_top },
	{ "reload", answer_reload },
};

static void answer(struct control *control, struct client *client, const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].answer(control, client);
			return;
		}
	}
	answer_error(
		client,
		"unknown command; there are version, ping, rules, alerts, status, top and reload");
}

static void take_request(struct control *control, struct client *client, struct str line)
{
	struct json_tokener *tokener = json_is_bounded(line) ? json_tokener_new_ex(8) : NULL;
	struct json_object *request = NULL, *name = NULL;

	client->used = ++control->request_cnt;
	if (tokener)
		request = json_tokener_parse_ex(tokener, line.p, (int)line.n);
	if (request && json_object_is_type(request, json_type_object) &&
	    json_object_object_get_ex(request, "command", &name) &&
	    json_object_is_type(name, json_type_string))
		answer(control, client, json_object_get_string(name));
	else
		answer_error(client, "a request is one line such as {\"command\":\"ping\"}");
	json_object_put(request);
	if (tokener)
		json_tokener_free(tokener);
}

/* Answers that do not fit are those of a client that asks and does not read. */
static bool has_room(const struct client *client)
{
	return client->out.n + RULES_MAX + LOST_LINE <= OUTPUT_MAX;
}

static void end_crowded(struct control *control, struct client *client, const char *what)
{
	control->stats.crowded++;
	if (has_room(client))
		answer_error(client, what);
	client->is_ended = true;
}

static void take_requests(struct control *control, struct client *client)
{
	char *at = client->in, *end = client->in + client->in_cnt, *newline;

	while (!client->is_ended && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		if (has_room(client))
			take_request(control, client, (struct str){ at, (uint32_t)(newline - at) });
		else
			end_crowded(control, client, "");
		at = newline + 1;
	}
	client->in_cnt = (size_t)(end - at);
	memmove(client->in, at, client->in_cnt);
	if (!client->is_ended && client->in_cnt == sizeof(client->in))
		end_crowded(control, client, "a request is at most 4096 bytes long");
}

static void read_in(struct control *control, struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_cnt,
			 sizeof(client->in) - client->in_cnt, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Who has said all may still be waiting for answers; a subscriber goes when it closes. */
	if (n <= 0) {
		hang_up(client);
		return;
	}
	if (client->is_ended)
		return;
	client->in_cnt += (size_t)n;
	take_requests(control, client);
	(void)write_out(control, client);
}

/* ---- clients -------------------------------------------------------------------------------- */

static bool is_welcome(struct control *control, int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid()))
		return true;
	if (control->stats.refused++ == 0)
		log_warning("control socket: refused a connection of uid %u; further ones are only "
			    "counted",
			    (unsigned)peer.uid);
	return false;
}

/* A free place, or that of the one who is not subscribed and has been silent for longest. */
static struct client *find_place(struct control *control)
{
	struct client *silent = NULL;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->fd < 0)
			return client;
		if (!client->is_subscriber && (!silent || client->used < silent->used))
			silent = client;
	}
	control->stats.crowded++;
	if (silent)
		hang_up(silent);
	return silent;
}

static void accept_client(struct control *control)
{
	_cleanup_(close_fdp) int fd =
		accept4(control->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	struct client *client;

	if (fd < 0 || !is_welcome(control, fd))
		return;
	client = find_place(control);
	if (!client)
		return;
	event.data.ptr = client;
	if (epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return;
	*client = (struct client){ .fd = TAKE_FD(fd), .used = ++control->request_cnt };
	buf_init(&client->out, OUTPUT_MAX);
	control->stats.accepted++;
}

static void step(void *data)
{
	struct control *control = data;
	struct epoll_event events[EVENTS_MAX];
	int cnt = epoll_wait(control->epoll_fd, events, EVENTS_MAX, 0);
	bool has_news = false;

	for (int i = 0; i < cnt; i++) {
		struct client *client = events[i].data.ptr;

		has_news |= !client;
		if (!client || client->fd < 0)
			continue;
		if (events[i].events & EPOLLOUT && !write_out(control, client))
			continue;
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			read_in(control, client);
	}
	/* Last: a new client may take the place of one that the events name. */
	if (has_news)
		accept_client(control);
}

static bool has_unsent(const struct control *control)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0 && control->clients[i].out.n > 0)
			return true;
	return false;
}

/* Who reads gets the last alerts; who has stopped is waited for no longer than this. */
static void finish(void *data)
{
	struct control *control = data;
	uint64_t until_ns = clock_boot_ns() + FINISH_NS;

	step(control);
	while (has_unsent(control) && clock_boot_ns() < until_ns) {
		struct pollfd fd = { .fd = control->epoll_fd, .events = POLLIN };

		(void)poll(&fd, 1, FINISH_PERIOD_MS);
		step(control);
	}
}

/* ---- the object ----------------------------------------------------------------------------- */

int control_new(const char *path, struct metrics *metrics, const struct ruleset *ruleset,
		struct control **ret)
{
	struct control *control = calloc(1, sizeof(*control));
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	if (!control)
		return -ENOMEM;
	control->metrics = metrics;
	control->socket = (struct control_socket){ .fd = -1, .dir_fd = -1 };
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		control->clients[i].fd = -1;
	control->ruleset = ruleset;
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = control->epoll_fd < 0 ? -errno : control_socket_open(path, &control->socket);
	if (r == 0 && epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, control->socket.fd, &event) < 0)
		r = -errno;
	if (r < 0) {
		control_free(control);
		return r;
	}
	*ret = control;
	return 0;
}

struct control *control_free(struct control *control)
{
	if (!control)
		return NULL;
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0)
			hang_up(&control->clients[i]);
	control_socket_close(&control->socket);
	close_fdp(&control->epoll_fd);
	free(control);
	return NULL;
}

void control_set_reload(struct control *control, struct reload *reload)
{
	control->reload = reload;
}

void control_set_outputs(struct control *control, struct outputs *outputs)
{
	control->outputs = outputs;
}

struct outputs_guest control_guest(struct control *control)
{
	return (struct outputs_guest){
		.fd = control->epoll_fd,
		.step = step,
		.on_alert = on_alert,
		.finish = finish,
		.data = control,
	};
}

void control_stats(const struct control *control, struct control_stats *ret)
{
	*ret = control->stats;
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		ret->clients += control->clients[i].fd >= 0;
		ret->subscribers +=
			control->clients[i].fd >= 0 && control->clients[i].is_subscriber;
	}
}
