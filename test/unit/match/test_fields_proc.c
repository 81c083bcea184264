/*
 * proc.*, thread.*, user.*, group.*: the process, its image, its ancestors, its leaders.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;

/* init <- sshd <- bash (session leader) <- sh <- cat */
static const struct fixture_program init = {
	.pid = 1,
	.comm = "systemd",
	.exe = "/sbin/init",
	.exepath = "/usr/lib/systemd/systemd",
	.session_id = 1,
	.group_id = 1,
};
static const struct fixture_program sshd = {
	.pid = 20,
	.parent_pid = 1,
	.comm = "sshd",
	.exe = "sshd: alice",
	.exepath = "/usr/sbin/sshd",
	.args = { "-D" },
	.env = { "SSH_CONNECTION=1.2.3.4 5", "EMPTY=", NULL },
	.session_id = 20,
	.group_id = 20,
};
static const struct fixture_program bash = {
	.pid = 30,
	.parent_pid = 20,
	.comm = "bash",
	.exe = "-bash",
	.exepath = "/usr/bin/bash",
	.env = { "PATH=/bin", "EMPTY=", NULL },
	.session_id = 30,
	.group_id = 30,
};
static const struct fixture_program sh = {
	.pid = 40,
	.parent_pid = 30,
	.comm = "sh",
	.exe = "/bin/sh",
	.exepath = "/usr/bin/dash",
	.args = { "-c", "cat /etc/shadow" },
	.env = { "PATH=/bin", NULL },
	.session_id = 30,
	.group_id = 40,
};
static const struct fixture_program cat = {
	.pid = 50,
	.parent_pid = 40,
	.comm = "cat",
	.exe = "cat",
	.exepath = "/usr/bin/cat",
	.args = { "/etc/shadow", "b b", "" },
	.env = { "PATH=/bin", "PATHS=/x", "HOME= /root ", NULL },
	.session_id = 30,
	.group_id = 40,
};

static void setup(void)
{
	fixture_init(&fixture);
	fixture_run(&fixture, &init);
	fixture_run(&fixture, &sshd);
	fixture_run(&fixture, &bash);
	fixture_run(&fixture, &sh);
	fixture_run(&fixture, &cat);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_proc, .init = setup, .fini = teardown);

Test(fields_proc, self)
{
	static const struct fixture_case cases[] = {
		{ "proc.name", "cat" },
		{ "proc.exe", "cat" },
		/* The kernel's path, and the name as passed joined with the directory. */
		{ "proc.exepath", "/usr/bin/cat | /work/cat" },
		{ "proc.args", "/etc/shadow b b " },
		{ "proc.args[0]", "/etc/shadow" },
		{ "proc.args[1]", "b b" },
		{ "proc.args[2]", "" },
		{ "proc.args[7]", "" },
		{ "proc.cmdline", "cat /etc/shadow b b " },
		{ "proc.exeline", "cat /etc/shadow b b " },
		{ "proc.cmdnargs", "3" },
		{ "proc.cmdlenargs", "14" },
		{ "proc.env", "PATH=/bin PATHS=/x HOME= /root " },
		{ "proc.env[PATH]", "/bin" },
		{ "proc.env[HOME]", "/root" },
		{ "proc.env[PAT]", "" },
		{ "proc.env[NOPE]", "" },
		{ "proc.cwd", "/work/" },
		{ "proc.pid", "50" },
		{ "proc.ppid", "40" },
		{ "proc.vpid", "50" },
		{ "proc.pvpid", "40" },
		{ "proc.sid", "30" },
		{ "proc.pgid", "40" },
		{ "proc.vpgid", "40" },
		{ "proc.is_sid_leader", "false" },
		{ "proc.is_pgid_leader", "false" },
		{ "proc.is_vpgid_leader", "false" },
		{ "proc.tty", "0" },
		{ "proc.duration", "50000000000" },
		{ "proc.ppid.duration", "60000000000" },
		{ "proc.pid.ts", "1700000050000000000" },
		{ "proc.ppid.ts", "1700000040000000000" },
		{ "proc.is_exe_writable", "true" },
		{ "proc.is_exe_upper_layer", "true" },
		{ "proc.is_exe_lower_layer", "false" },
		{ "proc.is_exe_from_memfd", "false" },
		{ "proc.exe_ino", "4711" },
		{ "proc.exe_ino.ctime", "1700000003000000000" },
		{ "proc.exe_ino.mtime", "1700000002000000000" },
		{ "proc.exe_ino.ctime_duration_proc_start", "47000000000" },
		{ "proc.exe_ino.ctime_duration_pidns_start", "<absent>" },
		{ "proc.vmrss", "2048" },
		{ "proc.vmsize", "<absent>" },
		{ "thread.tid", "50" },
		{ "thread.ismain", "true" },
		{ NULL, NULL },
	};

	fixture_expect(&fixture, "cat", cases);
}

