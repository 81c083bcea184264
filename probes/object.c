/*
 * The two forms of the eBPF object (bpf/loop.h): with loops in the code, which every kernel takes,
 * and with the kernel's own, which its verifier is done with in half the time. Owns no data. Called
 * by loader.c, engine thread.
 */
#include <errno.h>
#include <sys/mman.h>

#include "probes_private.h"
#include "skeleton.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpointer-arith"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "haetae_loops.skel.h"
#pragma GCC diagnostic pop

/* One struct stands for both. */
_Static_assert(offsetof(struct haetae_bpf__rodata, settings) ==
		       offsetof(struct haetae_loops__rodata, settings),
	       "both forms have the same constants");
_Static_assert(sizeof(struct haetae_bpf__bss) == sizeof(struct haetae_loops__bss),
	       "both forms have the same variables");
_Static_assert(sizeof(((struct haetae_bpf *)0)->maps) == sizeof(((struct haetae_loops *)0)->maps),
	       "both forms have the same maps");
_Static_assert(sizeof(((struct haetae_bpf *)0)->progs) == sizeof(((struct haetae_loops *)0)->progs),
	       "both forms have the same programs");

static bool can_loop(const struct host_types *types)
{
	int64_t value;

#ifndef __x86_64__
	/* Before 6.0 a program with functions has no tail calls there (arch/arm64/net). */
	if (!host_types_have(types, "bpf_rdonly_cast"))
		return false;
#endif
	return host_types_enumerator(types, "bpf_func_id", "BPF_FUNC_loop", &value);
}

struct haetae_bpf *object_open(const struct host_types *types)
{
	struct haetae_bpf *bpf;
	int r;

	if (!can_loop(types))
		return haetae_bpf__open();
	bpf = calloc(1, sizeof(*bpf));
	if (!bpf)
		return NULL;
	r = haetae_bpf__create_skeleton(bpf);
	if (r == 0) {
		bpf->skeleton->data = haetae_loops__elf_bytes(&bpf->skeleton->data_sz);
		r = bpf_object__open_skeleton(bpf->skeleton, NULL);
	}
	if (r == 0)
		return bpf;
	haetae_bpf__destroy(bpf);
	errno = -r;
	return NULL;
}

/* Pages that lie wholly within; they are the executable's and come back when they are read. */
static void forget(const void *data, size_t n)
{
	uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t begin = ((uintptr_t)data + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)data + n) & ~(page - 1);

	if (begin < end)
		(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

void object_forget(void)
{
	size_t n;
	const void *data = haetae_bpf__elf_bytes(&n);

	forget(data, n);
	data = haetae_loops__elf_bytes(&n);
	forget(data, n);
}
