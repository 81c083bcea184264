/*
 * Fields of other processes than the event's own: parents, ancestors, leaders of session and group.
 * Owns nothing, borrows from the process table until the next event. Engine thread.
 */
#include "fields_proc.h"

#define ENV_LEVELS_MAX 20 /* how far proc.aenv[NAME] looks (rule-language.md 4.2) */

/* ---- a process and its texts ---------------------------------------------------------------- */

struct who who_self(const struct field_context *context)
{
	const struct event *event = context->event;

	return (struct who){ event_comm(event), event->image, event->header->pid };
}

struct who who_proc(const struct proc *proc)
{
	return (struct who){ str_from(proc->comm), proc->image, proc->key.pid };
}

/* Where the event's process found no room in the table, its parent may still be there. */
static const struct proc *find_ancestor(const struct field_context *context, uint64_t level)
{
	const struct wire_header *header = context->event->header;
	const struct proc *parent;

	if (!context->procs || level > PROC_ANCESTRY_MAX)
		return NULL;
	if (context->event->proc)
		return proc_ancestor(context->procs, context->event->proc, (unsigned)level);
	parent = proc_table_find(context->procs,
				 (struct proc_key){ header->parent_start_ns, header->parent_pid });
	return parent ? proc_ancestor(context->procs, parent, (unsigned)level - 1) : NULL;
}

bool who_ancestor(const struct field_context *context, uint64_t level, struct who *ret)
{
	const struct proc *proc;

	if (level == 0) {
		*ret = who_self(context);
		return true;
	}
	proc = find_ancestor(context, level);
	if (proc)
		*ret = who_proc(proc);
	return proc;
}

struct str who_text(const struct field_context *context, const struct who *who, enum who_part part)
{
	struct arena *scratch = context->event->scratch;
	const struct proc_image *image = who->image;

	if (part == WHO_NAME)
		return who->name;
	if (!image)
		return STR_NONE;
	switch (part) {
	case WHO_EXE:
		return image->exe;
	case WHO_EXEPATH:
		return image->exepath;
	case WHO_ARGS:
		return image->args.p ? vector_join(scratch, STR_NONE, image->args) : STR_NONE;
	case WHO_CMDLINE:
		return image->args.p ? vector_join(scratch, who->name, image->args) : STR_NONE;
	case WHO_EXELINE:
		return image->args.p && image->exe.p ? vector_join(scratch, image->exe, image->args)
						     : STR_NONE;
	case WHO_ENV:
		return image->env.p ? vector_join(scratch, STR_NONE, image->env) : STR_NONE;
	case WHO_NAME:
		break;
	}
	return STR_NONE;
}

void give_who(const struct field_context *context, const struct who *who, enum who_part part,
	      struct value_set *ret)
{
	give_str(context, who_text(context, who, part), ret);
}

static struct str trim(struct str text)
{
	while (text.n && (text.p[0] == ' ' || text.p[0] == '\t'))
		text.p++, text.n--;
	while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	return text;
}

struct str who_env(const struct who *who, struct str name)
{
	struct str env = who->image ? who->image->env : STR_NONE, item;

	if (!env.p)
		return STR_NONE;
	for (uint32_t i = 0, at = 0; at < env.n; i++, at += item.n + 1) {
		item.p = env.p + at;
		item.n = (uint32_t)strnlen(item.p, env.n - at);
		if (item.n > name.n && item.p[name.n] == '=' && str_starts_with(item, name))
			return trim((struct str){ item.p + name.n + 1, item.n - name.n - 1 });
	}
	/* It may stand in what was cut away. */
	return who->image->is_env_cut ? STR_NONE : STR("");
}

/* ---- parent --------------------------------------------------------------------------------- */

static void give_level(const struct field_context *context, uint64_t level, enum who_part part,
		       struct value_set *ret)
{
	struct who who;

	if (who_ancestor(context, level, &who))
		give_who(context, &who, part, ret);
}

PROC_GETTER(proc_get_pname)
{
	give_level(context, 1, WHO_NAME, ret);
}

PROC_GETTER(proc_get_pexe)
{
	give_level(context, 1, WHO_EXE, ret);
}

PROC_GETTER(proc_get_pexepath)
{
	give_level(context, 1, WHO_EXEPATH, ret);
}

