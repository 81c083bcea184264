/*
 * Whether a call gave its thread privilege, from what the record says of before. Owns constant data
 * only. Engine thread.
 */
#include "fields_evt.h"

struct before_params {
	uint8_t is_there, euid, cap_effective;
};

/* clang-format off */
#define ROW(ID) [EVENT_##ID] = { 1, PARAM_##ID##_euid_before, PARAM_##ID##_cap_effective_before }
static const struct before_params params_of_type[EVENT__COUNT] = {
	ROW(EXECVE), ROW(EXECVEAT), ROW(SETUID), ROW(SETGID), ROW(SETREUID), ROW(SETREGID),
	ROW(SETRESUID), ROW(SETRESGID), ROW(SETFSUID), ROW(SETFSGID), ROW(CAPSET), ROW(UNSHARE),
	ROW(SETNS),
};
/* clang-format on */

bool evt_has_before(const struct event_schema *schema)
{
	return params_of_type[schema->type].is_there;
}

/* A call that failed gave nothing, whatever is known. */
void evt_get_is_privilege_gain(const struct field_context *context,
			       const struct field_argument *argument, struct value_set *ret)
{
	const struct event *event = context->event;
	const struct before_params *params = &params_of_type[event->schema->type];
	uint64_t euid, cap_effective;

	(void)argument;
	if (!params->is_there)
		return;
	if (event->header->result < 0)
		give_bool(context, false, ret);
	else if (event_number(event, params->euid, &euid) &&
		 event_number(event, params->cap_effective, &cap_effective))
		give_bool(context,
			  (euid != 0 && event->header->euid == 0) ||
				  (event->header->cap_effective & ~cap_effective),
			  ret);
}
