/*
 * haetae list: prints the tables that the program works with. The manual's reference pages are its
 * output. Owns the ruleset of `list rules` for the duration of the command.
 */
#include <stdio.h>

#include "haetae/conf.h"
#include "haetae/metrics.h"
#include "haetae/text.h"

#include "commands.h"
#include "list_attack.h"
#include "list_table.h"
#include "rule_paths.h"

enum list_option {
	OPTION_JSON,
	OPTION_MARKDOWN,
	OPTION_MDOC,
	OPTION_YAML,
	OPTION_RULES,
	OPTION_MATURITY,
	OPTION_ATTACK,
	OPTION__COUNT
};

static const struct option_spec options[] = {
	[OPTION_JSON] = { 0, "json", NULL, "Print one JSON array.", false },
	[OPTION_MARKDOWN] = { 0, "markdown", NULL, "Print a Markdown table.", false },
	[OPTION_MDOC] = { 0, "mdoc", NULL, "Print a manual page.", false },
	[OPTION_YAML] = { 0, "yaml", NULL,
			  "For 'list options': print an annotated configuration file.", false },
	[OPTION_RULES] = { 'r', "rules", "PATH",
			   "For 'list rules': a rule file, or a folder of them; instead of the "
			   "installed rules.",
			   true },
	[OPTION_MATURITY] = { 0, "maturity", RULE_MATURITY_VALUE,
			      "For 'list rules': the least mature rules that count as enabled "
			      "(default: stable).",
			      false },
	[OPTION_ATTACK] = { 0, "attack", NULL,
			    "For 'list rules': the techniques of MITRE ATT&CK, by tactic, and the "
			    "rules that look at each.",
			    false },
};
_Static_assert(ARRAY_LEN(options) == OPTION__COUNT, "one row an option");

/* ---- rules ---------------------------------------------------------------------------------- */

static void put_tags(const struct rule *rule, enum list_format format, struct buf *out)
{
	bool is_json = format == LIST_JSON;

	buf_puts(out, is_json ? "[" : "");
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		buf_puts(out, i ? (is_json ? "," : ", ") : "");
		if (is_json)
			text_put_json_string(out, rule->tags[i]);
		else
			buf_put_str(out, rule->tags[i]);
	}
	buf_puts(out, is_json ? "]" : "");
}

static void put_rule(struct list_writer *writer, const struct rule *rule)
{
	_cleanup_(buf_done) struct buf tags, line;
	struct list_item item = { .name = rule->name };
	struct str description = rule->desc;

	/* YAML's folded text ends with a line break. */
	while (description.n && description.p[description.n - 1] == '\n')
		description.n--;
	buf_init(&tags, 1 << 16);
	buf_init(&line, 64);
	put_tags(rule, writer->format, &tags);
	buf_put_u64(&line, rule->line);
	list_item_cell(&item, "priority", str_from(priority_name(rule->priority)));
	list_item_cell(&item, "description", description);
	list_item_raw(&item, "enabled", rule->is_enabled ? STR("true") : STR("false"));
	list_item_cell(&item, "maturity", str_from(maturity_name(rule->maturity)));
	list_item_raw(&item, "tags", buf_str(&tags));
	list_item_cell(&item, "file", rule->file);
	list_item_raw(&item, "line", buf_str(&line));
	list_put(writer, &item);
}

static int list_rules(const struct args *args, struct list_writer *writer)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
	enum maturity maturity = MATURITY_STABLE;
	int r = rule_maturity_from_args(args, OPTION_MATURITY, &maturity);

	if (r == EXIT_OK)
		r = rule_paths_load(args, OPTION_RULES, maturity, &ruleset);
	if (r != EXIT_OK)
		return r;
	if (args_has(args, OPTION_ATTACK))
		return list_attack(ruleset, writer) < 0 ? EXIT_HOST : EXIT_OK;
	list_begin(writer);
	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++)
		put_rule(writer, ruleset_rule(ruleset, i));
	list_end(writer);
	return EXIT_OK;
}

/* ---- fields --------------------------------------------------------------------------------- */

