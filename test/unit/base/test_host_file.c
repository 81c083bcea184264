/* Unit tests of files below a root: no link leads out of it, nothing blocks, nothing is endless. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "haetae/host_file.h"
#include "openat2.h"

static char root[64];

static const char *below(const char *path)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s%s", root, path);
	return text;
}

static void put(const char *path, const char *content)
{
	int fd = open(below(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void begin(void)
{
	snprintf(root, sizeof(root), "/tmp/haetae_test_host_XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static void end(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_assert_eq(system(command), 0);
}

Test(host_file, stays_below_the_root)
{
	const struct {
		const char *path;
		int result;
		const char *content;
	} cases[] = {
		{ "/etc/passwd", 0, "ours" },
		{ "etc/passwd", 0, "ours" },
		{ "/../../etc/passwd", 0, "ours" },
		{ "/absolute", 0, "ours" }, /* to /etc/passwd */
		{ "/climbing", 0, "ours" }, /* to ../../../etc/passwd */
		{ "/loop", -ELOOP, "" },
		{ "/missing", -ENOENT, "" },
		{ "/etc", -EISDIR, "" },
		{ "/fifo", -EINVAL, "" },
		{ "/long", -EFBIG, NULL },
		{ "/largest", 0, NULL },
	};
	int root_fd;

	skip_without_openat2();
	begin();
	cr_assert_eq(mkdir(below("/etc"), 0700), 0);
	put("/etc/passwd", "ours");
	cr_assert_eq(symlink("/etc/passwd", below("/absolute")), 0);
	cr_assert_eq(symlink("../../../etc/passwd", below("/climbing")), 0);
	cr_assert_eq(symlink("loop", below("/loop")), 0);
	cr_assert_eq(mkfifo(below("/fifo"), 0600), 0);
	put("/long", "");
	put("/largest", "");
	cr_assert_eq(truncate(below("/long"), HOST_FILE_BYTES_MAX + 1), 0);
	cr_assert_eq(truncate(below("/largest"), HOST_FILE_BYTES_MAX), 0);
	root_fd = host_root_open(root);
	cr_assert_geq(root_fd, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf buf = { 0 };
		int r;

		buf_init(&buf, 4u << 20);
		r = host_read(root_fd, cases[i].path, &buf);
		/* A folder opens and is no file, or does not open. */
		cr_expect(r == cases[i].result || (r == -EINVAL && cases[i].result == -EISDIR),
			  "%s: %d", cases[i].path, r);
		if (r == 0 && cases[i].content)
			cr_expect(str_eq_text(buf_str(&buf), cases[i].content), "%s",
				  cases[i].path);
	}
	close(root_fd);
	end();
}

Test(host_file, own_root)
{
	_cleanup_(close_fdp) int root_fd = host_root_open("");
	_cleanup_(buf_done) struct buf buf = { 0 };

	cr_assert_geq(root_fd, 0);
	buf_init(&buf, 1u << 16);
	cr_expect_eq(host_read(root_fd, "/proc/self/status", &buf), 0, "has no size");
	cr_expect(str_starts_with(buf_str(&buf), STR("Name:")));
	buf_clear(&buf);
	buf.max = 10;
	cr_expect_eq(host_read(root_fd, "/proc/self/status", &buf), -EFBIG);
	cr_expect_eq(host_root_open("/nonexistent"), -ENOENT);
	cr_expect_lt(host_read(root_fd, "/dev/zero", &buf), 0);
}

Test(host_file, sockets)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_(close_fdp) int listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	_cleanup_(close_fdp) int peer_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	_cleanup_(close_fdp) int root_fd = -1;
	_cleanup_(close_fdp) int fd = -1;

	skip_without_openat2();
	begin();
	put("/file", "");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", below("/socket"));
	cr_assert_eq(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(listen_fd, 1), 0);
	cr_assert_eq(symlink("/socket", below("/link")), 0);
	root_fd = host_root_open(root);
	cr_expect_eq(host_socket_open(root_fd, "/file"), -ENOTSOCK);
	cr_expect_eq(host_socket_open(root_fd, "/missing"), -ENOENT);
	fd = host_socket_open(root_fd, "/link");
	cr_assert_geq(fd, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", fd);
	cr_expect_eq(connect(peer_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	end();
}
