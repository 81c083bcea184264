/*
 * Captures around alerts. Owns the memory of the seconds before and the file at hand; called by the
 * daemon's loop and, when an alert is raised, by the engine. Engine thread.
 *
 * An alert is raised in the middle of an input, whose frame follows it: so the file is made after
 * the pass, not in it.
 */
#include "pretrigger.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "haetae/clock.h"
#include "haetae/log.h"
#include "snapshot.h"

/* A rule that goes on raising alerts prolongs its file at most to this many times `after`. */
#define PROLONG_MAX 10

static void take_frame(enum capture_kind kind, const void *frame, uint32_t length, void *data)
{
	struct pretrigger *pretrigger = data;

	capture_ring_put(kind, frame, length, pretrigger->ring);
	if (pretrigger->file)
		capture_put_frame(pretrigger->file, frame, length);
	if (pretrigger->recording)
		capture_put_frame(pretrigger->recording, frame, length);
}

/* ---- an alert ---- */

/* 20260102T030405.678Z-read-shadow-1a2b3c4d.hcap: sorts by time, and names the alert's uuid. */
static void make_name(const struct rule *rule, const struct alert *alert, char *ret, size_t size)
{
	time_t seconds = (time_t)(alert->wall_ns / NS_PER_SEC);
	char when[32], what[49];
	size_t n = 0;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc);
	for (uint32_t i = 0; i < rule->name.n && n < sizeof(what) - 1; i++) {
		unsigned char c = (unsigned char)rule->name.p[i];

		if (c < 0x80 && isalnum(c))
			what[n++] = (char)tolower(c);
		else if (n && what[n - 1] != '-')
			what[n++] = '-';
	}
	what[n] = '\0';
	snprintf(ret, size, "%s.%03uZ-%s-%.8s.hcap", when,
		 (unsigned)(alert->wall_ns % NS_PER_SEC / NS_PER_MS), what, alert->uuid);
}

static void on_raised(const struct rule *rule, const struct alert *alert, void *data)
{
	struct pretrigger *pretrigger = data;
	const struct pretrigger_config *config = pretrigger->config;
	uint64_t now_ns = pretrigger->engine->now_ns;
	uint64_t until_ns = now_ns + (rule->capture_ns ? rule->capture_ns : config->after_ns);

	if (!config->is_for_all && !rule->want_capture)
		return;
	if (pretrigger->file || pretrigger->is_due) {
		pretrigger->until_ns = MAX(pretrigger->until_ns, until_ns);
		return;
	}
	if (now_ns < pretrigger->not_before) {
		pretrigger->stats.refused_by_rate++;
		return;
	}
	pretrigger->not_before = now_ns + config->rate_ns;
	pretrigger->until_ns = until_ns;
	pretrigger->is_due = true;
	make_name(rule, alert, pretrigger->name, sizeof(pretrigger->name));
}

/* ---- the file ---- */

static bool has_room(const struct pretrigger_config *config)
{
	DIR *folder = opendir(config->dir);
	struct dirent *entry;
	uint32_t cnt = 0;

	if (!folder)
		return true; /* the error comes when the file is made */
	while (cnt < config->max_files && (entry = readdir(folder)) != NULL)
		cnt += str_ends_with(str_from(entry->d_name), STR(".hcap"));
	closedir(folder);
	return cnt < config->max_files;
}

