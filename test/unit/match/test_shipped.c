/*
 * The shipped rules: what they make the kernel look at. One rule without event types must not
 * switch on the calls that programs make all the time.
 */
#include <criterion/criterion.h>

#include "haetae/rules.h"

static void load(struct event_set *ret)
{
	static const char *const paths[] = { SHIPPED_RULES };
	struct rules_options options;
	struct ruleset *ruleset = NULL;
	struct diags diags;

	diags_init(&diags);
	rules_options_default(&options);
	options.maturity = MATURITY_SANDBOX;
	cr_assert_eq(ruleset_load(paths, 1, &options, &diags, &ruleset), 0);
	cr_expect_eq(diags.item_cnt, 0, "%u diagnostics", (unsigned)diags.item_cnt);
	ruleset_events(ruleset, ret);
	ruleset_free(ruleset);
	diags_done(&diags);
}

Test(shipped, no_frequent_call_is_wanted)
{
	static uint16_t type_of[WIRE_SYSCALL_MAX];
	static bool is_evaluated[EVENT__COUNT];
	struct event_set events;
	unsigned wanted = 0;

	load(&events);
	event_set_syscalls(&events, type_of, is_evaluated);
	for (unsigned nr = 0; nr < WIRE_SYSCALL_MAX; nr++) {
		unsigned code =
			type_of[nr] == EVENT_GENERIC ? EVENT_CODE_SYSCALL + nr : type_of[nr];

		wanted += type_of[nr] != EVENT_UNKNOWN;
		cr_expect(type_of[nr] == EVENT_UNKNOWN || event_code_is_usual(code), "%s is wanted",
			  event_code_name(code));
	}
	cr_expect(wanted >= 5 && wanted < 100, "%u calls", wanted);
	cr_expect_eq(type_of[syscall_number(STR("openat"))], EVENT_OPENAT);
	cr_expect_eq(type_of[syscall_number(STR("read"))], EVENT_UNKNOWN);
	cr_expect_eq(type_of[syscall_number(STR("futex"))], EVENT_UNKNOWN);
	cr_expect(is_evaluated[EVENT_LOSS], "a rule asks for haetae's own event by name");
}
