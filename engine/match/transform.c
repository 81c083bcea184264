/*
 * Transformers (rule-language.md 2.7). Owns nothing; results live in the event's scratch. Called by
 * the evaluator.
 */
#include "transform.h"

static const char *const names[] = {
	[TRANSFORM_TOLOWER] = "tolower", [TRANSFORM_TOUPPER] = "toupper",
	[TRANSFORM_B64] = "b64",	 [TRANSFORM_BASENAME] = "basename",
	[TRANSFORM_LEN] = "len",	 [TRANSFORM_JOIN] = "join",
	[TRANSFORM_CONCAT] = "concat",	 [TRANSFORM_GETOPT] = "getopt",
};
_Static_assert(ARRAY_LEN(names) == TRANSFORM__COUNT, "a name a transformer");

const char *transform_name(enum transform transform)
{
	return names[transform];
}

bool transform_find(struct str name, enum transform *ret)
{
	for (unsigned i = 0; i < TRANSFORM__COUNT; i++) {
		if (!str_eq_text(name, names[i]))
			continue;
		*ret = (enum transform)i;
		return true;
	}
	return false;
}

static void give(struct arena *scratch, struct value value, struct value_set *ret)
{
	struct value *copy = arena_alloc(scratch, sizeof(*copy));

	if (!copy)
		return;
	*copy = value;
	*ret = (struct value_set){ FIELD_VALUE, 1, copy };
}

static void give_string(struct arena *scratch, struct str s, struct value_set *ret)
{
	if (s.p)
		give(scratch, (struct value){ .type = VALUE_STRING, .str = s }, ret);
}

static struct str change_case(struct arena *scratch, struct str s, bool is_upper)
{
	char *out = arena_alloc(scratch, s.n);

	if (!out)
		return STR_NONE;
	for (uint32_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_changed = is_upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';

		out[i] = (char)(is_changed ? c ^ 0x20 : c);
	}
	return (struct str){ out, s.n };
}

static struct str basename_of(struct str s)
{
	uint32_t n = s.n;

	while (n > 0 && s.p[n - 1] != '/')
		n--;
	return (struct str){ s.p + n, s.n - n };
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4, padding optional; no string where a character is no digit. */
static struct str base64_decode(struct arena *scratch, struct str s)
{
	uint32_t padding = 0, bits = 0, n = 0;
	unsigned pending = 0;
	char *out;

	while (s.n && s.p[s.n - 1] == '=' && padding < 2) {
		s.n--;
		padding++;
	}
	if (s.n % 4 == 1 || (padding && (s.n + padding) % 4 != 0))
		return STR_NONE;
	out = arena_alloc(scratch, s.n);
	if (!out)
		return STR_NONE;
	for (uint32_t i = 0; i < s.n; i++) {
		int digit = base64_digit(s.p[i]);

		if (digit < 0)
			return STR_NONE;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		pending += 6;
		if (pending < 8)
			continue;
		pending -= 8;
		out[n++] = (char)(bits >> pending);
	}
	return (struct str){ out, n };
}

/* ---- concat, join ---------------------------------------------------------------------------- */

static struct str concatenate(struct arena *scratch, const struct value_set *parts, uint32_t cnt)
{
	uint64_t length = 0;
	uint32_t n = 0;
	char *out;

	for (uint32_t i = 0; i < cnt; i++)
		length += parts[i].values[0].str.n;
	if (length > UINT32_MAX)
		return STR_NONE;
	out = arena_alloc(scratch, length);
	for (uint32_t i = 0; out && i < cnt; i++) {
		struct str part = parts[i].values[0].str;

		if (part.n)
			memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	return (struct str){ out, n };
}

static struct str join(struct arena *scratch, struct str separator, const struct value_set *list)
{
	uint64_t length = 0;
	uint32_t n = 0;
	char *out;

