/*
 * Unit tests of the metadata thread against Docker's API as a server of ours plays it: slow, gone,
 * hostile, and many at once.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "docker_answers.h"
#include "fake_http.h"
#include "haetae/clock.h"
#include "haetae/log.h"
#include "haetae/metadata.h"
#include "openat2.h"

/* What kind of id it is says how the server answers. */
enum behaviour {
	KNOWN = 1,
	MISSING,
	LATE, /* known from the third question on */
	TRUNCATED,
	NO_JSON,
	HUGE_BODY,
	DEEP,
	ANOTHER, /* of another container */
	BROKEN,	 /* 500 */
	HANGING,
	BEHAVIOURS
};

struct docker_fake {
	struct fake_http *server;
	char folder[64], path[100];
	_Atomic unsigned late_cnt, inspect_cnt;
	_Atomic bool is_hanging, is_refusing;
};

static void id_of(char ret[65], enum behaviour behaviour, unsigned number)
{
	snprintf(ret, 65, "%02x%062x", (unsigned)behaviour, number);
}

static bool answer_container(int fd, const char *id, struct docker_fake *fake)
{
	char body[4096];
	unsigned behaviour = 0;

	atomic_fetch_add(&fake->inspect_cnt, 1);
	sscanf(id, "%2x", &behaviour);
	snprintf(body, sizeof(body), DOCKER_CONTAINER, id);
	switch (behaviour) {
	case KNOWN:
		return fake_answer(fd, 200, "application/json", body);
	case LATE:
		if (atomic_fetch_add(&fake->late_cnt, 1) >= 2)
			return fake_answer(fd, 200, "application/json", body);
		break;
	case TRUNCATED:
		body[strlen(body) / 2] = '\0';
		return fake_answer(fd, 200, "application/json", body);
	case NO_JSON:
		return fake_answer(fd, 200, "text/html", body);
	case HUGE_BODY:
		fake_puts(fd,
			  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Id\":\"");
		while (fake_puts(fd, body))
			;
		return false;
	case DEEP:
		memset(body, '[', sizeof(body) - 1);
		body[sizeof(body) - 1] = '\0';
		return fake_answer(fd, 200, "application/json", body);
	case ANOTHER:
		snprintf(body, sizeof(body), DOCKER_CONTAINER, "another");
		return fake_answer(fd, 200, "application/json", body);
	case BROKEN:
		return fake_answer(fd, 500, "application/json", "{\"message\":\"oops\"}");
	case HANGING:
		fake_sleep_ms(fd, 10000);
		return false;
	}
	return fake_answer(fd, 404, "application/json", "{\"message\":\"no such container\"}");
}

static bool answer(int fd, const struct fake_request *request, void *data)
{
	struct docker_fake *fake = data;
	char id[80] = "";

	if (atomic_load(&fake->is_hanging))
		fake_sleep_ms(fd, 10000);
	if (atomic_load(&fake->is_refusing))
		return fake_answer(fd, 503, NULL, "busy");
	if (strcmp(request->path, "/version") == 0)
		return fake_answer(fd, 200, "application/json", DOCKER_VERSION);
	if (sscanf(request->path, "/containers/%79[0-9a-f]/json", id) == 1)
		return answer_container(fd, id, fake);
	if (strncmp(request->path, "/images/sha256:1111", 19) == 0)
		return fake_answer(fd, 200, "application/json", DOCKER_IMAGE);
	return fake_answer(fd, 404, NULL, "");
}

static void fake_listen(struct docker_fake *fake)
{
	fake->server = fake_http_start(fake->path, answer, fake);
	cr_assert_not_null(fake->server);
}

static void fake_begin(struct docker_fake *fake, bool is_listening)
{
	*fake = (struct docker_fake){ 0 };
	signal(SIGPIPE, SIG_IGN);
	snprintf(fake->folder, sizeof(fake->folder), "/tmp/haetae_test_metadata_XXXXXX");
	cr_assert_not_null(mkdtemp(fake->folder));
	snprintf(fake->path, sizeof(fake->path), "%s/docker.sock", fake->folder);
	if (is_listening)
		fake_listen(fake);
}

