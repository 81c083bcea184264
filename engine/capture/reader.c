/*
 * Reads captures, frame by frame, in memory that does not grow with the file. Owns the file and the
 * buffer into which frames point. Trusts nothing: a frame that is not what was written ends the
 * reading with one message, and what came before it stands.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "capture_private.h"

#define BUFFER_BYTES (256u << 10)

struct capture_reader {
	char *path; /* owned */
	int fd;
	uint8_t *data; /* owned; from malloc, so aligned to 8 bytes and more */
	size_t capacity, begin, end;
	uint64_t offset; /* of data[begin] in the file */
	bool is_eof;
	struct capture_head head;
	char *head_payload; /* owned; head's strings stand there */
	struct capture_frame frame;
	uint64_t unknown;
	bool has_end, was_moved;
	int outcome; /* comes again; 0: go on */
	char message[CAPTURE_MESSAGE_MAX];
};

static _printf_(2, 3) int damaged(struct capture_reader *reader, const char *format, ...)
{
	char what[CAPTURE_MESSAGE_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->message, sizeof(reader->message),
		 "%.400s: offset %" PRIu64 ": %s; %" PRIu64 " frame%s before it %s read",
		 reader->path, reader->offset, what, reader->frame.number,
		 reader->frame.number == 1 ? "" : "s", reader->frame.number == 1 ? "was" : "were");
	reader->outcome = CAPTURE_E_DAMAGED;
	return reader->outcome;
}

static int foreign(struct capture_reader *reader, const char *what)
{
	snprintf(reader->message, sizeof(reader->message), "%.400s: %.600s", reader->path, what);
	reader->outcome = CAPTURE_E_FOREIGN;
	return reader->outcome;
}

static int failed(struct capture_reader *reader, int r)
{
	snprintf(reader->message, sizeof(reader->message), "%.400s: offset %" PRIu64 ": %s",
		 reader->path, reader->offset, strerror(-r));
	reader->outcome = r;
	return r;
}

/* ---- bytes ---- */

/* Room for n bytes from begin on; both stay aligned. */
static int make_room(struct capture_reader *reader, size_t n)
{
	size_t held = reader->end - reader->begin;
	uint8_t *data;

	if (reader->begin) {
		memmove(reader->data, reader->data + reader->begin, held);
		reader->begin = 0;
		reader->end = held;
	}
	if (n <= reader->capacity)
		return 0;
	data = realloc(reader->data, n);
	if (!data)
		return -ENOMEM;
	reader->data = data;
	reader->capacity = n;
	return 0;
}

static size_t available(const struct capture_reader *reader)
{
	return reader->end - reader->begin;
}

/* Reads until n bytes are there, or the file ends. 0 or a negative errno. */
static int fill(struct capture_reader *reader, size_t n)
{
	int r = 0;

	if (available(reader) >= n)
		return 0;
	if (n > reader->capacity - reader->begin)
		r = make_room(reader, n);
	while (r == 0 && available(reader) < n && !reader->is_eof) {
		ssize_t got = read(reader->fd, reader->data + reader->end,
				   reader->capacity - reader->end);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		reader->is_eof = got == 0;
		reader->end += (size_t)got;
	}
	return r;
}

