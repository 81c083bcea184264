/*
 * See test_run.h. Owns the matcher and the lists of struct test_run; a file of events is read when
 * its test runs. Main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/text.h"

#include "test_run.h"

#define SCRATCH_MAX	(8u << 20)
#define TEXT_MAX	(1u << 20)
#define EVENTS_FILE_MAX (64u << 20)
/* Alerts of one test that are told one by one. */
#define TOLD_MAX 20

/* What one test raised. */
struct raised {
	struct test_run *run;
	const struct rule_test *test;
	const struct rule *own;	     /* NULL: nobody's test */
	const struct rule *hits[64]; /* of the event at hand, in their order; more are counted */
	uint32_t hit_cnt;
	bool is_own_hit;
	const struct rule *first_other; /* that stood before the own rule */
	const struct rule *last_first;	/* of the event of a capture */
	bool was_own_raised, is_out_of_memory, is_skipped;
	const struct rule **rules; /* of alerts; owned; each once */
	uint32_t rule_cnt;
	uint64_t alert_cnt;
	uint64_t last_number;	 /* of an event of a capture that raised an alert */
	struct buf text, fields; /* of the first alert; owned */
	struct buf why;		 /* owned */
};

int test_run_init(struct test_run *run, const struct ruleset *ruleset, struct diags *diags,
		  struct arena *arena)
{
	uint32_t cnt = ruleset_rule_cnt(ruleset);

	*run = (struct test_run){ .ruleset = ruleset, .diags = diags, .arena = arena };
	arena_init(&run->scratch, SCRATCH_MAX);
	run->hits = calloc(cnt + 1, sizeof(*run->hits));
	run->misses = calloc(cnt + 1, sizeof(*run->misses));
	if (!run->hits || !run->misses)
		return -ENOMEM;
	return matcher_new(ruleset, &run->matcher);
}

void test_run_done(struct test_run *run)
{
	run->replay = replay_free(run->replay);
	run->conf = conf_free(run->conf);
	run->matcher = matcher_free(run->matcher);
	arena_done(&run->scratch);
	free(run->results);
	free(run->hits);
	free(run->misses);
}

/* ---- events --------------------------------------------------------------------------------- */

static void on_hit(const struct rule *rule, void *data)
{
	struct raised *raised = data;

	raised->is_own_hit |= rule == raised->own;
	if (raised->hit_cnt < ARRAY_LEN(raised->hits))
		raised->hits[raised->hit_cnt++] = rule;
}

static void put_alert(struct raised *raised, const struct rule *rule,
		      const struct field_context *context)
{
	bool is_known = false;

	for (uint32_t i = 0; i < raised->rule_cnt; i++)
		is_known |= raised->rules[i] == rule;
	if (!is_known)
		raised->rules[raised->rule_cnt++] = rule;
	if (raised->alert_cnt++ > 0 || !rule->template)
		return;
	template_format(rule->template, context, &raised->text);
	template_format_fields(rule->template, context, &raised->fields);
}

/* Of an alert whose text did not name evt.type: one that its rule looks at. */
static unsigned code_of(const struct test_run *run, const struct fixture *fixture)
{
	unsigned code = fixture_code(fixture);
	const struct rule *rule;

	if (code < EVENT_CODE__COUNT)
		return code;
	rule = ruleset_find(run->ruleset, fixture_rule(fixture));
	for (code = 0; rule && code < EVENT_CODE__COUNT; code++)
		if (event_set_has(&rule->events, code))
			return code;
	return EVENT_GENERIC;
}

static void run_event(struct raised *raised, const struct fixture *fixture)
{
	struct test_run *run = raised->run;
	const struct rule *first;
	struct field_context context;
	struct fixture_event event;

	raised->hit_cnt = 0;
	raised->is_own_hit = false;
	if (fixture_is_never(fixture)) {
		raised->is_skipped = true;
		return;
	}
	fixture_begin(&event, fixture, code_of(run, fixture), &run->scratch, &context);
	(void)matcher_run(run->matcher, &context, on_hit, NULL, raised);
	first = raised->hit_cnt ? raised->hits[0] : NULL;
	if (raised->test->is_alone)
		first = raised->is_own_hit ? raised->own : NULL;
	if (raised->is_own_hit)
		run->hits[raised->own->index] += 1;
	if (raised->is_own_hit && first != raised->own && !raised->first_other)
		raised->first_other = first;
	raised->was_own_raised |= first && first == raised->own;
	if (first)
		put_alert(raised, first, &context);
	if (run->coverage && (raised->own || first))
		raised->is_out_of_memory |=
			test_coverage_add(run->coverage, run->ruleset,
					  raised->own ? raised->own : first, &context) < 0;
	arena_reset(&run->scratch);
	run->event_cnt++;
}

