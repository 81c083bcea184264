/*
 * The kernel filter decides as its model does, call by call: every way to name a file that the two
 * readings of a path make a difference for, every fact of a call that clauses ask for. The filter
 * only marks (FILTER_CHECK), so that each decision is seen; a filter made wrong on purpose is
 * noticed; and one that is on keeps back just what it marked.
 */
#include <errno.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "haetae/kernel_filter.h"
#include "haetae/rules.h"
#include "live.h"

#define CONDITION(text) \
	"- rule: " text "\n  desc: d\n  output: o\n  priority: INFO\n  condition: " text "\n"
#define OPENS "evt.type in (open, openat, openat2, creat) and "

static const char *const filter_calls[] = { "open",    "openat", "openat2",  "creat",
					    "dup2",    "dup3",	 "ptrace",   "socket",
					    "prctl",   "kill",	 "fcntl",    "connect",
					    "accept4", "sendto", "recvfrom", "fchmodat",
					    "mknodat", "mount",	 "mprotect", NULL };

/* What a test installs, and what it compares with. */
static struct {
	const char *rules;
	enum filter_mode mode;
	void (*spoil)(struct kernel_filter *filter);
	struct ruleset *ruleset;
	struct kernel_filter filter;
} setup;

static void load_rules(void)
{
	struct rules_options options;
	struct diags diags;

	rules_options_default(&options);
	diags_init(&diags);
	cr_assert(ruleset_load_text(STR("test"), str_from(setup.rules), &options, &diags,
				    &setup.ruleset) == 0);
	diags_done(&diags);
	cr_assert(ruleset_kernel_filter(setup.ruleset, &setup.filter) == 0);
}

static void unload_rules(void)
{
	kernel_filter_done(&setup.filter);
	setup.ruleset = ruleset_free(setup.ruleset);
}

static void install(struct live *live, struct probes *probes)
{
	struct kernel_filter filter = setup.filter;

	(void)live;
	if (setup.spoil)
		setup.spoil(&filter);
	cr_assert(probes_filter(probes, &filter, setup.mode) == 0);
}

/* ---- the actor ----------------------------------------------------------------------------------
 */

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	ACTOR_CHECK(fd >= 0);
	close(fd);
}

/* Its own mounts and root are the actor's alone. */
static void prepare(void *shared)
{
	char home[64];

	(void)shared;
	ACTOR_CHECK(getcwd(home, sizeof(home)));
	ACTOR_CHECK(unshare(CLONE_NEWNS) == 0);
	ACTOR_CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ACTOR_CHECK(mount("none", home, "tmpfs", 0, NULL) == 0);
	ACTOR_CHECK(chdir(home) == 0);
}

static void try_open(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags };
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

	if (fd >= 0)
		close(fd);
#ifdef SYS_open
	fd = (int)syscall(SYS_open, path, flags, 0600);
	if (fd >= 0)
		close(fd);
#endif
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd >= 0)
		close(fd);
}

static void try_each(const char *const *paths)
{
	for (; *paths; paths++) {
		try_open(*paths, O_RDONLY);
		try_open(*paths, O_WRONLY);
		try_open(*paths, O_RDWR | O_APPEND);
	}
}

static void make_tree(char *deep, size_t size)
{
	size_t n = 0;

	ACTOR_CHECK(mkdir("etc", 0755) == 0 && mkdir("etc/ssh", 0755) == 0 &&
		    mkdir("jail", 0755) == 0 && mkdir("jail/etc", 0755) == 0);
	write_file("etc/shadow");
	write_file("etc/ssh/host_key");
	write_file("plain");
	write_file("covered");
	write_file("jail/etc/shadow");
	write_file("jail/etc/other");
	ACTOR_CHECK(symlink("etc/shadow", "link") == 0 && symlink("etc", "dirlink") == 0);
	ACTOR_CHECK(mount("plain", "covered", NULL, MS_BIND, NULL) == 0);
	for (unsigned i = 0; i < 70; i++) {
		n += (size_t)snprintf(deep + n, size - n, "%sd", n ? "/" : "");
		ACTOR_CHECK(mkdir(deep, 0755) == 0);
	}
	n += (size_t)snprintf(deep + n, size - n, "/file");
	write_file(deep);
}

