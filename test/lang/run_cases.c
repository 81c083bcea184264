/*
 * Conformance cases of the rule language: text files of conditions with their answers, run through
 * loader, compiler and matcher. Prints TAP, one point a case, named by file and line.
 *
 *	# a comment
 *	@ {evt.type: openat, proc.name: cat, fd.name: [/resolved, /passed]}
 *	true   proc.name = cat            the condition matches the event above
 *	false  proc.name = dog
 *	error  proc.nmae = cat            does not load
 *	%yaml                             items that stand before each case's rule, until the next
 *%yaml
 *	- list: shells
 *	  items: [bash, sh]
 *	%end
 *
 * A field that the event does not name is absent, except those that only evt.type decides.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <yaml.h>

#include "haetae/rules.h"

#define FIXTURE_FIELDS_MAX 64
#define FIXTURE_VALUES_MAX 16

struct fixture_field {
	struct str name; /* with its argument: "proc.aname[2]", "evt.arg.flags" */
	struct str texts[FIXTURE_VALUES_MAX];
	struct value values[FIXTURE_VALUES_MAX];
	uint32_t cnt;
	bool is_list;
};

struct fixture {
	struct arena arena;
	struct fixture_field fields[FIXTURE_FIELDS_MAX];
	uint32_t field_cnt;
	unsigned code;
};

struct run {
	const char *file;
	unsigned line, case_cnt, failure_cnt;
	struct buf prelude;
	struct fixture fixture;
};

static void die(const struct run *run, const char *what)
{
	printf("Bail out! %s:%u: %s\n", run->file, run->line, what);
	exit(1);
}

/* ---- fixtures ------------------------------------------------------------------------------ */

static struct str scalar_text(struct run *run, const yaml_node_t *node)
{
	if (!node || node->type != YAML_SCALAR_NODE)
		die(run, "a value must be a scalar or a list of scalars");
	return arena_str(&run->fixture.arena, (struct str){ (const char *)node->data.scalar.value,
							    (uint32_t)node->data.scalar.length });
}

static void read_values(struct run *run, yaml_document_t *document, int node_id,
			struct fixture_field *field)
{
	yaml_node_t *node = yaml_document_get_node(document, node_id);

	if (node->type != YAML_SEQUENCE_NODE) {
		field->texts[field->cnt++] = scalar_text(run, node);
		return;
	}
	field->is_list = true;
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		if (field->cnt == FIXTURE_VALUES_MAX)
			die(run, "too many values");
		field->texts[field->cnt++] =
			scalar_text(run, yaml_document_get_node(document, *item));
	}
}

static void add_field(struct run *run, yaml_document_t *document, const yaml_node_pair_t *pair)
{
	struct str name = scalar_text(run, yaml_document_get_node(document, pair->key));
	struct fixture_field *field;
	int code;

	if (run->fixture.field_cnt == FIXTURE_FIELDS_MAX)
		die(run, "too many fields");
	field = &run->fixture.fields[run->fixture.field_cnt++];
	*field = (struct fixture_field){ .name = name };
	read_values(run, document, pair->value, field);
	if (!str_eq_text(name, "evt.type"))
		return;
	run->fixture.field_cnt--;
	code = event_code_find(field->texts[0]);
	if (code < 0 || code >= EVENT_CODE_NEVER)
		die(run, "no such evt.type");
	run->fixture.code = (unsigned)code;
}

static void read_fixture(struct run *run, const char *text)
{
	yaml_parser_t parser;
	yaml_document_t document;
	yaml_node_t *root;

	arena_reset(&run->fixture.arena);
	run->fixture.field_cnt = 0;
	run->fixture.code = EVENT_OPENAT;
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (!yaml_parser_load(&parser, &document))
		die(run, "the event is no YAML");
	root = yaml_document_get_root_node(&document);
	if (!root || root->type != YAML_MAPPING_NODE)
		die(run, "the event is no map");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++)
		add_field(run, &document, pair);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
}

static bool parse_address(struct str text, struct ip_address *ret)
{
	*ret = (struct ip_address){ 0 };
	if (inet_pton(AF_INET, text.p, ret->bytes) == 1)
		ret->family = AF_INET;
	else if (inet_pton(AF_INET6, text.p, ret->bytes) == 1)
		ret->family = AF_INET6;
	return ret->family != 0;
}

static bool convert(enum value_type type, struct str text, struct value *ret)
{
	*ret = (struct value){ .type = type };
	switch (type) {
	case VALUE_S64:
		ret->s64 = strtoll(text.p, NULL, 10);
		return true;
	case VALUE_U64:
	case VALUE_PORT:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
		ret->u64 = strtoull(text.p, NULL, 10);
		return true;
	case VALUE_BOOL:
		ret->is_true = str_eq_text(text, "true");
		return true;
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		ret->str = text;
		return true;
	case VALUE_IP:
	case VALUE_NET:
		return parse_address(text, &ret->ip);
	case VALUE_TYPE__COUNT:
		break;
	}
	return false;
}

static struct str full_name(struct arena *arena, const struct field *field,
			    const struct field_argument *argument)
{
	const char *dot = field->flags & FIELD_ARG_DOTTED ? "." : "[";
	const char *end = *dot == '.' ? "" : "]";

	if (!argument || argument->kind == FIELD_ARG_NONE)
		return str_from(field->name);
	if (argument->kind == FIELD_ARG_INDEX)
		return arena_printf(arena, "%s[%llu]", field->name,
				    (unsigned long long)argument->index);
	return arena_printf(arena, "%s%s%.*s%s", field->name, dot, STR_ARG(argument->key), end);
}

