/*
 * The kernel filter for people: what a rule has the kernel ask of each event type, and which parts
 * of its condition are left to the engine, and why. Owns its working memory. Called by the command
 * line.
 */
#include "pushdown.h"

#include <arpa/inet.h>
#include <errno.h>

#include "haetae/text.h"
#include "ruleset.h"

#define PUSH_BYTES   ((size_t)64 << 20)
#define TEXT_BYTES   (1u << 20)
#define LEFT_OUT_MAX 64
#define IDS_SHOWN    12

struct left_out {
	const struct predicate *predicate;
	bool is_negated;
	const char *why;
};

struct explainer {
	struct pusher p;
	struct left_out left_out[LEFT_OUT_MAX];
	uint32_t left_out_cnt;
};

static void note_left_out(const struct predicate *predicate, bool is_negated, const char *why,
			  void *data)
{
	struct explainer *explainer = data;

	for (uint32_t i = 0; i < explainer->left_out_cnt; i++)
		if (explainer->left_out[i].predicate == predicate &&
		    explainer->left_out[i].is_negated == is_negated)
			return;
	if (explainer->left_out_cnt < LEFT_OUT_MAX)
		explainer->left_out[explainer->left_out_cnt++] =
			(struct left_out){ predicate, is_negated, why };
}

/* ---- boxes as words -----------------------------------------------------------------------------
 */

static bool is_argument(unsigned dimension)
{
	return dimension >= BOX_ARGUMENT && dimension < BOX_ARGUMENT + FILTER_ARGUMENTS;
}

static void put_network(struct str text, struct buf *out)
{
	char address[INET6_ADDRSTRLEN];
	struct cidr net;

	memcpy(&net, text.p, sizeof(net));
	buf_puts(out, inet_ntop(net.address.family, net.address.bytes, address, sizeof(address)));
	if (net.prefix < ip_length(&net.address) * 8)
		buf_printf(out, "/%u", net.prefix);
}

static void put_family(uint64_t family, struct buf *out)
{
	static const char *const names[] = { [AF_UNIX] = "unix",
					     [AF_INET] = "IPv4",
					     [AF_INET6] = "IPv6",
					     [AF_NETLINK] = "netlink",
					     [AF_PACKET] = "packet" };

	if (family < ARRAY_LEN(names) && names[family])
		buf_puts(out, names[family]);
	else
		buf_printf(out, "family %u", (unsigned)family);
}

static void put_id(const struct pusher *p, unsigned dimension, uint64_t id, struct buf *out)
{
	const struct vocabulary *vocabulary;

	if (dimension == BOX_COMM || dimension == BOX_COMM_HEAD || dimension == BOX_PATH) {
		static const char *const words[] = {
			[FILTER_BASE] = "named ",	   [FILTER_HEAD] = "name begins with ",
			[FILTER_TAIL] = "name ends with ", [FILTER_PARENT] = "in a folder named ",
			[FILTER_TOP] = "below /",
		};
		const struct push_text *part = &p->texts[id - 1];

		buf_puts(out, dimension == BOX_PATH ? words[part->part] : "");
		text_put_line(out, part->text);
		return;
	}
	if (dimension == BOX_ADDRESS) {
		put_network(p->texts[id - 1].text, out);
		return;
	}
	if (dimension == BOX_BITS) {
		buf_printf(out, "0x%llx", 1ULL << id);
		return;
	}
	vocabulary = is_argument(dimension)
			     ? p->schema->params[p->arguments[dimension - BOX_ARGUMENT]->param]
				       .vocabulary
			     : NULL;
	if (dimension == BOX_FAMILY)
		put_family(id, out);
	else if (vocabulary)
		vocabulary_format(vocabulary, id, out);
	else
		buf_put_s64(out, (int64_t)id);
}

static void put_ids(const struct pusher *p, unsigned dimension, const struct id_set *set,
		    struct buf *out)
{
	for (uint32_t i = 0; i < set->cnt && i < IDS_SHOWN; i++) {
		buf_puts(out, i ? ", " : "");
		put_id(p, dimension, set->ids[i], out);
	}
	if (set->cnt > IDS_SHOWN)
		buf_printf(out, " and %u more", set->cnt - IDS_SHOWN);
}

