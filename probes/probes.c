/*
 * The public face of the probes: load, attach, seed, drain, count. One object per daemon, owned by
 * it; the engine thread is the only caller.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fanotify.h>

#include "probes_private.h"
#include "skeleton.h"

#define SEED_BUFFER_BYTES (4 * WIRE_RECORD_MAX)
#define SEED_PASSES_MAX	  64 /* each pass adds at least one process; trees need two or three */

void probes_config_default(struct probes_config *config)
{
	*config = (struct probes_config){
		.ring_bytes = 4u << 20,
		.lifecycle_ring_bytes = 2u << 20,
		.cpus_per_ring = 2,
	};
}

static int check_scope(const struct probes_config *config, struct probes_error *reterr)
{
	if (!config->scope_pid)
		return 0;
	if (config->scope_pid > INT32_MAX ||
	    (kill((pid_t)config->scope_pid, 0) && errno == ESRCH)) {
		snprintf(reterr->what, sizeof(reterr->what), "there is no process %u",
			 config->scope_pid);
		snprintf(reterr->fix, sizeof(reterr->fix),
			 "give the pid of a running process to --scope-pid");
		return PROBES_E_USAGE;
	}
	return 0;
}

int probes_open(const struct probes_config *config, const struct probes_want *want,
		struct probes **ret, struct probes_error *reterr)
{
	_cleanup_(probes_freep) struct probes *probes = NULL;
	int r = check_scope(config, reterr);

	if (r)
		return r;
	probes = calloc(1, sizeof(*probes));
	if (!probes)
		return -ENOMEM;
	probes->rings.epoll_fd = -1;
	probes->config = *config;
	r = loader_load(probes, reterr);
	if (r)
		return r;
	probes->config.scope_cgroup = NULL; /* the caller's string was needed for loading only */
	loader_set_wanted(probes, want);
	*ret = TAKE_PTR(probes);
	return 0;
}

int probes_want(struct probes *probes, const struct probes_want *want)
{
	loader_set_wanted(probes, want);
	if (probes->link_cnt)
		name_hooks_attach(probes);
	return 0;
}

int probes_attach(struct probes *probes, struct probes_error *reterr)
{
	const char *failed = "a program";
	char step[64];
	int r = programs_attach(probes, &failed);

	if (r == 0)
		return 0;
	snprintf(step, sizeof(step), "attaching %s", failed);
	programs_detach(probes);
	return host_explain(step, r, NULL, reterr);
}

/* Gives the whole records of [data, data + n); returns the bytes that they took. */
static size_t give_records(const char *data, size_t n, probes_record_fn fn, void *fn_data)
{
	size_t at = 0;

	while (n - at >= sizeof(struct wire_header)) {
		uint32_t length;

		memcpy(&length, data + at + offsetof(struct wire_header, length), sizeof(length));
		if (length < sizeof(struct wire_header) || length > WIRE_RECORD_MAX)
			return n; /* the rest can't be told apart */
		if (length > n - at)
			break;
		fn(data + at, length, fn_data);
		at += length;
	}
	return at;
}

static int read_seed(int fd, char *buffer, probes_record_fn fn, void *data)
{
	size_t held = 0;

	for (;;) {
		ssize_t n = read(fd, buffer + held, SEED_BUFFER_BYTES - held);
		size_t taken;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		held += (size_t)n;
		taken = fn ? give_records(buffer, held, fn, data) : held;
		memmove(buffer, buffer + taken, held - taken);
		held -= taken;
	}
}

static int seed_pass(const struct bpf_link *link, char *buffer, probes_record_fn fn, void *data)
{
	_cleanup_(close_fdp) int fd = bpf_iter_create(bpf_link__fd(link));

	return fd < 0 ? fd : read_seed(fd, buffer, fn, data);
}

