/*
 * What follows from the values of a fixture, as the kernel's records would have it too: a table of
 * fields, what each follows from, and how. Owns nothing. Called once a fixture.
 */
#include "fixture.h"

#include <arpa/inet.h>

/* Gives the value of `field` from others. False: nothing follows. */
typedef bool (*derive_fn)(struct arena *arena, const struct fixture *fixture, const char *from,
			  struct value *ret);

/* ---- paths ---------------------------------------------------------------------------------- */

static bool copy_text(struct arena *arena, const struct fixture *fixture, const char *from,
		      struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);

	(void)arena;
	if (!value)
		return false;
	ret->str = value->str;
	return true;
}

static const char *last_slash(const struct fixture *fixture, const char *from, struct str *ret)
{
	const struct value *value = fixture_find(fixture, from);

	if (!value || value->str.n == 0 || value->str.p[0] != '/')
		return NULL;
	*ret = value->str;
	return memrchr(value->str.p, '/', value->str.n);
}

static bool get_filename(struct arena *arena, const struct fixture *fixture, const char *from,
			 struct value *ret)
{
	struct str path;
	const char *slash = last_slash(fixture, from, &path);

	(void)arena;
	if (!slash)
		return false;
	ret->str = (struct str){ slash + 1, path.n - (uint32_t)(slash + 1 - path.p) };
	return true;
}

static bool get_directory(struct arena *arena, const struct fixture *fixture, const char *from,
			  struct value *ret)
{
	struct str path;
	const char *slash = last_slash(fixture, from, &path);

	(void)arena;
	if (!slash)
		return false;
	ret->str = (struct str){ path.p, MAX((uint32_t)(slash - path.p), 1u) };
	return true;
}

/* ---- kinds of descriptors -------------------------------------------------------------------- */

static const struct {
	const char *character, *type;
} kinds[] = {
	{ "f", "file" }, { "d", "directory" }, { "4", "ipv4" },	 { "6", "ipv6" },
	{ "u", "unix" }, { "p", "pipe" },      { "e", "event" },
};

static bool get_kind(struct arena *arena, const struct fixture *fixture, const char *from,
		     struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);
	bool is_type = strcmp(from, "fd.typechar") == 0;

	(void)arena;
	for (size_t i = 0; value && i < ARRAY_LEN(kinds); i++) {
		if (!str_eq_text(value->str, is_type ? kinds[i].character : kinds[i].type))
			continue;
		ret->str = str_from(is_type ? kinds[i].type : kinds[i].character);
		return true;
	}
	return false;
}

/* ---- results -------------------------------------------------------------------------------- */

#define ERRNO_MAX 133

static bool get_result(struct arena *arena, const struct fixture *fixture, const char *from,
		       struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);
	const char *name;

	(void)arena;
	if (!value)
		return false;
	name = value->s64 >= 0 ? "SUCCESS" : errno_name((int)-MAX(value->s64, (int64_t)-4095));
	if (name)
		ret->str = str_from(name);
	return name;
}

/* Of a call that made a descriptor: its number, where that is given. */
static bool get_raw_result(struct arena *arena, const struct fixture *fixture, const char *from,
			   struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);
	const struct value *number = fixture_find(fixture, "fd.num");

	(void)arena;
	if (!value)
		return false;
	if (str_eq_text(value->str, "SUCCESS")) {
		ret->s64 = number && number->s64 > 0 ? number->s64 : 0;
		return true;
	}
	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *name = errno_name(error);

		if (!name || !str_eq_text(value->str, name))
			continue;
		ret->s64 = -error;
		return true;
	}
	return false;
}

static bool get_failed(struct arena *arena, const struct fixture *fixture, const char *from,
		       struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);

	(void)arena;
	if (!value)
		return false;
	ret->is_true = value->s64 < 0;
	return true;
}

/* ---- opens ---------------------------------------------------------------------------------- */

