/*
 * Transformers outside of conditions: compiled by the compiler of conditions, read without its
 * slots, because an output has few and reads each once. Owns nothing; results live in the caller's
 * arena. See rules.h.
 */
#include <errno.h>

#include "compile.h"
#include "parse_operand.h"

struct transformer {
	const struct operand *operand;
	uint32_t slot_cnt; /* slots of its operands are below */
	uint32_t needs;
};

static void begin(struct lexer *lexer, struct text *text, struct arena *arena, struct diags *diags)
{
	lexer_init(lexer, text, arena, diags);
}

bool transformer_begins(struct str s)
{
	struct text text = { .s = s };
	struct lexer lexer;

	begin(&lexer, &text, NULL, NULL);
	return at_transformer(&lexer);
}

/* ---- compiling ------------------------------------------------------------------------------ */

static bool report(const struct check_result *result, struct diags *diags)
{
	bool has_error = false;

	for (const struct problem *problem = result->problems; problem; problem = problem->next) {
		if (problem->is_warning) {
			diags_warning(diags, problem->at, problem->code, NULL, "%.*s",
				      STR_ARG(problem->text));
			continue;
		}
		has_error = true;
		diags_error(diags, problem->at, problem->code, NULL, "%.*s",
			    STR_ARG(problem->text));
		if (problem->hint.p)
			diags_hint(diags, "%.*s", STR_ARG(problem->hint));
	}
	return has_error;
}

static int bind(struct arena *arena, const struct ast_operand *source, struct diags *diags,
		struct transformer *transformer)
{
	struct defs nothing = { 0 };
	_cleanup_(compilation_done) struct compilation c;
	struct check_result result = { 0 };
	int r = compilation_init(&c, arena, &nothing, diags);

	if (r < 0)
		return r;
	r = operand_bind(&c, source, false, &result, &transformer->operand);
	if (r < 0)
		return r;
	if (report(&result, diags) || r != 0)
		return RULES_E_INVALID;
	transformer->slot_cnt = c.operands.cnt;
	for (uint32_t i = 0; i < c.operands.cnt; i++)
		transformer->needs |= ((const struct operand *)c.operands.items[i])->needs;
	return 0;
}

/* Where the text's bytes are not those of the file, all mistakes are somewhere in it. */
static void place_all(struct diags *diags, uint32_t first, struct span at)
{
	for (uint32_t i = first; i < diags->item_cnt; i++)
		diags->items[i].at = at;
}

int transformer_compile(struct arena *arena, struct str s, struct span at, struct diags *diags,
			const struct transformer **ret, uint32_t *ret_length)
{
	struct text_segment segment = { 0, at.source, at.offset, s.n };
	struct text text = { s, &segment, at.length == s.n ? 1 : 0 };
	struct transformer *transformer = arena_new(arena, struct transformer);
	uint32_t first_diag = diags->item_cnt;
	struct ast_operand source;
	struct lexer lexer;
	int r;

	if (!transformer)
		return -ENOMEM;
	begin(&lexer, &text, arena, diags);
	r = parse_operand(&lexer, &source);
	if (r == 0)
		r = bind(arena, &source, diags, transformer);
	if (r < 0)
		return r;
	*ret_length = lexer.pos;
	if (!text.segment_cnt)
		place_all(diags, first_diag, at);
	if (r > 0)
		return RULES_E_INVALID;
	*ret = transformer;
	return 0;
}

uint32_t transformer_needs(const struct transformer *transformer)
{
	return transformer->needs;
}

bool transformer_is_list(const struct transformer *transformer)
{
	return transformer->operand->is_list;
}

const struct field *transformer_field(const struct transformer *transformer, unsigned index,
				      const struct field_argument **ret_argument)
{
	const struct operand *operand = transformer->operand;

	for (uint32_t i = 0; i < operand->order_cnt; i++) {
		if (operand->order[i]->kind != OPERAND_FIELD || index-- > 0)
			continue;
		*ret_argument = &operand->order[i]->argument;
		return operand->order[i]->field;
	}
	return NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Where an argument is missing, so is the result; a pending one is waited for otherwise. */
static enum field_state take_items(const struct operand *operand, const struct value_set *slots,
				   struct value_set *items)
{
	enum field_state state = FIELD_VALUE;

	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		const struct operand *item = operand->items[i];

		items[i] = slots[item->slot];
		if (items[i].state == FIELD_PENDING)
			state = FIELD_PENDING;
		else if (items[i].state != FIELD_VALUE || (items[i].cnt == 0 && !item->is_list))
			return FIELD_ABSENT;
		else if (!item->is_list)
			items[i].cnt = 1;
	}
	return state;
}

static void run(const struct operand *operand, const struct value_set *slots, struct arena *scratch,
		struct value_set *ret)
{
	struct value_set items[OPERAND_ITEMS_MAX];
	struct value *values;
	const struct transform_arguments given = {
		.items = items,
		.item_cnt = operand->item_cnt,
		.type_mask = operand->item_cnt && !operand->items[0]->is_list,
		.option = operand->has_option ? &operand->option : NULL,
		.scratch = scratch,
	};

	*ret = (struct value_set){ .state = take_items(operand, slots, items) };
	if (ret->state != FIELD_VALUE)
		return;
	ret->state = FIELD_ABSENT;
	if (operand->kind == OPERAND_TRANSFORM) {
		transform_run(operand->transform, &given, ret);
		return;
	}
	values = arena_alloc(scratch, operand->item_cnt * sizeof(*values));
	for (uint32_t i = 0; values && i < operand->item_cnt; i++)
		values[i] = items[i].values[0];
	if (values)
		*ret = (struct value_set){ FIELD_VALUE, operand->item_cnt, values };
}

static void read_operand(const struct operand *operand, const struct field_context *context,
			 struct value_set *slots)
{
	struct value_set *slot = &slots[operand->slot];

	switch (operand->kind) {
	case OPERAND_FIELD:
		field_read(operand->field, context, &operand->argument, slot);
		return;
	case OPERAND_CONSTANT:
		*slot = operand->constant;
		return;
	case OPERAND_TRANSFORM:
	case OPERAND_LIST:
		run(operand, slots, context->event->scratch, slot);
		return;
	}
}

void transformer_read(const struct transformer *transformer, const struct field_context *context,
		      struct value_set *ret)
{
	const struct operand *operand = transformer->operand;
	struct value_set *slots =
		arena_zalloc_array(context->event->scratch, transformer->slot_cnt, sizeof(*slots));

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (!slots)
		return;
	for (uint32_t i = 0; i < operand->order_cnt; i++)
		read_operand(operand->order[i], context, slots);
	read_operand(operand, context, slots);
	*ret = slots[operand->slot];
}
