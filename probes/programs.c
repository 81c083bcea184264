/*
 * The table of programs: what each is attached to or which tail call reaches it, and on which
 * kernels it is loaded. Owns the links of a struct probes. Engine thread.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "probes_private.h"
#include "skeleton.h"

enum program_place {
	PLACE_HOOK,	      /* attached; the kernel calls it */
	PLACE_CALL,	      /* call_programs[slot], slot an event type */
	PLACE_TABLE,	      /* every slot of call_programs that no later row takes */
	PLACE_CALL_CHAIN,     /* call_chain[slot], slot a chain_slot */
	PLACE_EXEC_CHAIN,     /* exec_chain[slot] */
	PLACE_SUBMIT_CHAIN,   /* submit_chain[slot]: io_uring's submission */
	PLACE_COMPLETE_CHAIN, /* complete_chain[slot]: its completion */
	PLACE_ITERATOR,	      /* attached while probes_seed() runs */
};

/* What the kernel has; computed once, tested by mask. */
enum host_ability {
	HAS_RDONLY_CAST = 1 << 0,   /* bpf_rdonly_cast: 6.2 */
	HAS_EXIT_ARGUMENT = 1 << 1, /* sched_process_exit says group_dead: 6.16 */
	HAS_URING = 1 << 3,	    /* tracepoints of io_uring give the request: 6.0 */
	HAS_URING_CQE = 1 << 4,	    /* and the completion, not its members: 6.10 */
	HAS_ENTRY_WISH = 1 << 2	    /* not the kernel's: a rule asks for evt.path_swapped */
};

/* As the sections of uring.bpf.c have it; older kernels call it otherwise. */
#define URING_SUBMIT "io_uring_submit_req"

struct program_row {
	const char *name;
	enum program_place place;
	unsigned slot;
	unsigned needs, lacks; /* host_ability: loaded where all of `needs` and none of `lacks` */
};

