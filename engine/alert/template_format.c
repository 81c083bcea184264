/*
 * Renders compiled outputs: the message, and the output_fields object. Values are read once an
 * event, into its scratch. Owns nothing. Engine thread.
 */
#include "template.h"

#include "haetae/text.h"

/* What output_fields shows as a number although it is text elsewhere. */
static bool is_event_time(const struct template_part *part)
{
	return part->field && strcmp(part->field->name, "evt.time") == 0;
}

bool template_read(const struct template *compiled, const struct field_context *context,
		   struct template_values *ret)
{
	const struct event *event = context->event;
	struct value_set *sets =
		arena_zalloc_array(event->scratch, compiled->part_cnt, sizeof(*sets));

	if (!sets)
		return false;
	for (uint32_t i = 0; i < compiled->part_cnt; i++) {
		const struct template_part *part = &compiled->parts[i];

		if (part->field)
			field_read(part->field, context, &part->argument, &sets[i]);
		else if (part->transformer)
			transformer_read(part->transformer, context, &sets[i]);
	}
	*ret = (struct template_values){
		.compiled = compiled,
		.sets = sets,
		.wall_ns = event->header->time_ns + (uint64_t)event->wall_offset_ns,
		.value_max = TEMPLATE_VALUE_MAX,
	};
	return true;
}

/* ---- one value ------------------------------------------------------------------------------ */

struct str template_cut(struct str text, uint32_t max)
{
	uint32_t n = max;

	if (text.n <= max)
		return text;
	/* Back to the start of the character that the limit falls into; it has at most 4 bytes. */
	while (n && max - n < 4 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ text.p, max - n < 4 ? n : max };
}

static bool is_text(const struct value *value)
{
	return value->type == VALUE_STRING || value->type == VALUE_PATH ||
	       value->type == VALUE_BYTES;
}

static struct value shorten(const struct value *value, uint32_t max)
{
	struct value copy = *value;

	if (is_text(value))
		copy.str = template_cut(value->str, max);
	return copy;
}

static uint32_t flags_of(const struct template_part *part)
{
	if (part->field)
		return part->field->flags;
	return transformer_is_list(part->transformer) ? FIELD_IS_LIST : 0;
}

/* How many of the set's values are printed: a path has one printed reading. */
static uint32_t printed_cnt(const struct template_part *part, const struct value_set *set)
{
	return flags_of(part) & (FIELD_IS_ANY | FIELD_IS_LIST) ? set->cnt : MIN(set->cnt, 1u);
}

/* The values with what stands between them, each and all together at most value_max bytes. */
static void put_joined(const struct template_values *values, uint32_t i, const char *separator,
		       struct buf *out)
{
	const struct template_part *part = &values->compiled->parts[i];
	const struct value_set *set = &values->sets[i];
	size_t begin = out->n;

	for (uint32_t v = 0; v < printed_cnt(part, set); v++) {
		struct value value = shorten(&set->values[v], values->value_max);

		if (out->n - begin > values->value_max)
			return;
		if (v)
			buf_puts(out, separator);
		value_format(part->field, &value, out);
	}
}

static void put_value(const struct template_values *values, uint32_t i, struct buf *out)
{
	const struct template_part *part = &values->compiled->parts[i];

	if (values->sets[i].state != FIELD_VALUE) {
		buf_puts(out, "<NA>");
	} else if (flags_of(part) & FIELD_IS_LIST) {
		buf_putc(out, '(');
		put_joined(values, i, ",", out);
		buf_putc(out, ')');
	} else {
		put_joined(values, i, " ", out);
	}
}

/* %N: exactly N bytes. */
static void put_padded(const struct template_values *values, uint32_t i, struct buf *out)
{
	uint32_t width = values->compiled->parts[i].width;
	size_t begin = out->n;

	put_value(values, i, out);
	if (width == 0)
		return;
	if (out->n - begin > width && out->p) {
		out->n = begin + width;
		out->p[out->n] = '\0';
	}
	while (out->n - begin < width && !out->failed)
		buf_putc(out, ' ');
}

void template_put_text(const struct template_values *values, struct buf *out)
{
	for (uint32_t i = 0; i < values->compiled->part_cnt; i++) {
		const struct template_part *part = &values->compiled->parts[i];

		buf_put_str(out, part->literal);
		if (template_part_has_value(part) && !part->is_hidden)
			put_padded(values, i, out);
	}
}

