/*
 * Where a path runs through: a changed root, mounts, overlays, more directories than a record
 * holds; and who may write what was opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "live.h"

static const char *const openat_only[] = { "openat", NULL };

static int open_marked(uint64_t mark, const char *path, int flags)
{
	int fd;

	live_mark(mark);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
	live_mark(LIVE_NO_MARK);
	return fd;
}

static void make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	ACTOR_CHECK(fd >= 0);
	close(fd);
}

/* What /proc says of a descriptor. */
static void note_link(int fd, char *ret, size_t size)
{
	char name[64];
	ssize_t n;

	ACTOR_CHECK(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, ret, size - 1);
	ACTOR_CHECK(n > 0);
	ret[n] = '\0';
}

static const struct event *opened(struct live *live, uint64_t mark)
{
	const struct event *event = live_marked(live, mark, EVENT_OPENAT);

	cr_assert_not_null(event, "mark %llu", (unsigned long long)mark);
	return event;
}

static const char *namespace_path(const struct event *event)
{
	struct str text = event_kpath(event, PARAM_OPENAT_path, PARAM_OPENAT_ino, true);

	return text.p ? text.p : "(absent)";
}

/* ---- chroot (decision 7) ----------------------------------------------------------------------
 */

struct root_notes {
	char cwd[256], outside[256];
};

enum {
	ROOT_INSIDE,
	ROOT_ITSELF,
	ROOT_OUTSIDE,
	ROOT_RELATIVE
};

static void root_act(void *data)
{
	struct root_notes *notes = data;
	int outside;

	ACTOR_CHECK(getcwd(notes->cwd, sizeof(notes->cwd)));
	ACTOR_CHECK(mkdir("jail", 0755) == 0 && mkdir("jail/dir", 0755) == 0);
	make_file("jail/dir/file");
	make_file("outside");
	outside = open("outside", O_RDONLY);
	note_link(outside, notes->outside, sizeof(notes->outside));
	ACTOR_CHECK(chroot("jail") == 0); /* the working directory stays outside */
	ACTOR_CHECK(open_marked(ROOT_INSIDE, "/dir/../dir/file", O_RDONLY) >= 0);
	ACTOR_CHECK(open_marked(ROOT_ITSELF, "/", O_DIRECTORY) >= 0);
	ACTOR_CHECK(open_marked(ROOT_OUTSIDE, "outside", O_RDONLY) >= 0);
	ACTOR_CHECK(chdir("/dir") == 0);
	ACTOR_CHECK(open_marked(ROOT_RELATIVE, "file", O_RDONLY) >= 0);
}

Test(live_paths, paths_below_a_changed_root, .timeout = 300)
{
	struct live live;
	struct root_notes *notes;
	const struct wire_path *head;
	const struct event *event;
	char text[600];

	live_run(&live,
		 &(struct live_options){ .syscalls = openat_only, .shared_bytes = sizeof(*notes) },
		 root_act);
	notes = live.shared;

	event = opened(&live, ROOT_INSIDE);
	expect_proc_path(event, PARAM_OPENAT_path, -1, "/dir/file", "inside");
	snprintf(text, sizeof(text), "%s/jail/dir/file", notes->cwd);
	cr_expect_str_eq(namespace_path(event), text);
	head = event_kpath_head(event, PARAM_OPENAT_path);
	cr_expect_eq(head->root_at, 2);

	event = opened(&live, ROOT_ITSELF);
	expect_proc_path(event, PARAM_OPENAT_path, -1, "/", "the root");
	snprintf(text, sizeof(text), "%s/jail", notes->cwd);
	cr_expect_str_eq(namespace_path(event), text);

	/* Not reachable from the process's root: the whole path is all that there is to say. */
	event = opened(&live, ROOT_OUTSIDE);
	expect_proc_path(event, PARAM_OPENAT_path, -1, notes->outside, "outside");
	cr_expect_str_eq(namespace_path(event), notes->outside);

	event = opened(&live, ROOT_RELATIVE);
	expect_proc_path(event, PARAM_OPENAT_dirpath, -1, "/dir", "relative");
	expect_proc_path(event, PARAM_OPENAT_path, -1, "/dir/file", "relative");
	live_done(&live);
}

