/*
 * Docker's Engine API, which Podman speaks too, over their unix sockets
 * (https://docs.docker.com/reference/api/engine/, ContainerInspect and ImageInspect). Owns the
 * calls under way and the digests of recent images. What a label says of pods is no evidence
 * (decision 25): labels stay labels. Metadata thread.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "docker_parse.h"
#include "haetae/clock.h"
#include "info.h"
#include "source.h"

/* So that health is right when nobody asks. */
#define PROBE_NS (30 * NS_PER_SEC)
/* An answer that stalls does not hold its place for the whole time limit. */
#define IDLE_NS	      (2 * NS_PER_SEC)
#define BODY_MAX      (1u << 20)
#define IN_FLIGHT_MAX 16
#define DIGESTS_MAX   64

/* A question under way: first the container, then its image. */
struct inquiry {
	struct source *source;
	struct question *question; /* NULL: a free place */
	struct http_call *call;
	struct container_info *info; /* owned: waits for the image's digest */
};

struct image_digest {
	char image_id[80];
	char digest[80]; /* "" where it has none */
};

struct docker {
	struct http_call *probe;
	bool is_podman;
	struct inquiry inquiries[IN_FLIGHT_MAX];
	struct image_digest digests[DIGESTS_MAX]; /* a ring: the oldest goes */
	uint32_t next_digest;
};

static int docker_open(struct source *source)
{
	source->state = calloc(1, sizeof(struct docker));
	return source->state ? 0 : -ENOMEM;
}

static void docker_close(struct source *source)
{
	struct docker *docker = source->state;

	if (docker->probe)
		http_cancel(source_http(source), docker->probe);
	for (size_t i = 0; i < ARRAY_LEN(docker->inquiries); i++) {
		if (docker->inquiries[i].call)
			http_cancel(source_http(source), docker->inquiries[i].call);
		container_info_unref(docker->inquiries[i].info);
	}
	free(docker);
}

static int get(struct source *source, const char *url, void *data, struct http_call **ret,
	       void (*on_done)(const struct http_result *result, void *data))
{
	return source_request(source,
			      &(struct http_request){
				      .method = "GET",
				      .url = url,
				      .idle_timeout_ns = IDLE_NS,
				      .max_body = BODY_MAX,
				      .on_done = on_done,
				      .data = data,
			      },
			      ret);
}

static bool is_json(const struct http_result *result)
{
	return result->status == 200 && strcmp(result->content_type, "application/json") == 0;
}

/* ---- is it there? --------------------------------------------------------------------------- */

static void on_version(const struct http_result *result, void *data)
{
	struct source *source = data;
	struct docker *docker = source->state;
	enum docker_engine engine = DOCKER_ENGINE_NONE;

	docker->probe = NULL;
	if (!result->error && is_json(result))
		engine = docker_parse_version(result->body);
	if (engine == DOCKER_ENGINE_NONE) {
		source_failed(source, result->retry_after_ns,
			      result->error ? result->message
					    : "answers, but not as Docker or Podman do");
		return;
	}
	docker->is_podman = engine == DOCKER_ENGINE_PODMAN;
	source_healthy(source);
	source_wake_at(source, clock_boot_ns() + PROBE_NS);
}

static void docker_step(struct source *source, uint64_t now_ns)
{
	struct docker *docker = source->state;
	int r;

	if (docker->probe)
		return;
	r = get(source, "http://localhost/version", source, &docker->probe, on_version);
	if (r < 0)
		source_failed(source, 0, strerror(-r));
}

/* ---- containers ----------------------------------------------------------------------------- */

static void finish(struct inquiry *inquiry,
		   void (*how)(struct source *source, struct question *question))
{
	struct question *question = TAKE_PTR(inquiry->question);

	inquiry->call = NULL;
	how(inquiry->source, question);
}

static void answer(struct inquiry *inquiry)
{
	struct question *question = TAKE_PTR(inquiry->question);

	inquiry->call = NULL;
	source_answer(inquiry->source, question, TAKE_PTR(inquiry->info));
}

/* The peer's fault, or only this answer's? */
static void fail(struct inquiry *inquiry, const struct http_result *result)
{
	struct source *source = inquiry->source;

	if (result->error == 0 || result->error == HTTP_E_TOO_LONG) {
		finish(inquiry, source_refuse);
		return;
	}
	finish(inquiry, source_unanswered);
	source_failed(source, result->retry_after_ns, result->message);
}

