/*
 * The schema as tables, made from events.def. Owns constant data only; any thread.
 */
#include "event_private.h"

/* The address of nothing is none. A vocabulary that does not exist does not compile. */
#define vocabulary_NONE (*(const struct vocabulary *)NULL)

/* clang-format off */
/* Sources that table.bpf.c reads by: all are in the record. */
#define PARAM_FROM_CWD_PATH PARAM_FROM_WIRE
#define PARAM_FROM_ROOT_PATH PARAM_FROM_WIRE
#define PARAM_FROM_CREDENTIALS_BEFORE PARAM_FROM_WIRE
#define PARAM_FROM_VM_SIZE PARAM_FROM_WIRE
#define PARAM_FROM_VM_RSS PARAM_FROM_WIRE
#define PARAM_FROM_VM_SWAP PARAM_FROM_WIRE
#define PARAM_FROM_RESULT		 PARAM_FROM_WIRE
#define PARAM_FROM_S32(n) PARAM_FROM_WIRE
#define PARAM_FROM_U32(n) PARAM_FROM_WIRE
#define PARAM_FROM_U64(n) PARAM_FROM_WIRE
#define PARAM_FROM_TEXT(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_PATH(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_DEV(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_INO(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_MODE(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_BITS(n) PARAM_FROM_WIRE
#define PARAM_FROM_CWD_OF(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_OLD_CWD_OF(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_IOVEC_SIZE(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_IOVEC_READ(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_IOVEC_WRITTEN(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_NEW_CWD PARAM_FROM_WIRE
#define PARAM_FROM_OBJECT(n) PARAM_FROM_WIRE
#define PARAM_FROM_FILE_PATH_WITHOUT(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_MEMORY_U32(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_MEMORY_S32(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_MEMORY_U64(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_FILLED_U32(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_FILLED_S32(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_FILLED_U64(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_MEMORY_LONG(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_PIDFD_PID(n) PARAM_FROM_WIRE
#define PARAM_FROM_BYTES(a, b) PARAM_FROM_WIRE
#define PARAM_FROM_LOW_BITS(n, b) PARAM_FROM_WIRE
#define PARAM_FROM_HIGH_BITS(n, b) PARAM_FROM_WIRE
#define PARAM_FROM_SENT(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_RECEIVED(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_FILLED_BYTES(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_OPTION(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_FILLED_INO(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_QUEUE_LENGTH(n) PARAM_FROM_WIRE
#define PARAM_FROM_QUEUE_MAX(n) PARAM_FROM_WIRE
#define PARAM_FROM_QUEUE_PERCENT(n) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_TYPE(n) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET(n) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_CONNECT(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_ACCEPT(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_SERVE(n) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_SEND(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_RECEIVE(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_SENDMSG(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_RECVMSG(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_SENDMMSG(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_SOCKET_RECVMMSG(n, m) PARAM_FROM_WIRE
#define PARAM_FROM_PASSED(n) PARAM_FROM_WIRE
#define PARAM_FROM_MESSAGE_DATA PARAM_FROM_WIRE
#define PARAM_FROM_MESSAGE_SIZE PARAM_FROM_WIRE
#define PARAM_FROM_MESSAGE_MOVED PARAM_FROM_WIRE
#define PARAM_FROM_MESSAGE_CONTROL PARAM_FROM_WIRE
#define PARAM_FROM_DIRECTORY_OF(id, name, n) PARAM_FROM_WIRE
#define FIELD_OF_CWD_PATH(name) HEADER_FIELD_NONE
#define FIELD_OF_ROOT_PATH(name) HEADER_FIELD_NONE
#define FIELD_OF_CREDENTIALS_BEFORE(name) HEADER_FIELD_NONE
#define FIELD_OF_VM_SIZE(name) HEADER_FIELD_NONE
#define FIELD_OF_VM_RSS(name) HEADER_FIELD_NONE
#define FIELD_OF_VM_SWAP(name) HEADER_FIELD_NONE
#define FIELD_OF_RESULT(name) HEADER_FIELD_NONE
#define FIELD_OF_S32(n) FIELD_OF_WIRE
#define FIELD_OF_U32(n) FIELD_OF_WIRE
#define FIELD_OF_U64(n) FIELD_OF_WIRE
#define FIELD_OF_TEXT(n) FIELD_OF_WIRE
#define FIELD_OF_FILE_PATH(n) FIELD_OF_WIRE
#define FIELD_OF_FILE_DEV(n) FIELD_OF_WIRE
#define FIELD_OF_FILE_INO(n) FIELD_OF_WIRE
#define FIELD_OF_FILE_MODE(n) FIELD_OF_WIRE
#define FIELD_OF_FILE_BITS(n) FIELD_OF_WIRE
#define FIELD_OF_CWD_OF(a, b) FIELD_OF_WIRE
#define FIELD_OF_OLD_CWD_OF(a, b) FIELD_OF_WIRE
#define FIELD_OF_IOVEC_SIZE(n, m) FIELD_OF_WIRE
#define FIELD_OF_IOVEC_READ(n, m) FIELD_OF_WIRE
#define FIELD_OF_IOVEC_WRITTEN(n, m) FIELD_OF_WIRE
#define FIELD_OF_OBJECT(n) FIELD_OF_WIRE
#define FIELD_OF_NEW_CWD(name) HEADER_FIELD_NONE
#define FIELD_OF_FILE_PATH_WITHOUT(n, m) FIELD_OF_WIRE
#define FIELD_OF_MEMORY_U32(a, b) FIELD_OF_WIRE
#define FIELD_OF_MEMORY_S32(a, b) FIELD_OF_WIRE
#define FIELD_OF_MEMORY_U64(a, b) FIELD_OF_WIRE
#define FIELD_OF_FILLED_U32(a, b) FIELD_OF_WIRE
#define FIELD_OF_FILLED_S32(a, b) FIELD_OF_WIRE
#define FIELD_OF_FILLED_U64(a, b) FIELD_OF_WIRE
#define FIELD_OF_MEMORY_LONG(a, b) FIELD_OF_WIRE
#define FIELD_OF_PIDFD_PID(n) FIELD_OF_WIRE
#define FIELD_OF_BYTES(a, b) FIELD_OF_WIRE
#define FIELD_OF_LOW_BITS(n, b) FIELD_OF_WIRE
#define FIELD_OF_HIGH_BITS(n, b) FIELD_OF_WIRE
#define FIELD_OF_SENT(n, m) FIELD_OF_WIRE
#define FIELD_OF_RECEIVED(n, m) FIELD_OF_WIRE
#define FIELD_OF_FILLED_BYTES(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_OPTION(n, m) FIELD_OF_WIRE
#define FIELD_OF_FILLED_INO(n, m) FIELD_OF_WIRE
#define FIELD_OF_QUEUE_LENGTH(n) FIELD_OF_WIRE
#define FIELD_OF_QUEUE_MAX(n) FIELD_OF_WIRE
#define FIELD_OF_QUEUE_PERCENT(n) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_TYPE(n) FIELD_OF_WIRE
#define FIELD_OF_SOCKET(n) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_CONNECT(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_ACCEPT(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_SERVE(n) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_SEND(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_RECEIVE(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_SENDMSG(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_RECVMSG(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_SENDMMSG(n, m) FIELD_OF_WIRE
#define FIELD_OF_SOCKET_RECVMMSG(n, m) FIELD_OF_WIRE
#define FIELD_OF_PASSED(n) FIELD_OF_WIRE
#define FIELD_OF_MESSAGE_DATA(name) HEADER_FIELD_NONE
#define FIELD_OF_MESSAGE_SIZE(name) HEADER_FIELD_NONE
#define FIELD_OF_MESSAGE_MOVED(name) HEADER_FIELD_NONE
#define FIELD_OF_MESSAGE_CONTROL(name) HEADER_FIELD_NONE
#define FIELD_OF_DIRECTORY_OF(id, name, n) FIELD_OF_WIRE

