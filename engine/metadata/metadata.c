/*
 * The metadata thread: questions in, answers out, one loop over the HTTP client between them. Owns
 * the two queues and, in the thread, everything in struct metadata_loop. The public functions are
 * called by the engine thread.
 */
#include "haetae/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "haetae/clock.h"
#include "loop.h"

/* How long a step waits where nothing is due. */
#define IDLE_NS (60 * NS_PER_SEC)

/* ---- answers -------------------------------------------------------------------------------- */

struct metadata_answer *metadata_answer_free(struct metadata_answer *answer)
{
	if (!answer)
		return NULL;
	container_info_unref(answer->info);
	pod_info_unref(answer->pod);
	free(answer);
	return NULL;
}

/* Oldest first, until the queue is full. */
static void flush_waiting(struct metadata_loop *loop)
{
	struct metadata *metadata = loop->metadata;

	while (loop->waiting) {
		struct answer_node *node = loop->waiting;
		struct answer_node *next = node->next;

		if (!queue_put(&metadata->out, &node->answer))
			return;
		loop->waiting = next;
		if (!next)
			loop->waiting_end = &loop->waiting;
		loop->waiting_cnt--;
	}
}

void loop_publish(struct metadata_loop *loop, const struct metadata_answer *answer)
{
	struct metadata *metadata = loop->metadata;
	struct answer_node *node = calloc(1, sizeof(*node));

	if (!node) {
		/* The one way to lose an answer; the engine's deadline decides. */
		atomic_fetch_add(&metadata->counts[SOURCE_REFUSED], 1);
		container_info_unref(answer->info);
		pod_info_unref(answer->pod);
		return;
	}
	node->answer = *answer;
	atomic_fetch_add(&metadata->answers, 1);
	*loop->waiting_end = node;
	loop->waiting_end = &node->next;
	loop->waiting_cnt++;
	flush_waiting(loop);
	if (loop->waiting)
		atomic_fetch_add(&metadata->answers_waited, 1);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void take_questions(struct metadata_loop *loop)
{
	struct metadata *metadata = loop->metadata;
	struct metadata_question *asked;

	queue_acknowledge(&metadata->in);
	/* Each may evict another, which is answered: that must not run ahead of the engine. */
	while (loop->waiting_cnt < ANSWERS_WAITING_MAX && queue_count(&metadata->in) &&
	       questions_have_room(loop)) {
		asked = queue_take(&metadata->in);
		if (asked->type == QUESTION_CONTAINER)
			questions_add(loop, asked);
		else
			questions_forget(loop, asked);
		free(asked);
	}
}

static void drain(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

/* Until the engine has taken answers, or we are to end. Nothing is read from the sources meanwhile:
 * that is the back-pressure. */
static void wait_for_room(struct metadata_loop *loop)
{
	struct metadata *metadata = loop->metadata;

	atomic_store(&metadata->wants_room, true);
	/* Room that was made before the flag was seen wakes nobody. */
	flush_waiting(loop);
	if (loop->waiting_cnt >= ANSWERS_WAITING_MAX && !atomic_load(&metadata->is_stopping))
		(void)poll(&(struct pollfd){ .fd = metadata->wake_fd, .events = POLLIN }, 1, -1);
	drain(metadata->wake_fd);
}

static void step(struct metadata_loop *loop)
{
	struct metadata *metadata = loop->metadata;
	struct pollfd extra[] = {
		{ .fd = metadata->wake_fd, .events = POLLIN },
		{ .fd = metadata->in.event_fd, .events = POLLIN },
	};
	uint64_t now_ns = clock_boot_ns(), questions_ns, sources_ns, next_ns;

	sources_step(loop, now_ns);
	take_questions(loop);
	questions_ns = questions_advance(loop, now_ns);
	/* Also one that a question has woken. */
	sources_ns = sources_next_ns(loop);
	next_ns = MIN(now_ns + IDLE_NS, MIN(questions_ns, sources_ns));
	/* Questions that waited in the queue for a place wake nobody. */
	if (loop->questions.is_dirty || loop->questions.has_ready ||
	    (queue_count(&metadata->in) && loop->waiting_cnt < ANSWERS_WAITING_MAX))
		next_ns = now_ns;
	if (loop->waiting)
		atomic_store(&metadata->wants_room, true);
	flush_waiting(loop);
	http_step(loop->http, extra, ARRAY_LEN(extra), next_ns);
	if (extra[0].revents)
		drain(metadata->wake_fd);
}

static void *run(void *data)
{
	struct metadata *metadata = data;
	struct metadata_loop *loop = &metadata->loop;

	pthread_setname_np(pthread_self(), "metadata");
	while (!atomic_load(&metadata->is_stopping)) {
		flush_waiting(loop);
		if (loop->waiting_cnt >= ANSWERS_WAITING_MAX)
			wait_for_room(loop);
		else
			step(loop);
	}
	return NULL;
}

/* ---- start and end -------------------------------------------------------------------------- */

static const char *keep(struct arena *arena, const char *text)
{
	return text ? arena_str(arena, str_from(text)).p : NULL;
}

static int copy_config(struct metadata_loop *loop, const struct metadata_config *config)
{
	struct metadata_config *copy = &loop->config;

	*copy = *config;
	copy->host_root = keep(&loop->arena, config->host_root ? config->host_root : "");
	for (uint32_t i = 0; i < config->socket_cnt; i++)
		copy->sockets[i] = keep(&loop->arena, config->sockets[i]);
	for (uint32_t i = 0; i < config->bundle_root_cnt; i++)
		copy->bundle_roots[i] = keep(&loop->arena, config->bundle_roots[i]);
	copy->api_url = keep(&loop->arena, config->api_url);
	copy->kubelet_url = keep(&loop->arena, config->kubelet_url);
	copy->token_file = keep(&loop->arena, config->token_file);
	copy->ca_file = keep(&loop->arena, config->ca_file);
	copy->node_name = keep(&loop->arena, config->node_name);
	return loop->arena.failed ? -ENOMEM : 0;
}

static int init_loop(struct metadata *metadata, const struct metadata_config *config)
{
	struct metadata_loop *loop = &metadata->loop;
	int r;

	loop->metadata = metadata;
	loop->root_fd = -1;
	loop->waiting_end = &loop->waiting;
	loop->start_ns = clock_boot_ns();
	loop->random = loop->start_ns | 1;
	arena_init(&loop->arena, 1u << 20);
	questions_init(&loop->questions);
	r = copy_config(loop, config);
	if (r == 0)
		r = http_client_new(&loop->http);
	if (r < 0)
		return r;
	loop->root_fd = host_root_open(loop->config.host_root);
	return loop->root_fd < 0 ? loop->root_fd : sources_open(loop);
}

static int init(struct metadata *metadata, const struct metadata_config *config)
{
	int r;

	metadata->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (metadata->wake_fd < 0)
		return -errno;
	r = queue_init(&metadata->in, QUESTION_QUEUE);
	if (r == 0)
		r = queue_init(&metadata->out, ANSWER_QUEUE);
	return r < 0 ? r : init_loop(metadata, config);
}

/* Signals belong to the daemon's thread. */
static int start_thread(struct metadata *metadata)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&metadata->thread, NULL, run, metadata);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	metadata->is_started = r == 0;
	return -r;
}