static int go_to(struct capture_reader *reader, uint64_t offset)
{
	if (lseek(reader->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	reader->begin = reader->end = 0;
	reader->offset = offset;
	reader->is_eof = false;
	return 0;
}

/* ---- frames ---- */

/* What is there, whole and as it was written; it stays until take_frame(). */
static int look_frame(struct capture_reader *reader, struct frame_head *ret)
{
	size_t n;
	int r = fill(reader, FRAME_HEAD_BYTES);

	if (r < 0)
		return failed(reader, r);
	if (available(reader) < FRAME_HEAD_BYTES)
		return damaged(reader, "the file is cut %s: it has no end mark",
			       available(reader) ? "within a frame" : "behind a frame");
	if (!frame_head_get(reader->data + reader->begin, ret))
		return damaged(reader, "damaged: no frame begins here");
	if (ret->length > CAPTURE_PAYLOAD_MAX)
		return damaged(reader,
			       "damaged: a frame of %" PRIu32 " bytes, at most %u are allowed",
			       ret->length, CAPTURE_PAYLOAD_MAX);
	n = FRAME_HEAD_BYTES + (size_t)frame_padded(ret->length);
	r = fill(reader, n);
	if (r < 0)
		return failed(reader, r);
	if (available(reader) < n)
		return damaged(reader,
			       "the file is cut within a frame (%s, %zu bytes, %zu are there)",
			       capture_kind_name(ret->kind), n, available(reader));
	if (!frame_check(reader->data + reader->begin, ret))
		return damaged(reader, "damaged: the checksum of a frame (%s, %zu bytes) is wrong",
			       capture_kind_name(ret->kind), n);
	return 0;
}

static struct str payload_of(const struct capture_reader *reader, const struct frame_head *head)
{
	return (struct str){ (const char *)reader->data + reader->begin + FRAME_HEAD_BYTES,
			     head->length };
}

/* Its bytes stay until the next look_frame(). */
static void take_frame(struct capture_reader *reader, const struct frame_head *head)
{
	size_t n = FRAME_HEAD_BYTES + (size_t)frame_padded(head->length);

	reader->begin += n;
	reader->offset += n;
	reader->frame.number++;
}

static void forget_answer(struct capture_reader *reader)
{
	if (reader->frame.kind == CAPTURE_ANSWER)
		answer_free(reader->frame.answer);
	reader->frame.kind = CAPTURE_NONE;
}

/* ---- the beginning ---- */

static int check_head(struct capture_reader *reader)
{
	char text[256];

	if (reader->head.major != CAPTURE_MAJOR) {
		snprintf(text, sizeof(text),
			 "format version %u.%u of haetae %s: this haetae reads version %u only",
			 reader->head.major, reader->head.minor, reader->head.version,
			 CAPTURE_MAJOR);
		return foreign(reader, text);
	}
	if (strcmp(reader->head.architecture, CAPTURE_ARCHITECTURE) != 0) {
		snprintf(text, sizeof(text),
			 "made on %s: its system calls have other numbers than those of %s",
			 reader->head.architecture, CAPTURE_ARCHITECTURE);
		return foreign(reader, text);
	}
	return 0;
}

static int read_head(struct capture_reader *reader)
{
	struct frame_head head;
	struct cursor in;
	struct str payload;
	int r = fill(reader, FRAME_HEAD_BYTES + CAPTURE_MAGIC_BYTES);

	if (r < 0)
		return failed(reader, r);
	if (available(reader) == 0)
		return foreign(reader, "not a capture: it is empty");
	if (available(reader) < FRAME_HEAD_BYTES + CAPTURE_MAGIC_BYTES ||
	    memcmp(reader->data + FRAME_HEAD_BYTES, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES) != 0)
		return foreign(reader, "not a capture of haetae");
	r = look_frame(reader, &head);
	if (r)
		return r;
	payload = payload_of(reader, &head);
	reader->head_payload = malloc(payload.n);
	if (!reader->head_payload)
		return failed(reader, -ENOMEM);
	memcpy(reader->head_payload, payload.p, payload.n);
	in = (struct cursor){ .p = (const uint8_t *)reader->head_payload };
	in.end = in.p + payload.n;
	if (head.kind != CAPTURE_HEAD || !get_head(&in, &reader->head))
		return damaged(reader, "damaged: the head is not one");
	r = check_head(reader);
	if (r == 0)
		take_frame(reader, &head);
	return r;
}

/* It stands behind the head, and is looked at only where it is another. */
static int read_schema(struct capture_reader *reader)
{
	struct frame_head head;
	char why[512], text[768];
	int r;

	if (reader->head.schema_digest == capture_schema_digest())
		return 0;
	r = look_frame(reader, &head);
	if (r)
		return r;
	if (head.kind != CAPTURE_SCHEMA)
		return damaged(reader, "damaged: the table of events is missing");
	if (schema_compare(payload_of(reader, &head), why, sizeof(why)))
		return 0;
	snprintf(text, sizeof(text), "events of haetae %s differ from those of this one: %s",
		 reader->head.version, why);
	return foreign(reader, text);
}

static int open_file(struct capture_reader *reader, const char *path)
{
	struct stat info;

	reader->path = strdup(path);
	reader->data = malloc(BUFFER_BYTES);
	if (!reader->path || !reader->data)
		return -ENOMEM;
	reader->capacity = BUFFER_BYTES;
	reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (reader->fd < 0 || fstat(reader->fd, &info) < 0)
		return -errno;
	return S_ISDIR(info.st_mode) ? -EISDIR : 0;
}

int capture_reader_new(const char *path, struct capture_reader **ret,
		       char reterr[CAPTURE_MESSAGE_MAX])
{
	_cleanup_(capture_reader_freep) struct capture_reader *reader = calloc(1, sizeof(*reader));
	int r = -ENOMEM;

	if (reader) {
		reader->fd = -1;
		r = open_file(reader, path);
	}
	if (r < 0) {
		snprintf(reterr, CAPTURE_MESSAGE_MAX, "%.400s: %s", path, strerror(-r));
		return r;
	}
	r = read_head(reader);
	if (r == 0)
		r = read_schema(reader);
	if (r) {
		memcpy(reterr, reader->message, CAPTURE_MESSAGE_MAX);
		return r;
	}
	*ret = TAKE_PTR(reader);
	return 0;
}

struct capture_reader *capture_reader_free(struct capture_reader *reader)
{
	if (!reader)
		return NULL;
	forget_answer(reader);
	close_fdp(&reader->fd);
	free(reader->head_payload);
	free(reader->data);
	free(reader->path);
	free(reader);
	return NULL;
}

const struct capture_head *capture_reader_head(const struct capture_reader *reader)
{
	return &reader->head;
}

const char *capture_reader_message(const struct capture_reader *reader)
{
	return reader->message;
}

uint64_t capture_reader_unknown(const struct capture_reader *reader)
{
	return reader->unknown;
}

/* ---- frame by frame ---- */

static bool is_for_reader(unsigned kind)
{
	return kind == CAPTURE_HEAD || kind == CAPTURE_SCHEMA || kind == CAPTURE_INDEX ||
	       kind == CAPTURE_TRAILER;
}

static int at_end(struct capture_reader *reader)
{
	int r = fill(reader, 1);

	if (r < 0)
		return failed(reader, r);
	if (available(reader))
		return 0;
	reader->outcome = CAPTURE_E_END;
	return CAPTURE_E_END;
}

/* Behind an end mark nothing of the run comes. */
static int check_kind(struct capture_reader *reader, const struct frame_head *head)
{
	const struct capture_frame *frame = &reader->frame;

	if (reader->has_end && head->kind != CAPTURE_INDEX && head->kind != CAPTURE_TRAILER)
		return damaged(reader, "damaged: a frame (%s) behind the end mark",
			       capture_kind_name(head->kind));
	if (head->kind == CAPTURE_HEAD)
		return damaged(reader, "damaged: a second head");
	if (head->kind != CAPTURE_END)
		return 0;
	if (!reader->was_moved && frame->end.frames != frame->number)
		return damaged(reader,
			       "the end mark tells of %" PRIu64
			       " frames: some are missing or too many",
			       frame->end.frames);
	reader->has_end = true;
	return 0;
}

/* One frame, which may be none for the caller: then *ret stays NULL. */
static int next_frame(struct capture_reader *reader, const struct capture_frame **ret)
{
	struct capture_frame *frame = &reader->frame;
	struct frame_head head;
	uint64_t number = frame->number;
	int r = look_frame(reader, &head);

	if (r)
		return r;
	*frame = (struct capture_frame){ .number = number, .offset = reader->offset };
	if (head.kind == CAPTURE_NONE || head.kind >= CAPTURE__COUNT) {
		reader->unknown++;
		take_frame(reader, &head);
		return 0;
	}
	frame->kind = (enum capture_kind)head.kind;
	if (!frame_decode(frame, payload_of(reader, &head))) {
		frame->kind = CAPTURE_NONE;
		return damaged(reader, "damaged: a frame (%s) holds what it must not",
			       capture_kind_name(head.kind));
	}
	r = check_kind(reader, &head);
	if (r)
		return r;
	take_frame(reader, &head);
	if (!is_for_reader(head.kind))
		*ret = frame;
	return 0;
}

int capture_reader_next(struct capture_reader *reader, const struct capture_frame **ret)
{
	const struct capture_frame *frame = NULL;
	int r = reader->outcome;

	forget_answer(reader);
	while (r == 0 && !frame) {
		if (reader->has_end)
			r = at_end(reader);
		if (r == 0)
			r = next_frame(reader, &frame);
	}
	if (r == 0)
		*ret = frame;
	return r;
}

/* ---- the index ---- */

/* The frame that stands there, if it is whole and of this kind. */
static bool read_at(struct capture_reader *reader, uint64_t offset, enum capture_kind kind,
		    struct cursor *ret)
{
	struct frame_head head = { 0 };
	struct str payload;

	if (go_to(reader, offset) < 0 || look_frame(reader, &head) != 0 || head.kind != kind)
		return false;
	payload = payload_of(reader, &head);
	*ret = (struct cursor){ .p = (const uint8_t *)payload.p };
	ret->end = ret->p + payload.n;
	return true;
}

/* Where END and INDEX stand. */
static bool read_trailer(struct capture_reader *reader, uint64_t *ret_end, uint64_t *ret_index)
{
	off_t size = lseek(reader->fd, 0, SEEK_END);
	struct cursor in;

	if (size < FRAME_HEAD_BYTES + TRAILER_BYTES ||
	    !read_at(reader, (uint64_t)size - FRAME_HEAD_BYTES - TRAILER_BYTES, CAPTURE_TRAILER,
		     &in))
		return false;
	*ret_end = get_u64(&in);
	*ret_index = get_u64(&in);
	return !in.failed && *ret_end <= INT64_MAX && *ret_index <= INT64_MAX;
}

static bool read_index(struct capture_reader *reader, uint64_t index_at, struct cursor *ret,
		       struct capture_summary *ret_summary)
{
	if (!read_at(reader, index_at, CAPTURE_INDEX, ret))
		return false;
	ret_summary->index_cnt = get_u32(ret);
	(void)get_u32(ret);
	ret_summary->first_ns = get_u64(ret);
	ret_summary->last_ns = get_u64(ret);
	return !ret->failed;
}

/* As if nothing had been looked at. */
static void come_back(struct capture_reader *reader, uint64_t offset)
{
	reader->message[0] = '\0';
	reader->outcome = 0;
	if (go_to(reader, offset) < 0)
		(void)failed(reader, -errno);
}

/* False where the file is a pipe, or has been read to an end or an error already. */
static bool may_move(const struct capture_reader *reader)
{
	return reader->outcome == 0 && lseek(reader->fd, 0, SEEK_CUR) >= 0;
}

bool capture_reader_summary(struct capture_reader *reader, struct capture_summary *ret)
{
	struct capture_summary summary = { .index_cnt = 0 };
	uint64_t offset = reader->offset, end_at, index_at;
	struct cursor in;
	bool is_there;

	if (!may_move(reader))
		return false;
	is_there = read_trailer(reader, &end_at, &index_at) &&
		   read_index(reader, index_at, &in, &summary) &&
		   read_at(reader, end_at, CAPTURE_END, &in);
	if (is_there)
		get_end(&in, &summary.end);
	is_there = is_there && !in.failed;
	come_back(reader, offset);
	if (is_there)
		*ret = summary;
	return is_there;
}

/* Times of frames are not quite in order: an entry has the newest of all that stand before it. */
static bool find_place(struct cursor *in, uint32_t cnt, uint64_t time_ns, struct index_entry *ret)
{
	bool is_found = false;

	for (uint32_t i = 0; i < cnt && !in->failed; i++) {
		struct index_entry entry = { .time_ns = get_u64(in) };

		entry.offset = get_u64(in);
		entry.number = get_u64(in);
		if (in->failed || entry.time_ns >= time_ns || entry.offset > INT64_MAX ||
		    entry.offset % 8 || entry.number == 0)
			break;
		*ret = entry;
		is_found = true;
	}
	return is_found;
}

bool capture_reader_seek(struct capture_reader *reader, uint64_t time_ns)
{
	struct capture_summary summary;
	struct index_entry place = { .number = 0 };
	uint64_t offset = reader->offset, end_at, index_at;
	struct cursor in;
	bool is_found;

	if (!may_move(reader))
		return false;
	is_found = read_trailer(reader, &end_at, &index_at) &&
		   read_index(reader, index_at, &in, &summary) &&
		   find_place(&in, summary.index_cnt, time_ns, &place);
	come_back(reader, is_found ? place.offset : offset);
	if (is_found) {
		forget_answer(reader);
		reader->frame.number = place.number - 1;
		reader->was_moved = true;
	}
	return is_found;
}
