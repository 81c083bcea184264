/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The calls that need no program of their own: the SOURCE column of events.def says where each
 * parameter comes from, and one program takes those steps for all of them, but for what comes from
 * the kernel's objects: that is left to objects.bpf.c.
 */
#include "data_steps.h"

/* clang-format off */
/* A source with operands is followed by the parameter in parentheses, which ends the step. */
#define STEP_PARAMETER(parameter)   parameter },
#define STEP_WIRE(parameter)
#define STEP_HEADER(parameter)
#define STEP_NONE(parameter)
#define STEP_RESULT(parameter)	    { ACTION_U64, ARGUMENT_RESULT, 0, parameter },
#define STEP_VM_SIZE(parameter)	    { ACTION_VM_SIZE, 0, 0, parameter },
#define STEP_VM_RSS(parameter)	    { ACTION_VM_RSS, 0, 0, parameter },
#define STEP_VM_SWAP(parameter)	    { ACTION_VM_SWAP, 0, 0, parameter },
#define STEP_S32(n)		    { ACTION_S32, n, 0, STEP_PARAMETER
#define STEP_U32(n)		    { ACTION_U32, n, 0, STEP_PARAMETER
#define STEP_U64(n)		    { ACTION_U64, n, 0, STEP_PARAMETER
#define STEP_TEXT(n)		    { ACTION_TEXT, n, 0, STEP_PARAMETER
#define STEP_DIRECTORY_OF(id, name, n) { ACTION_DIRECTORY, n, PARAM_##id##_##name, STEP_PARAMETER
#define STEP_CWD_OF(id, name)	    STEP_DIRECTORY_OF(id, name, ARGUMENT_CWD)
#define STEP_OLD_CWD_OF(id, name)   STEP_DIRECTORY_OF(id, name, ARGUMENT_OLD_CWD)
#define STEP_OBJECT(n)		    { ACTION_OBJECT, n, 0, STEP_PARAMETER
#define STEP_NEW_CWD(parameter)	    { ACTION_NEW_CWD, 0, 0, parameter },
#define STEP_FILE_PATH_WITHOUT(n, m) { ACTION_FILE_PATH_WITHOUT, n, m, STEP_PARAMETER
#define STEP_IOVEC_SIZE(n, m)	    { ACTION_IOVEC_SIZE, n, m, STEP_PARAMETER
#define STEP_IOVEC_READ(n, m)	    { ACTION_IOVEC_READ, n, m, STEP_PARAMETER
#define STEP_IOVEC_WRITTEN(n, m)    { ACTION_IOVEC_WRITTEN, n, m, STEP_PARAMETER
#define STEP_FILE_PATH(n)	    { ACTION_FILE_PATH, n, 0, STEP_PARAMETER
#define STEP_FILE_DEV(n)	    { ACTION_FILE_DEV, n, 0, STEP_PARAMETER
#define STEP_FILE_INO(n)	    { ACTION_FILE_INO, n, 0, STEP_PARAMETER
#define STEP_FILE_MODE(n)	    { ACTION_FILE_MODE, n, 0, STEP_PARAMETER
#define STEP_FILE_BITS(n)	    { ACTION_FILE_BITS, n, 0, STEP_PARAMETER
#define STEP_MEMORY_U32(n, offset)  { ACTION_MEMORY_U32, n, offset, STEP_PARAMETER
#define STEP_MEMORY_S32(n, offset)  { ACTION_MEMORY_S32, n, offset, STEP_PARAMETER
#define STEP_MEMORY_U64(n, offset)  { ACTION_MEMORY_U64, n, offset, STEP_PARAMETER
#define STEP_FILLED_U32(n, offset)  { ACTION_FILLED_U32, n, offset, STEP_PARAMETER
#define STEP_FILLED_S32(n, offset)  { ACTION_FILLED_S32, n, offset, STEP_PARAMETER
#define STEP_FILLED_U64(n, offset)  { ACTION_FILLED_U64, n, offset, STEP_PARAMETER
#define STEP_CWD_PATH(parameter)    { ACTION_CWD_PATH, 0, 0, parameter },
#define STEP_ROOT_PATH(parameter)   { ACTION_ROOT_PATH, 0, 0, parameter },
#define STEP_CREDENTIALS_BEFORE(parameter) { ACTION_CREDENTIALS_BEFORE, 0, 0, parameter },
#define STEP_PIDFD_PID(n)	    { ACTION_PIDFD_PID, n, 0, STEP_PARAMETER
#define STEP_MEMORY_LONG(n, index)  { ACTION_MEMORY_LONG, n, index, STEP_PARAMETER
#define STEP_BYTES(n, length)	    { ACTION_BYTES, n, length, STEP_PARAMETER
#define STEP_LOW_BITS(n, bits)	    { ACTION_LOW_BITS, n, bits, STEP_PARAMETER
#define STEP_HIGH_BITS(n, bits)	    { ACTION_HIGH_BITS, n, bits, STEP_PARAMETER
#define STEP_SENT(n, length)	    { ACTION_SENT, n, length, STEP_PARAMETER
#define STEP_RECEIVED(n, length)    { ACTION_RECEIVED, n, length, STEP_PARAMETER
#define STEP_FILLED_BYTES(n, m)	    { ACTION_FILLED_BYTES, n, m, STEP_PARAMETER
#define STEP_SOCKET_OPTION(n, m)    { ACTION_SOCKET_OPTION, n, m, STEP_PARAMETER
#define STEP_FILLED_INO(n, offset)  { ACTION_FILLED_INO, n, offset, STEP_PARAMETER
#define STEP_QUEUE_LENGTH(n)	    { ACTION_QUEUE_LENGTH, n, 0, STEP_PARAMETER
#define STEP_QUEUE_MAX(n)	    { ACTION_QUEUE_MAX, n, 0, STEP_PARAMETER
#define STEP_QUEUE_PERCENT(n)	    { ACTION_QUEUE_PERCENT, n, 0, STEP_PARAMETER
#define STEP_SOCKET_TYPE(n)	    { ACTION_SOCKET_TYPE, n, 0, STEP_PARAMETER
#define STEP_SOCKET(n)		    { ACTION_SOCKET, n, 0, STEP_PARAMETER
#define STEP_SOCKET_CONNECT(n, m)   { ACTION_SOCKET_CONNECT, n, m, STEP_PARAMETER
#define STEP_SOCKET_ACCEPT(n, m)    { ACTION_SOCKET_ACCEPT, n, m, STEP_PARAMETER
#define STEP_SOCKET_SERVE(n)	    { ACTION_SOCKET_SERVE, n, 0, STEP_PARAMETER
#define STEP_SOCKET_SEND(n, m)	    { ACTION_SOCKET_SEND, n, m, STEP_PARAMETER
#define STEP_SOCKET_RECEIVE(n, m)   { ACTION_SOCKET_RECEIVE, n, m, STEP_PARAMETER
#define STEP_SOCKET_SENDMSG(n, m)   { ACTION_SOCKET_SENDMSG, n, m, STEP_PARAMETER
#define STEP_SOCKET_RECVMSG(n, m)   { ACTION_SOCKET_RECVMSG, n, m, STEP_PARAMETER
#define STEP_SOCKET_SENDMMSG(n, m)  { ACTION_SOCKET_SENDMMSG, n, m, STEP_PARAMETER
#define STEP_SOCKET_RECVMMSG(n, m)  { ACTION_SOCKET_RECVMMSG, n, m, STEP_PARAMETER
#define STEP_PASSED(n)		    { ACTION_PASSED, n, 0, STEP_PARAMETER
#define STEP_MESSAGE_DATA(parameter) { ACTION_MESSAGE_DATA, 0, 0, parameter },
#define STEP_MESSAGE_SIZE(parameter) { ACTION_MESSAGE_SIZE, 0, 0, parameter },
#define STEP_MESSAGE_MOVED(parameter) { ACTION_MESSAGE_MOVED, 0, 0, parameter },
#define STEP_MESSAGE_CONTROL(parameter) { ACTION_MESSAGE_CONTROL, 0, 0, parameter },

