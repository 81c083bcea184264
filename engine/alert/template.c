/*
 * Output templates: "%proc.name read %fd.name" into pieces, and pieces into text or output_fields
 * (rule-language.md 5). Compiled into the ruleset's arena; rendered by the engine thread.
 */
#include "template.h"

#include "haetae/text.h"

/* Wider than any column; keeps a typo from filling the alert with blanks. */
#define WIDTH_MAX 1024
#define VALUE_MAX 65536

struct compiler {
	struct arena *arena;
	struct str text;
	const struct span *at;
	struct diags *diags;
	struct template *result;
	uint32_t piece_cap;
	bool is_invalid;
};

static struct template_piece *add_piece(struct compiler *compiler)
{
	struct template *result = compiler->result;

	if (result->piece_cnt == compiler->piece_cap) {
		uint32_t cap = compiler->piece_cap ? compiler->piece_cap * 2 : 8;
		struct template_piece *pieces =
			arena_new_array(compiler->arena, struct template_piece, cap);

		if (!pieces)
			return NULL;
		if (result->piece_cnt)
			memcpy(pieces, result->pieces, result->piece_cnt * sizeof(*pieces));
		result->pieces = pieces;
		compiler->piece_cap = cap;
	}
	return &result->pieces[result->piece_cnt++];
}

static void fail(struct compiler *compiler, const char *code, const char *hint, const char *what,
		 struct str token)
{
	compiler->is_invalid = true;
	diags_error(compiler->diags, *compiler->at, code, hint, "%s '%%%.*s' in the output", what,
		    STR_ARG(token));
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The word behind a %, for a message. */
static struct str word_at(struct str text)
{
	uint32_t n = 0;

	while (n < text.n && (is_name_char(text.p[n]) || text.p[n] == '.'))
		n++;
	return (struct str){ text.p, n };
}

static void fail_unknown(struct compiler *compiler, struct str rest)
{
	struct str word = word_at(rest);
	struct near_name near;

	if (word.n == 0) {
		fail(compiler, "E0602", "write a field behind each %, such as %proc.name",
		     "no field behind", word);
		return;
	}
	near_name_init(&near, word);
	for (unsigned i = 0; field_at(i); i++)
		near_name_offer(&near, field_at(i)->name);
	fail(compiler, "E0601", "'haetae list fields' prints all fields", "unknown field", word);
	if (near.best)
		diags_hint(compiler->diags, "did you mean '%%%s'?", near.best);
}

/* [argument] behind the field's name; *used grows by its length. */
static int take_bracket(struct compiler *compiler, struct str rest, uint32_t *used,
			struct template_piece *piece)
{
	const char *begin = rest.p + *used + 1, *limit = rest.p + rest.n;
	const char *end = memchr(begin, ']', (size_t)(limit - begin));
	struct str text;

	if (!end)
		return field_argument_parse(compiler->arena, piece->field, NULL, false,
					    &piece->argument);
	text = (struct str){ begin, (uint32_t)(end - begin) };
	if (text.n >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
	    text.p[text.n - 1] == text.p[0])
		text = (struct str){ text.p + 1, text.n - 2 };
	*used += (uint32_t)(end - begin) + 2;
	return field_argument_parse(compiler->arena, piece->field, &text, false, &piece->argument);
}

/* .NAME of evt.arg.NAME: the longest name that is known. */
static int take_dotted(struct compiler *compiler, struct str rest, uint32_t *used,
		       struct template_piece *piece)
{
	struct str name = { rest.p + *used + 1, 0 };
	uint32_t longest;
	int r = FIELD_ARG_E_MISSING;

