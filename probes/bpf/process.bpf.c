/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process tree: a program started (sched_process_exec), failed to start (its system call), a
 * process was made (sched_process_fork) or has ended (sched_process_exit). All in the lifecycle
 * ring. Arguments and environment are copied last, into the space that the paths have left.
 */
#include "credentials.h"
#include "path.h"
#include "prog.h"

enum object_slot {
	SLOT_EXE,
	SLOT_CWD,
	SLOT_DIRECTORY,
};

#define ARGV_SHORT_BYTES 256 /* decision 20 */
#define ARGV_CHUNK	 4096
/* What argv leaves to the environment, where that is wanted. */
#define ENV_RESERVE 4096
/* An argument of a program is at most 32 pages (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h). */
#define ARGV0_CHUNKS 32
/* Arguments that are read of a call that failed; more are cut. */
#define ARGV_POINTERS 128

/* The parameters that EXECVE and EXECVEAT share, by number. */
#define E(name) PARAM_EXECVE_##name
_Static_assert(E(filename) == PARAM_EXECVEAT_filename && E(env) == PARAM_EXECVEAT_env &&
		       E(dirpath) == PARAM_EXECVEAT_dirpath &&
		       E(euid_before) == PARAM_EXECVEAT_euid_before &&
		       E(_COUNT) == PARAM_EXECVEAT__COUNT,
	       "execve and execveat have one layout");

static __always_inline void put_memory(struct frame *frame, struct mm_struct *mm)
{
	put_u64(frame, E(vm_size), READ(mm, total_vm) * settings.page_kib);
	put_u64(frame, E(vm_rss),
		(MM_PAGES(mm, 0) + MM_PAGES(mm, 1) + MM_PAGES(mm, 3)) * settings.page_kib);
	put_u64(frame, E(vm_swap), MM_PAGES(mm, 2) * settings.page_kib);
}

static __always_inline void put_task_state(struct frame *frame, struct task_struct *task)
{
	struct fs_struct *fs = READ(task, fs);
	struct mm_struct *mm = READ(task, mm);

	put_s64(frame, E(res), frame->result);
	put_u64(frame, E(fdlimit), READ(READ(task, signal), rlim[RLIMIT_NOFILE].rlim_cur));
	put_u64(frame, E(pgft_maj), READ(task, maj_flt));
	put_u64(frame, E(pgft_min), READ(task, min_flt));
	if (mm)
		put_memory(frame, mm);
	if (fs)
		put_object(frame, SLOT_CWD, E(cwd), READ(fs, pwd.dentry), READ(fs, pwd.mnt));
}

static __always_inline void put_executable(struct frame *frame, struct task_struct *task)
{
	struct mm_struct *mm = READ(task, mm);
	struct file *file = mm ? READ(mm, exe_file) : NULL;
	struct inode *inode = file ? READ(file, f_inode) : NULL;

	if (!inode)
		return;
	put_u64(frame, E(flags), file_bits(file, inode, READ(task, cred)));
	put_u64(frame, E(exe_ino), READ(inode, i_ino));
	put_u64(frame, E(exe_ino_ctime), inode_ctime_ns(inode));
	put_u64(frame, E(exe_ino_mtime), inode_mtime_ns(inode));
	put_file_path(frame, SLOT_EXE, E(trusted_exepath), file);
}

/* Before 5.9 a path of execveat is known only by its form (fs/exec.c). */
static __always_inline bool is_execveat(struct linux_binprm *bprm)
{
	char head[8] = {};

	if (bpf_core_field_exists(bprm->fdpath))
		return READ(bprm, fdpath) != NULL;
	(void)bpf_probe_read_kernel(head, sizeof(head), READ(bprm, filename));
	return *(__u64 *)head == *(__u64 *)"/dev/fd/";
}

SEC("tp_btf/sched_process_exec")
int tp_exec(__u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];
	struct linux_binprm *bprm = (struct linux_binprm *)context[2];
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct credentials before = {};
	struct mm_struct *mm;
	struct frame *frame;
	const char *filename, *interp;
	__u32 type;

	if (!is_observed(task, pid_tgid >> 32))
		return 0;
	type = is_execveat(bprm) ? EVENT_EXECVEAT : EVENT_EXECVE;
	count_generated(type);
	credentials_of_exec(task, (__u32)context[1], &before);
	frame = frame_acquire(type, pid_tgid);
	if (!frame)
		return 0;
	frame_start(frame, type, PARAM_EXECVE__COUNT);
	frame->is_lifecycle = 1;
	frame->after_paths = CHAIN_ARGUMENTS;
	frame->call_nr = WIRE_NO_SYSCALL;
	put_task_state(frame, task);
	put_executable(frame, task);
	if (before.start_ns) {
		put_u64(frame, E(euid_before), before.euid);
		put_u64(frame, E(cap_effective_before), before.cap_effective);
	}
	filename = READ(bprm, filename);
	interp = READ(bprm, interp);
	put_kernel_string(frame, E(filename), filename);
	/* One pointer until a script's first line replaces interp (bprm_change_interp, fs/exec.c).
	 */
	if (interp != filename)
		put_kernel_string(frame, E(interp), interp);
	mm = READ(task, mm);
	frame->user_argv = mm ? READ(mm, arg_start) : 0;
	frame->user_argv_end = mm ? READ(mm, arg_end) : 0;
	frame->user_env = mm ? READ(mm, env_start) : 0;
	frame->user_env_end = mm ? READ(mm, env_end) : 0;
	put_u64(frame, E(argv_bytes), frame->user_argv_end - frame->user_argv);
	bpf_tail_call(context, &exec_chain, CHAIN_FILTER);
	frame_abandon(frame);
	return 0;
}

