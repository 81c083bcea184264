/*
 * Vocabularies of values that exclude each other. Numbers of the uapi headers of the build host;
 * newer ones stand as numbers. Portable numbers are the kernel's except where libs has its own
 * (ptrace, fcntl). Owns constant data only; any thread.
 */
#include <linux/fcntl.h>
#include <sys/socket.h>

#include "event_private.h"

#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
#define FAMILY(name) { name, name, #name }
static const struct flag_name domain_names[] = {
	{ 45, 45, "AF_MCTP" }, /* since 5.15 */
	{ 44, 44, "AF_XDP" }, { 43, 43, "AF_SMC" }, { 42, 42, "AF_QIPCRTR" }, { 41, 41, "AF_KCM" },
	FAMILY(AF_VSOCK), FAMILY(AF_NFC), FAMILY(AF_ALG), FAMILY(AF_CAIF), FAMILY(AF_IEEE802154),
	FAMILY(AF_PHONET), FAMILY(AF_ISDN), FAMILY(AF_RXRPC), FAMILY(AF_IUCV),
	FAMILY(AF_BLUETOOTH), FAMILY(AF_TIPC), FAMILY(AF_CAN), { 28, 28, "AF_MPLS" },
	{ 27, 27, "AF_IB" }, FAMILY(AF_LLC), FAMILY(AF_WANPIPE), FAMILY(AF_PPPOX), FAMILY(AF_IRDA),
	FAMILY(AF_SNA), FAMILY(AF_RDS), FAMILY(AF_ATMSVC), FAMILY(AF_ECONET), FAMILY(AF_ASH),
	FAMILY(AF_PACKET), FAMILY(AF_ROUTE), FAMILY(AF_NETLINK), FAMILY(AF_KEY),
	FAMILY(AF_SECURITY), FAMILY(AF_NETBEUI), FAMILY(AF_DECnet), FAMILY(AF_ROSE),
	FAMILY(AF_INET6), FAMILY(AF_X25), FAMILY(AF_ATMPVC), FAMILY(AF_BRIDGE), FAMILY(AF_NETROM),
	FAMILY(AF_APPLETALK), FAMILY(AF_IPX), FAMILY(AF_AX25), FAMILY(AF_INET), FAMILY(AF_LOCAL),
	FAMILY(AF_UNIX), FAMILY(AF_UNSPEC),
	END
};

static const struct flag_name shutdown_names[] = {
	{ 2, 2, "SHUT_RDWR" }, { 1, 1, "SHUT_WR" }, { 0, 0, "SHUT_RD" },
	END
};

/* include/uapi/linux/ptrace.h; those below 32 that are x86's own, arch/x86/include/uapi/asm/ptrace-abi.h */
static const struct flag_name ptrace_names[] = {
#ifdef __x86_64__
	{ 33, 38, "PTRACE_SINGLEBLOCK" },
	{ 32, 37, "PTRACE_SYSEMU_SINGLESTEP" },
	{ 31, 36, "PTRACE_SYSEMU" },
	{ 30, 35, "PTRACE_ARCH_PRCTL" },
	{ 26, 34, "PTRACE_SET_THREAD_AREA" },
	{ 25, 33, "PTRACE_GET_THREAD_AREA" },
	{ 21, 32, "PTRACE_OLDSETOPTIONS" },
	{ 19, 31, "PTRACE_SETFPXREGS" },
	{ 18, 30, "PTRACE_GETFPXREGS" },
	{ 15, 29, "PTRACE_SETFPREGS" },
	{ 14, 28, "PTRACE_GETFPREGS" },
	{ 13, 27, "PTRACE_SETREGS" },
	{ 12, 26, "PTRACE_GETREGS" },
#else
	{ 32, 37, "PTRACE_SYSEMU_SINGLESTEP" },
	{ 31, 36, "PTRACE_SYSEMU" },
	{ 33, 39, "PTRACE_PEEKMTETAGS" },
	{ 34, 40, "PTRACE_POKEMTETAGS" },
#endif
	{ 0x420b, 25, "PTRACE_SETSIGMASK" },
	{ 0x420a, 24, "PTRACE_GETSIGMASK" },
	{ 0x4209, 23, "PTRACE_PEEKSIGINFO" },
	{ 0x4208, 22, "PTRACE_LISTEN" },
	{ 0x4207, 21, "PTRACE_INTERRUPT" },
	{ 0x4206, 20, "PTRACE_SEIZE" },
	{ 0x4205, 19, "PTRACE_SETREGSET" },
	{ 0x4204, 18, "PTRACE_GETREGSET" },
	{ 0x4203, 17, "PTRACE_SETSIGINFO" },
	{ 0x4202, 16, "PTRACE_GETSIGINFO" },
	{ 0x4201, 15, "PTRACE_GETEVENTMSG" },
	{ 0x4200, 14, "PTRACE_SETOPTIONS" },
	/* No numbers in libs. */
	{ 0x420c, 41, "PTRACE_SECCOMP_GET_FILTER" },
	{ 0x420d, 42, "PTRACE_SECCOMP_GET_METADATA" },
	{ 0x420e, 43, "PTRACE_GET_SYSCALL_INFO" },
	{ 0x420f, 44, "PTRACE_GET_RSEQ_CONFIGURATION" },
	{ 0x4210, 45, "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG" },
	{ 0x4211, 46, "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG" },
	{ 0x4212, 47, "PTRACE_SET_SYSCALL_INFO" },
	{ 24, 13, "PTRACE_SYSCALL" },
	{ 17, 12, "PTRACE_DETACH" },
	{ 16, 11, "PTRACE_ATTACH" },
	{ 9, 10, "PTRACE_SINGLESTEP" },
	{ 8, 9, "PTRACE_KILL" },
	{ 7, 8, "PTRACE_CONT" },
	{ 6, 7, "PTRACE_POKEUSR" },
	{ 5, 6, "PTRACE_POKEDATA" },
	{ 4, 5, "PTRACE_POKETEXT" },
	{ 3, 4, "PTRACE_PEEKUSR" },
	{ 2, 3, "PTRACE_PEEKDATA" },
	{ 1, 2, "PTRACE_PEEKTEXT" },
	{ 0, 1, "PTRACE_TRACEME" },
	END
};

