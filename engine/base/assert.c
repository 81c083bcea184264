/*
 * The end of a program whose own assumption failed. Writes with no allocation and aborts, so that
 * the core shows the place.
 */
#include "haetae/base.h"

#include <stdio.h>

void hae_assert_failed(const char *condition, const char *file, int line)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "haetae: bug: assertion failed: %s (%s:%d)\n",
			 condition, file, line);

	if (n > 0)
		(void)!write(STDERR_FILENO, text, MIN((size_t)n, sizeof(text) - 1));
	abort();
}
