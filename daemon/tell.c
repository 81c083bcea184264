/*
 * What haetae has to say of itself becomes an event of its own, for the rules, and so an alert
 * where one asks for it. Owns nothing: the daemon's state is daemon.c's. Engine thread.
 */
#include "daemon_private.h"
#include "haetae/clock.h"
#include "haetae/log.h"
#include "loss_event.h"

/* Loss has begun or ended: an event for the rules, a line for the log. */
static void tell_loss(struct daemon *daemon, enum loss_change change)
{
	struct probes_cgroup_loss cgroups[LOSS_CGROUPS_KNOWN];
	struct loss_report report;
	struct own_record record;
	_cleanup_(buf_done) struct buf text;
	uint64_t other;
	uint32_t cnt = probes_read_cgroup_loss(daemon->probes, cgroups, LOSS_CGROUPS_KNOWN, &other);

	loss_watch_report(&daemon->loss_watch, change, cgroups, cnt, &report);
	loss_record_make(&record, &report, ++daemon->engine.own_sequence, daemon->engine.procs);
	engine_own(&daemon->engine, record.bytes, record.length);
	buf_init(&text, 4096);
	loss_report_format(&report, daemon->engine.procs, &text);
	log_warning("events %s lost: %llu of %llu in %.1f s (%.*s)",
		    change == LOSS_BEGIN ? "are being" : "are no longer",
		    (unsigned long long)report.since.lost,
		    (unsigned long long)report.since.generated,
		    (double)report.since.time_ns / (double)NS_PER_SEC, STR_ARG(buf_str(&text)));
}

void tell_losses(struct daemon *daemon, const struct probes_counters *counters, bool is_last)
{
	struct loss_totals now;
	enum loss_change change;

	loss_totals_of(counters, clock_boot_ns(), &now);
	do {
		change = loss_watch_step(&daemon->loss_watch, &now, is_last);
		if (change != LOSS_SAME)
			tell_loss(daemon, change);
	} while (is_last && change == LOSS_BEGIN);
}

static void tell_reload(const struct reload_news *news, void *data)
{
	struct daemon *daemon = data;
	struct own_record record;
	const char *state = news->is_failed ? "failed" : news->failures ? "recovered" : "done";

	own_record_begin(&record, EVENT_RELOAD, ++daemon->engine.own_sequence);
	own_record_text(&record, PARAM_RELOAD_state, str_from(state));
	own_record_text(&record, PARAM_RELOAD_cause, str_from(reload_cause_name(news->cause)));
	own_record_text(&record, PARAM_RELOAD_message, buf_str(&news->message));
	own_record_number(&record, PARAM_RELOAD_failures, news->failures);
	own_record_end(&record);
	engine_own(&daemon->engine, record.bytes, record.length);
}

void tell_reloads(struct daemon *daemon)
{
	if (daemon->reload)
		reload_take_news(daemon->reload, tell_reload, daemon);
}
