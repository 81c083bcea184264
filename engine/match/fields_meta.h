/*
 * What the families container.* and k8s.* share: whom they ask about the event at hand, and when
 * they have to wait. Inside the match stage's registry only.
 */
#ifndef HAETAE_MATCH_FIELDS_META_H
#define HAETAE_MATCH_FIELDS_META_H

#include "fields.h"

/* The container that the event is of; NULL on the host and where it is not known. */
const struct container *meta_container(const struct field_context *context);
bool meta_is_host(const struct field_context *context);
/* Pending while the runtime is asked and has not said all. */
void meta_wait_runtime(const struct container *container, struct value_set *ret);
/* The same of the runtime, which may know the pod, and of the Kubernetes API. */
void meta_wait_pod(const struct container *container, struct value_set *ret);
/* What the API said of the container's pod, or NULL. */
const struct pod_info *meta_pod(const struct field_context *context,
				const struct container *container);
/* Its UID: from the cgroup, or from the runtime; STR_NONE where there is none. */
struct str meta_pod_uid(const struct container *container);

/* Names of users and groups for the event: the container's own where they were read, else the
 * host's (may be NULL). False: the container's may still come. */
bool meta_users(const struct field_context *context, struct users **ret);

/* The value of a label whose key the argument is. */
struct str meta_label(const struct label *labels, uint32_t cnt, struct str key);
/* "key:value, key:value"; Kubernetes' own (io.kubernetes.*, annotation.*) are left out. */
void meta_give_labels(const struct field_context *context, const struct label *labels, uint32_t cnt,
		      struct value_set *ret);

#endif
