/*
 * Harmless suspicious actions, to see the whole chain work. Each works on files, sockets and
 * processes that it makes itself, under names that say so, and removes them again.
 */
#ifndef CLI_TRIGGER_H
#define CLI_TRIGGER_H

#include "haetae/base.h"

/* Where an action stopped, for its error line ("create /etc/haetae-trigger-12"). */
struct trigger_step {
	char text[512];
};

struct trigger_action {
	const char *name;
	const char *rule; /* the shipped rule that it raises */
	const char *doc;
	/* 0 or a negative errno; *step says what was being done. Runs in a process of its own. */
	int (*perform)(struct trigger_step *step);
};

/* NULL behind the last. */
const struct trigger_action *trigger_action_at(unsigned index);

void trigger_step_set(struct trigger_step *step, const char *format, ...) _printf_(2, 3);

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
int trigger_connect_shell(struct trigger_step *step);
/* Runs a program and waits: 0 where it ended with 0, else a negative errno. Its output is
 * discarded. argv[0] is passed as it is. */
int trigger_spawn(const char *path, char *const argv[]);

#endif
