/*
 * Paths: what the kernel walked, leaf first, into text; what a program passed, joined with its
 * directory and normalised as text (decision 1). All results stand in the event's scratch.
 */
#include "haetae/event.h"

/* Stands for the components that were left out, so that no rule takes the rest for the whole. A
 * directory may be called so too; evt's flag fd.name_truncated tells. */
#define SKIPPED_MARKER "/..."
/* The kernel side keeps that many of the last components of a longer path (probes/bpf/path.h). */
#define KEPT_LAST 8

const struct wire_path *event_kpath_head(const struct event *event, unsigned param)
{
	struct str bytes;

	if (param >= event->schema->param_cnt)
		return NULL;
	bytes = event->params[param];
	if (event->schema->params[param].type != PARAM_KPATH || !bytes.p)
		return NULL;
	return (const struct wire_path *)(const void *)bytes.p;
}

/* What of a path is written, and where something is missing. */
struct names {
	const char *p, *end; /* NUL-terminated names, the leaf first */
	uint32_t cnt;	     /* of which this many are wanted */
	uint32_t gap_at;     /* what was left out stood before this one; UINT32_MAX: nothing */
};

static char *prepend(char *p, const char *text, size_t n)
{
	memcpy(p - n, text, n);
	return p - n;
}

/* Writes the names root first, by filling the space from its end. */
static struct str join_names(struct arena *scratch, struct names names)
{
	size_t room = (size_t)(names.end - names.p) + names.cnt + sizeof(SKIPPED_MARKER) + 1;
	char *space = arena_alloc(scratch, room), *p;
	const char *name = names.p;

	if (!space)
		return STR_NONE;
	p = space + room;
	*--p = '\0';
	for (uint32_t i = 0; i < names.cnt && name < names.end; i++) {
		size_t n = strlen(name);

		if (i == names.gap_at)
			p = prepend(p, SKIPPED_MARKER, sizeof(SKIPPED_MARKER) - 1);
		p = prepend(p, name, n);
		p = prepend(p, "/", 1);
		name += n + 1;
	}
	if (names.gap_at == names.cnt)
		p = prepend(p, SKIPPED_MARKER, sizeof(SKIPPED_MARKER) - 1);
	if (*p == '\0')
		*--p = '/';
	return (struct str){ p, (uint32_t)(space + room - 1 - p) };
}

/* Behind the components in order comes the gap, then the last ones. A walk that did not arrive at
 * the root, or a name that could not be read, leaves no count: then the front is missing. */
static uint32_t gap_of(const struct wire_path *head, uint32_t wanted_cnt)
{
	uint32_t total = head->component_cnt;
	uint32_t direct_cnt = total > KEPT_LAST ? total - KEPT_LAST : 0;

	if (head->skipped_cnt)
		return direct_cnt <= wanted_cnt ? direct_cnt : UINT32_MAX;
	if (head->flags & WIRE_PATH_TRUNCATED && wanted_cnt == head->component_cnt)
		return wanted_cnt;
	return UINT32_MAX;
}

/* "pipe:[123]", as readlink() on /proc/PID/fd/N has it. */
static struct str numbered_text(const struct event *event, const char *name, int ino_param)
{
	uint64_t ino;

	if (ino_param < 0 || !event_number(event, (unsigned)ino_param, &ino))
		return arena_printf(event->scratch, "%s:[]", name);
	return arena_printf(event->scratch, "%s:[%llu]", name, (unsigned long long)ino);
}

/* Objects that have no path in a file system. None of their names begins with a slash, so that none
 * is taken for a path. */
static struct str lone_text(const struct event *event, enum wire_path_kind kind, const char *name,
			    int ino_param)
{
	switch (kind) {
	case WIRE_KIND_PIPE:
		return numbered_text(event, "pipe", ino_param);
	case WIRE_KIND_SOCKET:
		return numbered_text(event, "socket", ino_param);
	case WIRE_KIND_NSFS:
		return numbered_text(event, name, ino_param);
	case WIRE_KIND_ANON:
		return arena_printf(event->scratch, "anon_inode:%s", name);
	case WIRE_KIND_MEMFD: /* the dentry's name already begins so (mm/memfd.c) */
		if (str_starts_with(str_from(name), STR("memfd:")))
			return arena_str(event->scratch, str_from(name));
		return arena_printf(event->scratch, "memfd:%s", name);
	case WIRE_KIND_OTHER:
	case WIRE_KIND_FILE:
		break;
	}
	if (!*name || *name == '/')
		return numbered_text(event, "other", ino_param);
	return arena_str(event->scratch, str_from(name));
}

struct str event_kpath(const struct event *event, unsigned param, int ino_param,
		       bool to_namespace_root)
{
	const struct wire_path *head = event_kpath_head(event, param);
	enum wire_path_kind kind;
	struct names names;

	if (!head || !event->scratch)
		return STR_NONE;
	names.p = (const char *)(head + 1);
	names.end = event->params[param].p + event->params[param].n;
	kind = (enum wire_path_kind)(head->flags >> WIRE_PATH_KIND_SHIFT);
	if (kind != WIRE_KIND_FILE)
		return lone_text(event, kind, head->component_cnt ? names.p : "", ino_param);
	names.cnt = to_namespace_root ? head->component_cnt : head->root_at;
	names.gap_at = gap_of(head, names.cnt);
	return join_names(event->scratch, names);
}

/* Appends the components of `path` to out[0..n), resolving `.` and `..`; returns the new length.
 * `out` holds an absolute path without a trailing slash ("" is the root), or a relative one. */
static size_t append_components(char *out, size_t n, struct str path, bool is_absolute)
{
	const char *p = path.p, *end = path.p + path.n;

	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t length = (size_t)((slash ? slash : end) - p);
		bool is_up = length == 2 && p[0] == '.' && p[1] == '.';
		bool is_after_up = n >= 2 && out[n - 1] == '.' && out[n - 2] == '.' &&
				   (n == 2 || out[n - 3] == '/');

		if (length == 0 || (length == 1 && p[0] == '.')) {
			/* nothing to add */
		} else if (is_up && (is_absolute || (n > 0 && !is_after_up))) {
			while (n > 0 && out[--n] != '/')
				;
		} else {
			if (is_absolute || n > 0)
				out[n++] = '/';
			memcpy(out + n, p, length);
			n += length;
		}
		p += length + 1;
	}
	return n;
}

static struct str normalise(struct arena *scratch, struct str directory, struct str path)
{
	struct str first = directory.n ? directory : path;
	bool is_absolute = first.n > 0 && first.p[0] == '/';
	char *out = arena_alloc(scratch, (size_t)directory.n + path.n + 3);
	size_t n;

	if (!out)
		return STR_NONE;
	n = append_components(out, 0, directory, is_absolute);
	n = append_components(out, n, path, is_absolute);
	if (n == 0 && first.n > 0)
		out[n++] = is_absolute ? '/' : '.';
	out[n] = '\0';
	return (struct str){ out, (uint32_t)n };
}

struct str path_normalise(struct arena *scratch, struct str path)
{
	return normalise(scratch, STR_NONE, path);
}

struct str event_passed_path(const struct event *event, unsigned param, int dirpath_param)
{
	struct str path = event_string(event, param), directory = STR_NONE;

	if (!path.p || !event->scratch)
		return STR_NONE;
	if ((path.n == 0 || path.p[0] != '/') && dirpath_param >= 0)
		directory = event_kpath(event, (unsigned)dirpath_param, -1, false);
	return normalise(event->scratch, directory, path);
}
