/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs at the end of every system call of the machine: stops after one load where nobody wants the
 * call, else counts it, takes the frame and tail-calls the program of its event type. Owns the
 * variables that user space and the programs share.
 */
#include "filter_call.h"
#include "prog.h"

const volatile struct settings settings = { .cpus_per_ring = 1 };
struct wanted_call wanted[WANTED_SLOTS] = {};
__u8 is_wanted[EVENT__COUNT] = {}, is_evaluated[EVENT__COUNT] = {};
__u8 bulk_is_mixed = 0, filter_mode = FILTER_OFF, is_contact_wanted = 0, is_self_test = 0;
struct pressure_total lifecycle_total = {};
__u32 own_tgid = 0;
__u32 scope_added = 0, scope_root_tgid = 0;
__u8 seed_is_silent = 0;

/* The index into `wanted` of what is no native number: rt_sigreturn leaves -1, x32 calls have their
 * bit. WANTED_SLOTS: none. */
static __always_inline __u64 unusual_slot(__u64 number)
{
	number &= 0xffffffff;
	if (!(number & X32_BIT))
		return WANTED_SLOTS;
	return number & ~X32_BIT;
}

/* Success of exec is told by sched_process_exec; execveat without a descriptor is execve
 * (decision 10). EVENT_UNKNOWN: not an event. */
static __always_inline __u32 exec_type(__u32 type, __s64 result, __s32 dirfd)
{
	if (result == 0)
		return EVENT_UNKNOWN;
	if (type == EVENT_EXECVEAT && dirfd == AT_FDCWD)
		type = EVENT_EXECVE;
	barrier_var(type); /* the compiler knows the two values, the verifier doesn't */
	return type < EVENT__COUNT && is_wanted[type] ? type : EVENT_UNKNOWN;
}

#ifdef __TARGET_ARCH_x86
/* Puts the arguments of a call that socketcall(2) bundles in their usual places; all are -1 where
 * they are not readable, so that there is no descriptor. The call's native number;
 * WIRE_SYSCALL_MAX: there is none. */
static __always_inline __u32 unpack_bundled(__u64 arguments[6], __u32 *flags)
{
	__u32 packed[6] = {}, size;
	__u64 number = arguments[0];
	struct bundled_call call;

	if (!number || number >= BUNDLED_CALL_CNT)
		return WIRE_SYSCALL_MAX;
	call = bundled_calls[number];
	size = call.argument_cnt * sizeof(packed[0]);
	barrier_var(size);
	if (size > sizeof(packed))
		return WIRE_SYSCALL_MAX;
	if (bpf_probe_read_user(packed, size, (void *)arguments[1])) {
		__builtin_memset(packed, 0xff, sizeof(packed));
		*flags |= WIRE_FAULT;
	}
	for (int i = 0; i < 6; i++)
		arguments[i] = packed[i];
	return call.native_nr;
}
#else
static __always_inline __u32 unpack_bundled(__u64 arguments[6], __u32 *flags)
{
	return WIRE_SYSCALL_MAX;
}
#endif

static __always_inline __u64 widen_id(__u64 id)
{
	return (__u16)id == 0xffff ? 0xffffffff : (__u16)id;
}

/* What ia32's calls have otherwise than their 64-bit namesakes. Its first calls on users and groups
 * take ids of 16 bits (kernel/uid16.c): -1 is 0xffff, and the register's upper half is nothing. */
static __always_inline void adapt_arguments(__u64 slot, __u64 arguments[6])
{
	switch (slot) {
	case 23:  /* setuid16 */
	case 46:  /* setgid16 */
	case 70:  /* setreuid16 */
	case 71:  /* setregid16 */
	case 138: /* setfsuid16 */
	case 139: /* setfsgid16 */
	case 164: /* setresuid16 */
	case 170: /* setresgid16 */
		arguments[0] = widen_id(arguments[0]);
		/* fall through */
	case 16:  /* lchown16 */
	case 95:  /* fchown16 */
	case 182: /* chown16 */
		arguments[1] = widen_id(arguments[1]);
		arguments[2] = widen_id(arguments[2]);
		return;
	case 22: /* umount: it has no flags, but the register isn't empty */
	case 81: /* setgroups16: its list is not of 32-bit numbers */
		arguments[1] = 0;
		return;
	}
}

