/*
 * JSON Lines as input of a replay: each map is an event (fixture.h), nothing is carried from one to
 * the next. Owns the text and the matcher for the call.
 */
#include "replay_events.h"

#include <errno.h>
#include <fcntl.h>

#include "haetae/fixture.h"

#define TEXT_MAX    (256u << 20)
#define ARENA_MAX   (1u << 30)
#define SCRATCH_MAX (4u << 20)

static int open_input(const char *path)
{
	return strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
}

bool replay_events_begin(const char *path)
{
	_cleanup_(close_fdp) int fd = open_input(path);
	_cleanup_(close_fdp) int in = -1;
	_cleanup_(close_fdp) int out = -1;
	char first = '\0';
	int ends[2];

	if (fd < 0 || pread(fd, &first, 1, 0) == 1 || errno != ESPIPE || pipe2(ends, O_CLOEXEC) < 0)
		return first == '{';
	in = ends[0];
	out = ends[1];
	/* Of a pipe: a copy of its first byte. */
	return tee(fd, out, 1, 0) == 1 && read(in, &first, 1) == 1 && first == '{';
}

static int read_input(const char *path, struct buf *text)
{
	_cleanup_(close_fdp) int fd = open_input(path);
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(text, chunk, (size_t)n);
	if (n < 0)
		return -errno;
	return text->failed ? -EFBIG : 0;
}

struct events_run {
	const struct ruleset *ruleset;
	struct matcher *matcher; /* owned */
	struct alert_context alert;
	bool (*fn)(const struct rule *rule, const struct alert_context *context, void *data);
	void *data;
	bool is_enough;
};

static void take_hit(const struct rule *rule, void *data)
{
	struct events_run *run = data;

	if (!run->is_enough)
		run->is_enough = !run->fn(rule, &run->alert, run->data);
}

static unsigned run_code(struct events_run *run, const struct fixture *fixture, unsigned code,
			 uint64_t number)
{
	struct field_context fields;
	struct fixture_event event;
	struct arena scratch;
	unsigned hits;

	arena_init(&scratch, SCRATCH_MAX);
	fixture_begin(&event, fixture, code, &scratch, &fields);
	event.header.sequence = number;
	event.event.number = number;
	run->alert.fields = &fields;
	hits = matcher_run(run->matcher, &fields, take_hit, NULL, run);
	arena_done(&scratch);
	return hits;
}

/* An alert may not say which event it was: one that its rule looks at. */
static void run_fixture(struct events_run *run, const struct fixture *fixture, uint64_t number)
{
	unsigned code = fixture_code(fixture);
	const struct rule *rule;

	if (code != EVENT_CODE__COUNT) {
		(void)run_code(run, fixture, code, number);
		return;
	}
	rule = ruleset_find(run->ruleset, fixture_rule(fixture));
	for (code = 0; rule && code < EVENT_CODE__COUNT; code++)
		if (event_set_has(&rule->events, code) && run_code(run, fixture, code, number))
			break;
}

int replay_events_run(const char *path, const struct ruleset *ruleset,
		      const struct daemon_config *config,
		      bool (*fn)(const struct rule *rule, const struct alert_context *context,
				 void *data),
		      void *data, uint64_t *ret_cnt)
{
	struct events_run run = { .ruleset = ruleset,
				  .alert = { .constants = config->constants,
					     .constant_cnt = config->constant_cnt,
					     .version = HAETAE_VERSION,
					     .boot_id = "" },
				  .fn = fn,
				  .data = data };
	struct fixtures fixtures = { 0 };
	struct arena arena;
	struct diags diags;
	struct buf text;
	uint32_t source;
	int r;

	*ret_cnt = 0;
	arena_init(&arena, ARENA_MAX);
	diags_init(&diags);
	buf_init(&text, TEXT_MAX);
	r = read_input(path, &text);
	if (r == 0)
		r = matcher_new(ruleset, &run.matcher);
	if (r == 0) {
		source = diags_add_source(&diags, str_from(path), buf_str(&text));
		r = source ? fixtures_read(&arena, source, &diags, &fixtures) : -ENOMEM;
	}
	for (uint32_t i = 0; r == 0 && i < fixtures.cnt && !run.is_enough; i++) {
		run_fixture(&run, fixtures.items[i], i + 1);
		++*ret_cnt;
	}
	diags_print(&diags, stderr, isatty(STDERR_FILENO));
	if (r == 0 && diags.error_cnt)
		r = REPLAY_E_DAMAGED;
	matcher_free(run.matcher);
	buf_done(&text);
	diags_done(&diags);
	arena_done(&arena);
	return run.is_enough ? REPLAY_E_ENOUGH : r;
}