PROC_GETTER(proc_get_pcmdline)
{
	give_level(context, 1, WHO_CMDLINE, ret);
}

/* ---- ancestors ------------------------------------------------------------------------------ */

/* All ancestors, in scratch: present parents and creators. */
static unsigned all_ancestors(const struct field_context *context, const struct proc ***ret)
{
	const struct proc *self = context->event->proc, *parent;
	const struct proc **found;
	unsigned cnt;

	if (!context->procs)
		return 0;
	found = arena_alloc(context->event->scratch, (PROC_ANCESTRY_MAX + 1) * sizeof(*found));
	if (!found)
		return 0;
	*ret = found;
	if (self)
		return MIN(proc_ancestry(context->procs, self, found, PROC_ANCESTRY_MAX),
			   (unsigned)PROC_ANCESTRY_MAX);
	parent = find_ancestor(context, 1);
	if (!parent)
		return 0;
	found[0] = parent;
	cnt = proc_ancestry(context->procs, parent, found + 1, PROC_ANCESTRY_MAX);
	return MIN(cnt, (unsigned)PROC_ANCESTRY_MAX) + 1;
}

static void give_any_ancestor(const struct field_context *context, enum who_part part,
			      struct value_set *ret)
{
	const struct proc **ancestors;
	unsigned ancestor_cnt = all_ancestors(context, &ancestors);
	struct value *values;
	uint32_t cnt = 0;

	if (ancestor_cnt == 0)
		return;
	values = arena_alloc(context->event->scratch, ancestor_cnt * sizeof(*values));
	for (unsigned i = 0; i < ancestor_cnt && values; i++) {
		struct who who = who_proc(ancestors[i]);
		struct str text = who_text(context, &who, part);

		if (text.p)
			values[cnt++] = (struct value){ .type = VALUE_STRING, .str = text };
	}
	if (cnt)
		*ret = (struct value_set){ FIELD_VALUE, cnt, values };
}

static void give_ancestor(const struct field_context *context,
			  const struct field_argument *argument, enum who_part part,
			  struct value_set *ret)
{
	if (argument && argument->kind == FIELD_ARG_INDEX)
		give_level(context, argument->index, part, ret);
	else
		give_any_ancestor(context, part, ret);
}

PROC_GETTER(proc_get_aname)
{
	give_ancestor(context, argument, WHO_NAME, ret);
}

PROC_GETTER(proc_get_aexe)
{
	give_ancestor(context, argument, WHO_EXE, ret);
}

PROC_GETTER(proc_get_aexepath)
{
	give_ancestor(context, argument, WHO_EXEPATH, ret);
}

PROC_GETTER(proc_get_acmdline)
{
	give_ancestor(context, argument, WHO_CMDLINE, ret);
}

/* Without an index one text over all ancestors. */
PROC_GETTER(proc_get_aargs)
{
	const struct proc **ancestors;
	unsigned cnt;
	size_t bytes = 0;
	struct buf text;

	if (argument && argument->kind == FIELD_ARG_INDEX) {
		give_level(context, argument->index, WHO_ARGS, ret);
		return;
	}
	cnt = all_ancestors(context, &ancestors);
	if (cnt == 0)
		return;
	for (unsigned i = 0; i < cnt; i++)
		bytes += ancestors[i]->image->args.n + 1u;
	text = scratch_buf(context, bytes);
	for (unsigned i = 0; i < cnt; i++) {
		struct who who = who_proc(ancestors[i]);
		struct str args = who_text(context, &who, WHO_ARGS);

		if (args.n && text.n)
			buf_putc(&text, ' ');
		if (args.n)
			buf_put_str(&text, args);
	}
	give_buf(context, &text, ret);
}

static void give_nearest_env(const struct field_context *context, struct str name,
			     struct value_set *ret)
{
	bool is_known = true;
	struct who who;

	for (uint64_t level = 1; level <= ENV_LEVELS_MAX; level++) {
		struct str value;

		if (!who_ancestor(context, level, &who))
			break;
		value = who_env(&who, name);
		if (value.n) {
			give_str(context, value, ret);
			return;
		}
		is_known &= value.p != NULL;
	}
	if (is_known)
		give_text(context, "", ret);
}