#define EVENT(id, name, class, flags, doc) [EVENT_##id] = {
#define PARAM(id, name, type, words, source, doc) STEP_##source(PARAM_##id##_##name)
#define EVENT_END(id) },
const struct step steps[EVENT__COUNT][STEPS_MAX] = {
#include "haetae/events.def"
};

#define EVENT(id, name, class, flags, doc) [EVENT_##id] = PARAM_##id##__COUNT,
const __u8 parameter_counts[EVENT__COUNT] = {
#include "haetae/events.def"
};

#define SYSCALL	   0
#define LIFECYCLE  1
#define STATE	   0
#define CREATES_FD 0
#define OWN	   0
#define EVENT(id, name, class, flags, doc) [EVENT_##id] = flags,
static const __u8 is_lifecycle[EVENT__COUNT] = {
#include "haetae/events.def"
};
/* clang-format on */

/* A number in the program's memory; absent where that is not readable. */
static __always_inline void put_memory(struct frame *frame, const struct step *step, __u32 size,
				       bool is_signed)
{
	__u64 address = operand(frame, step->argument), value = 0;

	if (bpf_probe_read_user(&value, size, (void *)(address + step->other))) {
		if (address)
			frame->flags |= WIRE_FAULT;
		return;
	}
	put_u64(frame, step->parameter, is_signed ? (__u64)(__s64)(__s32)value : value);
}

