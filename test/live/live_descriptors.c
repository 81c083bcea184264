/*
 * Calls on descriptors: copies, reads and writes, and what makes an object without a path. Every
 * parameter, on success and on failure.
 */
#include "rows.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define NO_SOCKET   " tuple=NULL socket_type=<NA>"
#define FD_FILE	    90
#define FD_PIPE	    91 /* the end to write to; 92 to read from */
#define FD_PIPE_OUT 92
#define FD_COPY	    93
#define FD_NONE	    999
#define TEXT(x)	    ((uint64_t)(uintptr_t)(x))
#define BAD_MEMORY  8
/* The file behind FD_FILE; prepare() notes its numbers. */
#define FILE_TEXT  "path=%d/file dev=%0 ino=%1 file_mode=100600(S_IWUSR|S_IRUSR|S_IFREG)"
#define NO_FILE	   "path=<NA> dev=<NA> ino=<NA> file_mode=<NA>"
#define ANON(name) "path=anon_inode:" name " dev=* ino=* file_mode=*"
#define THE_FILE   "90(<f>%d/file)"
/* 100 bytes; a record holds 80. */
#define TEN	"0123456789"
#define EIGHTY	TEN TEN TEN TEN TEN TEN TEN TEN
#define HUNDRED EIGHTY TEN TEN

static char room[200];
static const char more[] = "more";
static const struct iovec pieces[] = { { (void *)(uintptr_t) "one,", 4 },
				       { NULL, 0 },
				       { (void *)(uintptr_t)HUNDRED, 100 } };
static const struct iovec rooms[] = { { room, 3 }, { room + 50, 4 }, { room + 100, 100 } };
static const struct iovec bad[] = { { (void *)BAD_MEMORY, 5 } };
static int64_t offset = 2, other_offset = 200;
static uint64_t signals = 4;
static int pipe_ends[2];

