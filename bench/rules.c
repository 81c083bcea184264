/*
 * What rules cost. Prints how long generated sets of rules take to load, with the memory that they
 * need, and what an event costs against 100 and against 1,000 rules that share their macros.
 *
 * Sets to load: one of the size of Falco's stable, incubating and sandbox files, which repeat their
 * macros and lists, and one of 10,000 rules. The events are opens, execs and connections, recorded
 * once; both sets take turns on them, so that the machine's mood is in both. Owns all it makes.
 * Exits 1 where a set does not load or a limit that was given is exceeded.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "event_stream.h"
#include "haetae/alert.h"
#include "haetae/clock.h"
#include "rules_generator.h"

#define TEXT_MAX_BYTES	  (256U << 20)
#define SCRATCH_MAX_BYTES (4U << 20)
#define LOADS		  7U /* of which the fastest counts: the code, not the machine */
#define RECORD_CNT	  1200U
#define PROCESS_CNT	  120U
#define ROUNDS_DEFAULT	  40U
#define ROUNDS_MAX	  10000U

static const struct rules_shape falco_files[] = {
	{ .rule_cnt = 25, .macro_cnt = 87, .list_cnt = 49, .first_rule = 0 },
	{ .rule_cnt = 31, .macro_cnt = 82, .list_cnt = 54, .first_rule = 25 },
	{ .rule_cnt = 37, .macro_cnt = 183, .list_cnt = 60, .first_rule = 56 },
};
static const struct rules_shape many_rules = { .rule_cnt = 10000, .macro_cnt = 96, .list_cnt = 60 };
static const struct rules_shape few_rules = { .rule_cnt = 100, .macro_cnt = 96, .list_cnt = 60 };
static const struct rules_shape more_rules = { .rule_cnt = 1000, .macro_cnt = 96, .list_cnt = 60 };

/* ---- loading --------------------------------------------------------------------------------- */

static double milliseconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_MS;
}

/* Exits where there is an error. */
static struct ruleset *load(const char *const *paths, uint32_t path_cnt)
{
	_cleanup_(diags_done) struct diags diags;
	struct rules_options options;
	struct ruleset *ruleset;

	diags_init(&diags);
	rules_options_default(&options);
	options.compile_output = template_compile;
	options.maturity = MATURITY_SANDBOX; /* the generated ones are of all kinds */
	if (ruleset_load(paths, path_cnt, &options, &diags, &ruleset) == 0)
		return ruleset;
	diags_print(&diags, stderr, false);
	exit(1);
}

static void write_file(const char *path, const struct rules_shape *shape)
{
	_cleanup_(buf_done) struct buf text;
	FILE *file = fopen(path, "we");

	buf_init(&text, TEXT_MAX_BYTES);
	rules_generate(shape, &text);
	if (!file || text.failed || fwrite(text.p, 1, text.n, file) != text.n || fclose(file)) {
		perror(path);
		exit(1);
	}
}

struct load_result {
	double ms, mib; /* mib: peak of the process that loaded it once */
};

/* Loads in a child, so that its memory is its own. */
static struct load_result measure_load(const char *const *paths, uint32_t path_cnt, uint32_t loads)
{
	struct load_result result = { 0 };
	struct rusage usage;
	uint64_t best = UINT64_MAX;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0) {
		perror("bench_rules");
		exit(1);
	}
	if (child == 0) {
		for (uint32_t i = 0; i < loads; i++) {
			uint64_t begin = clock_boot_ns();
			struct ruleset *ruleset = load(paths, path_cnt);

			best = MIN(best, clock_boot_ns() - begin);
			ruleset_free(ruleset);
		}
		_exit(write(ends[1], &best, sizeof(best)) != sizeof(best));
	}
	close(ends[1]);
	if (read(ends[0], &best, sizeof(best)) != sizeof(best) ||
	    wait4(child, &status, 0, &usage) != child || status != 0)
		exit(1);
	close(ends[0]);
	result.ms = milliseconds(best);
	result.mib = (double)usage.ru_maxrss / 1024; /* KiB: getrusage(2) */
	return result;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

struct contestant {
	struct ruleset *ruleset; /* owned, as the matcher */
	struct matcher *matcher;
	uint64_t hit_cnt;
	double ns[ROUNDS_MAX]; /* an event, by round */
};

static void count_hit(const struct rule *rule, void *data)
{
	++*(uint64_t *)data;
}

