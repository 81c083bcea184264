/*
 * One generation of rules: files, definitions, selection, outputs, program. Owns the arena that all
 * of it lives in; immutable once loaded, freed whole. Loaded by the thread that asks, read by the
 * engine's.
 */
#include "ruleset.h"

#include <errno.h>
#include <strings.h>

#include "addition.h"
#include "codes.h"
#include "loader.h"
#include "program.h"
#include "rule_files.h"
#include "select.h"

/* 10,000 rules take some tens of megabytes. */
#define ARENA_BYTES_MAX (1u << 30)

/* ---- priorities ------------------------------------------------------------------------------ */

static const char *const priority_names[] = {
	[PRIORITY_EMERGENCY] = "Emergency",
	[PRIORITY_ALERT] = "Alert",
	[PRIORITY_CRITICAL] = "Critical",
	[PRIORITY_ERROR] = "Error",
	[PRIORITY_WARNING] = "Warning",
	[PRIORITY_NOTICE] = "Notice",
	[PRIORITY_INFORMATIONAL] = "Informational",
	[PRIORITY_DEBUG] = "Debug",
};
_Static_assert(ARRAY_LEN(priority_names) == PRIORITY__COUNT, "one name a priority");

const char *priority_name(enum priority priority)
{
	return priority_names[priority];
}

