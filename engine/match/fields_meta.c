/*
 * What the families container.* and k8s.* share: the container of the event, its pod, labels, and
 * when a value is pending (decision 24: only while its own source is asked and has not answered).
 * Owns nothing. Engine thread.
 */
#include "fields_meta.h"

#define LABELS_TEXT_MAX 65536

const struct container *meta_container(const struct field_context *context)
{
	const struct container *container = context->event->container;

	return container && container->type != CONTAINER_HOST ? container : NULL;
}

bool meta_is_host(const struct field_context *context)
{
	const struct container *container = context->event->container;

	return container && container->type == CONTAINER_HOST;
}

void meta_wait_runtime(const struct container *container, struct value_set *ret)
{
	if (container->state[METADATA_RUNTIME] == METADATA_WAITING)
		ret->state = FIELD_PENDING;
}

void meta_wait_pod(const struct container *container, struct value_set *ret)
{
	if (container->state[METADATA_KUBERNETES] == METADATA_WAITING)
		ret->state = FIELD_PENDING;
	meta_wait_runtime(container, ret);
}

struct str meta_pod_uid(const struct container *container)
{
	if (container->pod_uid[0])
		return str_from(container->pod_uid);
	return container->info && container->info->pod_uid.n ? container->info->pod_uid : STR_NONE;
}

const struct pod_info *meta_pod(const struct field_context *context,
				const struct container *container)
{
	struct str uid = meta_pod_uid(container);

	return context->pods && uid.p ? pod_table_find(context->pods, uid) : NULL;
}

struct str meta_label(const struct label *labels, uint32_t cnt, struct str key)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (str_eq(labels[i].key, key))
			return labels[i].value;
	return STR_NONE;
}

bool meta_users(const struct field_context *context, struct users **ret)
{
	const struct container *container = meta_container(context);

	*ret = context->users;
	if (!container)
		return true;
	if (container->info && container->info->users)
		*ret = container->info->users;
	else if (container->state[METADATA_RUNTIME] == METADATA_WAITING)
		return false;
	return true;
}

/* The runtime's bookkeeping, not the user's labels (rule-language.md 4.5). */
static bool is_internal(struct str key)
{
	return str_starts_with(key, STR("io.kubernetes.")) ||
	       str_starts_with(key, STR("annotation."));
}

void meta_give_labels(const struct field_context *context, const struct label *labels, uint32_t cnt,
		      struct value_set *ret)
{
	size_t size = 0;
	struct buf text;

	for (uint32_t i = 0; i < cnt; i++)
		size += labels[i].key.n + labels[i].value.n + sizeof(":, ");
	text = scratch_buf(context, MIN(size, (size_t)LABELS_TEXT_MAX));
	for (uint32_t i = 0; i < cnt; i++) {
		const struct label *label = &labels[i];

		if (is_internal(label->key) ||
		    text.n + label->key.n + label->value.n + 3 > text.max)
			continue;
		if (text.n)
			buf_puts(&text, ", ");
		buf_put_str(&text, label->key);
		buf_putc(&text, ':');
		buf_put_str(&text, label->value);
	}
	give_buf(context, &text, ret);
}
