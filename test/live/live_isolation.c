/*
 * Calls on mounts and roots, in a mount namespace of the actor's own: every parameter, on success
 * and on failure.
 */
#include "rows.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FD_CONTEXT 80 /* an fsopen(2) that the rows configure */
#define FD_TREE	   81 /* a detached mount */
#define FD_NONE	   999
#define BAD_MEMORY 8
#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define HERE	   ((uint64_t)AT_FDCWD)

#define CONTEXT_TEXT "path=anon_inode:[fscontext] dev=* ino=* file_mode=*"
#define NO_FILE	     "path=<NA> dev=<NA> ino=<NA> file_mode=<NA>"
#define OLD_MAGIC    0xc0ed0000u /* MS_MGC_VAL */

/* include/uapi/linux/mount.h; glibc has it from 2.36 on. */
static struct {
	uint64_t set, clear, propagation, user_namespace;
} attributes = { 0x1 | 0x8, 0x2, MS_SLAVE, 0 }, bad_attributes = { 1ull << 40, 0, 0, 77 };

/* clang-format off */
static const struct row rows[] = {
	{ "mount", SYS_mount, { ADDRESS("none"), ADDRESS("a"), ADDRESS("tmpfs"), MS_NOSUID | MS_NODEV, 0 }, false,
	  "res=0 dev=none dir=a(%d/a) type=tmpfs flags=6(NOSUID|NODEV) dirpath=%d" },
	{ "mount: bind", SYS_mount, { ADDRESS("c"), ADDRESS("./b/../b"), 0, OLD_MAGIC | MS_BIND | MS_REC, 0 }, false,
	  "res=0 dev=c dir=./b/../b(%d/b) type=<NA> flags=20480(BIND|REC) dirpath=%d" },
	{ "mount: propagation", SYS_mount, { 0, ADDRESS("a"), BAD_MEMORY, MS_SLAVE, 0 }, true,
	  "res=%r dev=<NA> dir=a(%d/a) type=<NA> flags=524288(SLAVE) dirpath=%d" },
	{ "mount: no such directory", SYS_mount, { ADDRESS("/dev/none"), ADDRESS("/nowhere"), ADDRESS("ext4"), MS_RDONLY, 0 }, true,
	  "res=%r dev=/dev/none dir=/nowhere type=ext4 flags=1(RDONLY) dirpath=<NA>" },
	{ "umount2", SYS_umount2, { ADDRESS("b"), MNT_DETACH }, false,
	  "res=0 name=b(%d/b) flags=2(DETACH) dirpath=%d" },
	{ "umount2: not mounted", SYS_umount2, { ADDRESS("b"), UMOUNT_NOFOLLOW }, true,
	  "res=%r name=b(%d/b) flags=8(NOFOLLOW) dirpath=%d" },
	{ "fsopen", SYS_fsopen, { ADDRESS("tmpfs"), 1 }, false,
	  "fd=*(<o>anon_inode:[fscontext]) type=tmpfs flags=1(FSOPEN_CLOEXEC) " CONTEXT_TEXT },
	{ "fsopen: no such type", SYS_fsopen, { ADDRESS("nonesuch"), 0 }, true, "fd=%r type=nonesuch flags=0 " NO_FILE },
	{ "fsconfig: a string", SYS_fsconfig, { FD_CONTEXT, 1, ADDRESS("size"), ADDRESS("1m"), 0 }, false,
	  "res=0 fd=80(<o>anon_inode:[fscontext]) cmd=1(FSCONFIG_SET_STRING) key=size value_bytebuf=NULL value_charbuf=1m aux=0 path=anon_inode:[fscontext]" },
	{ "fsconfig: no such flag", SYS_fsconfig, { FD_CONTEXT, 0, ADDRESS("nonesuch"), 0, 0 }, true,
	  "res=%r fd=80(<o>anon_inode:[fscontext]) cmd=0(FSCONFIG_SET_FLAG) key=nonesuch value_bytebuf=NULL value_charbuf=<NA> aux=0 path=anon_inode:[fscontext]" },
	{ "fsconfig: bytes", SYS_fsconfig, { FD_CONTEXT, 2, ADDRESS("nonesuch"), ADDRESS("a\1b"), 3 }, true,
	  "res=%r fd=80(<o>anon_inode:[fscontext]) cmd=2(FSCONFIG_SET_BINARY) key=nonesuch value_bytebuf=a.b value_charbuf=<NA> aux=3 path=anon_inode:[fscontext]" },
	{ "fsconfig: a path", SYS_fsconfig, { FD_CONTEXT, 3, ADDRESS("nonesuch"), ADDRESS("/nowhere"), HERE }, true,
	  "res=%r fd=80(<o>anon_inode:[fscontext]) cmd=3(FSCONFIG_SET_PATH) key=nonesuch value_bytebuf=NULL value_charbuf=/nowhere aux=-100 path=anon_inode:[fscontext]" },
	{ "fsconfig: create", SYS_fsconfig, { FD_CONTEXT, 6, 0, 0, 0 }, false,
	  "res=0 fd=80(<o>anon_inode:[fscontext]) cmd=6(FSCONFIG_CMD_CREATE) key=<NA> value_bytebuf=NULL value_charbuf=<NA> aux=0 path=anon_inode:[fscontext]" },
	{ "fsmount", SYS_fsmount, { FD_CONTEXT, 1, 0x8 | 0x10 }, false,
	  "fd=*(<d>/) fs_fd=80 flags=1(FSMOUNT_CLOEXEC) attributes=24(MOUNT_ATTR_NOEXEC|MOUNT_ATTR_NOATIME) path=/ dev=* ino=* file_mode=*" },
	{ "fsmount: no context", SYS_fsmount, { FD_NONE, 0, 0 }, true,
	  "fd=%r fs_fd=999 flags=0 attributes=0 " NO_FILE },
	{ "open_tree", SYS_open_tree, { HERE, ADDRESS("a"), 1 | O_CLOEXEC }, false,
	  "fd=*(<d>/) dirfd=-100(AT_FDCWD) name=a(%d/a) flags=524289(OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC) path=/ dev=* ino=* file_mode=* dirpath=%d" },
	{ "open_tree: nothing there", SYS_open_tree, { HERE, ADDRESS("none"), 0x8001 }, true,
	  "fd=%r dirfd=-100(AT_FDCWD) name=none(%d/none) flags=32769(OPEN_TREE_CLONE|AT_RECURSIVE) " NO_FILE " dirpath=%d" },
	{ "move_mount", SYS_move_mount, { FD_TREE, ADDRESS(""), HERE, ADDRESS("b"), 4 }, false,
	  "res=0 fromdirfd=81* frompath=* todirfd=-100(AT_FDCWD) topath=b(%d/b) flags=4(MOVE_MOUNT_F_EMPTY_PATH) fromdirpath=%d/b todirpath=%d" },
	{ "move_mount: nothing there", SYS_move_mount, { HERE, ADDRESS("none"), FD_NONE, ADDRESS("/nowhere"), 0x200 }, true,
	  "res=%r fromdirfd=-100(AT_FDCWD) frompath=none(%d/none) todirfd=999 topath=/nowhere flags=512(MOVE_MOUNT_BENEATH) fromdirpath=%d todirpath=<NA>" },
	{ "mount_setattr", SYS_mount_setattr, { HERE, ADDRESS("a"), 0x8000, ADDRESS(&attributes), sizeof(attributes) }, false,
	  "res=%r dirfd=-100(AT_FDCWD) name=a(%d/a) flags=32768(AT_RECURSIVE) attr_set=9(MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOEXEC) "
	  "attr_clr=2(MOUNT_ATTR_NOSUID) propagation=524288(SLAVE) userns_fd=0 dirpath=%d" },
	{ "mount_setattr: no attribute", SYS_mount_setattr, { FD_NONE, ADDRESS("a"), 0, ADDRESS(&bad_attributes), sizeof(bad_attributes) }, true,
	  "res=%r dirfd=999 name=a flags=0 attr_set=1099511627776 attr_clr=0 propagation=0 userns_fd=77 dirpath=<NA>" },
	{ "pivot_root: nothing there", SYS_pivot_root, { ADDRESS("none"), ADDRESS("/nowhere") }, true,
	  "res=%r new_root=none(%d/none) put_old=/nowhere dirpath=%d" },
	{ "chroot: nothing there", SYS_chroot, { ADDRESS("none") }, true,
	  "res=%r path=none(%d/none) dirpath=%d root=*" },
	{ "chroot: no memory", SYS_chroot, { BAD_MEMORY }, true, "res=%r path=<NA> dirpath=<NA> root=*" },
	{ "chroot", SYS_chroot, { ADDRESS("c/jail") }, false,
	  "res=0 path=c/jail(%d/c/jail) dirpath=%d root=%d/c/jail" },
	{ "chroot: to itself", SYS_chroot, { ADDRESS("/") }, false, "res=0 path=/ dirpath=<NA> root=%d/c/jail" },
};
/* clang-format on */

