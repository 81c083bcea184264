/*
 * `haetae run`: builds the stages in the order of the data flow, loops, drains, tears down in
 * reverse. Owns every stage. The loop is the engine thread; outputs run in a thread of their own.
 */
#include "haetae/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "daemon_private.h"
#include "haetae/alert.h"
#include "haetae/clock.h"
#include "haetae/log.h"
#include "metadata_pump.h"
#include "notify.h"
#include "privileges.h"
#include "rule_use.h"
#include "summary.h"
#include "syscall_filter.h"

#define TICK_NS NS_PER_SEC
/* Records per pass: bounds the time until a signal or a tick is seen under full load. */
#define PASS_RECORDS	 8192
#define STOP_DEADLINE_NS (5 * NS_PER_SEC)

static int host_exit(int r, const struct probes_error *error, const char *doing)
{
	if (r < 0) {
		log_error("%s: %s", doing, strerror(-r));
		return EXIT_HOST;
	}
	log_error("%s; %s", error->what, error->fix);
	return r == PROBES_E_USAGE ? EXIT_USAGE : EXIT_HOST;
}

static int start_probes(struct daemon *daemon)
{
	struct probes_config config = daemon->config->probes;
	struct probes_want want = { 0 };
	struct probes_error error = { 0 };
	uint32_t needs = rule_use_needs(daemon->ruleset);
	int r;

	rule_use_want(daemon->config, daemon->ruleset, &want);
	config.want_env |= (needs & FIELD_NEEDS_ENV) != 0;
	config.want_path_swapped |= (needs & FIELD_NEEDS_SWAP) != 0;
	r = probes_open(&config, &want, &daemon->probes, &error);
	if (r == 0) {
		rule_use_filter(daemon->config, daemon->ruleset, daemon->probes, &daemon->filter);
		r = probes_attach(daemon->probes, &error);
	}
	if (r != 0)
		return host_exit(r, &error, "loading the probes");
	if (engine_walk(&daemon->engine) < 0)
		log_warning(
			"no cgroup hierarchy could be read, continuing with what processes tell");
	r = probes_seed(daemon->probes, engine_seed, &daemon->engine, &error);
	if (r != 0)
		return host_exit(r, &error, "reading the processes there are");
	return EXIT_OK;
}

/* Signals are blocked before any thread starts, so that only the signalfd sees them. */
static int block_signals(struct daemon *daemon)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (daemon->config->can_reload)
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	daemon->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	daemon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (daemon->signal_fd < 0 || daemon->epoll_fd < 0)
		return -errno;
	return daemon_watch(daemon->epoll_fd, daemon->signal_fd);
}

static void take_hit(const struct rule *rule, const struct alert_context *context, void *data)
{
	struct daemon *daemon = data;

	daemon->is_stopping |= !daemon->config->on_hit(rule, context, daemon->config->data);
}

static void take_event(const struct field_context *fields, void *data)
{
	struct daemon *daemon = data;

	self_test_see(&daemon->self_test, fields->event);
	rule_cost_sample(&daemon->rule_cost, fields);
}

static const char *control_error(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "another haetae listens there";
	case -EEXIST:
		return "what is there is no socket of this user's";
	case -EPERM:
		return "others may change its folder";
	default:
		return strerror(-r);
	}
}

static void say_ready(const struct daemon *daemon)
{
	const struct ruleset *ruleset = daemon->engine.ruleset;
	struct proc_table_stats stats;

	proc_table_stats(daemon->engine.procs, &stats);
	if (daemon->config->record.path)
		log_info("recording to %s", daemon->config->record.path);
	log_info("ready: %u rules enabled of %u, %llu processes known, %llu ms after start",
		 rule_use_enabled_cnt(ruleset), rule_use_cnt(ruleset),
		 (unsigned long long)stats.processes,
		 (unsigned long long)((clock_boot_ns() - daemon->start_ns) / NS_PER_MS));
	if (daemon->control_result < 0)
		log_info("no control socket at %s: %s", daemon->config->control_socket,
			 control_error(daemon->control_result));
	if (daemon->config->want_banner)
		log_info("to see an alert, run in a second shell: sudo %s trigger read-shadow",
			 program_invocation_name);
}

