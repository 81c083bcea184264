/*
 * deliver CONFIGURATION SECONDS [-o KEY=VALUE…]: the outputs of a configuration, fed with alerts as
 * lines of JSON from standard input. Ends when all are delivered or given up, or after so many
 * seconds, and prints what became of them as one line of JSON a sink, behind "stats ".
 */
#include <json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/conf.h"
#include "haetae/log.h"

#define LINE_MAX_BYTES (4u << 20)
#define STOP_NS	       (300 * NS_PER_MS)

static struct str member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return STR("");
	return str_from(json_object_get_string(value));
}

static void put(struct outputs *outputs, char *line)
{
	struct json_object *object = json_tokener_parse(line);
	struct alert_parts parts = {
		.wall_ns = clock_boot_ns() + (uint64_t)clock_wall_offset_ns(),
		.priority = PRIORITY_WARNING,
		.uuid = member(object, "uuid"),
		.rule = member(object, "rule"),
		.tags = STR(""),
		.text = member(object, "output"),
		.json = str_from(line),
	};
	struct alert *alert = alert_restore(&parts);

	if (alert && !outputs_put(outputs, alert))
		fprintf(stderr, "deliver: the queue is full\n");
	json_object_put(object);
}

static uint64_t queued(struct outputs *outputs)
{
	struct outputs_stats stats;

	outputs_stats(outputs, &stats);
	return stats.queued;
}

static void print(struct outputs *outputs)
{
	struct sink_stats stats;

	for (uint32_t i = 0; outputs_sink_stats(outputs, i, &stats); i++)
		printf("stats {\"name\":\"%s\",\"delivered\":%llu,\"failed\":%llu,\"queued\":%llu,"
		       "\"retried\":%llu,\"restored\":%llu,\"health\":\"%s\"}\n",
		       stats.name, (unsigned long long)stats.delivered,
		       (unsigned long long)stats.failed, (unsigned long long)stats.queued,
		       (unsigned long long)stats.retried, (unsigned long long)stats.restored,
		       sink_health_name(stats.health));
}

static int load(struct conf *conf, int argc, char **argv)
{
	struct diags diags;
	int r;

	diags_init(&diags);
	r = conf_load(conf, argv[1], &diags);
	for (int i = 3; r == 0 && i + 1 < argc; i += 2)
		r = conf_assign(conf, argv[i + 1], &diags);
	if (r == 0)
		r = conf_finish(conf, &diags);
	if (r != 0)
		diags_print(&diags, stderr, false);
	diags_done(&diags);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	struct outputs_config config = { 0 };
	struct outputs *outputs = NULL;
	char *line = NULL;
	size_t size = 0;
	uint64_t end_ns;
	ssize_t n;

	if (!conf || argc < 3 || load(conf, argc, argv) != 0)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	end_ns = clock_boot_ns() + strtoull(argv[2], NULL, 10) * NS_PER_SEC;
	config.sinks = conf->daemon.sinks;
	config.sink_cnt = conf->daemon.sink_cnt;
	config.queue_length = 65536;
	config.spool = conf->daemon.spool;
	if (outputs_start(&config, &outputs) < 0)
		return 3;
	while ((n = getline(&line, &size, stdin)) > 0) {
		line[n - 1] = '\0';
		put(outputs, line);
	}
	free(line);
	while (queued(outputs) > 0 && clock_boot_ns() < end_ns)
		(void)poll(NULL, 0, 20);
	outputs_stop(outputs, clock_boot_ns() + STOP_NS);
	print(outputs);
	outputs_free(outputs);
	return 0;
}