/* clang-format off */
static const struct row copy_rows[] = {
	{ "dup", SYS_dup, { FD_FILE }, false, "res=*(<f>%d/file) oldfd=90 " FILE_TEXT NO_SOCKET },
	{ "dup: none", SYS_dup, { FD_NONE }, true, "res=%r oldfd=999 " NO_FILE NO_SOCKET },
	{ "dup2", SYS_dup2, { FD_FILE, FD_COPY }, false, "res=93(<f>%d/file) oldfd=90 newfd=93 " FILE_TEXT NO_SOCKET },
	{ "dup2: none", SYS_dup2, { FD_NONE, FD_COPY }, true, "res=%r oldfd=999 newfd=93 " NO_FILE NO_SOCKET },
	{ "dup3", SYS_dup3, { FD_FILE, FD_COPY, O_CLOEXEC }, false,
	  "res=93(<f>%d/file) oldfd=90 newfd=93 flags=4096(O_CLOEXEC) " FILE_TEXT NO_SOCKET },
	{ "dup3: the same", SYS_dup3, { FD_FILE, FD_FILE, 0 }, true, "res=%r oldfd=90 newfd=90 flags=0 " NO_FILE NO_SOCKET },
	{ "fcntl", SYS_fcntl, { FD_FILE, F_DUPFD, 200 }, false, "res=200 fd=" THE_FILE " cmd=1(F_DUPFD) arg=200 " FILE_TEXT NO_SOCKET },
	{ "fcntl: none", SYS_fcntl, { FD_NONE, F_GETFD, 7 }, true, "res=%r fd=999 cmd=2(F_GETFD) arg=7 " NO_FILE NO_SOCKET },
	{ "close", SYS_close, { 200 }, false, "res=0 fd=200" },
	{ "close: none", SYS_close, { FD_NONE }, true, "res=%r fd=999" },
	{ "close_range", SYS_close_range, { 500, 510, CLOSE_RANGE_UNSHARE }, false,
	  "res=%r first=500 last=510 flags=2(CLOSE_RANGE_UNSHARE)" },
	{ "close_range: backwards", SYS_close_range, { 5, 3, 0 }, true, "res=%r first=5 last=3 flags=0" },
	{ "pipe", SYS_pipe, { TEXT(pipe_ends) }, false, "res=0 fd1=* fd2=* ino=*" },
	{ "pipe: no memory", SYS_pipe, { BAD_MEMORY }, true, "res=%r fd1=<NA> fd2=<NA> ino=<NA>" },
	{ "pipe2", SYS_pipe2, { TEXT(pipe_ends), O_NONBLOCK | O_CLOEXEC }, false,
	  "res=0 fd1=* fd2=* ino=* flags=4160(O_NONBLOCK|O_CLOEXEC)" },
	{ "pipe2: wrong flags", SYS_pipe2, { TEXT(pipe_ends), 1 }, true, "res=%r fd1=<NA> fd2=<NA> ino=<NA> flags=*" },
	{ "eventfd", SYS_eventfd, { 5 }, false, "res=*(<e>anon_inode:[eventfd]) initval=5 " ANON("[eventfd]") },
	{ "eventfd2", SYS_eventfd2, { 5, EFD_NONBLOCK | EFD_SEMAPHORE }, false,
	  "res=*(<e>anon_inode:[eventfd]) initval=5 flags=65(EFD_SEMAPHORE|O_NONBLOCK) " ANON("[eventfd]") },
	{ "eventfd2: wrong flags", SYS_eventfd2, { 5, 0x10 }, true, "res=%r initval=5 flags=* " NO_FILE },
	{ "inotify_init", SYS_inotify_init, { 0 }, false, "res=*(<i>anon_inode:inotify) " ANON("inotify") },
	{ "inotify_init1", SYS_inotify_init1, { O_CLOEXEC }, false,
	  "res=*(<i>anon_inode:inotify) flags=4096(O_CLOEXEC) " ANON("inotify") },
	{ "inotify_init1: wrong flags", SYS_inotify_init1, { 1 }, true, "res=%r flags=* " NO_FILE },
	{ "epoll_create", SYS_epoll_create, { 3 }, false, "res=*(<l>anon_inode:[eventpoll]) size=3 " ANON("[eventpoll]") },
	{ "epoll_create: no size", SYS_epoll_create, { (uint64_t)-1 }, true, "res=%r size=-1 " NO_FILE },
	{ "epoll_create1", SYS_epoll_create1, { 0 }, false, "res=*(<l>anon_inode:[eventpoll]) flags=0 " ANON("[eventpoll]") },
	{ "epoll_create1: wrong flags", SYS_epoll_create1, { 0x10 }, true, "res=%r flags=* " NO_FILE },
	{ "timerfd_create", SYS_timerfd_create, { CLOCK_MONOTONIC, TFD_NONBLOCK }, false,
	  "res=*(<t>anon_inode:[timerfd]) clockid=1 flags=64(O_NONBLOCK) " ANON("[timerfd]") },
	{ "timerfd_create: no clock", SYS_timerfd_create, { 99, 0 }, true, "res=%r clockid=99 flags=0 " NO_FILE },
	{ "signalfd4", SYS_signalfd4, { (uint64_t)-1, TEXT(&signals), 8, 0 }, false,
	  "res=*(<s>anon_inode:[signalfd]) oldfd=-1(EPERM) mask=4 flags=0 " ANON("[signalfd]") },
	{ "signalfd4: a file", SYS_signalfd4, { FD_FILE, TEXT(&signals), 8, 0 }, true,
	  "res=%r oldfd=90 mask=4 flags=0 " NO_FILE },
};