/* ---- many directories (decision 4) ------------------------------------------------------------
 */

#define NAME_255                                                           \
	"n123456789012345678901234567890123456789012345678901234567890123" \
	"n123456789012345678901234567890123456789012345678901234567890123" \
	"n123456789012345678901234567890123456789012345678901234567890123" \
	"n12345678901234567890123456789012345678901234567890123456789012"
_Static_assert(sizeof(NAME_255) == 256, "NAME_MAX and a NUL");

/* Directories below the stage's own one; it adds 2 components, and the file 1. */
static const struct {
	unsigned depth;
	bool is_long; /* names of 255 bytes */
} depths[] = { { 1, false },  { 53, false }, { 61, false },  { 62, false },
	       { 80, false }, { 60, true },  { 2000, false } };

static void depth_act(void *data)
{
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		const char *long_name = NAME_255;
		char name[16];

		for (unsigned at = 1; at <= depths[i].depth; at++) {
			const char *text = depths[i].is_long ? long_name : name;

			snprintf(name, sizeof(name), "%u", at);
			ACTOR_CHECK(mkdir(text, 0755) == 0 && chdir(text) == 0);
		}
		ACTOR_CHECK(open_marked(i, "file", O_CREAT | O_WRONLY) >= 0);
		ACTOR_CHECK(unlink("file") == 0);
		for (unsigned at = depths[i].depth; at >= 1; at--) {
			snprintf(name, sizeof(name), "%u", at);
			ACTOR_CHECK(chdir("..") == 0);
			ACTOR_CHECK(rmdir(depths[i].is_long ? long_name : name) == 0);
		}
	}
}

/* The components that are there must be the ends of the real path: the first ones of the record are
 * the leaf's side, the last ones the root's. */
static void check_components(const struct live *live, const struct event *event, size_t i)
{
	const struct wire_path *head = event_kpath_head(event, PARAM_OPENAT_path);
	const char *name = (const char *)(head + 1);
	unsigned depth = depths[i].depth, whole = depth + 3, direct;
	char want[256];

	cr_assert_not_null(head, "depth %u", depth);
	cr_expect_eq(head->component_cnt + head->skipped_cnt, whole, "depth %u: %u and %u", depth,
		     head->component_cnt, head->skipped_cnt);
	direct = head->component_cnt - (head->skipped_cnt ? 8 : 0);
	for (unsigned at = 0; at < head->component_cnt; at++) {
		unsigned real = at < direct ? at : at + head->skipped_cnt; /* from the leaf */

		if (real == 0)
			snprintf(want, sizeof(want), "file");
		else if (real <= depth && depths[i].is_long)
			snprintf(want, sizeof(want), "%s", NAME_255);
		else if (real <= depth)
			snprintf(want, sizeof(want), "%u", depth + 1 - real);
		else
			snprintf(want, sizeof(want), "%s",
				 real == depth + 1 ? strrchr(live->directory, '/') + 1 : "tmp");
		cr_assert_str_eq(name, want, "depth %u, component %u", depth, at);
		name += strlen(name) + 1;
	}
}

/* As text the gap shows, so that nobody takes the ends for the whole. */
static void check_gap(const struct event *event)
{
	struct str text = event_kpath(event, PARAM_OPENAT_path, -1, false);

	cr_expect(str_contains(text, STR("/.../")), "%.*s", (int)MIN(text.n, 200u), text.p);
	cr_expect(str_ends_with(text, STR("/file")));
}

