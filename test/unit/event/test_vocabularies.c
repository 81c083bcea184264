/*
 * Vocabularies: how flags and enums print, and their portable numbers.
 */
#include <criterion/criterion.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>

#include "haetae/event.h"

static struct buf out;

static void setup(void)
{
	buf_init(&out, 4096);
}

static void teardown(void)
{
	buf_done(&out);
}

TestSuite(vocabularies, .init = setup, .fini = teardown);

struct word {
	const char *vocabulary;
	uint64_t value;
	const char *text;
	uint64_t portable;
};

static void check(const struct word *words, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const struct vocabulary *vocabulary = vocabulary_find(words[i].vocabulary);

		cr_assert_not_null(vocabulary, "%s", words[i].vocabulary);
		buf_clear(&out);
		vocabulary_format(vocabulary, words[i].value, &out);
		cr_expect(str_eq_text(buf_str(&out), words[i].text), "%s %#llx: %.*s",
			  words[i].vocabulary, (unsigned long long)words[i].value,
			  STR_ARG(buf_str(&out)));
		cr_expect_eq(vocabulary_portable(vocabulary, words[i].value), words[i].portable,
			     "%s: %#llx", words[i].text,
			     (unsigned long long)vocabulary_portable(vocabulary, words[i].value));
	}
}

/* The numbers of rules: libs, driver/ppm_events_public.h. */
Test(vocabularies, open_flags)
{
	static const struct word words[] = {
		{ "open_flags", O_RDONLY, "O_RDONLY", 1 },
		{ "open_flags", O_WRONLY, "O_WRONLY", 2 },
		{ "open_flags", O_RDWR, "O_RDWR", 3 },
		{ "open_flags", O_ACCMODE, "O_NONE", 0 },
		{ "open_flags", O_PATH, "O_NONE", 0 },
		{ "open_flags", O_RDONLY | O_CLOEXEC, "O_RDONLY|O_CLOEXEC", 4097 },
		{ "open_flags", O_WRONLY | O_CREAT | O_TRUNC, "O_TRUNC|O_CREAT|O_WRONLY",
		  2 | 4 | 256 },
		{ "open_flags", O_RDWR | O_APPEND | O_EXCL | O_CREAT,
		  "O_EXCL|O_APPEND|O_CREAT|O_RDWR", 3 | 8 | 32 | 4 },
		{ "open_flags", O_NONBLOCK | O_DIRECTORY | O_LARGEFILE,
		  "O_LARGEFILE|O_DIRECTORY|O_NONBLOCK|O_RDONLY", 1 | 64 | 1024 | 2048 },
		{ "open_flags", O_DIRECT | O_WRONLY, "O_DIRECT|O_WRONLY", 2 | 512 },
		{ "open_flags", O_DSYNC, "O_DSYNC|O_RDONLY", 1 | 16 },
		{ "open_flags", O_SYNC, "O_SYNC|O_DSYNC|O_RDONLY", 1 | 16 | 128 },
		{ "open_flags", O_TMPFILE | O_RDWR, "O_DIRECTORY|O_RDWR|O_TMPFILE",
		  3 | 1024 | 8192 },
		/* O_TMPFILE holds O_DIRECTORY's bit; that alone is not it. */
		{ "open_flags", O_DIRECTORY, "O_DIRECTORY|O_RDONLY", 1 | 1024 },
		/* Without a name in the vocabulary. */
		{ "open_flags", O_NOFOLLOW | O_NOATIME, "O_RDONLY", 1 },
	};

	check(words, ARRAY_LEN(words));
}

Test(vocabularies, flags)
{
	static const struct word words[] = {
		{ "exec_flags", 0, "0", 0 },
		{ "exec_flags", WIRE_FILE_SETUID, "0", 0 },
		{ "exec_flags", WIRE_FILE_WRITABLE, "EXE_WRITABLE", 1 },
		{ "exec_flags", WIRE_FILE_MEMFD | WIRE_FILE_UPPER_LAYER | WIRE_FILE_WRITABLE,
		  "EXE_WRITABLE|EXE_UPPER_LAYER|EXE_FROM_MEMFD", 7 },
		{ "exec_flags", WIRE_FILE_LOWER_LAYER, "EXE_LOWER_LAYER", 8 },
		{ "creat_flags", WIRE_FILE_CREATED | WIRE_FILE_UPPER_LAYER,
		  "O_F_CREATED|FD_UPPER_LAYER_CREAT", 1 << 14 | 1 << 15 },
		{ "openat2_resolve", RESOLVE_NO_XDEV | RESOLVE_BENEATH,
		  "RESOLVE_BENEATH|RESOLVE_NO_XDEV", 1 | 16 },
		{ "openat2_resolve",
		  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_CACHED,
		  "RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_CACHED",
		  2 | 4 | 8 | 32 },
		{ "unlinkat_flags", 0, "0", 0 },
		{ "unlinkat_flags", 0x200, "AT_REMOVEDIR", 0x200 },
		{ "unlinkat_flags", 0x8000, "32768", 0x8000 },
		{ "mode_bits", 04755,
		  "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|"
		  "S_ISUID",
		  04755 },
		{ "access_mode", 0, "F_OK", 0 },
		{ "access_mode", 6, "R_OK|W_OK", 6 },
		{ "mmap_prot", 0, "PROT_NONE", 0 },
		{ "mmap_prot", PROT_READ | PROT_WRITE | PROT_EXEC, "PROT_READ|PROT_WRITE|PROT_EXEC",
		  7 },
		{ "mmap_flags", MAP_PRIVATE | MAP_ANONYMOUS, "MAP_PRIVATE|MAP_ANONYMOUS", 10 },
		{ "mount_flags", 4096 | 16384, "BIND|REC", 4096 | 16384 },
		{ "mount_flags", 1u << 31, "NOUSER", 1u << 31 },
		{ "umount_flags", 2, "DETACH", 2 },
		{ "clone_flags", 0x10000000, "CLONE_NEWUSER", 1 << 20 },
		{ "clone_flags", 0x4000 | 0x100 | 17, "CLONE_VM|CLONE_VFORK", 1 << 15 | 1 << 27 },
		{ "memfd_flags", 3, "MFD_CLOEXEC|MFD_ALLOW_SEALING", 3 },
		{ "renameat2_flags", 4, "RENAME_WHITEOUT", 4 },
		{ "linkat_flags", 0x1400, "AT_SYMLINK_FOLLOW|AT_EMPTY_PATH", 0x1400 },
		{ "finit_module_flags", 3,
		  "MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_IGNORE_VERMAGIC", 3 },
		{ "delete_module_flags", O_NONBLOCK | O_TRUNC, "O_NONBLOCK|O_TRUNC", 3 },
	};

	check(words, ARRAY_LEN(words));
}

