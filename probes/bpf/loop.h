/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loops whose turns are alike. A verifier follows a loop in the code turn by turn, and every way
 * through each; of a loop that the kernel runs (bpf_loop, 5.17) it looks at one turn. So each
 * object is compiled twice, and the loader takes what the kernel can run.
 *
 *	LOOP_TURN long take(__u32 index, void *data) { …; return 1 to end the loop }
 *	REPEAT(cnt, take, &data);
 */
#ifndef HAETAE_BPF_LOOP_H
#define HAETAE_BPF_LOOP_H

#ifdef HAS_KERNEL_LOOPS
#define LOOP_TURN		static __noinline
#define REPEAT(cnt, turn, data) ((void)bpf_loop((cnt), (turn), (data), 0))
#else
#define LOOP_TURN static __always_inline
#define REPEAT(cnt, turn, data)                                                                  \
	do {                                                                                     \
		_Pragma("clang loop unroll(disable)") for (__u32 i_ = 0;                         \
							   i_ < (cnt) && !turn(i_, data); i_++); \
	} while (0)
#endif

#endif
