/*
 * Compiles outputs: a text with %fields becomes literals and fields of the registry. Owns nothing;
 * results live in the ruleset's arena. Called when rules are loaded.
 */
#include "template.h"

#define NAME_MAX_SHOWN 64

/* Beside enum field_argument_error. */
#define UNFINISHED (FIELD_ARG_E_PARAM + 1)

struct compiler {
	struct arena *arena;
	struct diags *diags;
	struct span at;
	struct str text;
	uint32_t position;
	struct template_part *parts;
	uint32_t part_cnt;
	struct buf literal;
	uint32_t needs;
	bool is_invalid, is_out_of_memory;
};

/* The place of text[from .. to). Where YAML changed the text on its way (folding, escapes), only
 * the whole is known. */
static struct span place(const struct compiler *compiler, uint32_t from, uint32_t to)
{
	struct span at = compiler->at;

	if (at.length != compiler->text.n)
		return at;
	return (struct span){ at.source, at.offset + from, to - from };
}

static struct str rest(const struct compiler *compiler)
{
	return (struct str){ compiler->text.p + compiler->position,
			     compiler->text.n - compiler->position };
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* ---- problems ------------------------------------------------------------------------------- */

static void fail(struct compiler *compiler, uint32_t from, const char *code, const char *hint,
		 const char *text)
{
	struct str shown = { compiler->text.p + from, compiler->position - from };

	compiler->is_invalid = true;
	diags_error(compiler->diags, place(compiler, from, compiler->position), code, hint,
		    "%s '%.*s'", text, STR_ARG(template_cut(shown, NAME_MAX_SHOWN)));
}

/* What stands where a field's name should. */
static struct str read_name(const struct compiler *compiler)
{
	struct str name = rest(compiler);
	uint32_t n = 0;

