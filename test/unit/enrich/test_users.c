/* Names of users and groups, from files that somebody may have spoilt. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "haetae/proc.h"

static char root[] = "/tmp/haetae-users-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void put_file(const char *name, const char *data, size_t n)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(root));
}

static void tear_down(void)
{
	unlink(path_of("passwd"));
	unlink(path_of("group"));
	rmdir(root);
}

TestSuite(users, .init = set_up, .fini = tear_down);

static struct users *open_users(void)
{
	struct users *users = NULL;

	cr_assert_eq(users_new(root, &users), 0);
	return users;
}

static void expect_name(const char *name, const char *expected, const char *what)
{
	cr_expect(expected ? name && strcmp(name, expected) == 0 : !name, "%s: %s", what,
		  name ? name : "(none)");
}

Test(users, names)
{
	struct users *users;

	put_text("passwd", "root:x:0:0:root:/root:/bin/bash\n"
			   "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
			   "alice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh");
	put_text("group", "root:x:0:\nstaff:x:50:alice,bob\n");
	users = open_users();
	expect_name(users_name(users, 0), "root", "0");
	expect_name(users_name(users, 1000), "alice", "a last line without newline");
	expect_name(users_home(users, 1000), "/home/alice", "home");
	expect_name(users_shell(users, 1000), "/bin/zsh", "shell");
	expect_name(users_name(users, 7), NULL, "no such user");
	expect_name(users_home(users, 7), NULL, "no such user");
	expect_name(users_shell(users, UINT32_MAX), NULL, "-1");
	expect_name(users_group_name(users, 50), "staff", "group");
	expect_name(users_group_name(users, 1000), NULL, "no such group");
	users_free(users);
}

Test(users, hostile_lines)
{
	static const struct {
		const char *line, *name; /* of uid 5 */
	} cases[] = {
		{ "a:x:5:5::/h:/s", "a" },
		{ "a:x:5", "a" },
		{ "a:x:05:5::/h:/s", "a" },
		{ "a:x:5:5::/h:/s:more:and:more", "a" },
		{ "", NULL },
		{ "\n\n:\n::\n:::::::::\n", NULL },
		{ ":x:5:5::/h:/s", NULL },
		{ "a:x::5::/h:/s", NULL },
		{ "a:x:-5:5::/h:/s", NULL },
		{ "a:x: 5:5::/h:/s", NULL },
		{ "a:x:5x:5::/h:/s", NULL },
		{ "a:x:4294967301:5::/h:/s", NULL },	       /* 2^32 + 5 */
		{ "a:x:18446744073709551621:5::/h:/s", NULL }, /* 2^64 + 5 */
		{ "+a:x:5:5::/h:/s", NULL },
		{ "-a:x:5:5::/h:/s", NULL },
		{ "a", NULL },
		{ "a:x:5:5::/h:/s\nb:x:5:5::/h:/s\n", "a" },   /* the first counts */
		{ "\xff\x1b[2J:x:5:5::/h:/s", "\xff\x1b[2J" }, /* escaped where it is printed */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct users *users;

		put_text("passwd", cases[i].line);
		users = open_users();
		expect_name(users_name(users, 5), cases[i].name, cases[i].line);
		if (cases[i].name)
			cr_expect_not_null(users_home(users, 5), "%s", cases[i].line);
		users_free(users);
	}
}

Test(users, bytes_that_are_no_text)
{
	struct users *users;

	put_file("passwd", "a\0b:x:5:5::/h:/s\nc:x:6:6::/h:/s\n", 33);
	users = open_users();
	expect_name(users_name(users, 5), "a", "a NUL ends the name");
	expect_name(users_name(users, 6), "c", "the line after it");
	users_free(users);
}

Test(users, large_files)
{
	static char text[6 << 20];
	struct users *users;
	size_t n = 0;

	/* A line that is too long, more than the limit of entries, and more than is read. */
	n += (size_t)sprintf(text, "long:x:5:5:");
	memset(text + n, 'g', 9000);
	n += 9000;
	n += (size_t)sprintf(text + n, ":/h:/s\n");
	for (uint32_t i = 100; n < sizeof(text) - 100; i++)
		n += (size_t)sprintf(text + n, "user%u:x:%u:1:xxxxxxxxxxxxxxxxxxxxxxxxxx:/:/\n", i,
				     i);
	put_file("passwd", text, n);
	users = open_users();
	expect_name(users_name(users, 5), NULL, "too long");
	expect_name(users_name(users, 100), "user100", "the first");
	expect_name(users_name(users, 50000), "user50000", "one in the middle");
	expect_name(users_name(users, 70000), NULL, "beyond 65536 entries");
	users_free(users);
}

Test(users, not_a_file)
{
	struct users *users;

	cr_assert_eq(mkfifo(path_of("passwd"), 0600), 0);
	users = open_users();
	expect_name(users_name(users, 0), NULL, "a pipe without writer does not stop us");
	users_free(users);
	unlink(path_of("passwd"));
	users = open_users();
	expect_name(users_name(users, 0), NULL, "no file");
	users_free(users);
	cr_expect_null(users_free(NULL));
}

Test(users, change)
{
	struct users *users;

	put_text("passwd", "old:x:5:5::/h:/s\n");
	users = open_users();
	expect_name(users_name(users, 5), "old", "before");
	put_text("passwd", "newer:x:5:5::/h:/s\n");
	expect_name(users_name(users, 5), "old", "not looked at by asking for a name");
	cr_expect(users_look(users));
	expect_name(users_name(users, 5), "newer", "after a look");
	cr_expect(!users_look(users), "nothing has changed");
	/* useradd(8) renames: for a moment, or for ever, there may be none. */
	unlink(path_of("passwd"));
	cr_expect(!users_look(users));
	expect_name(users_name(users, 5), "newer", "what was there stays");
	users_free(users);
}

/* What is put and set again answers alike, and tells no password and no comment. */
Test(users, put_and_set)
{
	_cleanup_(buf_done) struct buf passwd, group;
	struct users *users, *other;

	put_text("passwd", "root:secret:0:0:Alice Smith:/root:/bin/bash\nb::7:\nc:x:7:1::/c:/c\n"
			   "tail:x:9:9::/home/a:b:/bin/sh:x\n+nis::1:::\n:x:3:\n");
	put_text("group", "wheel:secret:10:alice,bob\nlast:x:11");
	users = open_users();
	buf_init(&passwd, 4096);
	buf_init(&group, 4096);
	users_put(users, &passwd, &group);
	cr_expect_str_eq(passwd.p, "root::0:::/root:/bin/bash\nb::7\n"
				   "tail::9:::/home/a:b:/bin/sh:x\n");
	cr_expect_str_eq(group.p, "wheel::10\nlast::11\n");
	cr_assert_eq(users_new_from(STR("x:x:1:"), STR(""), &other), 0);
	cr_assert_eq(users_set(other, buf_str(&passwd), buf_str(&group)), 0);
	expect_name(users_name(other, 1), NULL, "what was there before");
	for (uint32_t id = 0; id < 12; id++) {
		expect_name(users_name(other, id), users_name(users, id), "a name");
		expect_name(users_home(other, id), users_home(users, id), "a home");
		expect_name(users_shell(other, id), users_shell(users, id), "a shell");
		expect_name(users_group_name(other, id), users_group_name(users, id), "a group");
	}
	cr_expect(!users_look(other), "texts in memory are no files");
	users_free(other);
	users_free(users);
}
