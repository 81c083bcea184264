/*
 * Takes another ruleset into the daemon that runs. Owns nothing: the daemon's state is daemon.c's.
 * Engine thread; daemon_check_needs() also in that of the reloads.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "daemon_private.h"
#include "haetae/log.h"
#include "rule_use.h"

int daemon_watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Whose ruleset the thread that serves has let go of. */
static bool free_retired(struct daemon *daemon)
{
	bool has_room = false;

	for (unsigned i = 0; i < RETIRED_MAX; i++) {
		struct ruleset **retired = &daemon->retired[i];

		if (*retired && !metrics_uses(&daemon->metrics, *retired))
			*retired = ruleset_free(*retired);
		has_room |= !*retired;
	}
	return has_room;
}

static void retire(struct daemon *daemon, struct ruleset *ruleset)
{
	for (unsigned i = 0; i < RETIRED_MAX; i++) {
		if (daemon->retired[i])
			continue;
		daemon->retired[i] = ruleset;
		return;
	}
	hae_assert(!"there was room");
}

/* Where the new rules' host names cannot be resolved, the daemon goes on without, as at the start.
 */
static void start_new_names(struct daemon *daemon, const struct ruleset *ruleset, struct names *ret)
{
	int r = daemon->config->metadata.want_host_names ? names_start(ret, ruleset) : 0;

	if (r == 0 && names_poll_fd(ret) >= 0)
		r = daemon_watch(daemon->epoll_fd, names_poll_fd(ret));
	if (r < 0)
		log_warning("resolving the host names in rules: %s", strerror(-r));
}

int daemon_install(struct daemon *daemon, struct ruleset *ruleset)
{
	struct names names = { 0 };
	struct probes_want want = { 0 };
	int r = free_retired(daemon) ? metrics_install(&daemon->metrics, ruleset) : -ENOMEM;

	if (r < 0)
		return r;
	start_new_names(daemon, ruleset, &names);
	/* The old rules' filter must not keep back what the new ones match. */
	(void)probes_filter(daemon->probes, NULL, FILTER_OFF);
	r = engine_install(&daemon->engine, ruleset, names.table);
	if (r < 0) {
		rule_use_filter(daemon->config, daemon->ruleset, daemon->probes, &daemon->filter);
		names_done(&names);
		(void)metrics_install(&daemon->metrics, daemon->ruleset);
		return r;
	}
	names_done(&daemon->names);
	daemon->names = names;
	retire(daemon, daemon->ruleset);
	daemon->ruleset = ruleset;
	rule_cost_install(&daemon->rule_cost, &daemon->engine);
	rule_use_want(daemon->config, ruleset, &want);
	r = probes_want(daemon->probes, &want);
	if (r < 0)
		log_error("telling the probes what the new rules want: %s", strerror(-r));
	rule_use_filter(daemon->config, ruleset, daemon->probes, &daemon->filter);
	return 0;
}

const char *daemon_check_needs(const struct ruleset *ruleset, void *data)
{
	const struct daemon *daemon = data;
	uint32_t missing = rule_use_needs(ruleset) & ~daemon->start_needs;

	if (missing & FIELD_NEEDS_ENV && !daemon->config->probes.want_env)
		return "the new rules read the environment of processes, which the probes were not "
		       "loaded for: restart haetae";
	if (missing & FIELD_NEEDS_SWAP && !daemon->config->probes.want_path_swapped)
		return "the new rules read evt.path_swapped, which the probes were not loaded for: "
		       "restart haetae";
	return NULL;
}
