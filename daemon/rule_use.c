/*
 * From a ruleset to what the probes, the tables and the kernel's filter are told of it, at the
 * start and with each reload. Owns nothing. Engine thread.
 */
#include "rule_use.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/log.h"
#include "reload.h"

int rule_use_load(const struct daemon_config *config, struct ruleset **ret)
{
	struct diags diags;
	int r;

	diags_init(&diags);
	r = reload_compile(config, &diags, ret);
	diags_print(&diags, stderr, isatty(STDERR_FILENO));
	if (r == RULES_E_INVALID)
		log_error("the rules have %u error%s; 'haetae check' shows them too",
			  diags.error_cnt, diags.error_cnt == 1 ? "" : "s");
	else if (r < 0)
		log_error("loading the rules: %s", strerror(-r));
	diags_done(&diags);
	return r == 0 ? EXIT_OK : EXIT_NOT_GOOD;
}

uint32_t rule_use_needs(const struct ruleset *ruleset)
{
	uint32_t needs = ruleset_needs(ruleset);

	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++) {
		const struct rule *rule = ruleset_rule(ruleset, i);

		if (rule->is_enabled && rule->template)
			needs |= template_needs(rule->template);
	}
	return needs;
}

uint32_t rule_use_enabled_cnt(const struct ruleset *ruleset)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++)
		cnt += ruleset_rule(ruleset, i)->is_enabled &&
		       !ruleset_rule(ruleset, i)->is_self_test;
	return cnt;
}

uint32_t rule_use_cnt(const struct ruleset *ruleset)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < ruleset_rule_cnt(ruleset); i++)
		cnt += !ruleset_rule(ruleset, i)->is_self_test;
	return cnt;
}

void rule_use_want(const struct daemon_config *config, const struct ruleset *ruleset,
		   struct probes_want *ret)
{
	struct event_set events;

	ruleset_events(ruleset, &events);
	if (config->record.is_alone)
		events = config->record.events;
	event_set_syscalls(&events, ret->type_of_syscall, ret->is_evaluated);
}

static void describe(const struct kernel_filter *filter, struct kernel_filter_state *ret)
{
	for (unsigned type = 0; type < EVENT__COUNT; type++) {
		ret->decided_cnt += filter->types[type].is_active;
		ret->passing_cnt += filter->passes[type];
		ret->coarse_cnt += filter->is_coarse[type];
	}
	memcpy(ret->passes, filter->passes, sizeof(ret->passes));
	memcpy(ret->is_coarse, filter->is_coarse, sizeof(ret->is_coarse));
}

void rule_use_filter(const struct daemon_config *config, const struct ruleset *ruleset,
		     struct probes *probes, struct kernel_filter_state *ret)
{
	struct kernel_filter filter = { 0 };
	int r = 0;

	*ret = (struct kernel_filter_state){ .mode = FILTER_OFF };
	if (config->kernel_filter == FILTER_OFF || config->record.is_alone)
		return;
	r = ruleset_kernel_filter(ruleset, &filter);
	if (r == 0)
		r = probes_filter(probes, &filter, config->kernel_filter);
	if (r == 0) {
		ret->mode = config->kernel_filter;
		describe(&filter, ret);
	}
	ret->error = r;
	if (r < 0)
		log_warning("the kernel filter could not be made, every event passes: %s",
			    r == -E2BIG ? "the rules name too many values" : strerror(-r));
	kernel_filter_done(&filter);
}
