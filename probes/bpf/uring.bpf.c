/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * io_uring: operations as the events that they stand for (decision 12). A record is made when the
 * request is submitted, from the kernel's own copies of paths, in the submitter's name, and parked
 * until the request completes, which gives the result and, of an open, the file.
 *
 * Not every request completes for us to see: with IOSQE_CQE_SKIP_SUCCESS only failures do, and a
 * full completion queue swallows the rest. So a parked record tells success already, or of connect
 * that it goes on; user space fetches it after a second (probes/parked.c), and a new request in
 * the memory of the old one sends it.
 */
#define STEPS_OF_REQUESTS true
#include "chain.h"
#include "data_steps.h"
#include "uring.h"

#define PF_IO_WORKER 0x10 /* include/linux/sched.h: io-wq and submission threads, since 5.12 */

/* By the request's address. Not an LRU: nothing may be pushed out unseen. Sized up by loader.c. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct parked);
} parked SEC(".maps");

/* ---- the record, at submission --------------------------------------------------------------- */

static __always_inline void put_name(struct frame *frame, __u32 parameter, struct filename *name)
{
	put_kernel_string(frame, parameter, READ(name, name));
}

static __always_inline void put_start(struct frame *frame, struct task_struct *task, __u32 name,
				      __u32 parameter, __s32 dirfd)
{
	struct fs_struct *fs = READ(task, fs);
	struct file *file = dirfd == AT_FDCWD ? NULL : file_of(task, dirfd);

	if (!is_relative(frame, name))
		return;
	if (file)
		put_next_object(frame, parameter, READ(file, f_path.dentry),
				READ(file, f_path.mnt));
	else if (dirfd == AT_FDCWD && fs)
		put_next_object(frame, parameter, READ(fs, pwd.dentry), READ(fs, pwd.mnt));
}

static __always_inline void put_open(struct frame *frame, struct task_struct *task,
				     struct io_open *open)
{
	__u64 flags = READ(open, how.flags), mode = READ(open, how.mode);
	__s32 dirfd = READ(open, dfd);

	if (frame->type == EVENT_OPENAT) {
		put_s64(frame, PARAM_OPENAT_dirfd, dirfd);
		put_u64(frame, PARAM_OPENAT_flags, flags);
		put_u64(frame, PARAM_OPENAT_mode, mode);
		put_name(frame, PARAM_OPENAT_name, READ(open, filename));
		put_start(frame, task, PARAM_OPENAT_name, PARAM_OPENAT_dirpath, dirfd);
		return;
	}
	put_s64(frame, PARAM_OPENAT2_dirfd, dirfd);
	put_u64(frame, PARAM_OPENAT2_flags, flags);
	put_u64(frame, PARAM_OPENAT2_mode, mode);
	put_u64(frame, PARAM_OPENAT2_resolve, READ(open, how.resolve));
	put_name(frame, PARAM_OPENAT2_name, READ(open, filename));
	put_start(frame, task, PARAM_OPENAT2_name, PARAM_OPENAT2_dirpath, dirfd);
}

static __always_inline void put_unlink(struct frame *frame, struct task_struct *task,
				       struct io_unlink *unlink)
{
	__s32 dirfd = READ(unlink, dfd);

	put_s64(frame, PARAM_UNLINKAT_dirfd, dirfd);
	put_u64(frame, PARAM_UNLINKAT_flags, (__u32)READ(unlink, flags));
	put_name(frame, PARAM_UNLINKAT_name, READ(unlink, filename));
	put_start(frame, task, PARAM_UNLINKAT_name, PARAM_UNLINKAT_dirpath, dirfd);
}

static __always_inline void put_mkdir(struct frame *frame, struct task_struct *task,
				      struct io_mkdir *mkdir)
{
	__s32 dirfd = READ(mkdir, dfd);

	put_s64(frame, PARAM_MKDIRAT_dirfd, dirfd);
	put_u64(frame, PARAM_MKDIRAT_mode, READ(mkdir, mode));
	put_name(frame, PARAM_MKDIRAT_path, READ(mkdir, filename));
	put_start(frame, task, PARAM_MKDIRAT_path, PARAM_MKDIRAT_dirpath, dirfd);
}

static __always_inline void put_rename(struct frame *frame, struct task_struct *task,
				       struct io_rename *rename)
{
	__s32 old_dirfd = READ(rename, old_dfd), new_dirfd = READ(rename, new_dfd);

