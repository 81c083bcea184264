/*
 * Writes a report of losses as a record of the type LOSS, and as a line for the log. Owns nothing;
 * engine thread, when loss begins or ends.
 */
#include "loss_event.h"

#include "summary.h"

#define CGROUP_PATH_MAX 512
/* Behind the table; more than all that is put, so that nothing has to be cut. */
#define TEXT_MAX (LOSS_CGROUPS_SHOWN * (CGROUP_PATH_MAX + 24))
_Static_assert(OWN_RECORD_MAX > sizeof(struct wire_header) + TEXT_MAX + CGROUP_PATH_MAX + 1024,
	       "everything fits");

static void put_text(struct own_record *record, unsigned param, struct buf *text)
{
	if (!text->failed)
		own_record_text(record, param, buf_str(text));
	buf_clear(text);
}

/* Its path, or its number where nobody knows the path. */
static bool put_cgroup(const struct proc_table *procs, const struct probes_cgroup_loss *cgroup,
		       struct buf *out)
{
	char path[CGROUP_PATH_MAX];

	if (procs &&
	    proc_cgroup_path(procs, cgroup->cgroup_id, cgroup->hierarchy, path, sizeof(path))) {
		buf_puts(out, path);
		return true;
	}
	buf_put_u64(out, cgroup->cgroup_id);
	return false;
}

static void put_reasons(const struct loss_report *report, struct buf *out)
{
	for (unsigned i = 0; i < WIRE_LOST__COUNT; i++)
		if (report->since.reasons[i])
			buf_printf(out, "%s%s=%llu", out->n ? ", " : "",
				   summary_loss_name((enum wire_loss_reason)i),
				   (unsigned long long)report->since.reasons[i]);
	if (report->since.malformed)
		buf_printf(out, "%smalformed=%llu", out->n ? ", " : "",
			   (unsigned long long)report->since.malformed);
}

static void put_classes(struct own_record *record, const uint64_t classes[CLASS__COUNT])
{
	static const uint8_t params[] = {
		[CLASS_UNKNOWN] = PARAM_LOSS_lost_unknown,
		[CLASS_PROCESS] = PARAM_LOSS_lost_process,
		[CLASS_FILE] = PARAM_LOSS_lost_file,
		[CLASS_NETWORK] = PARAM_LOSS_lost_network,
		[CLASS_PRIVILEGE] = PARAM_LOSS_lost_privilege,
		[CLASS_KERNEL] = PARAM_LOSS_lost_kernel,
		[CLASS_OTHER] = PARAM_LOSS_lost_other,
	};
	_Static_assert(ARRAY_LEN(params) == CLASS__COUNT, "a parameter a class");

	for (unsigned i = 0; i < CLASS__COUNT; i++)
		own_record_number(record, params[i], classes[i]);
}

static void put_cgroups(struct own_record *record, const struct loss_report *report,
			const struct proc_table *procs, struct buf *text)
{
	own_record_number(record, PARAM_LOSS_cgroups_rest, report->cgroups_rest);
	if (report->cgroup_cnt == 0)
		return;
	own_record_number(record, PARAM_LOSS_cgroup_id, report->cgroups[0].cgroup_id);
	own_record_number(record, PARAM_LOSS_cgroup_lost, report->cgroups[0].lost);
	if (put_cgroup(procs, &report->cgroups[0], text))
		put_text(record, PARAM_LOSS_cgroup, text);
	buf_clear(text);
	for (uint32_t i = 0; i < report->cgroup_cnt; i++) {
		buf_puts(text, i ? ", " : "");
		(void)put_cgroup(procs, &report->cgroups[i], text);
		buf_printf(text, "=%llu", (unsigned long long)report->cgroups[i].lost);
	}
	put_text(record, PARAM_LOSS_cgroups, text);
}

void loss_record_make(struct own_record *record, const struct loss_report *report,
		      uint64_t sequence, const struct proc_table *procs)
{
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, TEXT_MAX);
	own_record_begin(record, EVENT_LOSS, sequence);
	buf_puts(&text, report->change == LOSS_END ? "end" : "begin");
	put_text(record, PARAM_LOSS_state, &text);
	own_record_number(record, PARAM_LOSS_lost, report->since.lost);
	own_record_number(record, PARAM_LOSS_generated, report->since.generated);
	own_record_number(record, PARAM_LOSS_duration, report->since.time_ns);
	put_classes(record, report->since.classes);
	put_reasons(report, &text);
	put_text(record, PARAM_LOSS_reasons, &text);
	put_cgroups(record, report, procs, &text);
	own_record_end(record);
}

void loss_report_format(const struct loss_report *report, const struct proc_table *procs,
			struct buf *out)
{
	const char *separator = "";

	for (unsigned i = 0; i < CLASS__COUNT; i++) {
		if (!report->since.classes[i])
			continue;
		buf_printf(out, "%s%s %llu", separator, event_class_name((enum event_class)i),
			   (unsigned long long)report->since.classes[i]);
		separator = ", ";
	}
	if (report->cgroup_cnt == 0)
		return;
	buf_printf(out, "; %llu of them in cgroup ", (unsigned long long)report->cgroups[0].lost);
	(void)put_cgroup(procs, &report->cgroups[0], out);
}
