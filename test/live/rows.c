/*
 * Runs a table of calls and compares what evt.args shows; see rows.h.
 */
#include "rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "haetae/buf.h"
#include "haetae/text.h"

#define ROWS_MAX  128
#define NOTES_CNT 8
#define TEXT_MAX  16384

struct row_notes {
	struct facts facts;
	char directory[256];
	char texts[NOTES_CNT][128];
	int64_t results[ROWS_MAX];
	bool has_ia32;
};

static const struct row *current_rows;
static size_t current_cnt;
static void (*current_prepare)(void);
static struct row_notes *current_notes;
static char *low_memory; /* the actor's, below 4 GiB */

void rows_note(unsigned number, const char *format, ...)
{
	va_list args;

	ACTOR_CHECK(number < NOTES_CNT);
	va_start(args, format);
	vsnprintf(current_notes->texts[number], sizeof(current_notes->texts[0]), format, args);
	va_end(args);
}

/* BPF reads only memory that is there (it can't wait for a page), and a call that fails early may
 * not have touched what it was given; so all that the rows point to is touched before. */
static void touch_memory(void)
{
	char byte;

	for (size_t i = 0; i < current_cnt; i++) {
		for (size_t a = 0; a < 6; a++) {
			struct iovec there = { (void *)(uintptr_t)current_rows[i].arguments[a], 1 };

			(void)process_vm_readv(getpid(), &(struct iovec){ &byte, 1 }, 1, &there, 1,
					       0);
		}
	}
}

/* ---- 32-bit calls --------------------------------------------------------------------------- */

#define LOW_BYTES 256 /* of what one argument points to */

#ifdef __x86_64__
static long ia32_call(unsigned number, const uint64_t a[6])
{
	long result;

	/* The sixth argument would be in rbp. */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((long)number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* In a child: without CONFIG_IA32_EMULATION the instruction is a fault. getpid is 20. */
static bool has_ia32(void)
{
	pid_t pid = fork();

	ACTOR_CHECK(pid >= 0);
	if (pid == 0)
		_exit(ia32_call(20, (uint64_t[6]){ 0 }) == getpid() ? 0 : 1);
	return live_wait(pid) == 0;
}

static void make_low_memory(void)
{
	low_memory = mmap(NULL, 6 * LOW_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ACTOR_CHECK(low_memory != MAP_FAILED);
	memset(low_memory, 0, 6 * LOW_BYTES);
}

static long make_ia32_call(const struct row *row)
{
	uint64_t arguments[6];

	for (size_t i = 0; i < 6; i++) {
		struct iovec from = { (void *)(uintptr_t)row->arguments[i], LOW_BYTES };
		struct iovec to = { low_memory + i * LOW_BYTES, LOW_BYTES };

		arguments[i] = row->arguments[i];
		if (arguments[i] > UINT32_MAX &&
		    process_vm_readv(getpid(), &to, 1, &from, 1, 0) > 0)
			arguments[i] = (uint64_t)(uintptr_t)to.iov_base;
	}
	return ia32_call(row->ia32, arguments);
}
#else
static bool has_ia32(void)
{
	return false;
}

static void make_low_memory(void)
{
}

static long make_ia32_call(const struct row *row)
{
	(void)row;
	return -ENOSYS;
}
#endif

static void rows_prepare(void *data)
{
	current_notes = data;
	ACTOR_CHECK(getcwd(current_notes->directory, sizeof(current_notes->directory)));
	if (current_prepare)
		current_prepare();
	touch_memory();
	current_notes->has_ia32 = has_ia32();
	make_low_memory();
	facts_read(&current_notes->facts);
}

static void rows_act(void *data)
{
	struct row_notes *notes = data;

	for (size_t i = 0; i < current_cnt; i++) {
		const uint64_t *a = current_rows[i].arguments;
		long result;

		if (current_rows[i].ia32 && !notes->has_ia32)
			continue;
		live_mark(i);
		if (current_rows[i].ia32) {
			notes->results[i] = make_ia32_call(&current_rows[i]);
		} else {
			result = syscall(current_rows[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			notes->results[i] = result == -1 ? -errno : result;
		}
		live_mark(LIVE_NO_MARK);
	}
}

static void put_result(int64_t result, struct buf *out)
{
	buf_put_s64(out, result);
	if (result < 0)
		buf_printf(out, "(%s)", strerrorname_np((int)-result));
}

/* The row's text with what is behind its percent signs. */
static void expand(const struct row_notes *notes, size_t number, struct buf *out)
{
	for (const char *p = current_rows[number].args; *p; p++) {
		if (*p != '%') {
			buf_putc(out, *p);
			continue;
		}
		p++;
		if (*p == 'r')
			put_result(notes->results[number], out);
		else if (*p == 'd')
			buf_puts(out, notes->directory);
		else if (*p >= '0' && *p < '0' + NOTES_CNT)
			buf_puts(out, notes->texts[*p - '0']);
		else
			buf_putc(out, *p);
	}
}

/* The kernel has no such call, or the file system no such thing. */
static bool is_missing(int64_t result)
{
	return result == -ENOSYS || result == -EOPNOTSUPP;
}

static void check_row(struct live *live, size_t number)
{
	const struct row *row = &current_rows[number];
	const struct row_notes *notes = live->shared;
	int code = event_code_find(str_from(syscall_name((unsigned)row->nr)));
	const struct event *event = live_marked(live, number, (unsigned)code);
	_cleanup_(buf_done) struct buf want = { 0 }, got = { 0 };

	if (row->ia32 && !notes->has_ia32)
		return;
	buf_init(&want, TEXT_MAX);
	buf_init(&got, TEXT_MAX);
	cr_assert_not_null(event, "%s", row->name);
	cr_expect_eq(live_count_marked(live, number, EVENT_CODE_NEVER), 1, "%s", row->name);
	cr_expect(is_missing(notes->results[number]) || (notes->results[number] < 0) == row->fails,
		  "%s: the call gave %lld", row->name, (long long)notes->results[number]);
	cr_expect((event->header->ring == 0) == !!(event->schema->flags & EVENT_LIFECYCLE),
		  "%s: ring %u", row->name, event->header->ring);
	cr_expect(!(event->header->flags & WIRE_COMPAT32) == !row->ia32, "%s: flags 0x%x",
		  row->name, event->header->flags);
	expect_header(event, &notes->facts, notes->results[number], row->name);
	expand(notes, number, &want);
	event_args_format(event, &got);
	cr_expect(text_is_like(got.p, want.p), "%s:\n got  %s\n want %s", row->name, got.p, want.p);
}

void rows_run(const struct row *rows, size_t cnt, void (*prepare)(void))
{
	const char *names[ROWS_MAX + 1] = { 0 };
	struct live live;

	cr_assert_leq(cnt, ROWS_MAX);
	current_rows = rows;
	current_cnt = cnt;
	current_prepare = prepare;
	for (size_t i = 0; i < cnt; i++)
		names[i] = syscall_name((unsigned)rows[i].nr);
	live_run(&live,
		 &(struct live_options){ .syscalls = names,
					 .prepare = rows_prepare,
					 .shared_bytes = sizeof(struct row_notes) },
		 rows_act);
	for (size_t i = 0; i < cnt; i++)
		check_row(&live, i);
	live_done(&live);
}
