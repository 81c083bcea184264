/*
 * The counter readers over maps that the test fills: sums over the CPUs, and losses by control
 * group for every size of table, none forgotten.
 */
#include "live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "probes_private.h"

static int make_map(enum bpf_map_type type, uint32_t key_bytes, uint32_t value_bytes, uint32_t cnt)
{
	int fd = bpf_map_create(type, "haetae_test", key_bytes, value_bytes, cnt, NULL);

	cr_assert(fd >= 0, "%s", strerror(-fd));
	return fd;
}

Test(live_counters, losses_by_control_group, .timeout = 300)
{
	/* In no order; two are equal. */
	static const uint64_t lost[] = { 5, 100, 1, 70, 70, 2000, 3 };
	static const uint64_t sorted[] = { 2000, 100, 70, 70, 5, 3, 1 };
	const uint64_t beyond = 11; /* of groups that had no place in the kernel's table */
	struct counter_sources sources = { .counters_fd = -1 };
	uint64_t sum = beyond;
	uint32_t zero = 0;

	live_require();
	sources.cgroup_loss_fd = make_map(BPF_MAP_TYPE_HASH, 8, 8, 16);
	sources.cgroup_loss_other_fd = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	for (uint64_t i = 0; i < ARRAY_LEN(lost); i++) {
		uint64_t id = 1000 + i;

		cr_assert(bpf_map_update_elem(sources.cgroup_loss_fd, &id, &lost[i], 0) == 0);
		sum += lost[i];
	}
	cr_assert(bpf_map_update_elem(sources.cgroup_loss_other_fd, &zero, &beyond, 0) == 0);
	for (uint32_t max = 0; max < ARRAY_LEN(lost) + 3; max++) {
		struct probes_cgroup_loss top[ARRAY_LEN(lost) + 3];
		uint64_t total = 0;
		uint32_t cnt = counters_read_cgroup_loss(&sources, top, max, &total);

		cr_expect(cnt == MIN(max, ARRAY_LEN(lost)), "%u of %u", cnt, max);
		for (uint32_t i = 0; i < cnt; i++) {
			cr_expect(top[i].lost == sorted[i], "%u of %u: %llu", i, max,
				  (unsigned long long)top[i].lost);
			cr_expect(lost[top[i].cgroup_id - 1000] == top[i].lost, "%u of %u", i, max);
			total += top[i].lost;
		}
		cr_expect(total == sum, "%u: %llu, want %llu", max, (unsigned long long)total,
			  (unsigned long long)sum);
	}
	close(sources.cgroup_loss_fd);
	close(sources.cgroup_loss_other_fd);
}

Test(live_counters, sums_over_the_cpus, .timeout = 300)
{
	struct wire_counters result[EVENT__COUNT], *cpus;
	struct counter_sources sources = { .cgroup_loss_fd = -1 };
	int cpu_cnt = libbpf_num_possible_cpus();

	live_require();
	cr_assert(cpu_cnt > 0);
	cpus = calloc((size_t)cpu_cnt, sizeof(*cpus));
	sources.counters_fd =
		make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct wire_counters), EVENT__COUNT);
	for (uint32_t type = 0; type < EVENT__COUNT; type++) {
		for (int cpu = 0; cpu < cpu_cnt; cpu++)
			for (size_t i = 0; i < sizeof(*cpus) / sizeof(__u64); i++)
				((__u64 *)&cpus[cpu])[i] = 1000 * type + 10 * i + (__u64)cpu;
		cr_assert(bpf_map_update_elem(sources.counters_fd, &type, cpus, 0) == 0);
	}
	memset(result, 0xff, sizeof(result));
	cr_assert(counters_read(&sources, result) == 0);
	for (uint32_t type = 0; type < EVENT__COUNT; type++) {
		for (size_t i = 0; i < sizeof(*cpus) / sizeof(__u64); i++) {
			uint64_t n = (uint64_t)cpu_cnt;
			uint64_t want = n * (1000 * type + 10 * i) + n * (n - 1) / 2;

			cr_expect(((__u64 *)&result[type])[i] == want, "type %u, counter %zu", type,
				  i);
		}
	}
	sources.counters_fd = -1;
	cr_expect(counters_read(&sources, result) < 0, "no map is an error");
	free(cpus);
}
