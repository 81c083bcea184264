/*
 * Diagnostic codes and their meanings, from codes.def. Owns nothing. Called when a load ends.
 */
#include "codes.h"

static const struct code {
	const char *code, *meaning;
} codes[] = {
#define CODE(code, title, meaning) { #code, meaning },
#include "codes.def"
};

const char *code_meaning(const char *code)
{
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].meaning;
	return NULL;
}

void codes_add_hints(struct diags *diags, uint32_t begin)
{
	for (uint32_t i = begin; i < diags->item_cnt; i++) {
		struct diag *diag = &diags->items[i];
		const char *meaning;

		if (diag->is_related || diag->hint.p)
			continue;
		meaning = code_meaning(diag->code);
		if (meaning)
			diag->hint = str_from(meaning);
	}
}