static void act_on_paths(void)
{
	static const char *const paths[] = { "etc/shadow",
					     "./etc/shadow",
					     "etc//shadow",
					     "etc/./shadow",
					     "etc/ssh/../shadow",
					     "link",
					     "dirlink/shadow",
					     "plain",
					     "covered",
					     "etc/",
					     "etc",
					     ".",
					     "..",
					     "nowhere",
					     "etc/ssh/host_key",
					     "dirlink/ssh/host_key",
					     "/etc/passwd",
					     "//etc/passwd",
					     "/etc/../etc/passwd",
					     "/proc/self/fd/0",
					     "/",
					     "/dev/null",
					     "/usr/../dev/null",
					     "/etc/ssh/",
					     "",
					     NULL };
	char deep[512], *slash;
	int fd, root = open("/", O_PATH | O_DIRECTORY);

	make_tree(deep, sizeof(deep));
	try_each(paths);
	try_open(deep, O_RDONLY);
	deep[2 * 30] = '\0';
	try_open(deep, O_RDONLY);
	deep[2 * 12] = '\0';
	try_open(deep, O_RDONLY);
	slash = strrchr(deep, '/');
	*slash = '\0';
	ACTOR_CHECK(chdir(deep) == 0);
	try_open("d", O_RDONLY);
	try_open("../d", O_RDONLY);
	for (slash = deep; *slash; slash++)
		if (*slash == 'd')
			ACTOR_CHECK(chdir("..") == 0);
	fd = (int)syscall(SYS_memfd_create, "shadow", 0);
	ACTOR_CHECK(fd >= 0);
	snprintf(deep, sizeof(deep), "/proc/self/fd/%d", fd);
	try_open(deep, O_RDONLY);
	try_open((const char *)8, O_RDONLY);
	ACTOR_CHECK(chdir("/etc") == 0);
	try_open("passwd", O_RDONLY);
	try_open("../etc/passwd", O_RDONLY);
	ACTOR_CHECK(fchdir(root) == 0);
	try_open("etc/passwd", O_RDONLY);
	ACTOR_CHECK(chdir("/proc/self") == 0);
	close(root);
}

static void act_in_jail(void)
{
	static const char *const paths[] = { "/etc/shadow", "etc/shadow", "../etc/other", "/",
					     NULL };

	ACTOR_CHECK(chroot("jail") == 0 && chdir("/") == 0);
	try_each(paths);
}

static void act_as_others(void)
{
	static const char *const comms[] = { "cat", "sh", "fifteen-letters", "a", NULL };

	for (unsigned i = 0; comms[i]; i++) {
		ACTOR_CHECK(prctl(PR_SET_NAME, comms[i]) == 0);
		try_open("/etc/passwd", O_RDONLY);
		try_open("/etc/hostname", O_RDONLY);
	}
	ACTOR_CHECK(seteuid(1000) == 0);
	try_open("/etc/passwd", O_RDONLY);
	try_open("/etc/shadow", O_RDONLY);
	ACTOR_CHECK(seteuid(0) == 0);
}

static void act_on_others(void)
{
	for (int fd = 0; fd < 12; fd++) {
		(void)syscall(SYS_dup3, 2, fd == 2 ? 20 : fd + 20, 0);
#ifdef SYS_dup2
		(void)syscall(SYS_dup2, 2, fd + 20);
#endif
	}
	(void)syscall(SYS_dup3, 2, 2, 0);
	for (long request = 0; request < 20; request++)
		(void)syscall(SYS_ptrace, request == PTRACE_TRACEME ? 77 : request, -1, 0, 0);
	for (int domain = 0; domain < 20; domain++) {
		int fd = socket(domain, SOCK_DGRAM, 0);

		if (fd >= 0)
			close(fd);
	}
	for (int signal = 0; signal < 20; signal++)
		(void)kill(0x3fffffff, signal);
	for (int command = 0; command < 12; command++)
		(void)fcntl(-1, command, 0);
	(void)prctl(PR_GET_DUMPABLE);
	(void)prctl(12345);
}

