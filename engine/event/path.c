/*
 * Paths: what the kernel walked, leaf first, into text; what a program passed, joined with its
 * directory and normalised as text (decision 1). All results stand in the event's scratch.
 */
#include "haetae/event.h"

/* Stands for the components that were left out, so that no rule takes the rest for the whole. It
 * cannot be a real component, because it holds slashes. */
#define SKIPPED_MARKER "/.../"

const struct wire_path *event_kpath_head(const struct event *event, unsigned param)
{
	struct str bytes;

	if (param >= event->schema->param_cnt)
		return NULL;
	bytes = event->params[param];
	/* Offsets of records are multiples of 8 where our kernel side wrote them; a capture may
	 * hold anything. */
	if (bytes.n < sizeof(struct wire_path) || (uintptr_t)bytes.p % _Alignof(struct wire_path))
		return NULL;
	return (const struct wire_path *)(const void *)bytes.p;
}

struct names {
	const char *p, *end; /* NUL-terminated names, the leaf first */
	uint32_t cnt;
};

static struct names names_of(const struct event *event, unsigned param,
			     const struct wire_path *head)
{
	const char *end = event->params[param].p + event->params[param].n;

	return (struct names){ (const char *)(head + 1), end, head->component_cnt };
}

/* Writes the names root first, by filling the space from its end. */
static struct str join_names(struct arena *scratch, struct names names, uint32_t wanted_cnt,
			     uint32_t direct_cnt, bool is_skipped)
{
	size_t room = (size_t)(names.end - names.p) + names.cnt + sizeof(SKIPPED_MARKER) + 1;
	char *space = arena_alloc(scratch, room), *p;
	const char *name = names.p;

	if (!space)
		return STR_NONE;
	p = space + room;
	*--p = '\0';
	for (uint32_t i = 0; i < wanted_cnt && name < names.end; i++) {
		size_t n = strlen(name);

		/* Behind the components that were written in order comes the gap. */
		if (is_skipped && i == direct_cnt) {
			p -= sizeof(SKIPPED_MARKER) - 2;
			memcpy(p, SKIPPED_MARKER, sizeof(SKIPPED_MARKER) - 2);
		}
		p -= n;
		memcpy(p, name, n);
		*--p = '/';
		name += n + 1;
	}
	if (wanted_cnt == 0)
		*--p = '/';
	return (struct str){ p, (uint32_t)(space + room - 1 - p) };
}

/* Objects that have no path in a file system. */
static struct str lone_text(const struct event *event, enum wire_path_kind kind, struct names names,
			    int ino_param)
{
	const char *name = names.cnt ? names.p : "";
	uint64_t ino = 0;

	if (ino_param >= 0)
		(void)event_number(event, (unsigned)ino_param, &ino);
	switch (kind) {
	case WIRE_KIND_PIPE:
		return arena_printf(event->scratch, "pipe:[%llu]", (unsigned long long)ino);
	case WIRE_KIND_SOCKET:
		return arena_printf(event->scratch, "socket:[%llu]", (unsigned long long)ino);
	case WIRE_KIND_NSFS:
		return arena_printf(event->scratch, "%s:[%llu]", name, (unsigned long long)ino);
	case WIRE_KIND_ANON:
		return arena_printf(event->scratch, "anon_inode:%s", name);
	case WIRE_KIND_MEMFD: /* the dentry's name already begins with "memfd:" */
	case WIRE_KIND_OTHER:
	case WIRE_KIND_FILE:
		break;
	}
	return arena_str(event->scratch, str_from(name));
}

struct str event_kpath(const struct event *event, unsigned param, int ino_param,
		       bool to_namespace_root)
{
	const struct wire_path *head = event_kpath_head(event, param);
	enum wire_path_kind kind;
	struct names names;
	uint32_t cnt, direct_cnt;

	if (!head)
		return STR_NONE;
	names = names_of(event, param, head);
	kind = head->flags >> WIRE_PATH_KIND_SHIFT;
	if (kind != WIRE_KIND_FILE)
		return lone_text(event, kind, names, ino_param);
	cnt = to_namespace_root ? head->component_cnt : head->root_at;
	/* The kernel keeps the last eight of a longer path behind the ones in order. */
	direct_cnt = head->component_cnt > 8 ? head->component_cnt - 8u : 0;
	return join_names(event->scratch, names, cnt, direct_cnt,
			  head->skipped_cnt > 0 && direct_cnt > 0);
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
	if (n == 0)
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

	if (!path.p)
		return STR_NONE;
	if ((path.n == 0 || path.p[0] != '/') && dirpath_param >= 0)
		directory = event_kpath(event, (unsigned)dirpath_param, -1, false);
	return normalise(event->scratch, directory, path);
}
