/*
 * The decoder: well-formed records, records that are wrong in each way there is, and every byte of
 * a record changed to other values: whatever is accepted must be readable.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "record_builder.h"

static struct record_builder builder;
static struct arena scratch;

static struct event new_event(void)
{
	arena_init(&scratch, 1 << 20);
	return (struct event){ .scratch = &scratch };
}

static uint64_t number(const struct event *event, unsigned param)
{
	uint64_t value = 0;

	cr_assert(event_number(event, param, &value), "parameter %u", param);
	return value;
}

static void build_openat(void)
{
	record_begin(&builder, EVENT_OPENAT);
	record_put_number(&builder, "fd", 3);
	record_put_number(&builder, "dirfd", -100);
	record_put_text(&builder, "name", "passwd");
	record_put_number(&builder, "flags", 0x80000);
	record_put_number(&builder, "ino", 77);
	record_put_path(&builder, "path", "/etc/passwd");
	record_put_path(&builder, "dirpath", "/etc");
}

static void build_execve(void)
{
	static const char *const args[] = { "-c", "echo a", "", NULL };

	record_begin(&builder, EVENT_EXECVE);
	record_put_number(&builder, "res", 0);
	record_put_text(&builder, "exe", "/bin/sh");
	record_put_vector(&builder, "args", args);
	record_put_path(&builder, "cwd", "/");
	record_put_number(&builder, "flags", WIRE_FILE_WRITABLE);
	record_put_path(&builder, "trusted_exepath", "/usr/bin/dash");
	record_put_text(&builder, "filename", "/bin/sh");
}

static void build_connect(void)
{
	record_begin(&builder, EVENT_CONNECT);
	record_put_number(&builder, "res", -115);
	record_put_tuple(&builder, "tuple", "10.0.0.1:4000", "1.1.1.1:443", IPPROTO_TCP);
	record_put_number(&builder, "fd", 5);
	record_put_unix(&builder, "addr", "/run/x.sock");
}

Test(decode, reads_what_was_written)
{
	struct event event = new_event();

	build_openat();
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(event.code, EVENT_OPENAT);
	cr_expect_str_eq(event.schema->name, "openat");
	cr_expect_eq((int64_t)number(&event, PARAM_OPENAT_dirfd), -100);
	cr_expect_eq(number(&event, PARAM_OPENAT_ino), 77);
	cr_expect(str_eq_text(event_string(&event, PARAM_OPENAT_name), "passwd"));
	cr_expect_null(event.params[PARAM_OPENAT_mode].p, "was not put");
	cr_expect_eq(event.cut_mask, 0);
	cr_expect_eq(event_kpath_head(&event, PARAM_OPENAT_path)->component_cnt, 2);
	cr_expect_null(event_kpath_head(&event, PARAM_OPENAT_ino), "not a path");
	cr_expect_null(event_kpath_head(&event, 99));
	cr_expect_null(event_string(&event, 99).p);
	arena_done(&scratch);
}

Test(decode, header_parameters)
{
	struct event event = new_event();

	build_execve();
	builder.header->tid = 11;
	builder.header->pid = 12;
	builder.header->parent_pid = 13;
	builder.header->tty = 0x8801;
	builder.header->ns_group_id = 14;
	builder.header->group_id = 15;
	builder.header->loginuid = 1000;
	builder.header->uid = 1;
	builder.header->euid = 16;
	builder.header->gid = 2;
	builder.header->egid = 17;
	builder.header->cap_inheritable = 18;
	builder.header->cap_permitted = 19;
	builder.header->cap_effective = 20;
	/* All 16 bytes, without a NUL: what no kernel writes. */
	memcpy(builder.header->comm, "0123456789abcdef", WIRE_COMM_LEN);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(number(&event, PARAM_EXECVE_tid), 11);
	cr_expect_eq(number(&event, PARAM_EXECVE_pid), 12);
	cr_expect_eq(number(&event, PARAM_EXECVE_ptid), 13);
	cr_expect_eq(number(&event, PARAM_EXECVE_tty), 0x8801);
	cr_expect_eq(number(&event, PARAM_EXECVE_vpgid), 14);
	cr_expect_eq(number(&event, PARAM_EXECVE_pgid), 15);
	cr_expect_eq(number(&event, PARAM_EXECVE_loginuid), 1000);
	cr_expect_eq(number(&event, PARAM_EXECVE_uid), 16, "effective");
	cr_expect_eq(number(&event, PARAM_EXECVE_gid), 17, "effective");
	cr_expect_eq(number(&event, PARAM_EXECVE_cap_inheritable), 18);
	cr_expect_eq(number(&event, PARAM_EXECVE_cap_permitted), 19);
	cr_expect_eq(number(&event, PARAM_EXECVE_cap_effective), 20);
	cr_expect(str_eq_text(event_string(&event, PARAM_EXECVE_comm), "0123456789abcdef"));
	cr_expect_null(event.params[PARAM_EXECVE_cgroups].p, "source NONE");
	cr_expect_eq(event.params[PARAM_EXECVE_args].n, sizeof("-c\0echo a\0"));
	arena_done(&scratch);
}

