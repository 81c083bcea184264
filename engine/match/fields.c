/*
 * The field registry: families in order, lookup by name, and how getters give their values. Owns
 * nothing but constant tables; values stand in the event's scratch. Compilation and engine thread.
 */
#include "fields.h"

/* Order of `haetae list fields`. */
static const struct field_family *const families[] = {
	&fields_evt, &fields_proc, &fields_thread,    &fields_user, &fields_group,
	&fields_fd,  &fields_fs,   &fields_container, &fields_k8s,
};

const struct field *field_at(unsigned index)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (index < families[i]->cnt)
			return &families[i]->fields[index];
		index -= families[i]->cnt;
	}
	return NULL;
}

static const struct field *find_in(const struct field_family *family, struct str name)
{
	uint32_t low = 0, high = family->cnt;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = str_cmp(str_from(family->fields[middle].name), name);

		if (order == 0)
			return &family->fields[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct field *field_find(struct str name)
{
	const struct field *field = NULL;

	for (size_t i = 0; i < ARRAY_LEN(families) && !field; i++)
		field = find_in(families[i], name);
	return field;
}

const struct field *field_find_prefix(struct str text)
{
	const struct field *field, *longest = NULL;
	size_t longest_length = 0;

	for (unsigned i = 0; (field = field_at(i)); i++) {
		struct str name = str_from(field->name);

		if (name.n > longest_length && str_starts_with(text, name)) {
			longest = field;
			longest_length = name.n;
		}
	}
	return longest;
}

static bool is_in(const struct field_family *family, const struct field *field)
{
	return field >= family->fields && field < family->fields + family->cnt;
}

/* What is told of the task that the event is of. */
static bool is_of_task(const struct field *field)
{
	return is_in(&fields_proc, field) || is_in(&fields_thread, field) ||
	       is_in(&fields_user, field) || is_in(&fields_group, field) ||
	       is_in(&fields_container, field) || is_in(&fields_k8s, field);
}

bool field_has_event(const struct field *field, const struct event_schema *schema)
{
	if (schema->flags & EVENT_OWN && is_of_task(field))
		return false;
	return !field->has_event || field->has_event(schema);
}

void field_read(const struct field *field, const struct field_context *context,
		const struct field_argument *argument, struct value_set *ret)
{
	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (!context->override ||
	    !context->override(field, argument, ret, context->override_data)) {
		*ret = (struct value_set){ .state = FIELD_ABSENT };
		/* Its header's zeros are nobody's: uid 0 would be root. */
		if (context->event->schema->flags & EVENT_OWN && is_of_task(field))
			return;
		field->get(context, argument, ret);
	}
	if (ret->state == FIELD_PENDING && context->is_final)
		ret->state = FIELD_ABSENT;
}

void field_get_absent(const struct field_context *context, const struct field_argument *argument,
		      struct value_set *ret)
{
	*ret = (struct value_set){ .state = FIELD_ABSENT };
}

/* ---- giving values -------------------------------------------------------------------------- */

void give_values(const struct field_context *context, const struct value *values, uint32_t cnt,
		 struct value_set *ret)
{
	struct value *copy;

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (cnt == 0)
		return;
	copy = arena_alloc(context->event->scratch, cnt * sizeof(*copy));
	if (!copy)
		return;
	memcpy(copy, values, cnt * sizeof(*copy));
	*ret = (struct value_set){ FIELD_VALUE, cnt, copy };
}

void give_value(const struct field_context *context, struct value value, struct value_set *ret)
{
	give_values(context, &value, 1, ret);
}

void give_s64(const struct field_context *context, int64_t number, struct value_set *ret)
{
	give_value(context, (struct value){ .type = VALUE_S64, .s64 = number }, ret);
}

void give_u64(const struct field_context *context, enum value_type type, uint64_t number,
	      struct value_set *ret)
{
	give_value(context, (struct value){ .type = type, .u64 = number }, ret);
}

void give_bool(const struct field_context *context, bool is_true, struct value_set *ret)
{
	give_value(context, (struct value){ .type = VALUE_BOOL, .is_true = is_true }, ret);
}

void give_str(const struct field_context *context, struct str text, struct value_set *ret)
{
	if (text.p)
		give_value(context, (struct value){ .type = VALUE_STRING, .str = text }, ret);
}

void give_text(const struct field_context *context, const char *text, struct value_set *ret)
{
	if (text)
		give_str(context, str_from(text), ret);
}

struct buf scratch_buf(const struct field_context *context, size_t max_bytes)
{
	char *p = arena_alloc(context->event->scratch, max_bytes + 1);

	if (!p)
		return (struct buf){ .failed = true };
	p[0] = '\0';
	/* With all of it there from the start, the buffer never asks the heap. */
	return (struct buf){ .p = p, .cap = max_bytes + 1, .max = max_bytes };
}

void give_buf(const struct field_context *context, const struct buf *buf, struct value_set *ret)
{
	if (!buf->failed)
		give_str(context, buf_str(buf), ret);
}

void readings_add(struct readings *readings, enum value_type type, struct str path)
{
	if (!path.p || readings->cnt == READINGS_MAX)
		return;
	for (uint32_t i = 0; i < readings->cnt; i++)
		if (str_eq(readings->values[i].str, path))
			return;
	readings->values[readings->cnt++] = (struct value){ .type = type, .str = path };
}

/* ---- vectors -------------------------------------------------------------------------------- */

/* The string at *at, which moves behind its NUL; the last one of a cut vector may have none. */
static struct str vector_next(struct str vector, uint32_t *at)
{
	const char *p = vector.p + *at;
	uint32_t n = (uint32_t)strnlen(p, vector.n - *at);

	*at += MIN(n + 1, vector.n - *at);
	return (struct str){ p, n };
}

uint32_t vector_cnt(struct str vector)
{
	uint32_t cnt = 0;

	for (uint32_t at = 0; at < vector.n; cnt++)
		vector_next(vector, &at);
	return cnt;
}

struct str vector_at(struct str vector, uint64_t index)
{
	for (uint32_t at = 0; at < vector.n; index--) {
		struct str item = vector_next(vector, &at);

		if (index == 0)
			return item;
	}
	return STR_NONE;
}

struct str vector_join(struct arena *scratch, struct str first, struct str vector)
{
	char *p = arena_alloc(scratch, (size_t)first.n + vector.n + 2);
	uint32_t n = 0;

	if (!p)
		return STR_NONE;
	if (first.n)
		memcpy(p, first.p, first.n);
	n = first.n;
	for (uint32_t at = 0; at < vector.n;) {
		bool is_first = at == 0 && !first.p;
		struct str item = vector_next(vector, &at);

		if (!is_first)
			p[n++] = ' ';
		if (item.n)
			memcpy(p + n, item.p, item.n);
		n += item.n;
	}
	return (struct str){ p, n };
}