/* A table of what a flag means to the reader. */
static const struct field_note {
	uint32_t flag;
	const char *text;
} field_notes[] = {
	{ FIELD_ARG_ALLOWED_INDEX, "takes [N]" },
	{ FIELD_ARG_ALLOWED_KEY, "takes [NAME]" },
	{ FIELD_ARG_DOTTED, "takes .NAME" },
	{ FIELD_ARG_REQUIRED, "the argument is required" },
	{ FIELD_IS_READINGS, "two readings of a path" },
	{ FIELD_IS_ANY, "any value may match" },
	{ FIELD_IS_LIST, "a list" },
	{ FIELD_ALL_DIFFER, "!= asks that all differ" },
	{ FIELD_FILTER_ONLY, "not in outputs" },
	{ FIELD_NO_RIGHT_SIDE, "not in val() or a transformer" },
	{ FIELD_DEPRECATED, "deprecated" },
	{ FIELD_RESERVED, "accepted, but has no value yet" },
};

static void put_notes(uint32_t flags, struct buf *out)
{
	for (unsigned i = 0; i < ARRAY_LEN(field_notes); i++) {
		if (!(flags & field_notes[i].flag))
			continue;
		buf_puts(out, out->n ? "; " : "");
		buf_puts(out, field_notes[i].text);
	}
}

static struct str text_or_none(const char *text)
{
	return text ? str_from(text) : STR_NONE;
}

/* The events that can give it a value. Generic system calls have their arguments only. */
static void put_field_events(const struct field *field, struct buf *out)
{
	if (field->flags & FIELD_RESERVED) {
		buf_puts(out, "none yet");
		return;
	}
	if (!field->has_event) {
		buf_puts(out, "every event");
		return;
	}
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (schema->flags & EVENT_STATE || !field->has_event(schema))
			continue;
		buf_puts(out, out->n ? " " : "");
		buf_puts(out, type == EVENT_GENERIC ? "other-syscalls" : schema->name);
	}
}

static void put_field(struct list_writer *writer, const struct field *field)
{
	struct list_item item = { .name = str_from(field->name) };
	_cleanup_(buf_done) struct buf notes, events;

	buf_init(&notes, 1024);
	buf_init(&events, 4096);
	put_notes(field->flags, &notes);
	put_field_events(field, &events);
	list_item_cell(&item, "type", str_from(value_type_name(field->type)));
	list_item_cell(&item, "description", text_or_none(field->doc));
	list_item_cell(&item, "events", buf_str(&events));
	list_item_cell(&item, "absent", text_or_none(field->when_absent));
	list_item_cell(&item, "example", text_or_none(field->example));
	list_item_cell(&item, "notes", buf_str(&notes));
	list_item_cell(&item, "since", text_or_none(field->since));
	list_put(writer, &item);
}

static int list_fields(const struct args *args, struct list_writer *writer)
{
	list_begin(writer);
	for (unsigned i = 0; field_at(i); i++)
		put_field(writer, field_at(i));
	list_end(writer);
	return EXIT_OK;
}

/* ---- events --------------------------------------------------------------------------------- */

/* clang-format off: a table */
static const char *const param_type_names[] = {
	[PARAM_FD] = "fd",	     [PARAM_PID] = "pid",	 [PARAM_NSPID] = "pid",
	[PARAM_ERROR] = "errno",     [PARAM_S64] = "s64",	 [PARAM_U64] = "u64",
	[PARAM_OCTAL] = "octal",     [PARAM_HEX] = "hex",	 [PARAM_MODE] = "mode",
	[PARAM_UID] = "uid",	     [PARAM_GID] = "gid",	 [PARAM_SIGNAL] = "signal",
	[PARAM_FLAGS] = "flags",     [PARAM_ENUM] = "enum",	 [PARAM_TIME_NS] = "time",
	[PARAM_RELTIME] = "reltime", [PARAM_STRING] = "string",	 [PARAM_PATH] = "path",
	[PARAM_RELPATH] = "relpath", [PARAM_VECTOR] = "strings", [PARAM_BUFFER] = "bytes",
	[PARAM_KPATH] = "kpath",     [PARAM_TUPLE] = "tuple",	 [PARAM_ADDRESS] = "address",
};
/* clang-format on */
_Static_assert(ARRAY_LEN(param_type_names) == PARAM_TYPE__COUNT, "a name for each type");