static int milliseconds_until(uint64_t then_ns)
{
	uint64_t now_ns = clock_boot_ns();

	return then_ns <= now_ns ? 0 : (int)((then_ns - now_ns) / NS_PER_MS + 1);
}

static void publish(struct daemon *daemon, const struct probes_counters *counters)
{
	const struct metrics_sources sources = {
		.engine = &daemon->engine,
		.probes = daemon->probes,
		.metadata = daemon->metadata,
		.counters = counters,
		.reload = daemon->reload,
		.filter = &daemon->filter,
		.caught_up_ns = daemon->caught_up_ns,
		.self_test = &daemon->self_test.state,
	};

	if (daemon->server || daemon->control)
		metrics_publish(&daemon->metrics, &sources);
}

static void tell_completeness(struct daemon *daemon, const struct probes_counters *counters)
{
	struct loss_numbers numbers;

	loss_window_tick(&daemon->loss, counters, daemon->probes);
	loss_window_numbers(&daemon->loss, &numbers);
	if (!loss_numbers_equal(&numbers, &daemon->engine.loss))
		engine_loss(&daemon->engine, &numbers);
}

static void tick_engine(struct daemon *daemon, uint64_t now_ns)
{
	engine_tick(&daemon->engine, now_ns, clock_wall_offset_ns());
	engine_look(&daemon->engine);
}

static void tick(struct daemon *daemon, uint64_t now_ns)
{
	struct probes_counters counters;

	if (now_ns < daemon->next_tick_ns)
		return;
	daemon->next_tick_ns = now_ns + TICK_NS;
	tick_engine(daemon, now_ns);
	if (probes_read_counters(daemon->probes, &counters) < 0)
		return;
	tell_completeness(daemon, &counters);
	tell_losses(daemon, &counters, false);
	self_test_tick(daemon, now_ns);
	daemon->is_stopping |= !recording_tick(&daemon->recording);
	publish(daemon, &counters);
}

/* SIGUSR1: log rotation has moved our files away. SIGHUP: rules. */
static void read_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;

	while (read(daemon->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP && daemon->reload)
			(void)reload_request(daemon->reload, RELOAD_SIGNAL);
		else if (info.ssi_signo != SIGUSR1)
			daemon->is_stopping = true;
		else if (daemon->outputs)
			outputs_reopen(daemon->outputs);
	}
}

static void take_rules(struct daemon *daemon)
{
	const struct daemon_config *config;
	struct ruleset *ruleset = daemon->reload ? reload_take(daemon->reload, &config) : NULL;
	int r;

	if (!ruleset)
		return;
	r = daemon_install(daemon, ruleset);
	if (r < 0) {
		ruleset_free(ruleset);
	} else {
		daemon->in_force = config;
		log_configure(config->log_level, config->log_format);
	}
	/* What is answered from here on is of the new rules. */
	daemon->next_tick_ns = 0;
	tick(daemon, clock_boot_ns());
	reload_taken(daemon->reload, daemon->ruleset, r < 0 ? strerror(-r) : NULL);
}

/* Rules are loaded and probes attached before the loop; what is left is that the rings have been
 * found empty. Says so once. */
static void tell_manager(struct daemon *daemon)
{
	if (!daemon->has_told_ready && daemon->caught_up_ns) {
		notify_ready("detecting");
		daemon->has_told_ready = true;
	}
	notify_alive(clock_boot_ns());
}