static struct metadata *alloc_metadata(void)
{
	struct metadata *metadata = calloc(1, sizeof(*metadata));

	if (metadata) {
		metadata->wake_fd = metadata->in.event_fd = metadata->out.event_fd = -1;
		metadata->loop.root_fd = -1;
		metadata->loop.waiting_end = &metadata->loop.waiting;
	}
	return metadata;
}

int metadata_start(const struct metadata_config *config, struct metadata **ret)
{
	struct metadata *metadata = alloc_metadata();
	int r;

	if (!metadata)
		return -ENOMEM;
	r = init(metadata, config);
	if (r == 0)
		r = start_thread(metadata);
	if (r < 0) {
		metadata_free(metadata);
		return r;
	}
	*ret = metadata;
	return 0;
}

static void done_loop(struct metadata_loop *loop)
{
	struct answer_node *node;

	sources_close(loop);
	loop->http = http_client_free(loop->http);
	questions_done(&loop->questions);
	while ((node = loop->waiting)) {
		loop->waiting = node->next;
		metadata_answer_free(&node->answer);
	}
	close_fdp(&loop->root_fd);
	arena_done(&loop->arena);
}

struct metadata *metadata_free(struct metadata *metadata)
{
	void *item;

	if (!metadata)
		return NULL;
	if (metadata->is_started) {
		atomic_store(&metadata->is_stopping, true);
		(void)!write(metadata->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
		pthread_join(metadata->thread, NULL);
	}
	done_loop(&metadata->loop);
	while (metadata->in.items && (item = queue_take(&metadata->in)))
		free(item);
	while (metadata->out.items && (item = queue_take(&metadata->out)))
		metadata_answer_free(item);
	queue_done(&metadata->in);
	queue_done(&metadata->out);
	close_fdp(&metadata->wake_fd);
	free(metadata);
	return NULL;
}

/* ---- for the engine thread ------------------------------------------------------------------ */

bool metadata_ask(struct metadata *metadata, const struct metadata_question *question)
{
	struct metadata_question *copy = malloc(sizeof(*copy));

	if (copy) {
		*copy = *question;
		if (queue_put(&metadata->in, copy)) {
			atomic_fetch_add(&metadata->questions, 1);
			return true;
		}
	}
	free(copy);
	atomic_fetch_add(&metadata->questions_refused, 1);
	return false;
}

int metadata_poll_fd(const struct metadata *metadata)
{
	return metadata->out.event_fd;
}

struct metadata_answer *metadata_take(struct metadata *metadata)
{
	struct metadata_answer *answer = queue_take(&metadata->out);