Test(live_paths, deep_paths_keep_both_ends, .timeout = 300)
{
	struct live live;

	live_run(&live, &(struct live_options){ .syscalls = openat_only }, depth_act);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		const struct event *event = opened(&live, i);
		const struct wire_path *head = event_kpath_head(event, PARAM_OPENAT_path);
		unsigned whole = depths[i].depth + 3;
		bool is_short = whole <= 64 && !depths[i].is_long;

		cr_assert_not_null(head);
		/* A walk has 1,344 steps for both paths of a record; what is behind is not known.
		 */
		if (whole < 800)
			check_components(&live, event, i);
		cr_expect_eq(!!(head->flags & WIRE_PATH_TRUNCATED), !is_short, "depth %u",
			     depths[i].depth);
		cr_expect_eq(!!(event->cut_mask & 1ULL << PARAM_OPENAT_path), !is_short, "depth %u",
			     depths[i].depth);
		cr_expect_leq(event->header->length, WIRE_RECORD_MAX);
		if (head->skipped_cnt)
			check_gap(event);
	}
	live_done(&live);
}

/* ---- mounts -----------------------------------------------------------------------------------
 */

struct mount_notes {
	char links[8][256];
	bool has_overlay;
};

enum {
	MOUNT_BELOW,
	MOUNT_ROOT,
	MOUNT_BIND,
	MOUNT_FILE,
	MOUNT_READ_ONLY,
	MOUNT_UPPER,
	MOUNT_LOWER,
	MOUNT_DETACHED,
};

static void mount_open(struct mount_notes *notes, unsigned mark, const char *path, int flags)
{
	int fd = open_marked(mark, path, flags);

	note_link(fd, notes->links[mark], sizeof(notes->links[mark]));
	close(fd);
}

static void overlay_open(struct mount_notes *notes)
{
	ACTOR_CHECK(mkdir("tmpfs/lower", 0755) == 0 && mkdir("tmpfs/upper", 0755) == 0 &&
		    mkdir("tmpfs/work", 0755) == 0 && mkdir("merged", 0755) == 0);
	make_file("tmpfs/lower/below");
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=tmpfs/lower,upperdir=tmpfs/upper,workdir=tmpfs/work"))
		return;
	notes->has_overlay = true;
	mount_open(notes, MOUNT_UPPER, "merged/above", O_CREAT | O_WRONLY);
	mount_open(notes, MOUNT_LOWER, "merged/below", O_RDONLY);
}

