/*
 * Puts the engine's tables into a capture that begins in the middle of a run. Owns nothing. Engine
 * thread.
 *
 * The tables are those of now, the records behind them begin a few seconds ago: a process or a
 * program that came since is told of by its own record, so it is left out, and the program before
 * is put. What a snapshot cannot take back are ids of a process that changed since.
 */
#include "snapshot.h"

/* Of one text; users.c cuts the files at 4 MiB. */
#define USERS_TEXT_MAX (4u << 20)

/* ---- metadata ---- */

static void put_users(struct capture_writer *writer, const struct engine *engine)
{
	_cleanup_(buf_done) struct buf passwd;
	_cleanup_(buf_done) struct buf group;

	buf_init(&passwd, USERS_TEXT_MAX);
	buf_init(&group, USERS_TEXT_MAX);
	users_put(engine->users, &passwd, &group);
	capture_put_users(writer, buf_str(&passwd), buf_str(&group));
}

static void put_loss(struct capture_writer *writer, const struct loss_numbers *numbers)
{
	struct capture_loss loss = { .total = numbers->total };

	for (uint32_t i = 0; i < MIN(numbers->cgroup_cnt, (uint32_t)CAPTURE_LOSS_CGROUPS_MAX); i++)
		loss.cgroups[loss.cgroup_cnt++] = (struct capture_cgroup_loss){
			.cgroup_id = numbers->cgroups[i].cgroup_id,
			.lost = numbers->cgroups[i].lost,
			.hierarchy = numbers->cgroups[i].hierarchy,
		};
	capture_put_loss(writer, &loss);
}

static void put_sources(struct capture_writer *writer, const struct engine *engine)
{
	capture_put_sources(writer, engine->alert.has_source);
	for (unsigned i = 0; i < METADATA_SOURCE__COUNT; i++) {
		const struct metadata_answer answer = {
			.type = ANSWER_SOURCE,
			.source = (enum metadata_source)i,
			.is_healthy = container_table_is_healthy(engine->containers,
								 (enum metadata_source)i),
		};

		capture_put_answer(writer, &answer);
	}
}

/* The frames only borrow what the answers name. */
static void put_pods(struct capture_writer *writer, const struct engine *engine)
{
	const struct pod_info *pod;
	uint32_t cursor = 0;

	while ((pod = pod_table_next(engine->pods, &cursor))) {
		const struct metadata_answer answer = {
			.type = ANSWER_POD,
			.pod = (struct pod_info *)(uintptr_t)pod,
		};

		capture_put_answer(writer, &answer);
	}
}

static void put_cgroups(struct capture_writer *writer, const struct engine *engine)
{
	struct container_cgroup known;
	uint32_t cursor = 0;

	while (container_table_next_cgroup(engine->containers, &cursor, &known)) {
		struct capture_cgroup cgroup = { .hierarchy = known.hierarchy,
						 .id = known.id,
						 .is_inherited = known.is_inherited };

		cgroup.identity.type = known.container->type;
		cgroup.identity.is_users = known.is_users;
		memcpy(cgroup.identity.id, known.container->full_id, sizeof(cgroup.identity.id));
		memcpy(cgroup.identity.pod_uid, known.container->pod_uid,
		       sizeof(cgroup.identity.pod_uid));
		memcpy(cgroup.identity.runtime_namespace, known.container->runtime_namespace,
		       sizeof(cgroup.identity.runtime_namespace));
		capture_put_cgroup(writer, &cgroup);
	}
}

static void put_containers(struct capture_writer *writer, const struct engine *engine)
{
	const struct container *container;
	uint32_t cursor = 0;

	while ((container = container_table_next(engine->containers, &cursor))) {
		struct metadata_answer answer = { .type = ANSWER_CONTAINER,
						  .info = container->info };

		if (!container->info && container->state[METADATA_RUNTIME] != METADATA_NOT_FOUND)
			continue;
		if (!container->info)
			answer.type = ANSWER_CONTAINER_UNKNOWN;
		memcpy(answer.full_id, container->full_id, sizeof(answer.full_id));
		capture_put_answer(writer, &answer);
	}
}

/* ---- processes ---- */

/* The program that ran then; the oldest that is known where all are newer. */
static const struct proc_image *image_then(const struct proc *proc, uint64_t first_ns)
{
	const struct proc_image *image = proc->image;

	for (unsigned i = 0; i < ARRAY_LEN(proc->older) && image->exec_time_ns > first_ns; i++) {
		if (!proc->older[i])
			break;
		image = proc->older[i];
	}
	return image;
}

