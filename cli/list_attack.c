/*
 * Rules by tactic and technique, as their tags name them. Owns the pairs while it prints. Called by
 * cmd_list.c.
 */
#include "list_attack.h"

#include <errno.h>

#include "haetae/text.h"

/* The tactics of ATT&CK for Enterprise, in its order; a tag has mitre_ before it. */
static const char *const tactics[] = {
	"reconnaissance",  "resource_development",
	"initial_access",  "execution",
	"persistence",	   "privilege_escalation",
	"defense_evasion", "credential_access",
	"discovery",	   "lateral_movement",
	"collection",	   "command_and_control",
	"exfiltration",	   "impact",
};

struct pair {
	struct str technique;
	const struct rule *rule;
};

struct pairs {
	struct pair *items; /* owned */
	uint32_t cnt;
};

static bool has_tactic(const struct rule *rule, const char *tactic)
{
	static const struct str prefix = STR("mitre_");

	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		struct str tag = rule->tags[i];

		if (str_starts_with(tag, prefix) &&
		    str_eq_text((struct str){ tag.p + prefix.n, tag.n - prefix.n }, tactic))
			return true;
	}
	return false;
}

/* T1059 or T1059.004. */
static bool is_technique(struct str tag)
{
	if (tag.n != 5 && tag.n != 9)
		return false;
	for (uint32_t i = 0; i < tag.n; i++) {
		bool is_digit = tag.p[i] >= '0' && tag.p[i] <= '9';

		if (i == 0 ? tag.p[i] != 'T' : i == 5 ? tag.p[i] != '.' : !is_digit)
			return false;
	}
	return true;
}

static int by_technique(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	uint32_t n = MIN(left->technique.n, right->technique.n);
	int order = memcmp(left->technique.p, right->technique.p, n);

	if (order == 0 && left->technique.n != right->technique.n)
		return left->technique.n < right->technique.n ? -1 : 1;
	if (order == 0)
		return left->rule->index < right->rule->index ? -1 : 1;
	return order;
}

static void collect(const struct ruleset *ruleset, const char *tactic, struct pairs *pairs)
{
	pairs->cnt = 0;
	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++) {
		const struct rule *rule = ruleset_rule(ruleset, i);

		for (uint32_t tag = 0; has_tactic(rule, tactic) && tag < rule->tag_cnt; tag++)
			if (is_technique(rule->tags[tag]))
				pairs->items[pairs->cnt++] = (struct pair){ rule->tags[tag], rule };
	}
	if (pairs->cnt)
		qsort(pairs->items, pairs->cnt, sizeof(*pairs->items), by_technique);
}

static void put_names(const struct pair *pairs, uint32_t cnt, bool is_json, struct buf *out)
{
	buf_puts(out, is_json ? "[" : "");
	for (uint32_t i = 0; i < cnt; i++) {
		buf_puts(out, i ? (is_json ? "," : "; ") : "");
		if (is_json)
			text_put_json_string(out, pairs[i].rule->name);
		else
			buf_put_str(out, pairs[i].rule->name);
	}
	buf_puts(out, is_json ? "]" : "");
}

static void put_technique(struct list_writer *writer, const char *tactic, const struct pair *pairs,
			  uint32_t cnt)
{
	struct list_item item = { .name = pairs->technique };
	_cleanup_(buf_done) struct buf names;

	buf_init(&names, 1 << 20);
	put_names(pairs, cnt, writer->format == LIST_JSON, &names);
	list_item_cell(&item, "tactic", str_from(tactic));
	if (writer->format == LIST_JSON)
		list_item_raw(&item, "rules", buf_str(&names));
	else
		list_item_cell(&item, "rules", buf_str(&names));
	list_put(writer, &item);
}

int list_attack(const struct ruleset *ruleset, struct list_writer *writer)
{
	struct pairs pairs = { 0 };
	uint32_t tag_cnt = 1;

	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++)
		tag_cnt += ruleset_rule(ruleset, i)->tag_cnt;
	pairs.items = calloc(tag_cnt, sizeof(*pairs.items));
	if (!pairs.items)
		return -ENOMEM;
	list_begin(writer);
	for (unsigned t = 0; t < ARRAY_LEN(tactics); t++) {
		uint32_t end;

		collect(ruleset, tactics[t], &pairs);
		for (uint32_t i = 0; i < pairs.cnt; i = end) {
			for (end = i + 1; end < pairs.cnt && str_eq(pairs.items[end].technique,
								    pairs.items[i].technique);)
				end++;
			put_technique(writer, tactics[t], &pairs.items[i], end - i);
		}
	}
	list_end(writer);
	free(pairs.items);
	return 0;
}