	if (!answer) {
		/* What is put from here on makes the descriptor readable again; what was put
		 * before it was cleared is taken now. */
		queue_acknowledge(&metadata->out);
		answer = queue_take(&metadata->out);
	}
	if (queue_count(&metadata->out) <= ANSWER_QUEUE / 2 &&
	    atomic_exchange(&metadata->wants_room, false))
		(void)!write(metadata->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return answer;
}

bool metadata_has_source(const struct metadata *metadata, enum metadata_source source)
{
	return metadata->loop.has_source[source];
}

void metadata_stats(const struct metadata *metadata, struct metadata_stats *ret)
{
	*ret = (struct metadata_stats){
		.questions = atomic_load(&metadata->questions),
		.questions_refused = atomic_load(&metadata->questions_refused),
		.answers = atomic_load(&metadata->answers),
		.answers_waited = atomic_load(&metadata->answers_waited),
		.requests = atomic_load(&metadata->counts[SOURCE_REQUESTS]),
		.failures = atomic_load(&metadata->counts[SOURCE_FAILURES]),
		.refused_answers = atomic_load(&metadata->counts[SOURCE_REFUSED]),
		.relists = atomic_load(&metadata->counts[SOURCE_RELISTS]),
		.watch_restarts = atomic_load(&metadata->counts[SOURCE_WATCH_RESTARTS]),
		.token_reads = atomic_load(&metadata->counts[SOURCE_TOKEN_READS]),
		.lag_max_ns = atomic_load(&metadata->lag_max_ns),
	};
}

/* ---- doctor --------------------------------------------------------------------------------- */

static bool have_all_spoken(const struct metadata_loop *loop)
{
	for (uint32_t i = 0; i < loop->source_cnt; i++)
		if (!loop->sources[i].has_spoken)
			return false;
	return true;
}

static bool is_there(const struct metadata_loop *loop, const char *path, bool is_socket)
{
	_cleanup_(close_fdp) int fd =
		is_socket ? host_socket_open(loop->root_fd, path)
			  : host_open(loop->root_fd, path, O_PATH | O_DIRECTORY);

	return fd >= 0 || (fd != -ENOENT && fd != -ENOTDIR);
}

static void put_source(const struct source *source, struct metadata_check *check)
{
	*check = (struct metadata_check){
		.kind = source->kind->name,
		.source = source->kind->group,
		.is_there = !source->path || is_there(source->loop, source->path, true),
		.is_expected = source->is_expected,
		.is_healthy = source->is_healthy,
	};
	snprintf(check->path, sizeof(check->path), "%s", source->path ? source->path : "");
	if (!source->is_healthy)
		snprintf(check->why, sizeof(check->why), "%s",
			 source->has_spoken ? source->why : "no answer yet");
}

static int put_checks(const struct metadata_loop *loop, struct metadata_check *ret)
{
	uint32_t root_cnt;
	const char *const *roots = bundle_roots(&loop->config, &root_cnt);
	int cnt = 0;

	for (uint32_t i = 0; i < loop->source_cnt; i++)
		if (loop->sources[i].kind != &source_bundle)
			put_source(&loop->sources[i], &ret[cnt++]);
	for (uint32_t i = 0; i < root_cnt && cnt < METADATA_CHECKS_MAX; i++) {
		bool is_found = is_there(loop, roots[i], false);

		ret[cnt] = (struct metadata_check){
			.kind = source_bundle.name,
			.is_there = is_found,
			.is_healthy = is_found,
			.is_expected = loop->config.bundle_root_cnt > 0,
		};
		snprintf(ret[cnt].path, sizeof(ret[cnt].path), "%s", roots[i]);
		cnt++;
	}
	return cnt;
}
_Static_assert(METADATA_CHECKS_MAX >= SOURCES_MAX + METADATA_SOCKETS_MAX, "all fit");

int metadata_check(const struct metadata_config *config, uint64_t deadline_ns,
		   struct metadata_check ret[METADATA_CHECKS_MAX])
{
	struct metadata *metadata = alloc_metadata();
	struct metadata_answer *answer;
	struct metadata_loop *loop;
	int r;

	if (!metadata)
		return -ENOMEM;
	loop = &metadata->loop;
	r = init(metadata, config);
	while (r == 0 && !have_all_spoken(loop) && clock_boot_ns() < deadline_ns) {
		sources_step(loop, clock_boot_ns());
		http_step(loop->http, NULL, 0, MIN(deadline_ns, sources_next_ns(loop)));
		while ((answer = metadata_take(metadata)))
			metadata_answer_free(answer);
	}
	if (r == 0)
		r = put_checks(loop, ret);
	metadata_free(metadata);
	return r;
}
