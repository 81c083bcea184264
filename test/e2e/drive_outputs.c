/*
 * The outputs without a daemon: raises alerts of its own at a given rate into sinks given as
 * "type=file,name=f,path=/tmp/x,durable", and prints the accounts as JSON to stderr at the end.
 *
 *	drive_outputs [--count N] [--rate N] [--first N] [--size BYTES] [--priority N] [--pause MS]
 *		[--spool DIR] [--spool-max BYTES] [--segment BYTES] [--fsync always|interval|never]
 *		[--queue N] [--deadline MS] [--latency] SINK...
 *
 * Alert N has the uuid of N in hex, the rule "Rule N", the tags "even" or "odd". --pause: after the
 * last, before the stop. --latency: one at a time, each until the first sink has it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/sink.h"

struct options {
	unsigned long count, rate, first, size, priority, pause_ms, queue, deadline_ms;
	bool want_latency;
	struct spool_config spool;
	struct sink_config sinks[SINKS_MAX];
	uint32_t sink_cnt;
};

static volatile sig_atomic_t want_reopen, want_stop;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		want_reopen = 1;
	else
		want_stop = 1;
}

_Noreturn static void usage(const char *what)
{
	fprintf(stderr, "drive_outputs: %s?\n", what);
	exit(2);
}

static void set_program(struct sink_config *sink, char *value)
{
	unsigned cnt = 0;

	for (char *word = strtok(value, "|"); word && cnt < SINK_ARGUMENTS_MAX;
	     word = strtok(NULL, "|"))
		sink->program.arguments[cnt++] = word;
}

static void set_key(struct sink_config *sink, const char *key, char *value)
{
	const struct {
		const char *key, **text;
	} texts[] = {
		{ "type", &sink->type },
		{ "name", &sink->name },
		{ "path", &sink->file.path },
		{ "address", &sink->syslog.address },
		{ "facility", &sink->syslog.facility },
		{ "ca", &sink->tls.ca_file },
		{ "cert", &sink->tls.cert_file },
		{ "key", &sink->tls.key_file },
		{ "user", &sink->program.user },
		{ "url", &sink->http.url },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(texts[i].key, key) != 0)
			continue;
		*texts[i].text = value;
		return;
	}
	if (strcmp(key, "durable") == 0)
		sink->is_durable = true;
	else if (strcmp(key, "text") == 0)
		sink->format = SINK_TEXT;
	else if (strcmp(key, "program") == 0)
		set_program(sink, value);
	else if (strcmp(key, "max_bytes") == 0)
		sink->file.max_bytes = strtoull(value, NULL, 10);
	else if (strcmp(key, "max_age_ms") == 0)
		sink->file.max_age_ns = strtoull(value, NULL, 10) * NS_PER_MS;
	else if (strcmp(key, "max_files") == 0)
		sink->file.max_files = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "batch") == 0)
		sink->http.batch_max = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "queue") == 0)
		sink->queue_length = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "retry_max_ms") == 0)
		sink->retry_max_ns = strtoull(value, NULL, 10) * NS_PER_MS;
	else if (strcmp(key, "min") == 0)
		sink->min_priority = (enum priority)strtoul(value, NULL, 10);
	else if (strcmp(key, "tag") == 0)
		sink->tags[sink->tag_cnt++] = value;
	else if (strcmp(key, "rule") == 0)
		sink->rules[sink->rule_cnt++] = value;
	else
		usage(key);
}

static void add_sink(struct options *options, char *text)
{
	struct sink_config *sink = &options->sinks[options->sink_cnt++];
	char *rest = text, *item;

	sink_config_default(sink);
	sink->format = SINK_JSON;
	while ((item = strsep(&rest, ","))) {
		char *value = strchr(item, '=');

		if (value)
			*value++ = '\0';
		set_key(sink, item, value);
	}
	if (!sink->type || !sink->name)
		usage("a sink without type or name");
}

static void parse(struct options *options, int argc, char **argv)
{
	static const char *const policies[] = { "interval", "always", "never" };
	struct {
		const char *name;
		unsigned long *number;
	} numbers[] = {
		{ "--count", &options->count },
		{ "--rate", &options->rate },
		{ "--first", &options->first },
		{ "--size", &options->size },
		{ "--priority", &options->priority },
		{ "--pause", &options->pause_ms },
		{ "--queue", &options->queue },
		{ "--deadline", &options->deadline_ms },
		{ "--spool-max", &options->spool.max_bytes },
		{ "--segment", &options->spool.segment_bytes },
	};

	for (int i = 1; i < argc; i++) {
		bool is_known = false;

		for (size_t k = 0; k < ARRAY_LEN(numbers) && i + 1 < argc; k++) {
			if (strcmp(argv[i], numbers[k].name) != 0)
				continue;
			*numbers[k].number = strtoul(argv[++i], NULL, 10);
			is_known = true;
			break;
		}
		if (is_known)
			continue;
		if (strcmp(argv[i], "--latency") == 0) {
			options->want_latency = true;
		} else if (strcmp(argv[i], "--spool") == 0 && i + 1 < argc) {
			options->spool.dir = argv[++i];
		} else if (strcmp(argv[i], "--fsync") == 0 && i + 1 < argc) {
			i++;
			for (unsigned k = 0; k < ARRAY_LEN(policies); k++)
				if (strcmp(policies[k], argv[i]) == 0)
					options->spool.fsync = (enum spool_fsync)k;
		} else if (strchr(argv[i], '=')) {
			add_sink(options, argv[i]);
		} else {
			usage(argv[i]);
		}
	}
}

static struct alert *make_alert(const struct options *options, unsigned long number)
{
	_cleanup_(buf_done) struct buf json, text;
	char uuid[37], rule[32];
	struct alert *alert;

	snprintf(uuid, sizeof(uuid), "%08lx-0000-8000-8000-000000000000", number);
	snprintf(rule, sizeof(rule), "Rule %lu", number);
	buf_init(&json, 64u << 20);
	buf_init(&text, 1u << 20);
	buf_printf(&json, "{\"uuid\":\"%s\",\"rule\":\"%s\",\"number\":%lu,\"filler\":\"", uuid,
		   rule, number);
	while (json.n < options->size)
		buf_puts(&json, "lorem ipsum dolor sit amet ");
	buf_puts(&json, "\"}");
	buf_printf(&text, "12:00:00.000000000: %s caf\xc3\xa9 [%lu] \"x\"",
		   priority_name((enum priority)options->priority), number);
	alert = alert_restore(&(struct alert_parts){
		.wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns(),
		.priority = (enum priority)options->priority,
		.uuid = str_from(uuid),
		.rule = str_from(rule),
		.tags = number % 2 ? (struct str){ "odd", 4 } : (struct str){ "even", 5 },
		.text = buf_str(&text),
		.json = buf_str(&json),
	});
	if (!alert)
		exit(3);
	return alert;
}

static void sleep_until(uint64_t then_ns)
{
	uint64_t now_ns = clock_boot_ns();

	if (then_ns > now_ns)
		usleep((useconds_t)((then_ns - now_ns) / 1000));
}

static void reopen_if_asked(struct outputs *outputs)
{
	if (want_reopen)
		outputs_reopen(outputs);
	want_reopen = 0;
}

static void raise_all(const struct options *options, struct outputs *outputs)
{
	uint64_t start_ns = clock_boot_ns();

	for (unsigned long i = 0; i < options->count && !want_stop; i++) {
		reopen_if_asked(outputs);
		if (options->rate && (options->rate < 1000 || i % 16 == 0))
			sleep_until(start_ns + i * NS_PER_SEC / options->rate);
		while (!outputs_put(outputs, make_alert(options, options->first + i)) &&
		       !options->rate && !want_stop)
			usleep(100); /* refused, and counted: this one again */
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static void measure(const struct options *options, struct outputs *outputs)
{
	uint64_t *took_ns = calloc(options->count, sizeof(*took_ns));
	struct sink_stats stats;

	for (unsigned long i = 0; i < options->count; i++) {
		uint64_t before_ns = clock_boot_ns();

		outputs_put(outputs, make_alert(options, options->first + i));
		do
			outputs_sink_stats(outputs, 0, &stats);
		while (stats.delivered <= i && clock_boot_ns() < before_ns + 5 * NS_PER_SEC);
		took_ns[i] = clock_boot_ns() - before_ns;
		usleep(500);
	}
	qsort(took_ns, options->count, sizeof(*took_ns), compare);
	printf("median_us=%llu p99_us=%llu max_us=%llu\n",
	       (unsigned long long)took_ns[options->count / 2] / 1000,
	       (unsigned long long)took_ns[options->count * 99 / 100] / 1000,
	       (unsigned long long)took_ns[options->count - 1] / 1000);
	free(took_ns);
}

