/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unlink, unlinkat: the name as passed and the directory that it starts from.
 */
#include "prog.h"

CALL_PROGRAM(unlink, UNLINK)
{
	put_s64(frame, PARAM_UNLINK_res, frame->result);
	put_user_string(frame, PARAM_UNLINK_path, frame->arguments[0]);
	if (is_relative(frame, PARAM_UNLINK_path))
		put_directory(frame, task, 0, PARAM_UNLINK_dirpath, AT_FDCWD);
}

CALL_PROGRAM(unlinkat, UNLINKAT)
{
	put_s64(frame, PARAM_UNLINKAT_res, frame->result);
	put_s64(frame, PARAM_UNLINKAT_dirfd, (__s32)frame->arguments[0]);
	put_u64(frame, PARAM_UNLINKAT_flags, (__u32)frame->arguments[2]);
	put_user_string(frame, PARAM_UNLINKAT_name, frame->arguments[1]);
	if (is_relative(frame, PARAM_UNLINKAT_name))
		put_directory(frame, task, 0, PARAM_UNLINKAT_dirpath, (__s32)frame->arguments[0]);
}
