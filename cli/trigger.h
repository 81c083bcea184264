/*
 * Harmless suspicious actions, to see the whole chain work. Each works on files, sockets and
 * processes that it makes itself, under names that say so, and removes them again.
 */
#ifndef CLI_TRIGGER_H
#define CLI_TRIGGER_H

#include <sys/types.h>

#include "haetae/base.h"

#define TRIGGER_ACTIONS_MAX 256
#define TRIGGER_OWNED_MAX   8
#define TRIGGER_WORDS_MAX   6
#define TRIGGER_PATH_MAX    128

/* Where an action stopped, for its error line ("create /etc/haetae-trigger-12"), and what is to be
 * removed where it was killed before it could do so itself. */
struct trigger_step {
	char text[512];
	char owned[TRIGGER_OWNED_MAX][TRIGGER_PATH_MAX];
	unsigned owned_cnt;
};

struct trigger_action {
	const char *name;
	const char *rule;  /* the shipped rule that it raises; NULL: none, for those of one's own */
	const char *mitre; /* the tag of that rule that names the technique; "" where it has none */
	const char *doc;
	/* 0 or a negative errno; *step says what was being done. Runs in a process of its own.
	 * NULL: `place`, else `tool`. */
	int (*perform)(struct trigger_step *step);
	bool wants_container; /* its rule looks only there */
	const char *program;  /* that must be installed; NULL: none */
	/* This program is started under the name and with the arguments, which it takes for a
	 * mistake. */
	const char *tool[TRIGGER_WORDS_MAX + 1];
	/* An empty file is made there: "/etc/cron.d/%", the % being a name of its own; "@/" is a
	 * folder of its own in /tmp. */
	const char *place;
	const char *shown; /* the same, and cat shows it */
	const char *below; /* the name of the process that does it; NULL: its own */
};

/* The actions of some tactics, beside the functions that perform them. */
struct trigger_table {
	const struct trigger_action *actions;
	unsigned cnt;
};
#define TRIGGER_TABLE(rows)             \
	{                               \
		(rows), ARRAY_LEN(rows) \
	}
extern const struct trigger_table trigger_secrets, trigger_evasion, trigger_reach;
extern const struct trigger_table trigger_escapes, trigger_persistence, trigger_intrusions,
	trigger_impacts;

/* trigger_actions.c: NULL behind the last. */
const struct trigger_action *trigger_action_at(unsigned index);
const struct trigger_action *trigger_action_find(const char *name);

/* trigger_perform.c */
struct trigger_run; /* opaque: one action that is or was performed */

/* Starts it in a process of its own. 0 or a negative errno. */
int trigger_run_start(const struct trigger_action *action, struct trigger_run **ret);
/* The process whose descendants do everything. */
pid_t trigger_run_pid(const struct trigger_run *run);
/* Waits for the end and removes what is left. 0, or what went wrong with the step at which it did,
 * valid until the run is freed. */
int trigger_run_wait(struct trigger_run *run, const char **ret_step);
struct trigger_run *trigger_run_free(struct trigger_run *run);
/* What may be done about an error; "" where nothing comes to mind. */
const char *trigger_advice(int error);
/* Why this action can do nothing here; NULL where it can. */
const char *trigger_obstacle(const struct trigger_action *action);

/* trigger_verify.c */
struct trigger_verification {
	const char *socket;
	uint64_t timeout_ns; /* for each alert */
	bool want_json;
	bool is_all; /* then what wants a container does not count */
};
/* Performs the actions and waits for their alerts; prints the table. An exit_code. */
int trigger_verify(const struct trigger_action *const *actions, unsigned cnt,
		   const struct trigger_verification *verification);

void trigger_step_set(struct trigger_step *step, const char *format, ...) _printf_(2, 3);
/* A folder that mkdtemp() has made, which goes with what is in it; or a file that is about to be
 * made (O_EXCL) in a folder where only root writes. */
void trigger_step_owns(struct trigger_step *step, const char *path);
/* A folder that was made where others may put files: removed only while it is empty. */
void trigger_step_owns_empty(struct trigger_step *step, const char *path);

/* A folder in /tmp, or a name in a folder where only root writes ("/etc/haetae-trigger-12.log" with
 * the end ".log"); owned, so that the action itself removes nothing. */
int trigger_folder(struct trigger_step *step, char ret[TRIGGER_PATH_MAX]);
void trigger_path(struct trigger_step *step, const char *folder, const char *end,
		  char ret[TRIGGER_PATH_MAX]);

/* trigger_create.c: an empty file at the place of an action. */
int trigger_create(struct trigger_step *step, const char *place);
/* And cat shows it. */
int trigger_show(struct trigger_step *step, const char *place);

