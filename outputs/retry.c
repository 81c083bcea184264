/*
 * What an answer means for the alerts of a request. Owns nothing. Outputs thread.
 */
#include "retry.h"

enum retry_verdict retry_judge_status(int status)
{
	switch (status) {
	case 408: /* Request Timeout */
	case 425: /* Too Early */
	case 429: /* Too Many Requests */
		return RETRY_AGAIN;
	case 401:
	case 403:
	case 404:
	case 407:
		return RETRY_MISCONFIGURED;
	default:
		break;
	}
	if (status >= 200 && status <= 299)
		return RETRY_ACKNOWLEDGE;
	if (status >= 300 && status <= 399)
		return RETRY_MISCONFIGURED; /* redirects are not followed */
	if (status >= 400 && status <= 499)
		return RETRY_DEAD;
	return RETRY_AGAIN;
}

/* An answer that is longer than we read, or that broke off, has a status all the same. */
static bool has_usable_status(const struct http_result *result)
{
	return !result->error || (result->error == HTTP_E_TOO_LONG && result->status >= 200);
}

enum retry_verdict retry_judge(const struct http_result *result, uint32_t alert_cnt)
{
	if (has_usable_status(result)) {
		bool is_content =
			result->status == 400 || result->status == 413 || result->status == 422;

		return is_content && alert_cnt > 1 ? RETRY_SPLIT
						   : retry_judge_status(result->status);
	}
	/* A certificate does not mend itself. */
	return result->error == HTTP_E_TLS ? RETRY_MISCONFIGURED : RETRY_AGAIN;
}

uint64_t retry_at_least_ns(enum retry_verdict verdict, uint64_t retry_after_ns,
			   uint64_t retry_max_ns)
{
	uint64_t wait_ns = MIN(retry_after_ns, RETRY_AFTER_MAX_NS);

	return verdict == RETRY_MISCONFIGURED ? MAX(wait_ns, retry_max_ns / 2) : wait_ns;
}
