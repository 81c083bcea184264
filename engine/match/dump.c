/*
 * Programs as text: for explain and for golden files. Owns nothing.
 */
#include "program.h"

static void format_operand(const struct operand *operand, struct buf *out);

static void format_items(const struct operand *operand, struct buf *out)
{
	buf_putc(out, '(');
	for (uint32_t i = 0; i < operand->item_cnt; i++) {
		buf_puts(out, i ? ", " : "");
		format_operand(operand->items[i], out);
	}
	buf_putc(out, ')');
}

static void format_field(const struct operand *operand, struct buf *out)
{
	const struct field_argument *argument = &operand->argument;
	bool is_dotted = operand->field->flags & FIELD_ARG_DOTTED;

	buf_puts(out, operand->field->name);
	if (argument->kind == FIELD_ARG_INDEX)
		buf_printf(out, "[%llu]", (unsigned long long)argument->index);
	else if (argument->kind == FIELD_ARG_KEY)
		buf_printf(out, is_dotted ? ".%.*s" : "[%.*s]", STR_ARG(argument->key));
}

/* As deep as the parser lets transformers nest. */
static void format_operand(const struct operand *operand, struct buf *out)
{
	switch (operand->kind) {
	case OPERAND_FIELD:
		format_field(operand, out);
		return;
	case OPERAND_CONSTANT:
		buf_printf(out, "\"%.*s\"", STR_ARG(operand->constant.values[0].str));
		return;
	case OPERAND_LIST:
		format_items(operand, out);
		return;
	case OPERAND_TRANSFORM:
		buf_puts(out, transform_name(operand->transform));
		format_items(operand, out);
		if (operand->has_option)
			buf_printf(out, "[%.*s]", STR_ARG(operand->option));
		return;
	}
}

static void format_literal(const struct predicate *predicate, const struct literal *literal,
			   struct buf *out)
{
	const struct ip_address *ip = &literal->value.ip;

	switch (predicate->class) {
	case CLASS_SIGNED:
		buf_put_s64(out, literal->value.s64);
		return;
	case CLASS_UNSIGNED:
		buf_put_u64(out, literal->value.u64);
		return;
	case CLASS_BOOL:
		buf_puts(out, literal->value.is_true ? "true" : "false");
		return;
	case CLASS_BYTES:
		buf_printf(out, "\"%.*s\"", STR_ARG(literal->value.str));
		return;
	case CLASS_IP:
		address_format(ip->family, ip->bytes, out);
		return;
	case CLASS_NET:
		address_format(literal->net.address.family, literal->net.address.bytes, out);
		buf_printf(out, "/%u", literal->net.prefix);
		return;
	}
}

void program_format_predicate(const struct predicate *predicate, struct buf *out)
{
	bool is_list = op_takes_list(predicate->op, predicate->modifier);

	format_operand(predicate->left, out);
	buf_printf(out, " %s", op_info(predicate->op)->name);
	if (predicate->modifier != MODIFIER_NONE)
		buf_printf(out, " %s", op_modifier_name(predicate->modifier));
	if (predicate->right) {
		buf_puts(out, " val(");
		format_operand(predicate->right, out);
		buf_putc(out, ')');
	} else if (predicate->op != OP_EXISTS) {
		buf_puts(out, is_list ? " (" : " ");
		for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
			buf_puts(out, i ? ", " : "");
			format_literal(predicate, &predicate->literals[i], out);
		}
		buf_puts(out, is_list ? ")" : "");
	}
	if (predicate->quantifier == QUANTIFIER_ALL)
		buf_puts(out, " [all readings]");
}

static void format_target(uint32_t target, struct buf *out)
{
	if (target == PLAN_TRUE)
		buf_puts(out, "match");
	else if (target == PLAN_FALSE)
		buf_puts(out, "fail");
	else
		buf_printf(out, "%u", target);
}

/* Instructions of a unit lie in one run that only jumps within itself. */
static void format_code(const struct program *program, uint32_t entry, struct buf *out)
{
	uint32_t end = entry;

	for (uint32_t pc = entry; pc < PLAN_FALSE && pc <= end && pc < program->instruction_cnt;
	     pc++) {
		const struct instruction *instruction = &program->code[pc];

		buf_printf(out, "    %5u  %s", pc, instruction->is_negated ? "not " : "");
		if (instruction->op == INSTRUCTION_TEST)
			program_format_predicate(program->predicates[instruction->operand], out);
		else
			buf_printf(out, "unit %u", instruction->operand);
		buf_puts(out, "  ? ");
		format_target(instruction->on_true, out);
		buf_puts(out, " : ");
		format_target(instruction->on_false, out);
		if (instruction->op == INSTRUCTION_TEST)
			buf_printf(out, "  test %u, value %u, %u users", instruction->operand,
				   program->predicates[instruction->operand]->left->slot,
				   program->predicates[instruction->operand]->expr_cnt);
		buf_putc(out, '\n');
		if (instruction->on_true < PLAN_FALSE)
			end = MAX(end, instruction->on_true);
		if (instruction->on_false < PLAN_FALSE)
			end = MAX(end, instruction->on_false);
	}
}

