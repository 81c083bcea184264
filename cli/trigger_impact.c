/*
 * Trigger actions for the rules on damage, and on who may become root: files of its own get the
 * names, and this program the name, that the rules look for. Owns the table of them. Runs in a
 * child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static int rename_as_ransomware(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], from[TRIGGER_PATH_MAX + 16], to[TRIGGER_PATH_MAX + 32];
	_cleanup_(close_fdp) int fd = -1;
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(from, sizeof(from), "%s/harmless", folder);
	snprintf(to, sizeof(to), "%s/harmless.lockbit", folder);
	trigger_step_set(step, "rename %s", from);
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 || rename(from, to) ? -errno : 0;
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "write-disk",
	  .rule = "Disk written by unusual program",
	  .mitre = "T1561.001",
	  .doc = "creates and removes an empty file in /dev with a disk's first letters",
	  .place = "/dev/sd%" },
	{ .name = "ransom-suffix",
	  .rule = "File given suffix of ransomware",
	  .mitre = "T1486",
	  .doc = "renames a file of its own to .lockbit",
	  .perform = rename_as_ransomware },
	{ .name = "ransom-note",
	  .rule = "Ransom note written",
	  .mitre = "T1486",
	  .doc = "creates an empty HOW_TO_DECRYPT.txt in a folder of its own",
	  .place = "@/HOW_TO_DECRYPT.txt" },
	{ .name = "delete-snapshot",
	  .rule = "Backups or snapshots deleted by tool",
	  .mitre = "T1490",
	  .doc = "starts this program as a tool that removes volumes",
	  .tool = { "lvremove", "haetae-trigger/nowhere" } },
	{ .name = "stop-database",
	  .rule = "Data service or virtual machine stopped by tool",
	  .mitre = "T1489",
	  .doc = "starts this program as systemctl that stops a database",
	  .tool = { "systemctl", "stop", "mysql-nowhere" } },
	{ .name = "container-power-off",
	  .rule = "Machine restarted or switched off from container",
	  .mitre = "T1529",
	  .doc = "starts this program as poweroff",
	  .wants_container = true,
	  .tool = { "poweroff", "--haetae-trigger" } },
	{ .name = "lock-account",
	  .rule = "Account locked or removed",
	  .mitre = "T1531",
	  .doc = "starts this program as passwd that locks an account",
	  .tool = { "passwd", "-l", "haetae-trigger" } },
	{ .name = "write-sudoers",
	  .rule = "Privilege rules of sudo written",
	  .mitre = "T1548.003",
	  .doc = "creates and removes an empty file that sudo leaves out",
	  .place = "/etc/sudoers.d/%.off" },
	{ .name = "write-polkit-rule",
	  .rule = "Polkit rule written",
	  .mitre = "T1548",
	  .doc = "creates and removes an empty file that polkit leaves out",
	  .place = "/etc/polkit-1/rules.d/%.off" },
	{ .name = "kernel-helper",
	  .rule = "Program started by kernel",
	  .mitre = "T1611",
	  .doc = "starts this program as a process that calls itself a worker of the kernel",
	  .tool = { "harmless", "haetae-trigger" },
	  .below = "kworker/u8:7" },
	{ .name = "exec-set-user-id",
	  .rule = "Privileged program outside system folders started",
	  .mitre = "T1548.001",
	  .doc = "runs, as nobody, a set-user-ID copy of this program from a folder that is closed "
		 "to "
		 "others",
	  .perform = trigger_exec_set_user_id },
};
/* clang-format on */
const struct trigger_table trigger_impacts = TRIGGER_TABLE(actions);