static int open_file(struct pretrigger *pretrigger, uint64_t first_ns)
{
	const struct pretrigger_config *config = pretrigger->config;
	const struct engine *engine = pretrigger->engine;
	const struct capture_writer_config writer = {
		.path = pretrigger->path,
		.max_bytes = config->max_bytes,
		.max_ns = config->before_ns + PROLONG_MAX * MAX(config->after_ns, NS_PER_SEC),
	};
	const struct capture_head head = {
		.hostname = engine->hostname,
		.boot_id = engine->boot_id,
		.wall_offset_ns = engine->wall_offset_ns,
		.start_ns = first_ns,
		.is_snapshot = true,
	};

	if ((size_t)snprintf(pretrigger->path, sizeof(pretrigger->path), "%s/%s", config->dir,
			     pretrigger->name) >= sizeof(pretrigger->path))
		return -ENAMETOOLONG;
	if (mkdir(config->dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	return capture_writer_new(&writer, &head, &pretrigger->file);
}

static void begin_file(struct pretrigger *pretrigger)
{
	uint64_t first_ns = capture_ring_first_ns(pretrigger->ring);
	int r;

	pretrigger->is_due = false;
	if (!has_room(pretrigger->config)) {
		if (!pretrigger->stats.refused_by_room++)
			log_warning("%s has %u captures (alerts.capture.max_files): no more are "
				    "made until some are removed",
				    pretrigger->config->dir, pretrigger->config->max_files);
		return;
	}
	r = open_file(pretrigger, first_ns);
	if (r < 0) {
		pretrigger->stats.failed++;
		log_error("capture %s: %s", pretrigger->path, strerror(-r));
		return;
	}
	pretrigger->stats.files++;
	snapshot_put(pretrigger->file, pretrigger->engine, first_ns);
	capture_ring_write(pretrigger->ring, pretrigger->file);
}

static void end_file(struct pretrigger *pretrigger)
{
	const struct capture_end end = { 0 };
	struct capture_stats stats;
	int r = capture_writer_finish(pretrigger->file, &end);

	capture_writer_stats(pretrigger->file, &stats);
	pretrigger->file = capture_writer_free(pretrigger->file);
	if (r < 0 || stats.reason == CAPTURE_FAILED) {
		pretrigger->stats.failed++;
		log_error("capture %s: %s: it ends before its time", pretrigger->path,
			  strerror(r < 0 ? -r : stats.error));
	} else {
		log_info("capture %s: %llu records", pretrigger->path,
			 (unsigned long long)stats.records);
	}
}

void pretrigger_tick(struct pretrigger *pretrigger, uint64_t now_ns)
{
	if (pretrigger->is_due)
		begin_file(pretrigger);
	if (pretrigger->file &&
	    (now_ns >= pretrigger->until_ns || !capture_writer_is_open(pretrigger->file)))
		end_file(pretrigger);
}

int pretrigger_start(struct pretrigger *pretrigger, const struct pretrigger_config *config,
		     struct engine *engine)
{
	int r;

	*pretrigger = (struct pretrigger){ .config = config, .engine = engine };
	if (!config->dir)
		return 0;
	pretrigger->recording = engine->tap.writer;
	r = capture_ring_new(config->memory_bytes, config->before_ns, &pretrigger->ring);
	if (r == 0)
		r = capture_writer_new_to(take_frame, pretrigger, &pretrigger->to);
	if (r < 0)
		return r;
	engine_record(engine, pretrigger->to);
	engine->on_raised = on_raised;
	engine->raised_data = pretrigger;
	return 0;
}

void pretrigger_done(struct pretrigger *pretrigger)
{
	if (pretrigger->is_due)
		begin_file(pretrigger);
	if (pretrigger->file)
		end_file(pretrigger);
	if (pretrigger->ring)
		log_info("captures around alerts: %llu made, %llu refused by alerts.capture.rate, "
			 "%llu by max_files, %llu failed",
			 (unsigned long long)pretrigger->stats.files,
			 (unsigned long long)pretrigger->stats.refused_by_rate,
			 (unsigned long long)pretrigger->stats.refused_by_room,
			 (unsigned long long)pretrigger->stats.failed);
	if (pretrigger->to) {
		pretrigger->engine->tap.writer = pretrigger->recording;
		pretrigger->engine->on_raised = NULL;
	}
	pretrigger->to = capture_writer_free(pretrigger->to);
	pretrigger->ring = capture_ring_free(pretrigger->ring);
}