static void act_with_modes(void)
{
	static const unsigned modes[] = { 0, 0644, 04755, 02755, 01777, 0x80000000 };
	static const int flags[] = { O_TRUNC, O_APPEND, O_CREAT, O_TRUNC | O_APPEND, O_TMPFILE };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		(void)syscall(SYS_fchmodat, AT_FDCWD, "plain", modes[i]);
		(void)syscall(SYS_mknodat, AT_FDCWD, "/nowhere/x", modes[i] | S_IFBLK, 0);
		(void)syscall(SYS_mknodat, AT_FDCWD, "/nowhere/x", modes[i] | S_IFIFO, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		try_open("plain", O_WRONLY | flags[i]);
	(void)syscall(SYS_mount, "/nowhere", "/nowhere", "none", MS_BIND | MS_RDONLY, NULL);
	(void)syscall(SYS_mount, "/nowhere", "/nowhere", "none", MS_REMOUNT, NULL);
	(void)syscall(SYS_mprotect, 4096, 4096, PROT_READ | PROT_EXEC);
	(void)syscall(SYS_mprotect, 4096, 4096, PROT_READ | PROT_WRITE);
}

/* Each family, ports and addresses of both ends, calls that fail, and calls that a thread makes on
 * what another call left. */
static void act_on_sockets(void)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   odd = loopback;
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "nowhere.sock" };
	const struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	socklen_t size = sizeof(loopback);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	(void)inet_pton(AF_INET, "127.9.9.9", &odd.sin_addr);
	ACTOR_CHECK(bind(listener, (struct sockaddr *)&loopback, sizeof(loopback)) == 0);
	ACTOR_CHECK(listen(listener, 8) == 0);
	ACTOR_CHECK(getsockname(listener, (struct sockaddr *)&loopback, &size) == 0);
	odd.sin_port = loopback.sin_port;
	mapped.sin6_port = loopback.sin_port;
	(void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd = socket(AF_INET, type, 0);
		(void)connect(fd, (struct sockaddr *)&loopback, sizeof(loopback));
		(void)connect(fd, &unspecified, sizeof(unspecified));
		(void)connect(fd, (struct sockaddr *)&odd, sizeof(odd));
		(void)connect(fd, (struct sockaddr *)&local, sizeof(local));
		(void)sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&odd, sizeof(odd));
		close(fd);
		fd = socket(AF_INET6, type, 0);
		(void)connect(fd, (struct sockaddr *)&mapped, sizeof(mapped));
		(void)sendto(fd, "x", 1, MSG_NOSIGNAL, NULL, 0);
		close(fd);
		fd = socket(AF_UNIX, type, 0);
		(void)connect(fd, (struct sockaddr *)&local, sizeof(local));
		(void)sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&local, sizeof(local));
		close(fd);
	}
	odd.sin_port = htons(9); /* nobody listens */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)connect(fd, (struct sockaddr *)&odd, sizeof(odd));
	close(fd);
	fd = open("/dev/null", O_RDWR);
	(void)connect(fd, (struct sockaddr *)&odd, sizeof(odd));
	close(fd);
	(void)connect(-1, (struct sockaddr *)&odd, sizeof(odd));
	for (unsigned i = 0; i < 2; i++) {
		fd = accept4(listener, NULL, NULL, 0);
		(void)recvfrom(fd, local.sun_path, sizeof(local.sun_path), MSG_DONTWAIT, NULL,
			       NULL);
		close(fd);
	}
	close(listener);
}

static void actor(void *shared)
{
	char home[64];

	(void)shared;
	ACTOR_CHECK(getcwd(home, sizeof(home)));
	act_on_paths();
	act_as_others();
	act_on_others();
	act_on_sockets();
	act_with_modes();
	ACTOR_CHECK(chdir(home) == 0);
	act_in_jail();
}

/* ---- the tests ----------------------------------------------------------------------------------
 */

