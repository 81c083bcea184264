/*
 * Event codes: what evt.type can be. Names are looked up while rules are compiled, by binary search
 * over a constant table; numbers are array indices.
 */
#include "haetae/event.h"

struct syscall_row {
	const char *name;
	int16_t x86_64, arm64, i386;
};

static const struct syscall_row rows[] = {
#define SYSCALL(name, x86_64, arm64, i386) { #name, x86_64, arm64, i386 },
#include "haetae/syscalls.def"
};

static int native(const struct syscall_row *row)
{
#if defined(__x86_64__)
	return row->x86_64;
#elif defined(__aarch64__)
	return row->arm64;
#else
#error "syscalls.def has no column for this architecture"
#endif
}

/* Falco's names where they are not the kernel's. NULL: known, but nothing here raises it. */
static const struct {
	const char *name, *syscall;
} aliases[] = {
	{ "pread", "pread64" },	   { "pwrite", "pwrite64" },
	{ "umount", NULL }, /* oldumount of 32-bit programs; theirs is reported as umount2 */
	{ "send", NULL },	   { "recv", NULL },
	{ "stat64", NULL },	   { "lstat64", NULL },
	{ "fstat64", NULL },	   { "llseek", NULL },
	{ "mmap2", NULL },	   { "prlimit", "prlimit64" },
	{ "signaldeliver", NULL }, { "switch", NULL },
	{ "container", NULL },	   { "asyncevent", NULL },
	{ "pluginevent", NULL },   { "notification", NULL },
	{ "infra", NULL },	   { "drop", NULL },
	{ "scapevent", NULL },	   { "useradded", NULL },
	{ "userdeleted", NULL },   { "groupadded", NULL },
	{ "groupdeleted", NULL },  { "cpu_hotplug", NULL },
	{ "page_fault", NULL },	   { "tracer", NULL },
	{ "k8s", NULL },	   { "mesos", NULL },
};

static const struct syscall_row *find_row(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq_text(name, rows[i].name))
			return &rows[i];
	return NULL;
}

static int event_of_name(struct str name)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get(type);

		if (type != EVENT_GENERIC && !(schema->flags & EVENT_STATE) &&
		    str_eq_text(name, schema->name))
			return (int)type;
	}
	return -1;
}

int syscall_number(struct str name)
{
	const struct syscall_row *row = find_row(name);

	return row ? native(row) : -1;
}

const char *syscall_name(unsigned nr)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (native(&rows[i]) == (int)nr)
			return rows[i].name;
	return NULL;
}

int syscall_native_of_i386(unsigned nr)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].i386 == (int)nr)
			return native(&rows[i]);
	return -1;
}

int event_code_find(struct str name)
{
	int type = event_of_name(name);
	const struct syscall_row *row;

	if (type >= 0)
		return type;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (!str_eq_text(name, aliases[i].name))
			continue;
		if (!aliases[i].syscall)
			return EVENT_CODE_NEVER;
		name = str_from(aliases[i].syscall);
	}
	row = find_row(name);
	if (!row)
		return -1;
	return native(row) < 0 ? EVENT_CODE_NEVER : EVENT_CODE_SYSCALL + native(row);
}

const char *event_code_name(unsigned code)
{
	if (code >= EVENT_CODE__COUNT)
		return NULL;
	if (code >= EVENT_CODE_SYSCALL)
		return syscall_name(code - EVENT_CODE_SYSCALL);
	return event_schema_get(code)->name;
}

static bool is_visible(const struct event_schema *schema)
{
	return schema->type != EVENT_GENERIC && !(schema->flags & EVENT_STATE);
}

void event_set_all(struct event_set *set)
{
	*set = (struct event_set){ 0 };
	for (unsigned type = 0; type < EVENT__COUNT; type++)
		if (is_visible(event_schema_get(type)))
			event_set_add(set, type);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (native(&rows[i]) >= 0 && event_of_name(str_from(rows[i].name)) < 0)
			event_set_add(set, EVENT_CODE_SYSCALL + (unsigned)native(&rows[i]));
}

void event_set_syscalls(const struct event_set *set, uint16_t type_of_syscall[WIRE_SYSCALL_MAX],
			bool is_evaluated[EVENT__COUNT])
{
	memset(type_of_syscall, 0, WIRE_SYSCALL_MAX * sizeof(*type_of_syscall));
	memset(is_evaluated, 0, EVENT__COUNT * sizeof(*is_evaluated));
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		const struct event_schema *schema = event_schema_get(type);
		int nr = syscall_number(str_from(schema->name));

		if (!is_visible(schema) || !event_set_has(set, type))
			continue;
		is_evaluated[type] = true;
		if (schema->flags & EVENT_SYSCALL && nr >= 0 && nr < WIRE_SYSCALL_MAX)
			type_of_syscall[nr] = (uint16_t)type;
	}
	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++) {
		if (!event_set_has(set, EVENT_CODE_SYSCALL + nr))
			continue;
		type_of_syscall[nr] = EVENT_GENERIC;
		is_evaluated[EVENT_GENERIC] = true;
	}
}
