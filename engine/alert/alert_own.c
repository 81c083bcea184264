/*
 * What an alert says beyond Falco's keys: the object `haetae`, and the uuid. Owns nothing, reads
 * the event and the process table. Engine thread.
 */
#include "alert_private.h"

#include <stdio.h>

#include "haetae/text.h"

#define ANCESTORS_MAX 32 /* of one alert: the youngest, and the oldest; the rest is counted */

/* ---- uuid ----------------------------------------------------------------------------------- */

/* Spreads every bit of h over all others (the finaliser of splitmix64); FNV-1a alone leaves the
 * high bits of short inputs alike. */
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

/* Each text with its length, so that no two inputs run into each other. */
static uint64_t mix_text(uint64_t h, struct str text)
{
	h = mix(h ^ text.n);
	return mix(hash_bytes(text.p, text.n, h));
}

static uint64_t digest(const struct rule *rule, const struct alert_context *context, uint64_t seed)
{
	const struct wire_header *header = context->fields->event->header;
	uint64_t h = mix(seed);

	h = mix_text(h, str_from(context->boot_id ? context->boot_id : ""));
	h = mix_text(h, str_from(context->fields->hostname ? context->fields->hostname : ""));
	h = mix_text(h, rule->name);
	h = mix(h ^ header->ring);
	h = mix(h ^ header->cpu);
	h = mix(h ^ header->sequence);
	/* Sequence numbers begin anew with each daemon; the time tells two of one boot apart. */
	return mix(h ^ header->time_ns);
}

