/*
 * The metadata thread's inside: what metadata.c, sources.c and questions.c share. Only the queues,
 * the atomics and wake_fd are touched by the engine thread.
 */
#ifndef HAETAE_METADATA_LOOP_H
#define HAETAE_METADATA_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "haetae/queue.h"
#include "haetae/table.h"
#include "source.h"

/* Each socket may be asked by three kinds. */
#define SOURCES_MAX (3 * METADATA_SOCKETS_MAX + 16)
/* A question stays open until it is answered or its container has gone. Beyond these the oldest is
 * closed, and where all are under way the queue fills. */
#define QUESTIONS_MAX  4096
#define QUESTION_QUEUE 4096
#define ANSWER_QUEUE   4096
/* Answers kept while the engine's queue is full; beyond them nothing is read from any source. One
 * answer of a source may carry many, so it is a mark, not a bound: the bound is what the sources'
 * own limits (max_pods, bytes of a body) add to it. */
#define ANSWERS_WAITING_MAX 1024

/* An answer on its way. */
struct answer_node {
	struct metadata_answer answer; /* first: the consumer holds a pointer to it */
	struct answer_node *next;
};

enum verdict {
	VERDICT_OPEN, /* to be asked */
	VERDICT_ASKED,
	VERDICT_YES,
	VERDICT_NO
};
struct question_source {
	enum verdict verdict;
	unsigned tries;
	uint64_t retry_ns; /* not before; 0: at once */
};
struct question {
	struct metadata_question asked;
	struct question *next, *previous; /* newest first */
	uint64_t asked_ns;
	struct container_info *info; /* owned reference: what was published last */
	uint32_t in_flight;	     /* sources that have it */
	bool is_closed;		     /* out of the table; freed when none has it */
	bool is_complete;	     /* a source has said all it can */
	bool is_ready;		     /* something happened to it since it was looked at */
	bool has_said_unknown;
	struct question_source sources[]; /* by source->index */
};

struct questions {
	struct table by_id;
	struct question *newest, *oldest; /* owned */
	uint32_t cnt;
	bool is_dirty;	  /* look at all */
	bool has_ready;	  /* look at those that are ready */
	bool is_starved;  /* one waits for a place at a source */
	uint64_t next_ns; /* the earliest retry */
};

struct metadata_loop {
	struct metadata *metadata; /* borrowed: it holds us */
	struct metadata_config config;
	struct arena arena; /* config's strings */
	struct http_client *http;
	int root_fd;
	struct source sources[SOURCES_MAX];
	uint32_t source_cnt;
	bool is_healthy[METADATA_SOURCE__COUNT], has_source[METADATA_SOURCE__COUNT];
	struct questions questions;
	struct answer_node *waiting, **waiting_end; /* owned; oldest first */
	uint32_t waiting_cnt;
	uint64_t start_ns, random;
};

struct metadata {
	struct queue in, out;
	int wake_fd; /* the thread's: stop, or there is room again */
	_Atomic bool is_stopping;
	_Atomic bool wants_room; /* the thread waits for the engine to take answers */
	_Atomic uint64_t counts[SOURCE_COUNT__CNT];
	_Atomic uint64_t questions, questions_refused, answers, answers_waited, lag_max_ns;
	bool is_started;
	pthread_t thread;
	struct metadata_loop loop; /* the thread's, from its start on */
};

/* Takes over the answer's references. Never refuses: it waits in the list. */
void loop_publish(struct metadata_loop *loop, const struct metadata_answer *answer);

/* ---- sources.c ---- */

/* Makes the sources that the configuration wants. 0 or -ENOMEM. */
int sources_open(struct metadata_loop *loop);
void sources_close(struct metadata_loop *loop);
/* Steps those that are due. */
void sources_step(struct metadata_loop *loop, uint64_t now_ns);
/* When the next is due. */
uint64_t sources_next_ns(const struct metadata_loop *loop);

/* Looks again, at most once a second, for sources that are not there but might know this container.
 */
void sources_hurry(struct metadata_loop *loop, const struct metadata_question *asked,
		   uint64_t now_ns);

/* ---- questions.c ---- */

void questions_init(struct questions *questions);
void questions_done(struct questions *questions);
/* Whether another one can be taken up. Makes room where it can. */
bool questions_have_room(struct metadata_loop *loop);
void questions_add(struct metadata_loop *loop, const struct metadata_question *asked);
void questions_forget(struct metadata_loop *loop, const struct metadata_question *asked);
/* Asks whom it is time to ask and closes what is answered; when to come again. */
uint64_t questions_advance(struct metadata_loop *loop, uint64_t now_ns);

#endif
