/*
 * Keys of the index: which lookup a predicate can use, and what stands for each of its literals. A
 * key must be found wherever the predicate is true; that it is found elsewhere, too, only costs
 * time. Owns nothing. Called by plan_index.c.
 */
#include "plan_key.h"

#include "glob.h"

/* Bits of plan_lookup.lengths; a path gains a slash in normal form. */
#define KEY_LENGTHS 256

/* ---- parts of strings ------------------------------------------------------------------------ */

/* The longest run of plain bytes in pattern[from .. to). The byte behind a backslash stands for
 * itself, so a run may begin with it. */
static struct str plain_run(struct str pattern, uint32_t from, uint32_t to)
{
	struct str best = { pattern.p + from, 0 };
	uint32_t begin = from, i = from;

	while (i <= to) {
		char c = i < to ? pattern.p[i] : '*';
		bool is_escape = c == '\\';

		if (c != '*' && c != '?' && c != '[' && !is_escape) {
			i++;
			continue;
		}
		if (i - begin > best.n)
			best = (struct str){ pattern.p + begin, i - begin };
		begin = ++i;
		if (is_escape)
			i++;
	}
	return best;
}

/* Where a bracket ends is glob.c's business: only what stands before the first one and behind the
 * last is looked at. */
static struct str glob_part(struct str pattern)
{
	const char *open = pattern.p && pattern.n ? memchr(pattern.p, '[', pattern.n) : NULL;
	const char *close = open ? memrchr(pattern.p, ']', pattern.n) : NULL;
	struct str head, tail;

	if (!open)
		return plain_run(pattern, 0, pattern.n);
	/* The backslash before a bracket takes it out of what it would begin. */
	if (open > pattern.p && open[-1] == '\\')
		open--;
	head = plain_run(pattern, 0, (uint32_t)(open - pattern.p));
	if (!close || close < open)
		return head;
	tail = plain_run(pattern, (uint32_t)(close - pattern.p) + 1, pattern.n);
	return tail.n > head.n ? tail : head;
}

/* pmatch: components are found as they are written, whatever number of slashes is between them. */
static struct str path_part(struct str path)
{
	struct str best = { path.p, 0 };
	uint32_t begin = 0;

	for (uint32_t i = 0; i <= path.n; i++) {
		struct str component = { path.p + begin, i - begin };

		if (i < path.n && path.p[i] != '/')
			continue;
		if (glob_has_wildcard(component))
			component = glob_part(component);
		if (component.n > best.n)
			best = component;
		begin = i + 1;
	}
	return best;
}

struct str plan_key_part(const struct predicate *predicate, const struct literal *literal)
{
	if (predicate->op == OP_GLOB || predicate->op == OP_IGLOB)
		return glob_part(literal->value.str);
	if (predicate->op == OP_PMATCH)
		return path_part(literal->value.str);
	if (predicate->op == OP_REGEX)
		return regex_needed(literal->regex);
	return literal->value.str;
}

static bool have_parts(const struct predicate *predicate)
{
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		if (plan_key_part(predicate, &predicate->literals[i]).n < PLAN_TRIGRAM)
			return false;
	return true;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

static bool is_indexable_path_set(const struct predicate *predicate)
{
	if (predicate->paths->has_root || predicate->paths->glob_cnt)
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		uint32_t length = predicate->literals[i].value.str.n;

		if (length == 0 || length >= KEY_LENGTHS - 1)
			return false;
	}
	return true;
}

/* A flat switch. */
static bool kind_of_op(const struct predicate *predicate, enum lookup_kind *ret)
{
	switch ((int)predicate->op) {
	case OP_EQ:
	case OP_IN:
	case OP_INTERSECTS:
		*ret = predicate->class == CLASS_NET ? LOOKUP_NET : LOOKUP_EQUAL;
		return true;
	case OP_STARTSWITH:
	case OP_BSTARTSWITH:
		*ret = LOOKUP_PREFIX;
		return true;
	case OP_ENDSWITH:
		*ret = LOOKUP_SUFFIX;
		return true;
	case OP_PMATCH:
		*ret = LOOKUP_PATH;
		if (is_indexable_path_set(predicate))
			return true;
		*ret = LOOKUP_CONTAINS;
		return !predicate->paths->has_root && have_parts(predicate);
	case OP_CONTAINS:
	case OP_BCONTAINS:
	case OP_GLOB:
	case OP_REGEX:
		*ret = LOOKUP_CONTAINS;
		return have_parts(predicate);
	case OP_ICONTAINS:
	case OP_IGLOB:
		*ret = LOOKUP_ICONTAINS;
		return have_parts(predicate);
	default:
		return false;
	}
}

