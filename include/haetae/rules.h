/*
 * Rules: files in, an immutable ruleset out, and a matcher that runs it. The language is
 * rule-language.md.
 */
#ifndef HAETAE_RULES_H
#define HAETAE_RULES_H

#include "haetae/diag.h"
#include "haetae/event.h"
#include "haetae/field.h"

/* Syslog numbers; lower is more urgent. */
enum priority {
	PRIORITY_EMERGENCY,
	PRIORITY_ALERT,
	PRIORITY_CRITICAL,
	PRIORITY_ERROR,
	PRIORITY_WARNING,
	PRIORITY_NOTICE,
	PRIORITY_INFORMATIONAL,
	PRIORITY_DEBUG,
	PRIORITY__COUNT
};
/* "Warning". */
const char *priority_name(enum priority priority);
/* Any case, "info" too. False where it is none. */
bool priority_parse(struct str name, enum priority *ret);

/* How much a rule has proved itself, by its tag maturity_…; a rule without one is stable. */
enum maturity {
	MATURITY_STABLE,
	MATURITY_INCUBATING,
	MATURITY_SANDBOX,
	MATURITY_DEPRECATED,
	MATURITY__COUNT
};
/* "incubating". */
const char *maturity_name(enum maturity maturity);
/* stable, incubating or sandbox: a level to run. What is deprecated is only selected. */
bool maturity_parse(struct str name, enum maturity *ret);

struct template; /* a compiled output, see alert.h */

struct rule {
	struct str name, desc, source;
	struct str condition; /* as written, after append and override */
	struct str output;    /* the same, with additions */
	struct str file;      /* of the definition */
	uint32_t line;
	enum priority priority;
	const struct str *tags; /* sorted, unique */
	uint32_t tag_cnt;
	uint32_t index; /* evaluation order */
	enum maturity maturity;
	bool is_enabled;
	bool is_immature;    /* off for nothing but its maturity */
	bool is_self_test;   /* rules_options.self_test: of haetae's own, not counted or listed */
	bool want_capture;   /* a capture is made around its alerts (alerts.capture) */
	uint64_t capture_ns; /* how long after the last of them; 0: alerts.capture.after */
	struct event_set events; /* that can satisfy the condition */
	/* Fields and arguments that the output names, in order of appearance: the matcher gives
	 * their values for a hit. */
	const struct template *template;
};

/* Selection after loading (decision 31): the last entry that matches a rule wins. */
struct rule_selector {
	bool is_enable;
	struct str rule_pattern; /* with * wildcards; or */
	struct str tag;		 /* exact */
};

/* A text that is joined to the outputs of some rules (rule-language.md 5.4); all that match count,
 * in order. */
struct output_addition {
	struct str rule, source; /* exact; STR_NONE: any */
	const struct str *tags;	 /* the rule has all of them */
	uint32_t tag_cnt;
	struct str text;
};

struct rules_own;

struct rules_options {
	bool is_match_all;	    /* rule_matching: all */
	enum priority min_priority; /* less urgent rules are checked but never enabled */
	enum maturity maturity; /* the least mature ones that are on unless a selector says so */
	const struct rule_selector *selectors;
	uint32_t selector_cnt;
	const struct output_addition *additions;
	uint32_t addition_cnt;
	/* A rule that stands before all files, so that none of theirs matches its events first, and
	 * that no selection turns off; a file that defines its name takes its place. NULL: none. */
	const struct rules_own *self_test;
	/* Compiles an output; set by the caller because templates belong to the alert stage, which
	 * the match stage must not know. Appends diagnostics. Returns NULL on error. NULL: outputs
	 * are not compiled. */
	const struct template *(*compile_output)(struct arena *arena, struct str text,
						 const struct span *at, struct diags *diags);
};
void rules_options_default(struct rules_options *options);

struct ruleset; /* opaque, immutable */

#define RULES_E_INVALID 1 /* diags has errors; no ruleset */

/* Loads files and folders (*.yaml, *.yml in a folder, not below: common.yaml, then by name) in
 * order. All problems of all files are reported. 0, RULES_E_INVALID, or -ENOMEM. */
int ruleset_load(const char *const *paths, uint32_t path_cnt, const struct rules_options *options,
		 struct diags *diags, struct ruleset **ret);
/* The same from memory: one text named `name`. */
int ruleset_load_text(struct str name, struct str text, const struct rules_options *options,
		      struct diags *diags, struct ruleset **ret);
/* Of the test of itself (daemon/self_test.c). */
#define SELF_TEST_RULE "haetae self-test"

/* A rule that is in no file. */
struct rules_own {
	struct str name;	/* of the rule, and of the condition's text in diagnostics */
	struct str condition;	/* may use the macros and lists of the files */
	struct str output_name; /* of the output's text in diagnostics */
	struct str output;
	bool is_self_test; /* for rules_options.self_test */
	bool sees_all;	   /* also calls that are made all the time, though it does not name them */
};
/* The files, which may be none, and that rule, which is the only one enabled. */
int ruleset_load_own(const char *const *paths, uint32_t path_cnt, const struct rules_own *own,
		     const struct rules_options *options, struct diags *diags,
		     struct ruleset **ret);
struct ruleset *ruleset_free(struct ruleset *ruleset);
static inline void ruleset_freep(struct ruleset **ruleset)
{
	*ruleset = ruleset_free(*ruleset);
}