static void fake_end(struct docker_fake *fake)
{
	fake->server = fake_http_stop(fake->server);
	unlink(fake->path);
	rmdir(fake->folder);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void configure(struct metadata_config *config, const struct docker_fake *fake)
{
	metadata_config_default(config);
	config->kubernetes = KUBERNETES_OFF;
	config->backoff_min_ns = 20 * NS_PER_MS;
	config->backoff_max_ns = 100 * NS_PER_MS;
	config->request_timeout_ns = NS_PER_SEC;
	config->bundle_roots[0] = "/nonexistent";
	config->bundle_root_cnt = 1;
	if (fake)
		config->sockets[config->socket_cnt++] = fake->path;
}

static struct metadata *begin(const struct metadata_config *config)
{
	struct metadata *metadata;

	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	cr_assert_eq(metadata_start(config, &metadata), 0);
	return metadata;
}

static void ask(struct metadata *metadata, enum behaviour behaviour, unsigned number)
{
	struct metadata_question question = { .type = QUESTION_CONTAINER,
					      .container_type = CONTAINER_DOCKER };

	id_of(question.full_id, behaviour, number);
	cr_assert(metadata_ask(metadata, &question));
}

/* The next answer but those of health; NULL after `ms`. */
static struct metadata_answer *next(struct metadata *metadata, unsigned ms)
{
	uint64_t end_ns = clock_boot_ns() + ms * NS_PER_MS;

	for (;;) {
		struct metadata_answer *got = metadata_take(metadata);
		uint64_t now_ns = clock_boot_ns();

		if (got && got->type != ANSWER_SOURCE)
			return got;
		if (got) {
			metadata_answer_free(got);
			continue;
		}
		if (now_ns >= end_ns)
			return NULL;
		(void)poll(&(struct pollfd){ .fd = metadata_poll_fd(metadata), .events = POLLIN },
			   1, (int)((end_ns - now_ns) / NS_PER_MS + 1));
	}
}

static void wait_healthy(struct metadata *metadata, uint64_t requests)
{
	struct metadata_stats stats;

	for (int i = 0; i < 300; i++) {
		metadata_stats(metadata, &stats);
		if (stats.requests >= requests)
			break;
		usleep(10000);
	}
	usleep(20000);
}

Test(metadata, a_container_whole)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_answer *got;
	uint64_t start_ns;

	fake_begin(&fake, true);
	configure(&config, &fake);
	metadata = begin(&config);
	cr_expect(metadata_has_source(metadata, METADATA_RUNTIME));
	cr_expect_not(metadata_has_source(metadata, METADATA_KUBERNETES));
	start_ns = clock_boot_ns();
	ask(metadata, KNOWN, 7);
	got = next(metadata, 2000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER);
	cr_assert_not_null(got->info);
	cr_expect(str_eq_text(got->info->name, "web"));
	cr_expect(str_eq_text(got->info->image_digest, "sha256:bb"));
	cr_expect_not(got->info->is_partial);
	cr_expect_lt(clock_boot_ns() - start_ns, NS_PER_SEC);
	metadata_answer_free(got);
	/* The image is known by now. */
	ask(metadata, KNOWN, 8);
	got = next(metadata, 2000);
	cr_assert_not_null(got);
	cr_expect(str_eq_text(got->info->image_digest, "sha256:bb"));
	metadata_answer_free(got);
	cr_expect_eq(fake_http_requests(fake.server), 4, "version, two containers, one image: %u",
		     fake_http_requests(fake.server));
	metadata_free(metadata);
	fake_end(&fake);
}