static void put_event(struct list_writer *writer, const struct event_schema *schema)
{
	struct list_item item = { .name = str_from(schema->name), .part_key = "parameters" };

	list_item_cell(&item, "class", str_from(event_class_name(schema->class)));
	list_item_cell(&item, "description", str_from(schema->doc));
	for (uint32_t i = 0; i < schema->param_cnt && i < LIST_PART_MAX; i++) {
		const struct param_schema *param = &schema->params[i];

		item.parts[item.part_cnt++] =
			(struct list_part){ str_from(param->name),
					    str_from(param_type_names[param->type]),
					    str_from(param->doc) };
	}
	list_put(writer, &item);
}

static int list_events(const struct args *args, struct list_writer *writer)
{
	list_begin(writer);
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		if (!(schema->flags & EVENT_STATE))
			put_event(writer, schema);
	}
	list_end(writer);
	return EXIT_OK;
}

/* ---- options -------------------------------------------------------------------------------- */

static void put_option(struct list_writer *writer, const struct conf_option *option, bool is_sink)
{
	_cleanup_(buf_done) struct buf key, value, standard;
	struct list_item item = { 0 };

	buf_init(&key, 128);
	buf_init(&value, 4096);
	buf_init(&standard, 4096);
	buf_printf(&key, "%s%s", is_sink ? "sinks.NAME." : "", option->key);
	conf_option_value(option, &value);
	conf_option_default(option, is_sink, &standard);
	item.name = buf_str(&key);
	list_item_cell(&item, "value", buf_str(&value));
	list_item_cell(&item, "description", str_from(option->doc));
	list_item_cell(&item, "default", buf_str(&standard));
	list_item_cell(&item, "example", text_or_none(option->example));
	list_item_cell(&item, "secret",
		       option->is_secret ? STR("masked where it is shown") : STR(""));
	list_item_cell(&item, "reload", option->is_live ? STR("live") : STR("restart"));
	list_put(writer, &item);
}

static int list_options(const struct args *args, struct list_writer *writer)
{
	if (args_has(args, OPTION_YAML)) {
		_cleanup_(buf_done) struct buf example;

		buf_init(&example, 1u << 20);
		conf_example(&example);
		fwrite(example.p, 1, example.n, stdout);
		return EXIT_OK;
	}
	list_begin(writer);
	for (unsigned i = 0; conf_option_at(i); i++)
		put_option(writer, conf_option_at(i), false);
	for (unsigned i = 0; conf_sink_option_at(i); i++)
		put_option(writer, conf_sink_option_at(i), true);
	list_end(writer);
	return EXIT_OK;
}

/* ---- metrics -------------------------------------------------------------------------------- */