static void put_uuid(const struct rule *rule, const struct alert_context *context,
		     const uint64_t seeds[2], char ret[37])
{
	uint64_t high = digest(rule, context, seeds[0]);
	uint64_t low = digest(rule, context, seeds[1]);

	high = (high & ~0xf000ULL) | 0x8000ULL;			      /* version 8 */
	low = (low & ~0xc000000000000000ULL) | 0x8000000000000000ULL; /* variant 10 */
	snprintf(ret, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		 (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
		 (unsigned long long)(low & 0xffffffffffffULL));
}

void alert_uuid(const struct rule *rule, const struct alert_context *context, char ret[37])
{
	/* Any two different seeds; fixed for ever. */
	static const uint64_t seeds[2] = { 0x6861657461652e31ULL, 0x6861657461652e32ULL };

	put_uuid(rule, context, seeds, ret);
}

void alert_uuid_summary(const struct rule *rule, const struct alert_context *context, char ret[37])
{
	static const uint64_t seeds[2] = { 0x6861657461652e33ULL, 0x6861657461652e34ULL };

	put_uuid(rule, context, seeds, ret);
}

void alert_put_exec_id(uint32_t pid, uint64_t start_ns, uint64_t exec_id, struct buf *out)
{
	buf_printf(out, "\"%u:%llu:%llu\"", (unsigned)pid, (unsigned long long)start_ns,
		   (unsigned long long)exec_id);
}

/* ---- ancestors ------------------------------------------------------------------------------ */

/* Youngest first, which is nearest first along every line of descent, so that pid 1 is last even
 * where the line of creation is longer than that of parents. The sort is stable and the list short
 * and nearly sorted. */
static void sort_by_start(const struct proc **procs, unsigned cnt)
{
	for (unsigned i = 1; i < cnt; i++) {
		const struct proc *one = procs[i];
		unsigned at = i;

		for (; at && procs[at - 1]->key.start_ns < one->key.start_ns; at--)
			procs[at] = procs[at - 1];
		procs[at] = one;
	}
}

static void put_cut_text(const char *key, struct str text, uint32_t max, struct buf *out)
{
	buf_printf(out, ",\"%s\":", key);
	if (text.p)
		text_put_json_string(out, template_cut(text, max));
	else
		buf_puts(out, "null");
	if (text.n > max)
		buf_printf(out, ",\"%s_cut\":true", key);
}

/* Name and arguments, at most max + 1 bytes: one too many says that it is cut. */
static struct str command_line(const struct proc *proc, uint32_t max, char *ret)
{
	struct str args = proc->image->args;
	uint32_t n = (uint32_t)strnlen(proc->comm, sizeof(proc->comm));

	if (!args.p)
		return STR_NONE;
	n = MIN(n, max);
	memcpy(ret, proc->comm, n);
	if (args.n && n <= max)
		ret[n++] = ' ';
	for (uint32_t i = 0; i < args.n && n <= max; i++) {
		if (args.p[i])
			ret[n++] = args.p[i];
		else if (i + 1 < args.n)
			ret[n++] = ' ';
	}
	return (struct str){ ret, n };
}

static void put_ancestor(const struct proc *proc, uint32_t max, struct buf *out)
{
	char line[ALERT_ANCESTOR_TEXT_MAX + 2];

	buf_printf(out, "{\"pid\":%u,\"name\":", (unsigned)proc->key.pid);
	text_put_json_string(out, str_from(proc->comm));
	put_cut_text("exepath", proc->image->exepath, max, out);
	put_cut_text("cmdline", command_line(proc, max, line), max, out);
	buf_puts(out, ",\"exec_id\":");
	alert_put_exec_id(proc->key.pid, proc->key.start_ns, proc->image->exec_id, out);
	buf_putc(out, '}');
}

/* The process itself is in output_fields; where it found no room in the table, its parent's line is
 * what there is. */
static unsigned find_ancestors(const struct field_context *context, const struct proc **ret)
{
	const struct wire_header *header = context->event->header;
	const struct proc *parent;
	unsigned cnt;

	if (!context->procs || context->event->schema->flags & EVENT_OWN)
		return 0;
	if (context->event->proc)
		return MIN(
			proc_ancestry(context->procs, context->event->proc, ret, PROC_ANCESTRY_MAX),
			(unsigned)PROC_ANCESTRY_MAX);
	parent = proc_table_find(context->procs,
				 (struct proc_key){ header->parent_start_ns, header->parent_pid });
	if (!parent)
		return 0;
	ret[0] = parent;
	cnt = proc_ancestry(context->procs, parent, ret + 1, PROC_ANCESTRY_MAX);
	return MIN(cnt, (unsigned)PROC_ANCESTRY_MAX) + 1;
}

void alert_put_ancestors(const struct field_context *context, uint32_t text_max, struct buf *out)
{
	const struct proc *procs[PROC_ANCESTRY_MAX + 1];
	unsigned cnt = find_ancestors(context, procs), shown = MIN(cnt, (unsigned)ANCESTORS_MAX);
	uint32_t max = MIN(text_max, (uint32_t)ALERT_ANCESTOR_TEXT_MAX);

	sort_by_start(procs, cnt);
	buf_puts(out, "\"ancestors\":[");
	for (unsigned i = 0; i < shown; i++) {
		if (i)
			buf_putc(out, ',');
		put_ancestor(i + 1 == shown ? procs[cnt - 1] : procs[i], max, out);
	}
	buf_putc(out, ']');
	if (cnt > shown)
		buf_printf(out, ",\"ancestors_left_out\":%u", cnt - shown);
}

/* ---- metadata ------------------------------------------------------------------------------- */

static const char *const metadata_names[] = {
	[ALERT_METADATA_RESOLVED] = "resolved",
	[ALERT_METADATA_PARTIAL] = "partial",
	[ALERT_METADATA_TIMEOUT] = "timeout",
	[ALERT_METADATA_OVERFLOW] = "overflow",
};

/* Some source that should know the container could not be asked, or did not say all. Which of
 * several runtimes would have known it nobody can tell. */
static bool is_runtime_partial(const struct alert_context *context,
			       const struct container *container)
{
	const struct container_info *info = container->info;

	return info ? info->is_partial || info->is_cut : context->has_source[METADATA_RUNTIME];
}

static bool is_pod_partial(const struct alert_context *context, const struct container *container)
{
	const struct container_info *info = container->info;
	struct str uid = str_from(container->pod_uid);
	const struct pod_info *pod;

	if (!uid.n && info)
		uid = info->pod_uid;
	if (!uid.n)
		return false; /* of no pod */
	pod = context->fields->pods ? pod_table_find(context->fields->pods, uid) : NULL;
	return pod ? pod->is_cut : context->has_source[METADATA_KUBERNETES];
}

enum alert_metadata alert_metadata_of(const struct alert_context *context)
{
	const struct event *event = context->fields->event;
	const struct container *container = event->container;
	bool is_partial;

	if (event->schema->flags & EVENT_OWN)
		return ALERT_METADATA_RESOLVED;
	if (!container)
		is_partial = context->has_source[METADATA_RUNTIME];
	else
		is_partial = container->type != CONTAINER_HOST &&
			     (is_runtime_partial(context, container) ||
			      is_pod_partial(context, container));
	return is_partial ? ALERT_METADATA_PARTIAL : ALERT_METADATA_RESOLVED;
}

/* ---- the object ----------------------------------------------------------------------------- */

/* What is known for certain: the condition was true, for what, and how that ended. */
static void put_why(const struct event *event, struct buf *out)
{
	const char *name = event_code_name(event->code);
	long long result = (long long)event->header->result;
	const char *error = result < 0 && result >= -4095 ? errno_name((int)-result) : NULL;

	buf_puts(out, "\"why\":\"the condition is true of ");
	text_put_json(out, str_from(name ? name : "a syscall without a name"));
	if (!(event->schema->flags & EVENT_SYSCALL))
		buf_puts(out, "\"");
	else if (error)
		buf_printf(out, ", which failed with %s\"", error);
	else
		buf_printf(out, ", which returned %lld\"", result);
}

static void put_name(const char *prefix, const char *name, struct buf *out)
{
	buf_printf(out, "%s\"%s%s\"", out->n ? "," : "", prefix, name);
}

/* What is not whole, by the names of fields: cut in the kernel, in the process table, or for this
 * alert. A reader must know that it does not see all. */
static void put_cut(const struct alert_context *context, struct str cut, struct buf *out)
{
	const struct event *event = context->fields->event;
	const struct alert_kept *kept = context->kept;
	struct buf names;

	buf_init(&names, 4096);
	for (unsigned i = 0; i < event->schema->param_cnt; i++)
		if (event->cut_mask >> i & 1)
			put_name("evt.arg.", event->schema->params[i].name, &names);
	if (kept ? kept->is_args_cut : event->image && event->image->is_args_cut)
		put_name("", "proc.args", &names);
	if (kept ? kept->is_env_cut : event->image && event->image->is_env_cut)
		put_name("", "proc.env", &names);
	if (names.n || cut.n)
		buf_printf(out, ",\"cut\":[%.*s%s%.*s]", (int)names.n, names.n ? names.p : "",
			   names.n && cut.n ? "," : "", STR_ARG(cut));
	buf_done(&names);
}

void alert_put_own(const struct rule *rule, const struct alert_context *context,
		   const struct alert_limits *limits, struct str cut, struct buf *out)
{
	const struct field_context *fields = context->fields;
	const struct wire_header *header = fields->event->header;

	buf_puts(out, "{\"version\":");
	text_put_json_string(out, str_from(context->version));
	buf_puts(out, ",\"rule_file\":");
	text_put_json_string(out, template_cut(rule->file, limits->value_max));
	buf_puts(out, ",\"exec_id\":");
	if (fields->event->schema->flags & EVENT_OWN)
		buf_puts(out, "null");
	else
		alert_put_exec_id(header->pid, header->start_ns, header->exec_id, out);
	buf_putc(out, ',');
	if (context->kept)
		buf_put_str(out, context->kept->ancestors);
	else
		alert_put_ancestors(fields, limits->ancestor_max, out);
	buf_puts(out, ",\"container\":");
	alert_put_container(fields, limits, out);
	buf_puts(out, ",\"k8s\":");
	alert_put_k8s(fields, limits, out);
	buf_printf(out,
		   ",\"completeness\":{\"lost_10s\":%llu,"
		   "\"lost_cgroup_10s\":%llu},\"metadata\":\"%s\",",
		   (unsigned long long)context->lost_10s,
		   (unsigned long long)context->lost_cgroup_10s, metadata_names[context->metadata]);
	put_why(fields->event, out);
	put_cut(context, cut, out);
	buf_putc(out, '}');
}