static void loop(struct daemon *daemon)
{
	while (!daemon->is_stopping) {
		struct epoll_event events[4];
		uint64_t until_ns = MIN(daemon->next_tick_ns, daemon->end_ns);

		until_ns = MIN(until_ns, engine_deadline_ns(&daemon->engine));
		(void)epoll_wait(daemon->epoll_fd, events, ARRAY_LEN(events),
				 milliseconds_until(until_ns));
		names_update(&daemon->names, &daemon->engine);
		metadata_pump_take(daemon->metadata, &daemon->engine);
		engine_decide(&daemon->engine, clock_boot_ns());
		take_rules(daemon);
		tell_reloads(daemon);
		if (probes_drain(daemon->probes, engine_handle, &daemon->engine, PASS_RECORDS) <
		    PASS_RECORDS)
			daemon->caught_up_ns = clock_boot_ns();
		metadata_pump_ask(daemon->metadata, &daemon->engine);
		pretrigger_tick(&daemon->pretrigger, clock_boot_ns());
		tick(daemon, clock_boot_ns());
		read_signals(daemon);
		tell_manager(daemon);
		daemon->is_stopping |= clock_boot_ns() >= daemon->end_ns;
	}
}

/* After detach nothing new arrives, so the drain ends. */
static void stop(struct daemon *daemon)
{
	struct probes_counters counters = { 0 };
	struct summary summary = { .kernel = &counters, .engine = &daemon->engine };
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, 1u << 16);
	notify_stopping();
	probes_detach(daemon->probes);
	while (probes_drain(daemon->probes, engine_handle, &daemon->engine, 0) > 0)
		;
	if (probes_read_counters(daemon->probes, &counters) < 0)
		log_warning("the kernel's counters could not be read: the summary lacks them");
	else
		tell_losses(daemon, &counters, true);
	engine_flush(&daemon->engine);
	recording_finish(&daemon->recording, &daemon->engine);
	pretrigger_done(&daemon->pretrigger);
	outputs_stop(daemon->outputs, clock_boot_ns() + STOP_DEADLINE_NS);
	if (daemon->outputs)
		outputs_stats(daemon->outputs, &summary.outputs);
	if (daemon->metadata)
		metadata_stats(daemon->metadata, &summary.metadata);
	capture_writer_stats(daemon->recording.writer, &summary.capture);
	summary.record = &daemon->config->record;
	summary.duration_ns = clock_boot_ns() - daemon->start_ns;
	summary_format(&summary, &text);
	if (poll(&(struct pollfd){ .fd = STDERR_FILENO, .events = POLLOUT }, 1,
		 STOP_DEADLINE_NS / NS_PER_MS) > 0)
		(void)!write(STDERR_FILENO, buf_str(&text).p, buf_str(&text).n);
}

static int fail(const char *doing, int r)
{
	log_error("%s: %s", doing, strerror(-r));
	return EXIT_HOST;
}

/* Before anything is attached: the spool may be long, and helpers need privileges that go. */
static int start_server(struct daemon *daemon)
{
	const char *listen = daemon->config->http_listen;
	int r;

	if (!listen)
		return 0;
	r = server_new(listen, &daemon->metrics, &daemon->server);
	if (r == 0)
		log_info("metrics and health at http://%s", server_address(daemon->server));
	return r;
}

/* Nobody has asked for the default: where it cannot be, the daemon goes on. */
static int start_control(struct daemon *daemon)
{
	const char *path = daemon->config->control_socket;
	int r;

	if (!path)
		return 0;
	r = control_new(path, &daemon->metrics, daemon->engine.ruleset, &daemon->control);
	daemon->control_result = r;
	if (r == 0 || strcmp(path, CONTROL_SOCKET_DEFAULT) == 0)
		return 0;
	log_error("control socket %s: %s", path, control_error(r));
	return r;
}

static int start_servers(struct daemon *daemon)
{
	int r = metrics_init(&daemon->metrics, ruleset_rule_cnt(daemon->engine.ruleset));

	if (r == 0)
		r = metrics_install(&daemon->metrics, daemon->ruleset);
	if (r < 0)
		return fail("starting the metrics", r);
	r = start_server(daemon);
	if (r < 0)
		return fail("listening for HTTP", r);
	return start_control(daemon) < 0 ? EXIT_HOST : EXIT_OK;
}