/* Half of the processes are in a container, whatever the engine can tell by now. */
static bool give_container(const struct field *field, const struct field_argument *argument,
			   struct value_set *ret, void *data)
{
	static const struct value id = { .type = VALUE_STRING, .str = { "3f1c9a70be24", 12 } };
	const struct field_context *context = data;

	if (context->event->header->pid % 2 || strcmp(field->name, "container.id") != 0)
		return false;
	*ret = (struct value_set){ FIELD_VALUE, 1, &id };
	return true;
}

struct world {
	struct event_stream stream;
	struct proc_table *procs;
	struct users *users;
	struct arena scratch;
	struct event event;
	struct field_context context;
};

static void world_init(struct world *world)
{
	struct proc_table_config config;

	memset(world, 0, sizeof(*world));
	event_stream_init(&world->stream, RECORD_CNT, PROCESS_CNT);
	proc_table_config_default(&config);
	config.proc_root = NULL;
	arena_init(&world->scratch, SCRATCH_MAX_BYTES);
	if (proc_table_new(&config, &world->procs) < 0 || users_new("/etc", &world->users) < 0)
		exit(1);
	world->event = (struct event){ .scratch = &world->scratch, .number = 1 };
	world->context = (struct field_context){ .event = &world->event,
						 .procs = world->procs,
						 .users = world->users,
						 .hostname = "bench",
						 .source = "syscall",
						 .override = give_container,
						 .override_data = &world->context };
}

static void world_done(struct world *world)
{
	event_stream_done(&world->stream);
	proc_table_free(world->procs);
	users_free(world->users);
	arena_done(&world->scratch);
}

/* Of this thread alone: others use the machine, too. */
static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

