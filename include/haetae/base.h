/*
 * The base toolkit's smallest parts: string views, ownership helpers, assertion.
 * Everything may include this header; it includes nothing of ours.
 */
#ifndef HAETAE_BASE_H
#define HAETAE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A view of bytes that somebody else owns. Not NUL-terminated, may hold NULs. `p` is never NULL
 * in a view made by str_from() or STR(); the zero view {NULL, 0} means "no string". */
struct str {
	const char *p;
	uint32_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_from(const char *text)
{
	return (struct str){ text, (uint32_t)strlen(text) };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eq_text(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

/* Byte order; a prefix sorts first (strcmp's order for strings without NULs). */
static inline int str_cmp(struct str a, struct str b)
{
	uint32_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

static inline bool str_contains(struct str s, struct str part)
{
	return part.n == 0 || (s.p && s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL);
}

/* FNV-1a, 64 bits: for our tables, never against an adversary who chooses the keys without limit;
 * tables are bounded. */
static inline uint64_t hash_bytes(const void *data, size_t n, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h ^ (h >> 32);
}

static inline uint64_t str_hash(struct str s)
{
	return hash_bytes(s.p, s.n, 0);
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

#define _cleanup_(fn)	     __attribute__((cleanup(fn)))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _unused_	     __attribute__((unused))

/* Moves ownership out of a variable that carries a cleanup attribute. */
#define TAKE_PTR(ptr)                   \
	({                              \
		__auto_type p_ = (ptr); \
		(ptr) = NULL;           \
		p_;                     \
	})
#define TAKE_FD(fd)             \
	({                      \
		int fd_ = (fd); \
		(fd) = -1;      \
		fd_;            \
	})

static inline void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void freep(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

/* For our own bugs only; input is checked and counted, never asserted. On in release builds. */
#define hae_assert(condition)                                              \
	do {                                                               \
		if (__builtin_expect(!(condition), 0))                     \
			hae_assert_failed(#condition, __FILE__, __LINE__); \
	} while (0)

_Noreturn void hae_assert_failed(const char *condition, const char *file, int line);

#endif
