/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every system call without a program of its own: its arguments as they were passed.
 */
#include "prog.h"

CALL_PROGRAM(generic, GENERIC)
{
	put_u64(frame, PARAM_GENERIC_a0, frame->arguments[0]);
	put_u64(frame, PARAM_GENERIC_a1, frame->arguments[1]);
	put_u64(frame, PARAM_GENERIC_a2, frame->arguments[2]);
	put_u64(frame, PARAM_GENERIC_a3, frame->arguments[3]);
	put_u64(frame, PARAM_GENERIC_a4, frame->arguments[4]);
	put_u64(frame, PARAM_GENERIC_a5, frame->arguments[5]);
}