/* ---- files of events ------------------------------------------------------------------------ */

static void cannot_read(const struct raised *raised, const char *path, int error)
{
	diags_error(raised->run->diags, raised->test->events_at, "E0807",
		    "the path is relative to the file of the test", "cannot read %s: %s", path,
		    strerror(error));
}

static int read_file(const char *path, struct buf *content)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(content, chunk, (size_t)n);
		if (content->failed)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

/* Beside the file of the test. */
static bool find_path(const struct raised *raised, char *ret, size_t size)
{
	struct str name = raised->run->diags->sources[raised->test->at.source].name;
	struct str path = raised->test->events_path;
	const char *slash = memrchr(name.p, '/', name.n);
	uint32_t folder_n = slash && path.p[0] != '/' ? (uint32_t)(slash + 1 - name.p) : 0;

	return (size_t)snprintf(ret, size, "%.*s%.*s", (int)folder_n, name.p, STR_ARG(path)) < size;
}

/* ---- captures ------------------------------------------------------------------------------- */

/* All rules that match an event, in their order: the first one raises the alert. */
static bool on_replayed(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct test_run *run = data;
	struct raised *raised = run->at_hand;
	uint64_t number = context->fields->event->number;
	const struct rule *same = ruleset_find(run->ruleset, rule->name);
	bool is_first = number != raised->last_number;

	raised->last_number = number;
	if (same == raised->own && raised->own)
		run->hits[same->index]++;
	if (same == raised->own && !is_first && !raised->first_other)
		raised->first_other = raised->last_first;
	if (is_first)
		raised->last_first = same;
	if (raised->test->is_alone ? same != raised->own : !is_first)
		return true;
	raised->was_own_raised |= same == raised->own;
	put_alert(raised, same, context->fields);
	return true;
}

static int make_replay(struct test_run *run)
{
	const struct rule_selector everything = { .is_enable = true, .rule_pattern = STR("*") };
	_cleanup_(diags_done) struct diags diags = { 0 };
	struct ruleset *ruleset = NULL;
	struct rules_options options;
	int r;

	diags_init(&diags);
	run->conf = conf_new();
	if (!run->conf || conf_finish(run->conf, &diags) != 0)
		return -ENOMEM;
	rules_options_default(&options);
	options.compile_output = template_compile;
	options.is_match_all = true;
	options.selectors = &everything;
	options.selector_cnt = 1;
	r = ruleset_load(run->paths, run->path_cnt, &options, &diags, &ruleset);
	if (r != 0)
		return r < 0 ? r : -EINVAL; /* they loaded a moment ago */
	run->replay_config = (struct replay_config){ .daemon = &run->conf->daemon,
						     .on_hit = on_replayed,
						     .data = run };
	return replay_new(&run->replay_config, ruleset, &run->replay);
}

static int run_capture(struct raised *raised, const char *path)
{
	struct test_run *run = raised->run;
	struct replay_stats stats = { 0 };
	uint64_t before = 0;
	int r = run->replay ? 0 : make_replay(run);

	if (r < 0)
		return r;
	run->at_hand = raised;
	replay_stats(run->replay, &stats);
	before = stats.events;
	r = replay_file(run->replay, path);
	replay_stats(run->replay, &stats);
	run->event_cnt += stats.events - before;
	if (r != 0)
		diags_error(run->diags, raised->test->events_at, "E0807",
			    "the path is relative to the file of the test", "%s",
			    replay_message(run->replay));
	return r == -ENOMEM ? r : 0;
}

static int run_file(struct raised *raised)
{
	struct test_run *run = raised->run;
	_cleanup_(buf_done) struct buf content;
	struct fixtures events;
	char path[PATH_MAX];
	uint32_t source;
	int r;

	buf_init(&content, EVENTS_FILE_MAX);
	r = find_path(raised, path, sizeof(path)) ? 0 : -ENAMETOOLONG;
	if (r == 0 && str_ends_with(str_from(path), STR(".hcap")))
		return run_capture(raised, path);
	if (r == 0)
		r = read_file(path, &content);
	if (r < 0) {
		cannot_read(raised, path, -r);
		return 0;
	}
	source = diags_add_source(run->diags, str_from(path), buf_str(&content));
	if (!source)
		return -ENOMEM;
	r = fixtures_read(run->arena, source, run->diags, &events);
	for (uint32_t i = 0; r == 0 && i < events.cnt; i++)
		run_event(raised, events.items[i]);
	return r;
}

