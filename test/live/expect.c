/*
 * What a task says of itself, by libc and /proc, and comparisons of events with it; see live.h.
 */
#include "live.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "haetae/clock.h"

static uint32_t read_namespace(const char *name)
{
	char path[64], text[64] = "";
	uint32_t number = 0;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (readlink(path, text, sizeof(text) - 1) > 0 && strchr(text, '['))
		sscanf(strchr(text, '['), "[%u]", &number);
	return number;
}

static void read_stat(struct facts *facts)
{
	char text[2048] = "";
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	unsigned long long start = 0;
	int tty = 0;

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && strrchr(text, ')'))
		sscanf(strrchr(text, ')') + 2,
		       "%*c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		       "%llu",
		       &tty, &start);
	close(fd);
	facts->tty = (uint32_t)tty;
	facts->start_ticks = start;
}

static void read_capabilities(struct facts *facts)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	syscall(SYS_capget, &header, sets);
	facts->cap_effective = sets[0].effective | (uint64_t)sets[1].effective << 32;
	facts->cap_permitted = sets[0].permitted | (uint64_t)sets[1].permitted << 32;
	facts->cap_inheritable = sets[0].inheritable | (uint64_t)sets[1].inheritable << 32;
}

void facts_read(struct facts *ret)
{
	char login[16] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

	*ret = (struct facts){
		.pid = (uint32_t)getpid(),
		.tid = (uint32_t)syscall(SYS_gettid),
		.parent_pid = (uint32_t)getppid(),
		.session_id = (uint32_t)getsid(0),
		.group_id = (uint32_t)getpgid(0),
		.uid = getuid(),
		.euid = geteuid(),
		.gid = getgid(),
		.egid = getegid(),
		.loginuid = UINT32_MAX,
		.pid_ns = read_namespace("pid"),
		.mnt_ns = read_namespace("mnt"),
		.user_ns = read_namespace("user"),
	};
	if (fd >= 0 && read(fd, login, sizeof(login) - 1) > 0)
		ret->loginuid = (uint32_t)strtoul(login, NULL, 10);
	if (fd >= 0)
		close(fd);
	read_stat(ret);
	read_capabilities(ret);
	fd = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = read(fd, ret->comm, sizeof(ret->comm));

		ret->comm[n > 0 ? n - 1 : 0] = '\0';
		close(fd);
	}
}

static const char *param_name(const struct event *event, unsigned param)
{
	return event->schema->params[param].name;
}

void expect_number(const struct event *event, unsigned param, int64_t want, const char *what)
{
	uint64_t value = 0;
	bool is_there = event_number(event, param, &value);

	cr_expect(is_there && (int64_t)value == want, "%s: %s is %s%lld, want %lld", what,
		  param_name(event, param), is_there ? "" : "absent, ", (long long)value,
		  (long long)want);
}

void expect_string(const struct event *event, unsigned param, const char *want, const char *what)
{
	struct str value = event_string(event, param);

	cr_expect(value.p && str_eq_text(value, want), "%s: %s is '%.*s', want '%s'", what,
		  param_name(event, param), STR_ARG(value), want);
}

void expect_kpath(const struct event *event, unsigned param, const char *want, const char *what)
{
	struct str value = event_kpath(event, param, -1, false);

	cr_expect(value.p && str_eq_text(value, want), "%s: %s is '%.*s', want '%s'", what,
		  param_name(event, param), STR_ARG(value), want);
}

void expect_absent(const struct event *event, unsigned param, const char *what)
{
	cr_expect(event->params[param].p == NULL, "%s: %s should be absent", what,
		  param_name(event, param));
}

void expect_proc_path(const struct event *event, unsigned param, int ino_param, const char *want,
		      const char *what)
{
	const struct wire_path *head = event_kpath_head(event, param);
	struct str value = event_kpath(event, param, ino_param, false);
	char text[5000];

	if (!head || !value.p) {
		cr_expect_fail("%s: %s is absent, want %s", what, param_name(event, param), want);
		return;
	}
	snprintf(text, sizeof(text), "%.*s%s", STR_ARG(value),
		 head->flags & WIRE_PATH_DELETED ? " (deleted)" : "");
	cr_expect(strcmp(text, want) == 0, "%s: %s is '%.200s', want '%.200s'", what,
		  param_name(event, param), text, want);
}

