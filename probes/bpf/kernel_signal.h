/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types for signals; see kernel.h.
 */
#ifndef HAETAE_BPF_KERNEL_SIGNAL_H
#define HAETAE_BPF_KERNEL_SIGNAL_H

#include "kernel.h"

#define SIGCHLD	  17 /* include/uapi/asm-generic/signal.h */
#define SI_USER	  0  /* include/uapi/asm-generic/siginfo.h */
#define SI_KERNEL 0x80
#define SI_QUEUE  (-1)
#define SI_TKILL  (-6)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union __sifields {
	struct {
		int _pid;
	} _kill;
};

struct kernel_siginfo {
	int si_code;
	union __sifields _sifields;
};

#pragma clang attribute pop

#endif
