/*
 * From a record to struct event. Nothing in the record is believed: every length, offset, count and
 * size is checked here once, so that what stands to the right need not. Owns nothing; the event
 * borrows the record. Engine thread, tests, fuzzer.
 */
#include <sys/socket.h>

#include "event_private.h"

/* Bytes that end in a NUL within them. */
static bool is_terminated(struct str bytes)
{
	return bytes.n > 0 && bytes.p[bytes.n - 1] == '\0';
}

/* As many NUL-terminated names as the head says, and a kind that we know. */
static bool is_kpath(struct str bytes)
{
	struct wire_path head;
	const char *at, *end = bytes.p + bytes.n;

	if (bytes.n < sizeof(head) || (uintptr_t)bytes.p % _Alignof(struct wire_path))
		return false;
	memcpy(&head, bytes.p, sizeof(head));
	if (head.flags >> WIRE_PATH_KIND_SHIFT > WIRE_KIND_OTHER ||
	    head.root_at > head.component_cnt)
		return false;
	at = bytes.p + sizeof(head);
	for (unsigned i = 0; i < head.component_cnt; i++) {
		const char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

		if (!nul)
			return false;
		at = nul + 1;
	}
	return true;
}

static bool is_tuple(struct str bytes)
{
	struct wire_tuple tuple;

	if (bytes.n < sizeof(tuple))
		return false;
	memcpy(&tuple, bytes.p, sizeof(tuple));
	return tuple.family != AF_UNIX || bytes.n == sizeof(tuple) || is_terminated(bytes);
}

/* A program's argument area can be written by another process while it is copied, so its last byte
 * may be anything; an event that could be made undecodable so would be a way to hide. Such a vector
 * gets its NUL in a copy. */
static bool terminate_vector(struct event *event, struct str *bytes)
{
	struct str copy;

	if (is_terminated(*bytes))
		return true;
	copy = event->scratch ? arena_str(event->scratch, *bytes) : STR_NONE;
	if (!copy.p)
		return false;
	*bytes = (struct str){ copy.p, copy.n + 1 };
	return true;
}

static bool is_valid(struct event *event, enum param_type type, struct str *bytes)
{
	if (param_is_number(type))
		return bytes->n == sizeof(uint64_t);
	switch ((int)type) {
	case PARAM_STRING:
	case PARAM_PATH:
	case PARAM_RELPATH:
		return is_terminated(*bytes);
	case PARAM_VECTOR:
		return terminate_vector(event, bytes);
	case PARAM_KPATH:
		return is_kpath(*bytes);
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		return is_tuple(*bytes);
	default:
		return true; /* BUFFER */
	}
}

static bool decode_wire_param(struct event *event, const char *record,
			      const struct wire_param *entry, unsigned i)
{
	const struct wire_header *header = event->header;
	uint32_t behind_table =
		(uint32_t)(sizeof(*header) + header->param_cnt * sizeof(struct wire_param));
	uint32_t length = entry->length & (uint32_t)~WIRE_PARAM_CUT;
	struct str bytes;

	if (entry->length & WIRE_PARAM_CUT)
		event->cut_mask |= 1ULL << i;
	if (!length)
		return true;
	if (entry->offset < behind_table || entry->offset + length > header->length)
		return false;
	bytes = (struct str){ record + entry->offset, length };
	if (!is_valid(event, event->schema->params[i].type, &bytes))
		return false;
	event->params[i] = bytes;
	return true;
}

/* TASK_COMM_LEN includes a NUL in the kernel; a record may lack it. */
static void derive_comm(struct event *event, unsigned i)
{
	char *comm = (char *)&event->derived[DERIVED_COMM_AT];
	size_t n = strnlen(event->header->comm, WIRE_COMM_LEN);

	memcpy(comm, event->header->comm, n);
	comm[n] = '\0';
	event->params[i] = (struct str){ comm, (uint32_t)n + 1 };
}

