/*
 * Records made by hand, as the kernel would write them: for the tests of every stage behind the
 * wire. A builder is reused by record_begin(). A parameter that is not put is absent. Misuse (a
 *name that the event does not have, no space) fails an assertion.
 *
 *	static struct record_builder builder;
 *	record_begin(&builder, EVENT_OPENAT);
 *	builder.header->pid = 42;
 *	record_put_number(&builder, "fd", 3);
 *	record_put_text(&builder, "name", "/etc/passwd");
 *	record_put_path(&builder, "path", "/etc/passwd");
 *	r = record_decode(&builder, &event);
 */
#ifndef HAETAE_TEST_RECORD_BUILDER_H
#define HAETAE_TEST_RECORD_BUILDER_H

#include "haetae/event.h"

struct record_builder {
	_Alignas(8) uint8_t bytes[WIRE_RECORD_MAX];
	struct wire_header *header; /* in bytes; set what the case is about */
	const struct event_schema *schema;
	uint32_t used;
};

/* An empty record of that type. The header: pid and tid 1000, parent 1, start times 10 s and 1 s,
 * time 20 s, comm "test", all ids 0, cpu 0, sequence 1, loginuid unset; syscall_nr from the type.
 */
void record_begin(struct record_builder *builder, enum event_type type);

/* All types of 8 bytes. */
void record_put_number(struct record_builder *builder, const char *param, int64_t value);
/* STRING, PATH, RELPATH. */
void record_put_text(struct record_builder *builder, const char *param, const char *text);
/* VECTOR: `words` is a NULL-terminated array. */
void record_put_vector(struct record_builder *builder, const char *param, const char *const *words);
/* Any type, raw. */
void record_put_bytes(struct record_builder *builder, const char *param, const void *data,
		      uint32_t n);
/* KPATH of a file from "/a/b/c" (or "/"). */
void record_put_path(struct record_builder *builder, const char *param, const char *path);
/* The same with everything that can be said: `flags` holds WIRE_PATH_ bits and the kind shifted by
 * WIRE_PATH_KIND_SHIFT; root_cnt: how many of the first components of `path` are outside the
 * process's root; an object without a path has its name as the path, with or without a slash. */
void record_put_object(struct record_builder *builder, const char *param, const char *path,
		       unsigned flags, unsigned root_cnt);
/* TUPLE, ADDRESS: "1.2.3.4:80" or "[::1]:80" each; NULL: that end is not known. */
void record_put_tuple(struct record_builder *builder, const char *param, const char *local,
		      const char *remote, unsigned l4_protocol);
/* TUPLE, ADDRESS of AF_UNIX. */
void record_put_unix(struct record_builder *builder, const char *param, const char *path);
/* Marks a parameter as cut, present or not. */
void record_cut(struct record_builder *builder, const char *param);

/* Sets header->length; the record is builder->bytes. Returns its length. */
uint32_t record_finish(struct record_builder *builder);
/* record_finish() and event_decode(). event->scratch is the caller's. */
int record_decode(struct record_builder *builder, struct event *event);

#endif