static void put_access(const struct id_set *set, struct buf *out)
{
	bool reads_only = !id_set_has(set, 0) && !id_set_has(set, FILTER_WRITES);
	bool writes_only = !id_set_has(set, 0) && !id_set_has(set, FILTER_READS);

	buf_puts(out, reads_only && writes_only ? "opened to read and write"
		      : reads_only		? "opened to read"
		      : writes_only		? "opened to write"
						: "opened in some ways");
}

static void put_dimension(const struct pusher *p, unsigned dimension, const struct id_set *set,
			  struct buf *out)
{
	switch (dimension) {
	case BOX_RESULT:
		buf_puts(out, id_set_has(set, 1) ? "succeeded" : "failed");
		return;
	case BOX_ACCESS:
		put_access(set, out);
		return;
	case BOX_DEPTH:
		buf_printf(out, "%d names deep or more", FILTER_SHALLOW);
		return;
	case BOX_UID:
		buf_puts(out, set->is_all_but ? "uid not " : "uid ");
		break;
	case BOX_COMM:
		buf_puts(out, set->is_all_but ? "name of the thread not " : "name of the thread ");
		break;
	case BOX_COMM_HEAD:
		buf_puts(out, "name of the thread begins with ");
		break;
	case BOX_PATH:
		buf_puts(out, "path ");
		break;
	case BOX_FAMILY:
		buf_puts(out, set->is_all_but ? "socket not " : "socket ");
		break;
	case BOX_BITS:
		buf_printf(out, "%s has ", p->schema->params[p->bits->param].name);
		break;
	case BOX_PORT:
		buf_puts(out, "port of an end ");
		break;
	case BOX_ADDRESS:
		buf_puts(out, "address of an end ");
		break;
	default:
		buf_printf(out, "%s %s",
			   p->schema->params[p->arguments[dimension - BOX_ARGUMENT]->param].name,
			   set->is_all_but ? "not " : "");
	}
	put_ids(p, dimension, set, out);
}

static void put_box(const struct pusher *p, const struct box *box, struct buf *out)
{
	const char *separator = "";

	for (unsigned i = 0; i < BOX__COUNT; i++) {
		if (id_set_is_full(&box->sets[i]))
			continue;
		buf_puts(out, separator);
		put_dimension(p, i, &box->sets[i], out);
		separator = "; ";
	}
}

/* ---- one event type
 * ------------------------------------------------------------------------------ */

static const struct plan_entry *entry_of(const struct plan *plan, uint32_t rule)
{
	for (uint32_t i = 0; i < plan->entry_cnt; i++)
		if (plan->entries[i].rule == rule)
			return &plan->entries[i];
	return NULL;
}

/* The first rule that has the kernel ask for nothing; NULL: there is none. */
static const struct rule *rule_of_all(const struct ruleset *ruleset, struct explainer *e,
				      const struct plan *plan, struct boxes *boxes)
{
	void (*on_left_out)(const struct predicate *, bool, const char *, void *) =
		e->p.on_left_out;
	const struct rule *found = NULL;

	e->p.on_left_out = NULL;
	for (uint32_t i = 0; i < plan->entry_cnt && !found; i++)
		if (push_expr(&e->p, plan->entries[i].expr, boxes) == 0 && boxes_are_all(boxes))
			found = &ruleset->rules[plan->entries[i].rule];
	e->p.on_left_out = on_left_out;
	return found;
}

static void put_boxes(const struct ruleset *ruleset, struct explainer *e, const struct plan *plan,
		      struct boxes *boxes, struct buf *out)
{
	const struct rule *other;

	if (boxes_are_all(boxes)) {
		buf_puts(out, "      every one passes\n");
		return;
	}
	for (uint32_t i = 0; i < boxes->cnt; i++) {
		buf_puts(out, i ? "      or " : "      ");
		put_box(&e->p, &boxes->items[i], out);
		buf_putc(out, '\n');
	}
	if (boxes->is_coarse)
		buf_puts(out, "      too many clauses: some were joined to wider ones\n");
	other = rule_of_all(ruleset, e, plan, boxes);
	if (other) {
		buf_puts(out, "      but every one passes: rule '");
		text_put_line(out, other->name);
		buf_puts(out, "' asks for nothing that the kernel knows\n");
	}
}

