/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The families that call the kfunc bpf_rdonly_cast, as one object: bpftool can't link two objects
 * that both do ("failed to resolve size of underlying type", libbpf 1.1).
 */
#include "dispatch.bpf.c"
#include "chain.bpf.c"
#include "file_open.bpf.c"