/* One pass over all records: ns an event. Without rules: what comes before them. */
static double run_pass(struct world *world, struct contestant *contestant)
{
	uint64_t begin = cpu_ns();

	for (uint32_t i = 0; i < world->stream.record_cnt; i++) {
		arena_reset(&world->scratch);
		event_stream_decode(&world->stream, i, &world->event);
		proc_table_apply(world->procs, &world->event);
		if (contestant->matcher)
			matcher_run(contestant->matcher, &world->context, count_hit, NULL,
				    &contestant->hit_cnt);
	}
	return (double)(cpu_ns() - begin) / world->stream.record_cnt;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(double *values, uint32_t cnt)
{
	qsort(values, cnt, sizeof(*values), compare_doubles);
	return values[cnt / 2];
}

static void contestant_init(struct contestant *contestant, const char *path)
{
	contestant->ruleset = load(&path, 1);
	if (matcher_new(contestant->ruleset, &contestant->matcher) < 0)
		exit(1);
}

static void contestant_done(struct contestant *contestant)
{
	matcher_free(contestant->matcher);
	ruleset_free(contestant->ruleset);
}

struct cost {
	double none_ns, few_ns, more_ns; /* an event, all of its way to the rules' answer */
	double ratio;			 /* of what the rules add */
	struct matcher_stats few, more;
	uint64_t few_hit_cnt, more_hit_cnt;
};

static struct cost measure_cost(const char *few_path, const char *more_path, uint32_t rounds)
{
	static struct contestant none, few, more;
	static double ratios[ROUNDS_MAX];
	struct world world;
	struct cost cost;

	world_init(&world);
	contestant_init(&few, few_path);
	contestant_init(&more, more_path);
	(void)run_pass(&world, &none); /* makes the processes */
	for (uint32_t i = 0; i < rounds; i++) {
		none.ns[i] = run_pass(&world, &none);
		few.ns[i] = run_pass(&world, &few);
		more.ns[i] = run_pass(&world, &more);
		ratios[i] = (more.ns[i] - none.ns[i]) / (few.ns[i] - none.ns[i]);
	}
	cost.none_ns = median(none.ns, rounds);
	cost.few_ns = median(few.ns, rounds);
	cost.more_ns = median(more.ns, rounds);
	cost.ratio = median(ratios, rounds);
	cost.few_hit_cnt = few.hit_cnt;
	cost.more_hit_cnt = more.hit_cnt;
	matcher_stats(few.matcher, &cost.few);
	matcher_stats(more.matcher, &cost.more);
	contestant_done(&few);
	contestant_done(&more);
	world_done(&world);
	return cost;
}

/* ---- report ---------------------------------------------------------------------------------- */

struct results {
	struct load_result falco, many;
	struct cost cost;
};

static void print_matcher(const char *name, double ns, const struct matcher_stats *stats,
			  uint64_t hit_cnt)
{
	double events = (double)stats->events;

	printf("%-12s %8.0f ns an event: %.1f rules tried, %.1f comparisons, %.1f fields, "
	       "%.3f hits\n",
	       name, ns, (double)stats->rules_evaluated / events,
	       (double)stats->predicates_evaluated / events, (double)stats->fields_read / events,
	       (double)hit_cnt / events);
}

static void print_results(const struct results *results, bool want_json)
{
	const struct cost *cost = &results->cost;

	if (!want_json) {
		printf("load, 93 rules of Falco's shape: %.1f ms, %.1f MiB\n", results->falco.ms,
		       results->falco.mib);
		printf("load, 10000 rules: %.0f ms, %.1f MiB\n", results->many.ms,
		       results->many.mib);
		printf("%-12s %8.0f ns an event\n", "before rules", cost->none_ns);
		print_matcher("100 rules", cost->few_ns - cost->none_ns, &cost->few,
			      cost->few_hit_cnt);
		print_matcher("1000 rules", cost->more_ns - cost->none_ns, &cost->more,
			      cost->more_hit_cnt);
	}
	printf("{\"benchmark\":\"rules\",\"load_93_ms\":%.1f,\"load_10000_ms\":%.0f,"
	       "\"load_10000_mib\":%.1f,\"before_rules_ns\":%.0f,\"rules_100_ns\":%.0f,"
	       "\"rules_1000_ns\":%.0f,\"ratio\":%.3f}\n",
	       results->falco.ms, results->many.ms, results->many.mib, cost->none_ns,
	       cost->few_ns - cost->none_ns, cost->more_ns - cost->none_ns, cost->ratio);
}

/* What the project promises. */
static bool is_within_limits(const struct results *results)
{
	return results->falco.ms <= 50 && results->many.ms <= 2000 && results->many.mib <= 200 &&
	       results->cost.ratio <= 1.3;
}

static struct results measure(const char *folder, uint32_t rounds)
{
	char paths[6][128];
	const char *falco[ARRAY_LEN(falco_files)], *many = paths[3];
	const struct rules_shape *shapes[] = { &falco_files[0], &falco_files[1], &falco_files[2],
					       &many_rules,	&few_rules,	 &more_rules };
	struct results results;

	for (unsigned i = 0; i < ARRAY_LEN(shapes); i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%u.yaml", folder, i);
		write_file(paths[i], shapes[i]);
		if (i < ARRAY_LEN(falco))
			falco[i] = paths[i];
	}
	results.falco = measure_load(falco, ARRAY_LEN(falco), LOADS);
	results.many = measure_load(&many, 1, 1);
	results.cost = measure_cost(paths[4], paths[5], rounds);
	for (unsigned i = 0; i < ARRAY_LEN(shapes); i++)
		unlink(paths[i]);
	return results;
}

static int usage(FILE *out, int code)
{
	fprintf(out, "usage: rules [--rounds N] [--limits] [--json]\n"
		     "       rules --print N\n\n"
		     "  --rounds N   passes over the events, of each set (default 40)\n"
		     "  --limits     fail where a set or an event costs more than it may\n"
		     "  --json       print JSON only\n"
		     "  --print N    print a set of N rules instead\n");
	return code;
}

static int print_rules(uint32_t cnt)
{
	_cleanup_(buf_done) struct buf text;
	struct rules_shape shape = many_rules;

	shape.rule_cnt = cnt;
	buf_init(&text, TEXT_MAX_BYTES);
	rules_generate(&shape, &text);
	return text.failed || fwrite(text.p, 1, text.n, stdout) != text.n;
}

static uint32_t parse_number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || value > max)
		exit(usage(stderr, 2));
	return (uint32_t)value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
						 { "limits", no_argument, NULL, 'l' },
						 { "json", no_argument, NULL, 'j' },
						 { "print", required_argument, NULL, 'p' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	char folder[] = "/tmp/haetae-rules-XXXXXX";
	uint32_t rounds = ROUNDS_DEFAULT;
	bool want_json = false, want_limits = false;
	struct results results;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_SUCCESS);
		if (option == 'p')
			return print_rules(parse_number(optarg, 1000000));
		if (option == 'r')
			rounds = parse_number(optarg, ROUNDS_MAX);
		else if (option == 'l')
			want_limits = true;
		else if (option == 'j')
			want_json = true;
		else
			return usage(stderr, 2);
	}
	if (optind != argc || !mkdtemp(folder))
		return usage(stderr, 2);
	results = measure(folder, rounds);
	rmdir(folder);
	print_results(&results, want_json);
	return want_limits && !is_within_limits(&results);
}
