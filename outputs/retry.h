/*
 * What an answer means for the alerts of a request (architecture.md section 8, decision 33). Pure.
 */
#ifndef HAETAE_OUTPUTS_RETRY_H
#define HAETAE_OUTPUTS_RETRY_H

#include "haetae/http.h"

enum retry_verdict {
	RETRY_ACKNOWLEDGE,
	RETRY_AGAIN,	     /* after a back-off, and Retry-After */
	RETRY_SPLIT,	     /* one of several is guilty: halve */
	RETRY_MISCONFIGURED, /* a long back-off, never a dead letter */
	RETRY_DEAD	     /* it would be refused again */
};

/* Longest wait that a receiver can ask for. */
#define RETRY_AFTER_MAX_NS (3600 * 1000000000ULL)

/* Of a request with so many alerts; what its body says of single ones is answer.h's. */
enum retry_verdict retry_judge(const struct http_result *result, uint32_t alert_cnt);
/* Of a status, for one alert. */
enum retry_verdict retry_judge_status(int status);
/* Not before so long: Retry-After, bounded; where misconfigured half the longest back-off at
 * least. */
uint64_t retry_at_least_ns(enum retry_verdict verdict, uint64_t retry_after_ns,
			   uint64_t retry_max_ns);

#endif