/* Each ends in an answer, none makes the source ill. */
Test(metadata, hostile_answers)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_stats stats;
	unsigned unknown = 0;

	fake_begin(&fake, true);
	configure(&config, &fake);
	metadata = begin(&config);
	for (enum behaviour behaviour = MISSING; behaviour <= BROKEN; behaviour++)
		ask(metadata, behaviour, 1);
	for (enum behaviour behaviour = MISSING; behaviour <= BROKEN; behaviour++) {
		struct metadata_answer *got = next(metadata, 4000);
		unsigned number = 0;

		cr_assert_not_null(got);
		sscanf(got->full_id, "%2x", &number);
		cr_expect_eq(got->type,
			     number == LATE ? ANSWER_CONTAINER : ANSWER_CONTAINER_UNKNOWN, "%u",
			     number);
		unknown += got->type == ANSWER_CONTAINER_UNKNOWN;
		metadata_answer_free(got);
	}
	cr_expect_eq(unknown, BROKEN - MISSING);
	metadata_stats(metadata, &stats);
	/* Four times each, as many as waits plus one. */
	cr_expect_eq(stats.refused_answers, 6 * 4, "%lu", (unsigned long)stats.refused_answers);
	cr_expect_eq(stats.failures, 0);
	cr_expect_null(next(metadata, 50));
	metadata_free(metadata);
	fake_end(&fake);
}

Test(metadata, a_slow_source_delays_no_other)
{
	struct docker_fake slow, fast;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_answer *got;
	uint64_t start_ns;

	fake_begin(&slow, true);
	fake_begin(&fast, true);
	configure(&config, &slow);
	config.sockets[config.socket_cnt++] = fast.path;
	metadata = begin(&config);
	wait_healthy(metadata, 2);
	atomic_store(&slow.is_hanging, true);
	start_ns = clock_boot_ns();
	for (unsigned i = 0; i < 50; i++)
		ask(metadata, KNOWN, i);
	for (unsigned i = 0; i < 50; i++) {
		got = next(metadata, 900);
		cr_assert_not_null(got, "%u", i);
		cr_expect_eq(got->type, ANSWER_CONTAINER);
		metadata_answer_free(got);
	}
	cr_expect_lt(clock_boot_ns() - start_ns, 900 * NS_PER_MS);
	metadata_free(metadata);
	fake_end(&slow);
	fake_end(&fast);
}

static bool wait_source(struct metadata *metadata, bool is_healthy)
{
	uint64_t end_ns = clock_boot_ns() + 3 * NS_PER_SEC;

	while (clock_boot_ns() < end_ns) {
		struct metadata_answer *got = metadata_take(metadata);
		bool is_it = got && got->type == ANSWER_SOURCE && got->is_healthy == is_healthy;

		metadata_answer_free(got);
		if (is_it)
			return true;
		if (!got)
			usleep(5000);
	}
	return false;
}

/* A container whose question came while the runtime was away is told when it is back. */
Test(metadata, a_source_that_comes_back)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_answer *got;

	fake_begin(&fake, false);
	configure(&config, &fake);
	metadata = begin(&config);
	/* The bundles are a source that is always there. */
	cr_expect(wait_source(metadata, true));
	ask(metadata, KNOWN, 1);
	got = next(metadata, 3000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER_UNKNOWN, "nobody who is there knows it");
	metadata_answer_free(got);
	fake_listen(&fake);
	got = next(metadata, 3000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER);
	metadata_answer_free(got);
	/* Gone again, and a question meanwhile. */
	fake.server = fake_http_stop(fake.server);
	ask(metadata, KNOWN, 2);
	got = next(metadata, 3000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER_UNKNOWN);
	metadata_answer_free(got);
	ask(metadata, KNOWN, 2);
	got = next(metadata, 3000);
	cr_assert_not_null(got, "one that is asked again is told again");
	cr_expect_eq(got->type, ANSWER_CONTAINER_UNKNOWN);
	metadata_answer_free(got);
	fake_listen(&fake);
	got = next(metadata, 3000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER);
	metadata_answer_free(got);
	metadata_free(metadata);
	fake_end(&fake);
}

Test(metadata, what_is_forgotten_is_asked_no_more)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_question forget = { .type = QUESTION_FORGET };
	unsigned asked;

	fake_begin(&fake, true);
	configure(&config, &fake);
	metadata = begin(&config);
	wait_healthy(metadata, 1);
	ask(metadata, MISSING, 1);
	id_of(forget.full_id, MISSING, 1);
	cr_assert(metadata_ask(metadata, &forget));
	cr_expect_null(next(metadata, 600));
	asked = atomic_load(&fake.inspect_cnt);
	cr_expect_leq(asked, 1);
	metadata_free(metadata);
	fake_end(&fake);
}

