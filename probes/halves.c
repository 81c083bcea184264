/*
 * Loads the object's programs in two halves at the same time: nearly all of the time to start is
 * the kernel's verifier, which takes one program after the other in one thread. The second half
 * is the same object opened once more, with the first one's maps. Called once by loader.c, engine
 * thread; the other thread ends within the call. Owns no data.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "probes_private.h"
#include "skeleton.h"

struct half {
	struct haetae_bpf *bpf;
	char *log; /* what libbpf said in that thread, of LOADER_LOG_BYTES */
	int r;
};

/* Constants stay each half's own: libbpf fills and freezes them when it makes the map. */
static bool is_shared(const struct bpf_map *map, const struct haetae_bpf *bpf)
{
	return !bpf_map__is_internal(map) || map == bpf->maps.bss;
}

/* As libbpf would make it; none of our maps has members that need its types. */
static int make_map(const struct bpf_map *map, int inner_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = bpf_map__map_flags(map));

	if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		options.inner_map_fd = (uint32_t)inner_fd;
	return bpf_map_create(bpf_map__type(map), bpf_map__name(map), bpf_map__key_size(map),
			      bpf_map__value_size(map), bpf_map__max_entries(map), &options);
}

static int share_maps(struct probes *probes, struct haetae_bpf *second)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, probes->bpf->obj)
	{
		struct bpf_map *same = bpf_object__next_map(second->obj, NULL);
		_cleanup_(close_fdp) int fd = -1;
		int r;

		if (!is_shared(map, probes->bpf))
			continue;
		while (same && strcmp(bpf_map__name(same), bpf_map__name(map)) != 0)
			same = bpf_object__next_map(second->obj, same);
		hae_assert(same);
		fd = make_map(map, probes->bulk_fds[0]);
		if (fd < 0)
			return fd;
		r = bpf_map__reuse_fd(same, fd); /* takes a copy; and may change its own name */
		if (r == 0)
			r = bpf_map__reuse_fd(map, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

/* From libbpf 1.6 on the variables of a map that it did not make stay where they were. */
static int place_variables(struct haetae_bpf *bpf)
{
	size_t page = (size_t)getpagesize();
	size_t size = (sizeof(*bpf->bss) + page - 1) & ~(page - 1);

	return mmap(bpf->bss, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    bpf_map__fd(bpf->maps.bss), 0) == MAP_FAILED
		       ? -errno
		       : 0;
}

static void *load_half(void *data)
{
	struct half *half = data;

	half->r = haetae_bpf__load(half->bpf);
	loader_take_log(half->log);
	return NULL;
}

/* No signal is taken by the thread that soon ends. */
static int start_half(pthread_t *ret, struct half *half)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, load_half, half);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int halves_load(struct probes *probes, char log[LOADER_LOG_BYTES])
{
	char second_log[LOADER_LOG_BYTES] = "";
	struct half first = { .bpf = probes->bpf, .log = log };
	struct half second = { .bpf = probes->second, .log = second_log };
	pthread_t thread;
	int r = share_maps(probes, second.bpf);

	second.bpf->rodata->settings = first.bpf->rodata->settings;
	if (r >= 0)
		r = start_half(&thread, &second);
	if (r < 0) {
		loader_take_log(log);
		return r;
	}
	load_half(&first);
	pthread_join(thread, NULL);
	if (first.r < 0)
		return first.r;
	if (second.r < 0) {
		memcpy(log, second_log, LOADER_LOG_BYTES);
		return second.r;
	}
	return place_variables(first.bpf);
}