static int seed_passes(struct probes *probes, const struct bpf_link *link, char *buffer,
		       probes_record_fn fn, void *data)
{
	int r;

	probes->bpf->bss->seed_is_silent = 0;
	r = seed_pass(link, buffer, fn, data);
	probes->bpf->bss->seed_is_silent = 1;
	for (int i = 0; r == 0 && probes->config.scope_pid && i < SEED_PASSES_MAX; i++) {
		uint32_t before = probes->bpf->bss->scope_added;

		r = seed_pass(link, buffer, NULL, NULL);
		if (probes->bpf->bss->scope_added == before)
			break;
	}
	return r;
}

int probes_seed(struct probes *probes, probes_record_fn fn, void *data, struct probes_error *reterr)
{
	_cleanup_(freep) char *buffer = malloc(SEED_BUFFER_BYTES);
	struct bpf_link *link;
	int r;

	if (!buffer)
		return -ENOMEM;
	link = bpf_program__attach_iter(probes->bpf->progs.seed, NULL);
	if (!link)
		return host_explain("attaching the task iterator", -errno, NULL, reterr);
	r = seed_passes(probes, link, buffer, fn, data);
	bpf_link__destroy(link);
	if (r < 0)
		return host_explain("reading the task iterator", r, NULL, reterr);
	if (probes->config.scope_pid && !probes->bpf->bss->scope_root_tgid) {
		snprintf(reterr->what, sizeof(reterr->what),
			 "process %u has ended, or BPF is not shown it", probes->config.scope_pid);
		snprintf(reterr->fix, sizeof(reterr->fix),
			 "give the pid of a running process to --scope-pid");
		return PROBES_E_USAGE;
	}
	return 0;
}

/* The kernel's programs read the variable in the call, by this thread. */
void probes_self_test(struct probes *probes, const char *path)
{
	__u8 *is_self_test = &probes->bpf->bss->is_self_test;

	__atomic_store_n(is_self_test, 1, __ATOMIC_SEQ_CST);
	(void)fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path);
	__atomic_store_n(is_self_test, 0, __ATOMIC_SEQ_CST);
}

int probes_poll_fd(const struct probes *probes)
{
	return probes->rings.epoll_fd;
}

uint64_t probes_drain(struct probes *probes, probes_record_fn fn, void *data, uint64_t max_records)
{
	uint64_t cnt = ring_set_drain(&probes->rings, fn, data, max_records);

	return cnt + parked_fetch(&probes->parked, probes->link_cnt == 0, fn, data);
}

void probes_detach(struct probes *probes)
{
	programs_detach(probes);
}

struct probes *probes_free(struct probes *probes)
{
	if (!probes)
		return NULL;
	programs_detach(probes);
	ring_set_done(&probes->rings);
	parked_done(&probes->parked);
	for (uint32_t i = 0; probes->bulk_fds && i < probes->bulk_cnt; i++)
		close_fdp(&probes->bulk_fds[i]);
	free(probes->bulk_fds);
	for (uint32_t i = 0; i < probes->program_cnt; i++)
		close_fdp(&probes->program_fds[i]);
	free(probes->program_fds);
	haetae_bpf__destroy(probes->second);
	haetae_bpf__destroy(probes->bpf);
	free(probes);
	return NULL;
}

void probes_read_runs(const struct probes *probes, uint64_t *ret_runs, uint64_t *ret_run_ns)
{
	counters_read_runs(&probes->counter_sources, ret_runs, ret_run_ns);
}

int probes_read_counters(struct probes *probes, struct probes_counters *ret)
{
	int r = counters_read(&probes->counter_sources, ret->types);

	ret->malformed = ring_set_malformed(&probes->rings);
	if (r == 0)
		parked_count(&probes->parked, ret->types);
	return r;
}

uint32_t probes_read_cgroup_loss(struct probes *probes, struct probes_cgroup_loss *ret,
				 uint32_t max, uint64_t *ret_other)
{
	return counters_read_cgroup_loss(&probes->counter_sources, ret, max, ret_other);
}