/* Each question has exactly one answer, however late the engine takes them. */
Test(metadata, a_full_queue_loses_nothing)
{
	enum {
		QUESTIONS = 30000
	};
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_stats stats;
	struct metadata_answer *got;
	uint8_t *seen = calloc(1, QUESTIONS);
	unsigned asked = 0, answers = 0, stalls = 0;

	configure(&config, NULL);
	config.want_runtimes = false;
	metadata = begin(&config);
	/* Until everything between them is full: the thread then takes no more. */
	while (asked < QUESTIONS && stalls < 50) {
		struct metadata_question question = { .type = QUESTION_CONTAINER,
						      .container_type = CONTAINER_NSPAWN };

		snprintf(question.full_id, sizeof(question.full_id), "%u", asked);
		if (metadata_ask(metadata, &question)) {
			asked++;
			stalls = 0;
		} else {
			usleep(2000);
			stalls++;
		}
	}
	metadata_stats(metadata, &stats);
	cr_expect_gt(stats.answers_waited, 0);
	cr_expect_gt(stats.questions_refused, 0);
	cr_expect_lt(asked, QUESTIONS, "the pressure reaches the engine");
	while ((got = next(metadata, 300))) {
		unsigned number = (unsigned)atoi(got->full_id);

		cr_assert_lt(number, asked);
		cr_expect_eq(got->type, ANSWER_CONTAINER_UNKNOWN);
		cr_expect_eq(seen[number], 0, "%u", number);
		seen[number] = 1;
		answers++;
		metadata_answer_free(got);
	}
	cr_expect_eq(answers, asked, "%u of %u", answers, asked);
	metadata_free(metadata);
	free(seen);
}

Test(metadata, many_containers)
{
	enum {
		CONTAINERS = 300
	};
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	uint8_t seen[CONTAINERS] = { 0 };

	fake_begin(&fake, true);
	configure(&config, &fake);
	metadata = begin(&config);
	for (unsigned i = 0; i < CONTAINERS; i++)
		ask(metadata, KNOWN, i);
	for (unsigned i = 0; i < CONTAINERS; i++) {
		struct metadata_answer *got = next(metadata, 3000);
		unsigned number = 0;

		cr_assert_not_null(got, "%u", i);
		cr_expect_eq(got->type, ANSWER_CONTAINER);
		sscanf(got->full_id + 56, "%8x", &number);
		seen[number % CONTAINERS]++;
		metadata_answer_free(got);
	}
	for (unsigned i = 0; i < CONTAINERS; i++)
		cr_expect_eq(seen[i], 1, "%u", i);
	metadata_free(metadata);
	fake_end(&fake);
}

/* ---- the end -------------------------------------------------------------------------------- */

static uint64_t free_time(struct metadata *metadata)
{
	uint64_t start_ns = clock_boot_ns();

	metadata_free(metadata);
	return clock_boot_ns() - start_ns;
}

Test(metadata, ends_whatever_hangs)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;

	fake_begin(&fake, true);
	configure(&config, &fake);
	config.request_timeout_ns = 60 * NS_PER_SEC;
	metadata = begin(&config);
	wait_healthy(metadata, 1);
	for (unsigned i = 0; i < 40; i++)
		ask(metadata, HANGING, i);
	wait_healthy(metadata, 16);
	cr_expect_lt(free_time(metadata), NS_PER_SEC);
	/* With nobody who takes the answers. */
	config.socket_cnt = 0;
	config.want_runtimes = false;
	metadata = begin(&config);
	for (unsigned i = 0; i < 20000; i++) {
		struct metadata_question question = { .type = QUESTION_CONTAINER,
						      .container_type = CONTAINER_NSPAWN };

		snprintf(question.full_id, sizeof(question.full_id), "%u", i);
		(void)metadata_ask(metadata, &question);
	}
	cr_expect_lt(free_time(metadata), NS_PER_SEC);
	fake_end(&fake);
	cr_expect_null(metadata_free(NULL));
}

