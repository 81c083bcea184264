/*
 * Bytes of a record into a struct event. Trusts nothing: every offset, length and count is checked
 * against the record, every value against its type, before anything is believed. Owns nothing; the
 * event borrows from the record.
 */
#include "haetae/event.h"

static bool is_number(enum param_type type)
{
	return type <= PARAM_RELTIME;
}

/* The head, and behind it as many NUL-terminated names as it says. */
static bool is_valid_kpath(struct str bytes)
{
	struct wire_path head;
	uint32_t names = 0;

	if (bytes.n < sizeof(head))
		return false;
	memcpy(&head, bytes.p, sizeof(head));
	if (head.root_at > head.component_cnt)
		return false;
	for (uint32_t i = sizeof(head); i < bytes.n; i++)
		names += bytes.p[i] == '\0';
	if (bytes.n > sizeof(head) && bytes.p[bytes.n - 1] != '\0')
		return false;
	return names == head.component_cnt;
}

static bool is_valid_tuple(struct str bytes)
{
	if (bytes.n < sizeof(struct wire_tuple))
		return false;
	return bytes.n == sizeof(struct wire_tuple) || bytes.p[bytes.n - 1] == '\0';
}

static bool is_valid(enum param_type type, struct str bytes)
{
	if (is_number(type))
		return bytes.n == sizeof(uint64_t);
	switch ((int)type) {
	case PARAM_STRING:
	case PARAM_PATH:
	case PARAM_RELPATH:
		/* One NUL, the last byte. */
		return memchr(bytes.p, '\0', bytes.n) == bytes.p + bytes.n - 1;
	case PARAM_VECTOR:
		return bytes.p[bytes.n - 1] == '\0';
	case PARAM_KPATH:
		return is_valid_kpath(bytes);
	case PARAM_TUPLE:
	case PARAM_ADDRESS:
		return is_valid_tuple(bytes);
	default:
		return true;
	}
}

/* What exec's parameters share with the header, by name, so that events.def may grow. */
static bool from_header(const struct wire_header *header, const char *name, uint64_t *ret)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{ "tid", header->tid },
		{ "pid", header->pid },
		{ "ptid", header->parent_pid },
		{ "tty", header->tty },
		{ "vpgid", header->ns_group_id },
		{ "pgid", header->group_id },
		{ "loginuid", header->loginuid },
		{ "uid", header->euid },
		{ "gid", header->egid },
		{ "cap_inheritable", header->cap_inheritable },
		{ "cap_permitted", header->cap_permitted },
		{ "cap_effective", header->cap_effective },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (strcmp(members[i].name, name) == 0) {
			*ret = members[i].value;
			return true;
		}
	}
	return false;
}

static void derive(struct event *event, unsigned i, const struct param_schema *param)
{
	/* A comm that fills all 16 bytes has no NUL; strings are kept without theirs. */
	if (param->type == PARAM_STRING)
		event->params[i] =
			(struct str){ event->header->comm,
				      (uint32_t)strnlen(event->header->comm, WIRE_COMM_LEN) };
	else if (from_header(event->header, param->name, &event->derived[i]))
		event->params[i] =
			(struct str){ (const char *)&event->derived[i], sizeof(event->derived[i]) };
}

static bool decode_param(struct event *event, unsigned i, const struct wire_param *entry,
			 uint32_t data_start, uint32_t record_length)
{
	const struct param_schema *param = &event->schema->params[i];
	uint32_t length = entry->length & (uint32_t)~WIRE_PARAM_CUT;
	struct str bytes = { (const char *)event->header + entry->offset, length };

	if (entry->length & WIRE_PARAM_CUT)
		event->cut_mask |= 1ULL << i;
	if (length == 0)
		return true;
	if (entry->offset < data_start || entry->offset + length > record_length ||
	    !is_valid(param->type, bytes))
		return false;
	event->params[i] = bytes;
	return true;
}

static int decode_params(struct event *event)
{
	const struct wire_header *header = event->header;
	const struct wire_param *table = (const struct wire_param *)(header + 1);
	uint32_t data_start =
		(uint32_t)sizeof(*header) + header->param_cnt * (uint32_t)sizeof(*table);
	unsigned cnt = MIN(header->param_cnt, event->schema->param_cnt);

	if (data_start > header->length)
		return EVENT_E_SHORT;
	for (unsigned i = 0; i < event->schema->param_cnt; i++) {
		const struct param_schema *param = &event->schema->params[i];

		event->params[i] = STR_NONE;
		if (param->source == PARAM_FROM_HEADER)
			derive(event, i, param);
		else if (i < cnt && !decode_param(event, i, &table[i], data_start, header->length))
			return EVENT_E_PARAM;
	}
	return 0;
}

int event_decode(struct event *event, const void *record, uint32_t length)
{
	const struct wire_header *header = record;

	if (length < sizeof(*header) || header->length > length ||
	    header->length < sizeof(*header) || header->length > WIRE_RECORD_MAX)
		return EVENT_E_SHORT;
	if (header->type >= EVENT__COUNT || header->type == EVENT_UNKNOWN)
		return EVENT_E_TYPE;
	event->header = header;
	event->schema = event_schema_get(header->type);
	event->code = header->type;
	event->cut_mask = 0;
	event->proc = NULL;
	event->image = NULL;
	if (header->type == EVENT_GENERIC) {
		if (header->syscall_nr >= WIRE_SYSCALL_MAX)
			return EVENT_E_TYPE;
		event->code = EVENT_CODE_SYSCALL + header->syscall_nr;
	}
	return decode_params(event);
}

struct str event_string(const struct event *event, unsigned param)
{
	struct str bytes;

	if (param >= event->schema->param_cnt)
		return STR_NONE;
	bytes = event->params[param];
	if (event->schema->params[param].source == PARAM_FROM_WIRE && bytes.n > 0)
		bytes.n--;
	return bytes;
}

bool event_number(const struct event *event, unsigned param, uint64_t *ret)
{
	if (param >= event->schema->param_cnt || event->params[param].n != sizeof(*ret))
		return false;
	memcpy(ret, event->params[param].p, sizeof(*ret));
	return true;
}

bool event_tuple(const struct event *event, unsigned param, struct wire_tuple *ret,
		 struct str *ret_path)
{
	struct str bytes;

	if (param >= event->schema->param_cnt)
		return false;
	bytes = event->params[param];
	if (bytes.n < sizeof(*ret))
		return false;
	memcpy(ret, bytes.p, sizeof(*ret));
	*ret_path = STR_NONE;
	if (bytes.n > sizeof(*ret))
		*ret_path = (struct str){ bytes.p + sizeof(*ret),
					  bytes.n - (uint32_t)sizeof(*ret) - 1 };
	return true;
}
