/*
 * Calls on the kernel, keys and memory: every parameter, on success and on failure. What would
 * change the machine (modules, kexec, reboot, swap, clocks) is only made to fail.
 */
#include "rows.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>

#define NO_SOCKET  " tuple=NULL socket_type=<NA>"
#define PAGE	   4096
#define FD_FILE	   90
#define FD_RING	   91
#define FD_NONE	   999
#define ADDRESS(x) ((uint64_t)(uintptr_t)(x))
#define BAD_MEMORY 8
/* The file and the ring behind these descriptors; rows_prepare() notes them. */
#define FILE_TEXT	"path=%d/file dev=%0 ino=%1 file_mode=100600(S_IWUSR|S_IRUSR|S_IFREG)"
#define RING_TEXT	"path=anon_inode:[io_uring] dev=* ino=* file_mode=*"
#define ANON_TEXT(name) "path=anon_inode:" name " dev=* ino=* file_mode=*"
#define NO_FILE		"path=<NA> dev=<NA> ino=<NA> file_mode=<NA>"
#define NO_VM		"vm_size=* vm_rss=* vm_swap=*"

static union bpf_attr map_attributes = {
	.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1
};
static struct perf_event_attr cpu_clock = { .type = PERF_TYPE_SOFTWARE,
					    .size = sizeof(cpu_clock),
					    .config = PERF_COUNT_SW_TASK_CLOCK,
					    .exclude_kernel = 1 };
static struct perf_event_attr no_event = { .type = 77, .size = sizeof(no_event), .config = 0xab };
static struct io_uring_params small_ring, bad_ring = { .flags = 1u << 31 };
/* Room for a head with four of its flexible ops[], which no C struct can hold in its midst. */
static uint32_t
	ring_probe[(sizeof(struct io_uring_probe) + 4 * sizeof(struct io_uring_probe_op)) / 4];
static const char image[] = "no\nmodule";
static int waiting_bytes;
static struct {
	int64_t seconds, rest;
} moment = { 12, 345 };
static char long_name[100];