#define EVENT(id, name, class, flags, doc) static const struct param_schema params_##id[] = {
#define PARAM(id, name, type, words, source, doc) \
	{ #name, PARAM_##type, PARAM_FROM_##source, &vocabulary_##words, doc },
#define EVENT_END(id) { NULL, PARAM_TYPE__COUNT, PARAM_FROM_NONE, NULL, NULL } };
#include "haetae/events.def"

#define FIELD_OF_WIRE(name)   HEADER_FIELD_NONE
#define FIELD_OF_NONE(name)   HEADER_FIELD_NONE
#define FIELD_OF_HEADER(name) HEADER_FIELD_##name
#define EVENT(id, name, class, flags, doc) static const uint8_t header_fields_##id[] = {
#define PARAM(id, name, type, words, source, doc) FIELD_OF_##source(name),
#define EVENT_END(id) HEADER_FIELD_NONE };
#include "haetae/events.def"

#define EVENT(id, name, class, flags, doc)
#define EVENT_END(id) \
	_Static_assert(PARAM_##id##__COUNT <= DERIVED_COMM_AT, "too many parameters");
#include "haetae/events.def"

#define SYSCALL	   EVENT_SYSCALL
#define LIFECYCLE  EVENT_LIFECYCLE
#define STATE	   EVENT_STATE
#define CREATES_FD EVENT_CREATES_FD
#define OWN	   EVENT_OWN
static const struct event_schema schemas[] = {
#define EVENT(id, name, class, flags, doc) \
	{ EVENT_##id, name, CLASS_##class, flags, params_##id, PARAM_##id##__COUNT, doc },
#include "haetae/events.def"
};

static const uint8_t *const header_fields[] = {
#define EVENT(id, name, class, flags, doc) header_fields_##id,
#include "haetae/events.def"
};
/* clang-format on */
_Static_assert(ARRAY_LEN(schemas) == EVENT__COUNT, "a row an event");

const struct event_schema *event_schema_get(enum event_type type)
{
	return (unsigned)type < EVENT__COUNT ? &schemas[type] : NULL;
}

const uint8_t *schema_header_fields(enum event_type type)
{
	return header_fields[type];
}

int schema_param_find(const struct event_schema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->param_cnt; i++) {
		if (strcmp(schema->params[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

const char *event_class_name(enum event_class class)
{
	static const char *const names[] = {
		[CLASS_UNKNOWN] = "unknown",	 [CLASS_PROCESS] = "process",
		[CLASS_FILE] = "file",		 [CLASS_NETWORK] = "network",
		[CLASS_PRIVILEGE] = "privilege", [CLASS_KERNEL] = "kernel",
		[CLASS_OTHER] = "other",
	};
	_Static_assert(ARRAY_LEN(names) == CLASS__COUNT, "a name a class");

	return (unsigned)class < CLASS__COUNT ? names[class] : "unknown";
}
