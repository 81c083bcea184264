/*
 * Operations of io_uring are the events that they stand for, in the name of the process that
 * submitted them: through io_uring_enter, through a submission thread, and on a worker.
 */
#include "ring.h"
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "haetae/text.h"

#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define DIRECTORY  80 /* a descriptor of sub/ */
#define LIMIT	   8192

static const char *const uring_calls[] = { "openat",	"openat2",   "unlinkat", "mkdirat",
					   "renameat2", "symlinkat", "linkat",	 NULL };

static const struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };

/* clang-format off */
static const struct {
	const char *name;
	unsigned code;
	struct io_uring_sqe entry;
	int error;
	const char *args; /* as evt.args; %d the directory, %r the result, * anything up to what follows */
} cases[] = {
	{ "openat", EVENT_OPENAT,
	  { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = ADDRESS("file"), .open_flags = O_RDONLY }, 0,
	  "fd=%r(<f>%d/file) dirfd=-100(AT_FDCWD) name=file(%d/file) flags=* mode=0 dev=* ino=* file_bits=* file_mode=* path=%d/file dirpath=%d" },
	{ "openat: beside a directory", EVENT_OPENAT,
	  { .opcode = IORING_OP_OPENAT, .fd = DIRECTORY, .addr = ADDRESS("../link"), .open_flags = O_WRONLY }, 0,
	  "fd=%r(<f>%d/file) dirfd=80(<d>%d/sub) name=../link(%d/link) flags=* mode=0 dev=* ino=* file_bits=* file_mode=* path=%d/file dirpath=%d/sub" },
	{ "openat: none", EVENT_OPENAT,
	  { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = ADDRESS("/nowhere/none"), .open_flags = O_RDONLY }, ENOENT,
	  "fd=%r dirfd=-100(AT_FDCWD) name=/nowhere/none flags=* mode=0 dev=<NA> ino=<NA> file_bits=<NA> file_mode=<NA> path=<NA> dirpath=<NA>" },
	{ "openat: no completion", EVENT_OPENAT,
	  { .opcode = IORING_OP_OPENAT, .flags = IOSQE_CQE_SKIP_SUCCESS, .fd = AT_FDCWD, .addr = ADDRESS("file"), .open_flags = O_RDONLY }, 0,
	  "fd=* dirfd=-100(AT_FDCWD) name=file(%d/file) flags=* mode=0 dev=* ino=* file_bits=* file_mode=* path=* dirpath=%d" },
	{ "openat: on a worker", EVENT_OPENAT,
	  { .opcode = IORING_OP_OPENAT, .flags = IOSQE_ASYNC, .fd = AT_FDCWD, .addr = ADDRESS("sub/inner"), .open_flags = O_RDONLY }, 0,
	  "fd=%r(<f>%d/sub/inner) dirfd=-100(AT_FDCWD) name=sub/inner(%d/sub/inner) flags=* mode=0 dev=* ino=* file_bits=* file_mode=* path=%d/sub/inner dirpath=%d" },
	{ "openat2", EVENT_OPENAT2,
	  { .opcode = IORING_OP_OPENAT2, .fd = DIRECTORY, .addr = ADDRESS("inner"), .len = sizeof(how), .off = ADDRESS(&how) }, 0,
	  "fd=%r(<f>%d/sub/inner) dirfd=80(<d>%d/sub) name=inner(%d/sub/inner) flags=* mode=0 resolve=*(RESOLVE_BENEATH) dev=* ino=* file_bits=* file_mode=* path=%d/sub/inner dirpath=%d/sub" },
	{ "mkdirat", EVENT_MKDIRAT,
	  { .opcode = IORING_OP_MKDIRAT, .fd = DIRECTORY, .addr = ADDRESS("new"), .len = 0750 }, 0,
	  "res=0 dirfd=80(<d>%d/sub) path=new(%d/sub/new) mode=1E8 dirpath=%d/sub object=<NA>" },
	{ "mkdirat: exists", EVENT_MKDIRAT,
	  { .opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = ADDRESS("sub"), .len = 0700 }, EEXIST,
	  "res=%r dirfd=-100(AT_FDCWD) path=sub(%d/sub) mode=1C0 dirpath=%d object=<NA>" },
	{ "symlinkat", EVENT_SYMLINKAT,
	  { .opcode = IORING_OP_SYMLINKAT, .fd = DIRECTORY, .addr = ADDRESS("/etc/x"), .off = ADDRESS("made") }, 0,
	  "res=0 target=/etc/x linkdirfd=80(<d>%d/sub) linkpath=made(%d/sub/made) linkdirpath=%d/sub linkobject=<NA>" },
	{ "symlinkat: exists", EVENT_SYMLINKAT,
	  { .opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD, .addr = ADDRESS("y"), .off = ADDRESS("sub") }, EEXIST,
	  "res=%r target=y linkdirfd=-100(AT_FDCWD) linkpath=sub(%d/sub) linkdirpath=%d linkobject=<NA>" },
	{ "linkat", EVENT_LINKAT,
	  { .opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .addr = ADDRESS("file"), .len = DIRECTORY, .off = ADDRESS("hard") }, 0,
	  "res=0 olddir=-100(AT_FDCWD) oldpath=file(%d/file) newdir=80(<d>%d/sub) newpath=hard(%d/sub/hard) flags=0 olddirpath=%d newdirpath=%d/sub oldobject=<NA> newobject=<NA>" },
	{ "linkat: none", EVENT_LINKAT,
	  { .opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .addr = ADDRESS("/none"), .len = (uint32_t)AT_FDCWD, .off = ADDRESS("/b"), .hardlink_flags = AT_SYMLINK_FOLLOW }, ENOENT,
	  "res=%r olddir=-100(AT_FDCWD) oldpath=/none newdir=-100(AT_FDCWD) newpath=/b flags=*(AT_SYMLINK_FOLLOW) olddirpath=<NA> newdirpath=<NA> oldobject=<NA> newobject=<NA>" },
	{ "renameat", EVENT_RENAMEAT2,
	  { .opcode = IORING_OP_RENAMEAT, .fd = DIRECTORY, .addr = ADDRESS("hard"), .len = (uint32_t)AT_FDCWD, .off = ADDRESS("moved"), .rename_flags = 1 }, 0,
	  "res=0 olddirfd=80(<d>%d/sub) oldpath=hard(%d/sub/hard) newdirfd=-100(AT_FDCWD) newpath=moved(%d/moved) flags=1(RENAME_NOREPLACE) olddirpath=%d/sub newdirpath=%d oldobject=<NA> newobject=<NA>" },
	{ "renameat: none", EVENT_RENAMEAT2,
	  { .opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .addr = ADDRESS("none"), .len = (uint32_t)AT_FDCWD, .off = ADDRESS("x") }, ENOENT,
	  "res=%r olddirfd=-100(AT_FDCWD) oldpath=none(%d/none) newdirfd=-100(AT_FDCWD) newpath=x(%d/x) flags=0 olddirpath=%d newdirpath=%d oldobject=<NA> newobject=<NA>" },
	{ "unlinkat", EVENT_UNLINKAT,
	  { .opcode = IORING_OP_UNLINKAT, .fd = DIRECTORY, .addr = ADDRESS("new"), .unlink_flags = AT_REMOVEDIR }, 0,
	  "res=0 dirfd=80(<d>%d/sub) name=new(%d/sub/new) flags=*(AT_REMOVEDIR) dirpath=%d/sub object=<NA>" },
	{ "unlinkat: none", EVENT_UNLINKAT,
	  { .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = ADDRESS("none") }, ENOENT,
	  "res=%r dirfd=-100(AT_FDCWD) name=none(%d/none) flags=0 dirpath=%d object=<NA>" },
	{ "unlinkat: no completion", EVENT_UNLINKAT,
	  { .opcode = IORING_OP_UNLINKAT, .flags = IOSQE_CQE_SKIP_SUCCESS, .fd = DIRECTORY, .addr = ADDRESS("made") }, 0,
	  "res=0 dirfd=80(<d>%d/sub) name=made(%d/sub/made) flags=0 dirpath=%d/sub object=<NA>" },
};
/* clang-format on */