	while (*used + 1 + name.n < rest.n && is_name_char(name.p[name.n]))
		name.n++;
	for (longest = name.n; name.n > 0; name.n--) {
		r = field_argument_parse(compiler->arena, piece->field, &name, true,
					 &piece->argument);
		if (r <= 0)
			break;
	}
	*used += 1 + (r == 0 ? name.n : longest);
	return r;
}

static int take_argument(struct compiler *compiler, struct str rest, uint32_t *used,
			 struct template_piece *piece)
{
	uint32_t flags = piece->field->flags;
	char next = *used < rest.n ? rest.p[*used] : '\0';

	if (next == '[' && flags & (FIELD_ARG_ALLOWED_INDEX | FIELD_ARG_ALLOWED_KEY))
		return take_bracket(compiler, rest, used, piece);
	if (next == '.' && flags & FIELD_ARG_DOTTED)
		return take_dotted(compiler, rest, used, piece);
	return field_argument_parse(compiler->arena, piece->field, NULL, false, &piece->argument);
}

static uint32_t take_width(struct str rest, uint32_t *used)
{
	uint32_t width = 0;

	while (*used < rest.n && rest.p[*used] >= '0' && rest.p[*used] <= '9') {
		width = MIN(width * 10 + (uint32_t)(rest.p[*used] - '0'), WIDTH_MAX + 1u);
		++*used;
	}
	return width;
}

static void mark_repeated(struct template *template, struct template_piece *piece)
{
	for (uint32_t i = 0; &template->pieces[i] != piece; i++)
		if (template->pieces[i].field && str_eq(template->pieces[i].token, piece->token))
			piece->is_repeated = true;
}

/* A token behind its %. Returns the bytes that it takes; 0: out of memory. */
static uint32_t compile_token(struct compiler *compiler, struct str rest)
{
	struct template_piece *piece = add_piece(compiler);
	uint32_t used = 0, start;
	struct str name;
	int r;

	if (!piece)
		return 0;
	piece->width = take_width(rest, &used);
	start = used;
	piece->field = field_find_prefix((struct str){ rest.p + used, rest.n - used });
	if (!piece->field) {
		fail_unknown(compiler, (struct str){ rest.p + used, rest.n - used });
		return used + MAX(word_at((struct str){ rest.p + used, rest.n - used }).n, 1u);
	}
	used += (uint32_t)strlen(piece->field->name);
	r = take_argument(compiler, rest, &used, piece);
	if (r < 0)
		return 0;
	name = (struct str){ rest.p + start, used - start };
	piece->token = arena_str(compiler->arena, name);
	if (r > 0)
		fail(compiler, "E0603", "'haetae list fields' says which arguments a field takes",
		     "wrong or missing argument of", name);
	else if (piece->field->flags & FIELD_FILTER_ONLY)
		fail(compiler, "E0604",
		     "this field has no single value: name one end, such as %fd.sip",
		     "only conditions can use", name);
	else if (piece->width > WIDTH_MAX)
		fail(compiler, "E0605", "the width is at most 1024", "too wide:", name);
	compiler->result->needs |= piece->field->flags & (FIELD_NEEDS_ENV | FIELD_NEEDS_SWAP);
	mark_repeated(compiler->result, piece);
	return used;
}

static bool compile_all(struct compiler *compiler)
{
	struct str text = compiler->text;
	uint32_t i = 0;

	/* A leading * meant "also with missing values", which is how it always is. */
	if (text.n > 0 && text.p[0] == '*')
		i = 1;
	while (i < text.n) {
		const char *percent = memchr(text.p + i, '%', text.n - i);
		uint32_t n = percent ? (uint32_t)(percent - (text.p + i)) : text.n - i;

		if (n > 0) {
			struct template_piece *piece = add_piece(compiler);

			if (!piece)
				return false;
			piece->literal = (struct str){ text.p + i, n };
		}
		i += n;
		if (!percent)
			break;
		n = compile_token(compiler, (struct str){ text.p + i + 1, text.n - i - 1 });
		if (n == 0)
			return false;
		i += 1 + n;
	}
	return true;
}

const struct template *template_compile(struct arena *arena, struct str text, const struct span *at,
					struct diags *diags)
{
	struct compiler compiler = { .arena = arena, .at = at, .diags = diags };

