/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * evt.path_swapped (decision 2): keeps the strings that a call is given at its entry, and compares
 * them with what stands there when it ends. Attached only where a rule asks for it: a program at
 * every entry costs every call of the machine.
 */
#include "steps.h"

struct passed_key {
	__u64 thread;
	__u32 argument, reserved;
};

struct passed_text {
	__u32 length; /* with the NUL; 0: could not be read */
	__u8 text[STRING_BYTES];
};

/* Sized up by loader.c where it is wanted. Entries of calls that never end are pushed out. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct passed_key);
	__type(value, struct passed_text);
} passed_texts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct passed_text);
} no_text SEC(".maps");

static __always_inline struct passed_text *text_of(const struct passed_key *key)
{
	struct passed_text *text = bpf_map_lookup_elem(&passed_texts, key), *none;
	__u32 zero = 0;

	if (text)
		return text;
	none = bpf_map_lookup_elem(&no_text, &zero);
	if (!none || bpf_map_update_elem(&passed_texts, key, none, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&passed_texts, key);
}

static __always_inline void keep(__u64 thread, __u32 argument, __u64 address)
{
	struct passed_key key = { .thread = thread, .argument = argument };
	struct passed_text *text = text_of(&key);
	long length;

	if (!text)
		return;
	length = read_user_string(text->text, STRING_BYTES, address);
	text->length = length < 0 ? 0 : (__u32)length;
}

SEC("tp_btf/sys_enter")
int tp_enter(__u64 *context)
{
	const struct pt_regs *registers = (const struct pt_regs *)context[0];
	__u64 slot = call_number(registers) & ~(__u64)X32_BIT, thread, arguments[6];
	struct task_struct *task;
	struct wanted_call call;
	bool is_compat;
	__u32 type;

	if (slot >= WANTED_SLOTS)
		return 0;
	call = wanted[slot];
	if (!call.type && !call.compat_type)
		return 0;
	task = current_task();
	thread = bpf_get_current_pid_tgid();
	is_compat = call_is_compat(task);
	type = is_compat ? call.compat_type : call.type;
	if (!type || type >= EVENT__COUNT || !is_observed(task, thread >> 32))
		return 0;
	read_arguments(registers, is_compat, arguments);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < STEPS_MAX; i++) {
		const struct step *step = &steps[type][i];
		__u32 argument = step->argument;

		if (step->action == ACTION_END)
			break;
		barrier_var(argument);
		if (step->action == ACTION_TEXT && argument < 6)
			keep(thread, argument, arguments[argument]);
	}
	return 0;
}

/* The next string of the record, from frame->compared on; NULL: there is none. */
static __always_inline const struct step *next_text(struct frame *frame)
{
	__u32 type = frame->type, first = frame->compared;

	if (type >= EVENT__COUNT)
		return NULL;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < STEPS_MAX; i++) {
		const struct step *step = &steps[type][i];

		if (step->action == ACTION_END)
			return NULL;
		if (i < first || step->action != ACTION_TEXT)
			continue;
		frame->compared = i + 1;
		return step;
	}
	return NULL;
}

static __always_inline bool is_same(struct frame *frame, const struct wire_param *entry,
				    const struct passed_text *text)
{
	__u32 length = entry->length & ~WIRE_PARAM_CUT, at = entry->offset;

	/* One that was cut for want of space says nothing of its end. */
	if (entry->length & WIRE_PARAM_CUT ? length > text->length : length != text->length)
		return false;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i + 1 < STRING_BYTES; i++) {
		if (i + 1 >= length)
			return true;
		if (frame->record[(at + i) & POSITION_MASK] != text->text[i])
			return false;
	}
	return true;
}

/* One string a run, because the verifier follows every byte of a comparison. */
SEC("tp_btf/sys_exit")
int call_compare(__u64 *context)
{
	struct frame *frame = frame_get();
	struct passed_text *text;
	struct passed_key key = {};
	const struct step *step;

	if (!frame)
		return 0;
	step = next_text(frame);
	if (!step) {
		bpf_tail_call(context, &call_chain, frame->after_compare);
		frame_abandon(frame);
		return 0;
	}
	key.thread = frame->owner;
	key.argument = step->argument;
	text = bpf_map_lookup_elem(&passed_texts, &key);
	if (text && text->length) {
		if (!is_same(frame, &frame_params(frame)[step->parameter], text))
			frame->flags |= WIRE_PATH_SWAPPED;
		text->length = 0;
	}
	bpf_tail_call(context, &call_chain, CHAIN_COMPARE);
	frame_abandon(frame);
	return 0;
}