static const char *const rule_sets[] = {
	/* Names, by both readings. */
	CONDITION(OPENS "fd.num >= 0 and fd.name in (/etc/shadow, /etc/passwd)"),
	CONDITION(OPENS "evt.res = SUCCESS and fd.filename in (shadow, host_key)")
		CONDITION(OPENS "fd.num >= 0 and fd.name endswith /covered"),
	CONDITION(OPENS "fd.num >= 0 and evt.is_open_write = true and fd.name startswith /etc/"),
	CONDITION(OPENS
		  "fd.num >= 0 and (fd.directory = /etc/ssh or fd.name pmatch (/dev, /etc/ssh))")
		CONDITION(OPENS "fd.num >= 0 and fd.filename = covered"),
	CONDITION(OPENS "fd.num >= 0 and fd.filename startswith host_")
		CONDITION(OPENS "fd.num >= 0 and fd.name endswith dow")
			CONDITION(OPENS "fd.num >= 0 and fd.nameraw glob /dev/*"),
	CONDITION(OPENS "fd.num >= 0 and fd.directory in (/etc/ssh, /x/d)")
		CONDITION(OPENS "fd.num >= 0 and fd.directory endswith /jail/etc"),
	CONDITION(OPENS "fd.name_truncated = true"),
	/* Who and how. */
	CONDITION(OPENS "proc.name in (cat, fifteen-letters) and evt.is_open_read = true")
		CONDITION(OPENS "user.uid = 1000 and evt.failed = true"),
	CONDITION(OPENS "not proc.name in (sh, a) and user.uid != 0")
		CONDITION(OPENS "evt.rawres = -2 and proc.name = a")
			CONDITION(OPENS "proc.name startswith fifteen or proc.name startswith cat"),
	/* Arguments. */
	CONDITION("evt.type in (dup2, dup3) and evt.rawarg.newfd in (20, 21, 22)")
		CONDITION("evt.type = ptrace and evt.arg.request = PTRACE_ATTACH")
			CONDITION("evt.type = socket and evt.arg.domain = AF_PACKET") CONDITION(
				"evt.type = kill and evt.arg.sig in (SIGKILL, SIGTERM)")
				CONDITION("evt.type = prctl and evt.arg.option = PR_GET_DUMPABLE")
					CONDITION("evt.type = fcntl and evt.arg.cmd = F_DUPFD"),
	/* Sockets. */
	CONDITION("evt.type in (connect, sendto, accept4) and fd.typechar = u")
		CONDITION("evt.type in (connect, recvfrom) and fd.rport = 9")
			CONDITION("evt.type = sendto and fd.rnet in (127.9.0.0/16, 10.0.0.0/8)"),
	CONDITION("evt.type = connect and fd.type = ipv6")
		CONDITION("evt.type = connect and fd.sip = 127.9.9.9 and evt.failed = true")
			CONDITION("evt.type = sendto and proc.name = cat")
				CONDITION("evt.type in (accept4, recvfrom) and fd.cport in (1, 2)"),
	/* Bits. */
	CONDITION("evt.type in (fchmodat, mknodat) and evt.arg.mode contains S_ISUID") CONDITION(
		"evt.type = mknodat and evt.arg.mode contains S_IFBLK")
		CONDITION("evt.type = mount and evt.arg.flags contains MS_BIND") CONDITION(
			"evt.type = mprotect and evt.arg.prot contains PROT_EXEC")
			CONDITION("evt.type in (open, openat) and evt.arg.flags contains O_TRUNC"),
};

struct tally {
	unsigned seen, unwanted, different, matched_unwanted;
};

static void note_hit(const struct rule *rule, void *data)
{
	(void)rule;
	++*(unsigned *)data;
}

static bool is_asked(const struct event *event)
{
	return setup.filter.types[event->header->type].is_active;
}

static void compare(struct live *live, struct tally *tally, bool is_told)
{
	struct matcher *matcher;
	struct arena scratch;

	arena_init(&scratch, 1u << 20);
	cr_assert(matcher_new(setup.ruleset, &matcher) == 0);
	for (uint32_t i = 0; i < live->event_cnt; i++) {
		struct event event = *live->events[i];
		const struct field_context context = { .event = &event, .is_final = true };
		bool is_unwanted = event.header->flags & WIRE_UNWANTED;
		unsigned hits = 0;

		event.scratch = &scratch;
		tally->seen += is_asked(&event);
		tally->unwanted += is_unwanted;
		(void)matcher_run(matcher, &context, note_hit, NULL, &hits);
		tally->matched_unwanted += is_unwanted && hits;
		if (kernel_filter_passes(&setup.filter, &event) == is_unwanted) {
			struct buf text;

			tally->different++;
			buf_init(&text, 1u << 16);
			event_dump(&event, &text);
			if (is_told)
				cr_expect_fail("the kernel %s\n%s",
					       is_unwanted ? "marks" : "passes", text.p);
			buf_done(&text);
		}
		arena_reset(&scratch);
	}
	matcher_free(matcher);
	arena_done(&scratch);
}