	compiler.text = arena_str(arena, text);
	compiler.result = arena_new(arena, struct template);
	if (!compiler.text.p || !compiler.result || !compile_all(&compiler)) {
		if (!compiler.is_invalid)
			diags->failed = true;
		return NULL;
	}
	return compiler.is_invalid ? NULL : compiler.result;
}

uint32_t template_needs(const struct template *compiled)
{
	return compiled->needs;
}

/* ---- rendering --------------------------------------------------------------------------------
 */

/* Two readings print the resolved one; several values are joined. */
static void put_values(const struct field *field, const struct value_set *set, struct buf *out)
{
	bool is_list = field->flags & FIELD_IS_LIST;
	uint32_t cnt = field->flags & FIELD_IS_READINGS ? MIN(set->cnt, 1u) : set->cnt;

	if (is_list)
		buf_putc(out, '(');
	for (uint32_t i = 0; i < cnt; i++) {
		if (i)
			buf_putc(out, is_list ? ',' : ' ');
		value_format(field, &set->values[i], out);
	}
	if (is_list)
		buf_putc(out, ')');
}

static void put_padded(struct buf *out, struct str text, uint32_t width)
{
	buf_put(out, text.p, MIN(text.n, width));
	for (uint32_t i = text.n; i < width; i++)
		buf_putc(out, ' ');
}

static void put_piece(const struct template_piece *piece, const struct field_context *context,
		      struct buf *out)
{
	struct value_set set;
	struct buf value;

	field_read(piece->field, context, &piece->argument, &set);
	buf_init(&value, VALUE_MAX);
	if (set.state == FIELD_VALUE)
		put_values(piece->field, &set, &value);
	else
		buf_puts(&value, "<NA>");
	if (piece->width)
		put_padded(out, buf_str(&value), piece->width);
	else
		buf_put_str(out, buf_str(&value));
	buf_done(&value);
}

void template_format(const struct template *compiled, const struct field_context *context,
		     struct buf *out)
{
	for (uint32_t i = 0; i < compiled->piece_cnt; i++) {
		const struct template_piece *piece = &compiled->pieces[i];

		if (piece->field)
			put_piece(piece, context, out);
		else
			buf_put_str(out, piece->literal);
	}
}

static void put_json_values(const struct field *field, const struct value_set *set, struct buf *out)
{
	if (set->state != FIELD_VALUE) {
		buf_puts(out, "null");
	} else if (field->flags & FIELD_IS_LIST) {
		buf_putc(out, '[');
		for (uint32_t i = 0; i < set->cnt; i++) {
			buf_puts(out, i ? "," : "");
			value_format_json(field, &set->values[i], out);
		}
		buf_putc(out, ']');
	} else if (set->cnt == 1 || field->flags & FIELD_IS_READINGS) {
		value_format_json(field, &set->values[0], out);
	} else {
		struct buf text;

		buf_init(&text, VALUE_MAX);
		put_values(field, set, &text);
		text_put_json_string(out, buf_str(&text));
		buf_done(&text);
	}
}

void template_format_fields(const struct template *compiled, const struct field_context *context,
			    struct buf *out)
{
	const struct event *event = context->event;

	buf_puts(out, "{\"evt.time\":");
	buf_put_u64(out, event->header->time_ns + (uint64_t)event->wall_offset_ns);
	for (uint32_t i = 0; i < compiled->piece_cnt; i++) {
		const struct template_piece *piece = &compiled->pieces[i];
		struct value_set set;

		if (!piece->field || piece->is_repeated || str_eq_text(piece->token, "evt.time"))
			continue;
		field_read(piece->field, context, &piece->argument, &set);
		buf_putc(out, ',');
		text_put_json_string(out, piece->token);
		buf_putc(out, ':');
		put_json_values(piece->field, &set, out);
	}
	buf_putc(out, '}');
}
