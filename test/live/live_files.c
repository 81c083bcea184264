/*
 * Calls on paths: every parameter, on success and on failure. Relative and absolute names, names
 * beside a directory's descriptor, and descriptors alone.
 */
#include "rows.h"

#include <fcntl.h>
#include <linux/fanotify.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define FD_FILE	    90
#define FD_SUB	    91
#define FD_INOTIFY  92
#define FD_FANOTIFY 93
#define FD_HOME	    94
#define FD_NONE	    999
#define CWD	    ((uint64_t)AT_FDCWD)
#define TEXT(x)	    ((uint64_t)(uintptr_t)(x))
#define BAD_MEMORY  8
/* The file behind FD_FILE; prepare() notes its numbers. */
#define FILE_TEXT "path=%d/file dev=%0 ino=%1 file_mode=100600(S_IWUSR|S_IRUSR|S_IFREG)"
#define FILE_BITS FILE_TEXT " file_bits=*"
#define NO_FILE	  "path=<NA> dev=<NA> ino=<NA> file_mode=<NA>"
#define AT_CWD	  "-100(AT_FDCWD)"
#define AT_SUB	  "91(<d>%d/sub)"

static struct {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
} handle, new_handle = { .head = { .handle_bytes = MAX_HANDLE_SZ } };
static int mount_id;
static char absolute[300];
static const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
static struct stat status;
static struct statx statx_result;
static const struct {
	uint64_t value;
	uint32_t size, flags;
} xattr_args = { TEXT("value"), 5, 0 };

