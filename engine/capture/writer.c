/*
 * Writes captures: frames into a buffer, the buffer into a file, or each frame to whoever keeps
 * them in memory. Owns the file, the buffer and the index that will end the file. Engine thread,
 * which writes 256 KiB at once: a disk that stalls stalls the engine, not the kernel's rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "capture_private.h"
#include "haetae/clock.h"

#define FLUSH_BYTES (256u << 10)

struct capture_writer {
	int fd;
	capture_frame_fn fn; /* instead of fd */
	void *data;
	struct buf out;	   /* whole frames that are not written yet, and the one at hand */
	uint64_t written;  /* bytes of the file; of whole frames */
	size_t frame_at;   /* of the one at hand, in out */
	uint32_t buffered; /* frames in out, and records of them */
	uint32_t buffered_records;
	uint64_t max_bytes, max_ns, start_ns;
	uint64_t last_ns;	   /* of the newest frame that has a time */
	struct index_entry *index; /* owned; INDEX_MAX; NULL: of none */
	uint32_t index_cnt;
	uint64_t index_every;
	struct capture_stats stats;
	bool is_finished;
};

/* ---- the file ---- */

/* Never over something else than a file of captures' kind: what stands there is removed, not
 * opened.
 */
static int open_new(const char *path, bool may_overwrite)
{
	struct stat info;
	int fd;

	if (may_overwrite && lstat(path, &info) == 0 && S_ISREG(info.st_mode) && unlink(path) < 0)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static void end(struct capture_writer *writer, enum capture_end_reason reason, int error)
{
	if (writer->stats.reason == CAPTURE_ENDED) {
		writer->stats.reason = reason;
		writer->stats.error = error;
	}
}

static void index_forget(struct capture_writer *writer, uint64_t offset)
{
	while (writer->index_cnt && writer->index[writer->index_cnt - 1].offset >= offset)
		writer->index_cnt--;
}

/* A write that failed half way leaves no half frames: what the buffer held is lost as a whole. */
static int flush(struct capture_writer *writer)
{
	int r = write_all(writer->fd, writer->out.p, writer->out.n);

	if (r < 0) {
		(void)!ftruncate(writer->fd, (off_t)writer->written);
		(void)lseek(writer->fd, (off_t)writer->written, SEEK_SET);
		index_forget(writer, writer->written);
		writer->stats.frames -= writer->buffered;
		writer->stats.records -= writer->buffered_records;
		writer->stats.lost += writer->buffered;
		end(writer, CAPTURE_FAILED, -r);
	} else {
		writer->written += writer->out.n;
	}
	writer->buffered = writer->buffered_records = 0;
	writer->stats.bytes = writer->written;
	buf_clear(&writer->out);
	return r;
}

/* ---- frames ---- */

static struct buf *begin(struct capture_writer *writer)
{
	static const char head[FRAME_HEAD_BYTES];

	if (!writer)
		return NULL;
	if (writer->is_finished || writer->stats.reason != CAPTURE_ENDED) {
		writer->stats.lost++;
		return NULL;
	}
	writer->frame_at = writer->out.n;
	buf_put(&writer->out, head, sizeof(head));
	return &writer->out;
}

static void drop(struct capture_writer *writer)
{
	writer->out.n = writer->frame_at;
	writer->out.failed = false;
	writer->stats.lost++;
}

/* Pads and seals. False: there was no memory for it. */
static bool seal(struct capture_writer *writer, enum capture_kind kind)
{
	static const char zeros[8];
	size_t n = writer->out.n - writer->frame_at - FRAME_HEAD_BYTES;

	buf_put(&writer->out, zeros, frame_padded((uint32_t)n) - n);
	if (writer->out.failed || n > CAPTURE_PAYLOAD_MAX)
		return false;
	frame_seal((uint8_t *)writer->out.p + writer->frame_at, kind, (uint32_t)n);
	return true;
}

static void index_put(struct capture_writer *writer)
{
	uint32_t kept = 0;

	if (!writer->index || !writer->stats.frames || writer->stats.frames % writer->index_every)
		return;
	if (writer->index_cnt == INDEX_MAX) {
		for (uint32_t i = 0; i < INDEX_MAX; i += 2)
			writer->index[kept++] = writer->index[i];
		writer->index_cnt = kept;
		writer->index_every *= 2;
	}
	writer->index[writer->index_cnt++] =
		(struct index_entry){ .time_ns = writer->last_ns,
				      .offset = writer->written + writer->frame_at,
				      .number = writer->stats.frames + 1 };
}

static void count(struct capture_writer *writer, enum capture_kind kind)
{
	bool is_record = kind == CAPTURE_SEED || kind == CAPTURE_RECORD || kind == CAPTURE_OWN;

	index_put(writer);
	writer->stats.frames++;
	writer->stats.records += is_record;
	writer->buffered++;
	writer->buffered_records += is_record;
}

static void commit(struct capture_writer *writer, enum capture_kind kind)
{
	bool is_sealed = seal(writer, kind);

	if (!is_sealed) {
		drop(writer);
		end(writer, CAPTURE_FAILED, ENOMEM);
		return;
	}
	if (writer->fn) {
		writer->stats.frames++;
		writer->fn(kind, writer->out.p, (uint32_t)writer->out.n, writer->data);
		buf_clear(&writer->out);
		return;
	}
	if (writer->max_bytes &&
	    writer->written + writer->out.n + CAPTURE_TAIL_BYTES > writer->max_bytes) {
		drop(writer);
		end(writer, CAPTURE_MAX_SIZE, 0);
		return;
	}
	count(writer, kind);
	if (writer->out.n >= FLUSH_BYTES)
		(void)flush(writer);
}

/* Of a frame that is to come. */
static void take_time(struct capture_writer *writer, uint64_t time_ns)
{
	if (!writer)
		return;
	writer->last_ns = MAX(writer->last_ns, time_ns);
	if (writer->max_ns && time_ns > writer->start_ns &&
	    time_ns - writer->start_ns >= writer->max_ns)
		end(writer, CAPTURE_MAX_TIME, 0);
}

/* ---- making and ending ---- */

static struct capture_writer *writer_new(size_t max_bytes)
{
	struct capture_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->fd = -1;
	writer->index_every = INDEX_EVERY;
	buf_init(&writer->out, max_bytes);
	return writer;
}

static void writer_freep(struct capture_writer **writer)
{
	*writer = capture_writer_free(*writer);
}

int capture_writer_new_to(capture_frame_fn fn, void *data, struct capture_writer **ret)
{
	struct capture_writer *writer = writer_new(FRAME_BYTES_MAX);

	if (!writer)
		return -ENOMEM;
	writer->fn = fn;
	writer->data = data;
	*ret = writer;
	return 0;
}

int capture_writer_new(const struct capture_writer_config *config, const struct capture_head *head,
		       struct capture_writer **ret)
{
	_cleanup_(writer_freep) struct capture_writer *writer =
		writer_new(FLUSH_BYTES + FRAME_BYTES_MAX);
	int r;

	if (!writer)
		return -ENOMEM;
	writer->index = calloc(INDEX_MAX, sizeof(*writer->index));
	if (!writer->index)
		return -ENOMEM;
	writer->max_ns = config->max_ns;
	writer->start_ns = head->start_ns;
	if (config->max_bytes)
		writer->max_bytes = MAX(config->max_bytes, (uint64_t)CAPTURE_MIN_BYTES);
	writer->fd = open_new(config->path, config->may_overwrite);
	if (writer->fd < 0)
		return writer->fd;
	put_head(begin(writer), head);
	commit(writer, CAPTURE_HEAD);
	put_schema(begin(writer));
	commit(writer, CAPTURE_SCHEMA);
	/* A full disk is known at once. */
	r = flush(writer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(writer);
	return 0;
}

void capture_writer_stats(const struct capture_writer *writer, struct capture_stats *ret)
{
	*ret = writer ? writer->stats : (struct capture_stats){ 0 };
	if (writer)
		ret->bytes = writer->written + writer->out.n;
}

bool capture_writer_is_open(const struct capture_writer *writer)
{
	return writer && !writer->is_finished && writer->stats.reason == CAPTURE_ENDED;
}

void capture_writer_flush(struct capture_writer *writer)
{
	if (writer && writer->fd >= 0 && writer->out.n && !writer->is_finished)
		(void)flush(writer);
}

static void put_index(struct buf *out, const struct capture_writer *writer)
{
	put_u32(out, writer->index_cnt);
	put_u32(out, 0);
	put_u64(out, writer->start_ns);
	put_u64(out, writer->last_ns);
	for (uint32_t i = 0; i < writer->index_cnt; i++) {
		put_u64(out, writer->index[i].time_ns);
		put_u64(out, writer->index[i].offset);
		put_u64(out, writer->index[i].number);
	}
}

static bool put_tail_frame(struct capture_writer *writer, enum capture_kind kind)
{
	bool is_sealed = seal(writer, kind);

	writer->frame_at = writer->out.n;
	buf_put(&writer->out, (char[FRAME_HEAD_BYTES]){ 0 }, FRAME_HEAD_BYTES);
	return is_sealed;
}

int capture_writer_finish(struct capture_writer *writer, const struct capture_end *given)
{
	struct capture_end mark = *given;
	uint64_t end_at, index_at;
	bool is_whole;

	if (!writer || writer->is_finished || writer->fd < 0)
		return 0;
	(void)flush(writer);
	mark.reason = writer->stats.reason;
	mark.frames = writer->stats.frames;
	mark.records = writer->stats.records;
	mark.lost = writer->stats.lost;
	writer->is_finished = true;
	end_at = writer->written;
	writer->frame_at = 0;
	buf_put(&writer->out, (char[FRAME_HEAD_BYTES]){ 0 }, FRAME_HEAD_BYTES);
	put_end(&writer->out, &mark);
	is_whole = put_tail_frame(writer, CAPTURE_END);
	index_at = end_at + writer->frame_at;
	put_index(&writer->out, writer);
	is_whole &= put_tail_frame(writer, CAPTURE_INDEX);
	put_u64(&writer->out, end_at);
	put_u64(&writer->out, index_at);
	is_whole &= seal(writer, CAPTURE_TRAILER);
	return is_whole ? flush(writer) : -ENOMEM;
}

struct capture_writer *capture_writer_free(struct capture_writer *writer)
{
	if (!writer)
		return NULL;
	capture_writer_flush(writer);
	close_fdp(&writer->fd);
	buf_done(&writer->out);
	free(writer->index);
	free(writer);
	return NULL;
}

/* ---- one of each kind ---- */

/* Payloads that are a few bytes or copies stand here, the others in payload.c and answer.c. */
#define PUT(writer, kind, code)                  \
	do {                                     \
		struct buf *out = begin(writer); \
                                                 \
		if (out) {                       \
			code;                    \
			commit(writer, kind);    \
		}                                \
	} while (0)

void capture_put_record(struct capture_writer *writer, enum capture_kind kind, const void *record,
			uint32_t length)
{
	struct wire_header header;

	if (length >= sizeof(header)) {
		memcpy(&header, record, sizeof(header));
		take_time(writer, header.time_ns);
	}
	PUT(writer, kind, buf_put(out, record, length));
}

void capture_put_strings(struct capture_writer *writer, struct proc_key key,
			 const struct proc_strings *strings)
{
	PUT(writer, CAPTURE_STRINGS, put_strings(out, key, strings));
}

void capture_put_gone(struct capture_writer *writer, struct proc_key key)
{
	PUT(writer, CAPTURE_GONE, put_key(out, key));
}

void capture_put_walk(struct capture_writer *writer, const struct cgroup_walk *walk)
{
	PUT(writer, CAPTURE_WALK, put_walk(out, walk));
}

void capture_put_place(struct capture_writer *writer, const struct cgroup_place *place)
{
	PUT(writer, CAPTURE_PLACE, put_place(out, place));
}

void capture_put_bundle(struct capture_writer *writer, const char *runtime_namespace,
			const char *id)
{
	PUT(writer, CAPTURE_BUNDLE, put_bundle(out, runtime_namespace, id));
}

void capture_put_answer(struct capture_writer *writer, const struct metadata_answer *answer)
{
	PUT(writer, CAPTURE_ANSWER, put_answer(out, answer));
}

void capture_put_asked(struct capture_writer *writer, uint32_t cnt)
{
	PUT(writer, CAPTURE_ASKED, put_u32(out, cnt));
}

void capture_put_host_name(struct capture_writer *writer, struct str name,
			   const struct host_address *addresses, uint32_t cnt)
{
	PUT(writer, CAPTURE_HOST_NAME, put_host_name(out, name, addresses, cnt));
}

void capture_put_sources(struct capture_writer *writer,
			 const bool has_source[METADATA_SOURCE__COUNT])
{
	PUT(writer, CAPTURE_SOURCES, put_sources(out, has_source));
}

void capture_put_loss(struct capture_writer *writer, const struct capture_loss *loss)
{
	PUT(writer, CAPTURE_LOSS, put_loss(out, loss));
}

void capture_put_users(struct capture_writer *writer, struct str passwd, struct str group)
{
	PUT(writer, CAPTURE_USERS, put_user_files(out, passwd, group));
}

void capture_put_decide(struct capture_writer *writer, uint64_t now_ns)
{
	take_time(writer, now_ns);
	PUT(writer, CAPTURE_DECIDE, put_u64(out, now_ns));
}

void capture_put_tick(struct capture_writer *writer, uint64_t now_ns, int64_t wall_offset_ns)
{
	take_time(writer, now_ns);
	PUT(writer, CAPTURE_TICK, put_u64(out, now_ns); put_u64(out, (uint64_t)wall_offset_ns));
}

void capture_put_rules(struct capture_writer *writer, uint32_t number)
{
	PUT(writer, CAPTURE_RULES, put_u32(out, number));
}

void capture_put_cgroup(struct capture_writer *writer, const struct capture_cgroup *cgroup)
{
	PUT(writer, CAPTURE_CGROUP, put_cgroup(out, cgroup));
}

void capture_put_frame(struct capture_writer *writer, const void *frame, uint32_t length)
{
	struct frame_head head;
	const uint8_t *bytes = frame;

	if (length < FRAME_HEAD_BYTES || !frame_head_get(bytes, &head) ||
	    length != FRAME_HEAD_BYTES + frame_padded(head.length))
		return;
	take_time(writer, frame_time_ns(head.kind, bytes, length));
	PUT(writer, (enum capture_kind)head.kind,
	    buf_put(out, bytes + FRAME_HEAD_BYTES, head.length));
}
