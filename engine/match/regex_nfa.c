/*
 * Thompson's construction and simulation over code points. The pattern is in the form that
 * regex_translate() writes, so it is not checked again. Owns nothing; states live in the ruleset's
 * arena. Called by regex.c.
 */
#include "regex_nfa.h"

#include <ctype.h>
#include <errno.h>

enum state_kind {
	STATE_CHARACTER,
	STATE_ANY, /* but newline */
	STATE_CLASS,
	STATE_SPLIT,
	STATE_JUMP,
	STATE_LINE_BEGIN,
	STATE_LINE_END,
	STATE_MATCH,
};

struct range {
	uint32_t low, high;
};
/* Ranges, and ASCII decided beforehand. */
struct class
{
	bool is_negated;
	uint64_t ascii[2];
	/* A negated POSIX class such as [:^digit:] holds everything beyond ASCII. */
	bool has_all_beyond_ascii;
	struct range *ranges;
	uint32_t range_cnt;
};

struct state {
	uint8_t kind;
	uint16_t out, other; /* other: second way of a SPLIT */
	uint32_t character;
	const struct class *class;
};

struct nfa {
	struct state *states;
	uint32_t state_cnt;
	uint16_t start;
};

struct builder {
	struct arena *arena;
	struct str in;
	uint32_t pos;
	struct state *states; /* NFA_STATES_MAX, owned */
	uint32_t cnt;
	bool is_large, is_out_of_memory;
};

/* A piece: flow enters at `in` and leaves through the JUMP state `out`. */
struct piece {
	uint16_t in, out;
};

static bool has_failed(const struct builder *b)
{
	return b->is_large || b->is_out_of_memory;
}

static uint16_t add_state(struct builder *b, enum state_kind kind)
{
	if (b->cnt == NFA_STATES_MAX) {
		b->is_large = true;
		return 0;
	}
	b->states[b->cnt] = (struct state){ .kind = (uint8_t)kind };
	return (uint16_t)b->cnt++;
}

static struct piece single(struct builder *b, enum state_kind kind)
{
	struct piece piece = { .in = add_state(b, kind) };

	piece.out = add_state(b, STATE_JUMP);
	b->states[piece.in].out = piece.out;
	return piece;
}

static bool take(struct builder *b, const char *text)
{
	struct str rest = { b->in.p + b->pos, b->in.n - b->pos };

	if (!str_starts_with(rest, str_from(text)))
		return false;
	b->pos += (uint32_t)strlen(text);
	return true;
}

static int peek(const struct builder *b)
{
	return b->pos < b->in.n ? (unsigned char)b->in.p[b->pos] : -1;
}

/* The digits of \x{…}; the position is behind the brace. */
static uint32_t parse_code_point(struct builder *b)
{
	uint32_t code = 0;

	for (; peek(b) != '}'; b->pos++) {
		int c = peek(b);

		code = code * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	b->pos++;
	return code;
}

/* ---- classes --------------------------------------------------------------------------------- */

static int is_ascii(int c)
{
	return c < 0x80;
}

static int is_word(int c)
{
	return isalnum(c) || c == '_';
}

/* [:alpha:] or [:^alpha:]; the position is behind "[:". */
static void parse_posix_class(struct builder *b, struct class *class)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} classes[] = {
		{ "alnum:]", isalnum }, { "alpha:]", isalpha },	  { "ascii:]", is_ascii },
		{ "blank:]", isblank }, { "cntrl:]", iscntrl },	  { "digit:]", isdigit },
		{ "graph:]", isgraph }, { "lower:]", islower },	  { "print:]", isprint },
		{ "punct:]", ispunct }, { "space:]", isspace },	  { "upper:]", isupper },
		{ "word:]", is_word },	{ "xdigit:]", isxdigit },
	};
	bool is_negated = take(b, "^");

	class->has_all_beyond_ascii |= is_negated;
	for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
		if (!take(b, classes[i].name))
			continue;
		for (int c = 0; c < 0x80; c++)
			if (!classes[i].has(c) == is_negated)
				class->ascii[c / 64] |= 1ULL << (c % 64);
		return;
	}
}

static bool add_range(struct builder *b, struct class *class, struct range range)
{
	/* A pattern has at most 255 bytes, each range takes two. */
	if (!class->ranges)
		class->ranges = arena_new_array(b->arena, struct range, 256);
	if (!class->ranges || class->range_cnt == 256)
		return false;
	class->ranges[class->range_cnt++] = range;
	for (uint32_t c = range.low; c <= range.high && c < 0x80; c++)
		class->ascii[c / 64] |= 1ULL << (c % 64);
	return true;
}

/* The position is behind '['. */
static struct piece parse_class(struct builder *b)
{
	struct class *class = arena_new(b->arena, struct class);
	struct piece piece = single(b, STATE_CLASS);