/* clang-format off */
static const struct program_row program_rows[] = {
	{ "call_message",     PLACE_CALL_CHAIN, CHAIN_MESSAGE,   0, 0 },
	{ "call_again",       PLACE_CALL_CHAIN, CHAIN_AGAIN,     0, 0 },
	{ "call_socket",      PLACE_CALL_CHAIN, CHAIN_SOCKET,    0, 0 },
	{ "call_name",        PLACE_CALL_CHAIN, CHAIN_NAME,      0, HAS_RDONLY_CAST },
	{ "call_name_t",      PLACE_CALL_CHAIN, CHAIN_NAME,      HAS_RDONLY_CAST, 0 },
	{ "call_filter",      PLACE_CALL_CHAIN, CHAIN_FILTER,    0, 0 },
	{ "call_resolve",     PLACE_CALL_CHAIN, CHAIN_RESOLVE,   0, HAS_RDONLY_CAST },
	{ "call_resolve_t",   PLACE_CALL_CHAIN, CHAIN_RESOLVE,   HAS_RDONLY_CAST, 0 },
	{ "call_arguments",   PLACE_CALL_CHAIN, CHAIN_ARGUMENTS, 0, 0 },
	{ "call_submit",      PLACE_CALL_CHAIN, CHAIN_SUBMIT,    0, 0 },
	{ "call_objects",     PLACE_CALL_CHAIN, CHAIN_OBJECTS,   0, 0 },
	{ "call_iovec",       PLACE_CALL_CHAIN, CHAIN_IOVEC,     0, 0 },
	{ "call_compare",     PLACE_CALL_CHAIN, CHAIN_COMPARE,   HAS_ENTRY_WISH, 0 },
	{ "exec_filter",      PLACE_EXEC_CHAIN, CHAIN_FILTER,    0, 0 },
	{ "exec_resolve",     PLACE_EXEC_CHAIN, CHAIN_RESOLVE,   0, HAS_RDONLY_CAST },
	{ "exec_resolve_t",   PLACE_EXEC_CHAIN, CHAIN_RESOLVE,   HAS_RDONLY_CAST, 0 },
	{ "exec_arguments",   PLACE_EXEC_CHAIN, CHAIN_ARGUMENTS, 0, 0 },
	{ "exec_submit",      PLACE_EXEC_CHAIN, CHAIN_SUBMIT,    0, 0 },
	{ "x_table",          PLACE_TABLE, 0, 0, 0 },
	{ "x_execve",         PLACE_CALL, EVENT_EXECVE,   0, 0 },
	{ "x_clone",          PLACE_CALL, EVENT_CLONE,    0, 0 },
	{ "x_clone3",         PLACE_CALL, EVENT_CLONE3,   0, 0 },
	{ "x_fork",           PLACE_CALL, EVENT_FORK,     0, 0 },
	{ "x_vfork",          PLACE_CALL, EVENT_VFORK,    0, 0 },
	{ "x_execveat",       PLACE_CALL, EVENT_EXECVEAT, 0, 0 },
	{ "x_open",           PLACE_CALL, EVENT_OPEN,     0, 0 },
	{ "x_openat",         PLACE_CALL, EVENT_OPENAT,   0, 0 },
	{ "x_openat2",        PLACE_CALL, EVENT_OPENAT2,  0, 0 },
	{ "x_creat",          PLACE_CALL, EVENT_CREAT,    0, 0 },
	{ "x_credentials",    PLACE_CALL, EVENT_CREDENTIALS,       0, 0 },
	{ "x_fsconfig",       PLACE_CALL, EVENT_FSCONFIG,          0, 0 },
	{ "x_prctl",          PLACE_CALL, EVENT_PRCTL,             0, 0 },
	{ "x_process_readv",  PLACE_CALL, EVENT_PROCESS_VM_READV,  0, 0 },
	{ "x_process_writev", PLACE_CALL, EVENT_PROCESS_VM_WRITEV, 0, 0 },
	{ "submit_table",     PLACE_SUBMIT_CHAIN, CHAIN_TABLE,   HAS_URING, 0 },
	{ "submit_iovec",     PLACE_SUBMIT_CHAIN, CHAIN_IOVEC,   HAS_URING, 0 },
	{ "submit_message",   PLACE_SUBMIT_CHAIN, CHAIN_MESSAGE, HAS_URING, 0 },
	{ "submit_socket",    PLACE_SUBMIT_CHAIN, CHAIN_SOCKET,  HAS_URING, 0 },
	{ "submit_filter",    PLACE_SUBMIT_CHAIN, CHAIN_FILTER,  HAS_URING, 0 },
	{ "submit_resolve",   PLACE_SUBMIT_CHAIN, CHAIN_RESOLVE, HAS_URING, HAS_RDONLY_CAST },
	{ "submit_resolve_t", PLACE_SUBMIT_CHAIN, CHAIN_RESOLVE, HAS_URING | HAS_RDONLY_CAST, 0 },
	{ "submit_park",      PLACE_SUBMIT_CHAIN, CHAIN_SUBMIT,  HAS_URING, 0 },
	{ "complete_table",     PLACE_COMPLETE_CHAIN, CHAIN_TABLE,   HAS_URING, 0 },
	{ "complete_iovec",     PLACE_COMPLETE_CHAIN, CHAIN_IOVEC,   HAS_URING, 0 },
	{ "complete_message",   PLACE_COMPLETE_CHAIN, CHAIN_MESSAGE, HAS_URING, 0 },
	{ "complete_socket",    PLACE_COMPLETE_CHAIN, CHAIN_SOCKET,  HAS_URING, 0 },
	{ "complete_filter",    PLACE_COMPLETE_CHAIN, CHAIN_FILTER,  HAS_URING, 0 },
	{ "complete_resolve",   PLACE_COMPLETE_CHAIN, CHAIN_RESOLVE, HAS_URING, HAS_RDONLY_CAST },
	{ "complete_resolve_t", PLACE_COMPLETE_CHAIN, CHAIN_RESOLVE, HAS_URING | HAS_RDONLY_CAST, 0 },
	{ "complete_submit",    PLACE_COMPLETE_CHAIN, CHAIN_SUBMIT,  HAS_URING, 0 },
	{ "seed",             PLACE_ITERATOR, 0, 0, 0 },
	/* In the order of attaching: the scope's tree is kept before anything asks for it. */
	{ "tp_cgroup_mkdir",  PLACE_HOOK, 0, 0, 0 },
	{ "tp_cgroup_rmdir",  PLACE_HOOK, 0, 0, 0 },
	{ "tp_cgroup_move",  PLACE_HOOK, 0, 0, 0 },
	{ "tp_signal",        PLACE_HOOK, 0, 0, 0 },
	{ "tp_fork",          PLACE_HOOK, 0, 0, 0 },
	{ "tp_exit_dead",     PLACE_HOOK, 0, HAS_EXIT_ARGUMENT, 0 },
	{ "tp_exit_live",     PLACE_HOOK, 0, 0, HAS_EXIT_ARGUMENT },
	{ "tp_exec",          PLACE_HOOK, 0, 0, 0 },
	{ "tp_sock_state",    PLACE_HOOK, 0, 0, 0 },
	{ "tp_complete",      PLACE_HOOK, 0, HAS_URING | HAS_URING_CQE, 0 },
	{ "tp_complete_members", PLACE_HOOK, 0, HAS_URING, HAS_URING_CQE },
	{ "tp_submit_req",    PLACE_HOOK, 0, HAS_URING, 0 },
	{ "tp_enter",         PLACE_HOOK, 0, HAS_ENTRY_WISH, 0 },
	{ "dispatch",         PLACE_HOOK, 0, 0, HAS_RDONLY_CAST },
	{ "dispatch_t",       PLACE_HOOK, 0, HAS_RDONLY_CAST, 0 },
};
/* clang-format on */

