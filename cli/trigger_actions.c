/*
 * The table of harmless actions. Owns nothing else; `haetae trigger --list`, --verify and the tests
 * read it.
 */
#include "trigger.h"

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ "read-shadow", "Read sensitive file", "T1003.008",
	  "opens /etc/shadow and closes it unread", trigger_read_shadow, false },
	{ "link-shadow", "Sensitive file linked or renamed", "T1003.008",
	  "gives /etc/shadow a second name in /etc and takes it away", trigger_link_shadow, false },
	{ "chmod-shadow", "Permissions of sensitive file changed", "T1222.002",
	  "sets the mode of /etc/shadow to what it is", trigger_chmod_shadow, false },
	{ "link-bin-dir", "File moved or linked into binary directory", "T1554",
	  "makes and removes a symbolic link in /usr/bin that leads nowhere", trigger_link_bin_dir,
	  false },
	{ "link-etc", "File moved or linked below etc", "T1543",
	  "makes and removes a symbolic link in /etc that leads nowhere", trigger_link_etc, false },
	{ "set-user-id", "Program file given privileges", "T1548.001",
	  "sets the set-user-ID bit of an empty file of its own in /tmp", trigger_set_user_id,
	  false },
	{ "write-etc", "Write below etc", "T1543", "creates and removes a file in /etc",
	  trigger_write_etc, false },
	{ "write-bin-dir", "Write below binary directory", "T1554",
	  "creates and removes a file in /usr/bin", trigger_write_bin_dir, false },
	{ "shell-from-server", "Shell spawned by network service", "T1059.004",
	  "starts an empty shell under a process that calls itself nginx",
	  trigger_shell_from_server, false },
	{ "exec-shm", "Execution from temporary directory", "T1059",
	  "runs a copy of this program from /dev/shm", trigger_exec_shm, false },
	{ "exec-memfd", "Fileless execution", "T1620", "runs a copy of this program from memory",
	  trigger_exec_memfd, false },
	{ "connect-shell", "Outbound connection by shell or inline script", "T1059.004",
	  "connects bash to a listener of its own on 127.0.0.1", trigger_connect_shell, false },
	{ "write-authorized-keys", "SSH authorized keys written", "T1098.004",
	  "creates and removes an authorized_keys file in a folder of its own in /tmp",
	  trigger_write_authorized_keys, false },
	{ "truncate-log", "Log file truncated or removed by shell tool", "T1070.002",
	  "makes a file in /var/log and truncates it with sh", trigger_truncate_log, false },
	{ "remove-log", "Log file truncated or removed by shell tool", "T1070.002",
	  "makes a file in /var/log and removes it with rm", trigger_remove_log, false },
	{ "compiler-from-server", "Build or package tool started by network service", "T1072",
	  "starts this program as 'cc' under a process that calls itself nginx",
	  trigger_compiler_from_server, false },
	{ "deep-path", "Path too deep to record", "T1564",
	  "creates a file 80 folders deep in /tmp and removes all of it", trigger_deep_path,
	  false },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(actions) <= TRIGGER_ACTIONS_MAX, "--all has room for each");

const struct trigger_action *trigger_action_at(unsigned index)
{
	return index < ARRAY_LEN(actions) ? &actions[index] : NULL;
}

const struct trigger_action *trigger_action_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}