struct uring_notes {
	struct facts facts;
	char directory[256];
	int results[ARRAY_LEN(cases)];
	bool has_ring;
};

static unsigned current_flags;

static void uring_prepare(void *data)
{
	struct uring_notes *notes = data;
	int fd;

	facts_read(&notes->facts);
	ACTOR_CHECK(getcwd(notes->directory, sizeof(notes->directory)));
	ACTOR_CHECK(mkdir("sub", 0755) == 0 && symlink("file", "link") == 0);
	close(open("file", O_CREAT | O_WRONLY, 0600));
	close(open("sub/inner", O_CREAT | O_WRONLY, 0600));
	fd = open("sub", O_PATH);
	ACTOR_CHECK(fd >= 0 && dup2(fd, DIRECTORY) == DIRECTORY);
	close(fd);
}

static void uring_act(void *data)
{
	struct uring_notes *notes = data;
	struct ring ring;

	notes->has_ring = ring_make(&ring, current_flags);
	for (size_t i = 0; notes->has_ring && i < ARRAY_LEN(cases); i++) {
		live_mark(i);
		notes->results[i] = ring_run(&ring, &cases[i].entry);
		live_mark(LIVE_NO_MARK);
	}
	if (notes->has_ring)
		ring_end(&ring);
}

static void expand(const struct uring_notes *notes, size_t i, struct buf *out)
{
	for (const char *p = cases[i].args; *p; p++) {
		int result = notes->results[i];

		if (*p != '%')
			buf_putc(out, *p);
		else if (*++p == 'd')
			buf_puts(out, notes->directory);
		else if (result < 0)
			buf_printf(out, "%d(%s)", result, strerrorname_np(-result));
		else
			buf_put_s64(out, result);
	}
}

