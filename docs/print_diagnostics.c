/*
 * Prints docs/diagnostics.md from the table of codes. Run by a test that compares it with the page.
 */
#include <stdio.h>

static const struct code {
	const char *code, *title, *meaning;
} codes[] = {
#define CODE(code, title, meaning) { #code, title, meaning },
#include "codes.def"
#define CODE(code, title, meaning) { #code, title, meaning },
#include "conf_codes.def"
};

int main(void)
{
	puts("# Diagnostics\n\n"
	     "What `haetae check` says about rule files, and `haetae check -c` and `haetae run` "
	     "about the\n"
	     "configuration (07xx). A code keeps its meaning for ever. `E` is an error: the files "
	     "do not\n"
	     "load. `W` is a warning: they do, and `haetae check --strict` fails. `N` is a note. "
	     "Made from\n"
	     "`engine/match/codes.def` and `daemon/conf_codes.def`; do not edit.\n\n"
	     "| code | title | meaning |\n|---|---|---|");
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		printf("| %s | %s | %s |\n", codes[i].code, codes[i].title, codes[i].meaning);
	return 0;
}
