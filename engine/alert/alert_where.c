/*
 * The objects `container` and `k8s` of an alert: who and where, whatever its rule prints. Read as
 * fields, so that a held event and a fixture say what they say there. Owns nothing. Engine thread.
 */
#include "alert_private.h"

#include "haetae/text.h"

struct member {
	const char *key, *field;
};

static const struct member container_members[] = {
	{ "id", "container.id" },
	{ "full_id", "container.full_id" },
	{ "name", "container.name" },
	{ "type", "container.type" },
	{ "image", "container.image" },
	{ "image_digest", "container.image.digest" },
	{ "privileged", "container.privileged" },
};

static const struct member pod_members[] = {
	{ "pod", "k8s.pod.name" },
	{ "namespace", "k8s.ns.name" },
	{ "uid", "k8s.pod.uid" },
	{ "node", "k8s.node.name" },
	{ "owner_kind", "k8s.owner.kind" },
	{ "owner", "k8s.owner.name" },
	{ "deployment", "k8s.deployment.name" },
	{ "service_account", "k8s.sa.name" },
};

static const struct field_argument no_argument;

static bool read_member(const struct field_context *context, const char *name,
			struct value_set *ret)
{
	field_read(field_find(str_from(name)), context, &no_argument, ret);
	return ret->state == FIELD_VALUE && ret->cnt > 0;
}

static void put_members(const struct field_context *context, const struct member *members,
			size_t cnt, uint32_t value_max, struct buf *out)
{
	for (size_t i = 0; i < cnt; i++) {
		struct value_set set;

		buf_printf(out, "%c\"%s\":", i ? ',' : '{', members[i].key);
		if (!read_member(context, members[i].field, &set))
			buf_puts(out, "null");
		else if (set.values[0].type == VALUE_BOOL)
			buf_puts(out, set.values[0].is_true ? "true" : "false");
		else
			text_put_json_string(out, template_cut(set.values[0].str, value_max));
	}
	buf_putc(out, '}');
}

void alert_put_container(const struct field_context *context, const struct alert_limits *limits,
			 struct buf *out)
{
	struct value_set set;

	if (read_member(context, "container.id", &set) && !str_eq_text(set.values[0].str, "host"))
		put_members(context, container_members, ARRAY_LEN(container_members),
			    limits->value_max, out);
	else
		buf_puts(out, "null");
}

void alert_put_k8s(const struct field_context *context, const struct alert_limits *limits,
		   struct buf *out)
{
	struct value_set set;

	if (read_member(context, "k8s.pod.uid", &set) || read_member(context, "k8s.pod.name", &set))
		put_members(context, pod_members, ARRAY_LEN(pod_members), limits->value_max, out);
	else
		buf_puts(out, "null");
}

/* ---- what an alert waits for ---------------------------------------------------------------- */

static void visit_members(const struct member *members, size_t cnt, matcher_field_fn visit,
			  void *data)
{
	for (size_t i = 0; i < cnt; i++)
		visit(field_find(str_from(members[i].field)), &no_argument, data);
}

void alert_visit_where(const struct field_context *context, matcher_field_fn visit, void *data)
{
	const struct container *container = context->event->container;

	/* Most events are the host's, where all of these are absent. */
	if (!context->override && (!container || container->type == CONTAINER_HOST))
		return;
	visit_members(container_members, ARRAY_LEN(container_members), visit, data);
	visit_members(pod_members, ARRAY_LEN(pod_members), visit, data);
}

void alert_visit_template(const struct rule *rule, matcher_field_fn visit, void *data)
{
	const struct template *compiled = rule->template;

	for (uint32_t i = 0; compiled && i < compiled->part_cnt; i++) {
		const struct template_part *part = &compiled->parts[i];
		const struct field_argument *argument = &part->argument;
		const struct field *field = part->field;

		if (field)
			visit(field, argument, data);
		for (unsigned j = 0; part->transformer; j++) {
			field = transformer_field(part->transformer, j, &argument);
			if (!field)
				break;
			visit(field, argument, data);
		}
	}
}

struct search {
	const struct field_context *context;
	bool is_pending;
};

static void look(const struct field *field, const struct field_argument *argument, void *data)
{
	struct search *search = data;
	struct value_set set;

	if (search->is_pending)
		return;
	field_read(field, search->context, argument, &set);
	search->is_pending = set.state == FIELD_PENDING;
}

bool alert_is_pending(const struct rule *rule, const struct field_context *context)
{
	struct search search = { .context = context };

	alert_visit_where(context, look, &search);
	alert_visit_template(rule, look, &search);
	return search.is_pending;
}
