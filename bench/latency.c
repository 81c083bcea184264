/*
 * Time from an action to its alert line. Starts `haetae run` on this process alone, with one rule
 * that matches files of a folder of its own, opens such files one after the other, and reads the
 * alerts from the program's stdout. An action begins right before open(2) and ends when its line
 * has been read, so that all of the way is in it: kernel, ring, rules, output, pipe.
 *
 * Owns the child and the folder. Exits 1 where an alert is missing or came twice, or where
 * --max-p99-ms is given and exceeded; 77 where the program cannot run on this host.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "haetae/buf.h"
#include "haetae/clock.h"

#define ACTIONS_DEFAULT	 200U
#define ACTIONS_MAX	 100000U
#define PAUSE_DEFAULT_MS 5U
#define READY_TIMEOUT_NS (60 * NS_PER_SEC) /* loading all programs on a slow emulator */
#define ALERT_TIMEOUT_NS (10 * NS_PER_SEC) /* after the last action */
#define STOP_TIMEOUT_NS	 (20 * NS_PER_SEC)
#define LINE_MAX_BYTES	 (1U << 20)
#define EXIT_SKIP	 77
#define EXIT_CODE_HOST	 3 /* of haetae: this host cannot */

struct action {
	uint64_t begin_ns, end_ns; /* boot time; end 0: no alert yet */
	uint32_t alert_cnt;
};

struct bench {
	const char *program;
	uint32_t action_cnt, pause_ms;
	double max_p99_ms; /* 0: no limit */
	bool want_json;	   /* only JSON */

	char folder[64], rules[96];
	pid_t child;
	int out_fd, err_fd;
	struct buf out, err; /* the incomplete line of each */
	bool is_ready;
	struct action *actions; /* owned */
	uint32_t found_cnt;
};

/* ---- the child ---- */

static bool write_rules(struct bench *bench)
{
	FILE *file;

	snprintf(bench->folder, sizeof(bench->folder), "/tmp/haetae-latency-XXXXXX");
	if (!mkdtemp(bench->folder))
		return false;
	snprintf(bench->rules, sizeof(bench->rules), "%s/rules.yaml", bench->folder);
	file = fopen(bench->rules, "we");
	if (!file)
		return false;
	fprintf(file,
		"- rule: latency\n"
		"  desc: An action of the benchmark\n"
		"  condition: evt.type in (open, openat) and fd.name startswith %s/action-\n"
		"  output: latency of %%fd.name\n"
		"  priority: NOTICE\n",
		bench->folder);
	return fclose(file) == 0;
}

