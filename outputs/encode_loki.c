/*
 * Grafana Loki, POST /loki/api/v1/push with JSON: streams of lines, told apart by few labels
 * (decision 33). Alerts of one stream stand together. Owns nothing. Outputs thread.
 *
 * Loki keeps one of two entries of the same stream, time and line: what is sent twice is there
 * once.
 */
#include "encode.h"

#include "haetae/text.h"

static void put_label(const char *key, struct str value, struct buf *out)
{
	if (!value.n)
		return;
	encode_put_comma('{', out);
	buf_printf(out, "\"%s\":", key);
	text_put_json_string(out, value);
}

/* Loki refuses a stream without labels; a priority is always there. */
static void put_labels(const struct encode_alert *alert, struct buf *out)
{
	buf_puts(out, "{\"stream\":{");
	put_label("rule", alert->alert->rule, out);
	put_label("priority", str_from(priority_name(alert->alert->priority)), out);
	put_label("namespace", alert->namespace_name, out);
	put_label("pod", alert->pod, out);
	buf_puts(out, "},\"values\":[");
}

static bool is_same_stream(const struct encode_alert *a, const struct encode_alert *b)
{
	return a->alert->priority == b->alert->priority && str_eq(a->alert->rule, b->alert->rule) &&
	       str_eq(a->namespace_name, b->namespace_name) && str_eq(a->pod, b->pod);
}

static void put_entry(const struct alert *alert, struct buf *out)
{
	buf_printf(out, "[\"%llu\",", (unsigned long long)alert->wall_ns);
	text_put_json_string(out, alert->json);
	buf_putc(out, ']');
}

/* The first of its stream writes all of them. */
static bool is_first(const struct encode_alert *alerts, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (is_same_stream(&alerts[i], &alerts[index]))
			return false;
	return true;
}

void encode_put_loki(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out)
{
	buf_puts(out, "{\"streams\":[");
	for (uint32_t i = 0; i < cnt; i++) {
		if (!is_first(alerts, i))
			continue;
		if (i)
			buf_putc(out, ',');
		put_labels(&alerts[i], out);
		put_entry(alerts[i].alert, out);
		for (uint32_t k = i + 1; k < cnt; k++) {
			if (!is_same_stream(&alerts[i], &alerts[k]))
				continue;
			buf_putc(out, ',');
			put_entry(alerts[k].alert, out);
		}
		buf_puts(out, "]}");
	}
	buf_puts(out, "]}");
}