static void mount_act(void *data)
{
	struct mount_notes *notes = data;
	int fd;

	/* Of its own, so that nothing is left mounted. */
	ACTOR_CHECK(unshare(CLONE_NEWNS) == 0);
	ACTOR_CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ACTOR_CHECK(mkdir("tmpfs", 0755) == 0 && mkdir("bind", 0755) == 0);
	make_file("on-file");
	ACTOR_CHECK(mount("tmpfs", "tmpfs", "tmpfs", 0, NULL) == 0);
	ACTOR_CHECK(mkdir("tmpfs/a", 0755) == 0);
	make_file("tmpfs/a/file");
	ACTOR_CHECK(mount("tmpfs/a", "bind", NULL, MS_BIND, NULL) == 0);
	ACTOR_CHECK(mount("tmpfs/a/file", "on-file", NULL, MS_BIND, NULL) == 0);
	mount_open(notes, MOUNT_BELOW, "tmpfs/a/file", O_RDONLY);
	mount_open(notes, MOUNT_ROOT, "tmpfs", O_DIRECTORY);
	mount_open(notes, MOUNT_BIND, "bind/file", O_RDONLY);
	mount_open(notes, MOUNT_FILE, "on-file", O_RDONLY);
	ACTOR_CHECK(mount(NULL, "bind", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
	mount_open(notes, MOUNT_READ_ONLY, "bind/file", O_RDONLY);
	overlay_open(notes);
	fd = open("bind", O_PATH);
	ACTOR_CHECK(fd >= 0 && umount2("bind", MNT_DETACH) == 0 && fchdir(fd) == 0);
	mount_open(notes, MOUNT_DETACHED, "file", O_RDONLY);
}

static void expect_bits(struct live *live, unsigned mark, uint64_t set, uint64_t clear)
{
	uint64_t bits = 0;

	cr_expect(event_number(opened(live, mark), PARAM_OPENAT_file_bits, &bits), "mark %u", mark);
	cr_expect_eq(bits & set, set, "mark %u: 0x%llx", mark, (unsigned long long)bits);
	cr_expect_eq(bits & clear, 0, "mark %u: 0x%llx", mark, (unsigned long long)bits);
}

Test(live_paths, paths_run_through_mounts, .timeout = 300)
{
	static const char *const names[] = { "below",	  "root",  "bind", "file",
					     "read-only", "upper", "lower" };
	struct live live;
	struct mount_notes *notes;
	const struct wire_path *head;

	live_run(&live,
		 &(struct live_options){ .syscalls = openat_only, .shared_bytes = sizeof(*notes) },
		 mount_act);
	notes = live.shared;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (i >= MOUNT_UPPER && !notes->has_overlay)
			continue;
		expect_proc_path(opened(&live, i), PARAM_OPENAT_path, -1, notes->links[i],
				 names[i]);
	}
	expect_bits(&live, MOUNT_BIND, WIRE_FILE_WRITABLE, 0);
	expect_bits(&live, MOUNT_READ_ONLY, 0, WIRE_FILE_WRITABLE);
	if (notes->has_overlay) {
		expect_bits(&live, MOUNT_UPPER, WIRE_FILE_UPPER_LAYER | WIRE_FILE_CREATED,
			    WIRE_FILE_LOWER_LAYER);
		expect_bits(&live, MOUNT_LOWER, WIRE_FILE_LOWER_LAYER,
			    WIRE_FILE_UPPER_LAYER | WIRE_FILE_CREATED);
	}
	head = event_kpath_head(opened(&live, MOUNT_DETACHED), PARAM_OPENAT_path);
	cr_assert_not_null(head);
	cr_expect(head->flags & WIRE_PATH_DETACHED, "flags 0x%x", head->flags);
	live_done(&live);
}

/* ---- who may write ----------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	mode_t mode;
	uid_t owner;
	gid_t group;
	bool is_writable; /* for user 12345 and group 23456 */
} owners[] = {
	{ "own", 0600, 12345, 0, true },
	{ "own but closed", 0477, 12345, 0, false },
	{ "of the group", 0460, 0, 23456, true },
	{ "of the group but closed", 0646, 0, 23456, false },
	{ "of others", 0006, 0, 0, true },
	{ "of root", 0644, 0, 0, false },
};

static void owner_act(void *data)
{
	umask(0);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		make_file(owners[i].name);
		ACTOR_CHECK(chown(owners[i].name, owners[i].owner, owners[i].group) == 0);
		ACTOR_CHECK(chmod(owners[i].name, owners[i].mode) == 0);
	}
	ACTOR_CHECK(setresgid(23456, 23456, 23456) == 0 && setresuid(12345, 12345, 12345) == 0);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++)
		ACTOR_CHECK(open_marked(i, owners[i].name, O_PATH) >= 0);
	live_mark(100);
	ACTOR_CHECK(syscall(SYS_openat, AT_FDCWD, "of root", O_WRONLY, 0) == -1 && errno == EACCES);
}

Test(live_paths, writable_is_by_the_callers_rights, .timeout = 300)
{
	struct live live;
	const struct event *event;

	live_run(&live, &(struct live_options){ .syscalls = openat_only }, owner_act);
	for (unsigned i = 0; i < ARRAY_LEN(owners); i++)
		expect_bits(&live, i, owners[i].is_writable ? WIRE_FILE_WRITABLE : 0,
			    owners[i].is_writable ? 0 : WIRE_FILE_WRITABLE);
	event = live_marked(&live, 100, EVENT_OPENAT);
	cr_assert_not_null(event);
	cr_expect_eq(event->header->result, -EACCES);
	cr_expect_eq(event->header->uid, 12345);
	cr_expect_eq(event->header->cap_effective, 0);
	live_done(&live);
}