/* ---- what was expected ---------------------------------------------------------------------- */

static void say(struct raised *raised, const char *what, struct str expected, struct str got)
{
	struct buf *why = &raised->why;

	buf_printf(why, "%s%s\n  expected: ", why->n ? "\n" : "", what);
	text_put_line(why, expected);
	buf_puts(why, "\n  actual:   ");
	text_put_line(why, got);
}

static void put_names(const struct raised *raised, struct buf *out)
{
	for (uint32_t i = 0; i < raised->rule_cnt && i < TOLD_MAX; i++) {
		buf_puts(out, i ? ", " : "");
		buf_put_str(out, raised->rules[i]->name);
	}
	if (raised->rule_cnt > TOLD_MAX)
		buf_printf(out, " and %u more", raised->rule_cnt - TOLD_MAX);
	if (!raised->rule_cnt)
		buf_puts(out, "no alert");
}

static void check_match(struct raised *raised)
{
	const struct rule_test *test = raised->test;
	_cleanup_(buf_done) struct buf got = { 0 };

	/* A near miss of a rule that another one covers is a miss all the same. */
	if (!test->has_match || test->is_match == raised->was_own_raised)
		return;
	buf_init(&got, TEXT_MAX);
	if (test->is_match && raised->first_other)
		buf_printf(&got, "it matches, but '%.*s' stands before it and raises the alert",
			   STR_ARG(raised->first_other->name));
	else if (test->is_match && raised->rule_cnt)
		put_names(raised, &got);
	else
		buf_puts(&got, test->is_match ? "no alert" : "an alert");
	say(raised, "match",
	    test->is_match ? STR("an alert of the rule") : STR("no alert of the rule"),
	    buf_str(&got));
}

static int compare_rules(const void *a, const void *b)
{
	return str_cmp((*(const struct rule *const *)a)->name,
		       (*(const struct rule *const *)b)->name);
}

static void check_alerts(struct raised *raised)
{
	const struct rule_test *test = raised->test;
	_cleanup_(buf_done) struct buf expected = { 0 }, got = { 0 };
	bool is_same = test->alert_cnt == raised->rule_cnt;

	if (!test->has_alerts)
		return;
	if (raised->rule_cnt)
		qsort(raised->rules, raised->rule_cnt, sizeof(*raised->rules), compare_rules);
	for (uint32_t i = 0; is_same && i < test->alert_cnt; i++)
		is_same = str_eq(test->alerts[i], raised->rules[i]->name);
	if (is_same)
		return;
	buf_init(&expected, TEXT_MAX);
	buf_init(&got, TEXT_MAX);
	for (uint32_t i = 0; i < test->alert_cnt; i++) {
		buf_puts(&expected, i ? ", " : "");
		buf_put_str(&expected, test->alerts[i]);
	}
	put_names(raised, &got);
	say(raised, "alerts", test->alert_cnt ? buf_str(&expected) : STR("no alert"),
	    buf_str(&got));
}

static void check_count(struct raised *raised)
{
	char expected[32], got[32];

	if (!raised->test->has_count || raised->test->count == raised->alert_cnt)
		return;
	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)raised->test->count);
	snprintf(got, sizeof(got), "%llu", (unsigned long long)raised->alert_cnt);
	say(raised, "count of alerts", str_from(expected), str_from(got));
}

static void check_output(struct raised *raised)
{
	const struct rule_test *test = raised->test;
	struct str text = raised->alert_cnt ? buf_str(&raised->text) : STR("no alert");

	if (test->equals.p && (!raised->alert_cnt || !str_eq(text, test->equals)))
		say(raised, "output equals", test->equals, text);
	if (test->contains.p && (!raised->alert_cnt || !str_contains(text, test->contains)))
		say(raised, "output contains", test->contains, text);
	if (test->matches.p &&
	    (!raised->alert_cnt || !rule_test_matches(test, text, &raised->run->scratch)))
		say(raised, "output matches", test->matches, text);
}

/* The value of `name` in the flat object that template_format_fields() wrote: its strings are
 * escaped as text_put_json() does, so the expected one is, too. */
static bool find_json(struct str object, struct str name, struct buf *scratch, struct str *ret)
{
	const char *at, *end = object.p + object.n;
	uint32_t n = 0;

	buf_clear(scratch);
	text_put_json_string(scratch, name);
	buf_putc(scratch, ':');
	at = memmem(object.p, object.n, scratch->p, scratch->n);
	if (!at)
		return false;
	at += scratch->n;
	if (*at == '"') {
		for (n = 1; at + n < end && at[n] != '"'; n += at[n] == '\\' ? 2 : 1)
			continue;
		n++;
	} else {
		while (at + n < end && at[n] != ',' && at[n] != '}')
			n++;
	}
	*ret = (struct str){ at, n };
	return true;
}

