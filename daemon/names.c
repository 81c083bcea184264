/*
 * Host names in rules, from the thread that resolves them into the engine's table. Owns both.
 * Engine thread.
 */
#include "names.h"

int names_start(struct names *names, const struct ruleset *ruleset)
{
	struct resolver_config config;
	int r;

	resolver_config_default(&config);
	config.names = ruleset_host_names(ruleset, &config.name_cnt);
	if (config.name_cnt == 0)
		return 0;
	r = host_names_new(config.names, config.name_cnt, &names->table);
	if (r == 0)
		r = resolver_start(&config, &names->resolver);
	if (r < 0)
		names_done(names);
	return r;
}

int names_poll_fd(const struct names *names)
{
	return names->resolver ? resolver_poll_fd(names->resolver) : -1;
}

void names_update(struct names *names, struct engine *engine)
{
	struct resolver_answer *answer;

	while (names->resolver && (answer = resolver_take(names->resolver))) {
		engine_host_name(engine, host_names_at(names->table, answer->name),
				 answer->addresses, answer->address_cnt);
		free(answer);
	}
}

void names_done(struct names *names)
{
	names->resolver = resolver_free(names->resolver);
	names->table = host_names_free(names->table);
}
