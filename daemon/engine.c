/*
 * One record through the stages: decode, process table, rules, alert. Owns the tables and the
 * scratch memory of the event at hand. Called by the daemon's loop, in the engine thread; allocates
 * only where a process starts or an alert is raised.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>

#include "haetae/alert.h"
#include "haetae/clock.h"
#include "haetae/log.h"
#include "container_event.h"

/* An event's fields, joined paths and ancestors: far above what 16 KiB of record can yield. */
#define SCRATCH_MAX (4u << 20)

static void read_boot_id(char ret[40])
{
	_cleanup_(close_fdp) int fd =
		open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd >= 0 ? read(fd, ret, 36) : -1;

	ret[n > 0 ? n : 0] = '\0';
}

void engine_host_read(struct engine_host *host, char hostname[256], char boot_id[40])
{
	const char *node = getenv("NODE_NAME");
	char own[256] = "";

	/* In a pod the host's own name is the node's, not the pod's (decision 31). */
	if (!node || !*node)
		node = gethostname(own, sizeof(own) - 1) < 0 ? "unknown" : own;
	snprintf(hostname, 256, "%s", node);
	read_boot_id(boot_id);
	*host = (struct engine_host){ .name = hostname,
				      .boot_id = boot_id,
				      .wall_offset_ns = clock_wall_offset_ns() };
}

/* The host's own files where haetae runs in a container (metadata.host_root). */
static int init_procs(struct engine *engine, const struct proc_table_config *procs,
		      const struct engine_host *host, const char *host_root)
{
	struct proc_table_config config = *procs;
	int r;

	config.inputs = host->procs;
	if (!host->is_replayed)
		config.inputs = (struct proc_inputs){ .on_strings = tap_strings,
						      .on_gone = tap_gone,
						      .data = &engine->tap };
	if (host->is_replayed) {
		config.proc_root = NULL;
		r = proc_table_new(&config, &engine->procs);
		return r < 0 ? r : users_new_from(STR(""), STR(""), &engine->users);
	}

	if ((size_t)snprintf(engine->proc_root, sizeof(engine->proc_root), "%s/proc", host_root) >=
		    sizeof(engine->proc_root) ||
	    (size_t)snprintf(engine->etc_root, sizeof(engine->etc_root), "%s/etc", host_root) >=
		    sizeof(engine->etc_root))
		return -ENAMETOOLONG;
	if (*host_root) {
		config.proc_root = engine->proc_root;
		config.is_host_proc = true;
	}
	r = proc_table_new(&config, &engine->procs);
	return r < 0 ? r : users_new(engine->etc_root, &engine->users);
}

static int init_containers(struct engine *engine, const struct metadata_config *metadata,
			   const struct engine_host *host)
{
	struct container_table_config config;
	int r = pod_table_new(metadata->max_pods, &engine->pods);

	if (r < 0)
		return r;
	container_table_config_default(&config);
	config.host_root = host->is_replayed ? NULL : metadata->host_root;
	config.inputs = host->containers;
	if (!host->is_replayed)
		config.inputs = (struct container_inputs){ .on_place = tap_place,
							   .on_bundle = tap_bundle,
							   .on_walk = tap_walk,
							   .data = &engine->tap };
	config.bundle_roots = metadata->bundle_roots;
	config.bundle_root_cnt = metadata->bundle_root_cnt;
	config.procs = engine->procs;
	config.pods = engine->pods;
	return container_table_new(&config, &engine->containers);
}

static void complete_alert(struct alert_context *alert, void *data)
{
	const struct wire_header *header = alert->fields->event->header;
	const struct engine *engine = data;

	alert->lost_10s = engine->loss.total;
	alert->lost_cgroup_10s = loss_numbers_of(&engine->loss, header->cgroup_id,
						 (enum wire_hierarchy)header->cgroup_hierarchy);
}

/* A gate_raise_fn, too: for closing alerts. NULL: it found no memory. */
static void put_alert(const struct rule *rule, struct alert *alert, void *data)
{
	struct engine *engine = data;

	engine->counters.alerts[rule->priority]++;
	engine->rules[rule->index].alerts++;
	if (!alert)
		engine->counters.alerts_lost_memory++;
	else if (!(engine->on_alert ? engine->on_alert(alert, engine->data)
				    : outputs_put(engine->outputs, alert)))
		engine->counters.alerts_refused++;
}