static uint64_t sum_of(const uint64_t counts[PRIORITY__COUNT])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		sum += counts[i];
	return sum;
}

#define NUMBER(value) (unsigned long long)(value)

static bool print_stats(struct outputs *outputs, uint64_t took_ns)
{
	struct outputs_stats all;
	struct spool_stats spool;
	struct sink_stats one;
	uint64_t queued = 0;

	outputs_stats(outputs, &all);
	outputs_spool_stats(outputs, &spool);
	fprintf(stderr, "{\"accepted\":%llu,\"refused\":%llu,\"spooled\":%llu,\"ms\":%llu,",
		NUMBER(all.accepted), NUMBER(sum_of(all.refused)), NUMBER(all.spooled),
		NUMBER(took_ns / NS_PER_MS));
	fprintf(stderr,
		"\"spool\":{\"failing\":\"%s\",\"bytes\":%llu,\"segments\":%llu,\"written\":%llu,"
		"\"unspooled\":%llu,\"refused\":%llu,\"evicted\":%llu,\"torn\":%llu,"
		"\"damaged\":%llu},\"sinks\":{",
		spool.failing_text, NUMBER(spool.bytes), NUMBER(spool.segments),
		NUMBER(spool.written), NUMBER(sum_of(spool.unspooled)),
		NUMBER(sum_of(spool.refused)), NUMBER(sum_of(spool.evicted)), NUMBER(spool.torn),
		NUMBER(spool.damaged));
	for (uint32_t i = 0; outputs_sink_stats(outputs, i, &one); i++) {
		queued += one.queued;
		fprintf(stderr,
			"%s\"%s\":{\"restored\":%llu,\"delivered\":%llu,\"failed\":%llu,"
			"\"filtered\":%llu,\"dropped\":%llu,\"queued\":%llu,\"retried\":%llu,"
			"\"health\":\"%s\"}",
			i ? "," : "", one.name, NUMBER(one.restored), NUMBER(one.delivered),
			NUMBER(one.failed), NUMBER(one.filtered), NUMBER(sum_of(one.dropped)),
			NUMBER(one.queued), NUMBER(one.retried), sink_health_name(one.health));
	}
	fprintf(stderr, "}}\n");
	return queued == all.spooled &&
	       all.accepted * all.sink_cnt + all.restored ==
		       all.delivered + all.failed + all.filtered + sum_of(all.dropped) + all.queued;
}