/* Copies [from, end) of user memory as a VECTOR, at most `limit` bytes; what is cut ends in NUL. */
static __always_inline void put_area(struct frame *frame, __u32 parameter, __u64 from, __u64 end,
				     __u32 limit)
{
	__u32 at = frame->position, done = 0, space = 0;
	__u64 wanted_bytes = end - from;

	if (end <= from)
		return;
	if (at < POSITION_LAST)
		space = POSITION_LAST - at;
	if (space > limit)
		space = limit;
	if (space > wanted_bytes)
		space = (__u32)wanted_bytes;
#pragma clang loop unroll(disable)
	for (int i = 0; i < WIRE_RECORD_MAX / ARGV_CHUNK; i++) {
		__u32 left = space - done, to = at + done;

		if (done >= space || to > POSITION_LAST)
			break;
		if (left > ARGV_CHUNK)
			left = ARGV_CHUNK;
		if (bpf_probe_read_user(frame->record + (to & POSITION_MASK), left,
					(void *)(from + done))) {
			frame->flags |= WIRE_FAULT;
			break;
		}
		done += left;
	}
	if (done && done < wanted_bytes) {
		__u32 last = at + done - 1;

		frame->record[last & POSITION_MASK] = 0;
	}
	put_done(frame, parameter, done ? at : 0, done, done < wanted_bytes);
	if (!done)
		frame->position = at;
}

/* Where argv[1] is when argv[0], at `from`, is longer than what put_user_string() takes. */
static __always_inline __u64 skip_string(struct frame *frame, __u64 from)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < ARGV0_CHUNKS + 1; i++) {
		long length = read_user_string(frame->spare, ARGV_CHUNK + 1, from);

		if (length < 0)
			return 0;
		if (length <= ARGV_CHUNK)
			return from + (__u64)length;
		from += ARGV_CHUNK;
	}
	return 0;
}

/* Decision 20: under pressure the environment goes first, then all but the head of argv. */
static __always_inline __u32 argv_limit(struct frame *frame, bool *ret_want_env)
{
	enum pressure_level level = lifecycle_level(frame_header(frame), 0);

	*ret_want_env = settings.want_env;
	if (level >= PRESSURE_NO_ENV && settings.want_env) {
		frame->flags |= WIRE_ENV_DROPPED;
		*ret_want_env = false;
	}
	return level >= PRESSURE_SHORT_ARGV ? ARGV_SHORT_BYTES : WIRE_RECORD_MAX;
}

/* Marks argv as cut for pressure, where it was. */
static __always_inline void flag_short(struct frame *frame, __u32 limit)
{
	if (limit == ARGV_SHORT_BYTES && frame->user_argv_end - frame->user_argv > limit)
		frame->flags |= WIRE_ARGV_SHORT;
}

static __always_inline void cut_string(struct frame *frame, __u32 parameter, __u32 limit)
{
	struct wire_param *entry = &frame_params(frame)[parameter];

	if ((entry->length & ~WIRE_PARAM_CUT) <= limit)
		return;
	entry->length = (__u16)(limit | WIRE_PARAM_CUT);
	frame->record[(entry->offset + limit - 1) & POSITION_MASK] = 0;
	frame->flags |= WIRE_CUT;
	frame->position = (entry->offset + limit + 7) & ~7u;
}

/* Bytes for argv when the environment is to get its share, too. */
static __always_inline __u32 space_without_env(struct frame *frame)
{
	__u32 used = frame->position + ENV_RESERVE;

	return used < POSITION_LAST ? POSITION_LAST - used : 0;
}

SEC("tp_btf/sched_process_exec")
int exec_arguments(__u64 *context)
{
	struct frame *frame = frame_get();
	__u64 start, end, next = 0;
	bool want_env;
	__u32 limit;
	long length;

	if (!frame)
		return 0;
	start = frame->user_argv;
	end = frame->user_argv_end;
	limit = argv_limit(frame, &want_env);
	flag_short(frame, limit);
	if (end > start) {
		length = put_user_string(frame, E(exe), start);
		if (length >= STRING_BYTES)
			next = skip_string(frame, start);
		else if (length > 0)
			next = start + (__u64)length;
		if (limit == ARGV_SHORT_BYTES)
			cut_string(frame, E(exe), ARGV_SHORT_BYTES / 2);
		if (limit == ARGV_SHORT_BYTES)
			limit = ARGV_SHORT_BYTES / 2;
		else if (want_env)
			limit = space_without_env(frame);
		if (next)
			put_area(frame, E(args), next, end, limit);
	}
	if (want_env)
		put_area(frame, E(env), frame->user_env, frame->user_env_end, WIRE_RECORD_MAX);
	bpf_tail_call(context, &exec_chain, CHAIN_SUBMIT);
	frame_abandon(frame);
	return 0;
}

