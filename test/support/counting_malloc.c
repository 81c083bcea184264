/*
 * See counting_malloc.h. Owns its counters.
 */
#include "counting_malloc.h"

#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

struct counting_malloc counting_malloc;

static bool is_refused(void)
{
	struct counting_malloc *c = &counting_malloc;

	c->allocation_cnt++;
	return c->fail_at &&
	       (c->want_all ? c->allocation_cnt >= c->fail_at : c->allocation_cnt == c->fail_at);
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	void *p = is_refused() ? NULL : __libc_malloc(size);

	counting_malloc.live_cnt += p != NULL;
	return p;
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	void *p = is_refused() ? NULL : __libc_calloc(count, size);

	counting_malloc.live_cnt += p != NULL;
	return p;
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
	void *p = is_refused() ? NULL : __libc_realloc(old, size);

	counting_malloc.live_cnt += p != NULL && old == NULL;
	return p;
}

__attribute__((visibility("default"))) void free(void *p)
{
	counting_malloc.live_cnt -= p != NULL;
	__libc_free(p);
}