	put_s64(frame, PARAM_RENAMEAT2_olddirfd, old_dirfd);
	put_s64(frame, PARAM_RENAMEAT2_newdirfd, new_dirfd);
	put_u64(frame, PARAM_RENAMEAT2_flags, (__u32)READ(rename, flags));
	put_name(frame, PARAM_RENAMEAT2_oldpath, READ(rename, oldpath));
	put_start(frame, task, PARAM_RENAMEAT2_oldpath, PARAM_RENAMEAT2_olddirpath, old_dirfd);
	put_name(frame, PARAM_RENAMEAT2_newpath, READ(rename, newpath));
	put_start(frame, task, PARAM_RENAMEAT2_newpath, PARAM_RENAMEAT2_newdirpath, new_dirfd);
}

static __always_inline void put_symlink(struct frame *frame, struct task_struct *task,
					struct io_link *link)
{
	__s32 dirfd = READ(link, new_dfd);

	put_s64(frame, PARAM_SYMLINKAT_linkdirfd, dirfd);
	put_name(frame, PARAM_SYMLINKAT_target, READ(link, oldpath));
	put_name(frame, PARAM_SYMLINKAT_linkpath, READ(link, newpath));
	put_start(frame, task, PARAM_SYMLINKAT_linkpath, PARAM_SYMLINKAT_linkdirpath, dirfd);
}

static __always_inline void put_link(struct frame *frame, struct task_struct *task,
				     struct io_link *link)
{
	__s32 old_dirfd = READ(link, old_dfd), new_dirfd = READ(link, new_dfd);

	put_s64(frame, PARAM_LINKAT_olddir, old_dirfd);
	put_s64(frame, PARAM_LINKAT_newdir, new_dirfd);
	put_u64(frame, PARAM_LINKAT_flags, (__u32)READ(link, flags));
	put_name(frame, PARAM_LINKAT_oldpath, READ(link, oldpath));
	put_start(frame, task, PARAM_LINKAT_oldpath, PARAM_LINKAT_olddirpath, old_dirfd);
	put_name(frame, PARAM_LINKAT_newpath, READ(link, newpath));
	put_start(frame, task, PARAM_LINKAT_newpath, PARAM_LINKAT_newdirpath, new_dirfd);
}

/* A flat switch: one case an event. */
static __always_inline void put_operation(struct frame *frame, struct task_struct *task,
					  void *request)
{
	switch (frame->type) {
	case EVENT_OPENAT:
	case EVENT_OPENAT2:
		put_open(frame, task, request);
		return;
	case EVENT_UNLINKAT:
		put_unlink(frame, task, request);
		return;
	case EVENT_MKDIRAT:
		put_mkdir(frame, task, request);
		return;
	case EVENT_RENAMEAT2:
		put_rename(frame, task, request);
		return;
	case EVENT_SYMLINKAT:
		put_symlink(frame, task, request);
		return;
	case EVENT_LINKAT:
		put_link(frame, task, request);
		return;
	}
}

/* Takes a parked record back into the frame. The frame is the caller's. */
static __always_inline void unpark(struct frame *frame, const struct parked *from)
{
	struct wire_header *header = frame_header(frame);

	(void)bpf_probe_read_kernel(frame->record, sizeof(from->record), from->record);
	frame->type = header->type;
	frame->parameter_cnt = header->param_cnt;
	frame->position = header->length < PARKED_BYTES ? header->length : PARKED_BYTES;
	frame->flags = header->flags & ~WIRE_STATE;
	frame->result = header->result;
	frame->call_nr = header->syscall_nr;
	for (int i = 0; i < FRAME_OBJECTS; i++)
		frame->objects[i].dentry = 0;
	frame->object_cnt = 0;
	frame->walk.object = 0;
	frame->walk.is_running = 0;
	frame->walk.runs = 0;
	frame->after_paths = CHAIN_SUBMIT;
}

/* What a request left behind whose completion was not seen, and whose memory is used again. */
static __always_inline bool send_left(__u64 request, __u64 thread)
{
	struct parked *left = bpf_map_lookup_elem(&parked, &request);
	struct frame *frame;

	if (!left)
		return true;
	frame = frame_get();
	if (!frame || frame->owner)
		return false;
	frame->owner = thread;
	frame->is_lifecycle = 0;
	unpark(frame, left);
	(void)bpf_map_delete_elem(&parked, &request);
	frame_submit(frame);
	return true;
}

/* The result is the first parameter of all these events. */
static __always_inline void set_result(struct frame *frame, __s64 result)
{
	struct wire_param *first = &frame_params(frame)[0];

	frame->result = result;
	if (first->length == 8)
		*(__u64 *)(frame->record + (first->offset & POSITION_MASK & ~7u)) = (__u64)result;
}