static int prepare_outputs(struct daemon *daemon)
{
	const struct daemon_config *config = daemon->config;
	struct outputs_config outputs = {
		.sinks = config->sinks,
		.sink_cnt = config->sink_cnt,
		.queue_length = config->queue_length,
		.spool = config->spool,
	};
	int r;

	if (daemon->server)
		outputs.guests[0] = server_guest(daemon->server);
	if (daemon->control)
		outputs.guests[1] = control_guest(daemon->control);
	/* A recording, or a dump: nothing is raised. */
	if (config->sink_cnt == 0)
		return 0;
	r = outputs_prepare(&outputs, &daemon->outputs);
	if (r == 0 && daemon->server)
		server_set_outputs(daemon->server, daemon->outputs);
	if (r == 0 && daemon->control)
		control_set_outputs(daemon->control, daemon->outputs);
	return r;
}

/* Without it the daemon goes on: rules with host names are then neither true nor false of them. */
static void start_names(struct daemon *daemon)
{
	int r = 0;

	if (daemon->config->metadata.want_host_names)
		r = names_start(&daemon->names, daemon->engine.ruleset);
	if (r == 0 && names_poll_fd(&daemon->names) >= 0)
		r = daemon_watch(daemon->epoll_fd, names_poll_fd(&daemon->names));
	if (r < 0)
		log_warning("resolving the host names in rules: %s", strerror(-r));
	daemon->engine.host_names = daemon->names.table;
	daemon->engine.fields.host_names = daemon->names.table;
}

/* After the privileges are dropped: runtimes' sockets are root's, which is enough. Without the
 * thread the daemon goes on with what control groups say. */
static void start_metadata(struct daemon *daemon)
{
	int r = metadata_start(&daemon->config->metadata, &daemon->metadata);
	bool has_source[METADATA_SOURCE__COUNT] = { false };

	if (r == 0 && daemon->metadata)
		r = daemon_watch(daemon->epoll_fd, metadata_poll_fd(daemon->metadata));
	if (r < 0)
		log_warning("asking container runtimes and Kubernetes: %s", strerror(-r));
	for (unsigned i = 0; daemon->metadata && i < METADATA_SOURCE__COUNT; i++)
		has_source[i] = metadata_has_source(daemon->metadata, (enum metadata_source)i);
	engine_sources(&daemon->engine, has_source);
	metadata_pump_ask(daemon->metadata, &daemon->engine);
}

static int start_reload(struct daemon *daemon)
{
	int r;

	daemon->start_needs = rule_use_needs(daemon->ruleset);
	if (!daemon->config->can_reload)
		return 0;
	r = reload_new(daemon->config, daemon->ruleset, daemon_check_needs, daemon,
		       &daemon->reload);
	if (r == 0)
		r = daemon_watch(daemon->epoll_fd, reload_poll_fd(daemon->reload));
	if (r == 0 && daemon->control)
		control_set_reload(daemon->control, daemon->reload);
	return r < 0 ? r : 0;
}

