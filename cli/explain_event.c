/*
 * See explain_event.h. Owns what it reads for the duration of the command.
 */
#include "explain_event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "haetae/conf.h"
#include "haetae/daemon.h"
#include "haetae/fixture.h"
#include "haetae/kernel_filter.h"
#include "haetae/replay.h"
#include "haetae/text.h"
#include "haetae/trace.h"

#include "args.h"
#include "commands.h"

#define FILE_MAX     (64u << 20)
#define ARENA_MAX    (256u << 20)
#define SCRATCH_MAX  (8u << 20)
#define TEXT_MAX     (16u << 20)
#define CHECK_COLUMN 60
#define REASONS_MAX  8
#define ACTUAL_MAX   200

struct explanation {
	const struct ruleset *ruleset;
	struct diags *diags;
	const struct rule *rule, *shadow; /* shadow: an earlier one that matches; NULL: none */
	const struct trace_node *root;
	struct str source; /* of the event */
	uint32_t number;
	unsigned code;
	enum verdict verdict;
	bool is_recorded; /* the kernel's own record: */
	bool is_unwanted; /* its filter would have kept it back */
	struct buf out;
};

/* ---- the event ------------------------------------------------------------------------------ */

static int read_all(int fd, struct buf *content)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(content, chunk, (size_t)n);
		if (content->failed)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

/* "FILE:N", where there is no file of that whole name. */
static uint32_t split_number(const char *event, char path[PATH_MAX])
{
	const char *colon = strrchr(event, ':');
	size_t length = MIN(strlen(event), (size_t)PATH_MAX - 1);
	uint32_t number = 0;

	memcpy(path, event, length);
	path[length] = '\0';
	if (!colon || colon == event || access(event, F_OK) == 0 ||
	    !args_parse_u32(colon + 1, &number) || number == 0)
		return 0;
	path[MIN((size_t)(colon - event), (size_t)PATH_MAX - 1)] = '\0';
	return number;
}

