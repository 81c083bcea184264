/*
 * A bounded queue of pointers between two threads: one producer, one consumer. The only thing our
 * threads share. The producer never waits: a full queue refuses, and the producer counts.
 */
#ifndef HAETAE_QUEUE_H
#define HAETAE_QUEUE_H

#include <stdatomic.h>

#include "haetae/base.h"

struct queue {
	void **items;			    /* owned array of borrowed pointers */
	uint32_t capacity;		    /* power of two */
	_Alignas(64) _Atomic uint32_t head; /* next to take; written by the consumer */
	_Alignas(64) _Atomic uint32_t tail; /* next to fill; written by the producer */
	int event_fd;			    /* readable while the consumer has something to take */
};

/* 0 or a negative errno. capacity is rounded up to a power of two. */
int queue_init(struct queue *queue, uint32_t capacity);
/* The caller has taken and freed the items before. */
void queue_done(struct queue *queue);
/* False where it is full. Wakes the consumer only where the queue was empty. */
bool queue_put(struct queue *queue, void *item);
/* The oldest item, or NULL. */
void *queue_take(struct queue *queue);
uint32_t queue_count(const struct queue *queue);
/* Clears event_fd; the consumer calls it before it drains. */
void queue_acknowledge(struct queue *queue);

#endif