/* include/uapi/asm-generic/fcntl.h, linux/fcntl.h: F_LINUX_SPECIFIC_BASE is 1024 */
static const struct flag_name fcntl_names[] = {
	{ 1024 + 8, 29, "F_GETPIPE_SZ" },
	{ 1024 + 7, 28, "F_SETPIPE_SZ" },
	{ 1024 + 2, 27, "F_NOTIFY" },
	{ 1024 + 6, 26, "F_DUPFD_CLOEXEC" },
	{ 1024 + 5, 25, "F_CANCELLK" },
	{ 1024 + 1, 24, "F_GETLEASE" },
	{ 1024 + 0, 23, "F_SETLEASE" },
	{ 16, 22, "F_GETOWN_EX" },
	{ 15, 21, "F_SETOWN_EX" },
	{ 14, 19, "F_SETLKW64" },
	{ 13, 18, "F_SETLK64" },
	{ 12, 17, "F_GETLK64" },
	{ 11, 15, "F_GETSIG" },
	{ 10, 13, "F_SETSIG" },
	{ 9, 12, "F_GETOWN" },
	{ 8, 10, "F_SETOWN" },
	{ 7, 9, "F_SETLKW" },
	{ 6, 8, "F_SETLK" },
	{ 5, 6, "F_GETLK" },
	{ 4, 5, "F_SETFL" },
	{ 3, 4, "F_GETFL" },
	{ 2, 3, "F_SETFD" },
	{ 1, 2, "F_GETFD" },
	{ 0, 1, "F_DUPFD" },
	{ 36, 30, "F_OFD_GETLK" },
	{ 37, 31, "F_OFD_SETLK" },
	{ 38, 32, "F_OFD_SETLKW" },
	/* No numbers in libs. */
	{ 1024 + 9, 33, "F_ADD_SEALS" },
	{ 1024 + 10, 34, "F_GET_SEALS" },
	{ 1024 + 11, 35, "F_GET_RW_HINT" },
	{ 1024 + 12, 36, "F_SET_RW_HINT" },
	{ 1024 + 3, 37, "F_DUPFD_QUERY" },
	{ 1024 + 4, 38, "F_CREATED_QUERY" },
	END
};

