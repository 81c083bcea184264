/*
 * Trigger actions that ask the kernel for what few programs need, and stop there. Runs in a child
 * process of `haetae trigger`.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>

int trigger_bpf_map(struct trigger_step *step)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1,
			       .map_name = "haetae_trigger" };
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "make a BPF map");
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	return fd < 0 ? -errno : 0;
}

int trigger_userfault(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "call userfaultfd");
	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

/* A page that may be written and executed, as code that is brought along needs it. */
int trigger_writable_code(struct trigger_step *step)
{
	void *page;

	trigger_step_set(step, "map a page to write and execute");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	return page == MAP_FAILED ? -errno : 0;
}
