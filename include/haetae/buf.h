/*
 * A growing byte buffer with a maximum. The first refused write sets `failed` and later writes do
 * nothing, so a caller may write freely and test once at the end.
 */
#ifndef HAETAE_BUF_H
#define HAETAE_BUF_H

#include <stdarg.h>

#include "haetae/base.h"

struct buf {
	char *p;	    /* owned; always NUL-terminated once anything was written */
	size_t n, cap, max; /* bytes; max bounds n */
	bool failed;	    /* memory or max exhausted: the content is cut */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);
/* Empties it, keeps the memory, clears `failed`. */
void buf_clear(struct buf *buf);

void buf_put(struct buf *buf, const void *data, size_t n);
void buf_putc(struct buf *buf, char c);
void buf_puts(struct buf *buf, const char *text);
void buf_put_str(struct buf *buf, struct str s);
void buf_put_u64(struct buf *buf, uint64_t value);
void buf_put_s64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) _printf_(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) _printf_(2, 0);

/* A view of the content, valid until the next write. */
static inline struct str buf_str(const struct buf *buf)
{
	return (struct str){ buf->p ? buf->p : "", (uint32_t)buf->n };
}

#endif