/* clang-format off */
static const struct row rename_rows[] = {
	{ "rename", SYS_rename, { TEXT("a"), TEXT("sub/../b") }, false,
	  "res=0 oldpath=a(%d/a) newpath=sub/../b(%d/b) olddirpath=%d newdirpath=%d oldobject=* newobject=*" },
	{ "rename: absolute", SYS_rename, { TEXT("b"), TEXT(absolute) }, false,
	  "res=0 oldpath=b(%d/b) newpath=%d/absolute olddirpath=%d newdirpath=<NA> oldobject=* newobject=*" },
	{ "rename: none", SYS_rename, { TEXT("/none"), TEXT("x") }, true,
	  "res=%r oldpath=/none newpath=x(%d/x) olddirpath=<NA> newdirpath=%d oldobject=* newobject=*" },
	{ "rename: no memory", SYS_rename, { BAD_MEMORY, TEXT("x") }, true,
	  "res=%r oldpath=<NA> newpath=x(%d/x) olddirpath=<NA> newdirpath=%d oldobject=* newobject=*" },
	{ "renameat", SYS_renameat, { FD_SUB, TEXT("a"), CWD, TEXT("c") }, false,
	  "res=0 olddirfd=" AT_SUB " oldpath=a(%d/sub/a) newdirfd=" AT_CWD " newpath=c(%d/c) olddirpath=%d/sub newdirpath=%d oldobject=* newobject=*" },
	{ "renameat: none", SYS_renameat, { CWD, TEXT("a"), FD_SUB, TEXT("../x") }, true,
	  "res=%r olddirfd=" AT_CWD " oldpath=a(%d/a) newdirfd=" AT_SUB " newpath=../x(%d/x) olddirpath=%d newdirpath=%d/sub oldobject=* newobject=*" },
	{ "renameat2", SYS_renameat2, { CWD, TEXT("c"), FD_SUB, TEXT("b"), RENAME_EXCHANGE }, false,
	  "res=0 olddirfd=" AT_CWD " oldpath=c(%d/c) newdirfd=" AT_SUB " newpath=b(%d/sub/b) flags=2(RENAME_EXCHANGE) olddirpath=%d newdirpath=%d/sub oldobject=* newobject=*" },
	{ "renameat2: there", SYS_renameat2, { CWD, TEXT("c"), CWD, TEXT("file"), RENAME_NOREPLACE }, true,
	  "res=%r olddirfd=" AT_CWD " oldpath=c(%d/c) newdirfd=" AT_CWD " newpath=file(%d/file) flags=1(RENAME_NOREPLACE) olddirpath=%d newdirpath=%d oldobject=* newobject=*" },
	{ "link", SYS_link, { TEXT("c"), TEXT("hard") }, false,
	  "res=0 oldpath=c(%d/c) newpath=hard(%d/hard) olddirpath=%d newdirpath=%d oldobject=* newobject=*" },
	{ "link: there", SYS_link, { TEXT("c"), TEXT("hard") }, true,
	  "res=%r oldpath=c(%d/c) newpath=hard(%d/hard) olddirpath=%d newdirpath=%d oldobject=* newobject=*" },
	{ "linkat", SYS_linkat, { CWD, TEXT("c"), FD_SUB, TEXT("hard"), AT_SYMLINK_FOLLOW }, false,
	  "res=0 olddir=" AT_CWD " oldpath=c(%d/c) newdir=" AT_SUB " newpath=hard(%d/sub/hard) flags=1024(AT_SYMLINK_FOLLOW) olddirpath=%d newdirpath=%d/sub oldobject=* newobject=*" },
	{ "linkat: a descriptor that is none", SYS_linkat, { FD_NONE, TEXT("c"), CWD, TEXT("x"), 0 }, true,
	  "res=%r olddir=999 oldpath=c newdir=" AT_CWD " newpath=x(%d/x) flags=0 olddirpath=<NA> newdirpath=%d oldobject=* newobject=*" },
	{ "symlink", SYS_symlink, { TEXT("../etc"), TEXT("soft") }, false,
	  "res=0 target=../etc linkpath=soft(%d/soft) linkdirpath=%d linkobject=*" },
	{ "symlink: there", SYS_symlink, { TEXT("/etc"), TEXT("soft") }, true,
	  "res=%r target=/etc linkpath=soft(%d/soft) linkdirpath=%d linkobject=*" },
	{ "symlinkat", SYS_symlinkat, { TEXT("x"), FD_SUB, TEXT("soft") }, false,
	  "res=0 target=x linkdirfd=" AT_SUB " linkpath=soft(%d/sub/soft) linkdirpath=%d/sub linkobject=*" },
	{ "symlinkat: no directory", SYS_symlinkat, { TEXT("x"), CWD, TEXT("/none/x") }, true,
	  "res=%r target=x linkdirfd=" AT_CWD " linkpath=/none/x linkdirpath=<NA> linkobject=*" },
	{ "mkdir", SYS_mkdir, { TEXT("made"), 0755 }, false, "res=0 path=made(%d/made) mode=1ED dirpath=%d object=*" },
	{ "mkdir: there", SYS_mkdir, { TEXT("made"), 0700 }, true, "res=%r path=made(%d/made) mode=1C0 dirpath=%d object=*" },
	{ "mkdirat", SYS_mkdirat, { FD_SUB, TEXT("made"), 0755 }, false,
	  "res=0 dirfd=" AT_SUB " path=made(%d/sub/made) mode=1ED dirpath=%d/sub object=*" },
	{ "mkdirat: a file", SYS_mkdirat, { FD_FILE, TEXT("made"), 0755 }, true,
	  "res=%r dirfd=90(<d>%d/file) path=made(%d/file/made) mode=1ED dirpath=%d/file object=*" },
	{ "rmdir", SYS_rmdir, { TEXT("made") }, false, "res=0 path=made(%d/made) dirpath=%d object=*" },
	{ "rmdir: full", SYS_rmdir, { TEXT("./sub") }, true, "res=%r path=./sub(%d/sub) dirpath=%d object=*" },
	{ "mknod", SYS_mknod, { TEXT("pipe"), S_IFIFO | 0644, 0 }, false,
	  "res=0 path=pipe(%d/pipe) mode=10644(S_IROTH|S_IRGRP|S_IWUSR|S_IRUSR|S_IFIFO) dev=0 dirpath=%d object=*" },
	{ "mknod: there", SYS_mknod, { TEXT("pipe"), S_IFBLK, 0x801 }, true,
	  "res=%r path=pipe(%d/pipe) mode=60000(S_IFBLK) dev=2049 dirpath=%d object=*" },
	{ "mknodat", SYS_mknodat, { FD_SUB, TEXT("socket"), S_IFSOCK, 0 }, false,
	  "res=0 dirfd=" AT_SUB " path=socket(%d/sub/socket) mode=140000(S_IFSOCK) dev=0 dirpath=%d/sub object=*" },
	{ "mknodat: no memory", SYS_mknodat, { CWD, BAD_MEMORY, S_IFREG, 0 }, true,
	  "res=%r dirfd=" AT_CWD " path=<NA> mode=100000(S_IFREG) dev=0 dirpath=<NA> object=*" },
};

