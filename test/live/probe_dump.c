/*
 * Shows what the probes deliver, for those who change them: loads them for one child of its own,
 * lets the child make calls, and prints every record of it. Not a test; test/live has those.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "haetae/clock.h"
#include "probes_private.h"

struct param_row {
	const char *name, *type, *source;
};

#define EVENT(id, name, class, flags, doc)	       static const struct param_row rows_##id[] = {
#define PARAM(id, name, type, vocabulary, source, doc) { #name, #type, #source },
#define EVENT_END(id) \
	{             \
		0     \
	}             \
	}             \
	;
#include "haetae/events.def"

static const struct {
	const char *name;
	const struct param_row *rows;
} event_rows[] = {
#define EVENT(id, name, class, flags, doc) [EVENT_##id] = { name, rows_##id },
#include "haetae/events.def"
};

static void print_bytes(const unsigned char *p, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n; i++) {
		if (i > 160) {
			printf("…(%zu)", n);
			break;
		}
		if (p[i] < 32 || p[i] >= 127)
			printf("\\x%02x", p[i]);
		else
			putchar(p[i]);
	}
	putchar('"');
}

static void print_path(const unsigned char *p, size_t n)
{
	struct wire_path head;
	const char *names[70] = { 0 };
	size_t at = sizeof(head), cnt = 0;

	if (n < sizeof(head))
		return;
	memcpy(&head, p, sizeof(head));
	while (at < n && cnt < ARRAY_LEN(names)) {
		names[cnt++] = (const char *)p + at;
		at += strnlen((const char *)p + at, n - at) + 1;
	}
	if (cnt == 0)
		putchar('/');
	for (size_t i = cnt; i > 0; i--)
		printf("/%.40s", names[i - 1]);
	printf(" {flags %x, %u components, root at %u, %u skipped}", head.flags, head.component_cnt,
	       head.root_at, head.skipped_cnt);
}

static void print_tuple(const unsigned char *p, size_t n)
{
	struct wire_tuple tuple;
	char local[64] = "?", remote[64] = "?";

	memcpy(&tuple, p, MIN(n, sizeof(tuple)));
	if (tuple.family == AF_INET || tuple.family == AF_INET6) {
		inet_ntop(tuple.family, tuple.local_address, local, sizeof(local));
		inet_ntop(tuple.family, tuple.remote_address, remote, sizeof(remote));
	}
	printf("{family %u, protocol %u, flags %x, %s:%u -> %s:%u", tuple.family, tuple.l4_protocol,
	       tuple.flags, local, tuple.local_port, remote, tuple.remote_port);
	if (n > sizeof(tuple)) {
		putchar(' ');
		print_bytes(p + sizeof(tuple), n - sizeof(tuple));
	}
	putchar('}');
}

static void print_param(const struct param_row *row, const unsigned char *p, size_t n)
{
	if (n == 8 && strcmp(row->type, "VECTOR") && !strstr(row->type, "PATH") &&
	    strcmp(row->type, "STRING")) {
		int64_t value;

		memcpy(&value, p, sizeof(value));
		printf("%" PRId64 " (0x%" PRIx64 ")", value, (uint64_t)value);
	} else if (strcmp(row->type, "KPATH") == 0) {
		print_path(p, n);
	} else if (strcmp(row->type, "TUPLE") == 0 || strcmp(row->type, "ADDRESS") == 0) {
		print_tuple(p, n);
	} else {
		print_bytes(p, n);
	}
}

static void print_header(const struct wire_header *header)
{
	printf("%s length %u ring %u cpu %u seq %" PRIu64 " result %" PRId64 " flags 0x%x nr %u\n",
	       event_rows[header->type].name, header->length, header->ring, header->cpu,
	       (uint64_t)header->sequence, (int64_t)header->result, header->flags,
	       header->syscall_nr);
	printf("  pid %u/%u ppid %u ns %u/%u/%u sid %u/%u pgid %u/%u comm %.16s exec_id %" PRIu64
	       "\n",
	       header->pid, header->tid, header->parent_pid, header->ns_pid, header->ns_tid,
	       header->ns_parent_pid, header->session_id, header->ns_session_id, header->group_id,
	       header->ns_group_id, header->comm, (uint64_t)header->exec_id);
	printf("  uid %u euid %u gid %u egid %u login %d caps %" PRIx64 "/%" PRIx64 "/%" PRIx64
	       " tty %x pidns %u mntns %u userns %u cgroup %u:%" PRIu64 " start %" PRIu64
	       " parent %" PRIu64 "\n",
	       header->uid, header->euid, header->gid, header->egid, (int)header->loginuid,
	       (uint64_t)header->cap_effective, (uint64_t)header->cap_permitted,
	       (uint64_t)header->cap_inheritable, header->tty, header->pid_ns, header->mnt_ns,
	       header->user_ns, header->cgroup_hierarchy, (uint64_t)header->cgroup_id,
	       (uint64_t)header->start_ns, (uint64_t)header->parent_start_ns);
}

static void print_record(const void *record, uint32_t length, void *data)
{
	const unsigned char *bytes = record;
	struct wire_header header;

	memcpy(&header, bytes, sizeof(header));
	if (data && header.pid != *(const uint32_t *)data)
		return;
	if (header.type >= EVENT__COUNT || header.length != length) {
		printf("type %u, length %u of %u?\n", header.type, header.length, length);
		return;
	}
	print_header(&header);
	for (uint16_t i = 0; i < header.param_cnt; i++) {
		const struct param_row *row = &event_rows[header.type].rows[i];
		struct wire_param entry;
		uint32_t n;

		memcpy(&entry, bytes + sizeof(header) + i * sizeof(entry), sizeof(entry));
		n = entry.length & ~WIRE_PARAM_CUT;
		if (!entry.length || entry.offset + n > length || !row->name)
			continue;
		printf("    %s%s = ", row->name, entry.length & WIRE_PARAM_CUT ? " (cut)" : "");
		print_param(row, bytes + entry.offset, n);
		putchar('\n');
	}
}

static void act_files(void)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS };
	int dir = open("/etc", O_RDONLY | O_DIRECTORY), fd;
	char deep[300];

	if (chdir("/tmp"))
		_exit(1);
	syscall(SYS_open, "/etc/../etc/passwd", O_RDONLY);
	syscall(SYS_openat, dir, "hostname", O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, "haetae-dump-file", O_CREAT | O_RDWR, 0640);
	syscall(SYS_openat, AT_FDCWD, "no/such", O_RDONLY, 0777);
	syscall(SYS_openat, AT_FDCWD, (char *)8, O_RDONLY, 0);
	syscall(SYS_openat2, dir, "passwd", &how, sizeof(how));
	fd = (int)syscall(SYS_creat, "/tmp/haetae-dump-file", 0600);
	syscall(SYS_unlink, "haetae-dump-file");
	snprintf(deep, sizeof(deep), "/proc/self/fd/%d", fd);
	syscall(SYS_openat, AT_FDCWD, deep, O_RDONLY, 0);
	syscall(SYS_unlinkat, AT_FDCWD, "/tmp/haetae-dump-none", AT_REMOVEDIR);
	syscall(SYS_openat, AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
	fd = memfd_create("haetae-dump", 0);
	snprintf(deep, sizeof(deep), "/proc/self/fd/%d", fd);
	syscall(SYS_openat, AT_FDCWD, deep, O_RDONLY, 0);
	if (pipe((int[2]){ 0 }) == 0)
		syscall(SYS_openat, AT_FDCWD, "/proc/self/fd/0", O_RDONLY | O_NONBLOCK, 0);
}

static void act_connect(int type, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(address->sa_family, type, 0);

	syscall(SYS_connect, fd, address, length);
	close(fd);
}

static void act_network(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/tmp/haetae-dump-none" };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = sizeof(v4);

	inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
	act_connect(SOCK_STREAM, (struct sockaddr *)&v4, sizeof(v4)); /* refused */
	act_connect(SOCK_DGRAM, (struct sockaddr *)&v4, sizeof(v4));
	act_connect(SOCK_STREAM, (struct sockaddr *)&v6, sizeof(v6));
	act_connect(SOCK_STREAM, (struct sockaddr *)&local, sizeof(local));
	memcpy(local.sun_path, "\0abstract", 9);
	act_connect(SOCK_STREAM, (struct sockaddr *)&local, 2 + 9);
	v4.sin_port = 0;
	if (bind(listener, (struct sockaddr *)&v4, sizeof(v4)) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&v4, &length) == 0)
		act_connect(SOCK_STREAM, (struct sockaddr *)&v4, sizeof(v4));
	syscall(SYS_connect, -1, &v4, sizeof(v4));
}