PROC_GETTER(proc_get_aenv)
{
	if (argument && argument->kind == FIELD_ARG_KEY)
		give_nearest_env(context, argument->key, ret);
	else
		give_ancestor(context, argument, WHO_ENV, ret);
}

PROC_GETTER(proc_get_apid)
{
	const struct proc **ancestors;
	struct value *values;
	unsigned cnt;
	struct who who;

	if (argument && argument->kind == FIELD_ARG_INDEX) {
		if (who_ancestor(context, argument->index, &who))
			give_s64(context, who.pid, ret);
		return;
	}
	cnt = all_ancestors(context, &ancestors);
	if (cnt == 0)
		return;
	values = arena_alloc(context->event->scratch, cnt * sizeof(*values));
	if (!values)
		return;
	for (unsigned i = 0; i < cnt; i++)
		values[i] = (struct value){ .type = VALUE_S64, .s64 = ancestors[i]->key.pid };
	*ret = (struct value_set){ FIELD_VALUE, cnt, values };
}

/* A table: names of shells. */
static bool is_shell(struct str name)
{
	static const char *const shells[] = { "sh",   "ash", "bash", "dash", "zsh",  "ksh",
					      "mksh", "csh", "tcsh", "fish", "yash", "rbash" };

	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (str_eq_text(name, shells[i]))
			return true;
	return false;
}

/* The oldest of the shells that follow each other from the process or its parent upwards. */
PROC_GETTER(proc_get_loginshellid)
{
	struct who who;

	for (uint64_t level = 0; who_ancestor(context, level, &who); level++) {
		if (is_shell(who.name))
			give_s64(context, who.pid, ret);
		else if (level > 0)
			return;
	}
}

/* ---- leaders -------------------------------------------------------------------------------- */

enum leader_kind {
	LEADER_SESSION,
	LEADER_GROUP
};

static uint32_t leader_id(const struct proc *proc, enum leader_kind kind)
{
	return kind == LEADER_SESSION ? proc->session_id : proc->group_id;
}

/* The eldest of the consecutive ancestors with the same id: the leader has gone. */
static bool eldest_member(const struct field_context *context, enum leader_kind kind, uint32_t id,
			  struct who *ret)
{
	bool is_found = false;
	const struct proc *proc;

	for (uint64_t level = 1; (proc = find_ancestor(context, level)); level++) {
		if (leader_id(proc, kind) != id)
			break;
		*ret = who_proc(proc);
		is_found = true;
	}
	return is_found;
}

/* The kernel gives no process the id of a session or group that has members (kernel/pid.c), so a
 * living process with that pid is the leader. */
static bool find_leader(const struct field_context *context, enum leader_kind kind, struct who *ret)
{
	const struct wire_header *header = context->event->header;
	uint32_t id = kind == LEADER_SESSION ? header->session_id : header->group_id;
	const struct proc *proc;

	if (id == header->pid) {
		*ret = who_self(context);
		return true;
	}
	if (id == 0 || !context->procs)
		return false;
	proc = proc_table_find_pid(context->procs, id);
	if (!proc || leader_id(proc, kind) != id)
		return eldest_member(context, kind, id, ret);
	*ret = who_proc(proc);
	return true;
}

static void give_leader(const struct field_context *context, enum leader_kind kind,
			enum who_part part, struct value_set *ret)
{
	struct who who;

	if (find_leader(context, kind, &who))
		give_who(context, &who, part, ret);
	else
		give_text(context, "", ret);
}

PROC_GETTER(proc_get_sname)
{
	give_leader(context, LEADER_SESSION, WHO_NAME, ret);
}

PROC_GETTER(proc_get_sexe)
{
	give_leader(context, LEADER_SESSION, WHO_EXE, ret);
}

PROC_GETTER(proc_get_sexepath)
{
	give_leader(context, LEADER_SESSION, WHO_EXEPATH, ret);
}

PROC_GETTER(proc_get_gname)
{
	give_leader(context, LEADER_GROUP, WHO_NAME, ret);
}

PROC_GETTER(proc_get_gexe)
{
	give_leader(context, LEADER_GROUP, WHO_EXE, ret);
}

PROC_GETTER(proc_get_gexepath)
{
	give_leader(context, LEADER_GROUP, WHO_EXEPATH, ret);
}