/* ---- doctor --------------------------------------------------------------------------------- */

Test(metadata, what_is_there)
{
	struct metadata_check checks[METADATA_CHECKS_MAX];
	struct docker_fake fake;
	struct metadata_config config;
	uint64_t start_ns = clock_boot_ns();
	int cnt;

	fake_begin(&fake, true);
	configure(&config, &fake);
	config.sockets[config.socket_cnt++] = "/nonexistent/podman.sock";
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	cnt = metadata_check(&config, start_ns + 3 * NS_PER_SEC, checks);
	cr_assert_eq(cnt, 3, "two sockets, one folder of bundles: %d", cnt);
	cr_expect_str_eq(checks[0].path, fake.path);
	cr_expect(checks[0].is_there && checks[0].is_healthy && checks[0].is_expected);
	cr_expect_str_eq(checks[0].why, "");
	cr_expect_not(checks[1].is_there || checks[1].is_healthy);
	cr_expect_str_eq(checks[1].why, "No such file or directory");
	cr_expect_not(checks[2].is_there);
	/* One that never answers. */
	atomic_store(&fake.is_hanging, true);
	start_ns = clock_boot_ns();
	cnt = metadata_check(&config, start_ns + 100 * NS_PER_MS, checks);
	cr_assert_eq(cnt, 3);
	cr_expect(checks[0].is_there && !checks[0].is_healthy);
	cr_expect_str_eq(checks[0].why, "no answer yet");
	cr_expect_lt(clock_boot_ns() - start_ns, NS_PER_SEC);
	fake_end(&fake);
}

/* ---- the host's files ----------------------------------------------------------------------- */

/* A socket behind an absolute link is found below the root, not in our own file system. */
Test(metadata, sockets_below_the_host_root)
{
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_answer *got;
	char path[140];

	skip_without_openat2();
	fake_begin(&fake, true);
	configure(&config, NULL);
	config.host_root = fake.folder;
	snprintf(path, sizeof(path), "%s/run", fake.folder);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/run/docker-link.sock", fake.folder);
	cr_assert_eq(symlink("/docker.sock", path), 0);
	config.sockets[config.socket_cnt++] = "/run/docker-link.sock";
	metadata = begin(&config);
	ask(metadata, KNOWN, 1);
	got = next(metadata, 3000);
	cr_assert_not_null(got);
	cr_expect_eq(got->type, ANSWER_CONTAINER);
	metadata_answer_free(got);
	metadata_free(metadata);
	unlink(path);
	snprintf(path, sizeof(path), "%s/run", fake.folder);
	rmdir(path);
	fake_end(&fake);
}

/* ---- what is logged ------------------------------------------------------------------------- */

Test(metadata, logs_tell_of_sources_and_no_secrets)
{
	char path[] = "/tmp/haetae_test_metadata_log_XXXXXX", text[8192] = "";
	int log_fd = mkstemp(path), saved_fd = dup(STDERR_FILENO);
	struct docker_fake fake;
	struct metadata_config config;
	struct metadata *metadata;

	fake_begin(&fake, true);
	configure(&config, &fake);
	dup2(log_fd, STDERR_FILENO);
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	cr_assert_eq(metadata_start(&config, &metadata), 0);
	wait_healthy(metadata, 1);
	for (enum behaviour behaviour = KNOWN; behaviour < HANGING; behaviour++)
		ask(metadata, behaviour, 1);
	metadata_answer_free(next(metadata, 1000));
	fake.server = fake_http_stop(fake.server);
	ask(metadata, KNOWN, 2);
	metadata_answer_free(next(metadata, 1000));
	usleep(600000);
	metadata_free(metadata);
	dup2(saved_fd, STDERR_FILENO);
	(void)!pread(log_fd, text, sizeof(text) - 1, 0);
	cr_expect_not_null(strstr(text, fake.path), "%s", text);
	cr_expect_not_null(strstr(text, "warning: metadata: docker at "), "%s", text);
	cr_expect_null(strstr(text, "hunter2"));
	cr_expect_null(strstr(text, "oops"));
	close(log_fd);
	unlink(path);
	fake_end(&fake);
}