static bool is_word(struct str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

bool priority_parse(struct str name, enum priority *ret)
{
	for (unsigned i = 0; i < PRIORITY__COUNT; i++) {
		if (!is_word(name, priority_names[i]) &&
		    !(i == PRIORITY_INFORMATIONAL && is_word(name, "info")))
			continue;
		*ret = (enum priority)i;
		return true;
	}
	return false;
}

/* ---- loading --------------------------------------------------------------------------------- */

void rules_options_default(struct rules_options *options)
{
	*options = (struct rules_options){ .min_priority = PRIORITY_DEBUG };
}

/* What a load needs beside the ruleset. */
struct load {
	struct ruleset *ruleset;
	const struct rules_options *options;
	struct diags *diags;
	bool *is_active; /* one for each rule of defs */
};

/* Only what skip-if-unknown-filter forgives: names that nobody knows (rule-language.md 1.10). */
static bool are_unknown_names(const struct diags *diags, uint32_t begin)
{
	for (uint32_t i = begin; i < diags->item_cnt; i++) {
		const struct diag *diag = &diags->items[i];

		if (diag->level == DIAG_ERROR && strcmp(diag->code, "E0601") != 0 &&
		    strcmp(diag->code, "E0301") != 0) /* the same below a transformer */
			return false;
	}
	return begin < diags->item_cnt && diags->suppressed_cnt == 0 && !diags->failed;
}

/* Takes the errors of an output back and warns instead. */
static void forgive(struct diags *diags, const struct diags *before, const struct rule_def *def)
{
	struct diag first = diags->items[before->item_cnt];

	diags->item_cnt = before->item_cnt;
	diags->error_cnt = before->error_cnt;
	diags->warning_cnt = before->warning_cnt;
	diags_warning(diags, text_whole(&def->name), "W0411",
		      "remove skip-if-unknown-filter to have this as an error",
		      "rule '%.*s' is skipped: %.*s in its output", STR_ARG(def->name.s),
		      STR_ARG(first.text));
	diags_related(diags, first.at, "named here");
}

/* Outputs are compiled from their text alone; mistakes were placed in that. */
static void place_in_files(struct diags *diags, uint32_t first, const struct text *output)
{
	for (uint32_t i = first; i < diags->item_cnt; i++)
		diags->items[i].at =
			text_span(output, diags->items[i].at.offset, diags->items[i].at.length);
}

static void compile_output(const struct load *load, uint32_t i)
{
	const struct rule_def *def = &load->ruleset->defs.rules[i];
	struct span at = { text_whole(&def->output).source, 0, def->output.s.n };
	struct diags before = *load->diags;

	if (!load->options->compile_output || def->is_foreign || !def->output.s.p)
		return;
	load->ruleset->rules[i].template = load->options->compile_output(
		&load->ruleset->arena, def->output.s, &at, load->diags);
	place_in_files(load->diags, before.item_cnt, &def->output);
	if (load->ruleset->rules[i].template || !def->skip_if_unknown_filter ||
	    !are_unknown_names(load->diags, before.item_cnt))
		return;
	forgive(load->diags, &before, def);
	load->is_active[i] = false;
}

static void describe_rule(struct rule *rule, const struct rule_def *def, uint32_t index)
{
	*rule = (struct rule){
		.name = def->name.s,
		.desc = def->desc.s,
		.source = def->source.s,
		.condition = def->condition.s,
		.output = def->output.s,
		.file = def->place.file,
		.line = def->place.line,
		.priority = def->priority,
		.tags = def->tags,
		.tag_cnt = def->tag_cnt,
		.index = index,
		.is_self_test = def->is_self_test,
		.want_capture = def->want_capture,
		.capture_ns = def->capture_ms * 1000000ULL,
	};
}

static void apply_selection(struct load *load, uint32_t index, bool *is_used)
{
	const struct rule_def *def = &load->ruleset->defs.rules[index];
	enum selection selection = select_rule(load->options, def, is_used);

	load->is_active[index] = selection == SELECTION_ON;
	load->ruleset->rules[index].maturity = select_maturity(def);
	load->ruleset->rules[index].is_immature = selection == SELECTION_IMMATURE;
}

static int describe_rules(struct load *load)
{
	struct ruleset *ruleset = load->ruleset;
	const struct rules_options *options = load->options;
	uint32_t cnt = ruleset->defs.rule_cnt;
	_cleanup_(freep) bool *is_used = calloc(options->selector_cnt + 1u, sizeof(*is_used));
	_cleanup_(freep) bool *is_good = calloc(options->addition_cnt + 1u, sizeof(*is_good));

	ruleset->rules = arena_new_array(&ruleset->arena, struct rule, cnt);
	load->is_active = arena_new_array(&ruleset->arena, bool, cnt);
	if (!ruleset->rules || !load->is_active || !is_used || !is_good)
		return -ENOMEM;
	additions_check(options, &ruleset->arena, load->diags, is_good);
	for (uint32_t i = 0; i < cnt; i++) {
		if (!additions_apply(options, is_good, &ruleset->arena, &ruleset->defs.rules[i]))
			return -ENOMEM;
		describe_rule(&ruleset->rules[i], &ruleset->defs.rules[i], i);
		apply_selection(load, i, is_used);
		compile_output(load, i);
	}
	select_warn_unused(options, is_used, load->diags);
	ruleset->rule_cnt = cnt;
	return 0;
}

static void sum_up(const struct load *load)
{
	struct ruleset *ruleset = load->ruleset;

	for (uint32_t i = 0; i < ruleset->rule_cnt; i++) {
		const struct compiled_rule *compiled = &ruleset->compiled[i];
		struct rule *rule = &ruleset->rules[i];

		rule->events = compiled->events;
		rule->is_enabled = load->is_active[i] && !compiled->is_skipped;
		if (!rule->is_enabled)
			continue;
		for (unsigned w = 0; w < ARRAY_LEN(ruleset->events.bits); w++)
			ruleset->events.bits[w] |= compiled->events.bits[w];
		ruleset->needs |= compiled->needs;
	}
}

/* Definitions to a ruleset. Everything is checked even where something failed before. */
static int compile(struct loader *loader, struct load *load)
{
	struct ruleset *ruleset = load->ruleset;
	int r = loader_finish(loader, &ruleset->defs);

	if (r == 0)
		r = describe_rules(load);
	if (r < 0)
		return r;
	r = program_compile(&ruleset->arena, &ruleset->defs, load->is_active,
			    load->options->is_match_all, load->diags, &ruleset->compiled,
			    &ruleset->program);
	if (r < 0 || load->diags->failed || ruleset->arena.failed)
		return r < 0 ? r : -ENOMEM;
	if (r > 0 || diags_has_errors(load->diags))
		return RULES_E_INVALID;
	sum_up(load);
	return 0;
}

static bool add_self_test(struct loader *loader, const struct rules_own *own)
{
	uint32_t condition = diags_add_source(loader->diags, own->name, own->condition);
	uint32_t output = diags_add_source(loader->diags, own->output_name, own->output);

	if (!condition || !output)
		return false;
	loader_add_own(loader, own, condition, output);
	return true;
}

/* Where loading starts: `add` feeds the loader. */
static int load_with(void (*add)(struct loader *loader, const void *data), const void *data,
		     const struct rules_options *options, struct diags *diags, struct ruleset **ret)
{
	_cleanup_(ruleset_freep) struct ruleset *ruleset = calloc(1, sizeof(*ruleset));
	_cleanup_(loader_done) struct loader loader;
	struct load load = { ruleset, options, diags, NULL };
	uint32_t errors_before = diags->error_cnt, diags_before = diags->item_cnt;
	int r;

	loader_init(&loader, ruleset ? &ruleset->arena : NULL, diags);
	if (!ruleset)
		return -ENOMEM;
	arena_init(&ruleset->arena, ARENA_BYTES_MAX);
	if (options->self_test && !add_self_test(&loader, options->self_test))
		return -ENOMEM;
	add(&loader, data);
	r = compile(&loader, &load);
	if (r < 0)
		return r;
	codes_add_hints(diags, diags_before);
	diags_sort(diags);
	if (r > 0 || diags->error_cnt > errors_before)
		return RULES_E_INVALID;
	*ret = TAKE_PTR(ruleset);
	return 0;
}

struct paths {
	const char *const *items;
	uint32_t cnt;
};

static void add_paths(struct loader *loader, const void *data)
{
	const struct paths *paths = data;

	for (uint32_t i = 0; i < paths->cnt && !loader->is_out_of_memory; i++)
		rule_files_add(loader, paths->items[i]);
}

static void add_text(struct loader *loader, const void *data)
{
	loader_add(loader, *(const uint32_t *)data);
}

int ruleset_load(const char *const *paths, uint32_t path_cnt, const struct rules_options *options,
		 struct diags *diags, struct ruleset **ret)
{
	struct paths all = { paths, path_cnt };

	return load_with(add_paths, &all, options, diags, ret);
}

int ruleset_load_text(struct str name, struct str text, const struct rules_options *options,
		      struct diags *diags, struct ruleset **ret)
{
	uint32_t source = diags_add_source(diags, name, text);

	return source ? load_with(add_text, &source, options, diags, ret) : -ENOMEM;
}

struct own_load {
	struct paths paths;
	const struct rules_own *own;
	uint32_t condition, output;
};

static void add_own(struct loader *loader, const void *data)
{
	const struct own_load *own = data;

	add_paths(loader, &own->paths);
	loader_add_own(loader, own->own, own->condition, own->output);
}

int ruleset_load_own(const char *const *paths, uint32_t path_cnt, const struct rules_own *own,
		     const struct rules_options *options, struct diags *diags, struct ruleset **ret)
{
	const struct rule_selector selectors[] = {
		{ .is_enable = false, .rule_pattern = STR("*") },
		{ .is_enable = true, .rule_pattern = own->name },
	};
	struct rules_options only = *options;
	struct own_load load = {
		.paths = { paths, path_cnt },
		.own = own,
		.condition = diags_add_source(diags, own->name, own->condition),
		.output = diags_add_source(diags, own->output_name, own->output),
	};

	only.min_priority = PRIORITY_DEBUG;
	only.self_test = NULL;
	only.selectors = selectors;
	only.selector_cnt = ARRAY_LEN(selectors);
	only.addition_cnt = 0;
	if (!load.condition || !load.output)
		return -ENOMEM;
	return load_with(add_own, &load, &only, diags, ret);
}

struct ruleset *ruleset_free(struct ruleset *ruleset)
{
	if (ruleset)
		arena_done(&ruleset->arena);
	free(ruleset);
	return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

uint32_t ruleset_rule_cnt(const struct ruleset *ruleset)
{
	return ruleset->rule_cnt;
}

const struct rule *ruleset_rule(const struct ruleset *ruleset, uint32_t index)
{
	return &ruleset->rules[index];
}

const struct rule *ruleset_find(const struct ruleset *ruleset, struct str name)
{
	const struct rule_def *def = defs_find_rule(&ruleset->defs, name);

	return def ? &ruleset->rules[def - ruleset->defs.rules] : NULL;
}

void ruleset_events(const struct ruleset *ruleset, struct event_set *ret)
{
	*ret = ruleset->events;
}

uint32_t ruleset_needs(const struct ruleset *ruleset)
{
	return ruleset->needs;
}

const struct str *ruleset_host_names(const struct ruleset *ruleset, uint32_t *ret_cnt)
{
	*ret_cnt = ruleset->program->host_name_cnt;
	return ruleset->program->host_names;
}

const struct program *ruleset_program(const struct ruleset *ruleset)
{
	return ruleset->program;
}

void ruleset_dump_plan(const struct ruleset *ruleset, struct buf *out)
{
	program_dump(ruleset->program, out);
}
