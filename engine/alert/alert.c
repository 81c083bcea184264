/*
 * A hit into an alert: the text line, the JSON line (architecture.md section 7) and the uuid, in
 * one allocation. Called by the engine thread for each hit; the outputs thread frees it.
 */
#include "haetae/alert.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/text.h"

#define MESSAGE_MAX	(256u << 10)
#define LINE_MAX_BYTES	(2u << 20)
#define ANCESTORS_SHOWN 64
#define CMDLINE_SHOWN	4096 /* bytes of an ancestor's command line; longer ones are cut */

/* RFC 9562 version 8: the bits are ours. Two hashes of what identifies the hit, so that a replay of
 * a recording gives the same uuid (decision 34). */
static void make_uuid(const struct rule *rule, const struct alert_context *context, char ret[37])
{
	const struct wire_header *header = context->fields->event->header;
	uint64_t words[2];

	for (unsigned i = 0; i < 2; i++) {
		uint64_t h = hash_bytes(context->boot_id, strlen(context->boot_id), 0x9e37 + i);

		h = hash_bytes(context->fields->hostname, strlen(context->fields->hostname), h);
		h = hash_bytes(&header->ring, sizeof(header->ring), h);
		h = hash_bytes(&header->cpu, sizeof(header->cpu), h);
		h = hash_bytes(&header->sequence, sizeof(header->sequence), h);
		words[i] = hash_bytes(rule->name.p, rule->name.n, h);
	}
	words[0] = (words[0] & ~0xf000ULL) | 0x8000;
	words[1] = (words[1] & ~(3ULL << 62)) | 2ULL << 62;
	snprintf(ret, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(words[0] >> 32),
		 (unsigned)(words[0] >> 16 & 0xffff), (unsigned)(words[0] & 0xffff),
		 (unsigned)(words[1] >> 48), (unsigned long long)words[1] & 0xffffffffffffULL);
}

static void put_key(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, ",\"%s\":", key);
	if (value.p)
		text_put_json_string(out, value);
	else
		buf_puts(out, "null");
}

/* comm and argv[1…], as proc.cmdline has it, at most CMDLINE_SHOWN bytes. */
static void put_cmdline(const struct proc *proc, struct buf *out)
{
	const struct proc_image *image = proc->image;
	struct buf line;

	buf_init(&line, CMDLINE_SHOWN);
	buf_puts(&line, proc->comm);
	for (uint32_t i = 0; i < image->args.n && line.n < CMDLINE_SHOWN; i++) {
		if (i == 0)
			buf_putc(&line, ' ');
		if (i + 1 < image->args.n)
			buf_putc(&line, image->args.p[i] ? image->args.p[i] : ' ');
	}
	text_put_json_string(out, buf_str(&line));
	buf_done(&line);
}

static void put_ancestor(const struct proc *proc, struct buf *out)
{
	buf_printf(out, "{\"pid\":%u,\"name\":", proc->key.pid);
	text_put_json_string(out, str_from(proc->comm));
	put_key(out, "exepath", proc->image->exepath);
	buf_puts(out, ",\"cmdline\":");
	put_cmdline(proc, out);
	buf_printf(out, ",\"exec_id\":%llu}", (unsigned long long)proc->image->exec_id);
}

static void put_ancestors(const struct field_context *context, struct buf *out)
{
	const struct proc *ancestors[ANCESTORS_SHOWN];
	const struct event *event = context->event;
	unsigned cnt = 0;

	if (event->proc)
		cnt = proc_ancestry(context->procs, event->proc, ancestors, ANCESTORS_SHOWN);
	buf_puts(out, ",\"ancestors\":[");
	for (unsigned i = 0; i < MIN(cnt, (unsigned)ANCESTORS_SHOWN); i++) {
		if (i)
			buf_putc(out, ',');
		put_ancestor(ancestors[i], out);
	}
	buf_putc(out, ']');
	if (cnt > ANCESTORS_SHOWN)
		buf_printf(out, ",\"ancestors_omitted\":%u", cnt - ANCESTORS_SHOWN);
}

/* What of the event was cut, by parameter name: a reader must know that it does not see all. */
static void put_cut(const struct event *event, struct buf *out)
{
	const char *separator = "";

	if (!event->cut_mask)
		return;
	buf_puts(out, ",\"truncated\":[");
	for (unsigned i = 0; i < event->schema->param_cnt; i++) {
		if (!(event->cut_mask >> i & 1))
			continue;
		buf_printf(out, "%s\"%s\"", separator, event->schema->params[i].name);
		separator = ",";
	}
	buf_putc(out, ']');
}