static bool start_child(struct bench *bench)
{
	int out[2], err[2];
	char scope[16];

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return false;
	snprintf(scope, sizeof(scope), "%d", getpid());
	bench->child = fork();
	if (bench->child < 0)
		return false;
	if (bench->child == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execl(bench->program, bench->program, "run", "--format", "json", "--scope-pid",
		      scope, "-r", bench->rules, (char *)NULL);
		dprintf(STDERR_FILENO, "%s: %s\n", bench->program, strerror(errno));
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	bench->out_fd = out[0];
	bench->err_fd = err[0];
	return true;
}

/* An alert names the file of its action. A line of anything else is passed over. */
static void take_alert(struct bench *bench, const char *line, uint64_t now_ns)
{
	const char *name = strstr(line, bench->folder);
	unsigned long number;

	name = name ? strstr(name, "/action-") : NULL;
	number = name ? strtoul(name + strlen("/action-"), NULL, 10) : bench->action_cnt;
	if (number >= bench->action_cnt)
		return;
	if (bench->actions[number].alert_cnt++ == 0) {
		bench->actions[number].end_ns = now_ns;
		bench->found_cnt++;
	}
}

static void take_message(struct bench *bench, const char *line)
{
	const char *ready = strstr(line, "ready");

	/* Not "already". */
	if (ready && (ready == line || ready[-1] == ' '))
		bench->is_ready = true;
	else if (!bench->is_ready)
		fprintf(stderr, "%s\n", line);
}

/* Reads what is there and takes its complete lines. False at the end of the file. */
static bool take_lines(struct bench *bench, int fd, struct buf *buf)
{
	char chunk[65536], *line, *newline;
	ssize_t n = read(fd, chunk, sizeof(chunk));
	uint64_t now_ns = clock_boot_ns();
	size_t rest;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	buf_put(buf, chunk, (size_t)n);
	if (buf->failed) {
		buf_clear(buf);
		return true;
	}
	for (line = buf->p; (newline = strchr(line, '\n')); line = newline + 1) {
		*newline = '\0';
		if (buf == &bench->out)
			take_alert(bench, line, now_ns);
		else
			take_message(bench, line);
	}
	rest = buf->n - (size_t)(line - buf->p);
	memmove(buf->p, line, rest + 1);
	buf->n = rest;
	return true;
}

/* Serves both pipes until that time, or until the condition is true. False when the child is gone.
 */
static bool serve(struct bench *bench, uint64_t until_ns, const bool *is_done)
{
	struct pollfd fds[2] = { { bench->out_fd, POLLIN, 0 }, { bench->err_fd, POLLIN, 0 } };
	uint64_t now_ns;

	while (!(is_done && *is_done) && (now_ns = clock_boot_ns()) < until_ns) {
		uint64_t left_ns = until_ns - now_ns;
		struct timespec wait = { (time_t)(left_ns / NS_PER_SEC),
					 (long)(left_ns % NS_PER_SEC) };

		if (ppoll(fds, 2, &wait, NULL) <= 0)
			continue;
		if (fds[0].revents && !take_lines(bench, bench->out_fd, &bench->out))
			return false;
		if (fds[1].revents && !take_lines(bench, bench->err_fd, &bench->err))
			fds[1].fd = -1;
	}
	return true;
}

/* Returns the child's exit status as waitpid() gives it. */
static int stop_child(struct bench *bench)
{
	uint64_t until_ns = clock_boot_ns() + STOP_TIMEOUT_NS;
	int status = 0;

	kill(bench->child, SIGTERM);
	while (serve(bench, until_ns, NULL) && clock_boot_ns() < until_ns)
		;
	if (waitpid(bench->child, &status, clock_boot_ns() < until_ns ? 0 : WNOHANG) == 0) {
		kill(bench->child, SIGKILL);
		waitpid(bench->child, &status, 0);
	}
	bench->child = 0;
	return status;
}

/* ---- the actions ---- */

static bool act(struct bench *bench, uint32_t number)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/action-%06u", bench->folder, number);
	bench->actions[number].begin_ns = clock_boot_ns();
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Pauses of one to two times pause_ms, so that the actions keep no step with any timer. */
static bool perform(struct bench *bench)
{
	uint64_t until_ns;

	for (uint32_t i = 0; i < bench->action_cnt; i++) {
		uint64_t pause_ns = bench->pause_ms * NS_PER_MS;

		if (!act(bench, i))
			return false;
		pause_ns += pause_ns * (i * 2654435761U % 1000) / 1000;
		if (!serve(bench, clock_boot_ns() + pause_ns, NULL))
			return false;
	}
	until_ns = clock_boot_ns() + ALERT_TIMEOUT_NS;
	while (bench->found_cnt < bench->action_cnt && clock_boot_ns() < until_ns)
		if (!serve(bench, clock_boot_ns() + 10 * NS_PER_MS, NULL))
			return false;
	return true;
}

static void clean_up(struct bench *bench)
{
	char path[128];

	for (uint32_t i = 0; i < bench->action_cnt; i++) {
		snprintf(path, sizeof(path), "%s/action-%06u", bench->folder, i);
		unlink(path);
	}
	unlink(bench->rules);
	rmdir(bench->folder);
}

/* ---- the result ---- */

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The smallest value that at least this share of all does not exceed (nearest rank). */
static double percentile_ms(const uint64_t *sorted, uint32_t cnt, uint32_t percent)
{
	uint32_t rank = (uint32_t)(((uint64_t)cnt * percent + 99) / 100);

	return (double)sorted[rank ? rank - 1 : 0] / (double)NS_PER_MS;
}

static int report(const struct bench *bench)
{
	_cleanup_(freep) uint64_t *times = calloc(bench->action_cnt, sizeof(*times));
	uint32_t cnt = 0, extra_cnt = 0;
	double p50, p90, p99, max;

	if (!times)
		return EXIT_FAILURE;
	for (uint32_t i = 0; i < bench->action_cnt; i++) {
		const struct action *action = &bench->actions[i];

		if (action->alert_cnt)
			times[cnt++] = action->end_ns - action->begin_ns;
		extra_cnt += action->alert_cnt > 1 ? action->alert_cnt - 1 : 0;
	}
	if (cnt == 0) {
		fprintf(stderr, "latency: none of %u actions raised an alert\n", bench->action_cnt);
		return EXIT_FAILURE;
	}
	qsort(times, cnt, sizeof(*times), compare_times);
	p50 = percentile_ms(times, cnt, 50);
	p90 = percentile_ms(times, cnt, 90);
	p99 = percentile_ms(times, cnt, 99);
	max = percentile_ms(times, cnt, 100);
	if (!bench->want_json)
		printf("from action to alert line, ms\n"
		       "  actions  alerts  missing  twice      p50      p90      p99      max\n"
		       "  %7u %7u %8u %6u %8.3f %8.3f %8.3f %8.3f\n",
		       bench->action_cnt, cnt, bench->action_cnt - cnt, extra_cnt, p50, p90, p99,
		       max);
	printf("{\"benchmark\":\"latency\",\"actions\":%u,\"alerts\":%u,\"missing\":%u,"
	       "\"twice\":%u,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
	       bench->action_cnt, cnt, bench->action_cnt - cnt, extra_cnt, p50, p90, p99, max);
	if (bench->max_p99_ms > 0 && p99 > bench->max_p99_ms) {
		fprintf(stderr, "latency: p99 is %.3f ms, more than %.3f ms\n", p99,
			bench->max_p99_ms);
		return EXIT_FAILURE;
	}
	return cnt < bench->action_cnt || extra_cnt ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int measure(struct bench *bench)
{
	bool is_done;
	int status;

	if (!write_rules(bench) || !start_child(bench)) {
		fprintf(stderr, "latency: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	(void)serve(bench, clock_boot_ns() + READY_TIMEOUT_NS, &bench->is_ready);
	is_done = bench->is_ready && perform(bench);
	status = stop_child(bench);
	clean_up(bench);
	if (is_done)
		return report(bench);
	fprintf(stderr, "latency: %s %s\n", bench->program,
		bench->is_ready ? "ended before its time" : "did not become ready");
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE_HOST ? EXIT_SKIP
									  : EXIT_FAILURE;
}

/* ---- command line ---- */

static int usage(FILE *to, int code)
{
	fprintf(to, "usage: latency [OPTION...] HAETAE\n\n"
		    "  --actions N      how many files to open (default 200)\n"
		    "  --pause-ms N     least pause between two (default 5; none: 0)\n"
		    "  --max-p99-ms N   fail where the 99th percentile is more\n"
		    "  --json           print JSON only\n");
	return code;
}

static bool parse_u32(const char *text, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > max)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool parse_ms(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return end != text && !*end && *ret > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "actions", required_argument, NULL, 'a' },
						 { "pause-ms", required_argument, NULL, 'p' },
						 { "max-p99-ms", required_argument, NULL, 'm' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	struct bench bench = { .action_cnt = ACTIONS_DEFAULT, .pause_ms = PAUSE_DEFAULT_MS };
	bool is_valid = true;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_SUCCESS);
		else if (option == 'a')
			is_valid &= parse_u32(optarg, ACTIONS_MAX, &bench.action_cnt) &&
				    bench.action_cnt;
		else if (option == 'p')
			is_valid &= parse_u32(optarg, 60000, &bench.pause_ms);
		else if (option == 'm')
			is_valid &= parse_ms(optarg, &bench.max_p99_ms);
		else if (option == 'j')
			bench.want_json = true;
		else
			is_valid = false;
	}
	if (!is_valid || optind != argc - 1)
		return usage(stderr, 2);
	bench.program = argv[optind];
	bench.actions = calloc(bench.action_cnt, sizeof(*bench.actions));
	if (!bench.actions)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	buf_init(&bench.out, LINE_MAX_BYTES);
	buf_init(&bench.err, LINE_MAX_BYTES);
	r = measure(&bench);
	buf_done(&bench.out);
	buf_done(&bench.err);
	free(bench.actions);
	return r;
}
