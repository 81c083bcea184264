/*
 * Defaults of the daemon's configuration. Owns nothing.
 */
#include "haetae/clock.h"
#include "haetae/daemon.h"

void daemon_config_default(struct daemon_config *config)
{
	*config = (struct daemon_config){ .queue_length = 8192,
					  .control_socket = CONTROL_SOCKET_DEFAULT,
					  .log_level = LOG_LEVEL_INFO,
					  .want_banner = true };
	rules_options_default(&config->rules);
	config->rules.compile_output = template_compile;
	config->rules.selectors = config->selectors;
	config->rules.additions = config->additions;
	probes_config_default(&config->probes);
	config->kernel_filter = FILTER_ON;
	proc_table_config_default(&config->procs);
	metadata_config_default(&config->metadata);
	hold_config_default(&config->hold);
	gate_config_default(&config->gate);
	spool_config_default(&config->spool);
	config->self_test = (struct self_test_config){ .period_ns = 300 * NS_PER_SEC,
						       .timeout_ns = 10 * NS_PER_SEC };
	config->pretrigger = (struct pretrigger_config){ .before_ns = 5 * NS_PER_SEC,
							 .after_ns = 5 * NS_PER_SEC,
							 .rate_ns = 360 * NS_PER_SEC,
							 .memory_bytes = 16u << 20,
							 .max_bytes = 64u << 20,
							 .max_files = 100 };
	sink_config_default(&config->sinks[0]);
	config->sinks[0].name = "console";
	config->sinks[0].type = "stdout";
	config->sink_cnt = 1;
}
