/*
 * evt.arg, evt.args, addresses, the dump.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "record_builder.h"

static struct record_builder builder;
static struct arena scratch;
static struct event event;
static struct buf out;

static void setup(void)
{
	arena_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 18);
	event = (struct event){ .scratch = &scratch };
}

static void teardown(void)
{
	arena_done(&scratch);
	buf_done(&out);
}

TestSuite(render, .init = setup, .fini = teardown);

/* Shows one parameter of the record that was built. */
static void expect(const char *name, unsigned param, const char *text)
{
	cr_assert_eq(record_decode(&builder, &event), 0, "%s", name);
	buf_clear(&out);
	cr_assert(event_param_format(&event, param, &out), "%s", name);
	cr_expect(str_eq_text(buf_str(&out), text), "%s: %.*s", name, STR_ARG(buf_str(&out)));
}

Test(render, numbers)
{
	static const struct {
		enum event_type type;
		const char *param;
		unsigned number;
		int64_t value;
		const char *text;
	} cases[] = {
		{ EVENT_OPENAT, "fd", PARAM_OPENAT_fd, 7, "7" },
		{ EVENT_OPENAT, "fd", PARAM_OPENAT_fd, -2, "ENOENT" },
		{ EVENT_OPENAT, "fd", PARAM_OPENAT_fd, -9999, "-9999" },
		{ EVENT_OPENAT, "dirfd", PARAM_OPENAT_dirfd, -100, "AT_FDCWD" },
		{ EVENT_OPENAT, "dirfd", PARAM_OPENAT_dirfd, 4, "4" },
		{ EVENT_OPENAT, "flags", PARAM_OPENAT_flags, O_CREAT | O_WRONLY,
		  "O_CREAT|O_WRONLY" },
		{ EVENT_OPENAT, "mode", PARAM_OPENAT_mode, 0644, "644" },
		{ EVENT_OPENAT, "mode", PARAM_OPENAT_mode, 0, "0" },
		{ EVENT_OPENAT, "dev", PARAM_OPENAT_dev, 0x1ff, "1FF" },
		{ EVENT_OPENAT, "ino", PARAM_OPENAT_ino, 123, "123" },
		{ EVENT_OPENAT, "file_mode", PARAM_OPENAT_file_mode, S_IFREG | 0400,
		  "S_IRUSR|S_IFREG" },
		{ EVENT_OPENAT, "file_mode", PARAM_OPENAT_file_mode, S_IFBLK, "S_IFBLK" },
		{ EVENT_OPENAT, "file_mode", PARAM_OPENAT_file_mode, 0, "0" },
		{ EVENT_EXECVE, "res", PARAM_EXECVE_res, 0, "0" },
		{ EVENT_EXECVE, "res", PARAM_EXECVE_res, -13, "EACCES" },
		{ EVENT_EXECVE, "fdlimit", PARAM_EXECVE_fdlimit, -1, "-1" }, /* RLIM_INFINITY */
		{ EVENT_EXECVE, "flags", PARAM_EXECVE_flags, WIRE_FILE_MEMFD, "EXE_FROM_MEMFD" },
		{ EVENT_PROCEXIT, "sig", PARAM_PROCEXIT_sig, 9, "SIGKILL" },
		{ EVENT_PROCEXIT, "sig", PARAM_PROCEXIT_sig, 0, "0" },
		{ EVENT_PROCEXIT, "sig", PARAM_PROCEXIT_sig, 40, "40" },
		{ EVENT_PROCEXIT, "sig", PARAM_PROCEXIT_sig, -1, "-1" },
		{ EVENT_PROCEXIT, "reaper_tid", PARAM_PROCEXIT_reaper_tid, 1, "1" },
		{ EVENT_GENERIC, "a0", PARAM_GENERIC_a0, -1, "FFFFFFFFFFFFFFFF" },
		{ EVENT_UNLINKAT, "flags", PARAM_UNLINKAT_flags, 0x200, "AT_REMOVEDIR" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		record_begin(&builder, cases[i].type);
		if (cases[i].type == EVENT_GENERIC)
			builder.header->syscall_nr = 1;
		record_put_number(&builder, cases[i].param, cases[i].value);
		expect(cases[i].param, cases[i].number, cases[i].text);
	}
}

Test(render, absent)
{
	record_begin(&builder, EVENT_EXECVE);
	expect("number", PARAM_EXECVE_res, "<NA>");
	expect("string", PARAM_EXECVE_exe, "<NA>");
	expect("path", PARAM_EXECVE_filename, "<NA>");
	expect("walked path", PARAM_EXECVE_cwd, "<NA>");
	expect("vector", PARAM_EXECVE_args, "NULL");
	expect("bytes, source NONE", PARAM_EXECVE_cgroups, "NULL");
	record_begin(&builder, EVENT_CONNECT);
	expect("tuple", PARAM_CONNECT_tuple, "NULL");
	expect("address", PARAM_CONNECT_addr, "NULL");
	cr_expect_not(event_param_format(&event, PARAM_CONNECT__COUNT, &out));
	cr_expect_not(event_param_format(&event, UINT32_MAX, &out));
}

Test(render, strings)
{
	static const char *const args[] = { "-l", "", "a b", NULL };

	record_begin(&builder, EVENT_EXECVE);
	record_put_text(&builder, "exe", "");
	record_put_vector(&builder, "args", args);
	record_put_path(&builder, "cwd", "/home/u");
	record_put_text(&builder, "filename", "./run.sh");
	expect("empty", PARAM_EXECVE_exe, "");
	expect("vector", PARAM_EXECVE_args, "-l  a b");
	expect("relative to the working directory", PARAM_EXECVE_filename, "/home/u/run.sh");
	record_put_path(&builder, "dirpath", "/opt");
	expect("relative to its directory", PARAM_EXECVE_filename, "/opt/run.sh");
	record_put_text(&builder, "filename", "/opt//x/../run.sh");
	expect("absolute stays as given", PARAM_EXECVE_filename, "/opt//x/../run.sh");
	record_put_text(&builder, "filename", "");
	expect("empty path", PARAM_EXECVE_filename, "<NA>");
	record_put_object(&builder, "trusted_exepath", "memfd:x", WIRE_KIND_MEMFD << 8, 0);
	expect("memfd", PARAM_EXECVE_trusted_exepath, "memfd:x");
	record_begin(&builder, EVENT_UNLINK);
	record_put_text(&builder, "path", "a/../b");
	expect("directory not known", PARAM_UNLINK_path, "b");
}

Test(render, opened_file)
{
	static const struct {
		const char *path;
		unsigned flags;
		int64_t mode;
		const char *text;
	} cases[] = {
		{ "/etc/passwd", 0, S_IFREG | 0644, "<f>/etc/passwd" },
		{ "/etc", 0, S_IFDIR | 0755, "<d>/etc" },
		{ "/run/fifo", 0, S_IFIFO, "<p>/run/fifo" },
		{ "/dev/null", 0, S_IFCHR, "<f>/dev/null" },
		{ "", WIRE_KIND_PIPE << 8, S_IFIFO, "<p>pipe:[5]" },
		{ "memfd:a", WIRE_KIND_MEMFD << 8, S_IFREG, "<m>memfd:a" },
		{ "[eventpoll]", WIRE_KIND_ANON << 8, 0, "<l>anon_inode:[eventpoll]" },
		{ "bpf-map", WIRE_KIND_ANON << 8, 0, "<b>anon_inode:bpf-map" },
		{ "[what]", WIRE_KIND_ANON << 8, 0, "<o>anon_inode:[what]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		record_begin(&builder, EVENT_OPENAT);
		record_put_number(&builder, "fd", 3);
		record_put_number(&builder, "ino", 5);
		record_put_number(&builder, "file_mode", cases[i].mode);
		record_put_object(&builder, "path", cases[i].path, cases[i].flags, 0);
		expect(cases[i].text, PARAM_OPENAT_fd, cases[i].text);
	}
	/* The directory of a relative name. */
	record_put_number(&builder, "dirfd", 9);
	record_put_path(&builder, "dirpath", "/srv");
	expect("dirfd", PARAM_OPENAT_dirfd, "<d>/srv");
}

Test(render, open_flags_with_what_the_call_did)
{
	uint64_t value;

	record_begin(&builder, EVENT_OPENAT);
	record_put_number(&builder, "flags", O_CREAT | O_RDWR);
	record_put_number(&builder, "file_bits", WIRE_FILE_CREATED | WIRE_FILE_UPPER_LAYER);
	expect("flags", PARAM_OPENAT_flags, "O_CREAT|O_RDWR|O_F_CREATED|FD_UPPER_LAYER");
	cr_assert(event_portable_number(&event, PARAM_OPENAT_flags, &value));
	cr_expect_eq(value, 4 | 3 | 1 << 14 | 1 << 15);
	/* A program's own high bits (openat2) are not what the call did. */
	record_put_number(&builder, "flags", (int64_t)(7ULL << 40));
	record_put_number(&builder, "file_bits", 0);
	expect("high bits", PARAM_OPENAT_flags, "O_RDONLY");
	cr_assert(event_portable_number(&event, PARAM_OPENAT_file_bits, &value));
	cr_expect_eq(value, 0);
	cr_expect_not(event_portable_number(&event, PARAM_OPENAT_fd, &value));
	cr_expect_not(event_portable_number(&event, UINT32_MAX, &value));
}

Test(render, sockets)
{
	struct wire_tuple netlink = { .family = AF_NETLINK };

	record_begin(&builder, EVENT_CONNECT);
	record_put_number(&builder, "fd", 5);
	expect("socket not known", PARAM_CONNECT_fd, "5");
	record_put_tuple(&builder, "tuple", "10.0.0.1:4000", "1.1.1.1:443", IPPROTO_TCP);
	record_put_tuple(&builder, "addr", NULL, "1.1.1.1:443", 0);
	expect("tcp", PARAM_CONNECT_fd, "<4t>10.0.0.1:4000->1.1.1.1:443");
	expect("tuple", PARAM_CONNECT_tuple, "10.0.0.1:4000->1.1.1.1:443");
	expect("address", PARAM_CONNECT_addr, "1.1.1.1:443");
	record_put_tuple(&builder, "tuple", "[2001:db8::1]:4000", "[::1]:53", IPPROTO_UDP);
	expect("udp", PARAM_CONNECT_fd, "<6u>2001:db8::1:4000->::1:53");
	record_put_tuple(&builder, "tuple", NULL, "1.2.3.4:53", IPPROTO_UDP);
	expect("one end", PARAM_CONNECT_tuple, "1.2.3.4:53");
	record_put_tuple(&builder, "tuple", NULL, "1.2.3.4:0", IPPROTO_ICMP);
	expect("icmp", PARAM_CONNECT_fd, "<4i>1.2.3.4:0");
	record_put_tuple(&builder, "addr", "1.2.3.4:53", NULL, 0);
	expect("the only end that is known", PARAM_CONNECT_addr, "1.2.3.4:53");
	record_put_unix(&builder, "tuple", "/run/docker.sock");
	expect("unix", PARAM_CONNECT_fd, "<u>/run/docker.sock");
	record_put_unix(&builder, "addr", "@abstract");
	expect("abstract", PARAM_CONNECT_addr, "@abstract");
	record_put_bytes(&builder, "addr", &netlink, sizeof(netlink));
	expect("another family", PARAM_CONNECT_addr, "AF_ROUTE|AF_NETLINK");
}

/* RFC 5952, section 4. */
Test(render, addresses)
{
	static const struct {
		const char *name;
		uint8_t address[16];
		unsigned family;
		const char *text;
	} cases[] = {
		{ "v4", { 192, 0, 2, 1 }, AF_INET, "192.0.2.1" },
		{ "any", { 0 }, AF_INET6, "::" },
		{ "loopback", { [15] = 1 }, AF_INET6, "::1" },
		{ "lower case, no leading zeros",
		  { 0x20, 1, 0xd, 0xb8, [15] = 0xab },
		  AF_INET6,
		  "2001:db8::ab" },
		{ "one group of zeros stays",
		  { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
		  AF_INET6,
		  "2001:db8:0:1:1:1:1:1" },
		{ "the first of two runs",
		  { 0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1 },
		  AF_INET6,
		  "2001::1:0:0:1:1" },
		{ "mapped",
		  { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
		  AF_INET6,
		  "::ffff:10.0.0.1" },
		{ "no address", { 1, 2, 3, 4 }, AF_UNIX, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		address_format(cases[i].family, cases[i].address, &out);
		cr_expect(str_eq_text(buf_str(&out), cases[i].text), "%s: %.*s", cases[i].name,
			  STR_ARG(buf_str(&out)));
	}
}

static struct str find_name(enum param_type type, uint32_t id, const void *data)
{
	cr_expect_eq(data, &event);
	if (type == PARAM_UID && id == 0)
		return STR("root");
	if (type == PARAM_GID && id == 0)
		return STR("wheel");
	return type == PARAM_PID && id == 1000 ? STR("bash") : STR_NONE;
}

Test(render, names_of_later_stages)
{
	struct event_names names = { find_name, &event };

	record_begin(&builder, EVENT_EXECVE);
	builder.header->euid = 0;
	builder.header->egid = 5;
	expect("no names", PARAM_EXECVE_uid, "0");
	expect("loginuid unset", PARAM_EXECVE_loginuid, "<NONE>");
	event.names = &names;
	expect("user", PARAM_EXECVE_uid, "root");
	expect("no such group", PARAM_EXECVE_gid, "<NA>");
	expect("process", PARAM_EXECVE_pid, "bash");
	expect("no such process", PARAM_EXECVE_ptid, "1");
	builder.header->loginuid = 0;
	expect("user of login", PARAM_EXECVE_loginuid, "root");
	record_begin(&builder, EVENT_PROCEXIT);
	record_put_number(&builder, "reaper_tid", (1LL << 32) + 1000);
	expect("a pid that cannot be", PARAM_PROCEXIT_reaper_tid, "4294968296");
}

Test(render, args)
{
	struct event_names names = { find_name, &event };

	record_begin(&builder, EVENT_OPENAT);
	record_put_number(&builder, "fd", 3);
	record_put_number(&builder, "dirfd", -100);
	record_put_text(&builder, "name", "passwd");
	record_put_number(&builder, "flags", O_CLOEXEC);
	record_put_number(&builder, "mode", 0);
	record_put_path(&builder, "path", "/etc/passwd");
	record_put_path(&builder, "dirpath", "/etc");
	cr_assert_eq(record_decode(&builder, &event), 0);
	event_args_format(&event, &out);
	cr_expect(str_eq_text(buf_str(&out),
			      "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=passwd(/etc/passwd) "
			      "flags=4097(O_RDONLY|O_CLOEXEC) mode=0 dev=<NA> ino=<NA> "
			      "file_bits=<NA> file_mode=<NA> path=/etc/passwd dirpath=/etc"),
		  "%.*s", STR_ARG(buf_str(&out)));

	event.names = &names;
	record_begin(&builder, EVENT_PROCEXIT);
	record_put_number(&builder, "status", 9);
	record_put_number(&builder, "sig", 9);
	record_put_number(&builder, "reaper_tid", 1000);
	cr_assert_eq(record_decode(&builder, &event), 0);
	buf_clear(&out);
	event_args_format(&event, &out);
	cr_expect(str_eq_text(buf_str(&out), "status=9 ret=<NA> sig=9(SIGKILL) core=<NA> "
					     "reaper_tid=1000(bash)"),
		  "%.*s", STR_ARG(buf_str(&out)));

	/* A call without a schema. */
	record_begin(&builder, EVENT_GENERIC);
	builder.header->syscall_nr = 101;
	cr_assert_eq(record_decode(&builder, &event), 0);
	buf_clear(&out);
	event_args_format(&event, &out);
	cr_expect_eq(out.n, 0);
}

/* The buffer's limit cuts; nothing is written behind it. */
Test(render, small_buffer)
{
	struct buf small;

	record_begin(&builder, EVENT_OPENAT);
	record_put_number(&builder, "fd", 3);
	record_put_path(&builder, "path", "/etc/passwd");
	cr_assert_eq(record_decode(&builder, &event), 0);
	for (size_t max = 0; max < 80; max++) {
		buf_init(&small, max);
		event_args_format(&event, &small);
		cr_expect(small.failed);
		cr_expect_leq(small.n, max);
		buf_done(&small);
	}
}

Test(render, dump)
{
	record_begin(&builder, EVENT_UNLINK);
	memcpy(builder.header->comm, "evil\x1b[2J", 9);
	record_put_number(&builder, "res", 0);
	record_put_text(&builder, "path", "/tmp/a\nb\x1b]0;x\x07");
	cr_assert_eq(record_decode(&builder, &event), 0);
	event_dump(&event, &out);
	cr_expect(str_eq_text(
			  buf_str(&out),
			  "20.000000000 cpu 0 ring 0 #1 unlink pid 1000 tid 1000 ppid 1 exec 0 uid "
			  "0 comm evil\\x1b[2J result 0 flags 0\n"
			  "  res=0 path=/tmp/a\\nb\\x1b]0;x\\x07 dirpath=<NA> object=<NA>\n"),
		  "%.*s", STR_ARG(buf_str(&out)));
	/* A call without a schema shows its arguments here. */
	buf_clear(&out);
	record_begin(&builder, EVENT_GENERIC);
	builder.header->syscall_nr = 500;
	record_put_number(&builder, "a0", 0x10);
	cr_assert_eq(record_decode(&builder, &event), 0);
	event_dump(&event, &out);
	cr_expect(str_contains(buf_str(&out), STR("call 500")));
	cr_expect(str_contains(buf_str(&out), STR("a0=10 a1=<NA>")));
}