static bool give_value(const struct field *field, const struct field_argument *argument,
		       struct value_set *ret, void *data)
{
	struct fixture *fixture = data;
	struct str name = full_name(&fixture->arena, field, argument);

	*ret = (struct value_set){ .state = FIELD_ABSENT };
	if (str_eq_text(name, "evt.type") || str_eq_text(name, "syscall.type") ||
	    str_eq_text(name, "evt.dir") || str_eq_text(name, "evt.num"))
		return false;
	for (uint32_t i = 0; i < fixture->field_cnt; i++) {
		struct fixture_field *given = &fixture->fields[i];

		if (!str_eq(given->name, name))
			continue;
		for (uint32_t v = 0; v < given->cnt; v++)
			if (!convert(field->type, given->texts[v], &given->values[v]))
				return true;
		*ret = (struct value_set){ FIELD_VALUE, given->cnt, given->values };
		return true;
	}
	return true;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static void count_hit(const struct rule *rule, void *data)
{
	(void)rule;
	++*(unsigned *)data;
}

static const char *evaluate(struct run *run, const struct ruleset *ruleset)
{
	struct wire_header header = { .type = EVENT_GENERIC, .syscall_nr = WIRE_NO_SYSCALL };
	struct arena scratch;
	struct event event = { .header = &header, .number = 1, .scratch = &scratch };
	struct field_context context = { .event = &event,
					 .source = "syscall",
					 .override = give_value,
					 .override_data = &run->fixture };
	_cleanup_(matcher_freep) struct matcher *matcher = NULL;
	unsigned hits = 0;

	event.code = run->fixture.code;
	if (event.code >= EVENT_CODE_SYSCALL)
		header.syscall_nr = (__u16)(event.code - EVENT_CODE_SYSCALL);
	else
		header.type = (__u16)event.code;
	event.schema = event_schema_get(header.type);
	if (matcher_new(ruleset, &matcher) < 0)
		die(run, "out of memory");
	arena_init(&scratch, 1u << 20);
	/* Twice: the second event must not see anything of the first. */
	matcher_run(matcher, &context, count_hit, NULL, &hits);
	arena_reset(&scratch);
	matcher_run(matcher, &context, count_hit, NULL, &hits);
	arena_done(&scratch);
	return hits == 2 ? "true" : hits == 0 ? "false" : "not the same twice";
}

static void run_case(struct run *run, const char *want, const char *expression)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	_cleanup_(buf_done) struct buf text;
	struct rules_options options;
	struct diags diags;
	const char *got;

	buf_init(&text, 1u << 20);
	buf_put_str(&text, buf_str(&run->prelude));
	buf_printf(&text,
		   "- rule: the case\n  desc: d\n  priority: info\n  output: o\n"
		   "  condition: |-\n    %s\n",
		   expression);
	diags_init(&diags);
	rules_options_default(&options);
	if (ruleset_load_text(STR("case.yaml"), buf_str(&text), &options, &diags, &ruleset) != 0)
		got = "error";
	else
		got = evaluate(run, ruleset);
	run->case_cnt++;
	if (strcmp(got, want) == 0) {
		printf("ok %u - %s:%u %s\n", run->case_cnt, run->file, run->line, expression);
	} else {
		run->failure_cnt++;
		printf("not ok %u - %s:%u want %s, got %s: %s\n", run->case_cnt, run->file,
		       run->line, want, got, expression);
		fflush(stdout);
		diags_print(&diags, stderr, false);
	}
	diags_done(&diags);
}

static void run_line(struct run *run, char *line)
{
	char *end = strpbrk(line, " \t");

	if (line[0] == '\0' || line[0] == '#')
		return;
	if (line[0] == '@') {
		read_fixture(run, line + 1);
		return;
	}
	if (!end)
		die(run, "an answer without a condition");
	*end = '\0';
	end += 1 + strspn(end + 1, " \t");
	if (strcmp(line, "true") && strcmp(line, "false") && strcmp(line, "error"))
		die(run, "the answer must be true, false or error");
	run_case(run, line, end);
}

static void run_file(struct run *run, FILE *in)
{
	bool is_in_yaml = false;
	char *line = NULL;
	size_t capacity = 0;

	read_fixture(run, "{}");
	while (getline(&line, &capacity, in) >= 0) {
		run->line++;
		if (strcmp(line, "%yaml\n") == 0) {
			is_in_yaml = true;
			buf_clear(&run->prelude);
		} else if (strcmp(line, "%end\n") == 0) {
			is_in_yaml = false;
		} else if (is_in_yaml) {
			buf_puts(&run->prelude, line);
		} else {
			line[strcspn(line, "\n")] = '\0';
			run_line(run, line);
		}
	}
	free(line);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	buf_init(&run.prelude, 1u << 20);
	arena_init(&run.fixture.arena, 1u << 24);
	for (int i = 1; i < argc; i++) {
		FILE *in = fopen(argv[i], "re");

		run.file = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		run.line = 0;
		buf_clear(&run.prelude);
		if (!in)
			die(&run, strerror(errno));
		run_file(&run, in);
		fclose(in);
	}
	printf("1..%u\n", run.case_cnt);
	buf_done(&run.prelude);
	arena_done(&run.fixture.arena);
	return run.failure_cnt || run.case_cnt == 0;
}