uint32_t ruleset_rule_cnt(const struct ruleset *ruleset);
/* In evaluation order, disabled ones too. */
const struct rule *ruleset_rule(const struct ruleset *ruleset, uint32_t index);
const struct rule *ruleset_find(const struct ruleset *ruleset, struct str name);
/* Union over enabled rules. */
void ruleset_events(const struct ruleset *ruleset, struct event_set *ret);
/* Any of FIELD_NEEDS_… over conditions and outputs. */
uint32_t ruleset_needs(const struct ruleset *ruleset);
/* The host names that conditions compare addresses with, each once; at most HOST_NAMES_MAX. */
const struct str *ruleset_host_names(const struct ruleset *ruleset, uint32_t *ret_cnt);
/* Expanded condition with where each part came from, event types, plan, shared slots. */
void ruleset_explain(const struct ruleset *ruleset, const struct rule *rule, struct buf *out);
/* Every program of every event type, for golden files. */
void ruleset_dump_plan(const struct ruleset *ruleset, struct buf *out);

/* ---- evaluation ----------------------------------------------------------------------------- */

/* Slots and memo bits for one thread; reusable for every event. */
struct matcher; /* opaque */

/* 0 or -ENOMEM. The ruleset must outlive the matcher. */
int matcher_new(const struct ruleset *ruleset, struct matcher **ret);
struct matcher *matcher_free(struct matcher *matcher);
static inline void matcher_freep(struct matcher **matcher)
{
	*matcher = matcher_free(*matcher);
}

/* Of a condition, or where pending values leave it open (decision 23). */
enum verdict {
	VERDICT_FALSE,
	VERDICT_TRUE,
	VERDICT_PENDING
};
typedef void (*matcher_hit_fn)(const struct rule *rule, void *data);
/* A rule that can't be decided yet: its verdict is pending, or (`first` mode) it is true and an
 * earlier one is pending. */
typedef void (*matcher_open_fn)(const struct rule *rule, enum verdict verdict, void *data);
/* Evaluates the event's rules in order; calls hit for the first true one, or for each in `all`
 * mode, and open for those that wait: in `first` mode no hit follows one, and the last can be a
 * true one. open NULL: only where nothing is pending (context->is_final). Allocates nothing but
 * from event->scratch. Neither may call the matcher. Returns the number of hits. */
unsigned matcher_run(struct matcher *matcher, const struct field_context *context,
		     matcher_hit_fn hit, matcher_open_fn open, void *data);
/* One rule over an event, whatever the others say: for one that was open before. */
enum verdict matcher_decide(struct matcher *matcher, const struct field_context *context,
			    const struct rule *rule);
/* Behind matcher_decide() with the same arguments: the same once more with the fields that it has
 * read, to measure what the condition costs by itself. */
enum verdict matcher_decide_again(struct matcher *matcher, const struct field_context *context,
				  const struct rule *rule);
/* The fields that the condition can read on events of this code, each argument of one by itself. */
typedef void (*matcher_field_fn)(const struct field *field, const struct field_argument *argument,
				 void *data);
void matcher_fields(struct matcher *matcher, unsigned event_code, const struct rule *rule,
		    matcher_field_fn visit, void *data);
bool matcher_is_match_all(const struct matcher *matcher);

struct matcher_stats {
	uint64_t events; /* that had at least one rule */
	uint64_t rules_evaluated, predicates_evaluated, fields_read;
	uint64_t regex_limit;	  /* PCRE2 gave up, the second matcher decided */
	uint64_t regex_undecided; /* neither did */
	uint64_t scratch_exhausted;
};
void matcher_stats(const struct matcher *matcher, struct matcher_stats *ret);

/* ---- the kernel filter ----------------------------------------------------------------------- */

struct kernel_filter;

/* What the kernel may keep back without a rule missing it. Of each event type that has no filter
 * all events pass. 0 or -ENOMEM; kernel_filter_done() in both cases. */
int ruleset_kernel_filter(const struct ruleset *ruleset, struct kernel_filter *ret);
/* Fine on a zeroed one. */
void kernel_filter_done(struct kernel_filter *filter);

/* Whether the kernel would let the event pass: the same decision from the record that it would have
 * made from the call. The event has a scratch arena. */
bool kernel_filter_passes(const struct kernel_filter *filter, const struct event *event);

/* What of the rule is asked in the kernel, event type by event type, and which parts of its
 * condition are not, and why; for people. */
void ruleset_explain_filter(const struct ruleset *ruleset, const struct rule *rule,
			    struct buf *out);

/* ---- transformers on their own, for outputs: tolower(proc.name) ------------------------------ */

struct transformer; /* in the arena it was compiled into; immutable */

/* Whether a transformer's name and its parenthesis stand here. */
bool transformer_begins(struct str text);
/* Compiles the transformer that `text` begins with; *ret_length: the bytes that it takes. `at` is
 * the place of text, byte by byte, or of something longer. 0, RULES_E_INVALID (reported), or
 * -ENOMEM. */
int transformer_compile(struct arena *arena, struct str text, struct span at, struct diags *diags,
			const struct transformer **ret, uint32_t *ret_length);
/* FIELD_NEEDS_… of its fields. */
uint32_t transformer_needs(const struct transformer *transformer);
bool transformer_is_list(const struct transformer *transformer);
/* The fields below it, in order; NULL behind the last. */
const struct field *transformer_field(const struct transformer *transformer, unsigned index,
				      const struct field_argument **ret_argument);
/* As field_read(); of a path it takes the printed reading. */
void transformer_read(const struct transformer *transformer, const struct field_context *context,
		      struct value_set *ret);

#endif