static const struct row change_rows[] = {
	{ "chmod", SYS_chmod, { TEXT("c"), 04755 }, false,
	  "res=0 filename=c(%d/c) mode=4755(S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID) dirpath=%d object=*" },
	{ "chmod: none", SYS_chmod, { TEXT("/none"), 0 }, true, "res=%r filename=/none mode=0 dirpath=<NA> object=*" },
	{ "fchmod", SYS_fchmod, { FD_FILE, 0600 }, false,
	  "res=0 fd=90(<f>%d/file) mode=600(S_IWUSR|S_IRUSR) " FILE_BITS },
	{ "fchmod: no file", SYS_fchmod, { FD_NONE, 0600 }, true,
	  "res=%r fd=999 mode=600(S_IWUSR|S_IRUSR) " NO_FILE " file_bits=<NA>" },
	{ "fchmodat", SYS_fchmodat, { FD_SUB, TEXT("b"), 01 }, false,
	  "res=0 dirfd=" AT_SUB " filename=b(%d/sub/b) mode=1(S_IXOTH) dirpath=%d/sub object=*" },
	{ "fchmodat: none", SYS_fchmodat, { CWD, TEXT("none"), 02 }, true,
	  "res=%r dirfd=" AT_CWD " filename=none(%d/none) mode=2(S_IWOTH) dirpath=%d object=*" },
	{ "fchmodat2: none", 452, { CWD, TEXT("none"), 02, AT_SYMLINK_NOFOLLOW }, true,
	  "res=%r dirfd=" AT_CWD " filename=none(%d/none) mode=2(S_IWOTH) flags=256(AT_SYMLINK_NOFOLLOW) dirpath=%d object=*" },
	{ "chown", SYS_chown, { TEXT("c"), 12, (uint64_t)-1 }, false, "res=0 path=c(%d/c) uid=12 gid=-1 dirpath=%d object=*" },
	{ "chown: none", SYS_chown, { TEXT("none"), 0xffffffff, 7 }, true, "res=%r path=none(%d/none) uid=-1 gid=7 dirpath=%d object=*" },
	{ "lchown", SYS_lchown, { TEXT("soft"), 1, 2 }, false, "res=0 path=soft(%d/soft) uid=1 gid=2 dirpath=%d object=*" },
	{ "lchown: none", SYS_lchown, { TEXT("/none"), 1, 2 }, true, "res=%r path=/none uid=1 gid=2 dirpath=<NA> object=*" },
	{ "fchown", SYS_fchown, { FD_FILE, 0, 0 }, false, "res=0 fd=90(<f>%d/file) uid=0 gid=0 " FILE_BITS },
	{ "fchown: no file", SYS_fchown, { FD_NONE, 0, 0 }, true, "res=%r fd=999 uid=0 gid=0 " NO_FILE " file_bits=<NA>" },
	{ "fchownat", SYS_fchownat, { FD_SUB, TEXT(""), 3, 4, AT_EMPTY_PATH }, false,
	  "res=0 dirfd=" AT_SUB " pathname=(<NA>) uid=3 gid=4 flags=4096(AT_EMPTY_PATH) dirpath=%d/sub object=*" },
	{ "fchownat: none", SYS_fchownat, { FD_NONE, TEXT("x"), 3, 4, AT_SYMLINK_NOFOLLOW }, true,
	  "res=%r dirfd=999 pathname=x uid=3 gid=4 flags=256(AT_SYMLINK_NOFOLLOW) dirpath=<NA> object=*" },
	{ "truncate", SYS_truncate, { TEXT("c"), 5 }, false, "res=0 path=c(%d/c) length=5 dirpath=%d object=*" },
	{ "truncate: negative", SYS_truncate, { TEXT("c"), (uint64_t)-3 }, true, "res=%r path=c(%d/c) length=-3 dirpath=%d object=*" },
	{ "ftruncate", SYS_ftruncate, { FD_FILE, 9 }, false, "res=0 fd=90(<f>%d/file) length=9 " FILE_BITS },
	{ "ftruncate: a directory", SYS_ftruncate, { FD_SUB, 9 }, true,
	  "res=%r fd=91(<d>%d/sub) length=9 path=%d/sub dev=%0 ino=* file_mode=* file_bits=*" },
	{ "setxattr", SYS_setxattr, { TEXT("c"), TEXT("user.a"), TEXT("value"), 5, 1 }, false,
	  "res=%r path=c(%d/c) name=user.a value=value size=5 flags=1(XATTR_CREATE) dirpath=%d" },
	{ "setxattr: none", SYS_setxattr, { TEXT("none"), TEXT("user.a"), TEXT("a\0b"), 3, 0 }, true,
	  "res=%r path=none(%d/none) name=user.a value=a.b size=3 flags=0 dirpath=%d" },
	{ "lsetxattr", SYS_lsetxattr, { TEXT("c"), TEXT("user.b"), TEXT("v"), 1, 0 }, false,
	  "res=%r path=c(%d/c) name=user.b value=v size=1 flags=0 dirpath=%d" },
	{ "lsetxattr: no memory", SYS_lsetxattr, { TEXT("c"), BAD_MEMORY, BAD_MEMORY, 1, 9 }, true,
	  "res=%r path=c(%d/c) name=<NA> value=NULL size=1 flags=9(XATTR_CREATE) dirpath=%d" },
	{ "fsetxattr", SYS_fsetxattr, { FD_FILE, TEXT("user.c"), TEXT("v"), 1, 0 }, false,
	  "res=%r fd=90(<f>%d/file) name=user.c value=v size=1 flags=0 " FILE_BITS },
	{ "fsetxattr: no file", SYS_fsetxattr, { FD_NONE, TEXT("user.c"), TEXT("v"), 1, 2 }, true,
	  "res=%r fd=999 name=user.c value=v size=1 flags=2(XATTR_REPLACE) " NO_FILE " file_bits=<NA>" },
	{ "setxattrat: none", 463, { CWD, TEXT("none"), 0, TEXT("user.d"), TEXT(&xattr_args), sizeof(xattr_args) }, true,
	  "res=%r dirfd=" AT_CWD " path=none(%d/none) flags=0 name=user.d dirpath=%d" },
	{ "removexattr", SYS_removexattr, { TEXT("c"), TEXT("user.a") }, false, "res=%r path=c(%d/c) name=user.a dirpath=%d" },
	{ "removexattr: none", SYS_removexattr, { TEXT("c"), TEXT("user.none") }, true,
	  "res=%r path=c(%d/c) name=user.none dirpath=%d" },
	{ "lremovexattr", SYS_lremovexattr, { TEXT("c"), TEXT("user.b") }, false, "res=%r path=c(%d/c) name=user.b dirpath=%d" },
	{ "lremovexattr: none", SYS_lremovexattr, { TEXT("/none"), TEXT("user.b") }, true,
	  "res=%r path=/none name=user.b dirpath=<NA>" },
	{ "fremovexattr", SYS_fremovexattr, { FD_FILE, TEXT("user.c") }, false, "res=%r fd=90(<f>%d/file) name=user.c " FILE_BITS },
	{ "fremovexattr: none", SYS_fremovexattr, { FD_FILE, TEXT("user.c") }, true,
	  "res=%r fd=90(<f>%d/file) name=user.c " FILE_BITS },
	{ "removexattrat: none", 466, { FD_SUB, TEXT("none"), AT_SYMLINK_NOFOLLOW, TEXT("user.d") }, true,
	  "res=%r dirfd=" AT_SUB " path=none(%d/sub/none) flags=256(AT_SYMLINK_NOFOLLOW) name=user.d dirpath=%d/sub" },
	{ "utime", SYS_utime, { TEXT("c"), 0 }, false, "res=0 path=c(%d/c) dirpath=%d" },
	{ "utime: none", SYS_utime, { TEXT("none"), 0 }, true, "res=%r path=none(%d/none) dirpath=%d" },
	{ "utimes", SYS_utimes, { TEXT("c"), 0 }, false, "res=0 path=c(%d/c) dirpath=%d" },
	{ "utimes: none", SYS_utimes, { TEXT("none"), 0 }, true, "res=%r path=none(%d/none) dirpath=%d" },
	{ "futimesat", SYS_futimesat, { FD_FILE, 0, 0 }, false,
	  "res=0 dirfd=90 path=<NA> dirpath=<NA> object=%d/file" },
	{ "futimesat: none", SYS_futimesat, { FD_SUB, TEXT("none"), 0 }, true,
	  "res=%r dirfd=" AT_SUB " path=none(%d/sub/none) dirpath=%d/sub object=<NA>" },
	{ "utimensat", SYS_utimensat, { CWD, TEXT("soft"), TEXT(times), AT_SYMLINK_NOFOLLOW }, false,
	  "res=0 dirfd=" AT_CWD " path=soft(%d/soft) flags=256(AT_SYMLINK_NOFOLLOW) dirpath=%d object=<NA>" },
	{ "utimensat: a descriptor", SYS_utimensat, { FD_FILE, 0, TEXT(times), 0 }, false,
	  "res=0 dirfd=90 path=<NA> flags=0 dirpath=<NA> object=%d/file" },
	{ "utimensat: none", SYS_utimensat, { CWD, TEXT("/none"), 0, 0 }, true,
	  "res=%r dirfd=" AT_CWD " path=/none flags=0 dirpath=<NA> object=<NA>" },
};

