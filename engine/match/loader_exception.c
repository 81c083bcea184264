/*
 * Exceptions of rules (rule-language.md 1.8): forms, defaults, merging. What their values mean is
 * the compiler's. Owns nothing. Called by loader_rule.c; an exception with a mistake is left out.
 */
#include "loader.h"

#include "parse.h"

/* Of a rule. Each is looked for by its name among all others. */
#define EXCEPTIONS_MAX 1000

static const char *const exception_keys[] = { "name", "fields", "comps", "values", NULL };

/* One as written. */
struct written {
	struct exception_def def;
	const struct yaml_node *map, *values;
	bool has_fields, has_comps;
};

static void *new_array(struct loader *loader, size_t cnt, size_t size)
{
	void *array = arena_zalloc_array(loader->arena, cnt, size);

	loader->is_out_of_memory |= !array;
	return array;
}

static void bad(struct loader *loader, struct span at, const char *hint, const char *what)
{
	diags_error(loader->diags, at, "E0515", hint, "%s", what);
}

/* ---- fields and comps ------------------------------------------------------------------------ */

/* A text alone is the single form, a list the tuple form. */
static bool read_names(struct loader *loader, const struct yaml_node *map, const char *key,
		       const struct text **ret, uint32_t *ret_cnt, bool *ret_is_single)
{
	const struct yaml_node *node = yaml_get(map, key);
	struct text *single;

	*ret_is_single = node->kind == YAML_SCALAR;
	if (!*ret_is_single)
		return loader_texts(loader, map, key, ret, ret_cnt) == KEY_GOOD;
	single = new_array(loader, 1, sizeof(*single));
	if (!single || loader_text(loader, map, key, single) != KEY_GOOD)
		return false;
	*ret = single;
	*ret_cnt = 1;
	return true;
}

/* "=" for each field of the tuple form, "in" for the single form. */
static bool default_comps(struct loader *loader, struct exception_def *def)
{
	struct text *comps = new_array(loader, def->field_cnt, sizeof(*comps));

	for (uint32_t i = 0; comps && i < def->field_cnt; i++) {
		comps[i] = def->fields[i]; /* for its place */
		comps[i].s = def->is_single ? STR("in") : STR("=");
	}
	def->comps = comps;
	return comps != NULL;
}

