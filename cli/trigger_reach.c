/*
 * Trigger actions for the rules on looking around, on gathering, on getting on to other machines
 * and on taking things there: mostly this program under a tool's name, with arguments that lead
 * nowhere. Owns the table of them. Runs in a child process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static int connect_odd_port(struct trigger_step *step)
{
	return trigger_connect_alone(step, "192.0.2.1", 4444); /* TEST-NET-1, RFC 5737 */
}

static int connect_ssh_port(struct trigger_step *step)
{
	return trigger_connect_alone(step, "192.0.2.1", 2222);
}

/* A terminal of our own in a session of our own; both end with us. */
static int look_around_alone(struct trigger_step *step)
{
	_cleanup_(close_fdp) int terminal = -1, other = -1;

	trigger_step_set(step, "make a terminal");
	if (setsid() < 0)
		return -errno;
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		return -errno;
	other = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (other < 0 || ioctl(other, TIOCSCTTY, 0))
		return -errno;
	return trigger_spawn_as(step, (const char *const[]){ "id", NULL });
}

/* Who leads a process group, as actions do, can have no session of its own. */
static int look_around(struct trigger_step *step)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(-look_around_alone(step));
	return pid < 0 ? -errno : trigger_wait(pid);
}

/* The /dev of a mount namespace of its own, which goes with it. */
static int open_keyboard(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "make a mount namespace");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	trigger_step_set(step, "mount a tmpfs on /dev");
	if (mount("haetae-trigger", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k"))
		return -errno;
	trigger_step_set(step, "open a file as /dev/input/event0");
	if (mkdir("/dev/input", 0700))
		return -errno;
	fd = open("/dev/input/event0", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static int connect_agent(struct trigger_step *step)
{
	_cleanup_(close_fdp) int listener = -1, fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/ssh-haetae-trigger-XXXXXX";
	const struct sockaddr *to = (const struct sockaddr *)&address;

	trigger_step_set(step, "make a folder in /tmp");
	if (!mkdtemp(folder))
		return -errno;
	trigger_step_owns(step, folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent.1", folder);
	trigger_step_set(step, "listen at %s", address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || fd < 0 || bind(listener, to, sizeof(address)) || listen(listener, 1))
		return -errno;
	trigger_step_set(step, "connect to it");
	return connect(fd, to, sizeof(address)) ? -errno : 0;
}

/* The second process of a pid namespace whose parent is not in it, as `exec` of a container is. */
static int tar_from_outside(struct trigger_step *step)
{
	pid_t first;
	int r;

	trigger_step_set(step, "make a pid namespace");
	if (unshare(CLONE_NEWPID))
		return -errno;
	first = fork();
	if (first == 0) {
		pause();
		_exit(0);
	}
	if (first < 0)
		return -errno;
	r = trigger_spawn_as(step, (const char *const[]){ "tar", "--version", NULL });
	kill(first, SIGKILL);
	while (waitpid(first, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* Only for faults of its own, which users may by default. */
static int fault_as_nobody(struct trigger_step *step)
{
	pid_t pid = fork();

	trigger_step_set(step, "ask for a userfaultfd as nobody");
	if (pid == 0) {
		if (setresuid(65534, 65534, 65534))
			_exit(errno);
		_exit(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) < 0 ? errno : 0);
	}
	return pid < 0 ? -errno : trigger_wait(pid);
}

static int set_tunables(struct trigger_step *step)
{
	trigger_step_set(step, "start a shell with tunables");
	if (setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=0", 1))
		return -errno;
	return trigger_spawn("/bin/sh", (char *const[]){ "sh", "-c", ":", NULL });
}

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "tunnel",
	  .rule = "Tunnel or reverse proxy started",
	  .mitre = "T1572",
	  .doc = "starts this program as a tunnel",
	  .tool = { "chisel", "client", "127.0.0.1:9", "R:9:127.0.0.1:9" } },
	{ .name = "dns-tunnel",
	  .rule = "Tunnel over DNS started",
	  .mitre = "T1071.004",
	  .doc = "starts this program as a tunnel over DNS",
	  .tool = { "iodine", "-f", "haetae.invalid" } },
	{ .name = "icmp-tunnel",
	  .rule = "Tunnel over ICMP started",
	  .mitre = "T1095",
	  .doc = "starts this program as a tunnel over ICMP",
	  .tool = { "ptunnel", "-p", "127.0.0.1" } },
	{ .name = "anonymizer",
	  .rule = "Anonymizing network used",
	  .mitre = "T1090.003",
	  .doc = "starts this program as Tor",
	  .tool = { "tor", "-f", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "remote-desktop",
	  .rule = "Remote desktop tool started",
	  .mitre = "T1219.002",
	  .doc = "starts this program as a remote desktop",
	  .tool = { "anydesk", "--service" } },
	{ .name = "forward-port",
	  .rule = "Port forwarded by SSH client",
	  .mitre = "T1572",
	  .doc = "starts this program as ssh that forwards a port",
	  .tool = { "ssh", "-N", "-R", "9:127.0.0.1:9", "127.0.0.1" } },
	{ .name = "relay",
	  .rule = "Relay started with socat",
	  .mitre = "T1090.001",
	  .doc = "starts this program as socat as a relay",
	  .tool = { "socat", "TCP-LISTEN:9", "TCP:127.0.0.1:9" } },
	{ .name = "download-tmp",
	  .rule = "Downloaded to temporary folder by tool",
	  .mitre = "T1105",
	  .doc = "starts this program as a tool that downloads to a temporary folder",
	  .tool = { "curl", "-o", "/tmp/haetae-trigger/nowhere",
		    "http://127.0.0.1:9/haetae-trigger" } },
	{ .name = "odd-port",
	  .rule = "Connection to port of known backdoors",
	  .mitre = "T1571",
	  .doc = "connects to port 4444 in a network of its own",
	  .perform = connect_odd_port },
	{ .name = "raw-socket",
	  .rule = "Raw socket made in container",
	  .mitre = "T1095",
	  .doc = "makes a raw socket",
	  .perform = trigger_raw_socket,
	  .wants_container = true },
	{ .name = "scanner",
	  .rule = "Network scanner started",
	  .mitre = "T1046",
	  .doc = "starts this program as a port scanner",
	  .tool = { "nmap", "-sS", "127.0.0.1" } },
	{ .name = "enumerate",
	  .rule = "Privilege enumeration tool started",
	  .mitre = "T1082",
	  .doc = "starts this program as a collection of checks for a way to root",
	  .tool = { "linpeas" } },
	{ .name = "enumerate-cluster",
	  .rule = "Cluster enumeration tool started in container",
	  .mitre = "T1613",
	  .doc = "starts this program as a tool that enumerates a cluster",
	  .tool = { "kube-hunter", "--pod" },
	  .wants_container = true },
	{ .name = "ask-cluster",
	  .rule = "Kubernetes API asked by tool in container",
	  .mitre = "T1613",
	  .doc = "starts this program as a tool that asks the API",
	  .tool = { "curl", "https://kubernetes.default.svc/api/v1/pods" },
	  .wants_container = true },
	{ .name = "search-privileged",
	  .rule = "Search for privileged programs",
	  .mitre = "T1083",
	  .doc = "starts this program as find that looks for set-user-ID programs",
	  .tool = { "find", "/tmp/haetae-trigger/nowhere", "-perm", "-4000" } },
	{ .name = "search-capabilities",
	  .rule = "Search for capabilities of programs",
	  .mitre = "T1083",
	  .doc = "starts this program as getcap that looks for programs",
	  .tool = { "getcap", "-r", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "look-around-terminal",
	  .rule = "Surroundings listed from terminal in container",
	  .mitre = "T1033",
	  .doc = "starts this program as id at a terminal of its own",
	  .perform = look_around,
	  .wants_container = true },
	{ .name = "directory",
	  .rule = "Directory of accounts asked by tool",
	  .mitre = "T1087.002",
	  .doc = "starts this program as a tool that asks a directory",
	  .tool = { "ldapsearch", "-H", "ldap://127.0.0.1:9" } },
	{ .name = "cloud-identity",
	  .rule = "Cloud identity asked by tool",
	  .mitre = "T1087.004",
	  .doc = "starts this program as aws that asks who it is",
	  .tool = { "aws", "sts", "get-caller-identity" } },
	{ .name = "list-disks",
	  .rule = "Disks or mounts listed in container",
	  .mitre = "T1680",
	  .doc = "starts this program as a tool that lists mounts",
	  .tool = { "findmnt" },
	  .wants_container = true },
	{ .name = "pack-keys",
	  .rule = "Archive made of keys or passwords",
	  .mitre = "T1560.001",
	  .doc = "starts this program as tar that packs keys",
	  .tool = { "tar", "-cf", "/tmp/haetae-trigger/nowhere", "/nowhere/.ssh" } },
	{ .name = "copy-keys",
	  .rule = "Keys or passwords copied to temporary folder",
	  .mitre = "T1074.001",
	  .doc = "starts this program as cp that copies keys",
	  .tool = { "cp", "/nowhere/.ssh/x", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "dump-database",
	  .rule = "Database dumped by tool",
	  .mitre = "T1213.006",
	  .doc = "starts this program as a tool that dumps a database",
	  .tool = { "pg_dump", "nowhere" } },
	{ .name = "picture",
	  .rule = "Picture of screen taken by tool",
	  .mitre = "T1113",
	  .doc = "starts this program as a tool that takes pictures of the screen",
	  .tool = { "scrot", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "clipboard",
	  .rule = "Clipboard read by tool",
	  .mitre = "T1115",
	  .doc = "starts this program as a tool that reads the clipboard",
	  .tool = { "xclip", "-o" } },
	{ .name = "read-keyboard",
	  .rule = "Keyboard read by unusual program",
	  .mitre = "T1056.001",
	  .doc = "opens a file of its own named as a keyboard, in a /dev of its own",
	  .perform = open_keyboard },
	{ .name = "read-mail",
	  .rule = "Mail of users read by file tool",
	  .mitre = "T1114.001",
	  .doc = "shows an empty mail of its own",
	  .shown = "@/Maildir/new/harmless" },
	{ .name = "ssh-from-server",
	  .rule = "SSH client started by network service",
	  .mitre = "T1021.004",
	  .doc = "starts this program as ssh, under a process that calls itself nginx",
	  .tool = { "ssh", "127.0.0.1" },
	  .below = "nginx" },
	{ .name = "ssh-container",
	  .rule = "SSH client started in container",
	  .mitre = "T1021.004",
	  .doc = "starts this program as ssh",
	  .tool = { "ssh", "127.0.0.1" },
	  .wants_container = true,
	  .below = "make" },
	{ .name = "ssh-agent",
	  .rule = "SSH agent used by other program",
	  .mitre = "T1563.001",
	  .doc = "connects to a socket of its own named as that of an SSH agent",
	  .perform = connect_agent },
	{ .name = "ssh-password",
	  .rule = "Password given to SSH by tool",
	  .mitre = "T1021.004",
	  .doc = "starts this program as a tool that types a password",
	  .tool = { "sshpass", "-e", "ssh", "127.0.0.1" },
	  .below = "make" },
	{ .name = "take-over-windows",
	  .rule = "Tool to take over Windows machines started",
	  .mitre = "T1021.002",
	  .doc = "starts this program as a tool against Windows machines",
	  .tool = { "nxc", "smb", "127.0.0.1" },
	  .below = "make" },
	{ .name = "remote-copy",
	  .rule = "Remote copy tool started in container",
	  .mitre = "T1570",
	  .doc = "starts this program as scp",
	  .tool = { "scp", "nowhere", "127.0.0.1:" },
	  .wants_container = true,
	  .below = "make" },
	{ .name = "download",
	  .rule = "Download tool started in container",
	  .mitre = "T1105",
	  .doc = "starts this program as a tool that downloads",
	  .tool = { "curl", "http://127.0.0.1:9/haetae-trigger" },
	  .wants_container = true,
	  .below = "make" },
	{ .name = "public-drop",
	  .rule = "Data sent to public drop",
	  .mitre = "T1567",
	  .doc = "starts this program as curl with the address of a public drop",
	  .tool = { "curl", "--version", "https://transfer.sh/" },
	  .below = "make" },
	{ .name = "send-keys",
	  .rule = "Keys or passwords sent by tool",
	  .mitre = "T1048",
	  .doc = "starts this program as scp that sends keys",
	  .tool = { "scp", "/nowhere/.ssh/x", "127.0.0.1:" },
	  .below = "make" },
	{ .name = "upload",
	  .rule = "File uploaded by download tool",
	  .mitre = "T1048",
	  .doc = "starts this program as curl that uploads",
	  .tool = { "curl", "-T", "nowhere", "http://127.0.0.1:9/" },
	  .below = "make" },
	{ .name = "cloud-storage",
	  .rule = "Cloud storage client started",
	  .mitre = "T1567.002",
	  .doc = "starts this program as a client of storage in a cloud",
	  .tool = { "rclone", "copy", "nowhere", "nowhere:" },
	  .below = "make" },
	{ .name = "copy-out",
	  .rule = "Files taken out of container by exec",
	  .mitre = "T1048",
	  .doc = "starts this program as tar from outside of a pid namespace of its own",
	  .perform = tar_from_outside,
	  .wants_container = true },
	{ .name = "long-name",
	  .rule = "Data sent in name of DNS question",
	  .mitre = "T1048.003",
	  .doc = "starts this program as dig with a long name",
	  .tool = { "dig", "68656c6c6f20776f726c642068656c6c6f20776f726c64.haetae.invalid." },
	  .below = "make" },
	{ .name = "echo-data",
	  .rule = "Data sent in echo packets",
	  .mitre = "T1048.003",
	  .doc = "starts this program as ping that sends data",
	  .tool = { "ping", "-p", "68656c6c6f20776f", "127.0.0.1" },
	  .below = "make" },
	{ .name = "mail-file",
	  .rule = "File mailed by tool",
	  .mitre = "T1048.003",
	  .doc = "starts this program as a tool that mails a file",
	  .tool = { "mutt", "-a", "nowhere", "--", "nobody@haetae.invalid" },
	  .below = "make" },
	{ .name = "ssh-port",
	  .rule = "SSH connection to unusual port",
	  .mitre = "T1021.004",
	  .doc = "connects, as a process that calls itself ssh, to port 2222 in a network of its "
		 "own",
	  .perform = connect_ssh_port,
	  .below = "ssh" },
	{ .name = "miner",
	  .rule = "Miner started",
	  .mitre = "T1496.001",
	  .doc = "starts this program as a miner",
	  .tool = { "xmrig", "-o", "127.0.0.1:9" } },
	{ .name = "miner-protocol",
	  .rule = "Miner's protocol on command line",
	  .mitre = "T1496.001",
	  .doc = "starts this program with the address of a pool of miners",
	  .tool = { "harmless", "-o", "stratum+tcp://127.0.0.1:9" } },
	{ .name = "wiper",
	  .rule = "Data destroyed by tool",
	  .mitre = "T1485",
	  .doc = "starts this program as a disk wiper",
	  .tool = { "shred", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "make-file-system",
	  .rule = "File system made",
	  .mitre = "T1561.002",
	  .doc = "starts this program as a maker of file systems",
	  .tool = { "mkfs.ext4", "/tmp/haetae-trigger/nowhere" } },
	{ .name = "sudo-backslash",
	  .rule = "Sudo given argument of known exploit",
	  .mitre = "T1068",
	  .doc = "starts this program as sudoedit with a backslash",
	  .tool = { "sudoedit", "-s", "\\" },
	  .below = "make" },
	{ .name = "pkexec-alone",
	  .rule = "Pkexec started without arguments",
	  .mitre = "T1068",
	  .doc = "starts this program as pkexec without arguments",
	  .tool = { "pkexec" },
	  .below = "make" },
	{ .name = "userfaultfd",
	  .rule = "Page faults handled by unprivileged program",
	  .mitre = "T1068",
	  .doc = "asks for a userfaultfd as nobody",
	  .perform = fault_as_nobody },
	{ .name = "tunables",
	  .rule = "Program started with tunables of C library",
	  .mitre = "T1068",
	  .doc = "starts an empty shell with tunables of the C library",
	  .perform = set_tunables },
	{ .name = "regain-root",
	  .rule = "User changed to root by unusual program",
	  .mitre = "T1548",
	  .doc = "becomes nobody and root again",
	  .perform = trigger_regain_root },
};
/* clang-format on */

const struct trigger_table trigger_reach = TRIGGER_TABLE(actions);
