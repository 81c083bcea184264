/*
 * Defaults of sinks and spool. Owns nothing.
 */
#include "haetae/clock.h"
#include "haetae/sink.h"

void sink_config_default(struct sink_config *config)
{
	*config = (struct sink_config){
		.format = SINK_TEXT,
		.min_priority = PRIORITY_DEBUG,
		.queue_length = 8192,
		.file.max_files = 5,
		.syslog = { .address = "unix:/dev/log", .facility = "daemon" },
		.http = {
			.content_type = "application/json",
			.batch_wait_ns = 200 * NS_PER_MS,
			.timeout_ns = 10 * NS_PER_SEC,
		},
		.program.user = "nobody",
		.retry_min_ns = 500 * NS_PER_MS,
		.retry_max_ns = 60 * NS_PER_SEC,
	};
}

void spool_config_default(struct spool_config *config)
{
	*config = (struct spool_config){
		.dir = SPOOL_DIR_DEFAULT,
		.max_bytes = 1ULL << 30,
		.segment_bytes = 8u << 20,
	};
}
