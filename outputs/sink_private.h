/*
 * What a kind of sink is, and what the outputs thread offers it. Everything here runs in that
 * thread, in one loop for all sinks: nothing may block.
 *
 * A sink's way: step() is called in every turn of the loop (something may have come, its descriptor
 * or wake_ns may be due, its HTTP calls may have ended). It takes deliveries while it can send
 * them, and ends each of them by exactly one of sink_acknowledge(), sink_fail(), sink_give_back().
 * A delivery belongs to the sink's feed; the kind borrows it from take until its end.
 */
#ifndef HAETAE_OUTPUTS_SINK_PRIVATE_H
#define HAETAE_OUTPUTS_SINK_PRIVATE_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "haetae/sink.h"

struct http_client;
struct sink;
struct spool;

/* One alert on its way to one sink. */
struct delivery {
	const struct alert *alert; /* json, text, uuid, priority, rule, tags, wall_ns */
	uint32_t attempts;	   /* how often it was given back */
	uint64_t end;		   /* the kind's: where it ends in a buffer, say */
	struct delivery *link;	   /* the kind's: a list of its batch */
	/* The feed's. */
	struct alert *owned;
	uint64_t number;	  /* order of delivery */
	uint64_t segment, offset; /* behind it in the spool; segment 0: memory only */
	uint64_t first_wall_ns;	  /* when it was first taken */
	bool is_done;
	struct delivery *next, *previous; /* in the list that it is in */
};

struct sink_kind {
	const char *type;
	bool wants_http; /* sink->http is there */
	/* 0 or a negative errno, logged by the caller. Privileges are still there, no other thread
	 * is. What may come later (a receiver that is down, a FIFO without reader) is no error. */
	int (*open)(struct sink *sink);
	/* Sets poll and wake_ns for the next turn. While is_stopping is set it sends what it has
	 * without waiting for more. */
	void (*step)(struct sink *sink, uint64_t now_ns);
	/* SIGUSR1. NULL: nothing to do. */
	void (*reopen)(struct sink *sink);
	/* Releases `state`. Deliveries that have not ended are the feed's to free. Fine after an
	 * open that failed. */
	void (*close)(struct sink *sink);
};

struct delivery_list {
	struct delivery *first, *last;
	uint32_t cnt;
};

/* What waits for a sink, and what it has taken. */
struct feed {
	struct delivery_list waiting; /* ascending numbers */
	struct delivery_list taken;   /* ascending numbers */
	uint64_t waiting_bytes;	      /* of alerts in memory */
	uint32_t memory_cnt;	      /* deliveries, waiting or taken, that are in no spool */
	uint64_t next_number;
	struct spool *spool;	/* borrowed; NULL: not durable, or it can't be used */
	uint32_t user;		/* of the spool */
	uint64_t spool_cnt;	/* alerts for this sink that have not been read there */
	uint64_t spool_wall_ns; /* none of those is older */
	uint32_t retried_cnt;	/* dead letters of the present file that are in the spool again */
	bool is_skipping;	/* over alerts there that are not for this sink; there is more */
	uint64_t left_cnt;	/* taken from it, without an end when the sink ended */
};

struct sink_counters {
	_Atomic uint64_t restored, delivered, failed, filtered, retried;
	_Atomic uint64_t dead_letters, dead_letters_lost;
	_Atomic uint64_t self_test_ns; /* see outputs_self_test_ns() */
	_Atomic uint64_t dropped[PRIORITY__COUNT];
};

struct sink {
	const struct sink_kind *kind;
	struct sink_config config;
	void *state;		  /* the kind's, owned by it */
	struct http_client *http; /* borrowed: the thread's */
	struct pollfd poll;	  /* waited for besides HTTP calls; fd -1: nothing */
	uint64_t wake_ns;	  /* boot time of the next step at the latest; UINT64_MAX: none */
	bool is_stopping;
	/* The outputs' own from here on. */
	struct feed feed;
	struct sink_counters counters;
	uint64_t back_off_ns; /* bound of the next wait; 0: all is well */
	pthread_mutex_t health_lock;
	enum sink_health health;
	uint64_t health_since_ns; /* wall time */
	char health_text[160];
};

/* The next delivery in order, or NULL. */
struct delivery *sink_take(struct sink *sink);
bool sink_has_waiting(const struct sink *sink);
/* The receiver has it. */
void sink_acknowledge(struct sink *sink, struct delivery *delivery);
/* It never will: a dead letter where the sink is durable. The reason holds no secrets. */
void sink_fail(struct sink *sink, struct delivery *delivery, const char *reason);
/* Not now: it comes first again, in the old order. */
void sink_give_back(struct sink *sink, struct delivery *delivery);

/* Health, shown by status and metrics; changes are logged. The text holds no secrets. sink_ok()
 * also resets the back-off. */
void sink_ok(struct sink *sink);
void sink_troubled(struct sink *sink, enum sink_health health, const char *format, ...)
	_printf_(3, 4);
/* When to try again: full jitter between 0 and a bound that doubles from retry_min_ns to
 * retry_max_ns with each call, but not before now_ns + at_least_ns (a Retry-After). */
uint64_t sink_back_off(struct sink *sink, uint64_t now_ns, uint64_t at_least_ns);

extern const struct sink_kind sink_stdout, sink_file, sink_http, sink_program, sink_syslog;

#endif
