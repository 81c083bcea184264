/*
 * Open questions of the metadata thread: whom to ask in which order (decision 26), when again, and
 * when an answer is the last. Owns the questions; bounded by QUESTIONS_MAX. Metadata thread.
 */
#include <limits.h>

#include "haetae/clock.h"
#include "info.h"
#include "loop.h"

/* "No such container" counts only when it was said after each of these waits. Some runtimes list a
 * container after its first process has started; together they stay well below the default deadline
 * of a held event. */
static const uint64_t unknown_wait_ns[] = { 20 * NS_PER_MS, 80 * NS_PER_MS, 320 * NS_PER_MS };
/* At start, how long an answer waits for sources that have not said whether they are there. */
#define FIRST_WORD_NS NS_PER_SEC

static bool has_id(const void *node, const void *key)
{
	return strcmp(((const struct question *)node)->asked.full_id, key) == 0;
}

static uint64_t hash_id(const char *id)
{
	return str_hash(str_from(id));
}

void questions_init(struct questions *questions)
{
	*questions = (struct questions){ .next_ns = UINT64_MAX };
	table_init(&questions->by_id, QUESTIONS_MAX, has_id);
}

static void release(struct questions *questions, struct question *question)
{
	if (question->next)
		question->next->previous = question->previous;
	else
		questions->oldest = question->previous;
	if (question->previous)
		question->previous->next = question->next;
	else
		questions->newest = question->next;
	questions->cnt--;
	container_info_unref(question->info);
	free(question);
}

static void close_question(struct questions *questions, struct question *question)
{
	if (!question->is_closed)
		table_remove(&questions->by_id, hash_id(question->asked.full_id),
			     question->asked.full_id);
	question->is_closed = true;
	if (!question->in_flight)
		release(questions, question);
}

void questions_done(struct questions *questions)
{
	while (questions->newest)
		release(questions, questions->newest);
	table_done(&questions->by_id);
}

/* ---- what is published ---------------------------------------------------------------------- */

static void note_lag(struct metadata_loop *loop, const struct question *question)
{
	_Atomic uint64_t *max_ns = &loop->metadata->lag_max_ns;
	uint64_t lag_ns = clock_boot_ns() - question->asked_ns;

	if (lag_ns > atomic_load(max_ns))
		atomic_store(max_ns, lag_ns);
}

static void publish(struct metadata_loop *loop, struct question *question,
		    struct metadata_answer *answer)
{
	memcpy(answer->full_id, question->asked.full_id, sizeof(answer->full_id));
	answer->source = METADATA_RUNTIME;
	loop_publish(loop, answer);
}

/* Takes the reference. */
static void publish_info(struct metadata_loop *loop, struct question *question,
			 struct container_info *info)
{
	if (!question->info)
		note_lag(loop, question);
	container_info_unref(question->info);
	question->info = info;
	publish(loop, question,
		&(struct metadata_answer){ .type = ANSWER_CONTAINER,
					   .info = container_info_ref(info) });
}

static void publish_unknown(struct metadata_loop *loop, struct question *question)
{
	if (question->has_said_unknown || question->info)
		return;
	question->has_said_unknown = true;
	note_lag(loop, question);
	publish(loop, question, &(struct metadata_answer){ .type = ANSWER_CONTAINER_UNKNOWN });
}

/* ---- whom to ask ---------------------------------------------------------------------------- */

static unsigned rank_of(const struct source *source, const struct question *question)
{
	return source->kind->rank ? source->kind->rank(source, &question->asked) : 0;
}

static bool is_settled(const struct question *question, const struct source *source)
{
	enum verdict verdict = question->sources[source->index].verdict;

	return verdict == VERDICT_YES || verdict == VERDICT_NO;
}

/* Has it been asked, and given its first answer? Only until then does its round keep the next one
 * waiting: a source that says "unknown" is asked again while others are asked. */
static bool is_first_answer_due(const struct question *question, const struct source *source)
{
	const struct question_source *state = &question->sources[source->index];

	return state->verdict == VERDICT_ASKED ? state->tries == 1
					       : state->verdict == VERDICT_OPEN && !state->tries;
}