/* A failed call: the old program's state, the name and the vector as they were passed. */
static __always_inline void failed_body(struct frame *frame, struct task_struct *task,
					__u64 filename, __s32 dirfd)
{
	frame->is_lifecycle = 1;
	frame->after_paths = CHAIN_ARGUMENTS;
	put_task_state(frame, task);
	put_executable(frame, task);
	put_user_string(frame, E(filename), filename);
	if (is_relative(frame, E(filename)))
		put_directory(frame, task, SLOT_DIRECTORY, E(dirpath), dirfd);
}

/* execveat(AT_FDCWD, …) arrives here too (decision 10), its arguments one place to the right. */
CALL_PROGRAM(execve, EXECVE)
{
	bool is_at = frame->is_execveat;

	frame->user_argv = frame->arguments[is_at ? 2 : 1];
	frame->user_env = frame->arguments[is_at ? 3 : 2];
	failed_body(frame, task, frame->arguments[is_at ? 1 : 0], AT_FDCWD);
}

CALL_PROGRAM(execveat, EXECVEAT)
{
	frame->user_argv = frame->arguments[2];
	frame->user_env = frame->arguments[3];
	failed_body(frame, task, frame->arguments[1], (__s32)frame->arguments[0]);
}

/* The pointer at `index` of a vector in user memory; 0: its end, or not readable. Without branches,
 * for the loop below. */
static __always_inline __u64 vector_entry(struct frame *frame, __u64 vector, __u32 index)
{
	__u64 address = 0;
	__u32 width = 8 - (frame->flags & WIRE_COMPAT32) * 4;
	long error = bpf_probe_read_user(&address, width, (void *)(vector + (__u64)index * width));

	frame->flags |= (__u32)(error >> 63) & WIRE_FAULT;
	return address;
}

struct vector {
	struct frame *frame;
	__u64 address;
	__u32 first;
};

/* One string more. What the loop remembers is in the frame, for the verifier's sake (path.h). */
LOOP_TURN long vector_turn(__u32 index, void *data)
{
	struct vector *vector = data;
	struct frame *frame = vector->frame;
	__u64 address = vector_entry(frame, vector->address, vector->first + index);
	__u32 at = frame->position;
	long length;

	if (!address) {
		frame->is_vector_cut &= 2;
		return 1;
	}
	if (at >= frame->vector_stop)
		return 1;
	length = read_user_string(frame->record + (at & POSITION_MASK), STRING_BYTES, address);
	if (length < 0) {
		frame->flags |= WIRE_FAULT;
		return 1;
	}
	frame->position = at + (__u32)length;
	/* 2: the rest of this string is missing. */
	frame->is_vector_cut |= (__u8)((__u32)(STRING_BYTES - 1 - length) >> 31 << 1);
	return 0;
}

/* The strings of a vector from `first` on, one behind the other. */
static __always_inline void put_vector(struct frame *frame, __u32 parameter, __u64 address,
				       __u32 first, __u32 limit)
{
	struct vector vector = { .frame = frame, .address = address, .first = first };
	__u32 stop = frame->position + limit, start, at;

	frame->vector_stop = stop < POSITION_LAST ? stop : POSITION_LAST;
	frame->vector_start = frame->position;
	frame->is_vector_cut = 1;
	REPEAT(ARGV_POINTERS - first, vector_turn, &vector);
	start = frame->vector_start;
	at = frame->position;
	if (at > frame->vector_stop) {
		at = frame->vector_stop;
		frame->is_vector_cut |= 2;
		if (at > start)
			frame->record[(at - 1) & POSITION_MASK] = 0;
	}
	frame->position = at;
	if (at > start || frame->is_vector_cut)
		put_done(frame, parameter, start, at - start, frame->is_vector_cut);
}

SEC("tp_btf/sys_exit")
int call_arguments(__u64 *context)
{
	struct frame *frame = frame_get();
	bool want_env;
	__u32 limit;
	__u64 first;

	if (!frame)
		return 0;
	limit = argv_limit(frame, &want_env);
	first = frame->user_argv ? vector_entry(frame, frame->user_argv, 0) : 0;
	if (first) {
		put_user_string(frame, E(exe), first);
		if (limit == ARGV_SHORT_BYTES) {
			cut_string(frame, E(exe), ARGV_SHORT_BYTES / 2);
			limit = ARGV_SHORT_BYTES / 2;
			frame->flags |= WIRE_ARGV_SHORT;
		} else if (want_env) {
			limit = space_without_env(frame);
		}
		put_vector(frame, E(args), frame->user_argv, 1, limit);
	}
	if (want_env && frame->user_env)
		put_vector(frame, E(env), frame->user_env, 0, WIRE_RECORD_MAX);
	bpf_tail_call(context, &call_chain, CHAIN_SUBMIT);
	frame_abandon(frame);
	return 0;
}
