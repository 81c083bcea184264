/*
 * Rule files of any size, made from numbers: the same shape gives the same text on every machine.
 * Macros, lists and their cross references are shaped like those of the files that Falco's users
 * load (fields, operators and event types in about that mix); the words are our own.
 */
#ifndef HAETAE_TEST_RULES_GENERATOR_H
#define HAETAE_TEST_RULES_GENERATOR_H

#include "haetae/buf.h"

struct rules_shape {
	uint32_t rule_cnt, macro_cnt, list_cnt;
	uint32_t first_rule; /* number in the first rule's name: for several files of one set */
};

/* Macros and lists come before the rules; a macro or list of a number is the same in every file
 * where macro_cnt and list_cnt are. At least 8 macros and 4 lists. */
void rules_generate(const struct rules_shape *shape, struct buf *out);

/* Names that the rules are about, for events that come close: program i of PROGRAM_CNT. */
#define RULES_PROGRAM_CNT 40
const char *rules_program(unsigned i);
#define RULES_FOLDER_CNT 24
const char *rules_folder(unsigned i);

#endif
