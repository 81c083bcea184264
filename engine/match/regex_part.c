/*
 * One pass over a translated pattern, outside its groups. Characters beyond ASCII end a run: in a
 * subject that is not valid UTF-8 they may come from replaced bytes. Owns nothing; called by
 * regex.c when rules are loaded.
 */
#include "regex_part.h"

struct scan {
	struct str in;
	uint32_t pos;
	char *run, *best; /* in the arena, as long as the pattern */
	uint32_t run_cnt, best_cnt;
};

static bool is_at(const struct scan *scan, const char *text)
{
	struct str rest = { scan->in.p + scan->pos, scan->in.n - scan->pos };

	return str_starts_with(rest, str_from(text));
}

static void end_run(struct scan *scan)
{
	if (scan->run_cnt > scan->best_cnt) {
		memcpy(scan->best, scan->run, scan->run_cnt);
		scan->best_cnt = scan->run_cnt;
	}
	scan->run_cnt = 0;
}

/* Behind the ']' of the class at the position. Inside are only code points, ranges of them, and
 * [:names:]. */
static void skip_class(struct scan *scan)
{
	for (scan->pos++; scan->pos < scan->in.n && scan->in.p[scan->pos] != ']'; scan->pos++) {
		if (!is_at(scan, "[:"))
			continue;
		scan->pos += 2;
		while (scan->pos < scan->in.n && !is_at(scan, ":]"))
			scan->pos++;
		scan->pos++;
	}
	scan->pos++;
}

/* Behind the ')' of the group at the position. */
static void skip_group(struct scan *scan)
{
	uint32_t depth = 0;

	while (scan->pos < scan->in.n) {
		char c = scan->in.p[scan->pos];

		if (c == '[') {
			skip_class(scan);
			continue;
		}
		depth += c == '(';
		depth -= c == ')';
		scan->pos++;
		if (depth == 0)
			return;
	}
}

/* The code point of \x{…} or \{ at the position, which moves behind it. */
static uint32_t take_character(struct scan *scan)
{
	uint32_t code = 0;

	if (is_at(scan, "\\{")) {
		scan->pos += 2;
		return '{';
	}
	for (scan->pos += 3; scan->pos < scan->in.n && scan->in.p[scan->pos] != '}'; scan->pos++) {
		char c = scan->in.p[scan->pos];

		code = code * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	scan->pos++;
	return code;
}

/* A character of the top level, or a class of one, with the operator behind it. */
static void add_character(struct scan *scan)
{
	bool is_class = scan->in.p[scan->pos] == '[';
	uint32_t code;
	char behind;
	bool is_optional;

	scan->pos += is_class;
	code = take_character(scan);
	scan->pos += is_class;
	behind = scan->pos < scan->in.n ? scan->in.p[scan->pos] : '\0';
	is_optional = behind == '*' || behind == '?' || behind == '{';

	if (code >= 0x80 || is_optional)
		end_run(scan);
	else
		scan->run[scan->run_cnt++] = (char)code;
}

/* [.] is how many write a dot. */
static bool is_class_of_one(const struct scan *scan)
{
	struct str rest = { scan->in.p + scan->pos, scan->in.n - scan->pos };
	const char *end = rest.n ? memchr(rest.p, '}', rest.n) : NULL;

	return str_starts_with(rest, STR("[\\x{")) && end && end + 1 < rest.p + rest.n &&
	       end[1] == ']';
}

/* False: what stands at the top level is one of several alternatives. */
static bool scan_all(struct scan *scan)
{
	while (scan->pos < scan->in.n) {
		char c = scan->in.p[scan->pos];

		if (c == '|')
			return false;
		if (c == '\\' || is_class_of_one(scan)) {
			add_character(scan);
			continue;
		}
		end_run(scan);
		if (c == '(')
			skip_group(scan);
		else if (c == '[')
			skip_class(scan);
		else
			scan->pos++;
	}
	end_run(scan);
	return true;
}

struct str regex_part(struct arena *arena, struct str translated)
{
	struct scan scan = { .in = translated,
			     .run = arena_alloc(arena, (size_t)translated.n + 1),
			     .best = arena_alloc(arena, (size_t)translated.n + 1) };

	if (!scan.run || !scan.best)
		return STR_NONE;
	if (!scan_all(&scan))
		scan.best_cnt = 0;
	return (struct str){ scan.best, scan.best_cnt };
}