static __always_inline int submit(__u64 *context, __u64 request)
{
	struct task_struct *task = current_task();
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 type, opcode = READ((struct io_kiocb *)request, opcode);
	struct frame *frame;

	if (opcode >= OPERATIONS)
		return 0;
	type = event_of_operation[opcode];
	barrier_var(type); /* the compiler knows the table, the verifier doesn't */
	if (!type || type >= EVENT__COUNT || !is_wanted[type] || !is_observed(task, thread >> 32))
		return 0;
	count_generated(type);
	if (!send_left(request, thread)) {
		count_lost(type, WIRE_LOST_SCRATCH, 0);
		return 0;
	}
	frame = frame_acquire(type, thread);
	if (!frame)
		return 0;
	frame->type = (__u16)type;
	frame->flags = WIRE_IO_URING;
	frame->result = -EINPROGRESS;
	request_arguments(frame, (struct io_kiocb *)request);
	frame_start(frame, type, parameter_counts[type]);
	if (has_steps(type)) {
		bpf_tail_call(context, &submit_chain, CHAIN_TABLE);
	} else {
		put_s64(frame, 0, frame->result);
		put_operation(frame, task, (void *)request);
		bpf_tail_call(context, &submit_chain, CHAIN_FILTER);
	}
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int tp_submit_req(__u64 *context)
{
	return submit(context, context[0]);
}

#define REQUEST_STEPS 10 /* what the longest of these rows has; the verifier takes each */

struct request_run {
	struct frame *frame;
	__u32 type;
};

LOOP_TURN long take_turn(__u32 index, void *data)
{
	struct request_run *run = data;
	const struct step *step = step_at(run->type, index);

	if (!step || step->action == ACTION_END)
		return 1;
	if (step->action < ACTION_OF_OBJECTS)
		take_data_step(run->frame, step);
	else
		take_object_step(run->frame, current_task(), step);
	return 0;
}

/* The steps of the event's row: what they tell before the request has done anything, and after. */
static __always_inline int chain_table(__u64 *context, void *chain)
{
	struct frame *frame = frame_get();
	struct request_run run = { .frame = frame };

	if (!frame)
		return 0;
	run.type = frame->type;
	if (run.type < EVENT__COUNT) {
		REPEAT(REQUEST_STEPS, take_turn, &run);
		bpf_tail_call(context, chain, chain_start(frame));
	}
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int submit_table(__u64 *context)
{
	return chain_table(context, &submit_chain);
}

SEC("tp_btf/io_uring_complete")
int complete_table(__u64 *context)
{
	return chain_table(context, &complete_chain);
}

/* A submission thread or a worker is one of the process, with a name and a number of the kernel's
 * choice: the record is the process's. */
static __always_inline void name_submitter(struct frame *frame, struct task_struct *task)
{
	struct wire_header *header = frame_header(frame);
	struct task_struct *leader = READ(task, group_leader);

	if (!(READ(task, flags) & PF_IO_WORKER))
		return;
	header->tid = header->pid;
	header->ns_tid = header->ns_pid;
	(void)bpf_core_read(header->comm, sizeof(header->comm), &leader->comm);
}

SEC("tp_btf/io_uring_submit_req")
int submit_filter(__u64 *context)
{
	struct frame *frame = frame_get();
	__u8 next;

	if (!frame)
		return 0;
	next = chain_fill(frame, current_task(), false);
	name_submitter(frame, current_task());
	bpf_tail_call(context, &submit_chain, next);
	frame_abandon(frame);
	return 0;
}

/* Behind the record, where it ends in the map's value. */
static __always_inline void write_notes(struct frame *frame)
{
	struct request_notes *notes = (struct request_notes *)(frame->record + PARKED_BYTES);

	__builtin_memcpy(notes->arguments, frame->arguments, sizeof(notes->arguments));
	notes->is_fixed = frame->request.is_fixed;
	notes->is_direct = frame->request.is_direct;
	notes->waits = has_to_wait(frame->type) && !frame->request.is_silent;
}

/* The end of the chain: to wait for the completion, or, where that is not possible, to be sent. */
SEC("tp_btf/io_uring_submit_req")
int submit_park(__u64 *context)
{
	struct frame *frame = frame_get();
	struct wire_header *header;
	__u64 request;

	if (!frame)
		return 0;
	if (frame->type != EVENT_CONNECT && !has_to_wait(frame->type))
		set_result(frame, 0);
	header = frame_header(frame);
	header_finish(header, frame);
	/* Whoever fetches it finds no place in a ring's order. */
	header->cpu = 0;
	header->ring = WIRE_RING_NONE;
	header->sequence = 0;
	request = frame->request.address;
	if (settings.sees_completions && frame->position <= PARKED_BYTES &&
	    frame->owner == bpf_get_current_pid_tgid()) {
		write_notes(frame);
		if (!bpf_map_update_elem(&parked, &request, frame->record, BPF_ANY)) {
			frame_release(frame);
			return 0;
		}
	}
	frame_submit(frame);
	return 0;
}

/* ---- the completion -------------------------------------------------------------------------- */

#define PUT_FILE(ID)                                                                              \
	do {                                                                                      \
		put_u64(frame, PARAM_##ID##_dev, READ(READ(inode, i_sb), s_dev));                 \
		put_u64(frame, PARAM_##ID##_ino, READ(inode, i_ino));                             \
		put_u64(frame, PARAM_##ID##_file_bits, file_bits(file, inode, READ(task, cred))); \
		put_u64(frame, PARAM_##ID##_file_mode, READ(inode, i_mode));                      \
		put_next_object(frame, PARAM_##ID##_path, READ(file, f_path.dentry),              \
				READ(file, f_path.mnt));                                          \
	} while (0)

/* The file behind the new descriptor; a direct descriptor is in no table that can be read here. */
static __always_inline void put_opened(struct frame *frame, struct task_struct *task,
				       struct io_open *open)
{
	struct file *file;
	struct inode *inode;

	if (frame->result < 0 || (bpf_core_field_exists(open->file_slot) && READ(open, file_slot)))
		return;
	file = file_of(task, frame->result);
	inode = file ? READ(file, f_inode) : NULL;
	if (!inode)
		return;
	if (frame->type == EVENT_OPENAT)
		PUT_FILE(OPENAT);
	else
		PUT_FILE(OPENAT2);
}

/* The record anew from the row's steps, now that the request has its file and its result; who
 * submitted it stands in the header. */
static __always_inline void start_again(struct frame *frame, const struct request_notes *notes,
					struct io_kiocb *request)
{
	__u32 type = frame->type;

	__builtin_memcpy(frame->arguments, notes->arguments, sizeof(frame->arguments));
	frame->request.address = (__u64)request;
	frame->request.file = (__u64)READ(request, file);
	frame->request.is_fixed = notes->is_fixed;
	frame->request.is_direct = notes->is_direct;
	frame->request.is_silent = 0;
	frame->request.is_completed = 1;
	frame->flags &= ~(WIRE_CUT | WIRE_FAULT | WIRE_PEER_MISMATCH);
	frame_start(frame, type, type < EVENT__COUNT ? parameter_counts[type] : 0);
}

static __always_inline int complete(__u64 *context, __u64 request, __s64 result, __u32 flags)
{
	struct parked *from = bpf_map_lookup_elem(&parked, &request);
	struct task_struct *task = current_task();
	struct frame *frame;
	bool is_own;

	if (!from)
		return 0;
	frame = frame_get();
	if (!frame || frame->owner) {
		from->notes.waits = 0; /* user space will fetch it */
		return 0;
	}
	frame->owner = bpf_get_current_pid_tgid();
	frame->is_lifecycle = 0;
	unpark(frame, from);
	/* Requests complete in a thread of the process; others would have other descriptors. */
	is_own = frame_header(frame)->pid == frame->owner >> 32;
	set_result(frame, result);
	frame_header(frame)->time_ns = bpf_ktime_get_boot_ns();
	if (is_own && has_steps(frame->type))
		start_again(frame, &from->notes, (struct io_kiocb *)request);
	else if (is_own && (frame->type == EVENT_OPENAT || frame->type == EVENT_OPENAT2))
		put_opened(frame, task, (struct io_open *)request);
	if (flags & IORING_CQE_F_MORE && has_to_wait(frame->type))
		count_generated(frame->type); /* one request, many events */
	else
		(void)bpf_map_delete_elem(&parked, &request);
	bpf_tail_call(context, &complete_chain,
		      is_own && has_steps(frame->type) ? CHAIN_TABLE : CHAIN_FILTER);
	frame_abandon(frame);
	return 0;
}

/* From 6.10 on the tracepoint gives the completion, before that its members. */
SEC("tp_btf/io_uring_complete")
int tp_complete(__u64 *context)
{
	struct io_uring_cqe *completion = (struct io_uring_cqe *)context[2];

	return complete(context, context[1], READ(completion, res), READ(completion, flags));
}

SEC("tp_btf/io_uring_complete")
int tp_complete_members(__u64 *context)
{
	return complete(context, context[1], (__s32)context[3], (__u32)context[4]);
}

/* What is left for the chain's filter: the header is the submitter's and stays. */
SEC("tp_btf/io_uring_complete")
int complete_filter(__u64 *context)
{
	struct frame *frame = frame_get();

	if (!frame)
		return 0;
	bpf_tail_call(context, &complete_chain,
		      frame->objects[0].dentry ? CHAIN_RESOLVE : CHAIN_SUBMIT);
	frame_abandon(frame);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int complete_submit(__u64 *context)
{
	return chain_submit();
}
