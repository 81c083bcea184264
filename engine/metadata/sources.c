/*
 * The sources of a metadata thread: which there are, their health, back-off and requests, and what
 * source.h offers to each kind. Owns the sources' sockets; everything else is struct
 * metadata_loop's. Metadata thread, but sources_open(), which runs before it starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include "haetae/clock.h"
#include "haetae/log.h"
#include "loop.h"

/* However often a source fails, and whatever the jitter says. */
#define BACKOFF_FLOOR_NS (10 * NS_PER_MS)

/* ---- which there are ------------------------------------------------------------------------ */

/* Where runtimes listen by default. Of which kind a socket of the configuration is, is found by its
 * name: `part` must be in the last part of its path. */
static const struct runtime_socket {
	const struct source_kind *kind;
	const char *part, *path;
} runtime_sockets[] = {
	{ &source_cri, "containerd", "/run/containerd/containerd.sock" },
	{ &source_containerd, "containerd", "/run/containerd/containerd.sock" },
	{ &source_cri, "containerd", "/run/k3s/containerd/containerd.sock" },
	{ &source_containerd, "containerd", "/run/k3s/containerd/containerd.sock" },
	{ &source_cri, "crio", "/run/crio/crio.sock" },
	{ &source_docker, "docker", "/var/run/docker.sock" },
	{ &source_docker, "podman", "/run/podman/podman.sock" },
};

static int open_source(struct metadata_loop *loop, const struct source_kind *kind, const char *path,
		       bool is_expected)
{
	struct source *source = &loop->sources[loop->source_cnt];
	int r;

	if (loop->source_cnt == SOURCES_MAX)
		return 0;
	*source = (struct source){
		.kind = kind,
		.loop = loop,
		.path = path,
		.is_expected = is_expected,
		.index = loop->source_cnt,
		.socket_fd = -1,
	};
	r = kind->open(source);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	loop->has_source[kind->group] = true;
	loop->source_cnt++;
	return 0;
}

static int open_usual(struct metadata_loop *loop)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(runtime_sockets); i++)
		r = open_source(loop, runtime_sockets[i].kind, runtime_sockets[i].path, false);
	return r;
}

/* A path that names no runtime is tried with every kind; those that do not understand each other
 * stay unhealthy. */
static bool has_part(const char *path, const char *part)
{
	const char *slash = strrchr(path, '/');

	return strstr(slash ? slash : path, part) != NULL;
}

static bool is_named(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(runtime_sockets); i++)
		if (has_part(path, runtime_sockets[i].part))
			return true;
	return false;
}

/* The first row of its kind, and of `path`'s name where it has one. */
static bool is_first_of_kind(size_t index, const char *path)
{
	for (size_t i = 0; i < index; i++)
		if (runtime_sockets[i].kind == runtime_sockets[index].kind &&
		    (!path || has_part(path, runtime_sockets[i].part)))
			return false;
	return !path || has_part(path, runtime_sockets[index].part);
}

static int open_configured(struct metadata_loop *loop, const char *path)
{
	bool is_by_name = is_named(path);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(runtime_sockets); i++)
		if (is_first_of_kind(i, is_by_name ? path : NULL))
			r = open_source(loop, runtime_sockets[i].kind, path, is_by_name);
	return r;
}

static int open_pods(struct metadata_loop *loop)
{
	switch (loop->config.kubernetes) {
	case KUBERNETES_OFF:
		break;
	case KUBERNETES_AUTO:
		return open_source(loop, &source_kubernetes, NULL, false);
	case KUBERNETES_API:
		return open_source(loop, &source_kubernetes, NULL, true);
	case KUBERNETES_KUBELET:
		return open_source(loop, &source_kubelet, NULL, true);
	}
	return 0;
}

