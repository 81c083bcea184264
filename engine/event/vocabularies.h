/*
 * The flag and enum tables that events.def names. Private to the event stage; others use
 * vocabulary_find().
 */
#ifndef HAETAE_EVENT_VOCABULARIES_H
#define HAETAE_EVENT_VOCABULARIES_H

#include "haetae/event.h"

/* Stands for "no table" in events.def, where every row names one. */
extern const struct vocabulary vocabulary_none;

extern const struct vocabulary open_flags, exec_flags, creat_flags, openat2_resolve, unlinkat_flags,
	mode_bits;

/* Values of open_flags that the kernel's flag word has not as bits: the access mode is a number in
 * its two lowest bits, and what the call did is in another parameter. open_flags_value() turns both
 * into bits above the kernel's. */
#define OPEN_VALUE_RDONLY  (1ULL << 40)
#define OPEN_VALUE_WRONLY  (1ULL << 41)
#define OPEN_VALUE_RDWR	   (OPEN_VALUE_RDONLY | OPEN_VALUE_WRONLY)
#define OPEN_VALUE_CREATED (1ULL << 42)
#define OPEN_VALUE_UPPER   (1ULL << 43)
#define OPEN_VALUE_LOWER   (1ULL << 44)

uint64_t open_flags_value(uint64_t kernel_flags, uint64_t file_bits);

#endif
