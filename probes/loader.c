/*
 * Opens the eBPF object, fits it to the host and the configuration, loads it and makes the rings.
 * Called once by probes_open(), engine thread. Owns nothing: all goes into struct probes.
 *
 * libbpf prints to one function of the process and gives it no context, so its last lines are kept
 * in a variable of the thread that loads.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "probes_private.h"
#include "skeleton.h"

#define RINGS_BYTES_MAX (64u << 20) /* decision 21; all rings together */
#define BULK_RINGS_MAX	253	    /* header.ring is a byte: 0 and the two WIRE_RING_ are taken */
/* pid_max goes up to 4 Mi; a scope is a tree of one service or test. Beyond: counted as lost. */
#define SCOPE_TASKS_MAX 16384
/* Threads whose credentials are remembered; 120 bytes each. */
#define CREDENTIALS_PER_CPU 8192
#define CREDENTIALS_MAX	    131072
/* Calls with strings that run at one time and are looked at; of 4 KiB each. */
#define PASSED_TEXTS_MAX 1024

static _Thread_local struct {
	char text[LOADER_LOG_BYTES];
	size_t n;
} loader_log;

static _printf_(2, 0) int loader_print(enum libbpf_print_level level, const char *format,
				       va_list args)
{
	char line[1024];
	int n = vsnprintf(line, sizeof(line), format, args);
	size_t length;

	if (level == LIBBPF_DEBUG || n <= 0)
		return 0;
	length = MIN((size_t)n, sizeof(line) - 1);
	if (loader_log.n + length >= sizeof(loader_log.text)) { /* the last lines say why */
		size_t keep = MIN(loader_log.n, sizeof(loader_log.text) / 2);

		memmove(loader_log.text, loader_log.text + loader_log.n - keep, keep);
		loader_log.n = keep;
	}
	memcpy(loader_log.text + loader_log.n, line, length);
	loader_log.n += length;
	loader_log.text[loader_log.n] = '\0';
	return 0;
}

void loader_take_log(char ret[LOADER_LOG_BYTES])
{
	memcpy(ret, loader_log.text, sizeof(loader_log.text));
	loader_log.n = 0;
	loader_log.text[0] = '\0';
}

static uint32_t ring_size(uint32_t bytes, uint32_t page)
{
	uint32_t size = page;

	while (size < bytes && size < RINGS_BYTES_MAX)
		size *= 2;
	return size;
}

/* The bulk rings' number and sizes, within the common limit. */
static void size_rings(struct probes *probes)
{
	struct probes_config *config = &probes->config;
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus(), page = (uint32_t)getpagesize();
	uint32_t rest;

	if (config->cpus_per_ring == 0)
		config->cpus_per_ring = 1;
	if ((cpus + config->cpus_per_ring - 1) / config->cpus_per_ring > BULK_RINGS_MAX)
		config->cpus_per_ring = (cpus + BULK_RINGS_MAX - 1) / BULK_RINGS_MAX;
	probes->bulk_cnt = (cpus + config->cpus_per_ring - 1) / config->cpus_per_ring;
	config->lifecycle_ring_bytes =
		MIN(ring_size(config->lifecycle_ring_bytes, page), RINGS_BYTES_MAX / 2);
	config->ring_bytes = ring_size(config->ring_bytes, page);
	rest = RINGS_BYTES_MAX - config->lifecycle_ring_bytes;
	while (config->ring_bytes > page && config->ring_bytes > rest / probes->bulk_cnt)
		config->ring_bytes /= 2;
}

static int set_scope(struct probes *probes, const struct host_types *types,
		     struct settings *settings, struct probes_error *reterr)
{
	const struct probes_config *config = &probes->config;
	uint64_t id;
	int r;

	settings->scope = SCOPE_ALL;
	if (config->scope_pid) {
		settings->scope = SCOPE_PID;
		settings->scope_pid = config->scope_pid;
		return bpf_map__set_max_entries(probes->bpf->maps.scope_tasks, SCOPE_TASKS_MAX);
	}
	if (!config->scope_cgroup)
		return 0;
	r = scope_find_cgroup(types, config->scope_cgroup, &id, &settings->scope_subsystem, reterr);
	if (r)
		return r;
	settings->scope = SCOPE_CGROUP;
	settings->scope_cgroup = id;
	return 0;
}

/* Before loading, because the first one is also the template of the array: until 5.10 all must have
 * the template's size. */