Test(fields_proc, ancestors)
{
	static const struct fixture_case cases[] = {
		{ "proc.pname", "sh" },
		{ "proc.pexe", "/bin/sh" },
		{ "proc.pexepath", "/usr/bin/dash" },
		{ "proc.pcmdline", "sh -c cat /etc/shadow" },
		{ "proc.aname", "sh | bash | sshd | systemd" },
		{ "proc.aname[0]", "cat" },
		{ "proc.aname[1]", "sh" },
		{ "proc.aname[4]", "systemd" },
		{ "proc.aname[5]", "<absent>" },
		{ "proc.aname[999999999]", "<absent>" },
		{ "proc.aexe", "/bin/sh | -bash | sshd: alice | /sbin/init" },
		{ "proc.aexe[2]", "-bash" },
		{ "proc.aexepath",
		  "/usr/bin/dash | /usr/bin/bash | /usr/sbin/sshd | /usr/lib/systemd/systemd" },
		{ "proc.aexepath[3]", "/usr/sbin/sshd" },
		{ "proc.acmdline", "sh -c cat /etc/shadow | bash | sshd -D | systemd" },
		{ "proc.acmdline[3]", "sshd -D" },
		{ "proc.aargs", "-c cat /etc/shadow -D" },
		{ "proc.aargs[1]", "-c cat /etc/shadow" },
		{ "proc.apid", "40 | 30 | 20 | 1" },
		{ "proc.apid[0]", "50" },
		{ "proc.apid[2]", "30" },
		{ "proc.apid[9]", "<absent>" },
		{ "proc.aenv", "PATH=/bin | PATH=/bin EMPTY= | SSH_CONNECTION=1.2.3.4 5 EMPTY=" },
		{ "proc.aenv[1]", "PATH=/bin" },
		{ "proc.aenv[SSH_CONNECTION]", "1.2.3.4 5" },
		/* pid 1's environment was not read: unset is not known. */
		{ "proc.aenv[NOPE]", "<absent>" },
		/* The shells above each other are sh and bash; cat is none. */
		{ "proc.loginshellid", "30" },
		{ "proc.sname", "bash" },
		{ "proc.sid.exe", "-bash" },
		{ "proc.sid.exepath", "/usr/bin/bash" },
		{ "proc.pgid.name", "sh" },
		{ "proc.vpgid.name", "sh" },
		{ "proc.vpgid.exepath", "/usr/bin/dash" },
		{ NULL, NULL },
	};

	fixture_expect(&fixture, "ancestors", cases);
}

/* The leader itself, one that has gone, and a session of nobody known. */
Test(fields_proc, leaders)
{
	struct fixture_program orphan = {
		.pid = 60, .parent_pid = 40, .comm = "x", .session_id = 60, .group_id = 777
	};

	fixture_begin(&fixture, EVENT_OPENAT, &orphan);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.sname"), "x");
	cr_expect_str_eq(fixture_read(&fixture, "proc.is_sid_leader"), "true");
	cr_expect_str_eq(fixture_read(&fixture, "proc.pgid.name"), "");
	cr_expect_str_eq(fixture_read(&fixture, "proc.pgid.exepath"), "");

	/* bash, the leader of session 30, ends; sh stays its eldest known member. */
	fixture_begin(&fixture, EVENT_PROCEXIT, &bash);
	fixture_event(&fixture);
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.sname"), "bash");
}

/* A thread's own name; a name of 16 bytes without a NUL cannot be, but a hostile one can. */
Test(fields_proc, names)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	memcpy(fixture.record.header->comm, "0123456789abcdef", 16);
	fixture.record.header->tid = 51;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.name"), "0123456789abcdef");
	cr_expect_str_eq(fixture_read(&fixture, "thread.ismain"), "false");
	cr_expect_str_eq(fixture_read(&fixture, "proc.aname[0]"), "0123456789abcdef");
}

