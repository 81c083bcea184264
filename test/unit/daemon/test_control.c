/*
 * The control socket against clients that are slow, many, rude or not welcome, and its place in the
 * file system against what may stand there.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "control.h"
#include "control_socket.h"

static char dir[] = "/tmp/haetae-control-XXXXXX";
static char path[128];
static struct metrics metrics;
static struct control *control;
static struct outputs_guest guest;

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(name);
}

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run/control.sock", dir);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void set_up(void)
{
	make_dir();
	cr_assert_eq(metrics_init(&metrics, 0), 0);
	cr_assert_eq(control_new(path, &metrics, NULL, &control), 0);
	guest = control_guest(control);
}

static void tear_down(void)
{
	control = control_free(control);
	metrics_done(&metrics);
	remove_dir();
}

TestSuite(control, .init = set_up, .fini = tear_down, .timeout = 20);
TestSuite(control_socket, .init = make_dir, .fini = remove_dir, .timeout = 20);

static int connect_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s",
		     strerror(errno));
	return fd;
}

/* What the outputs thread does. */
static void steps(void)
{
	for (int i = 0; i < 100 && poll(&(struct pollfd){ guest.fd, POLLIN, 0 }, 1, 0) > 0; i++)
		guest.step(guest.data);
}

static const char *say(int fd, const char *text)
{
	static char answer[8192];
	ssize_t n;

	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	steps();
	n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	answer[n > 0 ? n : 0] = 0;
	return answer;
}

static struct control_stats stats(void)
{
	struct control_stats ret;

	control_stats(control, &ret);
	return ret;
}

Test(control, requests)
{
	static const struct {
		const char *request, *part;
	} cases[] = {
		{ "{\"command\":\"version\"}\n", "\"version\":\"" HAETAE_VERSION "\"" },
		{ "{\"command\":\"ping\"}\n", "\"ready\":false" },
		{ "{\"command\":\"rules\"}\n", "\"rules\":[]" },
		{ "{\"command\":\"alerts\"}\n", "{\"ok\":true}\n" },
		{ "{\"command\":\"halt\"}\n", "\"ok\":false" },
		{ "{\"command\":1}\n", "\"ok\":false" },
		{ "[\"command\"]\n", "\"ok\":false" },
		{ "\n", "\"ok\":false" },
		{ "{\n", "\"ok\":false" },
		{ "{\"command\":\"ping\"", "" },
		{ "}\n{\"command\":\"version\"}\n", "}\n{\"ok\":true,\"version\"" },
		{ "[[[[[[[[[[[[[[[[[[[[\n", "\"ok\":false" },
	};
	int fd = connect_client();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(strstr(say(fd, cases[i].request), cases[i].part), "%s", cases[i].request);
	close(fd);
	steps();
	cr_expect_eq(stats().clients, 0);
}