/* clang-format off */
static const struct row rows[] = {
	{ "bpf: a map", SYS_bpf, { BPF_MAP_CREATE, ADDRESS(&map_attributes), sizeof(map_attributes) }, false,
	  "fd=%r cmd=0(BPF_MAP_CREATE) kind=2" },
	{ "bpf: no command", SYS_bpf, { 9999, BAD_MEMORY, 0 }, true, "fd=%r cmd=9999 kind=<NA>" },
	{ "init_module", SYS_init_module, { ADDRESS(image), sizeof(image) - 1, ADDRESS("a=1 b") }, true,
	  "res=%r img=no.module length=9 uargs=a=1 b" },
	{ "init_module: no memory", SYS_init_module, { BAD_MEMORY, 5, BAD_MEMORY }, true,
	  "res=%r img=NULL length=5 uargs=<NA>" },
	{ "finit_module", SYS_finit_module, { FD_FILE, ADDRESS("x=y"), 3 }, true,
	  "res=%r fd=90(<f>%d/file) uargs=x=y flags=3(MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_IGNORE_VERMAGIC) " FILE_TEXT },
	{ "finit_module: no file", SYS_finit_module, { FD_NONE, ADDRESS(""), 0 }, true,
	  "res=%r fd=999 uargs= flags=0 " NO_FILE },
	{ "delete_module", SYS_delete_module, { ADDRESS("none_of_that_name"), O_NONBLOCK }, true,
	  "res=%r name=none_of_that_name flags=*(O_NONBLOCK)" },
	{ "kexec_load", SYS_kexec_load, { 0x1234, 99, 0, 0x80000001 }, true,
	  "res=%r entry=1234 nr_segments=99 flags=*(KEXEC_ON_CRASH)" },
	{ "kexec_file_load", SYS_kexec_file_load, { FD_FILE, (uint64_t)-1, 4, ADDRESS("a b"), 0x80000000 }, true,
	  "res=%r fd=90(<f>%d/file) initrd_fd=-1(EPERM) cmdline=a b flags=2147483648 " FILE_TEXT },
	{ "reboot: wrong magic", SYS_reboot, { 1, 2, 0x4321fedc, 0 }, true,
	  "res=%r cmd=1126301404(LINUX_REBOOT_CMD_POWER_OFF)" },
	{ "perf_event_open", SYS_perf_event_open, { ADDRESS(&cpu_clock), 0, (uint64_t)-1, (uint64_t)-1, 0 }, false,
	  "fd=*(<o>anon_inode:[perf_event]) type=1(PERF_TYPE_SOFTWARE) config=1 pid=0 cpu=-1 group_fd=-1 flags=0 "
	  ANON_TEXT("[perf_event]") },
	{ "perf_event_open: none", SYS_perf_event_open, { ADDRESS(&no_event), 0, (uint64_t)-1, (uint64_t)-1, 8 }, true,
	  "fd=%r type=77 config=AB pid=0 cpu=-1 group_fd=-1 flags=8 " NO_FILE },
	{ "userfaultfd", SYS_userfaultfd, { O_CLOEXEC }, false,
	  "res=* flags=4096(O_CLOEXEC) " ANON_TEXT("[userfaultfd]") },
	{ "userfaultfd: wrong flags", SYS_userfaultfd, { 0x100000 }, true, "res=%r flags=* " NO_FILE },
	{ "mmap: a file", SYS_mmap, { 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, FD_FILE, 0 }, false,
	  "res=%r " NO_VM " addr=0 length=4096 prot=5(PROT_READ|PROT_EXEC) flags=2(MAP_PRIVATE) "
	  "fd=90(<f>%d/file) offset=0 " FILE_TEXT },
	{ "mmap: no file", SYS_mmap, { 0x500000000000, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0 }, false,
	  "res=%r " NO_VM " addr=500000000000 length=4096 prot=3(PROT_READ|PROT_WRITE) flags=*(MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS) "
	  "fd=-1(EPERM) offset=0 " NO_FILE },
	{ "mmap: nothing", SYS_mmap, { 0, 0, 0, MAP_SHARED, FD_FILE, PAGE }, true,
	  "res=%r " NO_VM " addr=0 length=0 prot=0(PROT_NONE) flags=1(MAP_SHARED) fd=90(<f>%d/file) offset=4096 " FILE_TEXT },
	{ "mprotect", SYS_mprotect, { 0x500000000000, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC }, false,
	  "res=0 addr=500000000000 length=4096 prot=7(PROT_READ|PROT_WRITE|PROT_EXEC)" },
	{ "mprotect: nothing there", SYS_mprotect, { 1, PAGE, PROT_NONE }, true,
	  "res=%r addr=1 length=4096 prot=0(PROT_NONE)" },
	{ "pkey_mprotect", SYS_pkey_mprotect, { 0x500000000000, PAGE, PROT_READ, (uint64_t)-1 }, false,
	  "res=0 addr=500000000000 length=4096 prot=1(PROT_READ) pkey=-1" },
	{ "pkey_mprotect: no key", SYS_pkey_mprotect, { 0x500000000000, PAGE, PROT_READ, 99 }, true,
	  "res=%r addr=500000000000 length=4096 prot=1(PROT_READ) pkey=99" },
	{ "mremap", SYS_mremap, { 0x500000000000, PAGE, 2 * PAGE, MREMAP_MAYMOVE }, false,
	  "res=%r addr=500000000000 old_size=4096 size=8192 flags=1(MREMAP_MAYMOVE)" },
	{ "mremap: wrong flags", SYS_mremap, { 0x500000000000, PAGE, PAGE, 0x80 }, true,
	  "res=%r addr=500000000000 old_size=4096 size=4096 flags=128" },
	{ "munmap", SYS_munmap, { 0x510000000000, PAGE }, false, "res=0 " NO_VM " addr=510000000000 length=4096" },
	{ "munmap: not a page", SYS_munmap, { 1, PAGE }, true, "res=%r " NO_VM " addr=1 length=4096" },
	{ "io_uring_setup", SYS_io_uring_setup, { 3, ADDRESS(&small_ring) }, false,
	  "res=* entries=3 sq_entries=4 cq_entries=8 flags=0 sq_thread_cpu=0 sq_thread_idle=0 features=* " RING_TEXT },
	{ "io_uring_setup: wrong flags", SYS_io_uring_setup, { 3, ADDRESS(&bad_ring) }, true,
	  "res=%r entries=3 sq_entries=0 cq_entries=0 flags=2147483648 sq_thread_cpu=0 sq_thread_idle=0 features=0 " NO_FILE },
	{ "io_uring_enter", SYS_io_uring_enter, { FD_RING, 0, 0, 1, 0 }, false,
	  "res=0 fd=91(<r>anon_inode:[io_uring]) to_submit=0 min_complete=0 flags=1(IORING_ENTER_GETEVENTS) sig=0 " RING_TEXT },
	{ "io_uring_enter: no ring", SYS_io_uring_enter, { FD_FILE, 2, 3, 0, 0x77 }, true,
	  "res=%r fd=90(<f>%d/file) to_submit=2 min_complete=3 flags=0 sig=77 " FILE_TEXT },
	{ "io_uring_register", SYS_io_uring_register, { FD_RING, IORING_REGISTER_PROBE, ADDRESS(ring_probe), 4 }, false,
	  "res=0 fd=91(<r>anon_inode:[io_uring]) opcode=8(IORING_REGISTER_PROBE) arg=* nr_args=4 " RING_TEXT },
	{ "io_uring_register: none", SYS_io_uring_register, { FD_RING, 4000, 0xabc, 1 }, true,
	  "res=%r fd=91(<r>anon_inode:[io_uring]) opcode=4000 arg=ABC nr_args=1 " RING_TEXT },
	{ "keyctl", SYS_keyctl, { KEYCTL_GET_KEYRING_ID, (uint64_t)-2, 1, 0x44, 0x55 }, false,
	  "res=%r operation=0(KEYCTL_GET_KEYRING_ID) arg2=FFFFFFFFFFFFFFFE arg3=1 arg4=44 arg5=55" },
	{ "keyctl: none", SYS_keyctl, { 9999, 1, 2, 3, 4 }, true, "res=%r operation=9999 arg2=1 arg3=2 arg4=3 arg5=4" },
	{ "add_key", SYS_add_key, { ADDRESS("user"), ADDRESS("haetae:test"), ADDRESS("secret"), 6, (uint64_t)-2 }, false,
	  "res=%r type=user description=haetae:test length=6 keyring=-2" },
	{ "add_key: no type", SYS_add_key, { ADDRESS("nonesuch"), ADDRESS("d"), 0, 0, (uint64_t)-2 }, true,
	  "res=%r type=nonesuch description=d length=0 keyring=-2" },
	{ "request_key", SYS_request_key, { ADDRESS("user"), ADDRESS("haetae:test"), 0, 0 }, false,
	  "res=%r type=user description=haetae:test keyring=0" },
	{ "request_key: none", SYS_request_key, { ADDRESS("user"), ADDRESS("haetae:none"), 0, 0 }, true,
	  "res=%r type=user description=haetae:none keyring=0" },
	{ "ioctl", SYS_ioctl, { FD_FILE, FIONREAD, ADDRESS(&waiting_bytes) }, false,
	  "res=0 fd=90(<f>%d/file) request=541B argument=* " FILE_TEXT NO_SOCKET },
	{ "ioctl: no terminal", SYS_ioctl, { FD_FILE, TCGETS, 0x99 }, true,
	  "res=%r fd=90(<f>%d/file) request=5401 argument=99 " FILE_TEXT NO_SOCKET },
	{ "ioctl: no file", SYS_ioctl, { FD_NONE, 1, 2 }, true, "res=%r fd=999 request=1 argument=2 " NO_FILE NO_SOCKET },
	{ "quotactl", SYS_quotactl, { 0x80000700, ADDRESS("file"), 12, BAD_MEMORY }, true,
	  "res=%r cmd=80000700 special=file(%d/file) id=12 dirpath=%d" },
	{ "swapon", SYS_swapon, { ADDRESS("/nowhere/swap"), 0x8005 }, true,
	  "res=%r path=/nowhere/swap flags=8005 dirpath=<NA>" },
	{ "swapoff", SYS_swapoff, { ADDRESS("nowhere") }, true, "res=%r path=nowhere(%d/nowhere) dirpath=%d" },
	{ "acct", SYS_acct, { ADDRESS("/nowhere/acct") }, true, "res=%r path=/nowhere/acct dirpath=<NA>" },
	{ "sethostname", SYS_sethostname, { ADDRESS("haetae"), 6 }, false, "res=0 name=haetae" },
	{ "sethostname: too long", SYS_sethostname, { ADDRESS(long_name), sizeof(long_name) }, true, "res=%r name=%2" },
	{ "setdomainname", SYS_setdomainname, { ADDRESS("a.test"), 6 }, false, "res=0 name=a.test" },
	{ "setdomainname: no memory", SYS_setdomainname, { BAD_MEMORY, 4 }, true, "res=%r name=NULL" },
	{ "syslog", SYS_syslog, { 10, 0, 0 }, false, "res=%r type=10(SYSLOG_ACTION_SIZE_BUFFER) len=0" },
	{ "syslog: none", SYS_syslog, { 77, 0, (uint64_t)-5 }, true, "res=%r type=77 len=-5" },
#ifdef SYS_iopl
	{ "iopl", SYS_iopl, { 0 }, false, "res=%r level=0" },
	{ "iopl: too much", SYS_iopl, { 9 }, true, "res=%r level=9" },
	{ "ioperm", SYS_ioperm, { 0x80, 1, 0 }, false, "res=%r from=80 num=1 turn_on=0" },
	{ "ioperm: no port", SYS_ioperm, { 70000, 1, 1 }, true, "res=%r from=11170 num=1 turn_on=1" },
#endif
	{ "clock_settime: no clock", SYS_clock_settime, { 999, ADDRESS(&moment) }, true,
	  "res=%r clockid=999 sec=12 nsec=345" },
	{ "settimeofday: no address", SYS_settimeofday, { BAD_MEMORY, BAD_MEMORY }, true, "res=%r sec=<NA> usec=<NA>" },
};
/* clang-format on */

static void prepare(void)
{
	struct io_uring_params parameters = { 0 };
	struct stat status;
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	ACTOR_CHECK(fd >= 0 && dup2(fd, FD_FILE) == FD_FILE && fstat(fd, &status) == 0);
	close(fd);
	rows_note(0, "%llX",
		  (unsigned long long)makedev(0, 0) |
			  (unsigned long long)major(status.st_dev) << 20 | minor(status.st_dev));
	rows_note(1, "%llu", (unsigned long long)status.st_ino);
	memset(long_name, 'n', sizeof(long_name));
	rows_note(2, "%.80s", long_name);
	fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);
	ACTOR_CHECK(fd >= 0 && dup2(fd, FD_RING) == FD_RING);
	close(fd);
	ACTOR_CHECK(unshare(CLONE_NEWUTS) == 0);
	/* Before 5.11 a map is charged to it; who may not raise it runs a newer kernel. */
	(void)setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
}

Test(live_kernel, every_parameter_is_what_libc_says, .timeout = 300)
{
	rows_run(rows, ARRAY_LEN(rows), prepare);
}
