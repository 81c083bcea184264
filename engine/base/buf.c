/*
 * Growing buffers with a maximum; see buf.h. Owns the bytes. Any thread, one at a time.
 */
#include "haetae/buf.h"

#include <stdio.h>

#define BUF_FIRST 256

void buf_init(struct buf *buf, size_t max_bytes)
{
	/* One byte more is for the NUL. */
	*buf = (struct buf){ .max = MIN(max_bytes, SIZE_MAX - 1) };
}

void buf_done(struct buf *buf)
{
	free(buf->p);
	*buf = (struct buf){ .max = buf->max };
}

void buf_clear(struct buf *buf)
{
	buf->n = 0;
	buf->failed = false;
	if (buf->p)
		buf->p[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct buf *buf, size_t n)
{
	size_t cap;
	char *p;

	if (buf->failed || n > buf->max - buf->n) {
		buf->failed = true;
		return false;
	}
	if (buf->n + n < buf->cap)
		return true;
	cap = MAX(MAX(buf->cap * 2, (size_t)BUF_FIRST), buf->n + n + 1);
	cap = MIN(cap, buf->max + 1);
	p = realloc(buf->p, cap);
	if (!p) {
		buf->failed = true;
		return false;
	}
	buf->p = p;
	buf->cap = cap;
	return true;
}

void buf_put(struct buf *buf, const void *data, size_t n)
{
	if (!reserve(buf, n))
		return;
	if (n)
		memcpy(buf->p + buf->n, data, n);
	buf->n += n;
	buf->p[buf->n] = '\0';
}

void buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_put_str(struct buf *buf, struct str s)
{
	buf_put(buf, s.p, s.n);
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_put(buf, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_put_s64(struct buf *buf, int64_t value)
{
	if (value < 0)
		buf_putc(buf, '-');
	buf_put_u64(buf, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0) {
		buf->failed = true;
		return;
	}
	if (!reserve(buf, (size_t)n))
		return;
	vsnprintf(buf->p + buf->n, (size_t)n + 1, format, args);
	buf->n += (size_t)n;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}
