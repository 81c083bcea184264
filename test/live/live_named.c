/*
 * What a name leads to in calls that give nothing back (probes/bpf/named.bpf.c): through a symbolic
 * link to a directory, the path in the record is the real one, also on failure; and what is not
 * known stays absent. On a kernel without the hooks all of it is absent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "live.h"
#include "probes_private.h"

#include <bpf/btf.h>

#define TEXT(x) ((uint64_t)(uintptr_t)(x))
#define CWD	((uint64_t)AT_FDCWD)

/* `way` is a link to `sub`, `soft` one to `sub/file`. */
/* clang-format off */
static const struct {
	const char *name;
	long nr;
	uint64_t arguments[5];
	int error;
	/* Parameter and path below the working directory; NULL: absent. */
	struct {
		const char *param, *path;
	} wants[2];
} cases[] = {
	{ "mkdirat", SYS_mkdirat, { CWD, TEXT("way/made"), 0755 }, 0, { { "object", "sub/made" } } },
	{ "mkdirat: with a slash", SYS_mkdirat, { CWD, TEXT("way/more//"), 0755 }, 0, { { "object", "sub/more" } } },
	{ "mkdirat: no directory", SYS_mkdirat, { CWD, TEXT("none/x"), 0755 }, ENOENT, { { "object", NULL } } },
	{ "mknodat", SYS_mknodat, { CWD, TEXT("way/fifo"), S_IFIFO | 0600, 0 }, 0, { { "object", "sub/fifo" } } },
	/* openat made a file: it passes the hook of mknodat. */
	{ "openat", SYS_openat, { CWD, TEXT("way/created"), O_CREAT | O_WRONLY, 0600 }, 0, { { NULL } } },
	{ "mknodat: after another call", SYS_mknodat, { CWD, TEXT("none/x"), S_IFIFO, 0 }, ENOENT, { { "object", NULL } } },
	{ "symlinkat", SYS_symlinkat, { TEXT("to"), CWD, TEXT("way/link") }, 0, { { "linkobject", "sub/link" } } },
	{ "linkat", SYS_linkat, { CWD, TEXT("soft"), CWD, TEXT("way/second"), AT_SYMLINK_FOLLOW }, 0,
	  { { "oldobject", "sub/file" }, { "newobject", "sub/second" } } },
	{ "renameat2", SYS_renameat2, { CWD, TEXT("way/second"), CWD, TEXT("way/made/third"), 0 }, 0,
	  { { "oldobject", "sub/second" }, { "newobject", "sub/made/third" } } },
	{ "renameat: none", SYS_renameat, { CWD, TEXT("way/none"), CWD, TEXT("way/x") }, ENOENT,
	  { { "oldobject", NULL }, { "newobject", NULL } } },
	{ "fchmodat", SYS_fchmodat, { CWD, TEXT("soft"), 0640 }, 0, { { "object", "sub/file" } } },
	/* fchmod passes the hook of fchmodat. */
	{ "fchmod", SYS_fchmod, { 0 }, EBADF, { { NULL } } },
	{ "fchmodat: none", SYS_fchmodat, { CWD, TEXT("none"), 0640 }, ENOENT, { { "object", NULL } } },
	{ "fchownat", SYS_fchownat, { CWD, TEXT("soft"), 0, 0, 0 }, 0, { { "object", "sub/file" } } },
	{ "fchownat: the link", SYS_fchownat, { CWD, TEXT("way/../soft"), 0, 0, AT_SYMLINK_NOFOLLOW }, 0, { { "object", "soft" } } },
	{ "truncate", SYS_truncate, { TEXT("soft"), 3 }, 0, { { "object", "sub/file" } } },
	{ "unlinkat: full", SYS_unlinkat, { CWD, TEXT("way/made"), AT_REMOVEDIR }, ENOTEMPTY, { { "object", "sub/made" } } },
	{ "unlinkat", SYS_unlinkat, { CWD, TEXT("way/made/third"), 0 }, 0, { { "object", "sub/made/third" } } },
	{ "unlinkat: a directory", SYS_unlinkat, { CWD, TEXT("way/made"), AT_REMOVEDIR }, 0, { { "object", "sub/made" } } },
	{ "unlinkat: the link itself", SYS_unlinkat, { CWD, TEXT("way"), 0 }, 0, { { "object", "way" } } },
	{ "unlinkat: no memory", SYS_unlinkat, { CWD, 8, 0 }, EFAULT, { { "object", NULL } } },
};
/* clang-format on */

struct named_notes {
	char cwd[256];
	int64_t results[ARRAY_LEN(cases)];
};

static const char *const named_calls[] = { "mkdirat", "mknodat",   "openat",   "symlinkat",
					   "linkat",  "renameat2", "renameat", "fchmodat",
					   "fchmod",  "fchownat",  "truncate", "unlinkat",
					   NULL };

static void named_prepare(void *data)
{
	struct named_notes *notes = data;

	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	ACTOR_CHECK(mkdir("sub", 0755) == 0 && symlink("sub", "way") == 0);
	close(open("sub/file", O_CREAT | O_WRONLY, 0600));
	ACTOR_CHECK(symlink("sub/file", "soft") == 0);
	close(0);
}

static void named_act(void *data)
{
	struct named_notes *notes = data;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint64_t *a = cases[i].arguments;
		long result;

		live_mark(i);
		result = syscall(cases[i].nr, a[0], a[1], a[2], a[3], a[4]);
		notes->results[i] = result < 0 ? -errno : result;
		live_mark(LIVE_NO_MARK);
		if (cases[i].nr == SYS_openat)
			close((int)result);
	}
}

static int find_param(const struct event *event, const char *name)
{
	for (uint32_t i = 0; i < event->schema->param_cnt; i++)
		if (strcmp(event->schema->params[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void check_want(struct live *live, size_t i, unsigned n, const struct host_types *types)
{
	const struct named_notes *notes = live->shared;
	const struct event *event = live_marked(live, i, EVENT_CODE_NEVER);
	const char *path = cases[i].wants[n].path, *name = cases[i].name;
	int param = find_param(event, cases[i].wants[n].param);
	char whole[300];

	cr_assert_geq(param, 0, "%s", name);
	snprintf(whole, sizeof(whole), "%s/%s", notes->cwd, path ? path : "");
	if (path && name_hooks_possible(types, event->header->type))
		expect_kpath(event, (unsigned)param, whole, name);
	else
		expect_absent(event, (unsigned)param, name);
}

Test(live_named, the_path_that_the_kernel_found, .timeout = 300)
{
	struct host_types *types = host_types_read();
	const struct named_notes *notes;
	struct live live;

	live_run(&live,
		 &(struct live_options){ .syscalls = named_calls,
					 .prepare = named_prepare,
					 .shared_bytes = sizeof(struct named_notes) },
		 named_act);
	notes = live.shared;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect_eq(notes->results[i] < 0 ? -notes->results[i] : 0, cases[i].error,
			     "%s: the call gave %lld", cases[i].name, (long long)notes->results[i]);
		cr_expect_eq(live_count_marked(&live, i, EVENT_CODE_NEVER), 1, "%s", cases[i].name);
		for (unsigned n = 0; n < 2 && cases[i].wants[n].param; n++)
			check_want(&live, i, n, types);
	}
	host_types_free(types);
	live_done(&live);
}
