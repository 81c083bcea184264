/*
 * An output text, a newline, a record: the text is compiled, the record decoded and applied to a
 * process table, every field asked, and the alert rendered. It must be one line of valid JSON and
 * one line of text without control characters, whatever the bytes.
 */
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "haetae/alert.h"
#include "haetae/text.h"
#include "target.h"

static struct proc_table *procs;
static struct users *users;
static struct arena scratch;

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void start(void)
{
	struct proc_table_config config;

	proc_table_config_default(&config);
	config.proc_root = NULL;
	config.max_processes = 64;
	arena_init(&scratch, 4 << 20);
	check(proc_table_new(&config, &procs) == 0);
	check(users_new("/nonexistent", &users) == 0);
}

static void read_fields(const struct field_context *context)
{
	const struct field *field;
	struct value_set set;

	for (unsigned i = 0; (field = field_at(i)); i++) {
		struct field_argument arguments[] = {
			{ .kind = FIELD_ARG_NONE },
			{ .kind = FIELD_ARG_INDEX, .index = i % 40 },
			{ .kind = FIELD_ARG_KEY, .key = STR("PATH") },
		};

		for (size_t a = 0; a < ARRAY_LEN(arguments); a++) {
			field_read(field, context, &arguments[a], &set);
			check(set.state == FIELD_ABSENT || set.cnt > 0);
		}
	}
}

static void check_alert(const struct alert *alert)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, alert->json.p, (int)alert->json.n);
	check(object && !memchr(alert->json.p, '\n', alert->json.n));
	check(json_tokener_get_parse_end(tokener) == alert->json.n);
	json_object_put(object);
	json_tokener_free(tokener);
	for (const char *p = alert->text.p, *end = p + alert->text.n; p < end;) {
		unsigned n = utf8_sequence(p, end);

		check(n > 0 && (unsigned char)*p >= 0x20 && *p != 0x7f);
		p += n;
	}
}

static void raise_alert(const struct template *compiled, const struct field_context *context)
{
	const struct rule rule = {
		.name = STR("r\n\xff"),
		.file = STR("f"),
		.source = STR("syscall"),
		.priority = PRIORITY_NOTICE,
		.template = compiled,
	};
	const struct alert_context alert_context = { .fields = context,
						     .version = "0",
						     .boot_id = "b" };
	struct alert *alert;

	if (alert_new(&rule, &alert_context, &alert) < 0)
		return;
	check_alert(alert);
	alert_free(alert);
}

static void run_record(const struct template *compiled, const uint8_t *data, size_t size)
{
	struct event event = { .scratch = &scratch, .number = 1 };
	const struct field_context context = { .event = &event,
					       .procs = procs,
					       .users = users,
					       .hostname = "h",
					       .source = "syscall" };
	void *record = malloc(size ? size : 1); /* aligned, and of the exact size */

	check(record);
	if (size)
		memcpy(record, data, size);
	arena_reset(&scratch);
	if (event_decode(&event, record, (uint32_t)size) == 0) {
		proc_table_apply(procs, &event);
		if (!(event.schema->flags & EVENT_STATE)) {
			read_fields(&context);
			raise_alert(compiled, &context);
		}
	}
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t n = newline ? (size_t)(newline - data) : size;
	const struct template *compiled;
	struct arena arena;
	struct diags diags;

	if (size > 1u << 20)
		return 0;
	if (!procs)
		start();
	arena_init(&arena, 1 << 20);
	diags_init(&diags);
	compiled = template_compile(&arena, (struct str){ (const char *)data, (uint32_t)n },
				    &SPAN_NONE, &diags);
	check(compiled || diags_has_errors(&diags));
	if (compiled && newline)
		run_record(compiled, newline + 1, size - n - 1);
	diags_done(&diags);
	arena_done(&arena);
	return 0;
}
