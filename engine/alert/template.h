/*
 * Output texts, compiled and read: what template.c makes and template_format.c renders. Inside the
 * alert stage only.
 */
#ifndef HAETAE_ALERT_TEMPLATE_H
#define HAETAE_ALERT_TEMPLATE_H

#include "haetae/alert.h"

#define TEMPLATE_TOKENS_MAX 256	   /* fields of one output; more are an error */
#define TEMPLATE_WIDTH_MAX  1000   /* of %N; more is an error */
#define TEMPLATE_VALUE_MAX  8192   /* bytes of one value; longer ones are cut and named */
#define TEMPLATE_TEXT_MAX   262144 /* bytes of a message; cut */

struct template_part {
	struct str literal; /* before the field */
	/* One of the two; neither: the text ends with the literal. */
	const struct field *field;
	const struct transformer *transformer;
	struct field_argument argument;
	struct str key;	  /* the field as written: its key in output_fields */
	uint32_t width;	  /* 0: as long as it is */
	bool is_repeated; /* an earlier part has the same key */
	bool is_hidden;	  /* only in output_fields: a field below a transformer */
};

struct template
{
	const struct template_part *parts;
	uint32_t part_cnt;
	uint32_t needs;
};

/* The values of an event: one set a part, in the event's scratch. */
struct template_values {
	const struct template *compiled;
	const struct value_set *sets;
	uint64_t wall_ns;
	uint32_t value_max; /* bytes of one value */
};

static inline bool template_part_has_value(const struct template_part *part)
{
	return part->field || part->transformer;
}

/* False where scratch is exhausted. */
bool template_read(const struct template *compiled, const struct field_context *context,
		   struct template_values *ret);
void template_put_text(const struct template_values *values, struct buf *out);
/* The output_fields object, with the constants at its end. */
void template_put_fields(const struct template_values *values,
			 const struct constant_field *constants, uint32_t constant_cnt,
			 struct buf *out);
/* Keys of the values that are longer than value_max, as JSON strings with commas between; nothing
 * where all are whole. */
void template_put_cut(const struct template_values *values, struct buf *out);
/* At most max bytes of the text, no character cut in two. */
struct str template_cut(struct str text, uint32_t max);

#endif
