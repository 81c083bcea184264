/*
 * Trigger actions for the rules on keys, passwords and memory of others: what is read are empty
 * files of our own at such names, and processes of our own. Owns the table of them. Runs in a child
 * process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>

/* Of this process, by its number: not what it opens by /proc/self. */
static int show_environment(struct trigger_step *step)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getpid());
	trigger_step_set(step, "show %s", path);
	return trigger_spawn("/bin/cat", (char *const[]){ "cat", "--", path, NULL });
}

static int link_to_shadow(struct trigger_step *step)
{
	char folder[TRIGGER_PATH_MAX], path[TRIGGER_PATH_MAX + 16];
	int r = trigger_folder(step, folder);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/harmless", folder);
	trigger_step_set(step, "make the link %s", path);
	return symlink("/etc/shadow", path) ? -errno : 0;
}

static int climb_to_etc(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "open ../../etc/hostname in /usr/bin");
	if (chdir("/usr/bin"))
		return -errno;
	fd = open("../../etc/hostname", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int connect_metadata(struct trigger_step *step)
{
	return trigger_connect_alone(step, "169.254.169.254", 80);
}

static int connect_metadata_as_curl(struct trigger_step *step)
{
	trigger_step_set(step, "take the name curl");
	return prctl(PR_SET_NAME, "curl") ? -errno : connect_metadata(step);
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "read-ssh-key",
	  .rule = "SSH private key read",
	  .mitre = "T1552.004",
	  .doc = "shows an empty .ssh/id_rsa of its own",
	  .shown = "@/.ssh/id_rsa" },
	{ .name = "read-cloud-credentials",
	  .rule = "Cloud credentials read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .aws/credentials of its own",
	  .shown = "@/.aws/credentials" },
	{ .name = "read-kubeconfig",
	  .rule = "Kubernetes credentials read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .kube/config of its own",
	  .shown = "@/.kube/config" },
	{ .name = "read-service-token",
	  .rule = "Service account token read by file tool",
	  .mitre = "T1528",
	  .doc = "shows an empty token of its own",
	  .shown = "@/secrets/kubernetes.io/serviceaccount/token" },
	{ .name = "read-browser-store",
	  .rule = "Browser credentials read",
	  .mitre = "T1555.003",
	  .doc = "shows an empty logins.json of its own",
	  .shown = "@/.mozilla/logins.json" },
	{ .name = "read-keyring",
	  .rule = "Keyring or password store read",
	  .mitre = "T1555",
	  .doc = "shows an empty KeePass file of its own",
	  .shown = "@/haetae-trigger.kdbx" },
	{ .name = "read-password-file",
	  .rule = "Password file of a tool read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .git-credentials of its own",
	  .shown = "@/.git-credentials" },
	{ .name = "read-ticket",
	  .rule = "Kerberos ticket read by file tool",
	  .mitre = "T1558.005",
	  .doc = "shows an empty cache of tickets of its own",
	  .shown = "/tmp/krb5cc_%" },
	{ .name = "open-child-memory",
	  .rule = "Memory of another process opened",
	  .mitre = "T1003.007",
	  .doc = "opens the memory of a child of its own",
	  .perform = trigger_open_child_memory },
	{ .name = "read-child-memory",
	  .rule = "Memory of another process read",
	  .mitre = "T1003.007",
	  .doc = "reads the memory of a child of its own",
	  .perform = trigger_read_child },
	{ .name = "dump-memory",
	  .rule = "Memory dumped by tool",
	  .mitre = "T1003.007",
	  .doc = "starts this program as a tool that dumps memory",
	  .tool = { "gcore", "0" } },
	{ .name = "show-environment",
	  .rule = "Environment of another process read",
	  .mitre = "T1552",
	  .doc = "shows nobody the environment of its own process",
	  .perform = show_environment },
	{ .name = "ask-metadata",
	  .rule = "Cloud metadata service asked by tool",
	  .mitre = "T1552.005",
	  .doc = "connects, as curl, to the address of a cloud's metadata in a network of its own",
	  .perform = connect_metadata_as_curl },
	{ .name = "container-metadata",
	  .rule = "Cloud metadata service contacted from container",
	  .mitre = "T1552.005",
	  .doc = "connects to the address of a cloud's metadata in a network of its own",
	  .perform = connect_metadata,
	  .wants_container = true },
	{ .name = "search-keys",
	  .rule = "Search for keys or passwords",
	  .mitre = "T1552.001",
	  .doc = "searches for private keys in an empty folder of its own",
	  .perform = trigger_search_keys },
	{ .name = "sniffer",
	  .rule = "Network sniffer started",
	  .mitre = "T1040",
	  .doc = "starts this program as a sniffer",
	  .tool = { "tcpdump", "-i", "any" } },
	{ .name = "packet-socket",
	  .rule = "Packet socket made in container",
	  .mitre = "T1040",
	  .doc = "makes a packet socket that receives nothing",
	  .perform = trigger_packet_socket,
	  .wants_container = true },
	{ .name = "crack-passwords",
	  .rule = "Password cracker started",
	  .mitre = "T1110",
	  .doc = "starts this program as a password cracker",
	  .tool = { "hydra", "-l", "root", "ssh://127.0.0.1:9" } },
	{ .name = "show-keyring",
	  .rule = "Kernel keyring read by tool",
	  .mitre = "T1552",
	  .doc = "starts this program as keyctl that lists keys",
	  .tool = { "keyctl", "show" } },
	{ .name = "link-to-shadow",
	  .rule = "Symbolic link to sensitive file",
	  .mitre = "T1003.008",
	  .doc = "makes a symbolic link to /etc/shadow in a folder of its own",
	  .perform = link_to_shadow },
	{ .name = "climb-to-etc",
	  .rule = "Path climbed to sensitive file",
	  .mitre = "T1552.001",
	  .doc = "opens /etc/hostname as ../../etc/hostname, as a process that calls itself nginx",
	  .perform = climb_to_etc,
	  .below = "nginx" },
};
/* clang-format on */

const struct trigger_table trigger_secrets = TRIGGER_TABLE(actions);
