/*
 * Conditions on the path of an opened file, as parts of paths: the last name, or the directories
 * next to the root. Every path that satisfies the condition has one of the parts. Owns nothing.
 * Called by filter_leaf.c.
 */
#include "pushdown.h"

/* ---- parts ------------------------------------------------------------------------------------
 */

static uint64_t add_part(struct pusher *p, enum filter_part part, struct str text)
{
	return text.n > 0 && text.n < FILTER_NAME_BYTES ? push_text(p, part, text) : 0;
}

/* Behind the last slash. */
static uint64_t base_of(struct pusher *p, struct str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	uint32_t begin = slash ? (uint32_t)(slash - path.p) + 1 : 0;

	return add_part(p, FILTER_BASE, (struct str){ path.p + begin, path.n - begin });
}

/* The first or last bytes of a last name. */
static uint64_t end_of(struct pusher *p, enum filter_part part, struct str text)
{
	if (text.n < FILTER_END_BYTES)
		return 0;
	if (part == FILTER_TAIL)
		text.p += text.n - FILTER_END_BYTES;
	text.n = FILTER_END_BYTES;
	return memchr(text.p, '/', text.n) ? 0 : push_text(p, part, text);
}

/* What a path that ends so has at its end. */
static uint64_t part_of_end(struct pusher *p, struct str text)
{
	return text.n && memchr(text.p, '/', text.n) ? base_of(p, text)
						     : end_of(p, FILTER_TAIL, text);
}

/* The first two names of an absolute path, or the only one; what stands behind its last slash
 * counts as a name only where it is whole. 0: it has none, or they say nothing. */
static uint64_t top_of(struct pusher *p, struct str path, bool is_last_whole)
{
	uint32_t end = 0, cnt = 0;

	if (path.n == 0 || path.p[0] != '/')
		return 0;
	for (uint32_t i = 1; i <= path.n && cnt < 2; i++) {
		if (i < path.n ? path.p[i] != '/' : !is_last_whole)
			continue;
		if (i == end + 1)
			break; /* "//", or a slash at the end */
		end = i;
		cnt++;
	}
	return cnt ? add_part(p, FILTER_TOP, (struct str){ path.p + 1, end - 1 }) : 0;
}

static bool is_wild(char c)
{
	return c == '*' || c == '?' || c == '[' || c == '\\' || c == '{';
}

/* What stands behind the last wildcard, or before the first: a last name that is whole is asked
 * soonest, its end says little. */
static uint64_t part_of_glob(struct pusher *p, struct str pattern)
{
	uint32_t head = 0, tail = pattern.n;
	struct str end;
	uint64_t id = 0;

	while (head < pattern.n && !is_wild(pattern.p[head]))
		head++;
	while (tail > 0 && !is_wild(pattern.p[tail - 1]) && pattern.p[tail - 1] != ']')
		tail--;
	end = (struct str){ pattern.p + tail, pattern.n - tail };
	if (end.n && memchr(end.p, '/', end.n))
		id = base_of(p, end);
	if (!id)
		id = top_of(p, (struct str){ pattern.p, head }, head == pattern.n);
	return id ? id : part_of_end(p, end);
}

/* The same of a last name. */
static uint64_t part_of_name_glob(struct pusher *p, struct str pattern)
{
	uint32_t head = 0, tail = pattern.n;
	uint64_t id;

	while (head < pattern.n && !is_wild(pattern.p[head]))
		head++;
	id = end_of(p, FILTER_HEAD, (struct str){ pattern.p, head });
	if (id)
		return id;
	while (tail > 0 && !is_wild(pattern.p[tail - 1]) && pattern.p[tail - 1] != ']')
		tail--;
	return end_of(p, FILTER_TAIL, (struct str){ pattern.p + tail, pattern.n - tail });
}

/* pmatch: whole names, of which some may have wildcards. */
static uint64_t part_of_pmatch(struct pusher *p, struct str path)
{
	uint32_t head = 0;

	while (head < path.n && !is_wild(path.p[head]))
		head++;
	return top_of(p, (struct str){ path.p, head }, head == path.n);
}

/* ---- fields -----------------------------------------------------------------------------------
 */

static uint64_t part_of_name(struct pusher *p, enum op op, struct str text)
{
	bool is_absolute = text.n > 0 && text.p[0] == '/';

	switch ((int)op) {
	case OP_EQ:
	case OP_IN:
		return is_absolute ? base_of(p, text) : 0;
	case OP_STARTSWITH:
		return top_of(p, text, false);
	case OP_PMATCH:
		return part_of_pmatch(p, text);
	case OP_ENDSWITH:
		return part_of_end(p, text);
	case OP_GLOB:
		return part_of_glob(p, text);
	default:
		return 0;
	}
}

/* Its last name is the name before the file's. */
static uint64_t parent_of(struct pusher *p, struct str directory)
{
	const char *slash = directory.n ? memrchr(directory.p, '/', directory.n) : NULL;

	if (!slash)
		return 0;
	directory.n -= (uint32_t)(slash + 1 - directory.p);
	directory.p = slash + 1;
	return add_part(p, FILTER_PARENT, directory);
}

static uint64_t part_of_directory(struct pusher *p, enum op op, struct str text)
{
	switch ((int)op) {
	case OP_EQ:
	case OP_IN:
	case OP_ENDSWITH:
		return parent_of(p, text);
	case OP_STARTSWITH:
		return top_of(p, text, false);
	case OP_PMATCH:
		return part_of_pmatch(p, text);
	default:
		return 0;
	}
}

static uint64_t part_of_filename(struct pusher *p, enum op op, struct str text)
{
	if (text.n && memchr(text.p, '/', text.n))
		return 0;
	switch ((int)op) {
	case OP_EQ:
	case OP_IN:
		return add_part(p, FILTER_BASE, text);
	case OP_STARTSWITH:
		return end_of(p, FILTER_HEAD, text);
	case OP_ENDSWITH:
		return end_of(p, FILTER_TAIL, text);
	case OP_GLOB:
		return part_of_name_glob(p, text);
	default:
		return 0;
	}
}

static uint64_t part_of(struct pusher *p, const char *field, enum op op, struct str text)
{
	/* fd.nameraw is the passed reading, but for what is odd in it; and odd names pass. */
	if (strcmp(field, "fd.name") == 0 || strcmp(field, "fd.nameraw") == 0)
		return part_of_name(p, op, text);
	if (strcmp(field, "fd.directory") == 0)
		return part_of_directory(p, op, text);
	return part_of_filename(p, op, text);
}

bool push_path(struct pusher *p, const struct predicate *predicate, bool is_negated,
	       struct boxes *ret, const char **ret_why)
{
	uint64_t *ids = arena_new_array(p->arena, uint64_t, predicate->literal_cnt);

	*ret_why = "the kernel has no file for this event";
	if (!push_is_open(p->schema))
		return false;
	*ret_why = "what a path must not be is not asked in the kernel";
	if (is_negated || predicate->quantifier != QUANTIFIER_ANY || !ids)
		return false;
	*ret_why = "no name of the path is fixed by it";
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		ids[i] = part_of(p, predicate->left->field->name, predicate->op,
				 predicate->literals[i].value.str);
		if (!ids[i])
			return false;
	}
	boxes_one(p->arena, BOX_PATH, ids, predicate->literal_cnt, false, ret);
	return true;
}