static const struct row data_rows[] = {
	{ "write", SYS_write, { FD_FILE, TEXT(HUNDRED), 100 }, false, "res=100 data=" EIGHTY " fd=" THE_FILE " size=100 " FILE_TEXT NO_SOCKET },
	{ "write: no memory", SYS_write, { FD_FILE, BAD_MEMORY, 100 }, true, "res=%r data=NULL fd=" THE_FILE " size=100 " FILE_TEXT NO_SOCKET },
	{ "pwrite64", SYS_pwrite64, { FD_FILE, TEXT(more), 4, 100 }, false, "res=4 data=more fd=" THE_FILE " size=4 pos=100 " FILE_TEXT },
	{ "pwrite64: before the file", SYS_pwrite64, { FD_FILE, TEXT(more), 4, (uint64_t)-1 }, true,
	  "res=%r data=more fd=" THE_FILE " size=4 pos=-1 " FILE_TEXT },
	{ "pread64", SYS_pread64, { FD_FILE, TEXT(room), 200, 98 }, false, "res=6 data=89more fd=" THE_FILE " size=200 pos=98 " FILE_TEXT },
	{ "pread64: none", SYS_pread64, { FD_NONE, TEXT(room), 200, 0 }, true, "res=%r data=NULL fd=999 size=200 pos=0 " NO_FILE },
	{ "read", SYS_read, { FD_FILE, TEXT(room), 200 }, false, "res=4 data=more fd=" THE_FILE " size=200 " FILE_TEXT NO_SOCKET },
	{ "read: the end", SYS_read, { FD_FILE, TEXT(room), 200 }, false, "res=0 data=NULL fd=" THE_FILE " size=200 " FILE_TEXT NO_SOCKET },
	{ "read: no memory", SYS_pread64, { FD_FILE, BAD_MEMORY, 4, 0 }, true, "res=%r data=NULL fd=" THE_FILE " size=4 pos=0 " FILE_TEXT },
	{ "writev", SYS_writev, { FD_FILE, TEXT(pieces), 3 }, false,
	  "res=104 size=104 data=one," TEN TEN TEN TEN TEN TEN TEN "012345 fd=" THE_FILE " " FILE_TEXT NO_SOCKET },
	{ "writev: no memory", SYS_writev, { FD_FILE, TEXT(bad), 1 }, true, "res=%r size=5 data=NULL fd=" THE_FILE " " FILE_TEXT NO_SOCKET },
	{ "pwritev", SYS_pwritev, { FD_FILE, TEXT(pieces), 1, 50 }, false, "res=4 size=4 data=one, fd=" THE_FILE " pos=50 " FILE_TEXT },
	{ "pwritev: none", SYS_pwritev, { FD_NONE, TEXT(pieces), 1, 0 }, true, "res=%r size=4 data=one, fd=999 pos=0 " NO_FILE },
	{ "preadv", SYS_preadv, { FD_FILE, TEXT(rooms), 3, 99 }, false,
	  "res=107 size=107 data=9moreone," TEN TEN TEN TEN TEN TEN TEN "0 fd=" THE_FILE " pos=99 " FILE_TEXT },
	{ "preadv: few", SYS_preadv, { FD_FILE, TEXT(rooms), 3, 203 }, false, "res=5 size=107 data=56789 fd=" THE_FILE " pos=203 " FILE_TEXT },
	{ "preadv: no address", SYS_preadv, { FD_FILE, BAD_MEMORY, 1, 0 }, true, "res=%r size=0 data=NULL fd=" THE_FILE " pos=0 " FILE_TEXT },
	{ "readv: the end", SYS_readv, { FD_FILE, TEXT(rooms), 3 }, false, "res=0 size=107 data=NULL fd=" THE_FILE " " FILE_TEXT NO_SOCKET },
	{ "readv: none", SYS_readv, { FD_NONE, TEXT(rooms), 3 }, true, "res=%r size=107 data=NULL fd=999 " NO_FILE NO_SOCKET },
	{ "preadv2", SYS_preadv2, { FD_FILE, TEXT(rooms), 1, 0, 0, 0 }, false, "res=3 size=3 data=012 fd=" THE_FILE " pos=0 flags=0 " FILE_TEXT NO_SOCKET },
	{ "preadv2: wrong flags", SYS_preadv2, { FD_FILE, TEXT(rooms), 1, 0, 0, 0x80000000 }, true,
	  "res=%r size=3 data=NULL fd=" THE_FILE " pos=0 flags=80000000 " FILE_TEXT NO_SOCKET },
	{ "pwritev2", SYS_pwritev2, { FD_FILE, TEXT(pieces), 1, 0, 0, 0 }, false, "res=4 size=4 data=one, fd=" THE_FILE " pos=0 flags=0 " FILE_TEXT NO_SOCKET },
	{ "pwritev2: wrong flags", SYS_pwritev2, { FD_FILE, TEXT(pieces), 1, 0, 0, 0x80000000 }, true,
	  "res=%r size=4 data=one, fd=" THE_FILE " pos=0 flags=80000000 " FILE_TEXT NO_SOCKET },
	{ "sendfile", SYS_sendfile, { FD_PIPE, FD_FILE, TEXT(&offset), 5 }, false,
	  "res=5 offset=7 out_fd=91(<p>pipe:[]) in_fd=" THE_FILE " size=5 out_path=pipe:[] in_path=%d/file" },
	{ "sendfile: none", SYS_sendfile, { FD_FILE, FD_NONE, 0, 5 }, true,
	  "res=%r offset=<NA> out_fd=" THE_FILE " in_fd=999 size=5 out_path=%d/file in_path=<NA>" },
	{ "splice", SYS_splice, { FD_PIPE_OUT, 0, FD_FILE, TEXT(&other_offset), 2, 1 }, false,
	  "res=2 fd_in=92(<p>pipe:[]) fd_out=" THE_FILE " size=2 flags=1(SPLICE_F_MOVE) path_in=pipe:[] path_out=%d/file" },
	{ "splice: no pipe", SYS_splice, { FD_FILE, 0, FD_FILE, 0, 2, 0 }, true,
	  "res=%r fd_in=" THE_FILE " fd_out=" THE_FILE " size=2 flags=0 path_in=%d/file path_out=%d/file" },
	{ "copy_file_range", SYS_copy_file_range, { FD_FILE, TEXT(&offset), FD_FILE, TEXT(&other_offset), 3, 0 }, false,
	  "res=3 fdout=" THE_FILE " offout=205 fdin=" THE_FILE " offin=10 len=3 pathout=%d/file pathin=%d/file" },
	{ "copy_file_range: none", SYS_copy_file_range, { FD_NONE, 0, FD_FILE, 0, 3, 0 }, true,
	  "res=%r fdout=" THE_FILE " offout=<NA> fdin=999 offin=<NA> len=3 pathout=%d/file pathin=<NA>" },
};
/* clang-format on */

static void place(int fd, int number)
{
	ACTOR_CHECK(fd >= 0 && dup2(fd, number) == number);
	close(fd);
}

static void prepare(void)
{
	struct stat status;
	int ends[2];

	place(open("file", O_CREAT | O_RDWR, 0600), FD_FILE);
	ACTOR_CHECK(fstat(FD_FILE, &status) == 0 && pipe(ends) == 0);
	place(ends[1], FD_PIPE);
	place(ends[0], FD_PIPE_OUT);
	rows_note(0, "%llX", (unsigned long long)major(status.st_dev) << 20 | minor(status.st_dev));
	rows_note(1, "%llu", (unsigned long long)status.st_ino);
	/* Only memory that is there can be read by BPF. */
	memset(room, '.', sizeof(room));
}

Test(live_descriptors, copies, .timeout = 300)
{
	rows_run(copy_rows, ARRAY_LEN(copy_rows), prepare);
}

Test(live_descriptors, data, .timeout = 300)
{
	rows_run(data_rows, ARRAY_LEN(data_rows), prepare);
}