Test(decode, header_wins_over_the_table)
{
	struct event event = new_event();

	/* A parameter that the header gives is not read from the record. */
	build_execve();
	record_put_number(&builder, "pid", 666);
	record_put_text(&builder, "cgroups", "a source of NONE");
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(number(&event, PARAM_EXECVE_pid), 1000);
	cr_expect_null(event.params[PARAM_EXECVE_cgroups].p);
	arena_done(&scratch);
}

Test(decode, tuples)
{
	struct event event = new_event();
	struct wire_tuple tuple;
	struct str path;

	build_connect();
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_assert(event_tuple(&event, PARAM_CONNECT_tuple, &tuple, &path));
	cr_expect_eq(tuple.family, AF_INET);
	cr_expect_eq(tuple.remote_port, 443);
	cr_expect_null(path.p);
	cr_assert(event_tuple(&event, PARAM_CONNECT_addr, &tuple, &path));
	cr_expect(str_eq_text(path, "/run/x.sock"));
	cr_expect_not(event_tuple(&event, PARAM_CONNECT_res, &tuple, &path));
	cr_expect_not(event_tuple(&event, 99, &tuple, &path));
	arena_done(&scratch);
}

/* A program passes sizeof(struct sockaddr_un): the name ends at its NUL, not at the address's. */
Test(decode, unix_name_ends_at_its_nul)
{
	struct {
		struct wire_tuple tuple;
		char path[109];
	} address = { .tuple = { .family = AF_UNIX }, .path = "/run/x\0garbage" };
	struct event event = new_event();
	struct wire_tuple tuple;
	struct str path;

	record_begin(&builder, EVENT_CONNECT);
	record_put_bytes(&builder, "addr", &address, sizeof(address.tuple) + 109);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_assert(event_tuple(&event, PARAM_CONNECT_addr, &tuple, &path));
	cr_expect(str_eq_text(path, "/run/x"));
	arena_done(&scratch);
}

Test(decode, generic)
{
	struct event event = new_event();

	record_begin(&builder, EVENT_GENERIC);
	builder.header->syscall_nr = 101;
	record_put_number(&builder, "a0", 16);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(event.code, EVENT_CODE_SYSCALL + 101);
	builder.header->syscall_nr = WIRE_SYSCALL_MAX;
	cr_expect_eq(record_decode(&builder, &event), EVENT_E_TYPE);
	builder.header->syscall_nr = WIRE_NO_SYSCALL;
	cr_expect_eq(record_decode(&builder, &event), EVENT_E_TYPE);
	arena_done(&scratch);
}

Test(decode, older_and_newer_writers)
{
	struct event event = new_event();
	struct wire_param *table;
	uint32_t length;

	/* An older writer: the last parameters are missing. */
	build_openat();
	builder.header->param_cnt = PARAM_OPENAT_path;
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_null(event.params[PARAM_OPENAT_path].p);
	cr_expect_eq(number(&event, PARAM_OPENAT_ino), 77);

	/* A newer one: what we don't know may be anything, the last row of the table included. */
	record_begin(&builder, EVENT_UNLINK);
	table = (struct wire_param *)(builder.header + 1);
	table[PARAM_UNLINK__COUNT] = (struct wire_param){ 0xffff, 0x7fff };
	builder.header->param_cnt++;
	builder.used += 8;
	record_put_text(&builder, "path", "/x");
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect(str_eq_text(event_string(&event, PARAM_UNLINK_path), "/x"));

	/* Nothing of an event that was decoded before is left. */
	record_begin(&builder, EVENT_PROCEXIT);
	builder.header->param_cnt = 0;
	length = record_finish(&builder);
	cr_assert_eq(event_decode(&event, builder.bytes, length), 0);
	for (unsigned i = 0; i < WIRE_PARAM_MAX; i++)
		cr_expect_null(event.params[i].p);
	arena_done(&scratch);
}

Test(decode, cut_parameters)
{
	struct event event = new_event();

	build_openat();
	record_cut(&builder, "name");
	record_cut(&builder, "mode"); /* cut to nothing */
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(event.cut_mask, 1u << PARAM_OPENAT_name | 1u << PARAM_OPENAT_mode);
	cr_expect(str_eq_text(event_string(&event, PARAM_OPENAT_name), "passwd"));
	cr_expect_null(event.params[PARAM_OPENAT_mode].p);
	arena_done(&scratch);
}