static void put_strings(struct capture_writer *writer, const struct proc *proc,
			const struct proc_image *image)
{
	/* No time of reading: nothing that comes takes them back. */
	struct proc_strings strings = {
		.exe = image->exe,
		.args = image->args,
		.env = image->env,
		.exepath = image->exepath,
		.cwd = image->cwd,
		.is_args_cut = image->is_args_cut,
		.is_env_cut = image->is_env_cut,
		.parent_pid = proc->parent_key.pid,
		.group_id = proc->group_id,
		.session_id = proc->session_id,
		.tty = proc->tty,
		.uid = proc->uid,
	};

	memcpy(strings.comm, image->comm, sizeof(strings.comm));
	capture_put_strings(writer, proc->key, &strings);
}

struct seed {
	struct wire_header header;
	struct wire_param params[PARAM_TASK_SEED__COUNT];
	_Alignas(8) uint64_t values[PARAM_TASK_SEED__COUNT];
};

static void put_seed(struct capture_writer *writer, const struct proc *proc,
		     const struct proc_image *image, uint64_t first_ns)
{
	struct seed seed = { .header = { .length = sizeof(seed),
					 .type = EVENT_TASK_SEED,
					 .param_cnt = PARAM_TASK_SEED__COUNT,
					 .time_ns = MIN(first_ns, proc->last_ns),
					 .start_ns = proc->key.start_ns,
					 .parent_start_ns = proc->parent_key.start_ns,
					 .exec_id = image->exec_id,
					 .cgroup_id = proc->cgroup_id,
					 .pid = proc->key.pid,
					 .tid = proc->key.pid,
					 .parent_pid = proc->parent_key.pid,
					 .ns_pid = proc->ns_pid,
					 .ns_tid = proc->ns_pid,
					 .session_id = proc->session_id,
					 .group_id = proc->group_id,
					 .ns_session_id = proc->ns_session_id,
					 .ns_group_id = proc->ns_group_id,
					 .uid = proc->uid,
					 .euid = proc->uid,
					 .loginuid = proc->loginuid,
					 .tty = proc->tty,
					 .pid_ns = proc->pid_ns,
					 .syscall_nr = WIRE_NO_SYSCALL,
					 .flags = WIRE_STATE,
					 .ring = WIRE_RING_NONE,
					 .cgroup_hierarchy = proc->cgroup_hierarchy } };

	memcpy(seed.header.comm, image->comm, WIRE_COMM_LEN);
	seed.values[PARAM_TASK_SEED_exe_ino] = image->exe_ino;
	seed.values[PARAM_TASK_SEED_exe_ino_ctime] = image->exe_ctime_ns;
	seed.values[PARAM_TASK_SEED_exe_ino_mtime] = image->exe_mtime_ns;
	seed.values[PARAM_TASK_SEED_exe_bits] = image->exe_bits;
	seed.values[PARAM_TASK_SEED_reader_pid] = proc->key.pid;
	seed.values[PARAM_TASK_SEED_pidns_init_start] = proc->pidns_init_start_ns;
	for (unsigned i = 0; i < PARAM_TASK_SEED__COUNT; i++)
		seed.params[i] = (struct wire_param){
			.offset = (uint16_t)(offsetof(struct seed, values) + i * sizeof(uint64_t)),
			.length = sizeof(uint64_t),
		};
	capture_put_record(writer, CAPTURE_SEED, &seed, sizeof(seed));
}

static void put_process(struct capture_writer *writer, const struct proc *proc, uint64_t first_ns)
{
	const struct proc_image *image = image_then(proc, first_ns);

	put_strings(writer, proc, image);
	put_seed(writer, proc, image, first_ns);
	if (proc->exit_ns && proc->exit_ns < first_ns)
		capture_put_gone(writer, proc->key);
}

void snapshot_put(struct capture_writer *writer, const struct engine *engine, uint64_t first_ns)
{
	const struct proc *proc;
	uint32_t cursor = 0;

	capture_put_tick(writer, first_ns, engine->wall_offset_ns);
	put_users(writer, engine);
	put_loss(writer, &engine->loss);
	put_sources(writer, engine);
	put_pods(writer, engine);
	put_cgroups(writer, engine);
	put_containers(writer, engine);
	while ((proc = proc_table_next(engine->procs, &cursor)))
		if (proc->key.start_ns < first_ns)
			put_process(writer, proc, first_ns);
}
