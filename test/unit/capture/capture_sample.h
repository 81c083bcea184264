/*
 * A capture with one frame of every kind, for tests and seeds: made, and compared.
 */
#ifndef TEST_CAPTURE_SAMPLE_H
#define TEST_CAPTURE_SAMPLE_H

#include "haetae/capture.h"

#define SAMPLE_START_NS 1000000000ULL

/* An aligned record of this type without parameters. */
struct sample_record {
	_Alignas(8) struct wire_header header;
};
struct sample_record sample_record(enum event_type type, uint64_t time_ns);
struct capture_head sample_head(void);
/* Puts one frame of each kind that may be put, in the order of their numbers. */
void sample_put(struct capture_writer *writer);
/* Whether the frame says what sample_put() said of its kind; NULL: it does, else what differs. */
const char *sample_compare(const struct capture_frame *frame);

#endif