Test(control, request_too_long)
{
	char text[5001];
	int fd = connect_client();

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	cr_expect(strstr(say(fd, text), "4096 bytes"));
	steps();
	cr_expect(recv(fd, text, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN, "it is hung up on");
	cr_expect_eq(stats().crowded, 1);
	cr_expect_eq(stats().clients, 0);
	close(fd);
}

static struct alert *make_alert(unsigned number, size_t size)
{
	static char text[70000];
	static struct alert alert;
	int n = snprintf(text, sizeof(text), "{\"n\":%u,\"pad\":\"", number);

	memset(text + n, 'x', size);
	memcpy(text + (size_t)n + size, "\"}", 3);
	alert.json = str_from(text);
	return &alert;
}

/* Reads lines until nothing comes; *ret_lost is the sum of what it was told of. */
static unsigned read_lines(int fd, unsigned long *ret_lost)
{
	static char text[4u << 20];
	size_t n = 0;
	unsigned cnt = 0;
	long last = -1;

	*ret_lost = 0;
	for (ssize_t got; n + 1 < sizeof(text);) {
		steps();
		got = recv(fd, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long lost, number;

		if (sscanf(line, "{\"lost\":%lu}", &lost) == 1) {
			*ret_lost += lost;
			last += (long)lost;
		} else if (sscanf(line, "{\"n\":%lu,", &number) == 1) {
			cr_assert_eq((long)number, last + 1, "what is lost is told in its place");
			last = (long)number;
			cr_assert(str_ends_with(str_from(line), STR("x\"}")));
			cnt++;
		} else {
			cr_assert_fail("%.80s", line);
		}
	}
	return cnt;
}

Test(control, every_alert_reaches_a_reader)
{
	int fd = connect_client();
	unsigned long lost;
	unsigned cnt = 0;

	cr_assert_str_eq(say(fd, "{\"command\":\"alerts\"}\n"), "{\"ok\":true}\n");
	for (unsigned i = 0; i < 1000; i++)
		guest.on_alert(guest.data, make_alert(i, 500));
	cnt = read_lines(fd, &lost);
	cr_expect_eq(cnt, 1000);
	cr_expect_eq(lost, 0);
	cr_expect_eq(stats().sent, 1000);
	close(fd);
}

Test(control, slow_reader_loses_and_is_told)
{
	int slow = connect_client(), other = connect_client();
	unsigned long lost;
	unsigned cnt;

	cr_assert_str_eq(say(slow, "{\"command\":\"alerts\"}\n"), "{\"ok\":true}\n");
	for (unsigned i = 0; i < 2000; i++) {
		guest.on_alert(guest.data, make_alert(i, 5000));
		steps();
	}
	cr_expect(strstr(say(other, "{\"command\":\"ping\"}\n"), "\"subscribers\":1"),
		  "others are answered");
	cnt = read_lines(slow, &lost);
	cr_expect_gt(lost, 0);
	cr_expect_gt(cnt, 0);
	cr_expect_eq(cnt + lost, 2000, "%u + %lu", cnt, lost);
	cr_expect_eq(stats().sent, cnt);
	cr_expect_eq(stats().lost, lost);
	close(slow);
	close(other);
}

Test(control, an_answer_not_read_is_no_memory_of_ours)
{
	char requests[100 * 19 + 1] = "";
	int fd = connect_client();

	for (int i = 0; i < 100; i++)
		memcpy(requests + (ptrdiff_t)i * 19, "{\"command\":\"ping\"}\n", 20);
	for (int i = 0; i < 1000; i++) {
		if (send(fd, requests, sizeof(requests) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		steps();
	}
	cr_expect_eq(stats().crowded, 1);
	close(fd);
	steps();
	cr_expect_eq(stats().clients, 0);
}

Test(control, silent_clients_make_room)
{
	int fds[CONTROL_CLIENTS_MAX], subscriber = connect_client();

	cr_assert_str_eq(say(subscriber, "{\"command\":\"alerts\"}\n"), "{\"ok\":true}\n");
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connect_client();
		steps();
	}
	cr_expect_eq(stats().clients, CONTROL_CLIENTS_MAX);
	cr_expect_eq(stats().crowded, 1);
	cr_expect_eq(stats().subscribers, 1, "who listens stays");
	cr_expect(strstr(say(fds[CONTROL_CLIENTS_MAX - 1], "{\"command\":\"version\"}\n"),
			 "\"ok\":true"));
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	close(subscriber);
}

Test(control, other_users_are_refused)
{
	int status;

	if (geteuid() != 0)
		cr_skip("needs root to become another user");
	cr_assert_eq(chmod(path, 0666), 0);
	cr_assert_eq(chmod(dir, 0755), 0);
	if (fork() == 0) {
		int fd;

		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(9);
		fd = connect_client();
		_exit(recv(fd, &status, 1, 0) == 0 ? 0 : 1);
	}
	cr_assert_eq(poll(&(struct pollfd){ guest.fd, POLLIN, 0 }, 1, 5000), 1);
	steps();
	wait(&status);
	cr_expect_eq(status, 0);
	cr_expect_eq(stats().refused, 1);
	cr_expect_eq(stats().accepted, 0);
}

/* ---- its place ------------------------------------------------------------------------------ */

Test(control_socket, only_for_its_user)
{
	struct control_socket one, two;
	struct stat status;

	cr_assert_eq(control_socket_open(path, &one), 0);
	cr_assert_eq(lstat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_expect_eq(control_socket_open(path, &two), -EADDRINUSE, "somebody listens");
	control_socket_close(&one);
	cr_expect_eq(lstat(path, &status), -1, "it is taken away");
}

Test(control_socket, a_stale_one_is_replaced)
{
	struct control_socket one, two;
	struct stat status;
	char other[96];

	cr_assert_eq(control_socket_open(path, &one), 0);
	/* Keeps the inode's number from being given to the next. */
	snprintf(other, sizeof(other), "%s/other", dir);
	cr_assert_eq(link(path, other), 0);
	close_fdp(&one.fd); /* as if killed */
	cr_assert_eq(control_socket_open(path, &two), 0);
	control_socket_close(&one);
	cr_expect_eq(lstat(path, &status), 0, "the file is the other's now");
	control_socket_close(&two);
}

Test(control_socket, what_is_no_socket_stays)
{
	struct control_socket socket;
	struct stat status;
	char folder[64], other[96];

	snprintf(folder, sizeof(folder), "%s/run", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_geq(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(control_socket_open(path, &socket), -EEXIST);
	cr_expect_eq(lstat(path, &status), 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_geq(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
	cr_expect_eq(control_socket_open(path, &socket), -EEXIST);
	cr_expect_eq(lstat(path, &status), 0);
}

Test(control_socket, folders_of_others)
{
	static const struct {
		mode_t mode;
		int result;
	} cases[] = { { 0777, -EPERM }, { 0775, -EPERM }, { 01777, 0 }, { 0755, 0 } };
	struct control_socket socket;
	char folder[64], real[64];

	snprintf(folder, sizeof(folder), "%s/run", dir);
	snprintf(real, sizeof(real), "%s/real", dir);
	cr_assert_eq(mkdir(real, 0755), 0);
	cr_assert_eq(symlink("real", folder), 0);
	cr_expect_eq(control_socket_open(path, &socket), -ENOTDIR, "a link to a folder");
	cr_assert_eq(unlink(folder), 0);
	cr_assert_eq(mkdir(folder, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert_eq(chmod(folder, cases[i].mode), 0);
		cr_expect_eq(control_socket_open(path, &socket), cases[i].result, "mode %o",
			     cases[i].mode);
		if (cases[i].result == 0)
			control_socket_close(&socket);
	}
	cr_expect_eq(control_socket_open("relative.sock", &socket), -EINVAL);
	cr_expect_eq(control_socket_open("/tmp/", &socket), -EINVAL);
	cr_expect_eq(control_socket_open("/nowhere/at/all.sock", &socket), -ENOENT);
}