static void act_exec(void)
{
	char *arguments[] = { "true", "one", "two words", NULL };
	char *environment[] = { "HAETAE=1", "B=2", NULL };

	execve("no/such/program", arguments, environment);
	if (fork() == 0) {
		execve("/bin/true", arguments, environment);
		_exit(1);
	}
	wait(NULL);
	if (fork() == 0) {
		int fd = open("/bin/sh", O_PATH);
		char *shell[] = { "sh", "-c", "exit 3", NULL };

		syscall(SYS_execveat, fd, "", shell, environment, AT_EMPTY_PATH);
		_exit(1);
	}
	wait(NULL);
}

static void child(const int go[2], char **command)
{
	char byte;

	close(go[1]); /* so that the parent's end ends this one */
	if (read(go[0], &byte, 1) != 1)
		_exit(1);
	if (command[0]) {
		execvp(command[0], command);
		_exit(127);
	}
	act_files();
	act_network();
	act_exec();
	syscall(SYS_getppid);
	_exit(5);
}

static int fail(const char *step, int r, const struct probes_error *error)
{
	if (r > 0)
		fprintf(stderr, "%s: %s\n  %s\n", step, error->what, error->fix);
	else
		fprintf(stderr, "%s: %s\n", step, strerror(-r));
	return 3;
}

