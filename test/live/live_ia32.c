/*
 * ia32's calls through int 0x80: the same parameters as the 64-bit ones, where structs are
 * narrower, ids have 16 bits, or an argument does not exist. Calls that change something are made
 * to fail or to change nothing.
 */
#include "rows.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define HALF	   0x50000 /* what a 16-bit id leaves out of its register */
#define BEFORE                                                                                 \
	" uid_before=%0 euid_before=%1 gid_before=%2 egid_before=%3 cap_inheritable_before=%4" \
	" cap_permitted_before=%5 cap_effective_before=%6"

static struct {
	uint32_t soft, hard;
} limit = { 1, UINT32_MAX };
static uint16_t groups[4] = { 1, 2, 3, 4 };
static char name[16];

/* clang-format off */
static const struct row rows[] = {
#ifdef __x86_64__
	{ "setuid16", SYS_setuid, { HALF }, false, "res=0 uid=0" BEFORE, 23 },
	{ "setuid", SYS_setuid, { 0xffffffff }, true, "res=%r uid=4294967295(<NONE>)" BEFORE, 213 },
	{ "setgid16", SYS_setgid, { HALF | 0xffff }, true, "res=%r gid=4294967295(<NONE>)" BEFORE, 46 },
	{ "setreuid16", SYS_setreuid, { 0xffff, HALF }, false, "res=0 ruid=4294967295(<NONE>) euid=0" BEFORE, 70 },
	{ "setregid16", SYS_setregid, { HALF, 0xffff }, false, "res=0 rgid=0 egid=4294967295(<NONE>)" BEFORE, 71 },
	{ "setresuid16", SYS_setresuid, { 0xffff, HALF, 0xffff }, false,
	  "res=0 ruid=4294967295(<NONE>) euid=0 suid=4294967295(<NONE>)" BEFORE, 164 },
	{ "setresgid", SYS_setresgid, { 0xffffffff, 0, 0 }, false,
	  "res=0 rgid=4294967295(<NONE>) egid=0 sgid=0" BEFORE, 210 },
	{ "setfsuid16", SYS_setfsuid, { HALF }, false, "res=0 fsuid=0" BEFORE, 138 },
	{ "setgroups16", SYS_setgroups, { 70000, ADDRESS(groups) }, true, "res=%r size=70000 gid=<NA>", 81 },
	{ "capset", SYS_capset, { 0, 0 }, true, "res=%r cap_inheritable=%4 cap_permitted=%5 cap_effective=%6" BEFORE, 185 },
	{ "chroot", SYS_chroot, { ADDRESS("/nowhere") }, true, "res=%r path=/nowhere dirpath=<NA> root=*", 61 },
	{ "mount", SYS_mount, { ADDRESS("x"), ADDRESS("/nowhere"), ADDRESS("tmpfs"), MS_BIND, 0 }, true,
	  "res=%r dev=x dir=/nowhere type=tmpfs flags=4096(BIND) dirpath=<NA>", 21 },
	{ "oldumount", SYS_umount2, { ADDRESS("/nowhere"), 7 }, true, "res=%r name=/nowhere flags=0 dirpath=<NA>", 22 },
	{ "umount2", SYS_umount2, { ADDRESS("/nowhere"), 8 }, true, "res=%r name=/nowhere flags=8(NOFOLLOW) dirpath=<NA>", 52 },
	{ "unshare", SYS_unshare, { 1 }, true, "res=%r flags=0" BEFORE, 310 },
	{ "setns", SYS_setns, { 999, 0 }, true,
	  "res=%r fd=999 nstype=0" BEFORE " path=<NA> dev=<NA> ino=<NA> file_mode=<NA> pid=<NA>", 346 },
	{ "kill", SYS_kill, { 0xfffffff0, 99 }, true, "res=%r pid=-16 sig=99", 37 },
	{ "prctl", SYS_prctl, { PR_GET_NAME, ADDRESS(name), 0, 0, 0 }, false,
	  "res=0 option=16(PR_GET_NAME) arg2_str=%7 arg2_int=<NA> arg3=0 arg4=0 arg5=0", 172 },
	{ "ptrace", SYS_ptrace, { 1, 0xffffffff, 0x80000000, 2 }, true,
	  "res=%r addr=80000000 data=2 request=2(PTRACE_PEEKTEXT) pid=-1", 26 },
	{ "setrlimit", SYS_setrlimit, { 4, ADDRESS(&limit) }, false, "res=0 cur=1 max=-1 resource=4(RLIMIT_CORE)", 75 },
	{ "chown16", SYS_chown, { ADDRESS("/nowhere"), HALF, 0xffff }, true,
	  "res=%r path=/nowhere uid=0 gid=-1 dirpath=<NA> object=<NA>", 182 },
#endif
	{ "setpgid", SYS_setpgid, { (uint64_t)-1, 0 }, true, "res=%r pid=-1 pgid=0" },
};
/* clang-format on */

static void prepare(void)
{
	char own[16] = "";
	struct facts facts;

	facts_read(&facts);
	rows_note(0, "%u", facts.uid);
	rows_note(1, "%u", facts.euid);
	rows_note(2, "%u", facts.gid);
	rows_note(3, "%u", facts.egid);
	rows_note(4, "%llX", (unsigned long long)facts.cap_inheritable);
	rows_note(5, "%llX", (unsigned long long)facts.cap_permitted);
	rows_note(6, "%llX", (unsigned long long)facts.cap_effective);
	ACTOR_CHECK(prctl(PR_GET_NAME, own) == 0);
	rows_note(7, "%s", own);
}

Test(live_ia32, parameters_of_narrow_calls, .timeout = 300)
{
	rows_run(rows, ARRAY_LEN(rows), prepare);
}
