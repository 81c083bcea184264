/*
 * Answers that say more than their status: some of a request's alerts taken, some not.
 */
#ifndef HAETAE_OUTPUTS_ANSWER_H
#define HAETAE_OUTPUTS_ANSWER_H

#include "retry.h"

struct answer_item {
	enum retry_verdict verdict; /* never RETRY_SPLIT */
	char reason[160];	    /* one line, where it is not acknowledged */
};

/* Elasticsearch's bulk: one item an action, in the order of the request. False where this is not an
 * answer of that kind to so many actions. */
bool answer_read_bulk(struct str body, uint32_t cnt, struct answer_item *ret);
/* OTLP's partial success says how many were refused, not which, and forbids another try: where some
 * were, all are dead letters with a reason that says so. False where this is no such answer. */
bool answer_read_otlp(struct str body, uint32_t cnt, struct answer_item *ret);
/* A 400 of Splunk's event collector that is no alert's fault: index, data channel or credentials.
 */
bool answer_is_hec_setting(struct str body);

#endif
