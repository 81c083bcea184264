/*
 * Writes a report of losses as a record of the type LOSS, and as a line for the log. Owns nothing;
 * engine thread, when loss begins or ends.
 */
#include "loss_event.h"

#include "haetae/clock.h"
#include "summary.h"

#define CGROUP_PATH_MAX 512
/* Behind the table; more than all that is put, so that nothing has to be cut. */
#define TEXT_MAX (LOSS_CGROUPS_SHOWN * (CGROUP_PATH_MAX + 24))
_Static_assert(LOSS_RECORD_MAX > sizeof(struct wire_header) + TEXT_MAX + CGROUP_PATH_MAX + 1024,
	       "everything fits");

static void put_bytes(struct loss_record *record, unsigned param, const void *data, uint32_t n)
{
	struct wire_param *table =
		(struct wire_param *)(void *)(record->bytes + sizeof(struct wire_header));

	hae_assert(record->length + n + 8 <= sizeof(record->bytes));
	memcpy(record->bytes + record->length, data, n);
	table[param] = (struct wire_param){ (uint16_t)record->length, (uint16_t)n };
	record->length = (record->length + n + 7) & ~7u;
}

static void put_number(struct loss_record *record, unsigned param, uint64_t value)
{
	put_bytes(record, param, &value, sizeof(value));
}

static void put_text(struct loss_record *record, unsigned param, struct buf *text)
{
	buf_putc(text, '\0');
	if (!text->failed)
		put_bytes(record, param, text->p, (uint32_t)text->n);
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

static void put_classes(struct loss_record *record, const uint64_t classes[CLASS__COUNT])
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
		put_number(record, params[i], classes[i]);
}

static void put_cgroups(struct loss_record *record, const struct loss_report *report,
			const struct proc_table *procs, struct buf *text)
{
	put_number(record, PARAM_LOSS_cgroups_rest, report->cgroups_rest);
	if (report->cgroup_cnt == 0)
		return;
	put_number(record, PARAM_LOSS_cgroup_id, report->cgroups[0].cgroup_id);
	put_number(record, PARAM_LOSS_cgroup_lost, report->cgroups[0].lost);
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

void loss_record_make(struct loss_record *record, const struct loss_report *report,
		      uint64_t sequence, const struct proc_table *procs)
{
	struct wire_header *header = (struct wire_header *)(void *)record->bytes;
	_cleanup_(buf_done) struct buf text;

	buf_init(&text, TEXT_MAX);
	memset(record->bytes, 0, sizeof(record->bytes));
	*header = (struct wire_header){
		.type = EVENT_LOSS,
		.param_cnt = PARAM_LOSS__COUNT,
		.time_ns = clock_boot_ns(),
		.sequence = sequence,
		.loginuid = UINT32_MAX,
		.syscall_nr = WIRE_NO_SYSCALL,
		.flags = WIRE_NO_RESULT,
		.ring = WIRE_RING_OWN,
	};
	record->length =
		(sizeof(*header) + PARAM_LOSS__COUNT * sizeof(struct wire_param) + 7) & ~7u;
	buf_puts(&text, report->change == LOSS_END ? "end" : "begin");
	put_text(record, PARAM_LOSS_state, &text);
	put_number(record, PARAM_LOSS_lost, report->since.lost);
	put_number(record, PARAM_LOSS_generated, report->since.generated);
	put_number(record, PARAM_LOSS_duration, report->since.time_ns);
	put_classes(record, report->since.classes);
	put_reasons(report, &text);
	put_text(record, PARAM_LOSS_reasons, &text);
	put_cgroups(record, report, procs, &text);
	header->length = record->length;
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
