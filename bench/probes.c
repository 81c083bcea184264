/*
 * What the probes cost, without the daemon around them.
 *
 * The tax: a system call that nobody wants, with nothing attached, with an empty program at
 * tp_btf/sys_exit, and with the probes; the three take turns, so that the machine's mood is in all.
 * The cost: nanoseconds that the kernel spends in our programs for one event of a kind, by
 * kernel.bpf_stats_enabled, which is on only while this runs. A program that is reached by a tail
 * call is part of the one that the kernel called, so kinds of events take turns, not programs.
 *
 * Watches a child of its own and nothing else. Needs root; exits 77 where the probes don't load.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "haetae/clock.h"
#include "haetae/event.h"
#include "probes_private.h"

#define BATCH_CALLS    2000
#define BATCHES	       12 /* of one state, one round */
#define ROUNDS_DEFAULT 25
#define ROUNDS_MAX     1000
#define EVENTS_CNT     2000
#define TAX_LIMIT_NS   15.0

static uint32_t rounds = ROUNDS_DEFAULT;

static int fail(const char *what)
{
	fprintf(stderr, "bench_probes: %s: %s\n", what, strerror(errno));
	return 1;
}

/* ---- the tax --------------------------------------------------------------------------------- */

enum state {
	STATE_NONE,
	STATE_EMPTY,
	STATE_PROBES,
	STATE__COUNT
};

static int load_empty(void)
{
	/* r0 = 0; exit: include/uapi/linux/bpf.h */
	struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
				   { .code = BPF_JMP | BPF_EXIT } };
	int id = libbpf_find_vmlinux_btf_id("sys_exit", BPF_TRACE_RAW_TP);
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = (__u32)id);

	return id < 0 ? id
		      : bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", code, ARRAY_LEN(code),
				      &options);
}

static int compare_doubles(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* One call's nanoseconds: the fastest of the batches, because what disturbs only adds. */
static double time_calls(void)
{
	double best = 1e9;

	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t begin_ns = clock_boot_ns();

		for (int i = 0; i < BATCH_CALLS; i++)
			(void)syscall(SYS_getppid);
		best = MIN(best, (double)(clock_boot_ns() - begin_ns) / BATCH_CALLS);
	}
	return best;
}

static bool time_state(enum state state, struct probes *probes, int empty_fd, double *ret_ns)
{
	struct probes_error error;
	int link_fd = -1;

	if (state == STATE_EMPTY && (link_fd = bpf_raw_tracepoint_open(NULL, empty_fd)) < 0)
		return false;
	if (state == STATE_PROBES && probes_attach(probes, &error) != 0) {
		fprintf(stderr, "bench_probes: %s\n", error.what);
		return false;
	}
	*ret_ns = time_calls();
	if (state == STATE_PROBES)
		probes_detach(probes);
	if (link_fd >= 0)
		close(link_fd);
	return true;
}

struct tax {
	double ns[STATE__COUNT];
	double over_empty_ns; /* median of the rounds' differences */
};

static bool measure_tax(struct probes *probes, struct tax *ret)
{
	static double ns[STATE__COUNT][ROUNDS_MAX], differences[ROUNDS_MAX];
	int empty_fd = load_empty();
	bool is_fine = empty_fd >= 0;

	for (uint32_t round = 0; is_fine && round < rounds; round++) {
		for (unsigned i = 0; is_fine && i < STATE__COUNT; i++) {
			/* Nobody is always the first of a round. */
			unsigned state = (i + round) % STATE__COUNT;

			is_fine =
				time_state((enum state)state, probes, empty_fd, &ns[state][round]);
		}
		differences[round] = ns[STATE_PROBES][round] - ns[STATE_EMPTY][round];
	}
	if (empty_fd >= 0)
		close(empty_fd);
	for (unsigned state = 0; state < STATE__COUNT; state++) {
		qsort(ns[state], rounds, sizeof(double), compare_doubles);
		ret->ns[state] = ns[state][rounds / 2];
	}
	qsort(differences, rounds, sizeof(double), compare_doubles);
	ret->over_empty_ns = differences[rounds / 2];
	return is_fine;
}

/* ---- the cost of an event -------------------------------------------------------------------- */

static int udp_fd;
static const struct sockaddr_in peer = { .sin_family = AF_INET,
					 .sin_port = 0x0900, /* discard, network order */
					 .sin_addr.s_addr = 0x0100007f };

