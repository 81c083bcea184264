/*
 * The screen of `haetae top`: what the daemon says now against what it said before. Owns nothing
 * but the sorted rows while it draws.
 */
#include "top_view.h"

#include <stdlib.h>

#include "haetae/clock.h"
#include "status_view.h"

#define CONTAINER_ROWS 5
#define RULE_ROWS_MIN  5
#define HEAD_ROWS      11

struct row {
	struct json_object *object;
	const char *name;
	uint64_t values[2];
	uint64_t cost_ns;
};

struct rows {
	struct row *row;
	size_t cnt;
};

static double rate(const struct top_view *view, struct json_object *now, struct json_object *before,
		   const char *group, const char *key)
{
	uint64_t new = status_number(now, group, key);
	uint64_t old = status_number(before, group, key);

	if (!before || view->period_ns == 0 || new < old)
		return 0;
	return (double)(new - old) * (double)NS_PER_SEC / (double)view->period_ns;
}

static void put_counter(const struct top_view *view, struct json_object *now,
			struct json_object *before, const char *group, const char *key,
			struct buf *out)
{
	buf_printf(out, "  %s %llu", key, (unsigned long long)status_number(now, group, key));
	if (before)
		buf_printf(out, " (%.0f/s)", rate(view, now, before, group, key));
}

static void put_numbers(const struct top_view *view, struct json_object *now,
			struct json_object *before, struct buf *out)
{
	static const char *const events[] = { "generated", "filtered", "lost", "evaluated" };
	static const char *const alerts[] = { "raised", "suppressed", "refused" };

	buf_puts(out, "events");
	for (unsigned i = 0; i < ARRAY_LEN(events); i++)
		put_counter(view, now, before, "events", events[i], out);
	buf_puts(out, "\nalerts");
	for (unsigned i = 0; i < ARRAY_LEN(alerts); i++)
		put_counter(view, now, before, "alerts", alerts[i], out);
	buf_printf(out, "\ntables  processes %llu  containers %llu  pods %llu  held events %llu\n",
		   (unsigned long long)status_number(now, "tables", "processes"),
		   (unsigned long long)status_number(now, "tables", "containers"),
		   (unsigned long long)status_number(now, "tables", "pods"),
		   (unsigned long long)status_number(now, "tables", "held_events"));
	if (status_number(now, "spool", "max_bytes"))
		buf_printf(out, "spool  %llu of %llu MiB, evicted %llu\n",
			   (unsigned long long)status_number(now, "spool", "bytes") >> 20,
			   (unsigned long long)status_number(now, "spool", "max_bytes") >> 20,
			   (unsigned long long)status_number(now, "spool", "evicted"));
}

static struct json_object *list_of(struct json_object *now, const char *key, size_t *ret_cnt)
{
	struct json_object *list = NULL;

	*ret_cnt = 0;
	if (json_object_object_get_ex(now, key, &list) &&
	    json_object_is_type(list, json_type_array))
		*ret_cnt = json_object_array_length(list);
	return list;
}

static void put_sinks(struct json_object *now, struct buf *out)
{
	size_t cnt;
	struct json_object *sinks = list_of(now, "sinks", &cnt);

	buf_puts(out, "sinks ");
	for (size_t i = 0; i < cnt; i++) {
		struct json_object *sink = json_object_array_get_idx(sinks, i);

		buf_puts(out, i ? ",  " : " ");
		status_put_text(out, sink, "name", 24);
		buf_putc(out, ' ');
		status_put_text(out, sink, "health", 16);
		buf_printf(out, " %llu sent %llu queued",
			   (unsigned long long)status_number(sink, NULL, "delivered"),
			   (unsigned long long)status_number(sink, NULL, "queued"));
	}
	buf_puts(out, cnt ? "\n" : " none\n");
}

static int by_first(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return one->values[0] != other->values[0] ? (one->values[0] < other->values[0] ? 1 : -1)
						  : strcmp(one->name, other->name);
}

static int by_second(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return one->values[1] != other->values[1] ? (one->values[1] < other->values[1] ? 1 : -1)
						  : by_first(a, b);
}

