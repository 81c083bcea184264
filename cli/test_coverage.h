/*
 * What the tests of rules have shown of their conditions: every part should be true in one test and
 * false in another, every exception should leave something out.
 */
#ifndef CLI_TEST_COVERAGE_H
#define CLI_TEST_COVERAGE_H

#include <stdio.h>

#include "haetae/diag.h"
#include "haetae/field.h"
#include "haetae/rules.h"

struct test_coverage; /* opaque */

/* NULL: out of memory. */
struct test_coverage *test_coverage_new(void);
struct test_coverage *test_coverage_free(struct test_coverage *coverage);
/* One rule over one event of a test. 0 or -ENOMEM. */
int test_coverage_add(struct test_coverage *coverage, const struct ruleset *ruleset,
		      const struct rule *rule, const struct field_context *context);
/* A line for each part that was never true or never false, and each exception that was never used.
 * Returns how many. */
uint32_t test_coverage_report(const struct test_coverage *coverage, const struct diags *diags,
			      FILE *out);

#endif