void expect_whole(const struct event *event, const char *what)
{
	cr_expect(event->cut_mask == 0, "%s: cut: 0x%llx", what,
		  (unsigned long long)event->cut_mask);
	cr_expect((event->header->flags & (WIRE_CUT | WIRE_FAULT)) == 0, "%s: flags 0x%x", what,
		  event->header->flags);
}

static void expect_member(const char *what, const char *member, uint64_t value, uint64_t want)
{
	cr_expect(value == want, "%s: header %s is %llu, want %llu", what, member,
		  (unsigned long long)value, (unsigned long long)want);
}

void expect_header(const struct event *event, const struct facts *facts, int64_t result,
		   const char *what)
{
	const struct wire_header *header = event->header;
	uint64_t now_ns = clock_boot_ns();
	const struct {
		const char *name;
		uint64_t value, want;
	} members[] = {
		{ "pid", header->pid, facts->pid },
		{ "tid", header->tid, facts->tid },
		{ "parent_pid", header->parent_pid, facts->parent_pid },
		{ "session_id", header->session_id, facts->session_id },
		{ "group_id", header->group_id, facts->group_id },
		{ "ns_pid", header->ns_pid, facts->pid },
		{ "ns_tid", header->ns_tid, facts->tid },
		{ "ns_parent_pid", header->ns_parent_pid, facts->parent_pid },
		{ "ns_session_id", header->ns_session_id, facts->session_id },
		{ "ns_group_id", header->ns_group_id, facts->group_id },
		{ "uid", header->uid, facts->uid },
		{ "euid", header->euid, facts->euid },
		{ "gid", header->gid, facts->gid },
		{ "egid", header->egid, facts->egid },
		{ "loginuid", header->loginuid, facts->loginuid },
		{ "tty", header->tty, facts->tty },
		{ "pid_ns", header->pid_ns, facts->pid_ns },
		{ "mnt_ns", header->mnt_ns, facts->mnt_ns },
		{ "user_ns", header->user_ns, facts->user_ns },
		{ "cap_effective", header->cap_effective, facts->cap_effective },
		{ "cap_permitted", header->cap_permitted, facts->cap_permitted },
		{ "cap_inheritable", header->cap_inheritable, facts->cap_inheritable },
		/* /proc counts ticks of 10 ms (USER_HZ 100). */
		{ "start", header->start_ns / (NS_PER_SEC / 100), facts->start_ticks },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		expect_member(what, members[i].name, members[i].value, members[i].want);
	cr_expect(header->result == result, "%s: result %lld, want %lld", what, header->result,
		  (long long)result);
	cr_expect(strncmp(header->comm, facts->comm, WIRE_COMM_LEN) == 0,
		  "%s: comm '%.16s', want '%s'", what, header->comm, facts->comm);
	cr_expect(header->time_ns <= now_ns && header->time_ns + 60 * NS_PER_SEC > now_ns,
		  "%s: time %llu, now %llu", what, header->time_ns, (unsigned long long)now_ns);
	cr_expect(header->parent_start_ns > 0 && header->parent_start_ns <= header->start_ns,
		  "%s: parent_start", what);
	/* Seeds come through the iterator, and what waited in vain for a completion, through no
	 * ring. */
	cr_expect((header->sequence > 0) ==
			  (header->type != EVENT_TASK_SEED && header->ring != WIRE_RING_NONE),
		  "%s: sequence", what);
	cr_expect(header->cgroup_id > 0, "%s: cgroup", what);
}

bool text_is_like(const char *text, const char *want)
{
	while (*want) {
		if (*want == '*') {
			want++;
			while (*text && *text != ' ' && *text != *want)
				text++;
		} else if (*text++ != *want++) {
			return false;
		}
	}
	return !*text;
}
