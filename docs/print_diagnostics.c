/*
 * Prints docs/diagnostics.md from the table of codes. Run by a test that compares it with the page.
 */
#include <stdio.h>

static const struct code {
	const char *code, *title, *meaning;
} codes[] = {
#define CODE(code, title, meaning) { #code, title, meaning },
#include "codes.def"
};

int main(void)
{
	puts("# Diagnostics\n\n"
	     "What `haetae check` says about rule files. A code keeps its meaning for ever. `E` is "
	     "an\n"
	     "error: the files do not load. `W` is a warning: they do, and `haetae check "
	     "--strict`\n"
	     "fails. `N` is a note. Made from `engine/match/codes.def`; do not edit.\n\n"
	     "| code | title | meaning |\n|---|---|---|");
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		printf("| %s | %s | %s |\n", codes[i].code, codes[i].title, codes[i].meaning);
	return 0;
}