/* enum bpf_cmd of include/uapi/linux/bpf.h, to 6.18 */
#define SAME(number, name) { number, number, name }
static const struct flag_name bpf_names[] = {
	SAME(0, "BPF_MAP_CREATE"), SAME(1, "BPF_MAP_LOOKUP_ELEM"), SAME(2, "BPF_MAP_UPDATE_ELEM"),
	SAME(3, "BPF_MAP_DELETE_ELEM"), SAME(4, "BPF_MAP_GET_NEXT_KEY"), SAME(5, "BPF_PROG_LOAD"),
	SAME(6, "BPF_OBJ_PIN"), SAME(7, "BPF_OBJ_GET"), SAME(8, "BPF_PROG_ATTACH"),
	SAME(9, "BPF_PROG_DETACH"), SAME(10, "BPF_PROG_TEST_RUN"), SAME(10, "BPF_PROG_RUN"),
	SAME(11, "BPF_PROG_GET_NEXT_ID"), SAME(12, "BPF_MAP_GET_NEXT_ID"),
	SAME(13, "BPF_PROG_GET_FD_BY_ID"), SAME(14, "BPF_MAP_GET_FD_BY_ID"),
	SAME(15, "BPF_OBJ_GET_INFO_BY_FD"), SAME(16, "BPF_PROG_QUERY"),
	SAME(17, "BPF_RAW_TRACEPOINT_OPEN"), SAME(18, "BPF_BTF_LOAD"),
	SAME(19, "BPF_BTF_GET_FD_BY_ID"), SAME(20, "BPF_TASK_FD_QUERY"),
	SAME(21, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"), SAME(22, "BPF_MAP_FREEZE"),
	SAME(23, "BPF_BTF_GET_NEXT_ID"), SAME(24, "BPF_MAP_LOOKUP_BATCH"),
	SAME(25, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"), SAME(26, "BPF_MAP_UPDATE_BATCH"),
	SAME(27, "BPF_MAP_DELETE_BATCH"), SAME(28, "BPF_LINK_CREATE"),
	SAME(29, "BPF_LINK_UPDATE"), SAME(30, "BPF_LINK_GET_FD_BY_ID"),
	SAME(31, "BPF_LINK_GET_NEXT_ID"), SAME(32, "BPF_ENABLE_STATS"),
	SAME(33, "BPF_ITER_CREATE"), SAME(34, "BPF_LINK_DETACH"), SAME(35, "BPF_PROG_BIND_MAP"),
	SAME(36, "BPF_TOKEN_CREATE"), SAME(37, "BPF_PROG_STREAM_READ_BY_FD"),
	END
};

/* include/uapi/linux/prctl.h */
static const struct flag_name prctl_names[] = {
	SAME(1, "PR_SET_PDEATHSIG"), SAME(2, "PR_GET_PDEATHSIG"),
	SAME(3, "PR_GET_DUMPABLE"), SAME(4, "PR_SET_DUMPABLE"),
	SAME(5, "PR_GET_UNALIGN"), SAME(6, "PR_SET_UNALIGN"),
	SAME(7, "PR_GET_KEEPCAPS"), SAME(8, "PR_SET_KEEPCAPS"),
	SAME(9, "PR_GET_FPEMU"), SAME(10, "PR_SET_FPEMU"),
	SAME(11, "PR_GET_FPEXC"), SAME(12, "PR_SET_FPEXC"),
	SAME(13, "PR_GET_TIMING"), SAME(14, "PR_SET_TIMING"),
	SAME(15, "PR_SET_NAME"), SAME(16, "PR_GET_NAME"),
	SAME(19, "PR_GET_ENDIAN"), SAME(20, "PR_SET_ENDIAN"),
	SAME(21, "PR_GET_SECCOMP"), SAME(22, "PR_SET_SECCOMP"),
	SAME(23, "PR_CAPBSET_READ"), SAME(24, "PR_CAPBSET_DROP"),
	SAME(25, "PR_GET_TSC"), SAME(26, "PR_SET_TSC"),
	SAME(27, "PR_GET_SECUREBITS"), SAME(28, "PR_SET_SECUREBITS"),
	SAME(29, "PR_SET_TIMERSLACK"), SAME(30, "PR_GET_TIMERSLACK"),
	SAME(31, "PR_TASK_PERF_EVENTS_DISABLE"), SAME(32, "PR_TASK_PERF_EVENTS_ENABLE"),
	SAME(33, "PR_MCE_KILL"), SAME(34, "PR_MCE_KILL_GET"), SAME(35, "PR_SET_MM"),
	SAME(36, "PR_SET_CHILD_SUBREAPER"), SAME(37, "PR_GET_CHILD_SUBREAPER"),
	SAME(38, "PR_SET_NO_NEW_PRIVS"), SAME(39, "PR_GET_NO_NEW_PRIVS"),
	SAME(40, "PR_GET_TID_ADDRESS"),
	SAME(41, "PR_SET_THP_DISABLE"), SAME(42, "PR_GET_THP_DISABLE"),
	SAME(43, "PR_MPX_ENABLE_MANAGEMENT"), SAME(44, "PR_MPX_DISABLE_MANAGEMENT"),
	SAME(45, "PR_SET_FP_MODE"), SAME(46, "PR_GET_FP_MODE"), SAME(47, "PR_CAP_AMBIENT"),
	SAME(50, "PR_SVE_SET_VL"), SAME(51, "PR_SVE_GET_VL"),
	SAME(52, "PR_GET_SPECULATION_CTRL"), SAME(53, "PR_SET_SPECULATION_CTRL"),
	SAME(54, "PR_PAC_RESET_KEYS"),
	SAME(55, "PR_SET_TAGGED_ADDR_CTRL"), SAME(56, "PR_GET_TAGGED_ADDR_CTRL"),
	SAME(57, "PR_SET_IO_FLUSHER"), SAME(58, "PR_GET_IO_FLUSHER"),
	SAME(59, "PR_SET_SYSCALL_USER_DISPATCH"),
	SAME(60, "PR_PAC_SET_ENABLED_KEYS"), SAME(61, "PR_PAC_GET_ENABLED_KEYS"),
	SAME(62, "PR_SCHED_CORE"), SAME(63, "PR_SME_SET_VL"), SAME(64, "PR_SME_GET_VL"),
	SAME(65, "PR_SET_MDWE"), SAME(66, "PR_GET_MDWE"),
	SAME(67, "PR_SET_MEMORY_MERGE"), SAME(68, "PR_GET_MEMORY_MERGE"),
	SAME(0x53564d41, "PR_SET_VMA"), SAME(0x59616d61, "PR_SET_PTRACER"),
	SAME(0x41555856, "PR_GET_AUXV"),
	END
};

/* include/uapi/linux/keyctl.h */
static const struct flag_name keyctl_names[] = {
	SAME(0, "KEYCTL_GET_KEYRING_ID"), SAME(1, "KEYCTL_JOIN_SESSION_KEYRING"),
	SAME(2, "KEYCTL_UPDATE"), SAME(3, "KEYCTL_REVOKE"), SAME(4, "KEYCTL_CHOWN"),
	SAME(5, "KEYCTL_SETPERM"), SAME(6, "KEYCTL_DESCRIBE"), SAME(7, "KEYCTL_CLEAR"),
	SAME(8, "KEYCTL_LINK"), SAME(9, "KEYCTL_UNLINK"), SAME(10, "KEYCTL_SEARCH"),
	SAME(11, "KEYCTL_READ"), SAME(12, "KEYCTL_INSTANTIATE"), SAME(13, "KEYCTL_NEGATE"),
	SAME(14, "KEYCTL_SET_REQKEY_KEYRING"), SAME(15, "KEYCTL_SET_TIMEOUT"),
	SAME(16, "KEYCTL_ASSUME_AUTHORITY"), SAME(17, "KEYCTL_GET_SECURITY"),
	SAME(18, "KEYCTL_SESSION_TO_PARENT"), SAME(19, "KEYCTL_REJECT"),
	SAME(20, "KEYCTL_INSTANTIATE_IOV"), SAME(21, "KEYCTL_INVALIDATE"),
	SAME(22, "KEYCTL_GET_PERSISTENT"), SAME(23, "KEYCTL_DH_COMPUTE"),
	SAME(24, "KEYCTL_PKEY_QUERY"), SAME(25, "KEYCTL_PKEY_ENCRYPT"),
	SAME(26, "KEYCTL_PKEY_DECRYPT"), SAME(27, "KEYCTL_PKEY_SIGN"),
	SAME(28, "KEYCTL_PKEY_VERIFY"), SAME(29, "KEYCTL_RESTRICT_KEYRING"),
	SAME(30, "KEYCTL_MOVE"), SAME(31, "KEYCTL_CAPABILITIES"), SAME(32, "KEYCTL_WATCH_KEY"),
	END
};
/* clang-format on */

/* clang-format off */
const struct vocabulary vocabulary_socket_domain = { "socket_domain", domain_names, true };
const struct vocabulary vocabulary_shutdown_how = { "shutdown_how", shutdown_names, true };
const struct vocabulary vocabulary_ptrace_request = { "ptrace_request", ptrace_names, true };
const struct vocabulary vocabulary_fcntl_command = { "fcntl_command", fcntl_names, true };
const struct vocabulary vocabulary_bpf_command = { "bpf_command", bpf_names, true };
const struct vocabulary vocabulary_prctl_option = { "prctl_option", prctl_names, true };
const struct vocabulary vocabulary_keyctl_operation = { "keyctl_operation", keyctl_names, true };
/* clang-format on */