static unsigned host_abilities(const struct host_types *types)
{
	unsigned abilities = 0;

	if (host_types_have(types, "bpf_rdonly_cast"))
		abilities |= HAS_RDONLY_CAST;
	if (host_tracepoint_arguments(types, "sched_process_exit") >= 2)
		abilities |= HAS_EXIT_ARGUMENT;
	switch (host_uring(types)) {
	case HOST_URING_REQUEST_CQE:
		abilities |= HAS_URING | HAS_URING_CQE;
		break;
	case HOST_URING_REQUEST:
		abilities |= HAS_URING;
		break;
	case HOST_URING_NONE:
		break;
	}
	return abilities;
}

/* What is attached has to be the first half's; the rest is shared out by the time that it takes the
 * verifier: as much again as the first half's. */
static bool is_of_second(const struct program_row *row)
{
	switch (row->place) {
	case PLACE_HOOK:
	case PLACE_ITERATOR:
		return false;
	case PLACE_CALL_CHAIN:
		return row->slot != CHAIN_NAME && row->slot != CHAIN_FILTER &&
		       row->slot != CHAIN_RESOLVE && row->slot != CHAIN_SUBMIT;
	case PLACE_CALL:
	case PLACE_TABLE:
	case PLACE_EXEC_CHAIN:
	case PLACE_SUBMIT_CHAIN:
	case PLACE_COMPLETE_CHAIN:
		break;
	}
	return true;
}

static void select_program(struct haetae_bpf *bpf, const struct program_row *row, bool is_loaded,
			   const struct host_types *types)
{
	struct bpf_program *program = bpf_object__find_program_by_name(bpf->obj, row->name);

	hae_assert(program);
	bpf_program__set_autoload(program, is_loaded);
	if (strstr(bpf_program__section_name(program), URING_SUBMIT))
		(void)bpf_program__set_attach_target(program, 0, host_uring_submit(types));
}