	while (n < name.n && (is_word(name.p[n]) || name.p[n] == '.'))
		n++;
	while (n && name.p[n - 1] == '.')
		n--;
	return (struct str){ name.p, n };
}

static void unknown_field(struct compiler *compiler, uint32_t from)
{
	struct str name = read_name(compiler);
	struct near_name near;

	if (name.n == 0) {
		compiler->position = MIN(compiler->position + 1, compiler->text.n);
		fail(compiler, from, "E0602",
		     "a % always begins a field; there is no way to print one", "no field behind");
		return;
	}
	compiler->position += name.n;
	fail(compiler, from, "E0601", NULL, "unknown field");
	near_name_init(&near, name);
	for (unsigned i = 0; field_at(i); i++)
		near_name_offer(&near, field_at(i)->name);
	if (near.best)
		diags_hint(compiler->diags, "did you mean '%%%s'?", near.best);
}

static void bad_argument(struct compiler *compiler, uint32_t from, const struct field *field,
			 int error)
{
	static const struct {
		const char *code, *text;
	} errors[] = {
		[FIELD_ARG_E_MISSING] = { "E0603", "argument missing:" },
		[FIELD_ARG_E_FORBIDDEN] = { "E0604", "the field takes no such argument:" },
		[FIELD_ARG_E_INDEX] = { "E0604", "the argument must be a number:" },
		[FIELD_ARG_E_PARAM] = { "E0605", "no event has such an argument:" },
		[UNFINISHED] = { "E0607", "no end:" },
	};

	if (error < 0) {
		compiler->is_out_of_memory = true;
		return;
	}
	fail(compiler, from, errors[error].code, NULL, errors[error].text);
	diags_hint(compiler->diags, "for example in a condition: %s", field->example);
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* Behind the dot: the longest name that fits, because letters may follow it directly. */
static int parse_dotted(struct compiler *compiler, const struct field *field,
			struct field_argument *ret)
{
	struct str name = rest(compiler);
	uint32_t n = 0;
	int r = FIELD_ARG_E_MISSING;

	while (n < name.n && is_word(name.p[n]))
		n++;
	name.n = n;
	while (name.n) {
		r = field_argument_parse(compiler->arena, field, &name, true, ret);
		if (r != FIELD_ARG_E_PARAM)
			break;
		name.n--;
	}
	compiler->position += r == 0 ? name.n : n;
	return r;
}

/* Behind the bracket: [2], [name], ["name"]. */
static int parse_bracket(struct compiler *compiler, const struct field *field,
			 struct field_argument *ret)
{
	struct str text = rest(compiler), argument;
	char quote = text.n && (text.p[0] == '"' || text.p[0] == '\'') ? text.p[0] : 0;
	uint32_t n = quote ? 1 : 0;

	while (n < text.n && text.p[n] != (quote ? quote : ']'))
		n++;
	argument = quote ? (struct str){ text.p + 1, n - 1 } : (struct str){ text.p, n };
	if (quote && n < text.n)
		n++;
	if (n >= text.n || text.p[n] != ']') {
		compiler->position = compiler->text.n;
		return UNFINISHED;
	}
	compiler->position += n + 1;
	return field_argument_parse(compiler->arena, field, &argument, false, ret);
}

/* Whether a bracket behind the field is its argument: "%proc.name[1]" is a mistake, so it is. */
static int parse_argument(struct compiler *compiler, const struct field *field,
			  struct field_argument *ret)
{
	struct str text = rest(compiler);

	if (text.n > 1 && text.p[0] == '.' && (field->flags & FIELD_ARG_DOTTED) &&
	    is_word(text.p[1])) {
		compiler->position++;
		return parse_dotted(compiler, field, ret);
	}
	if (text.n && text.p[0] == '[') {
		compiler->position++;
		return parse_bracket(compiler, field, ret);
	}
	return field_argument_parse(compiler->arena, field, NULL, false, ret);
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* As the field is written in a rule. */
static struct str field_key(struct arena *arena, const struct field *field,
			    const struct field_argument *argument)
{
	switch (argument->kind) {
	case FIELD_ARG_INDEX:
		return arena_printf(arena, "%s[%llu]", field->name,
				    (unsigned long long)argument->index);
	case FIELD_ARG_KEY:
		return arena_printf(arena, argument->param_of_type ? "%s.%.*s" : "%s[%.*s]",
				    field->name, STR_ARG(argument->key));
	case FIELD_ARG_NONE:
		break;
	}
	return arena_str(arena, str_from(field->name));
}

static bool is_repeated(const struct compiler *compiler, struct str key)
{
	for (uint32_t i = 0; i < compiler->part_cnt; i++)
		if (str_eq(compiler->parts[i].key, key))
			return true;
	return false;
}

/* Ends the literal that was collected. */
static struct template_part *add_part(struct compiler *compiler)
{
	struct template_part *part = &compiler->parts[compiler->part_cnt];

	part->literal = arena_str(compiler->arena, buf_str(&compiler->literal));
	compiler->is_out_of_memory |= !part->literal.p || compiler->literal.failed;
	buf_clear(&compiler->literal);
	compiler->part_cnt++;
	return part;
}

static void add_field(struct compiler *compiler, const struct field *field,
		      const struct field_argument *argument, struct str key, uint32_t width)
{
	bool repeated = is_repeated(compiler, key);
	struct template_part *part = add_part(compiler);

	part->field = field;
	part->argument = *argument;
	part->key = arena_str(compiler->arena, key);
	part->width = width;
	part->is_repeated = repeated;
	compiler->is_out_of_memory |= !part->key.p;
	compiler->needs |= field->flags & (FIELD_NEEDS_ENV | FIELD_NEEDS_SWAP);
}

/* The fields below a transformer are in output_fields by their own names. */
static void add_inner_fields(struct compiler *compiler, const struct transformer *transformer)
{
	const struct field_argument *argument;
	const struct field *field;

	for (unsigned i = 0; (field = transformer_field(transformer, i, &argument)); i++) {
		struct str key = field_key(compiler->arena, field, argument);

		if (!key.p || compiler->part_cnt == TEMPLATE_TOKENS_MAX) {
			compiler->is_out_of_memory |= !key.p;
			return;
		}
		if (is_repeated(compiler, key))
			continue;
		add_field(compiler, field, argument, key, 0);
		compiler->parts[compiler->part_cnt - 1].is_hidden = true;
	}
}

static void add_transformer(struct compiler *compiler, struct str text, uint32_t width)
{
	uint32_t from = compiler->position, length = 0;
	const struct transformer *transformer;
	struct template_part *part;
	struct str key;
	bool repeated;
	int r = transformer_compile(compiler->arena, text, place(compiler, from, compiler->text.n),
				    compiler->diags, &transformer, &length);

	compiler->position += MAX(length, 1u);
	compiler->is_invalid |= r > 0;
	compiler->is_out_of_memory |= r < 0;
	if (r != 0)
		return;
	key = (struct str){ text.p, length };
	repeated = is_repeated(compiler, key);
	part = add_part(compiler);
	part->transformer = transformer;
	part->key = arena_str(compiler->arena, key);
	part->width = width;
	part->is_repeated = repeated;
	compiler->is_out_of_memory |= !part->key.p;
	compiler->needs |= transformer_needs(transformer);
	add_inner_fields(compiler, transformer);
}

static bool parse_width(struct compiler *compiler, uint32_t from, uint32_t *ret)
{
	struct str text = rest(compiler);
	uint32_t n = 0;

	*ret = 0;
	for (; n < text.n && text.p[n] >= '0' && text.p[n] <= '9'; n++)
		*ret = MIN(*ret * 10 + (uint32_t)(text.p[n] - '0'), TEMPLATE_WIDTH_MAX + 1u);
	compiler->position += n;
	if (*ret <= TEMPLATE_WIDTH_MAX)
		return true;
	fail(compiler, from, "E0608", "at most 1000", "width too large:");
	return false;
}

/* Falco's old placeholder for container fields prints nothing, with a warning. */
static bool skip_container_info(struct compiler *compiler, uint32_t from)
{
	struct str old = STR("container.info");

	if (!str_starts_with(rest(compiler), old))
		return false;
	compiler->position += old.n;
	diags_warning(compiler->diags, place(compiler, from, compiler->position), "W0601",
		      "name the fields that the output should print",
		      "'%%container.info' prints nothing");
	return true;
}

/* The token at position, which is behind its %. */
static void parse_token(struct compiler *compiler)
{
	uint32_t from = compiler->position - 1, name_at, width;
	struct field_argument argument = { 0 };
	const struct field *field;
	int r;

	if (!parse_width(compiler, from, &width) || skip_container_info(compiler, from))
		return;
	name_at = compiler->position;
	if (transformer_begins(rest(compiler))) {
		add_transformer(compiler, rest(compiler), width);
		return;
	}
	field = field_find_prefix(rest(compiler));
	if (!field) {
		unknown_field(compiler, from);
		return;
	}
	compiler->position += (uint32_t)strlen(field->name);
	r = parse_argument(compiler, field, &argument);
	if (r != 0) {
		bad_argument(compiler, from, field, r);
		return;
	}
	if (field->flags & FIELD_FILTER_ONLY) {
		fail(compiler, from, "E0606", "name one end, such as %fd.sip and %fd.sport",
		     "cannot be printed:");
		return;
	}
	if (field->flags & FIELD_DEPRECATED)
		diags_warning(compiler->diags, place(compiler, from, compiler->position), "W0405",
			      NULL, "field '%s' is deprecated", field->name);
	add_field(compiler, field, &argument,
		  (struct str){ compiler->text.p + name_at, compiler->position - name_at }, width);
}

static void parse_text(struct compiler *compiler)
{
	/* "Print it even where a value is missing": always so. */
	if (compiler->text.n && compiler->text.p[0] == '*')
		compiler->position = 1;
	while (compiler->position < compiler->text.n && !compiler->is_out_of_memory) {
		char c = compiler->text.p[compiler->position++];

		if (c != '%') {
			buf_putc(&compiler->literal, c);
		} else if (compiler->part_cnt < TEMPLATE_TOKENS_MAX) {
			parse_token(compiler);
		} else {
			fail(compiler, compiler->position - 1, "E0609", NULL,
			     "more than 256 fields:");
			break;
		}
	}
	if (compiler->literal.n && compiler->part_cnt <= TEMPLATE_TOKENS_MAX)
		add_part(compiler);
}

static const struct template *finish(struct compiler *compiler)
{
	struct template *compiled = arena_new(compiler->arena, struct template);
	struct template_part *parts =
		arena_new_array(compiler->arena, struct template_part, compiler->part_cnt);

	if (!compiled || !parts)
		return NULL;
	memcpy(parts, compiler->parts, compiler->part_cnt * sizeof(*parts));
	*compiled = (struct template){ parts, compiler->part_cnt, compiler->needs };
	return compiled;
}

const struct template *template_compile(struct arena *arena, struct str text, const struct span *at,
					struct diags *diags)
{
	_cleanup_(freep) struct template_part *parts =
		calloc(TEMPLATE_TOKENS_MAX + 1, sizeof(*parts));
	struct compiler compiler = { .arena = arena,
				     .diags = diags,
				     .at = at ? *at : SPAN_NONE,
				     .text = text,
				     .parts = parts };
	const struct template *compiled = NULL;

	buf_init(&compiler.literal, TEMPLATE_TEXT_MAX);
	if (parts)
		parse_text(&compiler);
	if (parts && !compiler.is_invalid && !compiler.is_out_of_memory)
		compiled = finish(&compiler);
	buf_done(&compiler.literal);
	if (!compiled && !compiler.is_invalid)
		diags_error(diags, compiler.at, "E0610", NULL, "output too large");
	return compiled;
}

uint32_t template_needs(const struct template *compiled)
{
	return compiled->needs;
}
