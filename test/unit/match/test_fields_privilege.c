/*
 * evt.is_privilege_gain, the parameters behind it, and numbers of another pid namespace.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static const struct fixture_program cat = {
	.pid = 42, .parent_pid = 1, .comm = "cat", .exe = "cat", .exepath = "/bin/cat"
};
#define CAPABILITY(number) (1ULL << (number))
#define INITIAL_PID_NS	   0xeffffffc

static void setup(void)
{
	fixture_init(&fixture);
	fixture_run(&fixture, &cat);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(fields_privilege, .init = setup, .fini = teardown);

Test(fields_privilege, gain)
{
	static const struct {
		const char *name;
		enum event_type type;
		int64_t result;
		bool has_before;
		uint32_t euid_before, euid;
		uint64_t cap_before, cap;
		const char *want;
	} cases[] = {
		{ "to root", EVENT_SETUID, 0, true, 1000, 0, 0, 0, "true" },
		{ "root stays", EVENT_SETUID, 0, true, 0, 0, 3, 3, "false" },
		{ "from root", EVENT_SETRESUID, 0, true, 0, 1000, 3, 0, "false" },
		{ "to another user", EVENT_SETREUID, 0, true, 1000, 1001, 0, 0, "false" },
		{ "a capability", EVENT_CAPSET, 0, true, 1000, 1000, CAPABILITY(CAP_CHOWN),
		  CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_SYS_ADMIN), "true" },
		{ "one for another", EVENT_CAPSET, 0, true, 1000, 1000, CAPABILITY(CAP_CHOWN),
		  CAPABILITY(CAP_KILL), "true" },
		{ "fewer", EVENT_CAPSET, 0, true, 0, 0, 3, 1, "false" },
		{ "a user namespace", EVENT_UNSHARE, 0, true, 1000, 1000, 0, ~0ull, "true" },
		{ "a setuid program", EVENT_EXECVE, 0, true, 1000, 0, 0, ~0ull, "true" },
		{ "failed", EVENT_SETUID, -EPERM, true, 1000, 1000, 0, 0, "false" },
		{ "failed, unknown", EVENT_EXECVE, -EPERM, false, 0, 0, 0, 0, "false" },
		{ "unknown", EVENT_SETUID, 0, false, 0, 0, 0, 0, "<absent>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_begin(&fixture, cases[i].type, &cat);
		fixture.record.header->result = cases[i].result;
		fixture.record.header->euid = cases[i].euid;
		fixture.record.header->cap_effective = cases[i].cap;
		if (cases[i].has_before) {
			record_put_number(&fixture.record, "euid_before", cases[i].euid_before);
			record_put_number(&fixture.record, "cap_effective_before",
					  (int64_t)cases[i].cap_before);
		}
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "evt.is_privilege_gain"), cases[i].want,
				 "%s", cases[i].name);
	}
	fixture_begin(&fixture, EVENT_OPENAT, &cat);
	fixture_event(&fixture);
	cr_expect_str_eq(fixture_read(&fixture, "evt.is_privilege_gain"), "<absent>");
}

/* The event's own header is what the thread is after the call. */
Test(fields_privilege, users_after_the_call)
{
	static const struct fixture_case wants[] = {
		{ "user.uid", "1000" },
		{ "user.name", "alice" },
		{ "group.gid", "50" },
		{ "group.name", "staff" },
		{ "evt.arg.ruid", "root" },
		{ "evt.arg.euid", "alice" },
		{ "evt.arg.suid", "<NONE>" },
		{ "evt.rawarg.suid", "4294967295" },
		{ "evt.arg.euid_before", "root" },
		{ "evt.arg.cap_effective_before", "3" },
		{ "evt.arg.gid_before", "<NA>" },
		{ "thread.cap_effective", "CAP_DAC_OVERRIDE" },
		{ NULL, NULL },
	};

	fixture_begin(&fixture, EVENT_SETRESUID, &cat);
	fixture.record.header->euid = 1000;
	fixture.record.header->egid = 50;
	fixture.record.header->cap_effective = CAPABILITY(CAP_DAC_OVERRIDE);
	record_put_number(&fixture.record, "ruid", 0);
	record_put_number(&fixture.record, "euid", 1000);
	record_put_number(&fixture.record, "suid", UINT32_MAX);
	record_put_number(&fixture.record, "euid_before", 0);
	record_put_number(&fixture.record, "cap_effective_before", 3);
	fixture_event(&fixture);
	fixture_expect(&fixture, "setresuid", wants);
}

/* kill(2)'s number is the caller's: 42 is cat outside, and anything inside of a container. */
Test(fields_privilege, pids_of_a_namespace)
{
	static const struct {
		uint32_t pid_ns, ns_pid;
		int64_t pid;
		const char *want;
	} cases[] = {
		{ INITIAL_PID_NS, 42, 42, "cat" },  { INITIAL_PID_NS, 42, 43, "43" },
		{ INITIAL_PID_NS, 42, -42, "-42" }, { 4026532000u, 7, 42, "42" },
		{ 4026532000u, 7, 7, "cat" },	    { 4026532000u, 7, 0, "0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_begin(&fixture, EVENT_KILL, &cat);
		fixture.record.header->pid_ns = cases[i].pid_ns;
		fixture.record.header->ns_pid = cases[i].ns_pid;
		record_put_number(&fixture.record, "pid", cases[i].pid);
		record_put_number(&fixture.record, "sig", 9);
		fixture_event(&fixture);
		cr_expect_str_eq(fixture_read(&fixture, "evt.arg.pid"), cases[i].want, "%zu", i);
		cr_expect_str_eq(fixture_read(&fixture, "evt.arg.sig"), "SIGKILL");
		cr_expect_str_eq(fixture_read(&fixture, "evt.category"), "signal");
	}
}