void programs_select(struct probes *probes, const struct host_types *types)
{
	unsigned abilities =
		host_abilities(types) | (probes->config.want_path_swapped ? HAS_ENTRY_WISH : 0);

	for (size_t i = 0; i < ARRAY_LEN(program_rows); i++) {
		const struct program_row *row = &program_rows[i];
		bool is_possible =
			(abilities & row->needs) == row->needs && !(abilities & row->lacks);

		select_program(probes->bpf, row, is_possible && !is_of_second(row), types);
		select_program(probes->second, row, is_possible && is_of_second(row), types);
	}
}

static int array_of(const struct probes *probes, enum program_place place)
{
	switch (place) {
	case PLACE_CALL:
		return bpf_map__fd(probes->bpf->maps.call_programs);
	case PLACE_CALL_CHAIN:
		return bpf_map__fd(probes->bpf->maps.call_chain);
	case PLACE_EXEC_CHAIN:
		return bpf_map__fd(probes->bpf->maps.exec_chain);
	case PLACE_SUBMIT_CHAIN:
		return bpf_map__fd(probes->bpf->maps.submit_chain);
	case PLACE_COMPLETE_CHAIN:
		return bpf_map__fd(probes->bpf->maps.complete_chain);
	case PLACE_TABLE:
	case PLACE_HOOK:
	case PLACE_ITERATOR:
		break;
	}
	return -1;
}

static int link_table(struct probes *probes, int fd)
{
	int array_fd = bpf_map__fd(probes->bpf->maps.call_programs);

	for (uint32_t type = 0; type < EVENT__COUNT; type++) {
		if (bpf_map_update_elem(array_fd, &type, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int loaded_fd(const struct probes *probes, const struct program_row *row)
{
	struct haetae_bpf *half = is_of_second(row) ? probes->second : probes->bpf;

	return bpf_program__fd(bpf_object__find_program_by_name(half->obj, row->name));
}

int programs_link(struct probes *probes)
{
	probes->program_fds = calloc(ARRAY_LEN(program_rows), sizeof(*probes->program_fds));
	if (!probes->program_fds)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(program_rows); i++) {
		const struct program_row *row = &program_rows[i];
		int fd = loaded_fd(probes, row), array_fd = array_of(probes, row->place);

		if (fd < 0)
			continue;
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
		probes->program_fds[probes->program_cnt++] = fd;
		if (row->place == PLACE_TABLE) {
			int r = link_table(probes, fd);

			if (r < 0)
				return r;
		}
		if (array_fd >= 0 && bpf_map_update_elem(array_fd, &row->slot, &fd, BPF_ANY))
			return -errno;
	}
	haetae_bpf__destroy(probes->second);
	probes->second = NULL;
	return 0;
}

int programs_attach(struct probes *probes, const char **ret_failed)
{
	probes->links = calloc(ARRAY_LEN(program_rows), sizeof(struct bpf_link *));
	if (!probes->links)
		return -ENOMEM;
	name_hooks_attach(probes);
	for (size_t i = 0; i < ARRAY_LEN(program_rows); i++) {
		const struct program_row *row = &program_rows[i];
		struct bpf_program *program;
		struct bpf_link *link;

		program = bpf_object__find_program_by_name(probes->bpf->obj, row->name);
		if (row->place != PLACE_HOOK || bpf_program__fd(program) < 0)
			continue;
		link = bpf_program__attach(program);
		if (!link) {
			*ret_failed = row->name;
			return -errno;
		}
		probes->links[probes->link_cnt++] = link;
	}
	return 0;
}

/* An RCU grace period (kernel/sched/membarrier.c): programs run within RCU's read sections. Where
 * all cpus are tickless the call does not exist, and the time is too short to care. */
void programs_wait(void)
{
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void programs_detach(struct probes *probes)
{
	bool is_attached = false;

	/* The dispatcher first: what it has begun ends in programs that are still loaded. */
	while (probes->link_cnt > 0) {
		bpf_link__destroy(probes->links[--probes->link_cnt]);
		is_attached = true;
	}
	name_hooks_detach(probes);
	/* What other cpus are in the middle of is in the rings when this returns. */
	if (is_attached)
		programs_wait();
	free(probes->links);
	probes->links = NULL;
}