static void make_directories(const char *const *names, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		ACTOR_CHECK(mkdir(names[i], 0700) == 0);
}

static void leave_namespace(void)
{
	ACTOR_CHECK(unshare(CLONE_NEWNS) == 0);
	ACTOR_CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static void move_fd(long fd, int to)
{
	ACTOR_CHECK(fd >= 0 && dup2((int)fd, to) == to);
	close((int)fd);
}

static void prepare(void)
{
	static const char *const names[] = { "a", "b", "c", "c/jail", "d" };

	leave_namespace();
	make_directories(names, ARRAY_LEN(names));
	ACTOR_CHECK(mount("none", "d", "tmpfs", 0, NULL) == 0);
	move_fd(syscall(SYS_fsopen, "tmpfs", 0), FD_CONTEXT);
	move_fd(syscall(SYS_open_tree, AT_FDCWD, "d", 1), FD_TREE);
}

Test(live_isolation, every_parameter_is_what_libc_says, .timeout = 300)
{
	rows_run(rows, ARRAY_LEN(rows), prepare);
}

/* ---- pivot_root ----------------------------------------------------------------------------- */

/* A root that has a mount above it: an initramfs's has none, and can't be pivoted. */
static void prepare_root(void)
{
	static const char *const names[] = { "root/new", "root/new/old", "root/work" };

	leave_namespace();
	ACTOR_CHECK(mkdir("root", 0700) == 0 && mount("none", "root", "tmpfs", 0, NULL) == 0);
	make_directories(names, 1);
	ACTOR_CHECK(mount("none", "root/new", "tmpfs", 0, NULL) == 0);
	make_directories(names + 1, ARRAY_LEN(names) - 1);
	ACTOR_CHECK(mkdir("root/proc", 0700) == 0 &&
		    mount("proc", "root/proc", "proc", MS_RDONLY, NULL) == 0);
	ACTOR_CHECK(chroot("root") == 0 && chdir("/work") == 0);
}

/* The working directory is under the old root, and so behind put_old when the call has ended. */
static const struct row pivot_rows[] = {
	{ "pivot_root",
	  SYS_pivot_root,
	  { ADDRESS("/new"), ADDRESS("../new/old") },
	  false,
	  "res=0 new_root=/new put_old=../new/old(/old/new/old) dirpath=/old/work" },
};

Test(live_isolation, a_new_root, .timeout = 300)
{
	rows_run(pivot_rows, ARRAY_LEN(pivot_rows), prepare_root);
}