/* A connect that a signal interrupts goes on by itself (net/ipv4/af_inet.c), and a program whose
 * handler has no SA_RESTART needs no other call; the kernel turns the result into EINTR only behind
 * this hook. Where the call is made again, that one is an event, too. */
static __always_inline bool is_interrupted_connect(__u32 type, __s64 result)
{
	return type == EVENT_CONNECT && is_restart(result);
}

/* From then on it is known who began: the chain's program for sockets keeps it. */
static __always_inline bool makes_contact(__u32 type, __s64 result)
{
	if (type == EVENT_CONNECT)
		return result >= 0 || result == -EINPROGRESS || result == -EINTR;
	return result >= 0 && (type == EVENT_ACCEPT || type == EVENT_ACCEPT4);
}

/* Whether the filter ends the call, with nothing of it to keep. What tp_sock_state kept is not the
 * thread's next connect's. */
static __always_inline bool is_dropped(const struct filter_verdict *verdict, __u32 type,
				       __s64 result, __u64 pid_tgid)
{
	if (!verdict->is_refused || (is_contact_wanted && makes_contact(type, result)))
		return false;
	count_filtered(type, WIRE_FILTER_RULES);
	if (type == EVENT_CONNECT || type == EVENT_SENDTO || type == EVENT_SENDMSG)
		(void)bpf_map_delete_elem(&connect_peers, &pid_tgid);
	return true;
}

static __always_inline int dispatch_call(__u64 *context, const bool is_typed)
{
	const struct pt_regs *registers = (const struct pt_regs *)context[0];
	__s64 result = (__s64)context[1];
	__u64 slot = call_number(registers), pid_tgid;
	struct task_struct *task;
	__u64 arguments[6];
	struct wanted_call call;
	struct filter_verdict verdict;
	struct frame *frame;
	bool is_compat;
	__u32 type, flags = 0;

	if (slot >= WIRE_SYSCALL_MAX) {
		slot = unusual_slot(slot);
		if (slot >= WANTED_SLOTS)
			return 0;
	}
	call = wanted[slot];
	if (!call.type && !call.compat_type)
		return 0;

	task = current_task();
	is_compat = call_is_compat(task);
	type = is_compat ? call.compat_type : call.type;
	read_arguments(registers, is_compat, arguments);
	if (type == EVENT_EXECVE || type == EVENT_EXECVEAT) {
		type = exec_type(type, result, (__s32)arguments[0]);
	} else if (is_compat && slot == IA32_SOCKETCALL) {
		__u32 bundled = unpack_bundled(arguments, &flags);

		barrier_var(bundled);
		if (bundled >= WIRE_SYSCALL_MAX)
			return 0;
		call = wanted[bundled];
		type = call.type;
		call.compat_nr = call.native_nr;
	}
	if (is_compat) {
		flags |= WIRE_COMPAT32;
		adapt_arguments(slot, arguments);
	}
	pid_tgid = bpf_get_current_pid_tgid();
	if (!type || type >= EVENT__COUNT || !is_observed(task, pid_tgid >> 32))
		return 0;

	count_generated(type);
	if (is_interrupted_connect(type, result))
		result = -EINTR;
	if (is_restart(result)) {
		count_filtered(type, WIRE_FILTER_RESTARTED);
		return 0;
	}
	verdict = filter_call(type, result, arguments, task, is_typed);
	if (is_dropped(&verdict, type, result, pid_tgid))
		return 0;
	frame = frame_acquire(type, pid_tgid);
	if (!frame)
		return 0;
	frame->undecided = verdict.undecided;
	frame->is_refused = verdict.is_refused;
	frame->result = result;
	frame->type = (__u16)type;
	frame->call_nr = is_compat ? call.compat_nr : call.native_nr;
	frame->is_execveat = (is_compat ? call.compat_type : call.type) == EVENT_EXECVEAT;
	frame->flags = flags | (verdict.is_unwanted ? WIRE_UNWANTED : 0);
	__builtin_memcpy(frame->arguments, arguments, sizeof(arguments));
	if (verdict.is_by_path)
		bpf_tail_call(context, &call_chain, CHAIN_NAME);
	bpf_tail_call(context, &call_programs, type);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/sys_exit")
int dispatch(__u64 *context)
{
	return dispatch_call(context, false);
}

SEC("tp_btf/sys_exit")
int dispatch_t(__u64 *context)
{
	return dispatch_call(context, true);
}