static int make_bulk_rings(struct probes *probes)
{
	probes->bulk_fds = calloc(probes->bulk_cnt, sizeof(*probes->bulk_fds));
	if (!probes->bulk_fds)
		return -ENOMEM;
	for (uint32_t i = 0; i < probes->bulk_cnt; i++)
		probes->bulk_fds[i] = -1;
	for (uint32_t i = 0; i < probes->bulk_cnt; i++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bulk_ring", 0, 0,
					probes->config.ring_bytes, NULL);

		if (fd < 0)
			return fd;
		probes->bulk_fds[i] = fd;
	}
	return bpf_map__set_inner_map_fd(probes->bpf->maps.bulk_rings, probes->bulk_fds[0]);
}

static int place_bulk_rings(struct probes *probes)
{
	int array_fd = bpf_map__fd(probes->bpf->maps.bulk_rings);

	for (uint32_t i = 0; i < probes->bulk_cnt; i++) {
		if (bpf_map_update_elem(array_fd, &i, &probes->bulk_fds[i], BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Hosts with many CPUs run many threads. */
static int size_credentials(struct probes *probes)
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();

	return bpf_map__set_max_entries(probes->bpf->maps.credentials,
					MIN(cpus * CREDENTIALS_PER_CPU, CREDENTIALS_MAX));
}

/* Everything that must be known before loading. */
static int fit(struct probes *probes, const struct host_types *types, struct probes_error *reterr)
{
	struct haetae_bpf *bpf = probes->bpf;
	struct settings *settings = &bpf->rodata->settings;
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();
	int r;

	size_rings(probes);
	settings->cpus_per_ring = probes->config.cpus_per_ring;
	settings->bulk_ring_bytes = probes->config.ring_bytes;
	settings->lifecycle_ring_bytes = probes->config.lifecycle_ring_bytes;
	settings->page_kib = (uint32_t)getpagesize() / 1024;
	settings->want_env = probes->config.want_env;
	settings->want_path_swapped = probes->config.want_path_swapped;
	r = set_scope(probes, types, settings, reterr);
	if (r)
		return r;
	if (host_uring(types) != HOST_URING_NONE) {
		settings->sees_completions = true;
		(void)bpf_map__set_max_entries(bpf->maps.parked,
					       MIN(cpus * PARKED_PER_CPU, PARKED_MAX));
	}
	if (probes->config.want_path_swapped)
		(void)bpf_map__set_max_entries(bpf->maps.passed_texts, PASSED_TEXTS_MAX);
	r = bpf_map__set_max_entries(bpf->maps.lifecycle_ring, probes->config.lifecycle_ring_bytes);
	if (r == 0)
		r = bpf_map__set_max_entries(bpf->maps.bulk_rings, probes->bulk_cnt);
	if (r == 0)
		r = size_credentials(probes);
	if (r == 0)
		r = make_bulk_rings(probes);
	programs_select(probes, types);
	name_hooks_select(probes, types);
	return r;
}

static int open_rings(struct probes *probes)
{
	const struct probes_config *config = &probes->config;
	int r = ring_set_init(&probes->rings, probes->bulk_cnt + 1);

	if (r < 0)
		return r;
	r = ring_set_add(&probes->rings, bpf_map__fd(probes->bpf->maps.lifecycle_ring),
			 config->lifecycle_ring_bytes);
	for (uint32_t i = 0; r == 0 && i < probes->bulk_cnt; i++)
		r = ring_set_add(&probes->rings, probes->bulk_fds[i], config->ring_bytes);
	return r;
}

static int load_object(struct probes *probes, struct probes_error *reterr)
{
	char log[LOADER_LOG_BYTES];
	struct host_types *types;
	int r;

	errno = 0;
	types = host_types_read();
	if (!types)
		return host_explain("reading the kernel's types", errno ? -errno : -ENOENT, NULL,
				    reterr);
	probes->bpf = object_open(types);
	probes->second = probes->bpf ? object_open(types) : NULL;
	if (!probes->second) {
		r = -errno;
		host_types_free(types);
		return host_explain("opening the BPF object", r, loader_log.text, reterr);
	}
	r = fit(probes, types, reterr);
	host_types_free(types);
	if (r > 0)
		return r;
	if (r == 0)
		r = halves_load(probes, log);
	else
		loader_take_log(log);
	return r < 0 ? host_explain("loading the BPF programs", r, log, reterr) : 0;
}

static void set_counter_sources(struct probes *probes)
{
	probes->counter_sources = (struct counter_sources){
		.counters_fd = bpf_map__fd(probes->bpf->maps.counters),
		.cgroup_loss_fd = bpf_map__fd(probes->bpf->maps.cgroup_loss),
		.cgroup_loss_other_fd = bpf_map__fd(probes->bpf->maps.cgroup_other),
		.program_fds = probes->program_fds,
		.program_cnt = probes->program_cnt,
	};
}

int loader_load(struct probes *probes, struct probes_error *reterr)
{
	libbpf_print_fn_t print = libbpf_set_print(loader_print);
	int r;

	loader_log.n = 0;
	loader_log.text[0] = '\0';
	host_raise_memlock();
	r = load_object(probes, reterr);
	libbpf_set_print(print);
	object_forget();
	if (r)
		return r;
	r = place_bulk_rings(probes);
	if (r == 0)
		r = open_rings(probes);
	if (r == 0)
		r = programs_link(probes);
	if (r == 0 && probes->bpf->rodata->settings.sees_completions)
		r = parked_init(&probes->parked, bpf_map__fd(probes->bpf->maps.parked));
	if (r < 0)
		return host_explain("making the ring buffers", r, NULL, reterr);
	set_counter_sources(probes);
	return 0;
}

/* What a thread was before such a call is known only where each of them is seen. */
static bool changes_credentials(uint32_t number)
{
	switch (number) {
	case SYS_setuid:
	case SYS_setgid:
	case SYS_setreuid:
	case SYS_setregid:
	case SYS_setresuid:
	case SYS_setresgid:
	case SYS_setfsuid:
	case SYS_setfsgid:
	case SYS_capset:
	case SYS_unshare:
	case SYS_setns:
		return true;
	default:
		return false;
	}
}

/* A failed execveat may have to be told as execve (decision 10), so wanting one is wanting to look
 * at both; the dispatcher decides. */
static uint16_t wanted_type(const struct probes_want *want, uint32_t number)
{
	uint16_t type = want->type_of_syscall[number];

	if (number == SYS_execveat && type == EVENT_UNKNOWN)
		type = want->type_of_syscall[SYS_execve] == EVENT_EXECVE ? EVENT_EXECVEAT
									 : EVENT_UNKNOWN;
	if (type == EVENT_UNKNOWN && changes_credentials(number))
		type = EVENT_CREDENTIALS;
	return type < EVENT__COUNT ? type : EVENT_UNKNOWN;
}

#ifdef __x86_64__
static bool is_bundle_wanted(const struct probes_want *want)
{
	for (uint32_t i = 1; i < ARRAY_LEN(bundled_calls); i++) {
		if (wanted_type(want, bundled_calls[i].native_nr) != EVENT_UNKNOWN)
			return true;
	}
	return false;
}
#endif

static struct wanted_call wanted_slot(const struct probes_want *want, uint32_t number)
{
	struct wanted_call slot = { .native_nr = (uint16_t)number };
	uint16_t compat = compat_native_number(number);

#ifdef __x86_64__
	if (number == IA32_SOCKETCALL) /* the dispatcher takes it apart and asks again */
		slot.compat_type = is_bundle_wanted(want) ? EVENT_GENERIC : EVENT_UNKNOWN;
#endif
	slot.type = wanted_type(want, number);
	if (compat < WIRE_SYSCALL_MAX) {
		slot.compat_nr = compat;
		slot.compat_type = wanted_type(want, compat);
	}
	return slot;
}

static bool is_type_wanted(const struct probes_want *want, uint32_t type)
{
	for (uint32_t i = 0; i < WIRE_SYSCALL_MAX; i++) {
		if (want->type_of_syscall[i] == type)
			return true;
	}
	return false;
}

void loader_set_wanted(struct probes *probes, const struct probes_want *want)
{
	struct haetae_bpf *bpf = probes->bpf;
	bool is_mixed = false;

	for (uint32_t type = 1; type < EVENT__COUNT; type++) {
		bool is_wanted = is_type_wanted(want, type);

		bpf->bss->is_evaluated[type] = want->is_evaluated[type];
		bpf->bss->is_wanted[type] = is_wanted;
		is_mixed |= is_wanted && !want->is_evaluated[type];
	}
	bpf->bss->bulk_is_mixed = is_mixed;
	/* Slots are 8 bytes, aligned: a program sees the old or the new one. */
	for (uint32_t i = 0; i < WIRE_SYSCALL_MAX; i++)
		bpf->bss->wanted[i] = wanted_slot(want, i);
	for (uint32_t i = 0; i < X32_SLOTS; i++) {
		uint16_t native = compat_x32_number(WIRE_SYSCALL_MAX + i);

		if (native < WIRE_SYSCALL_MAX)
			bpf->bss->wanted[WIRE_SYSCALL_MAX + i] = (struct wanted_call){
				.type = wanted_type(want, native),
				.native_nr = native,
			};
	}
}