static void act_open(void)
{
	close((int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static void act_open_relative(void)
{
	close((int)syscall(SYS_openat, AT_FDCWD, "a/b/c/file", O_RDONLY));
}

static void act_open_fails(void)
{
	(void)syscall(SYS_openat, AT_FDCWD, "/nowhere/none", O_RDONLY);
}

static void act_unlink(void)
{
	(void)syscall(SYS_unlinkat, AT_FDCWD, "a/b/none", 0);
}

static void act_rename(void)
{
	(void)syscall(SYS_renameat2, AT_FDCWD, "a/none", AT_FDCWD, "a/other", 0);
}

static void act_mkdir(void)
{
	(void)syscall(SYS_mkdirat, AT_FDCWD, "a", 0700);
}

static void act_connect(void)
{
	(void)syscall(SYS_connect, udp_fd, &peer, sizeof(peer));
}

static void act_exec_fails(void)
{
	static char *const words[] = { (char *)"none", (char *)"-a", (char *)"argument", NULL };

	(void)syscall(SYS_execve, "./none", words, words);
}

static void act_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void act_setsid(void)
{
	(void)syscall(SYS_getsid, 0);
}

static const struct kind {
	const char *name, *syscall;
	void (*act)(void);
	uint32_t cnt;
} kinds[] = {
	{ "openat, absolute", "openat", act_open, EVENTS_CNT },
	{ "openat, relative", "openat", act_open_relative, EVENTS_CNT },
	{ "openat, failed", "openat", act_open_fails, EVENTS_CNT },
	{ "unlinkat", "unlinkat", act_unlink, EVENTS_CNT },
	{ "renameat2", "renameat2", act_rename, EVENTS_CNT },
	{ "mkdirat", "mkdirat", act_mkdir, EVENTS_CNT },
	{ "connect, UDP", "connect", act_connect, EVENTS_CNT },
	{ "execve, failed", "execve", act_exec_fails, EVENTS_CNT },
	{ "a call without a row", "getsid", act_setsid, EVENTS_CNT },
	{ "fork and exit", NULL, act_process, 300 },
};

static void ignore(const void *record, uint32_t length, void *data)
{
}

/* All that the kernel has called so far: nanoseconds in our programs. */
static uint64_t run_time(const struct probes *probes)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < probes->program_cnt; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(probes->program_fds[i], &info, &length) == 0)
			sum += info.run_time_ns;
	}
	return sum;
}

static bool want_only(struct probes *probes, const char *syscall_name)
{
	static struct probes_want want;
	struct event_set set = { 0 };
	int code = syscall_name ? event_code_find(str_from(syscall_name)) : 0;

	if (code < 0)
		return false;
	if (syscall_name)
		event_set_add(&set, (unsigned)code);
	memset(&want, 0, sizeof(want));
	event_set_syscalls(&set, want.type_of_syscall, want.is_evaluated);
	return probes_want(probes, &want) == 0;
}

/* The child acts when it reads a kind, and answers when it is done. */
static _Noreturn void run_child(int fd)
{
	uint32_t number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, &number, sizeof(number)) == sizeof(number)) {
		for (uint32_t i = 0; i < kinds[number].cnt; i++)
			kinds[number].act();
		(void)!write(fd, &number, sizeof(number));
	}
	_exit(0);
}

static bool run_kind(struct probes *probes, int fd, uint32_t number, double *ret_ns)
{
	uint64_t begin = run_time(probes);
	uint32_t answer;

	if (!want_only(probes, kinds[number].syscall) ||
	    write(fd, &number, sizeof(number)) != sizeof(number) ||
	    read(fd, &answer, sizeof(answer)) != sizeof(answer))
		return false;
	probes_drain(probes, ignore, NULL, 0);
	*ret_ns = (double)(run_time(probes) - begin) / kinds[number].cnt;
	return true;
}

/* The calls around (close, read, write of the pipe) take the fast way and are in the sum. */
static bool measure_costs(struct probes *probes, int fd, double ret_ns[ARRAY_LEN(kinds)])
{
	int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct probes_error error;
	bool is_fine = stats_fd >= 0 && probes_attach(probes, &error) == 0 &&
		       probes_seed(probes, ignore, NULL, &error) == 0;
	double ns = 0;

	for (uint32_t i = 0; is_fine && i < ARRAY_LEN(kinds); i++)
		ret_ns[i] = 1e9;
	for (uint32_t round = 0; is_fine && round < 5; round++) {
		for (uint32_t i = 0; is_fine && i < ARRAY_LEN(kinds); i++) {
			is_fine = run_kind(probes, fd, i, &ns);
			ret_ns[i] = MIN(ret_ns[i], ns);
		}
	}
	probes_detach(probes);
	if (stats_fd >= 0)
		close(stats_fd);
	return is_fine;
}