int sources_open(struct metadata_loop *loop)
{
	const struct metadata_config *config = &loop->config;
	int r = 0;

	/* Only jitter: the clock does where there is no entropy. */
	if (getrandom(&loop->random, sizeof(loop->random), GRND_NONBLOCK) < 0)
		loop->random = loop->start_ns;
	loop->random |= 1;
	r = open_pods(loop);
	if (r == 0)
		r = open_source(loop, &source_bundle, NULL, false);
	if (r < 0 || !config->want_runtimes)
		return r;
	if (!config->socket_cnt)
		return open_usual(loop);
	for (uint32_t i = 0; r == 0 && i < config->socket_cnt; i++)
		r = open_configured(loop, config->sockets[i]);
	return r;
}

void sources_close(struct metadata_loop *loop)
{
	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		loop->sources[i].kind->close(&loop->sources[i]);
		close_fdp(&loop->sources[i].socket_fd);
	}
	loop->source_cnt = 0;
}

uint64_t sources_next_ns(const struct metadata_loop *loop)
{
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t i = 0; i < loop->source_cnt; i++)
		next_ns = MIN(next_ns, loop->sources[i].next_ns);
	return next_ns;
}

void sources_step(struct metadata_loop *loop, uint64_t now_ns)
{
	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		struct source *source = &loop->sources[i];

		if (source->next_ns <= now_ns) {
			source->next_ns = UINT64_MAX;
			source->stepped_ns = now_ns;
			source->kind->step(source, now_ns);
		}
	}
}

void sources_hurry(struct metadata_loop *loop, const struct metadata_question *asked,
		   uint64_t now_ns)
{
	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		struct source *source = &loop->sources[i];

		if (!source->is_healthy && source->has_spoken && source->kind->rank &&
		    source->kind->rank(source, asked) && source->next_ns != UINT64_MAX &&
		    now_ns > source->stepped_ns + NS_PER_SEC)
			source->next_ns = MIN(source->next_ns, now_ns);
	}
}

/* ---- what the thread gives ------------------------------------------------------------------ */

struct http_client *source_http(const struct source *source)
{
	return source->loop->http;
}

const struct metadata_config *source_config(const struct source *source)
{
	return &source->loop->config;
}

int source_root_fd(const struct source *source)
{
	return source->loop->root_fd;
}

void source_count(struct source *source, enum source_count what)
{
	atomic_fetch_add_explicit(&source->loop->metadata->counts[what], 1, memory_order_relaxed);
}

void source_wake_at(struct source *source, uint64_t then_ns)
{
	source->next_ns = then_ns;
}

/* ---- health --------------------------------------------------------------------------------- */

/* A group is healthy where one of its sources is. */
static void tell_health(struct metadata_loop *loop, enum metadata_source group)
{
	bool is_healthy = false;

	for (uint32_t i = 0; i < loop->source_cnt; i++)
		is_healthy |= loop->sources[i].kind->group == group && loop->sources[i].is_healthy;
	if (is_healthy == loop->is_healthy[group])
		return;
	loop->is_healthy[group] = is_healthy;
	loop_publish(loop, &(struct metadata_answer){
				   .type = ANSWER_SOURCE,
				   .source = group,
				   .is_healthy = is_healthy,
			   });
}

static void set_health(struct source *source, bool is_healthy)
{
	/* Questions may now be asked, or need no longer wait for it. */
	if (source->is_healthy != is_healthy || !source->has_spoken)
		source->loop->questions.is_dirty = true;
	source->is_healthy = is_healthy;
	source->has_spoken = true;
	tell_health(source->loop, source->kind->group);
}

static void log_source(const struct source *source, enum log_level level, const char *what)
{
	log_write(level, "metadata: %s%s%s: %s", source->kind->name, source->path ? " at " : "",
		  source->path ? source->path : "", what);
}

void source_healthy(struct source *source)
{
	if (!source->is_healthy)
		log_source(source, LOG_LEVEL_INFO,
			   source->was_healthy ? "answers again" : "answers");
	source->was_healthy = true;
	source->failures = 0;
	source->is_reported = false;
	set_health(source, true);
}