/* A process that was never seen: what the header says, and its parent by the header's word. */
Test(fields_proc, unknown_process)
{
	static const struct fixture_program stranger = { .pid = 77,
							 .parent_pid = 40,
							 .comm = "str" };
	static const struct fixture_case cases[] = {
		{ "proc.name", "str" },
		{ "proc.exe", "<absent>" },
		{ "proc.exepath", "<absent>" },
		{ "proc.args", "<absent>" },
		{ "proc.args[0]", "<absent>" },
		{ "proc.cmdline", "<absent>" },
		{ "proc.env[PATH]", "<absent>" },
		{ "proc.cwd", "<absent>" },
		{ "proc.is_exe_upper_layer", "<absent>" },
		{ "proc.exe_ino", "<absent>" },
		{ "proc.cmdnargs", "<absent>" },
		{ "proc.pname", "sh" },
		{ "proc.aname[2]", "bash" },
		{ "proc.aname", "sh | bash | sshd | systemd" },
		{ "proc.apid", "40 | 30 | 20 | 1" },
		{ NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_OPENAT, &stranger);
	cr_assert_eq(record_decode(&fixture.record, &fixture.event), 0);
	fixture.event.proc = NULL;
	fixture.event.image = NULL;
	fixture_expect(&fixture, "stranger", cases);
	fixture.record.header->parent_pid = 4711;
	cr_assert_eq(record_decode(&fixture.record, &fixture.event), 0);
	cr_expect_str_eq(fixture_read(&fixture, "proc.pname"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "proc.aname"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "proc.aargs"), "<absent>");
}

/* A cut vector: what is behind the cut is not known, and so not empty. */
Test(fields_proc, cut_arguments)
{
	struct fixture_program long_one = cat;

	long_one.pid = 61;
	long_one.cut_args = 1;
	fixture_run(&fixture, &long_one);
	cr_expect_str_eq(fixture_read(&fixture, "proc.args[0]"), "/etc/shadow");
	cr_expect_str_eq(fixture_read(&fixture, "proc.args[9]"), "<absent>");
}

/* A script is not a reading of its interpreter's path. */
Test(fields_proc, script)
{
	fixture_begin(&fixture, EVENT_EXECVE, &cat);
	fixture.record.header->exec_id = 3;
	record_put_path(&fixture.record, "trusted_exepath", "/usr/bin/dash");
	record_put_text(&fixture.record, "filename", "/tmp/x.sh");
	record_put_text(&fixture.record, "interp", "/bin/sh");
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.exepath"), "/usr/bin/dash");
	cr_expect_str_eq(fixture_read(&fixture, "evt.arg.filename"), "/tmp/x.sh");
}

/* A relative name says where the process is now. */
Test(fields_proc, working_directory)
{
	static const struct {
		const char *directory;
		int64_t dirfd;
		const char *want;
	} cases[] = {
		{ "/tmp/x", AT_FDCWD, "/tmp/x/" },
		{ "/", AT_FDCWD, "/" },
		{ "/tmp/x", 5, "/work/" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_begin(&fixture, EVENT_OPENAT, &cat);
		record_put_number(&fixture.record, "dirfd", cases[i].dirfd);
		record_put_text(&fixture.record, "name", "a");
		record_put_path(&fixture.record, "dirpath", cases[i].directory);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "proc.cwd"), cases[i].want, "%zu", i);
	}
}

Test(fields_proc, credentials)
{
	static const struct fixture_case known[] = {
		{ "user.uid", "1000" },
		{ "user.name", "alice" },
		{ "user.homedir", "/home/alice" },
		{ "user.shell", "/bin/sh" },
		{ "user.loginuid", "-1" },
		{ "user.loginname", "<NA>" },
		{ "group.gid", "50" },
		{ "group.name", "staff" },
		{ NULL, NULL },
	};
	static const struct fixture_case unknown[] = {
		{ "user.uid", "4242" },	      { "user.name", "<NA>" },
		{ "user.homedir", "<NA>" },   { "user.loginuid", "0" },
		{ "user.loginname", "root" }, { "group.name", "<NA>" },
		{ "group.gid", "4242" },      { NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->uid = 0; /* the effective one counts */
	fixture.record.header->euid = 1000;
	fixture.record.header->egid = 50;
	fixture_event(&fixture);
	fixture_expect(&fixture, "alice", known);
	fixture.record.header->euid = fixture.record.header->egid = 4242;
	fixture.record.header->loginuid = 0;
	fixture_event(&fixture);
	fixture_expect(&fixture, "a stranger", unknown);
	/* Without any names uid 0 is still root. */
	fixture.context.users = NULL;
	fixture.record.header->euid = 0;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "user.name"), "root");
}

Test(fields_proc, capabilities)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->cap_effective = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_CHOWN;
	fixture.record.header->cap_permitted = 1ULL << CAP_BPF | 1ULL << 63;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "thread.cap_effective"), "CAP_CHOWN CAP_SYS_ADMIN");
	cr_expect_str_eq(fixture_read(&fixture, "thread.cap_permitted"), "CAP_BPF CAP_63");
	cr_expect_str_eq(fixture_read(&fixture, "thread.cap_inheritable"), "");
	fixture.record.header->cap_effective = UINT64_MAX;
	fixture_event(&fixture);
	cr_expect(strstr(fixture_read(&fixture, "thread.cap_effective"), "CAP_CHECKPOINT_RESTORE"));
}

Test(fields_proc, no_start_time)
{
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->start_ns = 0;
	fixture.record.header->parent_start_ns = 0;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.duration"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "proc.pid.ts"), "<absent>");
	cr_expect_str_eq(fixture_read(&fixture, "proc.ppid.duration"), "<absent>");
	/* A record from another CPU may be a little older than the process that it made. */
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture.record.header->time_ns = 1;
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "proc.duration"), "0");
}
