/*
 * Dead letters: alerts that a receiver will never take, as lines of JSON beside the spool until
 * somebody retries or drops them. The outputs thread appends; `haetae alerts` reads and moves, with
 * the daemon running or not. docs/outputs.md describes files and locks.
 */
#ifndef HAETAE_DEAD_LETTER_H
#define HAETAE_DEAD_LETTER_H

#include "haetae/alert.h"

#define DEAD_LETTERS_BYTES_MAX (16u << 20) /* then a new file begins; one older is kept */

struct dead_letter {
	const char *time;   /* RFC 3339: when it was given up */
	const char *reason; /* what the receiver said */
	uint32_t attempts;
	struct alert_parts parts;
	struct str line; /* the whole, without its newline */
};

/* 0, or a negative errno: it was not kept. *ret_lost: letters of the oldest file that went. */
int dead_letters_append(int dir_fd, const char *sink, const struct alert *alert, uint32_t attempts,
			const char *reason, uint64_t *ret_lost);

/* Each letter, oldest first, until fn returns false. Lines that are none are skipped and counted. 0
 * or a negative errno. */
typedef bool dead_letter_fn(const struct dead_letter *letter, void *data);
int dead_letters_each(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		      uint64_t *ret_skipped);
/* Names of sinks that have letters, each once, until fn returns false. */
int dead_letters_sinks(int dir_fd, bool (*fn)(const char *sink, void *data), void *data);

/* Takes out the letters for which fn is true: to be retried by the daemon, or for good. 0 or a
 * negative errno; *ret_cnt of them were. Lines that are none stay, but those for which fn is true
 * when it is asked with NULL whether to drop them. */
int dead_letters_retry(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		       uint64_t *ret_cnt);
int dead_letters_drop(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
		      uint64_t *ret_cnt);

/* The daemon's side: the letters to be retried, until fn returns false, which is -EAGAIN. They stay
 * until dead_letters_end_retries(). *ret_skipped lines are none. */
bool dead_letters_have_retries(int dir_fd, const char *sink);
int dead_letters_take_retries(int dir_fd, const char *sink, dead_letter_fn *fn, void *data,
			      uint64_t *ret_skipped);
void dead_letters_end_retries(int dir_fd, const char *sink);

#endif
