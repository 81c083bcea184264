/*
 * events.def as tables. Owns nothing but constants; any thread.
 */
#include "haetae/event.h"

#include "vocabularies.h"

/* Each row of events.def becomes one array of parameters… */
#define NONE		  vocabulary_none
#define VOCABULARY(table) (&(table) == &vocabulary_none ? NULL : &(table))
#define FROM_WIRE	  PARAM_FROM_WIRE
#define FROM_HEADER	  PARAM_FROM_HEADER
#define FROM_NONE	  PARAM_FROM_NONE

/* A row without parameters must still be an array: the last element is a guard. */
#define EVENT(id, name, class, flags, doc) static const struct param_schema params_##id[] = {
#define PARAM(id, name, type, vocabulary, source, doc) \
	{ #name, PARAM_##type, FROM_##source, VOCABULARY(vocabulary), doc },
#define EVENT_END(id)        \
	{                    \
		.name = NULL \
	}                    \
	}                    \
	;
#include "haetae/events.def"

/* … and one entry here. The flag words of events.def are short for EVENT_…. */
enum {
	SYSCALL = EVENT_SYSCALL,
	LIFECYCLE = EVENT_LIFECYCLE,
	STATE = EVENT_STATE,
	CREATES_FD = EVENT_CREATES_FD,
};

#define EVENT(id, event_name, event_class, event_flags, event_doc) \
	[EVENT_##id] = { .type = EVENT_##id,                       \
			 .name = event_name,                       \
			 .class = CLASS_##event_class,             \
			 .flags = event_flags,                     \
			 .params = params_##id,                    \
			 .param_cnt = PARAM_##id##__COUNT,         \
			 .doc = event_doc },
static const struct event_schema schemas[] = {
#include "haetae/events.def"
};
_Static_assert(ARRAY_LEN(schemas) == EVENT__COUNT, "a schema for each event");

#define EVENT(id, name, class, flags, doc)                                                     \
	_Static_assert(PARAM_##id##__COUNT <= WIRE_PARAM_MAX, "a record has no room for that " \
							      "many");
#include "haetae/events.def"

const struct event_schema *event_schema_get(enum event_type type)
{
	return (unsigned)type < EVENT__COUNT ? &schemas[type] : NULL;
}

const char *event_class_name(enum event_class class)
{
	static const char *const names[] = {
		[CLASS_UNKNOWN] = "unknown",	 [CLASS_PROCESS] = "process",
		[CLASS_FILE] = "file",		 [CLASS_NETWORK] = "network",
		[CLASS_PRIVILEGE] = "privilege", [CLASS_KERNEL] = "kernel",
		[CLASS_OTHER] = "other",
	};
	_Static_assert(ARRAY_LEN(names) == CLASS__COUNT, "a name for each class");

	return (unsigned)class < CLASS__COUNT ? names[class] : "unknown";
}
