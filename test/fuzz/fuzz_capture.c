/*
 * Captures of arbitrary bytes. The first byte says what the others are: 0: a file; the number of a
 * kind of frame: its payload, whose checksum a fuzzer would never guess. Strings that come out end
 * where they say, vectors in a NUL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "capture_private.h"
#include "target.h"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_str(struct str s)
{
	check(!s.p || s.p[s.n] == '\0');
}

static void check_answer(const struct metadata_answer *answer)
{
	check(strnlen(answer->full_id, sizeof(answer->full_id)) < sizeof(answer->full_id));
	check(answer->type != ANSWER_POD || answer->pod != NULL);
	for (uint32_t i = 0; answer->info && i < answer->info->label_cnt; i++)
		check_str(answer->info->labels[i].value);
	for (uint32_t i = 0; answer->pod && i < answer->pod->ip_cnt; i++)
		check_str(answer->pod->ips[i]);
}

static void check_frame(const struct capture_frame *frame)
{
	const struct proc_strings *strings = &frame->strings.strings;

	if (frame->kind == CAPTURE_STRINGS) {
		check_str(strings->exe);
		check(!strings->args.n || strings->args.p[strings->args.n - 1] == '\0');
		check(!strings->env.n || strings->env.p[strings->env.n - 1] == '\0');
		check(strnlen(strings->comm, sizeof(strings->comm)) <= WIRE_COMM_LEN);
	} else if (frame->kind == CAPTURE_WALK) {
		check_str(frame->walk.path);
	} else if (frame->kind == CAPTURE_ANSWER) {
		check_answer(frame->answer);
	} else if (frame->kind == CAPTURE_LOSS) {
		check(frame->loss.cgroup_cnt <= CAPTURE_LOSS_CGROUPS_MAX);
	} else if (frame->kind == CAPTURE_HOST_NAME) {
		check(frame->host_name.address_cnt <= HOST_NAME_ADDRESSES_MAX);
	}
}

static void run_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	const struct capture_frame *frame;
	struct capture_reader *reader;
	char path[64], message[CAPTURE_MESSAGE_MAX] = "";

	check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_reader_new(path, &reader, message) == 0) {
		while (capture_reader_next(reader, &frame) == 0)
			check_frame(frame);
		capture_reader_free(reader);
	} else {
		check(message[0] != '\0');
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_frame frame = { 0 };
	struct capture_head head;
	struct str payload;
	char why[512];

	if (size == 0)
		return 0;
	payload = (struct str){ (const char *)data + 1, (uint32_t)size - 1 };
	if (data[0] == 0)
		run_file(data + 1, size - 1);
	else if (data[0] == CAPTURE_HEAD)
		(void)get_head(&(struct cursor){ data + 1, data + size, false }, &head);
	else if (data[0] == CAPTURE_SCHEMA)
		(void)schema_compare(payload, why, sizeof(why));
	if (data[0] >= CAPTURE__COUNT || (data[0] >= CAPTURE_SEED && data[0] <= CAPTURE_OWN))
		return 0; /* records are a matter of the target event_decode */
	frame.kind = (enum capture_kind)data[0];
	if (frame_decode(&frame, payload)) {
		check_frame(&frame);
		if (frame.kind == CAPTURE_ANSWER)
			answer_free(frame.answer);
	}
	return 0;
}