static void check_field(struct raised *raised, const struct expected_field *field)
{
	_cleanup_(buf_done) struct buf scratch, what;
	struct str got = STR_NONE, plain;

	buf_init(&scratch, TEXT_MAX);
	buf_init(&what, TEXT_MAX);
	buf_printf(&what, "field %.*s", STR_ARG(field->name));
	if (!raised->alert_cnt ||
	    !find_json(buf_str(&raised->fields), field->name, &scratch, &got)) {
		say(raised, buf_str(&what).p, field->text.p ? field->text : STR("null"),
		    raised->alert_cnt ? STR("the output does not name this field")
				      : STR("no alert"));
		return;
	}
	buf_clear(&scratch);
	text_put_json(&scratch, field->text.p ? field->text : STR("null"));
	plain = got.n >= 2 && got.p[0] == '"' ? (struct str){ got.p + 1, got.n - 2 } : got;
	if (!str_eq(plain, buf_str(&scratch)) || (!field->text.p && got.p[0] == '"'))
		say(raised, buf_str(&what).p, field->text.p ? field->text : STR("null"), plain);
}

static void check(struct raised *raised)
{
	check_match(raised);
	check_alerts(raised);
	check_count(raised);
	check_output(raised);
	for (uint32_t i = 0; i < raised->test->field_cnt; i++)
		check_field(raised, &raised->test->fields[i]);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void raised_done(struct raised *raised)
{
	free(raised->rules);
	buf_done(&raised->text);
	buf_done(&raised->fields);
	buf_done(&raised->why);
}

static int run_test(struct test_run *run, const struct rule_test *test, struct test_result *ret)
{
	_cleanup_(raised_done) struct raised raised = { .run = run, .test = test };
	uint32_t error_cnt = run->diags->error_cnt;
	int r = 0;

	raised.rules = calloc(ruleset_rule_cnt(run->ruleset) + 1, sizeof(struct rule *));
	buf_init(&raised.text, TEXT_MAX);
	buf_init(&raised.fields, TEXT_MAX);
	buf_init(&raised.why, TEXT_MAX);
	if (!raised.rules)
		return -ENOMEM;
	raised.own = test->rule.p ? ruleset_find(run->ruleset, test->rule) : NULL;
	for (uint32_t i = 0; i < test->events.cnt; i++)
		run_event(&raised, test->events.items[i]);
	if (test->events_path.p)
		r = run_file(&raised);
	if (r < 0 || raised.is_out_of_memory)
		return r < 0 ? r : -ENOMEM;
	if (raised.is_skipped) {
		*ret = (struct test_result){
			.test = test, .is_passed = true, .is_skipped = true, .why = STR("")
		};
		run->skipped_cnt++;
		return 0;
	}
	check(&raised);
	if (raised.own && test->has_match && !test->is_match && !raised.was_own_raised)
		run->misses[raised.own->index]++;
	if (test->rule.p && !raised.own)
		say(&raised, "rule", test->rule, STR("no rule has this name"));
	if (run->diags->error_cnt > error_cnt)
		say(&raised, "events", STR("a file of events"), STR("see the errors above"));
	*ret = (struct test_result){ .test = test,
				     .is_passed = raised.why.n == 0,
				     .why = arena_str(run->arena, buf_str(&raised.why)) };
	run->failed_cnt += !ret->is_passed;
	return ret->why.p ? 0 : -ENOMEM;
}

static bool is_wanted(const struct test_run *run, const struct rule_test *test)
{
	_cleanup_(buf_done) struct buf name = { 0 };

	if (!run->filter)
		return true;
	buf_init(&name, TEXT_MAX);
	if (test->rule.p)
		buf_printf(&name, "%.*s: ", STR_ARG(test->rule));
	buf_put_str(&name, test->name);
	return str_contains(buf_str(&name), str_from(run->filter));
}

int test_run_all(struct test_run *run, const struct rule_tests *tests)
{
	int r = 0;

	run->results = calloc(tests->cnt + 1, sizeof(*run->results));
	if (!run->results)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < tests->cnt; i++)
		if (is_wanted(run, &tests->items[i]))
			r = run_test(run, &tests->items[i], &run->results[run->result_cnt++]);
	return r;
}
