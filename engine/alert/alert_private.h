/*
 * The parts of an alert's JSON; alert.c puts them together. Inside the alert stage only.
 */
#ifndef HAETAE_ALERT_PRIVATE_H
#define HAETAE_ALERT_PRIVATE_H

#include "template.h"

struct alert_limits {
	uint32_t text_max;     /* bytes of the message before escaping */
	uint32_t value_max;    /* of one value in output_fields */
	uint32_t ancestor_max; /* of one string of an ancestor */
};

/* A UUID of version 8 (RFC 9562) that is a function of boot, host, record and rule: the same record
 * gives the same one, on replay too (decision 34). */
void alert_uuid(const struct rule *rule, const struct alert_context *context, char ret[37]);
/* The same of a closing alert that begins with this hit: another one. */
void alert_uuid_summary(const struct rule *rule, const struct alert_context *context, char ret[37]);
/* (pid, start, exec) identifies a program image on its host since boot. */
void alert_put_exec_id(uint32_t pid, uint64_t start_ns, uint64_t exec_id, struct buf *out);
/* The member "ancestors", and beside it how many were left out. text_max: bytes of one string. */
#define ALERT_ANCESTOR_TEXT_MAX 1024
void alert_put_ancestors(const struct field_context *context, uint32_t text_max, struct buf *out);
/* The value of the key `haetae`. cut: keys of values that are not whole, as template_put_cut(). */
void alert_put_own(const struct rule *rule, const struct alert_context *context,
		   const struct alert_limits *limits, struct str cut, struct buf *out);

/* The values of the keys `container` and `k8s` within it; null outside of containers and pods. */
void alert_put_container(const struct field_context *context, const struct alert_limits *limits,
			 struct buf *out);
void alert_put_k8s(const struct field_context *context, const struct alert_limits *limits,
		   struct buf *out);

/* What an alert reads: the fields of its rule's output, and of those objects. */
void alert_visit_template(const struct rule *rule, matcher_field_fn visit, void *data);
void alert_visit_where(const struct field_context *context, matcher_field_fn visit, void *data);
/* Any of these is pending. */
bool alert_is_pending(const struct rule *rule, const struct field_context *context);
/* How much is known, of an event that waits for nothing. */
enum alert_metadata alert_metadata_of(const struct alert_context *context);

#endif