/* What is said of the type, without its name; "" where it does not see the rule. */
static int put_type(const struct ruleset *ruleset, const struct rule *rule, struct explainer *e,
		    const struct event_schema *schema, struct buf *out)
{
	const struct plan *plan = &ruleset->program->plans[schema->type];
	const struct plan_entry *entry = entry_of(plan, rule->index);
	_cleanup_(freep) struct boxes *boxes = malloc(sizeof(*boxes));
	int r;

	if (!boxes)
		return -ENOMEM;
	if (!entry)
		return 0;
	if (!push_has_filter(schema)) {
		buf_puts(out, "      every one passes: it has no filter\n");
		return 0;
	}
	e->p.schema = schema;
	e->p.text_cnt = e->p.argument_cnt = 0;
	r = push_expr(&e->p, entry->expr, boxes);
	if (r == 0)
		put_boxes(ruleset, e, plan, boxes, out);
	return r;
}

/* ---- the rule
 * ------------------------------------------------------------------------------------ */

static void put_left_out(const struct explainer *e, struct buf *out)
{
	if (e->left_out_cnt)
		buf_puts(out, "    not asked in the kernel\n");
	for (uint32_t i = 0; i < e->left_out_cnt; i++) {
		_cleanup_(buf_done) struct buf text;

		buf_init(&text, TEXT_BYTES);
		buf_puts(&text, e->left_out[i].is_negated ? "not " : "");
		program_format_predicate(e->left_out[i].predicate, &text);
		buf_puts(out, "      ");
		text_put_line(out, (struct str){ text.p, MIN((uint32_t)text.n, 80u) });
		buf_printf(out, "%s\n        %s\n", text.n > 80 ? "…" : "", e->left_out[i].why);
	}
}

/* Event types that are told the same stand together. */
static int put_types(const struct ruleset *ruleset, const struct rule *rule, struct explainer *e,
		     struct buf *out)
{
	struct buf texts[EVENT__COUNT];
	int r = 0;

	for (unsigned i = 0; i < EVENT__COUNT; i++)
		buf_init(&texts[i], TEXT_BYTES);
	for (unsigned i = 0; i < EVENT__COUNT && r == 0; i++)
		r = put_type(ruleset, rule, e, event_schema_get((enum event_type)i), &texts[i]);
	for (unsigned i = 0; i < EVENT__COUNT && r == 0; i++) {
		if (!texts[i].n)
			continue;
		buf_printf(out, "    %s", event_schema_get((enum event_type)i)->name);
		for (unsigned k = i + 1; k < EVENT__COUNT; k++) {
			if (!texts[k].n || !str_eq(buf_str(&texts[i]), buf_str(&texts[k])))
				continue;
			buf_printf(out, ", %s", event_schema_get((enum event_type)k)->name);
			texts[k].n = 0;
		}
		buf_putc(out, '\n');
		buf_puts(out, texts[i].p);
	}
	for (unsigned i = 0; i < EVENT__COUNT; i++)
		buf_done(&texts[i]);
	return r;
}

void ruleset_explain_filter(const struct ruleset *ruleset, const struct rule *rule, struct buf *out)
{
	_cleanup_(arena_done) struct arena arena;
	struct explainer e = { .p = { .arena = &arena, .on_left_out = note_left_out, .data = &e } };

	arena_init(&arena, PUSH_BYTES);
	e.p.op.scratch = &arena;
	buf_puts(out, "\nkernel filter, by event types: what none of this lets pass ends in the "
		      "kernel\n");
	if (!rule->is_enabled)
		buf_puts(out, "    nothing: it is off\n");
	else if (put_types(ruleset, rule, &e, out) < 0)
		buf_puts(out, "    out of memory\n");
	put_left_out(&e, out);
	pusher_done(&e.p);
}