static struct image_digest *find_digest(struct docker *docker, struct str image_id)
{
	for (size_t i = 0; i < DIGESTS_MAX; i++)
		if (docker->digests[i].image_id[0] &&
		    str_eq_text(image_id, docker->digests[i].image_id))
			return &docker->digests[i];
	return NULL;
}

static void set_digest(struct inquiry *inquiry, const struct image_digest *digest)
{
	struct container_info *info = inquiry->info;

	if (digest->digest[0] && !info->image_digest.p)
		info_set(info, &info->image_digest, str_from(digest->digest));
	answer(inquiry);
}

/* Whatever comes, the container is known. */
static void on_image(const struct http_result *result, void *data)
{
	struct inquiry *inquiry = data;
	struct docker *docker = inquiry->source->state;
	struct image_digest *digest = &docker->digests[docker->next_digest++ % DIGESTS_MAX];

	*digest = (struct image_digest){ 0 };
	if (result->error || !is_json(result)) {
		source_count(inquiry->source, SOURCE_REFUSED);
		answer(inquiry);
		return;
	}
	snprintf(digest->image_id, sizeof(digest->image_id), "%.*s",
		 STR_ARG(inquiry->info->image_id));
	docker_parse_image(result->body, inquiry->info->image_repository, digest->digest,
			   sizeof(digest->digest));
	set_digest(inquiry, digest);
}

static bool is_image_id(struct str id)
{
	if (str_starts_with(id, STR("sha256:")))
		id = (struct str){ id.p + 7, id.n - 7 };
	return docker_is_id(id) && id.n == 64;
}

static void ask_image(struct inquiry *inquiry)
{
	struct docker *docker = inquiry->source->state;
	struct str image_id = inquiry->info->image_id;
	struct image_digest *known = find_digest(docker, image_id);
	char url[160];

	if (known) {
		set_digest(inquiry, known);
		return;
	}
	if (!is_image_id(image_id)) {
		answer(inquiry);
		return;
	}
	snprintf(url, sizeof(url), "http://localhost/images/%.*s/json", STR_ARG(image_id));
	if (get(inquiry->source, url, inquiry, &inquiry->call, on_image) < 0)
		answer(inquiry);
}

static void on_container(const struct http_result *result, void *data)
{
	struct inquiry *inquiry = data;
	struct docker *docker = inquiry->source->state;

	inquiry->call = NULL;
	if (!result->error && result->status == 404) {
		finish(inquiry, source_unknown);
		return;
	}
	if (result->error || !is_json(result)) {
		fail(inquiry, result);
		return;
	}
	inquiry->info = docker_parse_container(
		result->body, docker->is_podman ? CONTAINER_PODMAN : CONTAINER_DOCKER,
		str_from(question_asked(inquiry->question)->full_id));
	if (!inquiry->info)
		finish(inquiry, source_refuse);
	else
		ask_image(inquiry);
}

static struct inquiry *find_free(struct docker *docker)
{
	for (size_t i = 0; i < ARRAY_LEN(docker->inquiries); i++)
		if (!docker->inquiries[i].question)
			return &docker->inquiries[i];
	return NULL;
}

static void docker_question(struct source *source, struct question *question)
{
	struct inquiry *inquiry = find_free(source->state);
	struct str id = str_from(question_asked(question)->full_id);
	char url[128];
	int r;

	hae_assert(inquiry);
	if (!docker_is_id(id)) {
		source_unknown(source, question);
		return;
	}
	*inquiry = (struct inquiry){ .source = source, .question = question };
	snprintf(url, sizeof(url), "http://localhost/containers/%.*s/json", STR_ARG(id));
	r = get(source, url, inquiry, &inquiry->call, on_container);
	if (r < 0) {
		finish(inquiry, source_unanswered);
		source_failed(source, 0, strerror(-r));
	}
}

/* A pod's container may be Docker's (cri-dockerd), and a path need not name its runtime. */
static unsigned docker_rank(const struct source *source, const struct metadata_question *question)
{
	const struct docker *docker = source->state;

	switch ((int)question->container_type) {
	case CONTAINER_DOCKER:
		return docker->is_podman ? 4 : 2;
	case CONTAINER_PODMAN:
		return docker->is_podman ? 2 : 4;
	case CONTAINER_CRI:
	case CONTAINER_WASM:
		return 4;
	default:
		return 0;
	}
}

const struct source_kind source_docker = {
	.name = "docker",
	.group = METADATA_RUNTIME,
	.max_in_flight = IN_FLIGHT_MAX,
	.open = docker_open,
	.rank = docker_rank,
	.question = docker_question,
	.step = docker_step,
	.close = docker_close,
};
