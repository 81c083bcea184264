/*
 * Records made by hand; see record_builder.h. A builder owns its bytes.
 */
#include "record_builder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

static struct wire_param *table(struct record_builder *builder)
{
	return (struct wire_param *)(builder->header + 1);
}

static unsigned param_number(const struct record_builder *builder, const char *param)
{
	unsigned i = 0;

	while (i < builder->schema->param_cnt && strcmp(builder->schema->params[i].name, param))
		i++;
	if (i == builder->schema->param_cnt)
		fprintf(stderr, "%s has no parameter %s\n", builder->schema->name, param);
	hae_assert(i < builder->schema->param_cnt);
	return i;
}

void record_begin(struct record_builder *builder, enum event_type type)
{
	struct wire_header *header = (struct wire_header *)(void *)builder->bytes;
	int nr;

	memset(builder->bytes, 0, sizeof(builder->bytes));
	builder->header = header;
	builder->schema = event_schema_get(type);
	hae_assert(builder->schema);
	nr = builder->schema->flags & EVENT_SYSCALL
		     ? syscall_number(str_from(builder->schema->name))
		     : -1;
	*header = (struct wire_header){
		.type = (uint16_t)type,
		.param_cnt = (uint16_t)builder->schema->param_cnt,
		.time_ns = 20000000000,
		.sequence = 1,
		.start_ns = 10000000000,
		.parent_start_ns = 1000000000,
		.pid = 1000,
		.tid = 1000,
		.parent_pid = 1,
		.ns_pid = 1000,
		.ns_tid = 1000,
		.ns_parent_pid = 1,
		.loginuid = UINT32_MAX,
		.syscall_nr = nr < 0 ? WIRE_NO_SYSCALL : (uint16_t)nr,
		.comm = "test",
	};
	builder->used = (uint32_t)(sizeof(*header) + header->param_cnt * sizeof(struct wire_param));
}

void record_put_bytes(struct record_builder *builder, const char *param, const void *data,
		      uint32_t n)
{
	unsigned i = param_number(builder, param);
	uint32_t at = (builder->used + 7) & ~7u;

	hae_assert(at + n + 8 <= sizeof(builder->bytes));
	if (n)
		memcpy(builder->bytes + at, data, n);
	table(builder)[i].offset = (uint16_t)at;
	table(builder)[i].length = (uint16_t)(n | (table(builder)[i].length & WIRE_PARAM_CUT));
	builder->used = at + n;
}

void record_put_number(struct record_builder *builder, const char *param, int64_t value)
{
	record_put_bytes(builder, param, &value, sizeof(value));
}

void record_put_text(struct record_builder *builder, const char *param, const char *text)
{
	record_put_bytes(builder, param, text, (uint32_t)strlen(text) + 1);
}

void record_put_vector(struct record_builder *builder, const char *param, const char *const *words)
{
	static char joined[WIRE_RECORD_MAX];
	uint32_t n = 0;

	for (; *words; words++) {
		uint32_t size = (uint32_t)strlen(*words) + 1;

		hae_assert(n + size <= sizeof(joined));
		memcpy(joined + n, *words, size);
		n += size;
	}
	record_put_bytes(builder, param, joined, n);
}

void record_put_object(struct record_builder *builder, const char *param, const char *path,
		       unsigned flags, unsigned root_cnt)
{
	static _Alignas(8) char bytes[WIRE_RECORD_MAX];
	struct wire_path *head = (struct wire_path *)(void *)bytes;
	bool is_file = flags >> WIRE_PATH_KIND_SHIFT == WIRE_KIND_FILE;
	uint32_t n = sizeof(*head), end = (uint32_t)strlen(path);

	*head = (struct wire_path){ .flags = (uint16_t)flags };
	while (is_file ? end > 1 : head->component_cnt == 0) {
		uint32_t start = is_file ? end : 0;

		while (start > 0 && path[start - 1] != '/')
			start--;
		hae_assert(n + end - start + 1 <= sizeof(bytes));
		memcpy(bytes + n, path + start, end - start);
		bytes[n + end - start] = '\0';
		n += end - start + 1;
		head->component_cnt++;
		end = start ? start - 1 : 0;
	}
	hae_assert(root_cnt <= head->component_cnt);
	head->root_at = (uint16_t)(head->component_cnt - root_cnt);
	record_put_bytes(builder, param, bytes, n);
}

void record_put_path(struct record_builder *builder, const char *param, const char *path)
{
	record_put_object(builder, param, path, 0, 0);
}

/* "1.2.3.4:80" or "[::1]:80". */
static uint16_t parse_end(const char *text, uint8_t address[16], uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	bool is_6 = text[0] == '[';
	char host[64];
	size_t n;

	hae_assert(colon && (size_t)(colon - text) < sizeof(host));
	n = (size_t)(colon - text) - (is_6 ? 2 : 0);
	memcpy(host, text + is_6, n);
	host[n] = '\0';
	*ret_port = (uint16_t)atoi(colon + 1);
	hae_assert(inet_pton(is_6 ? AF_INET6 : AF_INET, host, address) == 1);
	return is_6 ? AF_INET6 : AF_INET;
}

void record_put_tuple(struct record_builder *builder, const char *param, const char *local,
		      const char *remote, unsigned l4_protocol)
{
	struct wire_tuple tuple = { .l4_protocol = (uint8_t)l4_protocol };

	if (local) {
		tuple.family = parse_end(local, tuple.local_address, &tuple.local_port);
		tuple.flags |= WIRE_TUPLE_LOCAL;
	}
	if (remote) {
		tuple.family = parse_end(remote, tuple.remote_address, &tuple.remote_port);
		tuple.flags |= WIRE_TUPLE_REMOTE;
	}
	record_put_bytes(builder, param, &tuple, sizeof(tuple));
}

void record_put_unix(struct record_builder *builder, const char *param, const char *path)
{
	static uint8_t bytes[sizeof(struct wire_tuple) + 256];
	struct wire_tuple tuple = { .family = AF_UNIX, .flags = WIRE_TUPLE_REMOTE };
	uint32_t n = (uint32_t)strlen(path) + 1;

	hae_assert(n <= 256);
	memcpy(bytes, &tuple, sizeof(tuple));
	memcpy(bytes + sizeof(tuple), path, n);
	record_put_bytes(builder, param, bytes, (uint32_t)sizeof(tuple) + n);
}

void record_cut(struct record_builder *builder, const char *param)
{
	table(builder)[param_number(builder, param)].length |= WIRE_PARAM_CUT;
	builder->header->flags |= WIRE_CUT;
}

uint32_t record_finish(struct record_builder *builder)
{
	builder->header->length = (builder->used + 7) & ~7u;
	return builder->header->length;
}

int record_decode(struct record_builder *builder, struct event *event)
{
	return event_decode(event, builder->bytes, record_finish(builder));
}