/* An `unsigned long` of an array; "all there is" is all bits in either width. */
static __always_inline void put_memory_long(struct frame *frame, const struct step *step)
{
	__u32 size = frame->flags & WIRE_COMPAT32 ? 4 : 8;
	__u64 address = operand(frame, step->argument), value = 0;

	if (bpf_probe_read_user(&value, size, (void *)(address + step->other * size))) {
		if (address)
			frame->flags |= WIRE_FAULT;
		return;
	}
	put_u64(frame, step->parameter, size == 4 && value == 0xffffffff ? ~0ull : value);
}

/* A flat switch: a case an action. */
static __always_inline void take_step(struct frame *frame, const struct step *step)
{
	switch (step->action) {
	case ACTION_TEXT:
		put_user_string(frame, step->parameter, operand(frame, step->argument));
		return;
	case ACTION_FILLED_U32:
		if (frame->result < 0)
			return;
		/* fall through */
	case ACTION_MEMORY_U32:
		put_memory(frame, step, 4, false);
		return;
	case ACTION_FILLED_S32:
		if (frame->result < 0)
			return;
		/* fall through */
	case ACTION_MEMORY_S32:
		put_memory(frame, step, 4, true);
		return;
	case ACTION_FILLED_U64:
		if (frame->result < 0)
			return;
		/* fall through */
	case ACTION_MEMORY_U64:
		put_memory(frame, step, 8, false);
		return;
	case ACTION_MEMORY_LONG:
		put_memory_long(frame, step);
		return;
	case ACTION_SOCKET_OPTION:
		put_u64(frame, step->parameter,
			operand(frame, step->argument) << 32 | (__u32)operand(frame, step->other));
		return;
	default:
		take_data_step(frame, step);
		return;
	}
}

struct step_run {
	struct frame *frame;
	__u32 type, first;
	bool is_ended; /* there are no more steps */
};

LOOP_TURN long take_turn(__u32 index, void *data)
{
	struct step_run *run = data;
	struct frame *frame = run->frame;
	const struct step *step = step_at(run->type, run->first + index);

	if (!step || step->action == ACTION_END) {
		run->is_ended = true;
		return 1;
	}
	if (step->action < ACTION_OF_OBJECTS)
		take_step(frame, step);
	else
		frame->has_objects = 1;
	return 0;
}

/* The next steps of the record that are not for objects.bpf.c; true: there are more, for another
 * run. The verifier goes through every action once a step, so a run takes a third of what an event
 * can have. */
static __always_inline bool take_steps(struct frame *frame, __u32 type)
{
	__u32 first = frame->first_step;
	struct step_run run = { .frame = frame, .type = type };
	const struct step *next;

	if (first > STEPS_MAX - STEPS_A_RUN)
		return false;
	barrier_var(first); /* the tested register is the one that is used: 5.10 */
	run.first = first;
	REPEAT(STEPS_A_RUN, take_turn, &run);
	if (run.is_ended)
		return false;
	first += STEPS_A_RUN;
	frame->first_step = (__u8)first;
	next = first < STEPS_MAX ? step_at(type, first) : NULL;
	return next && next->action != ACTION_END;
}

SEC("tp_btf/sys_exit")
int x_table(__u64 *context)
{
	struct frame *frame = frame_get();
	__u32 type;

	if (!frame)
		return 0;
	type = frame->type;
	if (type < EVENT__COUNT) {
		if (!frame->first_step) {
			frame_start(frame, type, LOOK_UP(parameter_counts, type));
			if (LOOK_UP(is_lifecycle, type))
				frame_prefer_lifecycle(frame);
		}
		if (take_steps(frame, type))
			bpf_tail_call(context, &call_programs, type);
		frame->first_step = 0;
		bpf_tail_call(context, &call_chain,
			      frame->has_objects ? CHAIN_OBJECTS : chain_start(frame));
	}
	frame_abandon(frame);
	return 0;
}
