/*
 * See event_stream.h. A record is of one of the processes 1000 and on, whose parents are the
 * processes before them. Owns the records.
 */
#include "event_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_builder.h"
#include "rules_generator.h"

#define FIRST_PID   1000U
#define NAMES_MAX   160
#define ANCESTORS   8 /* processes in a row, each the child of the one before */
#define START_NS(i) (1000000000ULL * ((i) + 1))

static const char *const files[] = { "passwd",	   "hosts.conf", "index.db",  "start.sh",
				     "state.json", "libm.so.6",	 "data/0001", "a/b/c/d" };
/* Words of the rules: one event of WORD_EVERY has one. */
static const char *const words[] = { "token", "cache", "deploy", "agent", "mirror", "worker" };
#define WORD_EVERY 16

struct made {
	struct record_builder builder;
	uint32_t number, process;
};

static const char *word_of(uint32_t number)
{
	return number % WORD_EVERY ? "plain" : words[number / WORD_EVERY % ARRAY_LEN(words)];
}

static const char *program_of(uint32_t process)
{
	return rules_program(process * 7);
}

static void begin(struct made *made, enum event_type type)
{
	struct wire_header *header;
	uint32_t process = made->process;
	bool is_first = process % ANCESTORS == 0;

	record_begin(&made->builder, type);
	header = made->builder.header;
	header->time_ns = START_NS(1000) + made->number * 1000000ULL;
	header->pid = header->tid = header->ns_pid = header->ns_tid = FIRST_PID + process;
	header->start_ns = START_NS(process);
	header->parent_pid = header->ns_parent_pid = is_first ? 1 : FIRST_PID + process - 1;
	header->parent_start_ns = is_first ? 1 : START_NS(process - 1);
	header->exec_id = 2;
	header->uid = header->euid = process % 3 ? 1000 : 0;
	memset(header->comm, 0, sizeof(header->comm));
	snprintf(header->comm, sizeof(header->comm), "%s", program_of(process));
}

static void make_start(struct made *made)
{
	char exe[NAMES_MAX], job[NAMES_MAX], path[NAMES_MAX];
	const char *args[] = { "-c", word_of(made->number), "--config", path, job, "run", NULL };
	struct record_builder *builder = &made->builder;

	snprintf(exe, sizeof(exe), "/usr/bin/%s", program_of(made->process));
	snprintf(job, sizeof(job), "%s --job=%u", word_of(made->number), made->number);
	snprintf(path, sizeof(path), "%s/%s", rules_folder(made->number),
		 files[made->number % ARRAY_LEN(files)]);
	begin(made, EVENT_EXECVE);
	record_put_number(builder, "res", 0);
	record_put_text(builder, "exe", exe);
	record_put_vector(builder, "args", args);
	record_put_path(builder, "cwd", "/srv/www");
	record_put_path(builder, "trusted_exepath", exe);
	record_put_text(builder, "filename", exe);
	record_put_number(builder, "vm_rss", 2048);
}

static void make_open(struct made *made)
{
	char path[NAMES_MAX];
	struct record_builder *builder = &made->builder;
	uint32_t i = made->number;

	/* One of four in a deep folder of its own. */
	if (i % 4 == 0)
		snprintf(path, sizeof(path), "%s/%s/%u/module-%u/%s", rules_folder(i / 4),
			 word_of(i / 4), i, i * 31, files[i / 4 % ARRAY_LEN(files)]);
	else
		snprintf(path, sizeof(path), "%s/%s", rules_folder(i / 3),
			 files[i / 5 % ARRAY_LEN(files)]);
	begin(made, EVENT_OPENAT);
	record_put_number(builder, "fd", 3 + i % 20);
	record_put_number(builder, "dirfd", AT_FDCWD);
	record_put_text(builder, "name", path);
	record_put_number(builder, "flags", i % 3 ? O_RDONLY : O_WRONLY | O_CREAT);
	record_put_number(builder, "mode", 0644);
	record_put_number(builder, "file_mode", 0100644);
	record_put_number(builder, "ino", 100 + i);
	record_put_path(builder, "path", path);
}

static void make_connection(struct made *made)
{
	char remote[NAMES_MAX];
	struct record_builder *builder = &made->builder;
	uint32_t i = made->number;

	snprintf(remote, sizeof(remote), "10.%u.%u.%u:%u", i / 256 % 4, i % 256, i % 100 + 1,
		 i % 3 ? 443 : 1024 + i % 1000);
	begin(made, EVENT_CONNECT);
	record_put_number(builder, "res", i % 5 ? 0 : -115 /* EINPROGRESS */);
	record_put_number(builder, "fd", 7);
	record_put_tuple(builder, "tuple", "192.168.1.5:40000", remote, 6 /* IPPROTO_TCP */);
	record_put_tuple(builder, "addr", NULL, remote, 6);
}

static void keep(struct event_stream *stream, struct made *made)
{
	uint32_t n = record_finish(&made->builder);
	uint64_t *record = malloc(n);

	hae_assert(record);
	memcpy(record, made->builder.bytes, n);
	stream->records[stream->record_cnt++] = record;
}

void event_stream_init(struct event_stream *stream, uint32_t record_cnt, uint32_t process_cnt)
{
	struct made *made = malloc(sizeof(*made));

	stream->record_cnt = 0;
	stream->records = calloc(record_cnt, sizeof(*stream->records));
	hae_assert(made && stream->records && process_cnt > 0);
	for (uint32_t i = 0; i < record_cnt; i++) {
		made->number = i;
		made->process = i % process_cnt;
		/* Opens are the most frequent of what is watched. */
		if (i < process_cnt || i % 10 == 9)
			make_start(made);
		else if (i % 10 < 7)
			make_open(made);
		else
			make_connection(made);
		keep(stream, made);
	}
	free(made);
}

void event_stream_done(struct event_stream *stream)
{
	for (uint32_t i = 0; i < stream->record_cnt; i++)
		free(stream->records[i]);
	free(stream->records);
	stream->record_cnt = 0;
}

void event_stream_decode(const struct event_stream *stream, uint32_t i, struct event *event)
{
	const struct wire_header *header = (const struct wire_header *)stream->records[i];
	int r = event_decode(event, header, header->length);

	hae_assert(r == 0);
}