/* probes.kernel_filter: check. */
static void check_filter(struct engine *engine, const struct rule *rule,
			 const struct wire_header *header)
{
	if (!(header->flags & WIRE_UNWANTED))
		return;
	engine->counters.unwanted_matches++;
	log_error("the kernel filter would have kept back an event (%s) that rule '%s' matches; "
		  "report it, and set probes.kernel_filter to off until it is mended",
		  event_schema_get((enum event_type)header->type)->name, rule->name.p);
}

/* Of no gate, and of no container's account: it is haetae's. */
static void take_self_test(struct engine *engine, const struct rule *rule,
			   const struct alert_context *context)
{
	struct alert *alert = NULL;

	if (engine->want_self_test_alert && alert_new(rule, context, &alert) < 0)
		alert = NULL;
	if (engine->on_self_test)
		engine->on_self_test(context, alert, engine->self_test_data);
	if (engine->want_self_test_alert)
		put_alert(rule, alert, engine);
}

static void raise_alert(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct engine *engine = data;
	struct alert *alert;

	engine->rules[rule->index].matches++;
	check_filter(engine, rule, context->fields->event->header);
	if (engine->on_hit) {
		engine->on_hit(rule, context, engine->data);
		return;
	}
	if (rule->is_self_test) {
		take_self_test(engine, rule, context);
		return;
	}
	if (!gate_check(engine->gate, rule, context))
		return;
	if (alert_new(rule, context, &alert) < 0)
		alert = NULL;
	container_count(context->fields->event->container, true);
	if (alert && engine->on_raised)
		engine->on_raised(rule, alert, engine->raised_data);
	put_alert(rule, alert, engine);
}

static uint64_t now_ns(void *data)
{
	return ((const struct engine *)data)->now_ns;
}

static int init_hold(struct engine *engine, const struct hold_config *config)
{
	const struct hold_calls calls = {
		.complete = complete_alert, .raise = raise_alert, .now_ns = now_ns, .data = engine
	};

	return hold_new(config, engine->containers, &calls, &engine->hold);
}

int engine_init(struct engine *engine, const struct daemon_config *config,
		const struct proc_table_config *procs, const struct engine_host *host,
		struct ruleset *ruleset)
{
	int r;

	*engine = (struct engine){ .ruleset = ruleset,
				   .next_number = 1,
				   .wall_offset_ns = host->wall_offset_ns };
	arena_init(&engine->scratch, SCRATCH_MAX);
	strncpy(engine->hostname, host->name, sizeof(engine->hostname) - 1);
	strncpy(engine->boot_id, host->boot_id, sizeof(engine->boot_id) - 1);
	engine->rules = calloc(ruleset_rule_cnt(ruleset) + 1, sizeof(*engine->rules));
	r = engine->rules ? matcher_new(ruleset, &engine->matcher) : -ENOMEM;
	if (r == 0)
		r = init_procs(engine, procs, host, config->metadata.host_root);
	if (r == 0)
		r = init_containers(engine, &config->metadata, host);
	if (r == 0)
		r = init_hold(engine, &config->hold);
	if (r == 0)
		r = gate_new(&config->gate, put_alert, engine, &engine->gate);
	if (r < 0) {
		engine_done(engine);
		return r;
	}
	engine->event.scratch = &engine->scratch;
	engine->fields = (struct field_context){
		.event = &engine->event,
		.procs = engine->procs,
		.pods = engine->pods,
		.users = engine->users,
		.hostname = engine->hostname,
		.source = "syscall",
	};
	engine->alert = (struct alert_context){
		.fields = &engine->fields,
		.constants = config->constants,
		.constant_cnt = config->constant_cnt,
		.version = HAETAE_VERSION,
		.boot_id = engine->boot_id,
	};
	return 0;
}

void engine_done(struct engine *engine)
{
	/* Held events refer to containers, users and rules. */
	engine->hold = hold_free(engine->hold);
	engine->gate = gate_free(engine->gate);
	engine->users = users_free(engine->users);
	/* Processes refer to containers. */
	engine->procs = proc_table_free(engine->procs);
	engine->containers = container_table_free(engine->containers);
	engine->pods = pod_table_free(engine->pods);
	engine->matcher = matcher_free(engine->matcher);
	free(engine->rules);
	engine->rules = NULL;
	arena_done(&engine->scratch);
}

void engine_record(struct engine *engine, struct capture_writer *writer)
{
	engine->tap = (struct tap){ .writer = writer };
	tap_users(&engine->tap, engine->users);
}