static int list_metrics(const struct args *args, struct list_writer *writer)
{
	list_begin(writer);
	for (unsigned i = 0; metric_at(i); i++) {
		const struct metric *metric = metric_at(i);
		struct list_item item = { .name = str_from(metric->name) };

		list_item_cell(&item, "type",
			       metric->type == METRIC_COUNTER ? STR("counter") : STR("gauge"));
		list_item_cell(&item, "description", str_from(metric->help));
		list_item_cell(&item, "labels", text_or_none(metric->labels));
		list_item_cell(&item, "unit", text_or_none(metric->unit));
		list_put(writer, &item);
	}
	list_end(writer);
	return EXIT_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static const struct list_kind {
	const char *name;
	struct list_title title;
	int (*print)(const struct args *args, struct list_writer *writer);
} kinds[] = {
	{ "rules", { "haetae-rules-loaded", "rules", "The rules that were loaded." }, list_rules },
	{ "fields",
	  { "haetae-fields", "fields of conditions and outputs of haetae rules",
	    "A condition compares fields with constants, an output prints them as\n"
	    ".Li % Ns Ar field .\n"
	    "A field without a value makes every comparison false, and is printed as\n"
	    ".Li <NA> ;\n"
	    "what stands behind\n"
	    ".Qq Absent\n"
	    "says when that is." },
	  list_fields },
	{ "events",
	  { "haetae-events", "events that haetae rules look at, and their parameters",
	    "The name of an event is what\n"
	    ".Li evt.type\n"
	    "is compared with; a parameter is\n"
	    ".Li evt.arg.NAME .\n"
	    "A syscall without an entry here is an event all the same, with its name and\n"
	    "its raw arguments, where a rule asks for it: see\n"
	    ".Sy syscall ." },
	  list_events },
	{ "metrics",
	  { "haetae-metrics", "metrics that haetae serves", "What /metrics serves." },
	  list_metrics },
	{ "options",
	  { "haetae.yaml", "configuration of haetae",
	    "The configuration of\n"
	    ".Xr haetae 8 ,\n"
	    "read from\n"
	    ".Pa /etc/haetae/haetae.yaml ,\n"
	    "where that exists, or from the file that\n"
	    ".Fl c\n"
	    "names.\n"
	    "Without one the built-in defaults count: the installed rules, and alerts on the\n"
	    "standard output.\n"
	    "Every option can also be set by\n"
	    ".Fl o Ar key Ns = Ns Ar value ,\n"
	    "which stands above the file.\n"
	    ".Pp\n"
	    "The file is one YAML map of maps; the parts of a key are maps in each other:\n"
	    ".Bd -literal -offset indent\n"
	    "metadata:\n"
	    "  deadline: 2s\n"
	    "sinks:\n"
	    "  - name: hook\n"
	    "    type: http\n"
	    "    url: https://hooks.example/haetae\n"
	    "    auth: {hmac_secret: \"${HOOK_SECRET}\"}\n"
	    ".Ed\n"
	    ".Pp\n"
	    "An unknown key, a key given twice and a value of the wrong form are errors, told\n"
	    "with file, line and column; anchors, aliases and tags of YAML are not allowed.\n"
	    ".Ql haetae check -c Ar file\n"
	    "validates a file,\n"
	    ".Ql haetae run --print-config\n"
	    "prints what counts and where each value came from,\n"
	    ".Ql haetae list options --yaml\n"
	    "prints a file of all options with their defaults.\n"
	    ".Pp\n"
	    "Times are digits and\n"
	    ".Cm ms , s , m , h No or Cm d ;\n"
	    "sizes digits and\n"
	    ".Cm KiB , MiB , GiB No or Cm TiB ;\n"
	    "rates digits and\n"
	    ".Cm /s , /m No or Cm /h ;\n"
	    "booleans\n"
	    ".Cm true No or Cm false .\n"
	    "In texts\n"
	    ".Li ${NAME}\n"
	    "is the variable of the environment, which has to be set;\n"
	    ".Li $${\n"
	    "is a plain\n"
	    ".Li ${ .\n"
	    "Secrets belong there: haetae warns of one that stands in a file which every user\n"
	    "can read.\n"
	    ".Pp\n"
	    "With\n"
	    ".Fl o\n"
	    "a list is given entry by entry, in several\n"
	    ".Fl o ,\n"
	    "or at once in brackets; it takes the place of the file's.\n"
	    "A sink is named by its name; one that does not exist is made.\n"
	    ".Pp\n"
	    "A closing alert of throttle or dedupe has the rule's name and priority, a text\n"
	    "that begins with the number of alerts that were suppressed, and under\n"
	    ".Li haetae.summary\n"
	    "the number, the times of the first and the last, and up to five distinct samples.\n"
	    ".Sh OPTIONS",
	    "options", '5' },
	  list_options },
};

static int unknown_kind(const char *word)
{
	struct near_name near;

	near_name_init(&near, str_from(word));
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		near_name_offer(&near, kinds[i].name);
	if (near.best)
		return args_usage_error(&command_list, "cannot list '%s'; did you mean '%s'?", word,
					near.best);
	return args_usage_error(&command_list, "cannot list '%s'", word);
}

static int run(const struct args *args)
{
	struct list_writer writer = { .format = LIST_TEXT, .out = stdout };
	unsigned format_cnt = 0;

	for (unsigned option = OPTION_JSON; option <= OPTION_MDOC; option++) {
		if (!args_has(args, option))
			continue;
		writer.format = LIST_JSON + (option - OPTION_JSON);
		format_cnt++;
	}
	if (format_cnt > 1)
		return args_usage_error(&command_list,
					"--json, --markdown and --mdoc exclude each other");
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, args->operands[0]) != 0)
			continue;
		writer.title = &kinds[i].title;
		return kinds[i].print(args, &writer);
	}
	return unknown_kind(args->operands[0]);
}

const struct command command_list = {
	.name = "list",
	.operands = "rules|fields|events|metrics|options",
	.summary = "print the rules, or what rules and the configuration can name",
	.description = "Prints one of the tables that the program works with: the rules that are\n"
		       "installed, the fields and events that rules may name, the options of "
		       "haetae.yaml,\n"
		       "the metrics that run serves.",
	.example = "haetae list fields --markdown",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 1,
	.operand_max = 1,
	.run = run,
};