bool plan_key_kind(const struct predicate *predicate, enum lookup_kind *ret)
{
	const struct operand *left = predicate->left;

	/* Every modifier asks for at least one of the literals. */
	if (predicate->right || left->is_list || left->is_param || predicate->literal_cnt == 0 ||
	    predicate->class == CLASS_BOOL)
		return false;
	return kind_of_op(predicate, ret);
}

/* Longer strings are rarer; a key of three bytes is found by accident, too. */
static uint32_t literal_weight(const struct predicate *predicate, enum lookup_kind kind,
			       const struct literal *literal)
{
	uint32_t length = literal->value.str.n;

	if (predicate->class != CLASS_BYTES)
		return kind == LOOKUP_NET ? 4 : 8;
	switch (kind) {
	case LOOKUP_EQUAL:
		return length >= 10 ? 2 : length >= 7 ? 8 : length >= 3 ? 32 : 512;
	case LOOKUP_PREFIX:
	case LOOKUP_PATH:
		return length >= 8 ? 4 : length >= 4 ? 32 : 128;
	case LOOKUP_SUFFIX:
		return length >= 6 ? 4 : 32;
	case LOOKUP_CONTAINS:
	case LOOKUP_ICONTAINS:
		return plan_key_part(predicate, literal).n >= 6 ? 6 : 48;
	case LOOKUP_NET:
	case LOOKUP__COUNT:
		break;
	}
	return 8;
}

uint32_t plan_key_weight(const struct predicate *predicate, enum lookup_kind kind)
{
	uint32_t weight = 0;

	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		weight += literal_weight(predicate, kind, &predicate->literals[i]);
	return weight;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* "/a/b" of "a//b/": the form that most paths have already. */
static struct str normal_path(struct arena *arena, struct str path)
{
	char *out = arena_alloc(arena, (size_t)path.n + 1);
	uint32_t n = 0;

	for (uint32_t i = 0; out && i < path.n; i++) {
		if (path.p[i] == '/')
			continue;
		if (i == 0 || path.p[i - 1] == '/')
			out[n++] = '/';
		out[n++] = path.p[i];
	}
	return (struct str){ out, n };
}

struct str plan_index_key(enum value_class class, const struct value *value, uint64_t *number)
{
	if (class == CLASS_BYTES)
		return value->str;
	if (class == CLASS_IP)
		return (struct str){ (const char *)&value->ip, 1 + ip_length(&value->ip) };
	*number = value->u64;
	return (struct str){ (const char *)number, sizeof(*number) };
}

struct str plan_index_net(const struct cidr *net, char bytes[PLAN_NET_BYTES])
{
	uint32_t length = ip_length(&net->address);

	bytes[0] = (char)net->prefix;
	memcpy(bytes + 1, net->address.bytes, length);
	return (struct str){ bytes, 1 + length };
}

struct str plan_key_of(struct arena *arena, const struct predicate *predicate,
		       enum lookup_kind kind, const struct literal *literal)
{
	uint64_t *number;
	char *bytes;

	if (kind == LOOKUP_PATH)
		return normal_path(arena, literal->value.str);
	if (kind == LOOKUP_NET) {
		bytes = arena_alloc(arena, PLAN_NET_BYTES);
		return bytes ? plan_index_net(&literal->net, bytes) : STR_NONE;
	}
	number = arena_alloc(arena, sizeof(*number));
	return number ? plan_index_key(predicate->class, &literal->value, number) : STR_NONE;
}