static void put_own(const struct rule *rule, const struct alert_context *context, struct buf *out)
{
	const struct event *event = context->fields->event;
	const char *type = event_code_name(event->code);

	buf_printf(out, ",\"haetae\":{\"version\":\"%s\"", context->version);
	put_key(out, "rule_file", rule->file);
	buf_printf(out, ",\"exec_id\":%llu", event->header->exec_id);
	put_ancestors(context->fields, out);
	buf_puts(out, ",\"container\":null,\"k8s\":null");
	buf_printf(out, ",\"completeness\":{\"lost_10s\":%llu,\"lost_cgroup_10s\":%llu}",
		   (unsigned long long)context->lost_10s,
		   (unsigned long long)context->lost_cgroup_10s);
	buf_puts(out, ",\"metadata\":\"resolved\"");
	put_cut(event, out);
	buf_printf(out, ",\"why\":\"%s by pid %u, result %lld\"}", type ? type : "event",
		   event->header->pid, event->header->result);
}

static void put_tags(const struct rule *rule, struct buf *out)
{
	buf_puts(out, ",\"tags\":[");
	for (uint32_t i = 0; i < rule->tag_cnt; i++) {
		if (i)
			buf_putc(out, ',');
		text_put_json_string(out, rule->tags[i]);
	}
	buf_putc(out, ']');
}

static void put_json(const struct rule *rule, const struct alert_context *context,
		     const struct alert *alert, struct str output, struct buf *out)
{
	buf_printf(out, "{\"uuid\":\"%s\",\"time\":\"", alert->uuid);
	clock_put_rfc3339(out, alert->wall_ns);
	buf_putc(out, '"');
	put_key(out, "rule", rule->name);
	put_key(out, "priority", str_from(priority_name(rule->priority)));
	put_key(out, "source", rule->source);
	put_key(out, "hostname", str_from(context->fields->hostname));
	put_tags(rule, out);
	put_key(out, "output", output);
	buf_puts(out, ",\"output_fields\":");
	if (rule->template)
		template_format_fields(rule->template, context->fields, out);
	else
		buf_puts(out, "{}");
	put_own(rule, context, out);
	buf_putc(out, '}');
}

/* "HH:MM:SS.nnnnnnnnn: Warning message", one line. */
static void put_line(const struct rule *rule, const struct alert_context *context, uint64_t wall_ns,
		     struct buf *out)
{
	struct buf message;

	buf_init(&message, MESSAGE_MAX);
	if (rule->template)
		template_format(rule->template, context->fields, &message);
	clock_put_local(out, wall_ns);
	buf_printf(out, ": %s ", priority_name(rule->priority));
	text_put_line(out, buf_str(&message));
	buf_done(&message);
}

static int pack(const struct alert *head, struct str rule, struct str text, struct str json,
		struct alert **ret)
{
	struct alert *alert = malloc(sizeof(*alert) + rule.n + text.n + json.n);
	char *p;

	if (!alert)
		return -ENOMEM;
	*alert = *head;
	p = alert->storage;
	alert->rule = (struct str){ memcpy(p, rule.p, rule.n), rule.n };
	p += rule.n;
	alert->text = (struct str){ memcpy(p, text.p, text.n), text.n };
	p += text.n;
	alert->json = (struct str){ memcpy(p, json.p, json.n), json.n };
	*ret = alert;
	return 0;
}

int alert_new(const struct rule *rule, const struct alert_context *context, struct alert **ret)
{
	const struct event *event = context->fields->event;
	struct alert head = { .priority = rule->priority };
	_cleanup_(buf_done) struct buf text, json;

	buf_init(&text, LINE_MAX_BYTES);
	buf_init(&json, LINE_MAX_BYTES);
	head.wall_ns = event->header->time_ns + (uint64_t)event->wall_offset_ns;
	make_uuid(rule, context, head.uuid);
	put_line(rule, context, head.wall_ns, &text);
	put_json(rule, context, &head, buf_str(&text), &json);
	/* The limits above keep a whole alert far below the buffers': only memory can fail. */
	if (text.failed || json.failed)
		return -ENOMEM;
	return pack(&head, rule->name, buf_str(&text), buf_str(&json), ret);
}

struct alert *alert_free(struct alert *alert)
{
	free(alert);
	return NULL;
}
