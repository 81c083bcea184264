/*
 * The daemon: composes probes, engine and outputs into `haetae run`.
 */
#ifndef HAETAE_DAEMON_H
#define HAETAE_DAEMON_H

#include "haetae/alert.h"
#include "haetae/log.h"
#include "haetae/metadata.h"
#include "haetae/probes.h"
#include "haetae/proc.h"
#include "haetae/rules.h"
#include "haetae/sink.h"

#define DAEMON_PATHS_MAX     256
#define DAEMON_SELECTORS_MAX 64
#define DAEMON_ADDITIONS_MAX 16
#define DAEMON_CONSTANTS_MAX 16

/* Used where it can be made; a path that was chosen must be. */
#define CONTROL_SOCKET_DEFAULT "/run/haetae/haetae.sock"

/* A capture of all that the engine takes in (capture.h). */
struct record_config {
	const char *path; /* NULL: nothing is recorded */
	bool may_overwrite;
	uint64_t max_bytes;	 /* 0: no limit */
	bool is_alone;		 /* no rules are run, and the run ends with the recording */
	struct event_set events; /* is_alone: those wanted */
};

/* Captures around alerts: the seconds before are kept in memory all the time. */
struct pretrigger_config {
	const char *dir; /* made where it is missing, 0700; NULL: off */
	bool is_for_all; /* alerts of every rule, not only of those with `capture: true` */
	uint64_t before_ns, after_ns;
	uint64_t rate_ns;      /* one file each; 0: no limit */
	uint64_t memory_bytes; /* of the seconds before */
	uint64_t max_bytes;    /* of one file */
	uint32_t max_files;    /* in dir; beyond it none is made */
};

/* The daemon does something harmless and sees whether it notices. */
struct self_test_config {
	uint64_t period_ns;  /* 0: off */
	uint64_t timeout_ns; /* for all of one */
};

struct daemon_config;

/* How the configuration is read anew with each reload. In the thread of the reloads. */
struct daemon_reread {
	/* 0, RULES_E_INVALID with *diags, or a negative errno. The result lives until free(). NULL:
	 * the configuration stays as it is. */
	int (*read)(void *data, struct diags *diags, const struct daemon_config **ret,
		    void **ret_handle);
	void (*free)(void *handle);
	const char *path; /* the file, watched where it is there; NULL: none */
	void *data;
};

struct daemon_config {
	const char *rule_paths[DAEMON_PATHS_MAX];
	uint32_t rule_path_cnt;
	struct rules_options rules; /* its lists point here: */
	struct rule_selector selectors[DAEMON_SELECTORS_MAX];
	struct output_addition additions[DAEMON_ADDITIONS_MAX];
	struct constant_field constants[DAEMON_CONSTANTS_MAX];
	uint32_t constant_cnt;
	struct probes_config probes;
	enum filter_mode kernel_filter;
	struct proc_table_config procs;
	struct sink_config sinks[SINKS_MAX];
	uint32_t sink_cnt;
	struct spool_config spool;
	uint32_t queue_length;
	struct metadata_config metadata;
	struct hold_config hold;
	struct gate_config gate;
	struct pretrigger_config pretrigger;
	struct self_test_config self_test;
	const char *http_listen;    /* "127.0.0.1:9479"; NULL: no HTTP server */
	const char *control_socket; /* a path, default CONTROL_SOCKET_DEFAULT; NULL: none */
	enum log_level log_level;
	enum log_format log_format;
	struct record_config record;
	const struct rules_own *own; /* the only rule to run; NULL: those of the files */
	/* Instead of alerts: each hit. False: the run ends. NULL: alerts. */
	bool (*on_hit)(const struct rule *rule, const struct alert_context *context, void *data);
	void *data;
	uint64_t duration_ns; /* 0: until a signal */
	struct daemon_reread reread;
	bool can_reload;  /* SIGHUP and changed files load the rules anew */
	bool want_banner; /* say on stderr what to try */
};
/* The result holds pointers into itself: it stays where it is. */
void daemon_config_default(struct daemon_config *config);

/* Rules as a daemon of this configuration loads them: with the self-test's, where it is on. The
 * result is valid as long as the configuration. */
struct rules_options daemon_rules_options(const struct daemon_config *config);

/* Exit codes of every command (architecture.md section 9). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_NOT_GOOD = 1,
	EXIT_USAGE = 2,
	EXIT_HOST = 3
};

/* Runs until SIGINT, SIGTERM or the duration; drains, prints the summary to stderr. Returns an
 * exit_code; errors have been logged or printed. */
int daemon_run(const struct daemon_config *config);

#endif