/* trigger_file.c */
int trigger_read_shadow(struct trigger_step *step);
int trigger_link_shadow(struct trigger_step *step);
int trigger_chmod_shadow(struct trigger_step *step);
int trigger_link_bin_dir(struct trigger_step *step);
int trigger_link_etc(struct trigger_step *step);
int trigger_set_user_id(struct trigger_step *step);
int trigger_write_etc(struct trigger_step *step);
int trigger_write_bin_dir(struct trigger_step *step);
int trigger_write_authorized_keys(struct trigger_step *step);
int trigger_truncate_log(struct trigger_step *step);
int trigger_remove_log(struct trigger_step *step);
int trigger_deep_path(struct trigger_step *step);

/* trigger_exec.c */
int trigger_exec_shm(struct trigger_step *step);
int trigger_exec_memfd(struct trigger_step *step);
int trigger_shell_from_server(struct trigger_step *step);
int trigger_compiler_from_server(struct trigger_step *step);
int trigger_shell_below_server(struct trigger_step *step);
int trigger_bash_from_server(struct trigger_step *step);
int trigger_package_tool_from_server(struct trigger_step *step);
int trigger_exec_tmp(struct trigger_step *step);
int trigger_exec_memfd_path(struct trigger_step *step);
int trigger_exec_set_user_id(struct trigger_step *step);
int trigger_decoded_script(struct trigger_step *step);
int trigger_preload(struct trigger_step *step);
int trigger_search_keys(struct trigger_step *step);

/* trigger_process.c */
int trigger_trace_child(struct trigger_step *step);
int trigger_write_child(struct trigger_step *step);
int trigger_read_child(struct trigger_step *step);
int trigger_open_child_memory(struct trigger_step *step);
int trigger_regain_root(struct trigger_step *step);
int trigger_kernel_name(struct trigger_step *step);
int trigger_user_namespace(struct trigger_step *step);
int trigger_enter_namespace(struct trigger_step *step);
int trigger_mount(struct trigger_step *step);
int trigger_chroot(struct trigger_step *step);

/* trigger_kernel.c */
int trigger_bpf_map(struct trigger_step *step);
int trigger_userfault(struct trigger_step *step);
int trigger_writable_code(struct trigger_step *step);

/* trigger_connect.c */
int trigger_connect_shell(struct trigger_step *step);
int trigger_connect_datagram(struct trigger_step *step);
int trigger_connect_refused(struct trigger_step *step);
int trigger_connect_renamed(struct trigger_step *step);
int trigger_connect_script(struct trigger_step *step);
int trigger_packet_socket(struct trigger_step *step);
/* In a network of its own, where the address is its own, too, and nobody listens. */
int trigger_connect_alone(struct trigger_step *step, const char *address, uint16_t port);
int trigger_raw_socket(struct trigger_step *step);
int trigger_reverse_shell(struct trigger_step *step);
int trigger_connection_as_input(struct trigger_step *step);

/* trigger_read.c */
int trigger_read_gshadow(struct trigger_step *step);
int trigger_read_shadow_relative(struct trigger_step *step);
int trigger_read_shadow_link(struct trigger_step *step);
int trigger_read_shadow_openat2(struct trigger_step *step);
int trigger_read_shadow_ring(struct trigger_step *step);
int trigger_connect_ring(struct trigger_step *step);
int trigger_chown_shadow(struct trigger_step *step);

/* trigger_place.c */
int trigger_rename_etc(struct trigger_step *step);
int trigger_hard_link_etc(struct trigger_step *step);
int trigger_rename_bin_dir(struct trigger_step *step);
int trigger_create_etc(struct trigger_step *step);
int trigger_shell_writes_etc(struct trigger_step *step);
int trigger_write_local_bin(struct trigger_step *step);
int trigger_set_capabilities(struct trigger_step *step);
int trigger_set_user_id_tool(struct trigger_step *step);
int trigger_rename_authorized_keys(struct trigger_step *step);
int trigger_link_authorized_keys(struct trigger_step *step);
int trigger_move_log(struct trigger_step *step);
int trigger_link_log(struct trigger_step *step);
int trigger_remove_history(struct trigger_step *step);
int trigger_empty_history(struct trigger_step *step);

/* 0 where it ended with 0, else a negative errno. */
int trigger_wait(pid_t pid);
/* Runs a program and waits: 0 where it ended with 0, else a negative errno. Its output is
 * discarded. argv[0] is passed as it is. */
int trigger_spawn(const char *path, char *const argv[]);
/* Runs this program under another name, the first of argv, below a folder of its own. What it makes
 * of its arguments does not matter, as long as it could be started. */
int trigger_spawn_as(struct trigger_step *step, const char *const *argv);

#endif