/* ---- report ---------------------------------------------------------------------------------- */

static void print_all(const struct tax *tax, const double *costs, double load_ms, bool want_json)
{
	if (!want_json) {
		printf("loading the programs   %8.0f ms\n\n", load_ms);
		printf("a call that nobody wants: %.1f ns bare, %.1f ns with an empty program, "
		       "%.1f ns with the probes (%+.1f ns over the empty one)\n\n",
		       tax->ns[STATE_NONE], tax->ns[STATE_EMPTY], tax->ns[STATE_PROBES],
		       tax->over_empty_ns);
		printf("%-24s %10s\n", "event", "ns in BPF");
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			printf("%-24s %10.0f\n", kinds[i].name, costs[i]);
	}
	printf("{\"benchmark\":\"probes\",\"load_ms\":%.0f,\"bare_ns\":%.1f,\"empty_ns\":%.1f,"
	       "\"probes_ns\":%.1f,\"over_empty_ns\":%.1f,\"events\":{",
	       load_ms, tax->ns[STATE_NONE], tax->ns[STATE_EMPTY], tax->ns[STATE_PROBES],
	       tax->over_empty_ns);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		printf("%s\"%s\":%.0f", i ? "," : "", kinds[i].name, costs[i]);
	printf("}}\n");
}

static int usage(FILE *out, int code)
{
	fprintf(out,
		"usage: probes [--rounds N] [--limits] [--json]\n\n"
		"  --rounds N   rounds of the three states (default %d)\n"
		"  --limits     fail where an unwanted call costs more than %.0f ns above an\n"
		"               empty program\n"
		"  --json       print JSON only\n",
		ROUNDS_DEFAULT, TAX_LIMIT_NS);
	return code;
}

static pid_t start_child(int *ret_fd)
{
	char folder[] = "/tmp/haetae-bench-XXXXXX";
	int ends[2];
	pid_t child;

	if (!mkdtemp(folder) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (chdir(folder) < 0 || mkdir("a", 0700) < 0 || mkdir("a/b", 0700) < 0 ||
		    mkdir("a/b/c", 0700) < 0)
			_exit(1);
		close(open("a/b/c/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		run_child(ends[1]);
	}
	close(ends[1]);
	*ret_fd = ends[0];
	return child;
}

static int run(int fd, pid_t child, bool want_json, bool want_limits)
{
	static struct probes_want want;
	struct probes_config config;
	struct probes_error error;
	struct probes *probes = NULL;
	double costs[ARRAY_LEN(kinds)];
	struct tax tax;
	uint64_t begin_ns = clock_boot_ns();
	double load_ms;
	int r;

	probes_config_default(&config);
	config.scope_pid = (uint32_t)child;
	r = probes_open(&config, &want, &probes, &error);
	if (r == PROBES_E_HOST) {
		fprintf(stderr, "bench_probes: %s\n", error.what);
		return 77;
	}
	if (r != 0)
		return fail("loading");
	load_ms = (double)(clock_boot_ns() - begin_ns) / (double)NS_PER_MS;
	if (!want_only(probes, "unlinkat") || !measure_tax(probes, &tax) ||
	    !measure_costs(probes, fd, costs)) {
		probes_free(probes);
		return fail("measuring");
	}
	probes_free(probes);
	print_all(&tax, costs, load_ms, want_json);
	return want_limits && tax.over_empty_ns > TAX_LIMIT_NS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
						 { "limits", no_argument, NULL, 'l' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	bool want_json = false, want_limits = false;
	int option, fd = -1, r;
	pid_t child;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'r')
			rounds = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'l')
			want_limits = true;
		else if (option == 'j')
			want_json = true;
		else
			return usage(stderr, 2);
	}
	if (optind != argc || rounds == 0 || rounds > ROUNDS_MAX)
		return usage(stderr, 2);
	child = start_child(&fd);
	if (child < 0)
		return fail("starting the child");
	r = run(fd, child, want_json, want_limits);
	close(fd);
	waitpid(child, NULL, 0);
	return r;
}