/* Flat switch: a line a field. */
static uint64_t header_number(const struct wire_header *header, enum header_field field)
{
	switch (field) {
	case HEADER_FIELD_tid:
		return header->tid;
	case HEADER_FIELD_pid:
		return header->pid;
	case HEADER_FIELD_ptid:
		return header->parent_pid;
	case HEADER_FIELD_tty:
		return header->tty;
	case HEADER_FIELD_vpgid:
		return header->ns_group_id;
	case HEADER_FIELD_vtid:
		return header->ns_tid;
	case HEADER_FIELD_vpid:
		return header->ns_pid;
	case HEADER_FIELD_pgid:
		return header->group_id;
	case HEADER_FIELD_loginuid:
		return header->loginuid;
	case HEADER_FIELD_uid:
		return header->euid;
	case HEADER_FIELD_gid:
		return header->egid;
	case HEADER_FIELD_cap_inheritable:
		return header->cap_inheritable;
	case HEADER_FIELD_cap_permitted:
		return header->cap_permitted;
	case HEADER_FIELD_cap_effective:
		return header->cap_effective;
	case HEADER_FIELD_comm:
	case HEADER_FIELD_NONE:
		break;
	}
	return 0;
}

static void derive_params(struct event *event)
{
	const uint8_t *fields = schema_header_fields(event->schema->type);

	for (unsigned i = 0; i < event->schema->param_cnt; i++) {
		enum header_field field = (enum header_field)fields[i];

		if (field == HEADER_FIELD_NONE)
			continue;
		if (field == HEADER_FIELD_comm) {
			derive_comm(event, i);
			continue;
		}
		event->derived[i] = header_number(event->header, field);
		event->params[i] =
			(struct str){ (const char *)&event->derived[i], sizeof(uint64_t) };
	}
}

static int decode_header(struct event *event, const void *record, uint32_t length)
{
	const struct wire_header *header = record;

	if (length < sizeof(*header))
		return EVENT_E_SHORT;
	if (header->length > length || header->length < sizeof(*header) ||
	    header->length > WIRE_RECORD_MAX ||
	    header->param_cnt * sizeof(struct wire_param) > header->length - sizeof(*header))
		return EVENT_E_SHORT;
	if (header->type == EVENT_UNKNOWN || header->type >= EVENT__COUNT)
		return EVENT_E_TYPE;
	if (header->param_cnt > WIRE_PARAM_MAX)
		return EVENT_E_PARAM;
	event->header = header;
	event->schema = event_schema_get((enum event_type)header->type);
	event->code = header->type;
	if (header->type == EVENT_GENERIC) {
		if (header->syscall_nr >= WIRE_SYSCALL_MAX)
			return EVENT_E_TYPE;
		event->code = EVENT_CODE_SYSCALL + header->syscall_nr;
	}
	return 0;
}

int event_decode(struct event *event, const void *record, uint32_t length)
{
	const struct wire_param *table;
	unsigned known_cnt;
	int r;

	hae_assert((uintptr_t)record % 8 == 0);
	event->cut_mask = 0;
	event->proc = NULL;
	event->container = NULL;
	event->image = NULL;
	memset(event->params, 0, sizeof(event->params));
	r = decode_header(event, record, length);
	if (r)
		return r;
	table = (const struct wire_param *)(event->header + 1);
	known_cnt = MIN(event->header->param_cnt, event->schema->param_cnt);
	for (unsigned i = 0; i < known_cnt; i++) {
		if (event->schema->params[i].source == PARAM_FROM_WIRE &&
		    !decode_wire_param(event, record, &table[i], i))
			return EVENT_E_PARAM;
	}
	derive_params(event);
	return 0;
}

struct str event_string(const struct event *event, unsigned param)
{
	struct str bytes = param < WIRE_PARAM_MAX ? event->params[param] : STR_NONE;

	return bytes.p ? (struct str){ bytes.p, (uint32_t)strnlen(bytes.p, bytes.n) } : STR_NONE;
}

bool event_number(const struct event *event, unsigned param, uint64_t *ret)
{
	struct str bytes = param < WIRE_PARAM_MAX ? event->params[param] : STR_NONE;

	if (!bytes.p || bytes.n != sizeof(*ret))
		return false;
	memcpy(ret, bytes.p, sizeof(*ret));
	return true;
}

bool event_tuple(const struct event *event, unsigned param, struct wire_tuple *ret,
		 struct str *ret_path)
{
	struct str bytes = param < WIRE_PARAM_MAX ? event->params[param] : STR_NONE;

	if (!bytes.p || bytes.n < sizeof(*ret))
		return false;
	memcpy(ret, bytes.p, sizeof(*ret));
	*ret_path = STR_NONE;
	if (ret->family == AF_UNIX && bytes.n > sizeof(*ret)) {
		const char *path = bytes.p + sizeof(*ret);

		*ret_path = (struct str){ path, (uint32_t)strnlen(path, bytes.n - sizeof(*ret)) };
	}
	return true;
}