/* Another process may write into an argument area while it is copied. */
Test(decode, vector_without_nul)
{
	struct event event = new_event();
	struct event plain = { 0 };

	record_begin(&builder, EVENT_EXECVE);
	record_put_bytes(&builder, "args", "-c\0evil", 7);
	cr_assert_eq(record_decode(&builder, &event), 0);
	cr_expect_eq(event.params[PARAM_EXECVE_args].n, 8);
	cr_expect_eq(memcmp(event.params[PARAM_EXECVE_args].p, "-c\0evil", 8), 0);
	cr_expect_eq(record_decode(&builder, &plain), EVENT_E_PARAM, "nowhere to put the copy");
	arena_done(&scratch);
}

enum target {
	HEADER_LENGTH,
	GIVEN_LENGTH,
	TYPE,
	PARAM_CNT,
	OFFSET,
	LENGTH,
	BYTES
};

static void damage(enum target target, const char *param, uint32_t value)
{
	const struct event_schema *schema = event_schema_get(EVENT_OPENAT);
	struct wire_param *entry = (struct wire_param *)(builder.header + 1);

	for (unsigned i = 0; param && strcmp(schema->params[i].name, param) != 0; i++)
		entry++;
	if (target == HEADER_LENGTH)
		builder.header->length = value;
	else if (target == TYPE)
		builder.header->type = (uint16_t)value;
	else if (target == PARAM_CNT)
		builder.header->param_cnt = (uint16_t)value;
	else if (target == OFFSET)
		entry->offset = (uint16_t)value;
	else if (target == LENGTH)
		entry->length = (uint16_t)value;
}