static const struct row look_rows[] = {
	{ "access", SYS_access, { TEXT("c"), R_OK | W_OK }, false, "res=0 name=c(%d/c) mode=6(R_OK|W_OK) dirpath=%d" },
	{ "access: none", SYS_access, { TEXT("/none"), F_OK }, true, "res=%r name=/none mode=0(F_OK) dirpath=<NA>" },
	{ "faccessat", SYS_faccessat, { FD_SUB, TEXT("b"), R_OK }, false,
	  "res=0 dirfd=" AT_SUB " name=b(%d/sub/b) mode=4(R_OK) dirpath=%d/sub" },
	{ "faccessat: none", SYS_faccessat, { CWD, TEXT("none"), X_OK }, true,
	  "res=%r dirfd=" AT_CWD " name=none(%d/none) mode=1(X_OK) dirpath=%d" },
	{ "faccessat2", SYS_faccessat2, { CWD, TEXT("c"), R_OK, AT_EACCESS }, false,
	  "res=%r dirfd=" AT_CWD " name=c(%d/c) mode=4(R_OK) flags=512(AT_EACCESS) dirpath=%d" },
	{ "faccessat2: none", SYS_faccessat2, { FD_NONE, TEXT("c"), R_OK, 0 }, true,
	  "res=%r dirfd=999 name=c mode=4(R_OK) flags=0 dirpath=<NA>" },
	{ "stat", SYS_stat, { TEXT("c"), TEXT(&status) }, false, "res=0 path=c(%d/c) dirpath=%d" },
	{ "stat: none", SYS_stat, { TEXT("none"), TEXT(&status) }, true, "res=%r path=none(%d/none) dirpath=%d" },
	{ "lstat", SYS_lstat, { TEXT("soft"), TEXT(&status) }, false, "res=0 path=soft(%d/soft) dirpath=%d" },
	{ "lstat: none", SYS_lstat, { TEXT("/none"), TEXT(&status) }, true, "res=%r path=/none dirpath=<NA>" },
	{ "newfstatat", SYS_newfstatat, { FD_FILE, TEXT(""), TEXT(&status), AT_EMPTY_PATH }, false,
	  "res=0 dirfd=90(<d>%d/file) path=(<NA>) flags=4096(AT_EMPTY_PATH) dirpath=%d/file" },
	{ "newfstatat: none", SYS_newfstatat, { CWD, TEXT("none"), TEXT(&status), 0 }, true,
	  "res=%r dirfd=" AT_CWD " path=none(%d/none) flags=0 dirpath=%d" },
	{ "statx", SYS_statx, { FD_SUB, TEXT("b"), 0, STATX_BASIC_STATS, TEXT(&statx_result) }, false,
	  "res=0 dirfd=" AT_SUB " path=b(%d/sub/b) flags=0 mask=7FF dirpath=%d/sub" },
	{ "statx: none", SYS_statx, { CWD, TEXT("none"), AT_SYMLINK_NOFOLLOW, 0, TEXT(&statx_result) }, true,
	  "res=%r dirfd=" AT_CWD " path=none(%d/none) flags=256(AT_SYMLINK_NOFOLLOW) mask=0 dirpath=%d" },
	{ "name_to_handle_at", SYS_name_to_handle_at, { CWD, TEXT("file"), TEXT(&new_handle), TEXT(&mount_id), 0 }, false,
	  "res=0 dirfd=" AT_CWD " name=file(%d/file) flags=0 dirpath=%d" },
	{ "name_to_handle_at: none", SYS_name_to_handle_at, { CWD, TEXT("/none"), TEXT(&new_handle), TEXT(&mount_id), AT_SYMLINK_FOLLOW }, true,
	  "res=%r dirfd=" AT_CWD " name=/none flags=1024(AT_SYMLINK_FOLLOW) dirpath=<NA>" },
	{ "open_by_handle_at", SYS_open_by_handle_at, { FD_HOME, TEXT(&handle), O_RDONLY | O_CLOEXEC }, false,
	  "fd=*(<f>%d/file) mountfd=94(<f>%d) flags=4097(O_RDONLY|O_CLOEXEC) path=%d/file dev=%0 ino=%1 "
	  "file_mode=100600(S_IWUSR|S_IRUSR|S_IFREG) file_bits=* mountpath=%d" },
	{ "open_by_handle_at: no memory", SYS_open_by_handle_at, { FD_NONE, BAD_MEMORY, O_WRONLY }, true,
	  "fd=%r mountfd=999 flags=2(O_WRONLY) path=<NA> dev=<NA> ino=<NA> file_mode=<NA> file_bits=<NA> mountpath=<NA>" },
	{ "memfd_create", SYS_memfd_create, { TEXT("payload"), MFD_CLOEXEC }, false,
	  "fd=*(<m>memfd:payload) name=payload flags=1(MFD_CLOEXEC) path=memfd:payload dev=* ino=* file_mode=* file_bits=*" },
	{ "memfd_create: wrong flags", SYS_memfd_create, { TEXT("payload"), 0x8000 }, true,
	  "fd=%r name=payload flags=32768 " NO_FILE " file_bits=<NA>" },
	{ "inotify_add_watch", SYS_inotify_add_watch, { FD_INOTIFY, TEXT("sub"), IN_CREATE | IN_ONLYDIR }, false,
	  "res=1 fd=92(<i>anon_inode:inotify) name=sub(%d/sub) mask=16777472(IN_CREATE|IN_ONLYDIR) path=anon_inode:inotify dev=* ino=* file_mode=* dirpath=%d" },
	{ "inotify_add_watch: no instance", SYS_inotify_add_watch, { FD_FILE, TEXT("/etc"), IN_OPEN }, true,
	  "res=* fd=90(<f>%d/file) name=/etc mask=32(IN_OPEN) " FILE_TEXT " dirpath=<NA>" },
	{ "fanotify_init", SYS_fanotify_init, { FAN_CLASS_NOTIF, O_RDONLY }, false,
	  "fd=*(<o>anon_inode:[fanotify]) flags=0 event_flags=1(O_RDONLY) path=anon_inode:[fanotify] dev=* ino=* file_mode=*" },
	{ "fanotify_init: wrong flags", SYS_fanotify_init, { 0x80000000, O_RDONLY }, true,
	  "fd=%r flags=80000000 event_flags=1(O_RDONLY) " NO_FILE },
	{ "fanotify_mark", SYS_fanotify_mark, { FD_FANOTIFY, FAN_MARK_ADD, FAN_OPEN, CWD, TEXT("sub") }, false,
	  "res=0 fd=93(<o>anon_inode:[fanotify]) flags=1(FAN_MARK_ADD) mask=20 dirfd=" AT_CWD " name=sub(%d/sub) path=anon_inode:[fanotify] dev=* ino=* file_mode=* dirpath=%d" },
	{ "fanotify_mark: none", SYS_fanotify_mark, { FD_NONE, FAN_MARK_ADD, FAN_OPEN, CWD, TEXT("/none") }, true,
	  "res=%r fd=999 flags=1(FAN_MARK_ADD) mask=20 dirfd=" AT_CWD " name=/none " NO_FILE " dirpath=<NA>" },
	{ "fchdir: no directory", SYS_fchdir, { FD_FILE }, true, "res=%r fd=90(<f>%d/file) " FILE_TEXT },
	{ "chdir: none", SYS_chdir, { TEXT("none") }, true, "res=%r path=none(%d/none) object=<NA> dirpath=%d" },
	{ "chdir", SYS_chdir, { TEXT("soft2") }, false, "res=0 path=soft2 object=%d/sub dirpath=<NA>" },
	{ "fchdir", SYS_fchdir, { FD_HOME }, false,
	  "res=0 fd=94(<d>%d) path=%d dev=* ino=* file_mode=*" },
};
/* clang-format on */