	for (uint32_t i = 0; i < list->cnt; i++)
		length += (uint64_t)list->values[i].str.n + separator.n;
	if (length > UINT32_MAX)
		return STR_NONE;
	out = arena_alloc(scratch, length);
	for (uint32_t i = 0; out && i < list->cnt; i++) {
		struct str part = list->values[i].str;

		if (i && separator.n)
			memcpy(out + n, separator.p, separator.n);
		n += i ? separator.n : 0;
		if (part.n)
			memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	return (struct str){ out, n };
}

/* ---- getopt ---------------------------------------------------------------------------------- */

struct getopt_state {
	const struct value_set *words;
	struct str options; /* "ab:c" */
	uint32_t word, offset;
	struct value *out; /* every letter and argument */
	uint32_t cnt;
	struct str wanted; /* one letter, or nothing */
	struct str found;
};

static void getopt_give(struct getopt_state *state, struct str s)
{
	state->out[state->cnt++] = (struct value){ .type = VALUE_STRING, .str = s };
}

/* Whether the letter is an option, and takes an argument. */
static bool getopt_find(const struct getopt_state *state, char letter, bool *ret_takes_argument)
{
	const char *p = letter == ':' || state->options.n == 0
				? NULL
				: memchr(state->options.p, letter, state->options.n);

	if (!p)
		return false;
	*ret_takes_argument = p + 1 < state->options.p + state->options.n && p[1] == ':';
	return true;
}

/* The rest of this word, or the next word. */
static struct str getopt_argument(struct getopt_state *state)
{
	struct str word = state->words->values[state->word].str;
	struct str rest = { word.p + state->offset, word.n - state->offset };

	state->offset = word.n;
	if (rest.n)
		return rest;
	if (state->word + 1 >= state->words->cnt)
		return STR_NONE;
	return state->words->values[++state->word].str;
}

static void getopt_letter(struct getopt_state *state, struct str letter)
{
	bool takes_argument = false;
	struct str argument;

	if (!getopt_find(state, *letter.p, &takes_argument)) {
		getopt_give(state, STR("?"));
		return;
	}
	argument = letter;
	if (takes_argument) {
		argument = getopt_argument(state);
		if (argument.p)
			getopt_give(state, letter);
		else
			argument = STR("");
	}
	getopt_give(state, argument);
	if (str_eq(state->wanted, letter))
		state->found = argument;
}

/* Room for a letter and an argument for each byte of the words. */
static bool getopt_run(struct getopt_state *state, struct arena *scratch)
{
	uint64_t room = 2;

	for (uint32_t i = 0; i < state->words->cnt; i++)
		room += 2 * (uint64_t)state->words->values[i].str.n + 2;
	state->out = arena_alloc(scratch, room * sizeof(*state->out));
	if (!state->out)
		return false;
	for (state->word = 0; state->word < state->words->cnt; state->word++) {
		struct str word = state->words->values[state->word].str;

		if (word.n < 2 || word.p[0] != '-' || str_eq_text(word, "--"))
			break;
		if (word.p[1] == '-')
			continue;
		for (state->offset = 1; state->offset < word.n;)
			getopt_letter(state, (struct str){ word.p + state->offset++, 1 });
	}
	return true;
}

static void run_getopt(const struct transform_arguments *arguments, struct value_set *ret)
{
	struct getopt_state state = {
		.words = &arguments->items[0],
		.options = arguments->items[1].values[0].str,
		.wanted = arguments->option ? *arguments->option : STR_NONE,
	};

	if (!getopt_run(&state, arguments->scratch))
		return;
	if (!arguments->option)
		*ret = (struct value_set){ FIELD_VALUE, state.cnt, state.out };
	else
		give_string(arguments->scratch, state.found, ret);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A flat switch. */
void transform_run(enum transform transform, const struct transform_arguments *arguments,
		   struct value_set *ret)
{
	const struct value_set *first = &arguments->items[0];
	struct arena *scratch = arguments->scratch;
	struct str text = STR("");

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (arguments->type_mask & 1)
		text = first->values[0].str;
	switch (transform) {
	case TRANSFORM_TOLOWER:
	case TRANSFORM_TOUPPER:
		give_string(scratch, change_case(scratch, text, transform == TRANSFORM_TOUPPER),
			    ret);
		return;
	case TRANSFORM_B64:
		give_string(scratch, base64_decode(scratch, text), ret);
		return;
	case TRANSFORM_BASENAME:
		give_string(scratch, basename_of(text), ret);
		return;
	case TRANSFORM_LEN:
		give(scratch,
		     (struct value){ .type = VALUE_U64,
				     .u64 = arguments->type_mask & 1 ? text.n : first->cnt },
		     ret);
		return;
	case TRANSFORM_JOIN:
		give_string(scratch, join(scratch, text, &arguments->items[1]), ret);
		return;
	case TRANSFORM_CONCAT:
		give_string(scratch, concatenate(scratch, first, arguments->item_cnt), ret);
		return;
	case TRANSFORM_GETOPT:
		run_getopt(arguments, ret);
		return;
	case TRANSFORM__COUNT:
		return;
	}
}