/* ---- output_fields -------------------------------------------------------------------------- */

/* Ancestors without an index are one text, as the message shows them. */
static void put_any(const struct template_values *values, uint32_t i, struct buf *out)
{
	struct buf text;

	buf_init(&text, (size_t)values->value_max * 2 + 64);
	put_joined(values, i, " ", &text);
	text_put_json_string(out, buf_str(&text));
	buf_done(&text);
}

static void put_list(const struct template_values *values, uint32_t i, struct buf *out)
{
	const struct value_set *set = &values->sets[i];
	size_t begin = out->n;

	buf_putc(out, '[');
	for (uint32_t v = 0; v < set->cnt && out->n - begin <= values->value_max; v++) {
		struct value value = shorten(&set->values[v], values->value_max);

		if (v)
			buf_putc(out, ',');
		value_format_json(values->compiled->parts[i].field, &value, out);
	}
	buf_putc(out, ']');
}

static void put_json(const struct template_values *values, uint32_t i, struct buf *out)
{
	const struct template_part *part = &values->compiled->parts[i];
	const struct value_set *set = &values->sets[i];
	struct value value;

	if (is_event_time(part)) {
		buf_put_u64(out, values->wall_ns);
	} else if (set->state != FIELD_VALUE ||
		   (set->cnt == 0 && !(flags_of(part) & FIELD_IS_LIST))) {
		buf_puts(out, "null");
	} else if (flags_of(part) & FIELD_IS_LIST) {
		put_list(values, i, out);
	} else if ((flags_of(part) & FIELD_IS_ANY) && part->argument.kind == FIELD_ARG_NONE) {
		put_any(values, i, out);
	} else {
		value = shorten(&set->values[0], values->value_max);
		value_format_json(part->field, &value, out);
	}
}

void template_put_fields(const struct template_values *values,
			 const struct constant_field *constants, uint32_t constant_cnt,
			 struct buf *out)
{
	bool has_time = false;

	buf_putc(out, '{');
	for (uint32_t i = 0; i < values->compiled->part_cnt; i++) {
		const struct template_part *part = &values->compiled->parts[i];

		if (!template_part_has_value(part) || part->is_repeated)
			continue;
		has_time |= is_event_time(part);
		text_put_json_string(out, part->key);
		buf_putc(out, ':');
		put_json(values, i, out);
		buf_putc(out, ',');
	}
	if (!has_time)
		buf_printf(out, "\"evt.time\":%llu,", (unsigned long long)values->wall_ns);
	for (uint32_t i = 0; i < constant_cnt; i++) {
		text_put_json_string(out, constants[i].key);
		buf_putc(out, ':');
		text_put_json_string(out, constants[i].value);
		buf_putc(out, ',');
	}
	if (!out->failed)
		out->n--; /* the last comma */
	buf_putc(out, '}');
}

static bool is_cut(const struct template_values *values, uint32_t i)
{
	const struct template_part *part = &values->compiled->parts[i];
	const struct value_set *set = &values->sets[i];
	uint64_t sum = 0;

	if (!template_part_has_value(part) || part->is_repeated || set->state != FIELD_VALUE)
		return false;
	for (uint32_t v = 0; v < printed_cnt(part, set); v++)
		sum += is_text(&set->values[v]) ? set->values[v].str.n + 1u : 1u;
	return sum > values->value_max + 1ull;
}

void template_put_cut(const struct template_values *values, struct buf *out)
{
	for (uint32_t i = 0; i < values->compiled->part_cnt; i++) {
		if (!is_cut(values, i))
			continue;
		if (out->n)
			buf_putc(out, ',');
		text_put_json_string(out, values->compiled->parts[i].key);
	}
}

/* ---- for one output alone ------------------------------------------------------------------- */

void template_format(const struct template *compiled, const struct field_context *context,
		     struct buf *out)
{
	struct template_values values;

	if (template_read(compiled, context, &values))
		template_put_text(&values, out);
	else
		out->failed = true;
}

void template_format_fields(const struct template *compiled, const struct field_context *context,
			    struct buf *out)
{
	struct template_values values;

	if (template_read(compiled, context, &values))
		template_put_fields(&values, NULL, 0, out);
	else
		out->failed = true;
}