static bool read_columns(struct loader *loader, struct written *written)
{
	struct exception_def *def = &written->def;
	bool is_single_comp = false;
	uint32_t comp_cnt = 0;

	if (!read_names(loader, written->map, "fields", &def->fields, &def->field_cnt,
			&def->is_single))
		return false;
	if (def->field_cnt == 0) {
		bad(loader, yaml_get(written->map, "fields")->at, "name at least one field",
		    "the exception has no fields");
		return false;
	}
	if (!written->has_comps)
		return default_comps(loader, def);
	if (!read_names(loader, written->map, "comps", &def->comps, &comp_cnt, &is_single_comp))
		return false;
	if (is_single_comp != def->is_single) {
		bad(loader, yaml_get(written->map, "comps")->at,
		    "fields: [a, b] goes with comps: [=, =], fields: a with comps: in",
		    "fields and comps must both be lists, or both be single");
		return false;
	}
	if (comp_cnt != def->field_cnt) {
		bad(loader, yaml_get(written->map, "comps")->at, "give one operator for each field",
		    "fields and comps lists must have equal length");
		return false;
	}
	return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_value(struct loader *loader, const struct yaml_node *node,
		       struct exception_value *ret)
{
	struct text *text;

	if (node->kind == YAML_MAP || node->is_null) {
		bad(loader, node->at, "write a word, a quoted text, or a list of them",
		    "a value of an exception is a text or a list of texts");
		return false;
	}
	if (node->kind == YAML_LIST) {
		ret->is_list = true;
		return loader_texts_of(loader, node, &ret->items, &ret->item_cnt);
	}
	text = new_array(loader, 1, sizeof(*text));
	if (!text)
		return false;
	*text = node->text;
	ret->items = text;
	ret->item_cnt = 1;
	return true;
}

static bool read_single_row(struct loader *loader, const struct yaml_node *node,
			    struct exception_row *ret)
{
	struct exception_value *value = new_array(loader, 1, sizeof(*value));

	if (!value)
		return false;
	if (node->kind != YAML_SCALAR) {
		bad(loader, node->at, "with one field that is not in a list, write values: [a, b]",
		    "expected values array to contain a list of strings");
		return false;
	}
	*ret = (struct exception_row){ value, 1, node->at };
	return read_value(loader, node, value);
}

static bool read_tuple_row(struct loader *loader, const struct yaml_node *node,
			   struct exception_row *ret)
{
	struct exception_value *values;
	bool is_good = true;
	uint32_t cnt = 0;

	if (node->kind != YAML_LIST) {
		bad(loader, node->at, "with fields: [a, b] write values: [[1, 2], [3, 4]]",
		    "each row of values is a list with a value for each field");
		return false;
	}
	values = new_array(loader, node->entry_cnt, sizeof(*values));
	if (!values)
		return false;
	for (const struct yaml_entry *e = node->entries; e; e = e->next)
		is_good &= read_value(loader, e->value, &values[cnt++]);
	*ret = (struct exception_row){ values, cnt, node->at };
	return is_good;
}

/* Appends the item's rows to those that def has. */
static bool add_rows(struct loader *loader, const struct yaml_node *values,
		     struct exception_def *def)
{
	struct exception_row *rows = loader_grow(loader, def->rows, def->row_cnt, values->entry_cnt,
						 sizeof(*rows), &def->row_cap);
	uint32_t cnt = def->row_cnt;
	bool is_good = true;

	if (!rows)
		return values->entry_cnt == 0;
	for (const struct yaml_entry *e = values->entries; e; e = e->next)
		is_good &= def->is_single ? read_single_row(loader, e->value, &rows[cnt++])
					  : read_tuple_row(loader, e->value, &rows[cnt++]);
	def->rows = rows;
	if (is_good)
		def->row_cnt = cnt;
	return is_good;
}

/* ---- one exception --------------------------------------------------------------------------- */

/* Name and what is there; fields, comps and rows are read later, since they depend on the form. */
static bool read_written(struct loader *loader, const struct yaml_node *map, struct written *ret)
{
	enum key_state state;

	*ret = (struct written){ .map = map };
	if (map->kind != YAML_MAP) {
		bad(loader, map->at, "write - name: ... with fields, comps and values below it",
		    "an exception is a map");
		return false;
	}
	loader_check_keys(loader, map, exception_keys);
	state = loader_text(loader, map, "name", &ret->def.name);
	if (state == KEY_ABSENT)
		bad(loader, (struct span){ map->at.source, map->at.offset, 1 }, "add name: ...",
		    "the exception has no name");
	if (state != KEY_GOOD)
		return false;
	ret->has_fields = yaml_get(map, "fields");
	ret->has_comps = yaml_get(map, "comps");
	ret->values = loader_node(loader, map, "values", YAML_LIST, &state);
	return state != KEY_BAD;
}

static bool read_definition(struct loader *loader, struct written *written, bool needs_values)
{
	struct span at = text_whole(&written->def.name);

	if (!written->has_fields) {
		bad(loader, at, "add fields: [...]",
		    "rule exception must have fields property with a list of fields");
		return false;
	}
	if (needs_values && !written->values) {
		bad(loader, at, "add values: [...]",
		    "rule exception must have values property with a list of values");
		return false;
	}
	return read_columns(loader, written) &&
	       (!written->values || add_rows(loader, written->values, &written->def));
}

static struct exception_def *find(struct exception_def *defs, uint32_t cnt, struct str name)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (str_eq(defs[i].name.s, name))
			return &defs[i];
	return NULL;
}

static bool has_room(struct loader *loader, const struct yaml_node *list, uint32_t cnt)
{
	if (list->entry_cnt <= EXCEPTIONS_MAX - cnt)
		return true;
	bad(loader, (struct span){ list->at.source, list->at.offset, 1 },
	    "put more values into each of them", "a rule has at most 1000 exceptions");
	return false;
}

void loader_exceptions(struct loader *loader, const struct yaml_node *map, struct rule_def *rule)
{
	enum key_state state;
	const struct yaml_node *list = loader_node(loader, map, "exceptions", YAML_LIST, &state);
	struct exception_def *defs;
	uint32_t cnt = 0;

	rule->exceptions = NULL;
	rule->exception_cnt = rule->exception_cap = 0;
	if (!list || !has_room(loader, list, 0))
		return;
	defs = new_array(loader, list->entry_cnt, sizeof(*defs));
	for (const struct yaml_entry *e = list->entries; defs && e; e = e->next) {
		struct exception_def *twin;
		struct written written;

		if (!read_written(loader, e->value, &written) ||
		    !read_definition(loader, &written, false))
			continue;
		twin = find(defs, cnt, written.def.name.s);
		if (twin) {
			diags_warning(loader->diags, text_whole(&written.def.name), "W0506",
				      "give each exception of a rule its own name",
				      "exception '%.*s' is there twice",
				      STR_ARG(written.def.name.s));
			diags_related(loader->diags, text_whole(&twin->name), "first given here");
		}
		defs[cnt++] = written.def;
	}
	rule->exceptions = defs;
	rule->exception_cnt = cnt;
}