static int read_events(const char *path, struct diags *diags, struct arena *arena,
		       struct fixtures *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	_cleanup_(close_fdp) int fd =
		is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_(buf_done) struct buf content = { 0 };
	uint32_t source;
	int r = fd < 0 ? -errno : 0;

	buf_init(&content, FILE_MAX);
	if (r == 0)
		r = read_all(fd, &content);
	source = r == 0 ? diags_add_source(diags, str_from(is_stdin ? "<stdin>" : path),
					   buf_str(&content))
			: 0;
	if (r == 0)
		r = source ? fixtures_read(arena, source, diags, ret) : -ENOMEM;
	if (r < 0) {
		fprintf(stderr, "haetae explain: cannot read %s: %s\n", path, strerror(-r));
		return EXIT_NOT_GOOD;
	}
	if (!diags_has_errors(diags))
		return EXIT_OK;
	diags_print(diags, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
	return EXIT_NOT_GOOD;
}

/* ---- words ---------------------------------------------------------------------------------- */

static const char *verdict_word(enum verdict verdict)
{
	return verdict == VERDICT_TRUE ? "yes" : verdict == VERDICT_FALSE ? "no" : "open";
}

static void put_cut(struct buf *out, struct str text)
{
	text_put_line(out, (struct str){ text.p, MIN(text.n, (uint32_t)ACTUAL_MAX) });
	if (text.n > ACTUAL_MAX)
		buf_puts(out, "…");
}

static void put_actual(struct buf *out, const struct trace_node *node)
{
	if (node->actual.p && node->actual.n == 0)
		buf_puts(out, "\"\"");
	else if (node->actual.p)
		put_cut(out, node->actual);
	else
		buf_puts(out, "no value");
	if (!node->has_right)
		return;
	buf_puts(out, " against ");
	if (node->right.p)
		put_cut(out, node->right);
	else
		buf_puts(out, "no value");
}

static const char *label_of(const struct trace_node *node)
{
	switch (node->kind) {
	case TRACE_AND:
		return "all of";
	case TRACE_OR:
		return "any of";
	case TRACE_NOT:
		return "not";
	case TRACE_MACRO:
		return "macro ";
	case TRACE_EXCEPTION:
		return "exception ";
	case TRACE_CHECK:
		break;
	}
	return "";
}

/* Characters, as a terminal counts most of them. */
static unsigned width_of(struct str text)
{
	unsigned width = 0;

	for (uint32_t i = 0; i < text.n; i++)
		width += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return width;
}

static void put_tree(struct buf *out, const struct trace_node *node, unsigned depth)
{
	size_t begin;

	buf_printf(out, "  %-5s", verdict_word(node->verdict));
	begin = out->n;
	buf_printf(out, "%*s%s", (int)depth * 2, "", label_of(node));
	put_cut(out, node->text);
	if (node->kind == TRACE_CHECK) {
		unsigned width =
			width_of((struct str){ out->p + begin, (uint32_t)(out->n - begin) });

		buf_printf(out, "%*s", width < CHECK_COLUMN ? (int)(CHECK_COLUMN - width) : 2, "");
		put_actual(out, node);
	}
	buf_putc(out, '\n');
	for (uint32_t i = 0; i < node->child_cnt; i++)
		put_tree(out, node->children[i], depth + 1);
}

/* The leaves that decided; an exception stands for what is below it. */
static void put_reasons(struct explanation *explanation, const struct trace_node *node,
			unsigned *cnt)
{
	struct buf *out = &explanation->out;
	enum verdict verdict = node->verdict;

	if (node->kind == TRACE_EXCEPTION && verdict == VERDICT_TRUE && ++*cnt <= REASONS_MAX) {
		buf_puts(out, "  the exception '");
		put_cut(out, node->text);
		buf_puts(out, "' leaves it out\n");
	}
	if (node->kind == TRACE_CHECK && node->is_decisive && ++*cnt <= REASONS_MAX) {
		struct diag_position at = diags_position(explanation->diags, node->at);

		buf_puts(out, "  ");
		put_cut(out, node->text);
		buf_printf(out, " is %s",
			   verdict == VERDICT_TRUE    ? "true"
			   : verdict == VERDICT_FALSE ? "false"
						      : "not known yet");
		buf_puts(out, ": ");
		put_actual(out, node);
		if (node->at.source)
			buf_printf(out, "  (%.*s:%u:%u)",
				   STR_ARG(explanation->diags->sources[node->at.source].name),
				   at.line, at.column);
		buf_putc(out, '\n');
	}
	for (uint32_t i = 0; i < node->child_cnt; i++)
		put_reasons(explanation, node->children[i], cnt);
}

static void put_head(struct explanation *explanation)
{
	struct buf *out = &explanation->out;

	text_put_line(out, explanation->rule->name);
	buf_puts(out, explanation->verdict == VERDICT_TRUE    ? " matches event "
		      : explanation->verdict == VERDICT_FALSE ? " does not match event "
							      : " cannot be decided on event ");
	buf_printf(out, "%u of ", explanation->number);
	text_put_line(out, explanation->source);
	buf_printf(out, " (%s)\n", event_code_name(explanation->code) ?: "?");
}

/* What would keep an alert back, or the event away, beside the condition. */
static void put_circumstances(struct explanation *explanation)
{
	const struct rule *rule = explanation->rule;
	struct buf *out = &explanation->out;
	struct event_set wanted;

	ruleset_events(explanation->ruleset, &wanted);
	if (rule->is_immature)
		buf_printf(out, "  the rule is off: its maturity is %s\n",
			   maturity_name(rule->maturity));
	else if (!rule->is_enabled)
		buf_puts(out,
			 "  the rule is off: it raises nothing until it is enabled or selected\n");
	if (!event_set_has(&rule->events, explanation->code))
		buf_printf(out, "  the rule does not look at events of type %s\n",
			   event_code_name(explanation->code) ?: "?");
	if (explanation->shadow) {
		buf_puts(out, "  '");
		text_put_line(out, explanation->shadow->name);
		buf_puts(out, "' stands before it and matches, too: it raises the alert, unless "
			      "rules.match is all\n");
	}
	buf_printf(
		out,
		event_set_has(&wanted, explanation->code)
			? "  the kernel reports such events: rules that are on look at %s\n"
			: "  the kernel does not report such events: no rule that is on looks at "
			  "%s\n",
		event_code_name(explanation->code) ?: "?");
	if (explanation->is_recorded && event_set_has(&wanted, explanation->code))
		buf_puts(out,
			 explanation->is_unwanted
				 ? "  the kernel filter would keep it back: no rule that is on "
				   "can match it\n"
				 : "  the kernel filter lets it pass\n");
}

static void put_text(struct explanation *explanation)
{
	unsigned cnt = 0;

	put_head(explanation);
	put_reasons(explanation, explanation->root, &cnt);
	if (cnt > REASONS_MAX)
		buf_printf(&explanation->out, "  and %u more\n", cnt - REASONS_MAX);
	put_circumstances(explanation);
	buf_putc(&explanation->out, '\n');
	put_tree(&explanation->out, explanation->root, 0);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_text_or_null(struct buf *out, const char *key, struct str text)
{
	buf_printf(out, ",\"%s\":", key);
	if (text.p)
		text_put_json_string(out, text);
	else
		buf_puts(out, "null");
}

static void put_node(struct explanation *explanation, const struct trace_node *node)
{
	static const char *const kinds[] = {
		[TRACE_AND] = "and",
		[TRACE_OR] = "or",
		[TRACE_NOT] = "not",
		[TRACE_MACRO] = "macro",
		[TRACE_EXCEPTION] = "exception",
		[TRACE_CHECK] = "check",
	};
	struct buf *out = &explanation->out;
	struct diag_position at = diags_position(explanation->diags, node->at);

	buf_printf(out, "{\"kind\":\"%s\",\"verdict\":\"%s\"", kinds[node->kind],
		   verdict_word(node->verdict));
	if (node->text.n)
		put_text_or_null(out, "text", node->text);
	if (node->kind == TRACE_CHECK) {
		put_text_or_null(out, "actual", node->actual);
		if (node->has_right)
			put_text_or_null(out, "right", node->right);
		buf_printf(out, ",\"decisive\":%s", node->is_decisive ? "true" : "false");
		if (node->at.source) {
			put_text_or_null(out, "file",
					 explanation->diags->sources[node->at.source].name);
			buf_printf(out, ",\"line\":%u,\"column\":%u", at.line, at.column);
		}
	}
	for (uint32_t i = 0; i < node->child_cnt; i++) {
		buf_puts(out, i ? "," : ",\"parts\":[");
		put_node(explanation, node->children[i]);
	}
	buf_puts(out, node->child_cnt ? "]}" : "}");
}

static void put_json(struct explanation *explanation)
{
	struct buf *out = &explanation->out;
	struct event_set wanted;

	ruleset_events(explanation->ruleset, &wanted);
	buf_printf(out, "{\"verdict\":\"%s\"", verdict_word(explanation->verdict));
	put_text_or_null(out, "rule", explanation->rule->name);
	put_text_or_null(out, "event_file", explanation->source);
	buf_printf(out, ",\"event\":%u,\"event_type\":\"%s\",\"enabled\":%s", explanation->number,
		   event_code_name(explanation->code) ?: "",
		   explanation->rule->is_enabled ? "true" : "false");
	put_text_or_null(out, "shadowed_by",
			 explanation->shadow ? explanation->shadow->name : STR_NONE);
	buf_printf(out, ",\"kernel_reports\":%s",
		   event_set_has(&wanted, explanation->code) ? "true" : "false");
	if (explanation->is_recorded)
		buf_printf(out, ",\"kernel_filter_passes\":%s",
			   explanation->is_unwanted ? "false" : "true");
	buf_puts(out, ",\"tree\":");
	put_node(explanation, explanation->root);
	buf_puts(out, "}\n");
}

/* ---- all ------------------------------------------------------------------------------------ */

struct first_hit {
	const struct rule *own, *earlier;
};

static void on_hit(const struct rule *rule, void *data)
{
	struct first_hit *hit = data;

	if (!hit->earlier && rule->index < hit->own->index)
		hit->earlier = rule;
}

static int evaluate(struct explanation *explanation, const struct field_context *context,
		    struct arena *arena)
{
	_cleanup_(matcher_freep) struct matcher *matcher = NULL;
	struct first_hit hit = { .own = explanation->rule };
	int r = rule_trace(explanation->ruleset, explanation->rule, context, arena,
			   &explanation->root);

	if (r != 0)
		return r;
	explanation->verdict = explanation->root->verdict;
	if (!event_set_has(&explanation->rule->events, explanation->code))
		explanation->verdict = VERDICT_FALSE;
	r = matcher_new(explanation->ruleset, &matcher);
	if (r == 0)
		(void)matcher_run(matcher, context, on_hit, NULL, &hit);
	explanation->shadow = hit.earlier;
	return r;
}

static int evaluate_fixture(struct explanation *explanation, const struct fixture *fixture,
			    struct arena *arena)
{
	_cleanup_(arena_done) struct arena scratch = { 0 };
	struct field_context context;
	struct fixture_event event;

	explanation->code = fixture_code(fixture);
	/* An alert that does not say it: a type that the rule looks at. */
	for (unsigned code = 0; explanation->code >= EVENT_CODE__COUNT && code < EVENT_CODE__COUNT;
	     code++)
		if (event_set_has(&explanation->rule->events, code))
			explanation->code = code;
	if (explanation->code >= EVENT_CODE__COUNT)
		explanation->code = EVENT_GENERIC;
	arena_init(&scratch, SCRATCH_MAX);
	fixture_begin(&event, fixture, explanation->code, &scratch, &context);
	return evaluate(explanation, &context, arena);
}

/* ---- captures ------------------------------------------------------------------------------- */

struct captured {
	struct explanation *explanation;
	struct arena *arena;
	bool is_found;
	int result;
};

/* Of a record the filter decides what it decided of the call. */
static int ask_filter(struct explanation *explanation, const struct event *event)
{
	struct kernel_filter filter;
	int r = ruleset_kernel_filter(explanation->ruleset, &filter);

	explanation->is_recorded = r == 0;
	explanation->is_unwanted = r == 0 && !kernel_filter_passes(&filter, event);
	kernel_filter_done(&filter);
	return r;
}

/* The event is at hand only now. */
static bool on_captured(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct captured *captured = data;
	struct field_context fields = *context->fields;

	(void)rule;
	fields.is_final = true;
	captured->is_found = true;
	captured->explanation->code = fields.event->code;
	captured->result = ask_filter(captured->explanation, fields.event);
	if (captured->result == 0)
		captured->result = evaluate(captured->explanation, &fields, captured->arena);
	return false;
}

static void replay_freep(struct replay **replay)
{
	*replay = replay_free(*replay);
}

/* A rule of our own finds the event. 0, a negative errno, or a result of the replay or the trace.
 */
static int replay_to(struct captured *captured, const struct conf *conf, const char *path,
		     uint32_t number)
{
	const struct replay_config config = { .daemon = &conf->daemon,
					      .on_hit = on_captured,
					      .data = captured };
	_cleanup_(replay_freep) struct replay *replay = NULL;
	_cleanup_(diags_done) struct diags diags = { 0 };
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	char condition[40];
	const struct rules_own own = {
		.name = STR("event"),
		.condition = { condition, (uint32_t)snprintf(condition, sizeof(condition),
							     "evt.num = %u", number) },
		.output_name = STR("event"),
		.output = STR("%evt.num"),
		.sees_all = true
	};
	int r;

	diags_init(&diags);
	rules_options_default(&options);
	options.compile_output = template_compile;
	r = ruleset_load_own(NULL, 0, &own, &options, &diags, &ruleset);
	if (r == 0)
		r = replay_new(&config, ruleset, &replay);
	if (r == 0)
		r = replay_file(replay, path);
	if (captured->is_found || r < 0)
		return captured->is_found ? 0 : r;
	if (r == 0)
		return args_usage_error(&command_explain,
					"%s has no event %u; 'haetae dump %s' prints them", path,
					number, path);
	fprintf(stderr, "haetae explain: %s\n", replay_message(replay));
	return EXIT_NOT_GOOD;
}

/* *ret_result: of evaluate(). Returns an exit_code. */
static int evaluate_captured(struct explanation *explanation, const char *path, uint32_t number,
			     struct arena *arena, int *ret_result)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	_cleanup_(diags_done) struct diags diags = { 0 };
	struct captured captured = { .explanation = explanation, .arena = arena };
	int r;

	*ret_result = 0;
	diags_init(&diags);
	if (!number)
		return args_usage_error(&command_explain,
					"say which event: %s:N; 'haetae dump %s' prints their "
					"numbers",
					path, path);
	if (!conf || conf_finish(conf, &diags) != 0) {
		*ret_result = -ENOMEM;
		return EXIT_OK;
	}
	r = replay_to(&captured, conf, path, number);
	*ret_result = r < 0 ? r : captured.result;
	return MAX(r, 0);
}

/* result: of evaluate(). */
static int print(struct explanation *explanation, bool want_json, int result)
{
	if (result != 0) {
		fprintf(stderr, "haetae explain: '%.*s': %s\n", STR_ARG(explanation->rule->name),
			result == TRACE_E_LARGE ? "its condition is too large to be shown as a tree"
			: result == TRACE_E_NONE
				? "its condition was skipped; 'haetae check' says why"
				: strerror(-result));
		return EXIT_NOT_GOOD;
	}
	buf_init(&explanation->out, TEXT_MAX);
	if (want_json)
		put_json(explanation);
	else
		put_text(explanation);
	fwrite(buf_str(&explanation->out).p, 1, explanation->out.n, stdout);
	if (explanation->out.failed)
		fprintf(stderr, "haetae explain: the explanation is too long to show whole\n");
	buf_done(&explanation->out);
	return EXIT_OK;
}

int explain_event(const struct ruleset *ruleset, struct diags *diags, const struct rule *rule,
		  const char *event, bool want_json)
{
	struct explanation explanation = { .ruleset = ruleset, .diags = diags, .rule = rule };
	_cleanup_(arena_done) struct arena arena = { 0 };
	struct fixtures events = { 0 };
	char path[PATH_MAX];
	uint32_t number = split_number(event, path);
	int r;

	arena_init(&arena, ARENA_MAX);
	explanation.source = str_from(strcmp(path, "-") == 0 ? "<stdin>" : path);
	if (str_ends_with(str_from(path), STR(".hcap"))) {
		int exit_code = evaluate_captured(&explanation, path, number, &arena, &r);

		explanation.number = number;
		return exit_code == EXIT_OK ? print(&explanation, want_json, r) : exit_code;
	}
	r = read_events(path, diags, &arena, &events);
	if (r != EXIT_OK)
		return r;
	if (number == 0 && events.cnt > 1)
		return args_usage_error(&command_explain, "%s has %u events; say which: %s:1", path,
					events.cnt, path);
	number = number ? number : 1;
	if (number > events.cnt)
		return args_usage_error(&command_explain, "%s has %u event%s", path, events.cnt,
					events.cnt == 1 ? "" : "s");
	if (fixture_is_never(events.items[number - 1])) {
		fprintf(stderr, "haetae explain: this architecture never has such an event\n");
		return EXIT_NOT_GOOD;
	}
	explanation.number = number;
	r = evaluate_fixture(&explanation, events.items[number - 1], &arena);
	return print(&explanation, want_json, r);
}