int engine_walk(struct engine *engine)
{
	return container_table_walk(engine->containers);
}

void engine_seed(const void *record, uint32_t length, void *data)
{
	struct engine *engine = data;

	if (event_decode(&engine->event, record, length) == 0) {
		proc_table_apply(engine->procs, &engine->event);
		container_table_apply(engine->containers, &engine->event);
		engine->counters.seeds++;
	} else {
		engine->counters.undecodable_seeds++;
	}
	tap_record(&engine->tap, CAPTURE_SEED, record, length);
	arena_reset(&engine->scratch);
}

static void run_stages(struct engine *engine)
{
	struct event *event = &engine->event;

	event->wall_offset_ns = engine->wall_offset_ns;
	proc_table_apply(engine->procs, event);
	container_table_apply(engine->containers, event);
	if (!(event->schema->flags & EVENT_STATE)) {
		event->number = engine->next_number++;
		engine->counters.evaluated++;
		container_count(event->container, false);
		hold_run(engine->hold, engine->matcher, &engine->alert);
		if (engine->on_event)
			engine->on_event(&engine->fields, engine->data);
	}
	arena_reset(&engine->scratch);
}

static void run_record(struct engine *engine, const struct container_record *record)
{
	int r = event_decode(&engine->event, record->bytes, record->length);

	hae_assert(r == 0);
	engine->counters.own++;
	run_stages(engine);
}

/* The event at hand, and another where it showed that a process left its container's cgroup. */
static void run_event(struct engine *engine)
{
	const struct container_left *left;
	struct container_record record;

	run_stages(engine);
	left = container_table_left(engine->containers);
	if (!left)
		return;
	container_record_make(&record, left, ++engine->own_sequence);
	run_record(engine, &record);
}

void engine_handle(const void *record, uint32_t length, void *data)
{
	struct engine *engine = data;

	if (event_decode(&engine->event, record, length) != 0) {
		engine->counters.undecodable++;
	} else {
		engine->counters.delivered[engine->event.schema->type]++;
		engine->counters.unwanted += (engine->event.header->flags & WIRE_UNWANTED) != 0;
		run_event(engine);
	}
	tap_record(&engine->tap, CAPTURE_RECORD, record, length);
}

void engine_own(struct engine *engine, const void *record, uint32_t length)
{
	int r = event_decode(&engine->event, record, length);

	if (r != 0 || !(engine->event.schema->flags & EVENT_OWN)) {
		engine->counters.undecodable++; /* of a recording that somebody made */
		return;
	}
	engine->counters.own++;
	engine->counters.own_records++;
	engine->own_sequence = MAX(engine->own_sequence, engine->event.header->sequence);
	run_stages(engine);
	tap_record(&engine->tap, CAPTURE_OWN, record, length);
}

void engine_decide(struct engine *engine, uint64_t now_ns)
{
	tap_decide(&engine->tap, now_ns, engine->has_news || engine_deadline_ns(engine) <= now_ns);
	engine->now_ns = now_ns;
	if (engine->has_news)
		hold_update(engine->hold, NULL);
	engine->has_news = false;
	hold_tick(engine->hold);
}

uint64_t engine_deadline_ns(const struct engine *engine)
{
	return hold_deadline_ns(engine->hold);
}

void engine_flush(struct engine *engine)
{
	hold_flush(engine->hold, NULL);
	gate_flush(engine->gate, &engine->alert);
}

void engine_tick(struct engine *engine, uint64_t now_ns, int64_t wall_offset_ns)
{
	engine->now_ns = now_ns;
	engine->wall_offset_ns = wall_offset_ns;
	gate_tick(engine->gate, &engine->alert, now_ns);
	proc_table_collect(engine->procs, now_ns);
	container_table_collect(engine->containers, now_ns);
	tap_tick(&engine->tap, now_ns, wall_offset_ns);
}

void engine_look(struct engine *engine)
{
	if (users_look(engine->users))
		tap_users(&engine->tap, engine->users);
	proc_table_look(engine->procs, engine->now_ns);
	container_table_look(engine->containers, engine->now_ns);
}

uint64_t engine_delivered(const struct engine *engine)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < EVENT__COUNT; i++)
		sum += engine->counters.delivered[i];
	return sum;
}

uint64_t engine_alerts(const struct engine *engine)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PRIORITY__COUNT; i++)
		sum += engine->counters.alerts[i];
	return sum;
}