/* ---- appending ------------------------------------------------------------------------------- */

static void append_values(struct loader *loader, const struct written *written,
			  struct exception_def *known)
{
	static const char *const fixed[] = { "fields", "comps" };
	bool is_good = true;

	for (unsigned i = 0; i < ARRAY_LEN(fixed); i++) {
		const struct yaml_node *key = yaml_get_key(written->map, fixed[i]);

		if (!key)
			continue;
		diags_error(loader->diags, key->at, "E0516", "remove it, or use another name",
			    "cannot append exception %s to existing exception, only values",
			    fixed[i]);
		diags_related(loader->diags, text_whole(&known->name), "the exception is here");
		is_good = false;
	}
	if (is_good && written->values)
		(void)add_rows(loader, written->values, known);
	else if (is_good)
		diags_warning(loader->diags, text_whole(&written->def.name), "W0507",
			      "add values: [...]",
			      "the appended exception has no values; nothing changes");
}

void loader_exceptions_append(struct loader *loader, const struct yaml_node *map,
			      struct rule_def *rule)
{
	enum key_state state;
	const struct yaml_node *list = loader_node(loader, map, "exceptions", YAML_LIST, &state);
	uint32_t cnt = rule->exception_cnt;
	struct exception_def *defs;

	if (!list || !has_room(loader, list, cnt))
		return;
	defs = loader_grow(loader, rule->exceptions, cnt, list->entry_cnt, sizeof(*defs),
			   &rule->exception_cap);
	if (!defs)
		return;
	for (const struct yaml_entry *e = list->entries; e; e = e->next) {
		struct exception_def *known;
		struct written written;

		if (!read_written(loader, e->value, &written))
			continue;
		known = find(defs, cnt, written.def.name.s);
		if (known)
			append_values(loader, &written, known);
		else if (read_definition(loader, &written, true))
			defs[cnt++] = written.def;
	}
	rule->exceptions = defs;
	rule->exception_cnt = cnt;
}

/* ---- without values -------------------------------------------------------------------------- */

/* evt.arg.NAME is the field evt.arg with a dotted argument. */
static bool is_field(struct str name)
{
	const struct field *field = field_find(name);

	if (field)
		return true;
	field = field_find_prefix(name);
	return field && field->flags & FIELD_ARG_DOTTED && name.n > strlen(field->name) &&
	       name.p[strlen(field->name)] == '.';
}

static void check_field(struct loader *loader, const struct text *text)
{
	struct ast_operand operand;
	struct near_name near;
	int r = parse_left(loader->arena, text, loader->diags, &operand);

	loader->is_out_of_memory |= r < 0;
	if (r != 0 || operand.kind != AST_FIELD || is_field(operand.name))
		return;
	diags_error(loader->diags, text_whole(text), "E0301",
		    "'haetae list fields' prints all fields",
		    "'%.*s' is not a supported filter field", STR_ARG(text->s));
	near_name_init(&near, operand.name);
	for (unsigned i = 0; field_at(i); i++)
		near_name_offer(&near, field_at(i)->name);
	if (near.best)
		diags_hint(loader->diags, "did you mean '%s'?", near.best);
}

static void check_comp(struct loader *loader, const struct text *comp, bool is_single)
{
	enum op_modifier modifier;
	enum op op;

	if (!parse_operator_text(comp->s, &op, &modifier) || op == OP_EXISTS)
		diags_error(loader->diags, text_whole(comp), "E0318",
			    "use an operator of conditions, such as =, startswith or in",
			    "'%.*s' is not a supported comparison operator", STR_ARG(comp->s));
	else if (is_single && !op_takes_list(op, modifier))
		diags_error(loader->diags, text_whole(comp), "E0318",
			    "write fields as a list, and each value as a list of one",
			    "with one field the operator must take a list");
}

void loader_exceptions_check(struct loader *loader, const struct rule_def *rule)
{
	for (uint32_t i = 0; i < rule->exception_cnt; i++) {
		const struct exception_def *def = &rule->exceptions[i];

		for (uint32_t j = 0; def->row_cnt == 0 && j < def->field_cnt; j++) {
			check_field(loader, &def->fields[j]);
			check_comp(loader, &def->comps[j], def->is_single);
		}
	}
}