Test(vocabularies, enums)
{
	static const struct word words[] = {
		{ "socket_domain", 1, "AF_LOCAL|AF_UNIX", 1 },
		{ "socket_domain", 2, "AF_INET", 2 },
		{ "socket_domain", 16, "AF_ROUTE|AF_NETLINK", 16 },
		{ "socket_domain", 0, "AF_UNSPEC", 0 },
		{ "socket_domain", 40, "AF_VSOCK", 40 },
		{ "socket_domain", 200, "200", 200 },
		{ "bpf_command", 5, "BPF_PROG_LOAD", 5 },
		{ "bpf_command", 10, "BPF_PROG_TEST_RUN|BPF_PROG_RUN", 10 },
		{ "ptrace_request", 0, "PTRACE_TRACEME", 1 },
		{ "ptrace_request", 16, "PTRACE_ATTACH", 11 },
		{ "ptrace_request", 0x4206, "PTRACE_SEIZE", 20 },
		{ "ptrace_request", 5, "PTRACE_POKEDATA", 6 },
		{ "ptrace_request", 0x9999, "39321", 0 },
		{ "prctl_option", 15, "PR_SET_NAME", 15 },
		{ "fcntl_command", 0, "F_DUPFD", 1 },
		{ "fcntl_command", 1030, "F_DUPFD_CLOEXEC", 26 },
		{ "keyctl_operation", 8, "KEYCTL_LINK", 8 },
		{ "shutdown_how", 2, "SHUT_RDWR", 2 },
	};

	check(words, ARRAY_LEN(words));
}

Test(vocabularies, find)
{
	cr_expect_null(vocabulary_find("NONE"));
	cr_expect_null(vocabulary_find(""));
	/* Each vocabulary of the schema is found by its name. */
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		for (unsigned i = 0; i < schema->param_cnt; i++) {
			const struct vocabulary *vocabulary = schema->params[i].vocabulary;

			cr_expect(!vocabulary || vocabulary_find(vocabulary->name) == vocabulary,
				  "%s.%s", schema->name, schema->params[i].name);
			/* A flag or enum without names says nothing. */
			cr_expect(vocabulary || (schema->params[i].type != PARAM_FLAGS &&
						 schema->params[i].type != PARAM_ENUM));
		}
	}
}

Test(vocabularies, names)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {
		{ 0, "SUCCESS" },	 { 2, "ENOENT" },      { -2, "ENOENT" },
		{ -13, "EACCES" },	 { 11, "EAGAIN" },     { 35, "EDEADLK" },
		{ -115, "EINPROGRESS" }, { 133, "EHWPOISON" }, { -512, "ERESTARTSYS" },
		{ 524, "ENOTSUPP" },	 { 41, NULL },	       { 4096, NULL },
		{ INT32_MIN, NULL },	 { INT32_MAX, NULL },
	};
	static const struct {
		int number;
		const char *name;
	} signals[] = {
		{ 1, "SIGHUP" }, { 9, "SIGKILL" }, { 17, "SIGCHLD" }, { 31, "SIGSYS" },
		{ 0, NULL },	 { 32, NULL },	   { -1, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		const char *name = errno_name(errors[i].number);

		cr_expect(!name == !errors[i].name && (!name || !strcmp(name, errors[i].name)),
			  "%d: %s", errors[i].number, name ? name : "NULL");
	}
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		const char *name = signal_name(signals[i].number);

		cr_expect(!name == !signals[i].name && (!name || !strcmp(name, signals[i].name)),
			  "%d: %s", signals[i].number, name ? name : "NULL");
	}
	/* libc knows them too. */
	for (int number = 1; number < 134; number++) {
		const char *libc = strerrorname_np(number), *ours = errno_name(number);

		cr_expect(!libc == !ours && (!ours || !strcmp(libc, ours)), "%d", number);
	}
	for (int number = 1; number < 29; number++) /* 29 has two names */
		cr_expect_str_eq(signal_name(number) + 3, sigabbrev_np(number), "%d", number);
}