int main(int argc, char **argv)
{
	static struct options options = {
		.count = 1, .size = 300, .priority = PRIORITY_NOTICE, .deadline_ms = 5000
	};
	const struct sigaction action = { .sa_handler = on_signal };
	struct outputs *outputs = NULL;
	struct outputs_config config;
	uint64_t start_ns = clock_boot_ns();
	bool adds_up;
	int r;

	spool_config_default(&options.spool);
	parse(&options, argc, argv);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	config = (struct outputs_config){ .sinks = options.sinks,
					  .sink_cnt = options.sink_cnt,
					  .queue_length = (uint32_t)options.queue,
					  .spool = options.spool };
	r = outputs_start(&config, &outputs);
	if (r < 0) {
		fprintf(stderr, "drive_outputs: %s\n", strerror(-r));
		return 3;
	}
	if (options.want_latency)
		measure(&options, outputs);
	else
		raise_all(&options, outputs);
	for (unsigned long i = 0; i < options.pause_ms && !want_stop; i += 10) {
		reopen_if_asked(outputs);
		usleep(10000);
	}
	outputs_stop(outputs, clock_boot_ns() + options.deadline_ms * NS_PER_MS);
	adds_up = print_stats(outputs, clock_boot_ns() - start_ns);
	outputs_free(outputs);
	if (!adds_up)
		fprintf(stderr, "the accounts do not add up\n");
	return adds_up ? 0 : 1;
}