static int by_cost(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return one->cost_ns != other->cost_ns ? (one->cost_ns < other->cost_ns ? 1 : -1)
					      : by_first(a, b);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

/* keys: of the name and of the two values. False where memory is exhausted. */
static bool collect(struct json_object *now, const char *key, const char *const keys[3],
		    struct rows *ret)
{
	size_t cnt;
	struct json_object *list = list_of(now, key, &cnt), *name;

	ret->row = calloc(cnt + 1, sizeof(*ret->row));
	ret->cnt = ret->row ? cnt : 0;
	for (size_t i = 0; i < ret->cnt; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct row *row = &ret->row[i];

		*row = (struct row){ .object = object, .name = "" };
		if (json_object_object_get_ex(object, keys[0], &name))
			row->name = json_object_get_string(name) ?: "";
		row->values[0] = status_number(object, NULL, keys[1]);
		row->values[1] = status_number(object, NULL, keys[2]);
		row->cost_ns = status_number(object, NULL, "cost_ns");
	}
	return ret->row != NULL;
}

static void put_padded(struct buf *out, struct json_object *object, const char *key, int width)
{
	size_t begin = out->n;

	status_put_text(out, object, key, width);
	buf_printf(out, "%*s", width + 1 - (int)(out->n - begin), "");
}

static void put_rules(const struct top_view *view, struct json_object *now, int limit,
		      struct buf *out)
{
	static const char *const keys[] = { "rule", "matches", "alerts" };
	static int (*const orders[])(const void *a, const void *b) = { by_first, by_second, by_cost,
								       by_name };
	struct rows rows;
	uint64_t cost_ns = 0;

	if (!collect(now, "rule_counters", keys, &rows))
		return;
	qsort(rows.row, rows.cnt, sizeof(*rows.row), orders[view->order]);
	for (size_t i = 0; i < rows.cnt; i++)
		cost_ns += rows.row[i].cost_ns;
	buf_printf(out, "\x1b[7m%10s %10s %6s  %-13s %-*s\x1b[0m\n", "MATCHES", "ALERTS", "COST%",
		   "PRIORITY", MAX(view->columns - 45, 10), "RULE");
	for (size_t i = 0; i < rows.cnt && (limit == 0 || i < (size_t)limit); i++) {
		const struct row *row = &rows.row[i];

		buf_printf(out, "%10llu %10llu ", (unsigned long long)row->values[0],
			   (unsigned long long)row->values[1]);
		if (cost_ns)
			buf_printf(out, "%5.1f%%  ",
				   100.0 * (double)row->cost_ns / (double)cost_ns);
		else
			buf_printf(out, "%6s  ", "-");
		put_padded(out, row->object, "priority", 13);
		status_put_text(out, row->object, "rule", MAX(view->columns - 45, 10));
		buf_putc(out, '\n');
	}
	free(rows.row);
}

static void put_containers(const struct top_view *view, struct json_object *now, int limit,
			   struct buf *out)
{
	static const char *const keys[] = { "id", "events", "alerts" };
	struct rows rows;

	if (!collect(now, "containers", keys, &rows))
		return;
	qsort(rows.row, rows.cnt, sizeof(*rows.row),
	      view->order == TOP_BY_ALERTS ? by_second : by_first);
	buf_printf(out, "\x1b[7m%10s %10s  %-13s %-*s\x1b[0m\n", "EVENTS", "ALERTS", "CONTAINER",
		   MAX(view->columns - 38, 10), "POD, NAME");
	for (size_t i = 0; i < rows.cnt && (limit == 0 || i < (size_t)limit); i++) {
		const struct row *row = &rows.row[i];
		size_t begin;

		buf_printf(out, "%10llu %10llu  ", (unsigned long long)row->values[0],
			   (unsigned long long)row->values[1]);
		put_padded(out, row->object, "id", 13);
		begin = out->n;
		status_put_text(out, row->object, "namespace", 40);
		buf_puts(out, out->n > begin ? "/" : "");
		status_put_text(out, row->object, "pod", 60);
		buf_puts(out, out->n > begin ? ", " : "");
		status_put_text(out, row->object, "name", 60);
		buf_putc(out, '\n');
	}
	free(rows.row);
}

/* Which rows of the screen belong to which list. */
static void share_rows(const struct top_view *view, size_t container_cnt, int *ret_rules,
		       int *ret_containers)
{
	int left = view->rows - HEAD_ROWS;
	int few = view->is_for_containers ? RULE_ROWS_MIN : MIN(CONTAINER_ROWS, (int)container_cnt);

	*ret_rules = *ret_containers = 0;
	if (view->rows == 0)
		return;
	few = MAX(MIN(few, left / 2), 1);
	*ret_containers = view->is_for_containers ? MAX(left - few, 1) : few;
	*ret_rules = view->is_for_containers ? few : MAX(left - few, 1);
}

void top_view_put(const struct top_view *view, struct json_object *now, struct json_object *before,
		  struct buf *out)
{
	static const char *const orders[] = { "matches", "alerts", "cost", "name" };
	size_t container_cnt;
	int rule_rows, container_rows;

	(void)list_of(now, "containers", &container_cnt);
	share_rows(view, container_cnt, &rule_rows, &container_rows);
	status_put_head(now, out);
	put_numbers(view, now, before, out);
	put_sinks(now, out);
	if (view->rows > 0)
		buf_printf(out,
			   "keys: m matches, a alerts, c cost, n name (now %s); tab containers, "
			   "space %s, q end\n",
			   orders[view->order], view->is_paused ? "go on" : "pause");
	if (view->is_for_containers)
		put_containers(view, now, container_rows, out);
	put_rules(view, now, rule_rows, out);
	if (!view->is_for_containers)
		put_containers(view, now, container_rows, out);
}
