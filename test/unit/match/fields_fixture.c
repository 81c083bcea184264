/*
 * See fields_fixture.h. A fixture owns its table, its names and its memory.
 */
#include <criterion/criterion.h>

#include "fields_fixture.h"

#include <stdio.h>

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "we");
	cr_assert(out);
	fputs(text, out);
	fclose(out);
}

void fixture_init(struct fields_fixture *fixture)
{
	struct proc_table_config config;

	memset(fixture, 0, sizeof(*fixture));
	strcpy(fixture->etc, "/tmp/haetae-fields-XXXXXX");
	cr_assert(mkdtemp(fixture->etc));
	write_file(fixture->etc, "passwd",
		   "root:x:0:0::/root:/bin/bash\nalice:x:1000:50::/home/alice:/bin/sh\n");
	write_file(fixture->etc, "group", "root:x:0:\nstaff:x:50:\n");
	arena_init(&fixture->scratch, 4u << 20);
	arena_init(&fixture->compiled, 4u << 20);
	buf_init(&fixture->text, 1u << 20);
	proc_table_config_default(&config);
	config.proc_root = NULL;
	cr_assert_eq(proc_table_new(&config, &fixture->procs), 0);
	cr_assert_eq(users_new(fixture->etc, &fixture->users), 0);
	fixture->event.scratch = &fixture->scratch;
	fixture->event.wall_offset_ns = FIXTURE_WALL_OFFSET_NS;
	fixture->event.number = 7;
	fixture->context = (struct field_context){
		.event = &fixture->event,
		.procs = fixture->procs,
		.users = fixture->users,
		.hostname = "host-1",
		.source = "syscall",
	};
}

void fixture_done(struct fields_fixture *fixture)
{
	char path[128];

	proc_table_free(fixture->procs);
	users_free(fixture->users);
	arena_done(&fixture->scratch);
	arena_done(&fixture->compiled);
	buf_done(&fixture->text);
	snprintf(path, sizeof(path), "%s/passwd", fixture->etc);
	unlink(path);
	snprintf(path, sizeof(path), "%s/group", fixture->etc);
	unlink(path);
	rmdir(fixture->etc);
}

static uint64_t start_of(uint32_t pid)
{
	return pid * 1000000000ULL;
}

void fixture_begin(struct fields_fixture *fixture, enum event_type type,
		   const struct fixture_program *by)
{
	struct wire_header *header;

	record_begin(&fixture->record, type);
	header = fixture->record.header;
	header->time_ns = 100000000000ULL;
	header->pid = header->tid = header->ns_pid = header->ns_tid = by->pid;
	header->parent_pid = header->ns_parent_pid = by->parent_pid;
	header->start_ns = start_of(by->pid);
	header->parent_start_ns = start_of(by->parent_pid);
	header->session_id = header->ns_session_id = by->session_id;
	header->group_id = header->ns_group_id = by->group_id;
	header->exec_id = 2;
	memset(header->comm, 0, sizeof(header->comm));
	memcpy(header->comm, by->comm, strnlen(by->comm, sizeof(header->comm)));
}

void fixture_event(struct fields_fixture *fixture)
{
	arena_reset(&fixture->scratch);
	cr_assert_eq(record_decode(&fixture->record, &fixture->event), 0);
	proc_table_apply(fixture->procs, &fixture->event);
}

void fixture_run(struct fields_fixture *fixture, const struct fixture_program *program)
{
	struct record_builder *record = &fixture->record;

	fixture_begin(fixture, EVENT_EXECVE, program);
	record_put_number(record, "res", 0);
	record_put_text(record, "exe", program->exe);
	record_put_vector(record, "args", program->args);
	if (program->env[0])
		record_put_vector(record, "env", program->env);
	if (program->cut_args)
		record_cut(record, "args");
	record_put_path(record, "cwd", "/work");
	record_put_path(record, "trusted_exepath", program->exepath);
	record_put_text(record, "filename", program->exe);
	record_put_number(record, "exe_ino", 4711);
	record_put_number(record, "exe_ino_ctime", FIXTURE_WALL_OFFSET_NS + 3000000000LL);
	record_put_number(record, "exe_ino_mtime", FIXTURE_WALL_OFFSET_NS + 2000000000LL);
	record_put_number(record, "flags", WIRE_FILE_WRITABLE | WIRE_FILE_UPPER_LAYER);
	record_put_number(record, "vm_rss", 2048);
	fixture_event(fixture);
}

/* "name", "name[argument]" or "name.argument". */
static const struct field *parse_name(struct fields_fixture *fixture, struct str name,
				      struct field_argument *argument)
{
	const struct field *field = field_find(name);
	struct str text = STR_NONE;
	bool is_dotted = false;

	if (!field) {
		field = field_find_prefix(name);
		cr_assert(field, "%.*s", STR_ARG(name));
		text = (struct str){ name.p + strlen(field->name) + 1,
				     name.n - (uint32_t)strlen(field->name) - 1 };
		is_dotted = text.p[-1] == '.';
		text.n -= is_dotted ? 0 : 1;
	}
	cr_assert_eq(field_argument_parse(&fixture->compiled, field, text.p ? &text : NULL,
					  is_dotted, argument),
		     0, "%.*s", STR_ARG(name));
	return field;
}

const char *fixture_read(struct fields_fixture *fixture, const char *name)
{
	struct field_argument argument;
	const struct field *field = parse_name(fixture, str_from(name), &argument);
	struct value_set set;

	buf_clear(&fixture->text);
	field_read(field, &fixture->context, &argument, &set);
	if (set.state == FIELD_PENDING)
		return "<pending>";
	if (set.state != FIELD_VALUE)
		return "<absent>";
	buf_puts(&fixture->text, "");
	for (uint32_t i = 0; i < set.cnt; i++) {
		if (i)
			buf_puts(&fixture->text, " | ");
		value_format(field, &set.values[i], &fixture->text);
		/* evt.rawarg has the type of its parameter. */
		if (strcmp(field->name, "evt.rawarg") != 0)
			cr_expect_eq(set.values[i].type, field->type, "%s: type", name);
	}
	return fixture->text.p;
}

void fixture_expect(struct fields_fixture *fixture, const char *what,
		    const struct fixture_case *cases)
{
	for (; cases->name; cases++)
		cr_expect_str_eq(fixture_read(fixture, cases->name), cases->want,
				 "%s: %s is '%s', not '%s'", what, cases->name,
				 fixture_read(fixture, cases->name), cases->want);
}