/* The lowest round that is not yet over; UINT_MAX: none. */
static unsigned current_round(const struct metadata_loop *loop, const struct question *question)
{
	unsigned round = UINT_MAX;

	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		const struct source *source = &loop->sources[i];
		unsigned rank = rank_of(source, question);

		if (source->is_healthy && rank && is_first_answer_due(question, source))
			round = MIN(round, rank);
	}
	return round;
}

static void ask(struct metadata_loop *loop, struct question *question, struct source *source,
		uint64_t now_ns)
{
	struct question_source *state = &question->sources[source->index];
	struct questions *questions = &loop->questions;

	if (state->retry_ns > now_ns) {
		questions->next_ns = MIN(questions->next_ns, state->retry_ns);
		return;
	}
	if (source->in_flight >= source->kind->max_in_flight) {
		questions->is_starved = true;
		return;
	}
	state->verdict = VERDICT_ASKED;
	state->tries++;
	source->in_flight++;
	question->in_flight++;
	source->kind->question(source, question);
}

/* Whether a healthy one may still say something. */
static bool ask_round(struct metadata_loop *loop, struct question *question, uint64_t now_ns)
{
	unsigned round = current_round(loop, question);
	bool is_open = false;

	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		struct source *source = &loop->sources[i];
		unsigned rank = rank_of(source, question);

		if (!source->is_healthy || !rank || is_settled(question, source))
			continue;
		is_open = true;
		if (question->sources[i].verdict == VERDICT_OPEN && rank <= round)
			ask(loop, question, source, now_ns);
	}
	return is_open;
}

/* One that would be asked, but cannot be now. */
static bool has_unhealthy(const struct metadata_loop *loop, const struct question *question,
			  bool is_silent)
{
	for (uint32_t i = 0; i < loop->source_cnt; i++) {
		const struct source *source = &loop->sources[i];

		if (!source->is_healthy && (!is_silent || !source->has_spoken) &&
		    !is_settled(question, source) && rank_of(source, question))
			return true;
	}
	return false;
}

/* Nobody is left to ask: what is known is all there is, for now. */
static void settle(struct metadata_loop *loop, struct question *question, uint64_t now_ns)
{
	struct container_info *info = question->info;
	bool is_parked = has_unhealthy(loop, question, false);

	if (now_ns < loop->start_ns + FIRST_WORD_NS && has_unhealthy(loop, question, true)) {
		loop->questions.next_ns =
			MIN(loop->questions.next_ns, loop->start_ns + FIRST_WORD_NS);
		return;
	}
	if (info && info->is_partial) {
		struct container_info *whole = container_info_new();

		if (whole) {
			info_fill(whole, info);
			publish_info(loop, question, whole);
		}
	} else if (!info && (loop->is_healthy[METADATA_RUNTIME] || !is_parked)) {
		publish_unknown(loop, question);
	}
	/* One that recovers may know it, as long as the container lives. */
	if (!is_parked)
		close_question(&loop->questions, question);
}

static void advance(struct metadata_loop *loop, struct question *question, uint64_t now_ns)
{
	for (;;) {
		question->is_ready = false;
		if (question->is_closed || question->is_complete) {
			close_question(&loop->questions, question);
			return;
		}
		if (!ask_round(loop, question, now_ns)) {
			settle(loop, question, now_ns);
			return;
		}
		/* Some answer at once. */
		if (!question->is_ready)
			return;
	}
}

uint64_t questions_advance(struct metadata_loop *loop, uint64_t now_ns)
{
	struct questions *questions = &loop->questions;
	bool want_all = questions->is_dirty || questions->next_ns <= now_ns;
	struct question *question = questions->oldest, *newer;

	if (!want_all && !questions->has_ready)
		return questions->next_ns;
	questions->is_dirty = questions->has_ready = false;
	if (want_all) {
		questions->next_ns = UINT64_MAX;
		questions->is_starved = false;
	}
	for (; question; question = newer) {
		newer = question->previous;
		if (want_all || question->is_ready)
			advance(loop, question, now_ns);
	}
	return questions->next_ns;
}

/* ---- from the queue ------------------------------------------------------------------------- */

/* The oldest that nobody is working on. It has been told what is known; where not, it is told that
 * nothing is. */
