/*
 * Writes what the engine takes in to a file. Owns the writer. Called by the daemon, engine thread.
 */
#include "recording.h"

#include <limits.h>

#include "haetae/clock.h"
#include "haetae/log.h"

static void scope_text(const struct probes_config *probes, char *ret, size_t size)
{
	if (probes->scope_pid)
		snprintf(ret, size, "pid %u", probes->scope_pid);
	else
		snprintf(ret, size, "%s%s", probes->scope_cgroup ? "cgroup " : "",
			 probes->scope_cgroup ?: "");
}

int recording_start(struct recording *recording, const struct daemon_config *config,
		    const struct engine_host *host, struct engine *engine)
{
	const struct capture_writer_config writer = {
		.path = config->record.path,
		.may_overwrite = config->record.may_overwrite,
		.max_bytes = config->record.max_bytes,
	};
	char scope[PATH_MAX + 16];
	const struct capture_head head = {
		.hostname = host->name,
		.boot_id = host->boot_id,
		.scope = scope,
		.wall_offset_ns = host->wall_offset_ns,
		.start_ns = clock_boot_ns(),
	};
	int r;

	recording->config = &config->record;
	if (!writer.path)
		return 0;
	scope_text(&config->probes, scope, sizeof(scope));
	r = capture_writer_new(&writer, &head, &recording->writer);
	if (r == 0)
		engine_record(engine, recording->writer);
	return r;
}

bool recording_tick(struct recording *recording)
{
	struct capture_stats stats;

	if (!recording->writer)
		return true;
	capture_writer_flush(recording->writer);
	if (capture_writer_is_open(recording->writer))
		return true;
	capture_writer_stats(recording->writer, &stats);
	if (!recording->has_told && stats.reason == CAPTURE_FAILED)
		log_error("%s: %s: the recording ends here", recording->config->path,
			  strerror(stats.error));
	else if (!recording->has_told)
		log_warning("%s has reached its largest size: the recording ends here",
			    recording->config->path);
	recording->has_told = true;
	return !recording->config->is_alone;
}

void recording_finish(struct recording *recording, const struct engine *engine)
{
	const struct capture_end end = {
		.delivered = engine_delivered(engine),
		.evaluated = engine->counters.evaluated,
		.alerts = engine_alerts(engine),
	};
	int r;

	if (!recording->writer)
		return;
	(void)recording_tick(recording);
	r = capture_writer_finish(recording->writer, &end);
	if (r < 0 && !recording->has_told)
		log_error("%s: %s: the recording lacks its end", recording->config->path,
			  strerror(-r));
}

bool recording_has_failed(const struct recording *recording)
{
	struct capture_stats stats;

	capture_writer_stats(recording->writer, &stats);
	return stats.reason == CAPTURE_FAILED;
}

void recording_done(struct recording *recording)
{
	recording->writer = capture_writer_free(recording->writer);
}
