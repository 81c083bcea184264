/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table's steps that read the kernel's objects: files, directories, sockets, credentials. A
 * program of the chain behind table.bpf.c, because together they are more than the kernel's
 * compiler of 5.10 can place.
 */
#include "credentials.h"
#include "pidfd.h"
#include "data_steps.h"

static __always_inline void put_of_fs(struct frame *frame, struct task_struct *task,
				      const struct step *step)
{
	struct fs_struct *fs = READ(task, fs);

	if (!fs)
		return;
	if (step->action == ACTION_CWD_PATH)
		put_next_object(frame, step->parameter, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
	else
		put_next_object(frame, step->parameter, READ(fs, root.dentry), READ(fs, root.mnt));
}

static __always_inline void put_pid_of_descriptor(struct frame *frame, struct task_struct *task,
						  const struct step *step)
{
	__u32 number = pidfd_number(task, (__s32)operand(frame, step->argument));

	if (number)
		put_u64(frame, step->parameter, number);
}

static __always_inline void put_process_memory(struct frame *frame, struct task_struct *task,
					       const struct step *step)
{
	struct mm_struct *mm = READ(task, mm);
	__u64 pages = 0;

	if (!mm)
		return;
	if (step->action == ACTION_VM_SIZE)
		pages = READ(mm, total_vm);
	else if (step->action == ACTION_VM_RSS)
		pages = MM_PAGES(mm, 0) + MM_PAGES(mm, 1) + MM_PAGES(mm, 3);
	else
		pages = MM_PAGES(mm, 2);
	put_u64(frame, step->parameter, pages * settings.page_kib);
}

/* What named.bpf.c kept of this call; an earlier call's is of another type, or taken. */
static __always_inline void put_named(struct frame *frame, const struct step *step)
{
	__u64 thread = frame->owner;
	struct named_call *call = bpf_map_lookup_elem(&named_calls, &thread);
	__u32 index = step->argument & 1, slot = frame->object_cnt;
	struct named_object *object;

	if (!call || call->type != frame->type || slot >= FRAME_OBJECTS)
		return;
	object = &call->objects[index];
	if (!object->dentry)
		return;
	put_next_object(frame, step->parameter, (const void *)object->dentry,
			(const void *)object->vfsmount);
	if (object->name[0]) {
		__builtin_memcpy(frame->names[index], object->name, NAME_BYTES);
		frame->objects[slot].name = index + 1;
	}
	object->dentry = 0;
}

static __always_inline void put_working_directory(struct frame *frame, struct task_struct *task,
						  const struct step *step)
{
	struct fs_struct *fs = READ(task, fs);

	if (fs)
		put_next_object(frame, step->parameter, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
}

/* The inode number of a descriptor that the call wrote into memory. */
static __always_inline void put_filled_inode(struct frame *frame, struct task_struct *task,
					     const struct step *step)
{
	__u64 address = operand(frame, step->argument);
	struct inode *inode;
	struct file *file;
	__s32 fd = -1;

	if (frame->result < 0 ||
	    bpf_probe_read_user(&fd, sizeof(fd), (void *)(address + step->other)))
		return;
	file = file_of(task, fd);
	inode = file ? READ(file, f_inode) : NULL;
	if (inode)
		put_u64(frame, step->parameter, READ(inode, i_ino));
}

/* The directory that the relative string in parameter `other` starts from. */
static __always_inline void put_directory_of(struct frame *frame, struct task_struct *task,
					     const struct step *step)
{
	__s32 fd = (__s32)operand(frame, step->argument);
	struct file *file;

	if (!is_relative(frame, step->other) ||
	    (step->argument == ARGUMENT_OLD_CWD && frame->result >= 0))
		return;
	if (fd == AT_FDCWD) {
		put_working_directory(frame, task, step);
		return;
	}
	file = file_of(task, fd);
	if (file)
		put_next_object(frame, step->parameter, READ(file, f_path.dentry),
				READ(file, f_path.mnt));
}

/* A flat switch: a case an action. */
static __always_inline void take_step(struct frame *frame, struct task_struct *task,
				      const struct step *step)
{
	switch (step->action) {
	case ACTION_OBJECT:
		put_named(frame, step);
		return;
	case ACTION_DIRECTORY:
		put_directory_of(frame, task, step);
		return;
	case ACTION_NEW_CWD:
		if (frame->result >= 0)
			put_working_directory(frame, task, step);
		return;
	case ACTION_FILE_PATH_WITHOUT:
		if (!operand(frame, step->other))
			put_of_file(frame, task, step);
		return;
	case ACTION_CWD_PATH:
	case ACTION_ROOT_PATH:
		put_of_fs(frame, task, step);
		return;
	case ACTION_PIDFD_PID:
		put_pid_of_descriptor(frame, task, step);
		return;
	case ACTION_CREDENTIALS_BEFORE:
		put_credentials_before(frame, task, step->parameter);
		return;
	case ACTION_FILLED_INO:
		put_filled_inode(frame, task, step);
		return;
	case ACTION_VM_SIZE:
	case ACTION_VM_RSS:
	case ACTION_VM_SWAP:
		put_process_memory(frame, task, step);
		return;
	default:
		take_object_step(frame, task, step);
		return;
	}
}

struct step_run {
	struct frame *frame;
	__u32 type, first;
	bool is_ended; /* there are no more steps */
};

LOOP_TURN long take_turn(__u32 index, void *data)
{
	struct step_run *run = data;
	const struct step *step = step_at(run->type, run->first + index);

	if (!step || step->action == ACTION_END) {
		run->is_ended = true;
		return 1;
	}
	if (step->action >= ACTION_OF_OBJECTS)
		take_step(run->frame, current_task(), step);
	return 0;
}

/* As in table.bpf.c. */
static __always_inline bool take_steps(struct frame *frame, __u32 type)
{
	__u32 first = frame->first_step;
	struct step_run run = { .frame = frame, .type = type };
	const struct step *next;

	if (first > STEPS_MAX - STEPS_A_RUN)
		return false;
	barrier_var(first); /* the tested register is the one that is used: 5.10 */
	run.first = first;
	REPEAT(STEPS_A_RUN, take_turn, &run);
	if (run.is_ended)
		return false;
	first += STEPS_A_RUN;
	frame->first_step = (__u8)first;
	next = first < STEPS_MAX ? step_at(type, first) : NULL;
	return next && next->action != ACTION_END;
}

SEC("tp_btf/sys_exit")
int call_objects(__u64 *context)
{
	struct frame *frame = frame_get();
	__u32 type;

	if (!frame)
		return 0;
	type = frame->type;
	if (type < EVENT__COUNT) {
		if (take_steps(frame, type))
			bpf_tail_call(context, &call_chain, CHAIN_OBJECTS);
		frame->first_step = 0;
		bpf_tail_call(context, &call_chain, chain_start(frame));
	}
	frame_abandon(frame);
	return 0;
}