/* xorshift64: jitter keeps many daemons from coming back at once, no more. */
static uint64_t random_below(struct metadata_loop *loop, uint64_t limit)
{
	loop->random ^= loop->random << 13;
	loop->random ^= loop->random >> 7;
	loop->random ^= loop->random << 17;
	return limit ? loop->random % limit : 0;
}

void source_failed(struct source *source, uint64_t retry_after_ns, const char *why)
{
	struct metadata_loop *loop = source->loop;
	uint64_t cap_ns = loop->config.backoff_max_ns, delay_ns;

	source_count(source, SOURCE_FAILURES);
	/* A runtime that nobody named and that never answered is most likely not on this host: it
	 * is looked for rarely from the start. A container to ask about hurries it. */
	if (source->failures < 32 && (source->is_expected || source->was_healthy))
		cap_ns = MIN(cap_ns, loop->config.backoff_min_ns << source->failures);
	source->failures++;
	delay_ns = MAX(random_below(loop, cap_ns), BACKOFF_FLOOR_NS);
	source->next_ns = clock_boot_ns() + MAX(delay_ns, retry_after_ns);
	snprintf(source->why, sizeof(source->why), "%s", why ? why : "");
	if (why && !source->is_reported) {
		/* One that nobody asked for may well not be there. */
		log_source(source,
			   source->is_expected || source->is_healthy ? LOG_LEVEL_WARNING
								     : LOG_LEVEL_DEBUG,
			   why);
		source->is_reported = true;
	}
	set_health(source, false);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The number stays the source's own for as long as it lives, so that a call which has not connected
 * yet never meets another source's socket. */
static int renew_socket(struct source *source)
{
	_cleanup_(close_fdp) int fd = host_socket_open(source->loop->root_fd, source->path);

	if (fd < 0)
		return fd;
	if (source->socket_fd < 0) {
		source->socket_fd = TAKE_FD(fd);
		return 0;
	}
	return dup3(fd, source->socket_fd, O_CLOEXEC) < 0 ? -errno : 0;
}

int source_request(struct source *source, struct http_request *request, struct http_call **ret)
{
	struct metadata_loop *loop = source->loop;
	struct http_request copy = *request;
	char path[32], name[160];
	int r;

	if (!copy.timeout_ns)
		copy.timeout_ns = loop->config.request_timeout_ns;
	else if (copy.timeout_ns == UINT64_MAX)
		copy.timeout_ns = 0;
	if (source->path && !copy.unix_socket) {
		r = renew_socket(source);
		if (r < 0)
			return r;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", source->socket_fd);
		snprintf(name, sizeof(name), "%s%s", loop->config.host_root, source->path);
		copy.unix_socket = path;
		copy.peer_name = name;
	}
	source_count(source, SOURCE_REQUESTS);
	return http_start(loop->http, &copy, ret);
}

/* ---- pods ----------------------------------------------------------------------------------- */

void source_pods_begin(struct source *source)
{
	loop_publish(source->loop, &(struct metadata_answer){ .type = ANSWER_PODS_BEGIN,
							      .source = source->kind->group });
}

void source_pods_end(struct source *source)
{
	loop_publish(source->loop, &(struct metadata_answer){ .type = ANSWER_PODS_END,
							      .source = source->kind->group });
}

void source_pod(struct source *source, struct pod_info *pod)
{
	loop_publish(source->loop, &(struct metadata_answer){ .type = ANSWER_POD,
							      .pod = pod,
							      .source = source->kind->group });
}

void source_pod_gone(struct source *source, struct str uid)
{
	struct metadata_answer answer = { .type = ANSWER_POD_GONE, .source = source->kind->group };

	snprintf(answer.full_id, sizeof(answer.full_id), "%.*s", STR_ARG(uid));
	loop_publish(source->loop, &answer);
}
