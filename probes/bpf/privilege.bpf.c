/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls whose arguments mean something else by the command in one of them, and those that change
 * credentials while no rule wants them.
 */
#include "credentials.h"
#include "prog.h"

#define DATA_BYTES 80 /* of a buffer; what Falco's users know */

/* include/uapi/linux/prctl.h */
#define PR_GET_PDEATHSIG       2
#define PR_SET_NAME	       15
#define PR_GET_NAME	       16
#define PR_GET_CHILD_SUBREAPER 37

/* include/uapi/linux/mount.h */
#define FSCONFIG_SET_STRING	1
#define FSCONFIG_SET_BINARY	2
#define FSCONFIG_SET_PATH	3
#define FSCONFIG_SET_PATH_EMPTY 4

static __always_inline void put_data(struct frame *frame, __u32 parameter, __u64 address,
				     __u64 length)
{
	__u32 at = frame->position;
	__u8 *to = put_space(frame, parameter);
	__u32 size = length > DATA_BYTES ? DATA_BYTES : (__u32)length;

	if (!to || !size)
		return;
	barrier_var(size);
	if (size > DATA_BYTES)
		return;
	if (bpf_probe_read_user(to, size, (void *)address))
		frame->flags |= WIRE_FAULT;
	else
		put_done(frame, parameter, at, size, length > DATA_BYTES);
}

CALL_PROGRAM(prctl, PRCTL)
{
	__u32 option = (__u32)frame->arguments[0];
	__u64 second = frame->arguments[1];
	__s32 written = 0;

	put_s64(frame, PARAM_PRCTL_res, frame->result);
	put_u64(frame, PARAM_PRCTL_option, option);
	if (option == PR_SET_NAME || option == PR_GET_NAME) {
		put_user_string(frame, PARAM_PRCTL_arg2_str, second);
	} else if (option == PR_GET_CHILD_SUBREAPER || option == PR_GET_PDEATHSIG) {
		if (frame->result >= 0 &&
		    !bpf_probe_read_user(&written, sizeof(written), (void *)second))
			put_s64(frame, PARAM_PRCTL_arg2_int, written);
	} else {
		put_u64(frame, PARAM_PRCTL_arg2_int, second);
	}
	put_u64(frame, PARAM_PRCTL_arg3, frame->arguments[2]);
	put_u64(frame, PARAM_PRCTL_arg4, frame->arguments[3]);
	put_u64(frame, PARAM_PRCTL_arg5, frame->arguments[4]);
}

CALL_PROGRAM(fsconfig, FSCONFIG)
{
	__u32 command = (__u32)frame->arguments[1];
	__s32 auxiliary = (__s32)frame->arguments[4];
	struct file *file = file_of(task, (__s32)frame->arguments[0]);

	frame_prefer_lifecycle(frame);
	put_s64(frame, PARAM_FSCONFIG_res, frame->result);
	put_s64(frame, PARAM_FSCONFIG_fd, (__s32)frame->arguments[0]);
	put_u64(frame, PARAM_FSCONFIG_cmd, command);
	if (frame->arguments[2])
		put_user_string(frame, PARAM_FSCONFIG_key, frame->arguments[2]);
	if (command == FSCONFIG_SET_BINARY)
		put_data(frame, PARAM_FSCONFIG_value_bytebuf, frame->arguments[3],
			 auxiliary < 0 ? 0 : (__u64)auxiliary);
	else if (command == FSCONFIG_SET_STRING || command == FSCONFIG_SET_PATH ||
		 command == FSCONFIG_SET_PATH_EMPTY)
		put_user_string(frame, PARAM_FSCONFIG_value_charbuf, frame->arguments[3]);
	put_s64(frame, PARAM_FSCONFIG_aux, auxiliary);
	if (file)
		put_file_path(frame, 0, PARAM_FSCONFIG_path, file);
}

/* The first struct iovec of an array; of a 32-bit call its two members have 32 bits. */
static __always_inline bool read_vector(struct frame *frame, __u64 address, __u64 ret[2])
{
	__u32 narrow[2] = {};

	if (!(frame->flags & WIRE_COMPAT32))
		return !bpf_probe_read_user(ret, 16, (void *)address);
	if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)address))
		return false;
	ret[0] = narrow[0];
	ret[1] = narrow[1];
	return true;
}

/* What a failed write would have copied is told; a failed read has copied nothing. */
static __always_inline void put_process_memory(struct frame *frame, bool is_write)
{
	__u64 vector[2] = {}, length;

	put_s64(frame, PARAM_PROCESS_VM_READV_res, frame->result);
	put_s64(frame, PARAM_PROCESS_VM_READV_pid, (__s32)frame->arguments[0]);
	if (frame->arguments[2] && read_vector(frame, frame->arguments[1], vector)) {
		length = vector[1];
		if (!is_write)
			length = frame->result < 0 ? 0 : frame->result;
		if (length > vector[1])
			length = vector[1];
		put_data(frame, PARAM_PROCESS_VM_READV_data, vector[0], length);
	}
	if (frame->arguments[4] && read_vector(frame, frame->arguments[3], vector))
		put_u64(frame, PARAM_PROCESS_VM_READV_addr, vector[0]);
}

_Static_assert((int)PARAM_PROCESS_VM_READV_addr == (int)PARAM_PROCESS_VM_WRITEV_addr &&
		       (int)PARAM_PROCESS_VM_READV_data == (int)PARAM_PROCESS_VM_WRITEV_data,
	       "both have one layout");

CALL_PROGRAM(process_readv, PROCESS_VM_READV)
{
	put_process_memory(frame, false);
}

CALL_PROGRAM(process_writev, PROCESS_VM_WRITEV)
{
	put_process_memory(frame, true);
}

/* loader.c gives calls that change credentials this event where no rule wants them. */
SEC("tp_btf/sys_exit")
int x_credentials(__u64 *context)
{
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	if (frame->result >= 0)
		credentials_learn(current_task(), BPF_ANY);
	count_filtered(EVENT_CREDENTIALS, WIRE_FILTER_RULES);
	frame_release(frame);
	return 0;
}