Test(decode, hostile_records)
{
	static const struct {
		const char *name;
		enum target target;
		const char *param;
		uint32_t value;
		const char *bytes;
		uint32_t n;
		int r;
	} cases[] = {
		{ "empty", GIVEN_LENGTH, NULL, 0, NULL, 0, EVENT_E_SHORT },
		{ "half a header", GIVEN_LENGTH, NULL, 100, NULL, 0, EVENT_E_SHORT },
		{ "given less than it says", GIVEN_LENGTH, NULL, 300, NULL, 0, EVENT_E_SHORT },
		{ "says less than a header", HEADER_LENGTH, NULL, 8, NULL, 0, EVENT_E_SHORT },
		{ "says 4 GiB", HEADER_LENGTH, NULL, UINT32_MAX, NULL, 0, EVENT_E_SHORT },
		{ "no room for its table", HEADER_LENGTH, NULL, sizeof(struct wire_header) + 8,
		  NULL, 0, EVENT_E_SHORT },
		{ "table beyond the record", PARAM_CNT, NULL, 0xffff, NULL, 0, EVENT_E_SHORT },
		{ "more parameters than allowed", PARAM_CNT, NULL, WIRE_PARAM_MAX + 1, NULL, 0,
		  EVENT_E_PARAM },
		{ "type 0", TYPE, NULL, EVENT_UNKNOWN, NULL, 0, EVENT_E_TYPE },
		{ "first unknown type", TYPE, NULL, EVENT__COUNT, NULL, 0, EVENT_E_TYPE },
		{ "type 65535", TYPE, NULL, 0xffff, NULL, 0, EVENT_E_TYPE },
		{ "offset in the header", OFFSET, "name", 0, NULL, 0, EVENT_E_PARAM },
		{ "offset in the table", OFFSET, "name", sizeof(struct wire_header), NULL, 0,
		  EVENT_E_PARAM },
		{ "offset beyond", OFFSET, "name", 0xffff, NULL, 0, EVENT_E_PARAM },
		{ "length beyond", LENGTH, "name", 0x7fff, NULL, 0, EVENT_E_PARAM },
		{ "number of 4 bytes", LENGTH, "fd", 4, NULL, 0, EVENT_E_PARAM },
		{ "number of 16 bytes", LENGTH, "fd", 16, NULL, 0, EVENT_E_PARAM },
		{ "string without NUL", LENGTH, "name", 3, NULL, 0, EVENT_E_PARAM },
		{ "path shorter than its head", BYTES, "path", 0, "\0\0\1\0", 4, EVENT_E_PARAM },
		{ "path with too few names", BYTES, "path", 0, "\0\0\2\0\2\0\0\0etc", 12,
		  EVENT_E_PARAM },
		{ "path with 65535 names", BYTES, "path", 0, "\0\0\xff\xff\0\0\0\0etc", 12,
		  EVENT_E_PARAM },
		{ "path whose name has no NUL", BYTES, "path", 0, "\0\0\1\0\1\0\0\0etc", 11,
		  EVENT_E_PARAM },
		{ "root above all components", BYTES, "path", 0, "\0\0\1\0\2\0\0\0etc", 12,
		  EVENT_E_PARAM },
		{ "path of an unknown kind", BYTES, "path", 0, "\0\7\1\0\1\0\0\0etc", 12,
		  EVENT_E_PARAM },
		{ "path of the last kind", BYTES, "path", 0, "\0\6\1\0\1\0\0\0etc", 12, 0 },
		{ "the root", BYTES, "path", 0, "\0\0\0\0\0\0\0\0", 8, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event event = new_event();
		uint32_t length;
		int r;

		build_openat();
		if (cases[i].target == BYTES)
			record_put_bytes(&builder, cases[i].param, cases[i].bytes, cases[i].n);
		builder.used += 256; /* room for a longer table */
		length = record_finish(&builder);
		if (cases[i].target == GIVEN_LENGTH)
			length = cases[i].value;
		else
			damage(cases[i].target, cases[i].param, cases[i].value);
		r = event_decode(&event, builder.bytes, length);
		cr_expect_eq(r, cases[i].r, "%s: %d", cases[i].name, r);
		arena_done(&scratch);
	}
}

/* A KPATH's head is read in place. */
Test(decode, misaligned_path)
{
	struct event event = new_event();
	struct wire_param *table;

	build_openat();
	table = (struct wire_param *)(builder.header + 1);
	record_put_bytes(&builder, "path", "\0\0\0\0\0\0\0\0\0", 9);
	table[PARAM_OPENAT_path].offset++;
	table[PARAM_OPENAT_path].length--;
	cr_expect_eq(record_decode(&builder, &event), EVENT_E_PARAM);
	arena_done(&scratch);
}

/* Reads everything that an accepted event offers. */
static void touch(const struct event *event, struct buf *out)
{
	uint64_t value;
	struct wire_tuple tuple;
	struct str path;

	buf_clear(out);
	for (unsigned i = 0; i < WIRE_PARAM_MAX; i++) {
		(void)event_number(event, i, &value);
		(void)event_tuple(event, i, &tuple, &path);
		(void)event_kpath(event, i, -1, i % 2);
		if (event->schema && i < event->schema->param_cnt)
			(void)event_param_format(event, i, out);
	}
	event_args_format(event, out);
	event_dump(event, out);
}

/* Each byte of the record in turn becomes each of these; sanitizers see what is read too far. */
static void mutate(const char *name)
{
	static const uint8_t values[] = { 0, 1, 2, 7, 0x2f, 0x7f, 0x80, 0xff };
	struct event event = new_event();
	struct buf out;
	uint32_t length = record_finish(&builder);
	uint8_t *copy = malloc(length); /* exact: one byte behind it is an error */
	unsigned accepted = 0, refused = 0;

	cr_assert_not_null(copy);
	buf_init(&out, 1 << 20);
	for (uint32_t at = 0; at < length; at++) {
		for (size_t k = 0; k < ARRAY_LEN(values); k++) {
			memcpy(copy, builder.bytes, length);
			copy[at] = values[k];
			arena_reset(&scratch);
			if (event_decode(&event, copy, length) == 0) {
				accepted++;
				touch(&event, &out);
			} else {
				refused++;
			}
		}
	}
	/* And every shorter record. */
	memcpy(copy, builder.bytes, length);
	for (uint32_t shorter = 0; shorter < length; shorter++)
		cr_expect_eq(event_decode(&event, copy, shorter), EVENT_E_SHORT, "%s %u", name,
			     shorter);
	cr_expect_gt(accepted, 100, "%s", name);
	cr_expect_gt(refused, 100, "%s", name);
	free(copy);
	buf_done(&out);
	arena_done(&scratch);
}

Test(decode, mutations)
{
	build_openat();
	mutate("openat");
	build_execve();
	mutate("execve");
	build_connect();
	mutate("connect");
}

/* Every type: an empty record and a full table of nonsense. */
Test(decode, every_type)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	for (unsigned type = EVENT_GENERIC; type < EVENT__COUNT; type++) {
		struct event event = new_event();
		const struct event_schema *schema = event_schema_get((enum event_type)type);

		record_begin(&builder, (enum event_type)type);
		builder.header->syscall_nr = 0;
		cr_expect_eq(record_decode(&builder, &event), 0, "%s", schema->name);
		touch(&event, &out);
		cr_expect_eq(schema->type, (enum event_type)type);
		cr_expect_not_null(schema->doc);
		for (unsigned i = 0; i < schema->param_cnt; i++) {
			record_begin(&builder, (enum event_type)type);
			builder.header->syscall_nr = 0;
			record_put_bytes(&builder, schema->params[i].name, "\0\0\0\0\0\0\0", 8);
			if (record_decode(&builder, &event) == 0)
				touch(&event, &out);
		}
		arena_done(&scratch);
	}
	cr_expect_null(event_schema_get(EVENT__COUNT));
	cr_expect_str_eq(event_class_name(CLASS_NETWORK), "network");
	buf_done(&out);
}