/* By all that it says: a record whose completion was never seen comes late. */
static const struct event *find(struct live *live, size_t i)
{
	const struct uring_notes *notes = live->shared;
	_cleanup_(buf_done) struct buf want;

	buf_init(&want, LIMIT);
	expand(notes, i, &want);
	for (uint32_t n = 0; n < live->event_cnt; n++) {
		_cleanup_(buf_done) struct buf got;

		buf_init(&got, LIMIT);
		event_args_format(live->events[n], &got);
		if (live->events[n]->code == cases[i].code && text_is_like(got.p, want.p))
			return live->events[n];
	}
	cr_expect_fail("%s: nothing is\n %s", cases[i].name, want.p);
	return NULL;
}

static void run(unsigned setup_flags)
{
	const struct uring_notes *notes;
	unsigned cnt = 0;
	struct live live;

	live_require_uring();
	current_flags = setup_flags;
	live_run(&live,
		 &(struct live_options){ .syscalls = uring_calls,
					 .prepare = uring_prepare,
					 .shared_bytes = sizeof(struct uring_notes) },
		 uring_act);
	notes = live.shared;
	cr_assert(notes->has_ring, "no ring");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct event *event = find(&live, i);
		int result = notes->results[i];

		cr_expect_eq(result < 0 ? -result : 0, cases[i].error, "%s: %d", cases[i].name,
			     result);
		if (!event)
			continue;
		cr_expect(event->header->flags & WIRE_IO_URING, "%s", cases[i].name);
		/* Some kernels show a completion that the program is not given. */
		if (cases[i].entry.flags & IOSQE_CQE_SKIP_SUCCESS)
			result = (int)event->header->result;
		expect_header(event, &notes->facts, result, cases[i].name);
	}
	for (uint32_t i = 0; i < live.event_cnt; i++)
		cnt += !!(live.events[i]->header->flags & WIRE_IO_URING);
	cr_expect_eq(cnt, ARRAY_LEN(cases));
	live_done(&live);
}

Test(live_uring, by_the_call, .timeout = 300)
{
	run(0);
}

Test(live_uring, by_a_submission_thread, .timeout = 300)
{
	run(IORING_SETUP_SQPOLL);
}