static bool evict(struct metadata_loop *loop)
{
	for (struct question *question = loop->questions.oldest; question;
	     question = question->previous) {
		if (question->in_flight)
			continue;
		if (!question->info && !question->has_said_unknown)
			atomic_fetch_add(&loop->metadata->questions_refused, 1);
		publish_unknown(loop, question);
		close_question(&loop->questions, question);
		return true;
	}
	return false;
}

bool questions_have_room(struct metadata_loop *loop)
{
	return loop->questions.cnt < QUESTIONS_MAX || evict(loop);
}

/* The engine has seen a source recover, while we were still waiting for another. */
static void ask_again(struct metadata_loop *loop, struct question *question,
		      const struct metadata_question *asked)
{
	question->asked = *asked;
	question->asked_ns = clock_boot_ns();
	question->has_said_unknown = false;
	question->is_ready = loop->questions.has_ready = true;
	for (uint32_t i = 0; i < loop->source_cnt; i++)
		if (question->sources[i].verdict == VERDICT_NO)
			question->sources[i] = (struct question_source){ 0 };
	if (question->info)
		publish(loop, question,
			&(struct metadata_answer){ .type = ANSWER_CONTAINER,
						   .info = container_info_ref(question->info) });
}

void questions_add(struct metadata_loop *loop, const struct metadata_question *asked)
{
	struct questions *questions = &loop->questions;
	struct question *question =
		table_find(&questions->by_id, hash_id(asked->full_id), asked->full_id);
	size_t size = sizeof(*question) + loop->source_cnt * sizeof(question->sources[0]);

	if (question) {
		ask_again(loop, question, asked);
		return;
	}
	question = calloc(1, size);
	if (!question || table_insert(&questions->by_id, hash_id(asked->full_id), asked->full_id,
				      question) != 0) {
		/* The engine's deadline decides; it asks no more. */
		atomic_fetch_add(&loop->metadata->counts[SOURCE_FAILURES], 1);
		free(question);
		return;
	}
	question->asked = *asked;
	sources_hurry(loop, asked, clock_boot_ns());
	question->asked_ns = clock_boot_ns();
	question->is_ready = questions->has_ready = true;
	question->next = questions->newest;
	if (question->next)
		question->next->previous = question;
	else
		questions->oldest = question;
	questions->newest = question;
	questions->cnt++;
}

void questions_forget(struct metadata_loop *loop, const struct metadata_question *asked)
{
	struct question *question =
		table_find(&loop->questions.by_id, hash_id(asked->full_id), asked->full_id);

	if (question)
		close_question(&loop->questions, question);
}

/* ---- from the sources ----------------------------------------------------------------------- */

const struct metadata_question *question_asked(const struct question *question)
{
	return &question->asked;
}

static struct question_source *end(struct source *source, struct question *question)
{
	struct questions *questions = &source->loop->questions;

	hae_assert(source->in_flight && question->in_flight);
	source->in_flight--;
	question->in_flight--;
	question->is_ready = questions->has_ready = true;
	questions->is_dirty |= questions->is_starved;
	return &question->sources[source->index];
}

void source_answer(struct source *source, struct question *question, struct container_info *info)
{
	end(source, question)->verdict = VERDICT_YES;
	if (question->is_closed || question->is_complete) {
		container_info_unref(info);
		return;
	}
	question->is_complete = !info->is_partial;
	if (question->info)
		info_fill(info, question->info);
	publish_info(source->loop, question, info);
}

void source_unknown(struct source *source, struct question *question)
{
	struct question_source *state = end(source, question);

	if (state->tries > ARRAY_LEN(unknown_wait_ns)) {
		state->verdict = VERDICT_NO;
		return;
	}
	state->verdict = VERDICT_OPEN;
	state->retry_ns = clock_boot_ns() + unknown_wait_ns[state->tries - 1];
}

void source_refuse(struct source *source, struct question *question)
{
	source_count(source, SOURCE_REFUSED);
	source_unknown(source, question);
}

void source_unanswered(struct source *source, struct question *question)
{
	struct question_source *state = end(source, question);

	state->verdict = VERDICT_OPEN;
	state->tries--;
	/* A healthy source that cannot be asked would otherwise be asked without a pause. */
	state->retry_ns = clock_boot_ns() + unknown_wait_ns[1];
}
