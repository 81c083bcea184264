/*
 * See test_coverage.h. A part is known by its place in the files and its text, so that what stands
 * in a macro is covered once, whichever rule's test does it. Owns the parts.
 */
#include "test_coverage.h"

#include <errno.h>

#include "haetae/table.h"
#include "haetae/text.h"
#include "haetae/trace.h"

#define PARTS_MAX	1000000
#define PARTS_BYTES_MAX (256u << 20)
#define TREE_BYTES_MAX	(64u << 20)
#define TEXT_SHOWN	120

struct part {
	struct span at;
	struct str text;
	bool is_exception, was_true, was_false;
	struct part *next; /* in the order found */
};

struct test_coverage {
	struct arena arena, tree;
	struct table parts;
	struct part *first, **last;
};

/* The columns of an exception's row stand in one place, and a row in that of its exception. */
static bool is_part(const void *node, const void *key)
{
	const struct part *part = node;
	const struct trace_node *wanted = key;

	return memcmp(&part->at, &wanted->at, sizeof(struct span)) == 0 &&
	       part->is_exception == (wanted->kind == TRACE_EXCEPTION) &&
	       str_eq(part->text, wanted->text);
}

struct test_coverage *test_coverage_new(void)
{
	struct test_coverage *coverage = calloc(1, sizeof(*coverage));

	if (!coverage)
		return NULL;
	arena_init(&coverage->arena, PARTS_BYTES_MAX);
	arena_init(&coverage->tree, TREE_BYTES_MAX);
	table_init(&coverage->parts, PARTS_MAX, is_part);
	coverage->last = &coverage->first;
	return coverage;
}

struct test_coverage *test_coverage_free(struct test_coverage *coverage)
{
	if (!coverage)
		return NULL;
	table_done(&coverage->parts);
	arena_done(&coverage->tree);
	arena_done(&coverage->arena);
	free(coverage);
	return NULL;
}

static struct part *find_part(struct test_coverage *coverage, const struct trace_node *node)
{
	uint64_t hash = hash_bytes(&node->at, sizeof(node->at), str_hash(node->text));
	struct part *part = table_find(&coverage->parts, hash, node);

	if (part)
		return part;
	part = arena_new(&coverage->arena, struct part);
	if (!part)
		return NULL;
	*part = (struct part){ .at = node->at,
			       .text = arena_str(&coverage->arena, node->text),
			       .is_exception = node->kind == TRACE_EXCEPTION };
	if (!part->text.p || table_insert(&coverage->parts, hash, node, part) < 0)
		return NULL;
	*coverage->last = part;
	coverage->last = &part->next;
	return part;
}

static int add_node(struct test_coverage *coverage, const struct trace_node *node)
{
	if (node->kind == TRACE_CHECK || node->kind == TRACE_EXCEPTION) {
		struct part *part = find_part(coverage, node);

		if (!part)
			return -ENOMEM;
		part->was_true |= node->verdict == VERDICT_TRUE;
		part->was_false |= node->verdict == VERDICT_FALSE;
	}
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		int r = add_node(coverage, node->children[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int test_coverage_add(struct test_coverage *coverage, const struct ruleset *ruleset,
		      const struct rule *rule, const struct field_context *context)
{
	const struct trace_node *root = NULL;
	int r = rule_trace(ruleset, rule, context, &coverage->tree, &root);

	if (r == 0)
		r = add_node(coverage, root);
	arena_reset(&coverage->tree);
	return MIN(r, 0); /* one that is too large is left out */
}

static const char *lack_of(const struct part *part)
{
	if (part->is_exception)
		return part->was_true ? NULL : "is an exception that no test uses";
	if (!part->was_true)
		return part->was_false ? "is true in no test" : "is decided in no test";
	return part->was_false ? NULL : "is false in no test";
}

uint32_t test_coverage_report(const struct test_coverage *coverage, const struct diags *diags,
			      FILE *out)
{
	uint32_t cnt = 0;

	for (const struct part *part = coverage->first; part; part = part->next) {
		const char *lack = lack_of(part);
		struct diag_position at = diags_position(diags, part->at);
		struct buf text;

		if (!lack)
			continue;
		cnt++;
		buf_init(&text, 4096);
		text_put_line(&text, (struct str){ part->text.p,
						   MIN(part->text.n, (uint32_t)TEXT_SHOWN) });
		fprintf(out, "%.*s:%u:%u: '%s' %s\n", STR_ARG(diags->sources[part->at.source].name),
			at.line, at.column, buf_str(&text).p, lack);
		buf_done(&text);
	}
	return cnt;
}