static void run(struct tally *tally, bool is_told)
{
	const struct live_options options = { .syscalls = filter_calls,
					      .prepare = prepare,
					      .ready = install };
	struct live live;

	*tally = (struct tally){ 0 };
	load_rules();
	live_run(&live, &options, actor);
	compare(&live, tally, is_told);
	live_done(&live);
	unload_rules();
}

Test(live_filter, marks_what_its_model_would, .timeout = 120)
{
	struct tally tally;

	live_require();
	setup.mode = FILTER_CHECK;
	for (size_t i = 0; i < ARRAY_LEN(rule_sets); i++) {
		setup.rules = rule_sets[i];
		run(&tally, true);
		cr_expect(tally.unwanted > 10, "set %zu: %u of %u marked", i, tally.unwanted,
			  tally.seen);
		cr_expect(tally.matched_unwanted == 0, "set %zu: %u marked events match", i,
			  tally.matched_unwanted);
	}
}

static void forget_names(struct kernel_filter *filter)
{
	filter->name_cnt = 0;
}

Test(live_filter, a_wrong_filter_is_noticed, .timeout = 60)
{
	struct tally tally;

	live_require();
	setup.mode = FILTER_CHECK;
	setup.rules = rule_sets[0];
	setup.spoil = forget_names;
	run(&tally, false);
	setup.spoil = NULL;
	cr_expect(tally.different > 0);
	cr_expect(tally.matched_unwanted > 0);
}

Test(live_filter, keeps_back_what_it_marks, .timeout = 60)
{
	struct tally marked, kept;

	live_require();
	setup.rules = rule_sets[2];
	setup.mode = FILTER_CHECK;
	run(&marked, true);
	setup.mode = FILTER_ON;
	run(&kept, true);
	cr_expect(kept.unwanted == 0);
	cr_expect(kept.seen == marked.seen - marked.unwanted, "%u of %u, %u were marked", kept.seen,
		  marked.seen, marked.unwanted);
}

/* ---- what a call leaves behind for the next one -------------------------------------------------
 */

static void connect_twice(void *shared)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)shared;
	(void)inet_pton(AF_INET, "127.1.1.1", &address.sin_addr);
	(void)connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	ACTOR_CHECK(prctl(PR_SET_NAME, "cat") == 0);
	(void)inet_pton(AF_INET, "127.2.2.2", &address.sin_addr);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ACTOR_CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	close(fd);
}

Test(live_filter, a_connect_kept_back_is_not_the_next_one, .timeout = 60)
{
	static const char *const calls[] = { "connect", NULL };
	const struct live_options options = { .syscalls = calls,
					      .prepare = prepare,
					      .ready = install };
	struct live live;
	unsigned cnt = 0;

	live_require();
	setup.rules = CONDITION("evt.type = connect and proc.name = cat");
	setup.mode = FILTER_ON;
	load_rules();
	live_run(&live, &options, connect_twice);
	for (uint32_t i = 0; i < live.event_cnt; i++) {
		const struct event *event = live.events[i];
		struct wire_tuple tuple;
		struct str path;

		if (event->header->type != EVENT_CONNECT)
			continue;
		cnt++;
		cr_assert(event_tuple(event, (unsigned)event_roles_of(event->schema)->tuple, &tuple,
				      &path));
		cr_expect(tuple.remote_address[1] == 2, "to 127.%u", tuple.remote_address[1]);
		cr_expect(!(event->header->flags & WIRE_PEER_MISMATCH));
	}
	cr_expect(cnt == 1, "%u connects", cnt);
	live_done(&live);
	unload_rules();
}