static const struct value *find_flags(const struct fixture *fixture)
{
	for (uint32_t i = 0; i < fixture->value_cnt; i++) {
		const struct fixture_value *value = &fixture->values[i];

		if (strcmp(value->field->name, "evt.arg") == 0 && value->set.cnt &&
		    str_eq_text(value->argument.key, "flags"))
			return &value->set.values[0];
	}
	return NULL;
}

static bool has_word(struct str flags, const char *word)
{
	struct str wanted = str_from(word);

	for (uint32_t begin = 0, end; begin <= flags.n; begin = end + 1) {
		for (end = begin; end < flags.n && flags.p[end] != '|'; end++)
			continue;
		if (str_eq((struct str){ flags.p + begin, end - begin }, wanted))
			return true;
	}
	return false;
}

static bool is_open(const struct fixture *fixture)
{
	static const char *const names[] = { "open", "openat", "openat2", "open_by_handle_at" };
	const char *name = event_code_name(fixture->code);

	for (size_t i = 0; name && i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* from: the flags that make it so. */
static bool get_open(struct arena *arena, const struct fixture *fixture, const char *from,
		     struct value *ret)
{
	const struct value *flags = find_flags(fixture);
	const char *name = event_code_name(fixture->code);
	char word[16];

	(void)arena;
	if (name && strcmp(name, "creat") == 0) {
		ret->is_true = strstr(from, "O_WRONLY") || strstr(from, "O_CREAT");
		return true;
	}
	if (!is_open(fixture))
		return name; /* of another call: false */
	if (!flags)
		return false;
	while (*from) {
		size_t n = strcspn(from, " ");

		memcpy(word, from, MIN(n, sizeof(word) - 1));
		word[MIN(n, sizeof(word) - 1)] = '\0';
		ret->is_true |= has_word(flags->str, word);
		from += n + (from[n] == ' ');
	}
	return true;
}

/* ---- processes ------------------------------------------------------------------------------ */

/* The first word is `from`, where it is given, else the program's name. */
static bool get_command_line(struct arena *arena, const struct fixture *fixture, const char *from,
			     struct value *ret)
{
	const struct value *first = fixture_find(fixture, from);
	const struct value *arguments = fixture_find(fixture, "proc.args");

	if (!first || !arguments)
		return false;
	ret->str = arguments->str.n ? arena_printf(arena, "%.*s %.*s", STR_ARG(first->str),
						   STR_ARG(arguments->str))
				    : first->str;
	return ret->str.p;
}

static bool has_container(const struct fixture *fixture)
{
	for (uint32_t i = 0; i < fixture->value_cnt; i++) {
		struct str name = str_from(fixture->values[i].field->name);

		if (fixture->values[i].is_derived)
			continue;
		if (str_starts_with(name, STR("container.")) || str_starts_with(name, STR("k8s.")))
			return true;
	}
	return false;
}

static bool get_host(struct arena *arena, const struct fixture *fixture, const char *from,
		     struct value *ret)
{
	(void)arena;
	ret->str = str_from(from);
	return !has_container(fixture);
}

/* ---- both ends of a socket ------------------------------------------------------------------- */

static bool copy_value(struct arena *arena, const struct fixture *fixture, const char *from,
		       struct value *ret)
{
	const struct value *value = fixture_find(fixture, from);
	enum value_type type = ret->type;

	(void)arena;
	if (!value)
		return false;
	*ret = *value;
	ret->type = type;
	return true;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* In this order: a later row may need what an earlier one gave. Several rows of one field: each
 * gives a value (fd.ip), or the first that can (is_first). */
/* clang-format off */
static const struct derivation {
	const char *field;
	derive_fn derive;
	const char *from;
	bool is_more; /* beside what earlier rows gave */
} derivations[] = {
	{ "fd.nameraw", copy_text, "fd.name", false },
	{ "fd.filename", get_filename, "fd.name", false },
	{ "fd.directory", get_directory, "fd.name", false },
	{ "fd.type", get_kind, "fd.typechar", false },
	{ "fd.typechar", get_kind, "fd.type", false },
	{ "fs.path.nameraw", copy_text, "fs.path.name", false },
	{ "fs.path.sourceraw", copy_text, "fs.path.source", false },
	{ "fs.path.targetraw", copy_text, "fs.path.target", false },
	{ "evt.rawres", get_raw_result, "evt.res", false },
	{ "evt.res", get_result, "evt.rawres", false },
	{ "evt.failed", get_failed, "evt.rawres", false },
	{ "evt.is_open_read", get_open, "O_RDONLY O_RDWR", false },
	{ "evt.is_open_write", get_open, "O_WRONLY O_RDWR", false },
	{ "evt.is_open_create", get_open, "O_CREAT O_TMPFILE", false },
	{ "proc.cmdline", get_command_line, "proc.exe", false },
	{ "proc.cmdline", get_command_line, "proc.name", false },
	{ "proc.exeline", get_command_line, "proc.exe", false },
	{ "proc.pname", copy_text, "proc.aname", false },
	{ "proc.pexepath", copy_text, "proc.aexepath", false },
	{ "proc.pexe", copy_text, "proc.aexe", false },
	{ "proc.pcmdline", copy_text, "proc.acmdline", false },
	{ "proc.aname", copy_text, "proc.pname", false },
	{ "proc.aexepath", copy_text, "proc.pexepath", false },
	{ "proc.aexe", copy_text, "proc.pexe", false },
	{ "proc.acmdline", copy_text, "proc.pcmdline", false },
	{ "fd.ip", copy_value, "fd.cip", false },
	{ "fd.ip", copy_value, "fd.sip", true },
	{ "fd.port", copy_value, "fd.cport", false },
	{ "fd.port", copy_value, "fd.sport", true },
	{ "fd.cnet", copy_value, "fd.cip", false },
	{ "fd.snet", copy_value, "fd.sip", false },
	{ "fd.net", copy_value, "fd.cip", false },
	{ "fd.net", copy_value, "fd.sip", true },
	{ "fd.rnet", copy_value, "fd.rip", false },
	{ "fd.lnet", copy_value, "fd.lip", false },
	{ "container.id", get_host, "host", false },
	{ "container.full_id", get_host, "host", false },
	{ "container.name", get_host, "host", false },
	{ "container.image", get_host, "", false },
	{ "container.image.repository", get_host, "", false },
	{ "container.image.tag", get_host, "", false },
	{ "container.image.digest", get_host, "", false },
	{ "container.image.id", get_host, "", false },
};
/* clang-format on */

_Static_assert(ARRAY_LEN(derivations) <= FIXTURE_DERIVED_MAX, "room behind what is given");

static struct fixture_value *find_value(struct fixture *fixture, const struct field *field)
{
	for (uint32_t i = 0; i < fixture->value_cnt; i++)
		if (fixture->values[i].field == field &&
		    fixture->values[i].argument.kind == FIELD_ARG_NONE)
			return &fixture->values[i];
	return NULL;
}

static void add(struct arena *arena, struct fixture *fixture, const struct field *field,
		const struct value *value)
{
	struct fixture_value *there = find_value(fixture, field);
	uint32_t cnt = there ? there->set.cnt : 0;
	struct value *values = arena_new_array(arena, struct value, cnt + 1);

	if (!values)
		return;
	for (uint32_t i = 0; i < cnt; i++)
		values[i] = there->set.values[i];
	values[cnt] = *value;
	if (!there)
		there = &fixture->values[fixture->value_cnt++];
	*there = (struct fixture_value){ .field = field,
					 .set = { FIELD_VALUE, cnt + 1, values },
					 .at = fixture->at,
					 .is_derived = true };
}

void fixture_derive(struct arena *arena, struct fixture *fixture)
{
	for (size_t i = 0; i < ARRAY_LEN(derivations); i++) {
		const struct derivation *row = &derivations[i];
		const struct field *field = field_find(str_from(row->field));
		const struct fixture_value *there;
		struct value value;

		hae_assert(field);
		there = find_value(fixture, field);
		if (there && !(row->is_more && there->is_derived))
			continue;
		value = (struct value){ .type = field->type };
		if (row->derive(arena, fixture, row->from, &value))
			add(arena, fixture, field, &value);
	}
}
