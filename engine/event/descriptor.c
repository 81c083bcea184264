/*
 * What an event knows of the object behind a descriptor: the file that was opened, the directory
 * that a name starts from, the socket. As evt.arg shows descriptors: <f>/etc/passwd. Keeps nothing.
 */
#include <netinet/in.h>
#include <sys/stat.h>

#include "event_private.h"

/* The names that the kernel gives its anonymous inodes; Falco's words. */
static struct descriptor_kind anonymous_kind(const char *name)
{
	static const struct {
		const char *name;
		struct descriptor_kind kind;
	} kinds[] = {
		{ "[eventpoll]", { 'l', "eventpoll" } },
		{ "[eventfd]", { 'e', "event" } },
		{ "[signalfd]", { 's', "signalfd" } },
		{ "[timerfd]", { 't', "timerfd" } },
		{ "inotify", { 'i', "inotify" } },
		{ "[io_uring]", { 'r', "io_uring" } },
		{ "[pidfd]", { 'P', "pidfd" } },
		{ "[userfaultfd]", { 'u', "userfaultfd" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	}
	/* bpf-map, bpf-prog, bpf_link, … (kernel/bpf/syscall.c) */
	if (strncmp(name, "bpf", 3) == 0)
		return (struct descriptor_kind){ 'b', "bpf" };
	return (struct descriptor_kind){ 'o', NULL };
}

/* A device is a file to the rules, as in Falco. */
static struct descriptor_kind mode_kind(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return (struct descriptor_kind){ 'd', "directory" };
	case S_IFIFO:
		return (struct descriptor_kind){ 'p', "pipe" };
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFLNK: /* O_PATH | O_NOFOLLOW */
		return (struct descriptor_kind){ 'f', "file" };
	case S_IFSOCK: /* O_PATH */
		return (struct descriptor_kind){ 'u', "unix" };
	default:
		return (struct descriptor_kind){ 'o', NULL };
	}
}

/* A record that holds a path and no mode is of a file. */
static struct descriptor_kind kind_by_mode(const struct event *event, bool has_path)
{
	int param = event_roles_of(event->schema)->file_mode;
	uint64_t mode = has_path ? S_IFREG : 0;

	if (param >= 0)
		(void)event_number(event, (unsigned)param, &mode);
	return mode_kind(mode);
}

struct descriptor_kind event_file_kind(const struct event *event, unsigned path_param)
{
	const struct wire_path *head = event_kpath_head(event, path_param);

	if (!head)
		return kind_by_mode(event, false);
	switch ((enum wire_path_kind)(head->flags >> WIRE_PATH_KIND_SHIFT)) {
	case WIRE_KIND_PIPE:
		return (struct descriptor_kind){ 'p', "pipe" };
	case WIRE_KIND_MEMFD:
		return (struct descriptor_kind){ 'm', "memfd" };
	case WIRE_KIND_ANON:
		return anonymous_kind(head->component_cnt ? (const char *)(head + 1) : "");
	case WIRE_KIND_SOCKET:
	case WIRE_KIND_OTHER:
		return (struct descriptor_kind){ 'o', NULL };
	case WIRE_KIND_NSFS:
	case WIRE_KIND_FILE:
		break;
	}
	return kind_by_mode(event, true);
}

int kpath_ino_param(const struct event_schema *schema, unsigned param)
{
	const char *name = schema->params[param].name;

	if (strcmp(name, "path") == 0)
		return schema_param_find(schema, "ino");
	if (strcmp(name, "trusted_exepath") == 0)
		return schema_param_find(schema, "exe_ino");
	return -1;
}

static bool put_path_object(const struct event *event, int path_param, char character,
			    struct buf *out)
{
	struct str path;

	if (path_param < 0 || !event_kpath_head(event, (unsigned)path_param))
		return false;
	path = event_kpath(event, (unsigned)path_param,
			   kpath_ino_param(event->schema, (unsigned)path_param), false);
	if (!path.p)
		return false;
	buf_printf(out, "<%c>", character);
	buf_put_str(out, path);
	return true;
}

static char l4_character(const struct event *event, const struct wire_tuple *tuple)
{
	int param = event_roles_of(event->schema)->socket_type;
	uint64_t type;

	if (param >= 0 && event_number(event, (unsigned)param, &type) && type == SOCK_RAW)
		return 'r';
	switch (tuple->l4_protocol) {
	case IPPROTO_TCP:
		return 't';
	case IPPROTO_UDP:
		return 'u';
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 'i';
	default:
		return 'r';
	}
}

static bool put_socket(const struct event *event, struct buf *out)
{
	int param = schema_param_find(event->schema, "tuple");
	struct wire_tuple tuple;
	struct str path;

	if (param < 0 || !event_tuple(event, (unsigned)param, &tuple, &path))
		return false;
	if (tuple.family == AF_INET)
		buf_printf(out, "<4%c>", l4_character(event, &tuple));
	else if (tuple.family == AF_INET6)
		buf_printf(out, "<6%c>", l4_character(event, &tuple));
	else
		buf_printf(out, "<%c>",
			   tuple.family == AF_UNIX	? 'u'
			   : tuple.family == AF_NETLINK ? 'n'
							: 'o');
	tuple_format(&tuple, path, out);
	return true;
}

/* Only the event's own descriptor has its file's mode in the record; of another one the kind is
 * told by its path. */
static bool put_other(const struct event *event, const char *name, int path_param, struct buf *out)
{
	bool is_directory = str_ends_with(str_from(name), STR("dirfd")) ||
			    str_ends_with(str_from(name), STR("dir"));
	char character = 'f';

	if (path_param < 0 || !event_kpath_head(event, (unsigned)path_param))
		return false;
	if (is_directory)
		character = 'd';
	else if (event_kpath_head(event, (unsigned)path_param)->flags >> WIRE_PATH_KIND_SHIFT)
		character = event_file_kind(event, (unsigned)path_param).character;
	return put_path_object(event, path_param, character, out);
}

bool descriptor_format(const struct event *event, unsigned param, struct buf *out)
{
	const struct event_roles *roles = event_roles_of(event->schema);
	int path_param = roles->beside[param];

	if ((int)param != roles->fd)
		return put_other(event, event->schema->params[param].name, path_param, out);
	if (put_socket(event, out))
		return true;
	return path_param >= 0 &&
	       put_path_object(event, path_param,
			       event_file_kind(event, (unsigned)path_param).character, out);
}
