/*
 * Records of programs that start, open files and connect: the same on every machine. They name what
 * rules_generator.h makes rules about, so that some come close to its rules and a few match.
 */
#ifndef HAETAE_TEST_EVENT_STREAM_H
#define HAETAE_TEST_EVENT_STREAM_H

#include "haetae/event.h"

struct event_stream {
	uint64_t **records; /* owned, 8-byte aligned; the length is in the header */
	uint32_t record_cnt;
};

/* Each process starts before it does anything else. */
void event_stream_init(struct event_stream *stream, uint32_t record_cnt, uint32_t process_cnt);
void event_stream_done(struct event_stream *stream);
/* Decodes record i; event->scratch is the caller's. */
void event_stream_decode(const struct event_stream *stream, uint32_t i, struct event *event);

#endif