	if (!class) {
		b->is_out_of_memory = true;
		return piece;
	}
	class->is_negated = take(b, "^");
	while (!take(b, "]")) {
		struct range range;

		if (take(b, "[:")) {
			parse_posix_class(b, class);
			continue;
		}
		(void)take(b, "\\x{");
		range.low = range.high = parse_code_point(b);
		if (take(b, "-\\x{"))
			range.high = parse_code_point(b);
		if (!add_range(b, class, range)) {
			b->is_out_of_memory = true;
			return piece;
		}
	}
	b->states[piece.in].class = class;
	return piece;
}

static bool class_has(const struct class *class, uint32_t c)
{
	bool has = c < 0x80 ? class->ascii[c / 64] >> (c % 64) & 1 : class->has_all_beyond_ascii;

	for (uint32_t i = 0; c >= 0x80 && !has && i < class->range_cnt; i++)
		has = class->ranges[i].low <= c && c <= class->ranges[i].high;
	return has != class->is_negated;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static struct piece parse_alternatives(struct builder *b);

static struct piece parse_atom(struct builder *b)
{
	struct piece piece;

	if (take(b, "(?:^)"))
		return single(b, STATE_LINE_BEGIN);
	if (take(b, "(?:$)"))
		return single(b, STATE_LINE_END);
	if (take(b, "(?:")) {
		piece = parse_alternatives(b);
		(void)take(b, ")");
		return piece;
	}
	if (take(b, "."))
		return single(b, STATE_ANY);
	if (take(b, "["))
		return parse_class(b);
	piece = single(b, STATE_CHARACTER);
	b->states[piece.in].character = '{';
	if (!take(b, "\\{")) {
		(void)take(b, "\\x{");
		b->states[piece.in].character = parse_code_point(b);
	}
	return piece;
}

static struct piece join(struct builder *b, struct piece first, struct piece second)
{
	b->states[first.out].out = second.in;
	return (struct piece){ first.in, second.out };
}

/* piece? or, where it may repeat, piece*. */
static struct piece make_optional(struct builder *b, struct piece piece, bool may_repeat)
{
	uint16_t split = add_state(b, STATE_SPLIT), end = add_state(b, STATE_JUMP);

	b->states[split].out = piece.in;
	b->states[split].other = end;
	b->states[piece.out].out = may_repeat ? split : end;
	return (struct piece){ split, end };
}

static uint32_t parse_number(struct builder *b)
{
	uint32_t number = 0;

	for (; peek(b) >= '0' && peek(b) <= '9'; b->pos++)
		number = number * 10 + (uint32_t)(peek(b) - '0');
	return number;
}

/* The atom that begins at `begin`, once more. */
static struct piece copy_atom(struct builder *b, uint32_t begin)
{
	uint32_t end = b->pos;
	struct piece piece;

	b->pos = begin;
	piece = parse_atom(b);
	b->pos = end;
	return piece;
}

/* {min,max}: the first min copies, then optional ones, or a last one that repeats. */
static struct piece repeat(struct builder *b, struct piece first, uint32_t begin)
{
	uint32_t min = parse_number(b), max = min;
	bool is_open = false;
	struct piece all = single(b, STATE_JUMP);

	if (take(b, ",")) {
		is_open = peek(b) == '}';
		max = is_open ? min : parse_number(b);
	}
	(void)take(b, "}");
	for (uint32_t i = 0; i < max && !has_failed(b); i++) {
		struct piece next = i == 0 ? first : copy_atom(b, begin);

		all = join(b, all, i < min ? next : make_optional(b, next, false));
	}
	if (is_open)
		all = join(b, all, make_optional(b, copy_atom(b, begin), true));
	return all;
}

static struct piece parse_repeated(struct builder *b)
{
	uint32_t begin = b->pos;
	struct piece piece = parse_atom(b);

	if (take(b, "*"))
		return make_optional(b, piece, true);
	if (take(b, "?"))
		return make_optional(b, piece, false);
	if (take(b, "+"))
		return join(b, piece, make_optional(b, copy_atom(b, begin), true));
	return take(b, "{") ? repeat(b, piece, begin) : piece;
}

static struct piece parse_sequence(struct builder *b)
{
	struct piece piece = single(b, STATE_JUMP);

	while (peek(b) >= 0 && peek(b) != '|' && peek(b) != ')' && !has_failed(b))
		piece = join(b, piece, parse_repeated(b));
	return piece;
}

/* As deep as the pattern's parentheses, of which regex_translate() allows 256. */
static struct piece parse_alternatives(struct builder *b)
{
	struct piece piece = parse_sequence(b);

	while (!has_failed(b) && take(b, "|")) {
		struct piece other = parse_sequence(b);
		uint16_t split = add_state(b, STATE_SPLIT), end = add_state(b, STATE_JUMP);

		b->states[split].out = piece.in;
		b->states[split].other = other.in;
		b->states[piece.out].out = end;
		b->states[other.out].out = end;
		piece = (struct piece){ split, end };
	}
	return piece;
}

/* Behind all jumps. A loop of jumps alone cannot arise: every loop has a SPLIT. */
static uint16_t skip_jumps(const struct builder *b, uint16_t state)
{
	while (b->states[state].kind == STATE_JUMP)
		state = b->states[state].out;
	return state;
}

static int keep(struct builder *b, uint16_t start, struct nfa **ret)
{
	struct nfa *nfa = arena_new(b->arena, struct nfa);
	struct state *states = arena_new_array(b->arena, struct state, b->cnt);

	if (!nfa || !states)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->cnt; i++) {
		states[i] = b->states[i];
		states[i].out = skip_jumps(b, states[i].out);
		states[i].other = skip_jumps(b, states[i].other);
	}
	*nfa = (struct nfa){ states, b->cnt, skip_jumps(b, start) };
	*ret = nfa;
	return 0;
}