/* The entry of a rule in the plan of a code. */
static const struct plan_entry *find_entry(const struct program *program, unsigned code,
					   uint32_t rule)
{
	const struct plan *plan = &program->plans[code];

	for (uint32_t i = 0; i < plan->entry_cnt; i++)
		if (plan->entries[i].rule == rule)
			return &plan->entries[i];
	return NULL;
}

void program_dump_rule(const struct program *program, const struct compiled_rule *rule,
		       struct buf *out)
{
	uint32_t number = (uint32_t)(rule - program->rules), last = PLAN_NONE;
	const char *separator = "  ";

	/* Event types in a row that leave the same code are listed together. */
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++) {
		const struct plan_entry *entry = find_entry(program, code, number);

		if (!entry)
			continue;
		if (entry->entry != last && last != PLAN_NONE) {
			buf_puts(out, "\n");
			format_code(program, last, out);
			separator = "  ";
		}
		last = entry->entry;
		buf_printf(out, "%s%s", separator, event_code_name(code) ?: "?");
		separator = ", ";
	}
	if (last == PLAN_NONE) {
		buf_puts(out, "  never runs\n");
		return;
	}
	buf_puts(out, "\n");
	if (last == PLAN_TRUE)
		buf_puts(out, "    always\n");
	else
		format_code(program, last, out);
}

/* Marks the units that the run of code calls; true where one was not marked before. */
static bool mark_units(const struct program *program, uint32_t entry, bool *is_called)
{
	uint32_t end = entry;
	bool has_new = false;

	for (uint32_t pc = entry; pc < PLAN_FALSE && pc <= end && pc < program->instruction_cnt;
	     pc++) {
		const struct instruction *instruction = &program->code[pc];

		if (instruction->op == INSTRUCTION_CALL && !is_called[instruction->operand])
			has_new = is_called[instruction->operand] = true;
		if (instruction->on_true < PLAN_FALSE)
			end = MAX(end, instruction->on_true);
		if (instruction->on_false < PLAN_FALSE)
			end = MAX(end, instruction->on_false);
	}
	return has_new;
}

void program_dump_units(const struct program *program, const struct compiled_rule *rule,
			struct buf *out)
{
	_cleanup_(freep) bool *is_called = calloc(program->unit_cnt + 1u, sizeof(*is_called));
	uint32_t number = (uint32_t)(rule - program->rules), last = PLAN_NONE;
	bool has_new = true;

	for (unsigned code = 0; is_called && code < EVENT_CODE__COUNT; code++) {
		const struct plan_entry *entry = find_entry(program, code, number);

		if (entry && entry->entry != last)
			(void)mark_units(program, entry->entry, is_called);
		last = entry ? entry->entry : last;
	}
	/* Units call units; each round reaches one level further. */
	while (is_called && has_new) {
		has_new = false;
		for (uint32_t i = 0; i < program->unit_cnt; i++)
			if (is_called[i])
				has_new |= mark_units(program, program->units[i].entry, is_called);
	}
	for (uint32_t i = 0; is_called && i < program->unit_cnt; i++) {
		if (!is_called[i])
			continue;
		buf_printf(out, "  unit %u, %u users\n", i, program->units[i].expr->user_cnt);
		format_code(program, program->units[i].entry, out);
	}
}

void program_dump(const struct program *program, struct buf *out)
{
	buf_printf(out, "values %u, tests %u, units %u, instructions %u\n", program->operand_cnt,
		   program->predicate_cnt, program->unit_cnt, program->instruction_cnt);
	for (uint32_t i = 0; i < program->unit_cnt; i++) {
		buf_printf(out, "unit %u, %u users\n", i, program->units[i].expr->user_cnt);
		format_code(program, program->units[i].entry, out);
	}
	for (uint32_t i = 0; i < program->rule_cnt; i++) {
		buf_printf(out, "rule %.*s\n", STR_ARG(program->rules[i].def->name.s));
		program_dump_rule(program, &program->rules[i], out);
	}
}