static void want_all(struct probes_want *want)
{
	static const struct {
		int number;
		enum event_type type;
	} calls[] = {
		{ SYS_open, EVENT_OPEN },	  { SYS_openat, EVENT_OPENAT },
		{ SYS_openat2, EVENT_OPENAT2 },	  { SYS_creat, EVENT_CREAT },
		{ SYS_unlink, EVENT_UNLINK },	  { SYS_unlinkat, EVENT_UNLINKAT },
		{ SYS_connect, EVENT_CONNECT },	  { SYS_execve, EVENT_EXECVE },
		{ SYS_execveat, EVENT_EXECVEAT }, { SYS_getppid, EVENT_GENERIC },
	};

	*want = (struct probes_want){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		want->type_of_syscall[calls[i].number] = (uint16_t)calls[i].type;
		want->is_evaluated[calls[i].type] = true;
	}
}

static void print_counters(struct probes *probes)
{
	struct probes_counters counters;

	if (probes_read_counters(probes, &counters))
		return;
	for (int i = 0; i < EVENT__COUNT; i++) {
		const struct wire_counters *own = &counters.types[i];

		if (own->generated)
			printf("%-10s generated %llu submitted %llu filtered %llu %llu lost %llu "
			       "%llu "
			       "%llu %llu %llu\n",
			       event_rows[i].name, own->generated, own->submitted, own->filtered[0],
			       own->filtered[1], own->lost[0], own->lost[1], own->lost[2],
			       own->lost[3], own->lost[4]);
	}
}

/* 0 verified: a kernel before 5.16, which doesn't say. */
static void print_programs(const struct probes *probes)
{
	for (uint32_t i = 0; i < probes->program_cnt; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t length = sizeof(info);

		if (bpf_obj_get_info_by_fd(probes->program_fds[i], &info, &length))
			continue;
		printf("%-16s %6u instructions verified, %5u bytes translated, %5u native\n",
		       info.name, info.verified_insns, info.xlated_prog_len, info.jited_prog_len);
	}
}

int main(int argc, char **argv)
{
	_cleanup_(probes_freep) struct probes *probes = NULL;
	struct probes_config config;
	struct probes_want want;
	struct probes_error error;
	int go[2], status, r;
	uint32_t pid;
	uint64_t began = clock_boot_ns();

	(void)argc;

	if (pipe(go))
		return 1;
	pid = (uint32_t)fork();
	if (pid == 0)
		child(go, argv + 1);
	probes_config_default(&config);
	config.scope_pid = pid;
	config.want_env = !argv[1]; /* nobody asked to see a command's */
	want_all(&want);
	r = probes_open(&config, &want, &probes, &error);
	if (r)
		return fail("open", r, &error);
	printf("open took %.1f ms\n", (double)(clock_boot_ns() - began) / 1e6);
	if (argc > 1 && strcmp(argv[1], "--programs") == 0) {
		print_programs(probes);
		return 0;
	}
	r = probes_attach(probes, &error);
	if (r)
		return fail("attach", r, &error);
	r = probes_seed(probes, print_record, &pid, &error);
	if (r)
		return fail("seed", r, &error);
	printf("ready after %.1f ms\n", (double)(clock_boot_ns() - began) / 1e6);
	if (write(go[1], "g", 1) != 1 || waitpid((pid_t)pid, &status, 0) < 0)
		return 1;
	began = clock_boot_ns();
	probes_detach(probes);
	printf("detach took %.1f ms\n", (double)(clock_boot_ns() - began) / 1e6);
	printf("%" PRIu64 " records\n", probes_drain(probes, print_record, NULL, 0));
	print_counters(probes);
	return 0;
}