/* The outputs thread comes last: it inherits what is left of the privileges. */
static int start(struct daemon *daemon)
{
	const struct daemon_config *config = daemon->config;
	struct proc_table_config procs = config->procs;
	struct engine_host host;
	char hostname[256], boot_id[40];
	const char *what = "";
	int r = rule_use_load(config, &daemon->ruleset);

	if (r != EXIT_OK)
		return r;
	procs.want_env |= (rule_use_needs(daemon->ruleset) & FIELD_NEEDS_ENV) != 0;
	engine_host_read(&host, hostname, boot_id);
	r = engine_init(&daemon->engine, config, &procs, &host, daemon->ruleset);
	if (r < 0)
		return fail("starting the engine", r);
	if (config->on_hit) {
		daemon->engine.on_hit = take_hit;
	} else {
		daemon->engine.on_event = take_event;
		rule_cost_install(&daemon->rule_cost, &daemon->engine);
	}
	daemon->engine.data = daemon;
	daemon->engine.on_self_test = self_test_match;
	daemon->engine.self_test_data = &daemon->self_test;
	for (uint32_t i = 0; i < config->sink_cnt; i++)
		daemon->engine.want_self_test_alert |= config->sinks[i].want_self_test;
	r = recording_start(&daemon->recording, config, &host, &daemon->engine);
	if (r < 0)
		return fail(config->record.path, r);
	r = pretrigger_start(&daemon->pretrigger, &config->pretrigger, &daemon->engine);
	if (r < 0)
		return fail("keeping the last seconds in memory", r);
	r = block_signals(daemon);
	if (r < 0)
		return fail("blocking signals", r);
	r = start_servers(daemon);
	if (r != EXIT_OK)
		return r;
	r = start_reload(daemon);
	if (r < 0)
		return fail("preparing reloads", r);
	r = prepare_outputs(daemon);
	if (r < 0)
		return fail("preparing the outputs", r);
	r = start_probes(daemon);
	if (r != EXIT_OK)
		return r;
	/* Reads parents that the seed left out, which takes privileges that go in a moment. */
	tick_engine(daemon, clock_boot_ns());
	r = daemon_watch(daemon->epoll_fd, probes_poll_fd(daemon->probes));
	if (r < 0)
		return fail("watching the rings", r);
	r = privileges_drop(&what);
	if (r < 0)
		log_warning("%s: %s, continuing with more privilege than needed", what,
			    strerror(-r));
	r = syscall_filter_install();
	if (r < 0)
		log_warning("filtering the system calls of haetae itself: %s, continuing without",
			    strerror(-r));
	start_names(daemon);
	start_metadata(daemon);
	r = daemon->reload ? reload_start(daemon->reload) : 0;
	if (r < 0)
		return fail("starting reloads", r);
	r = daemon->outputs ? outputs_run(daemon->outputs) : 0;
	if (r < 0)
		return fail("starting the outputs", r);
	daemon->engine.outputs = daemon->outputs;
	return EXIT_OK;
}

static void release(struct daemon *daemon)
{
	daemon->metadata = metadata_free(daemon->metadata);
	daemon->reload = reload_free(daemon->reload);
	pretrigger_done(&daemon->pretrigger);
	engine_done(&daemon->engine);
	rule_cost_done(&daemon->rule_cost);
	daemon->ruleset = ruleset_free(daemon->ruleset);
	recording_done(&daemon->recording);
	names_done(&daemon->names);
	daemon->probes = probes_free(daemon->probes);
	outputs_stop(daemon->outputs, clock_boot_ns());
	daemon->outputs = outputs_free(daemon->outputs);
	daemon->server = server_free(daemon->server);
	daemon->control = control_free(daemon->control);
	for (unsigned i = 0; i < RETIRED_MAX; i++)
		daemon->retired[i] = ruleset_free(daemon->retired[i]);
	metrics_done(&daemon->metrics);
	notify_close();
	close_fdp(&daemon->signal_fd);
	close_fdp(&daemon->epoll_fd);
}

int daemon_run(const struct daemon_config *config)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int r;

	if (!daemon) {
		log_error("starting: out of memory");
		return EXIT_HOST;
	}
	log_configure(config->log_level, config->log_format);
	*daemon = (struct daemon){
		.config = config, .in_force = config, .signal_fd = -1, .epoll_fd = -1
	};
	daemon->start_ns = clock_boot_ns();
	r = notify_open();
	if (r < 0)
		log_warning("the service manager is not told how haetae is: %s", strerror(-r));
	r = start(daemon);
	if (r == EXIT_OK) {
		daemon->end_ns =
			config->duration_ns ? clock_boot_ns() + config->duration_ns : UINT64_MAX;
		daemon->next_tick_ns = clock_boot_ns();
		loss_watch_init(&daemon->loss_watch, clock_boot_ns());
		say_ready(daemon);
		/* The kernel's types and the objects took, and gave back, tens of MiB. */
		(void)malloc_trim(0);
		loop(daemon);
		stop(daemon);
		if (config->record.is_alone && recording_has_failed(&daemon->recording))
			r = EXIT_HOST;
	}
	release(daemon);
	free(daemon);
	return r;
}
