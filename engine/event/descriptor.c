/*
 * What an event knows of the object behind a descriptor: the file that was opened, the directory
 * that a name starts from, the socket. As evt.arg shows descriptors: <f>/etc/passwd. Keeps nothing.
 */
#include <netinet/in.h>
#include <sys/stat.h>

#include "event_private.h"

/* The names that the kernel gives its anonymous inodes; Falco's characters. */
static char anonymous_character(const char *name)
{
	static const struct {
		const char *name;
		char character;
	} kinds[] = {
		{ "[eventpoll]", 'l' }, { "[eventfd]", 'e' },	  { "[signalfd]", 's' },
		{ "[timerfd]", 't' },	{ "inotify", 'i' },	  { "[io_uring]", 'r' },
		{ "[pidfd]", 'P' },	{ "[userfaultfd]", 'u' },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].character;
	}
	/* bpf-map, bpf-prog, bpf_link, … (kernel/bpf/syscall.c) */
	return strncmp(name, "bpf", 3) == 0 ? 'b' : 'o';
}

static char mode_character(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 'u';
	default:
		return 'f';
	}
}

static char file_character(const struct event *event, unsigned path_param)
{
	const struct wire_path *head = event_kpath_head(event, path_param);
	int mode_param = schema_param_find(event->schema, "file_mode");
	uint64_t mode = S_IFREG;

	switch ((enum wire_path_kind)(head->flags >> WIRE_PATH_KIND_SHIFT)) {
	case WIRE_KIND_PIPE:
		return 'p';
	case WIRE_KIND_MEMFD:
		return 'm';
	case WIRE_KIND_ANON:
		return anonymous_character(head->component_cnt ? (const char *)(head + 1) : "");
	case WIRE_KIND_SOCKET:
	case WIRE_KIND_OTHER:
		return 'o';
	case WIRE_KIND_NSFS:
	case WIRE_KIND_FILE:
		break;
	}
	if (mode_param >= 0)
		(void)event_number(event, (unsigned)mode_param, &mode);
	return mode_character(mode);
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
	if (!character)
		character = file_character(event, (unsigned)path_param);
	buf_printf(out, "<%c>", character);
	buf_put_str(out, path);
	return true;
}

static char l4_character(const struct wire_tuple *tuple)
{
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
		buf_printf(out, "<4%c>", l4_character(&tuple));
	else if (tuple.family == AF_INET6)
		buf_printf(out, "<6%c>", l4_character(&tuple));
	else
		buf_printf(out, "<%c>",
			   tuple.family == AF_UNIX	? 'u'
			   : tuple.family == AF_NETLINK ? 'n'
							: 'o');
	tuple_format(&tuple, path, out);
	return true;
}

bool descriptor_format(const struct event *event, unsigned param, struct buf *out)
{
	const struct event_schema *schema = event->schema;
	const char *name = schema->params[param].name;

	if (strcmp(name, "dirfd") == 0)
		return put_path_object(event, schema_param_find(schema, "dirpath"), 'd', out);
	if (strcmp(name, "fd") != 0)
		return false;
	if (put_path_object(event, schema_param_find(schema, "path"), 0, out))
		return true;
	return !(schema->flags & EVENT_CREATES_FD) && put_socket(event, out);
}