static void make_file(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_RDWR, mode);

	ACTOR_CHECK(fd >= 0);
	close(fd);
}

static void place(int fd, int number)
{
	ACTOR_CHECK(fd >= 0 && dup2(fd, number) == number);
	close(fd);
}

static void prepare(void)
{
	umask(0);
	ACTOR_CHECK(getcwd(absolute, 256));
	strcat(absolute, "/absolute");
	ACTOR_CHECK(mkdir("sub", 0755) == 0 && symlink("sub", "soft2") == 0 &&
		    symlink("file", "soft") == 0);
	make_file("file", 0600);
	make_file("a", 0644);
	make_file("c", 0644);
	make_file("sub/a", 0644);
	make_file("sub/b", 0644);
	place(open("file", O_RDWR), FD_FILE);
	place(open("sub", O_RDONLY), FD_SUB);
	place(open(".", O_RDONLY), FD_HOME);
	place(inotify_init1(0), FD_INOTIFY);
	place((int)syscall(SYS_fanotify_init, FAN_CLASS_NOTIF, O_RDONLY), FD_FANOTIFY);
	ACTOR_CHECK(fstat(FD_FILE, &status) == 0);
	rows_note(0, "%llX", (unsigned long long)major(status.st_dev) << 20 | minor(status.st_dev));
	rows_note(1, "%llu", (unsigned long long)status.st_ino);
	handle.head.handle_bytes = MAX_HANDLE_SZ;
	ACTOR_CHECK(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount_id, 0) == 0);
}

static void prepare_renames(void)
{
	prepare();
	ACTOR_CHECK(unlink("soft") == 0 && unlink("c") == 0);
}

Test(live_files, names, .timeout = 300)
{
	rows_run(rename_rows, ARRAY_LEN(rename_rows), prepare_renames);
}

Test(live_files, changes, .timeout = 300)
{
	rows_run(change_rows, ARRAY_LEN(change_rows), prepare);
}

Test(live_files, looks, .timeout = 300)
{
	rows_run(look_rows, ARRAY_LEN(look_rows), prepare);
}