int nfa_compile(struct arena *arena, struct str translated, struct nfa **ret)
{
	_cleanup_(freep) struct state *states = calloc(NFA_STATES_MAX, sizeof(*states));
	struct builder b = { .arena = arena, .in = translated, .states = states };
	struct piece piece;
	uint16_t match;

	if (!states)
		return -ENOMEM;
	match = add_state(&b, STATE_MATCH);
	piece = parse_alternatives(&b);
	b.states[piece.out].out = match;
	if (b.is_out_of_memory)
		return -ENOMEM;
	return b.is_large ? NFA_E_LARGE : keep(&b, piece.in, ret);
}

/* ---- simulation ------------------------------------------------------------------------------ */

/* What assertions may ask of a position. */
struct place {
	bool is_line_begin, is_line_end;
};

static void push(struct nfa_scratch *scratch, uint32_t *depth, uint16_t state)
{
	if (scratch->marks[state] == scratch->step)
		return;
	scratch->marks[state] = scratch->step;
	scratch->stack[(*depth)++] = state;
}

/* Adds a state and all that it reaches without a character; every state once a step. */
static uint32_t add(const struct nfa *nfa, struct nfa_scratch *scratch, uint16_t state,
		    struct place place, uint16_t *list, uint32_t cnt)
{
	uint32_t depth = 0;

	push(scratch, &depth, state);
	while (depth > 0) {
		uint16_t number = scratch->stack[--depth];
		const struct state *s = &nfa->states[number];

		if (s->kind == STATE_SPLIT) {
			push(scratch, &depth, s->out);
			push(scratch, &depth, s->other);
		} else if (s->kind == STATE_LINE_BEGIN || s->kind == STATE_LINE_END) {
			if (s->kind == STATE_LINE_BEGIN ? place.is_line_begin : place.is_line_end)
				push(scratch, &depth, s->out);
		} else {
			list[cnt++] = number;
		}
	}
	return cnt;
}

static bool takes(const struct state *state, uint32_t c)
{
	switch ((enum state_kind)state->kind) {
	case STATE_CHARACTER:
		return state->character == c;
	case STATE_ANY:
		return c != '\n';
	case STATE_CLASS:
		return class_has(state->class, c);
	case STATE_SPLIT:
	case STATE_JUMP:
	case STATE_LINE_BEGIN:
	case STATE_LINE_END:
	case STATE_MATCH:
		break;
	}
	return false;
}

/* The code point at *pos, which moves behind it. */
static uint32_t decode(struct str text, uint32_t *pos)
{
	const unsigned char *p = (const unsigned char *)text.p + *pos;
	unsigned length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));

	for (unsigned i = 1; i < length; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*pos += length;
	return c;
}

static void next_step(struct nfa_scratch *scratch)
{
	if (++scratch->step)
		return;
	memset(scratch->marks, 0, sizeof(scratch->marks));
	scratch->step = 1;
}

static bool is_line_end(struct str text, uint32_t pos)
{
	return pos == text.n || text.p[pos] == '\n';
}

bool nfa_match(const struct nfa *nfa, struct nfa_scratch *scratch, struct str text)
{
	uint16_t *now = scratch->lists[0], *next = scratch->lists[1], *swap;
	struct place place = { true, is_line_end(text, 0) };
	uint32_t cnt, pos = 0;

	next_step(scratch);
	cnt = add(nfa, scratch, nfa->start, place, now, 0);
	while (pos < text.n && cnt > 0) {
		uint32_t c = decode(text, &pos), next_cnt = 0;

		place = (struct place){ c == '\n', is_line_end(text, pos) };
		next_step(scratch);
		for (uint32_t i = 0; i < cnt; i++) {
			const struct state *state = &nfa->states[now[i]];

			if (takes(state, c))
				next_cnt = add(nfa, scratch, state->out, place, next, next_cnt);
		}
		swap = now;
		now = next;
		next = swap;
		cnt = next_cnt;
	}
	for (uint32_t i = 0; i < cnt; i++)
		if (nfa->states[now[i]].kind == STATE_MATCH)
			return true;
	return false;
}
