/*
 * See filter_cases.h. Owns nothing; a case's ruleset, filter and memory live as long as its run.
 */
#include "filter_cases.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>

#define PICK(draw, list) ((list)[pick((draw), ARRAY_LEN(list))])

/* ---- numbers -----------------------------------------------------------------------------------
 */

static unsigned pick(struct draw *draw, size_t below)
{
	if (draw->size) {
		unsigned byte = *draw->data++;

		draw->size--;
		return (unsigned)(byte % below);
	}
	draw->is_dry = true;
	draw->seed = draw->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((draw->seed >> 33) % below);
}

/* ---- texts -------------------------------------------------------------------------------------
 */

static const char *const names[] = { "etc",	   "shadow", "ssh", "usr", "bin",
				     "ssh_host_x", "sh",     "a",   "tmp", "b.conf" };
static const char *const comms[] = { "sh", "cat", "sshd", "a", "fifteen-letters" };
static const char *const types[] = { "openat", "openat",   "open",    "openat2", "creat",
				     "dup2",   "dup3",	   "ptrace",  "socket",	 "prctl",
				     "kill",   "unlinkat", "connect", "connect", "accept4",
				     "sendto", "chmod",	   "mknodat" };

static void put_path(struct draw *draw, char *out, size_t size, unsigned least)
{
	unsigned cnt = least + pick(draw, 4);
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < cnt && n + 20 < size; i++)
		n += (size_t)snprintf(out + n, size - n, "/%s", PICK(draw, names));
	if (n == 0)
		(void)snprintf(out, size, "/");
}

static void put_path_leaf(struct draw *draw, char *out, size_t size)
{
	static const char *const fields[] = { "fd.name", "fd.name", "fd.directory", "fd.filename" };
	static const char *const ops[] = { "=",	       "!=",   "in",	 "startswith", "endswith",
					   "contains", "glob", "pmatch", "in" };
	const char *field = PICK(draw, fields), *op = PICK(draw, ops);
	char one[64], other[64];

	put_path(draw, one, sizeof(one), 1);
	put_path(draw, other, sizeof(other), 1);
	if (pick(draw, 3) == 0)
		(void)snprintf(one, sizeof(one), "%s", PICK(draw, names));
	if (pick(draw, 4) == 0)
		strcat(one, "/");
	if (strcmp(op, "glob") == 0 && pick(draw, 2))
		strcat(one, pick(draw, 2) ? "*" : "/*/ssh*");
	if (strcmp(op, "in") == 0 || strcmp(op, "pmatch") == 0)
		(void)snprintf(out, size, "%s %s (%s, %s)", field, op, one, other);
	else
		(void)snprintf(out, size, "%s %s %s", field, op, one);
}

static const char *const plain_leaves[] = {
	"evt.res = SUCCESS",
	"evt.res != SUCCESS",
	"evt.res in (ENOENT, EACCES)",
	"evt.rawres >= 0",
	"evt.rawres < 0",
	"evt.rawres = 3",
	"evt.rawres in (-2, 3)",
	"evt.failed = true",
	"evt.failed = false",
	"fd.num >= 0",
	"fd.num < 0",
	"fd.num = -1",
	"fd.num in (3, 4)",
	"fd.typechar = f",
	"evt.is_open_read = true",
	"evt.is_open_read = false",
	"evt.is_open_write = true",
	"evt.is_open_write != true",
	"evt.is_open_create = true",
	"evt.arg.flags contains O_TRUNC",
	"evt.arg.flags contains O_CREAT",
	"not evt.arg.flags contains O_CREAT",
	"evt.arg.flags contains O_F_CREATED",
	"evt.arg.flags contains O_RD",
	"evt.arg.mode contains S_ISUID",
	"evt.arg.mode contains S_IS",
	"evt.arg.mode contains S_IFBLK",
	"fd.name_truncated = true",
	"fd.name_truncated = false",
	"fd.name_truncated != true",
	"fd.nameraw contains ..",
	"fd.nameraw endswith /shadow",
	"fd.nameraw startswith /etc/",
	"fd.nameraw glob /*/ssh/*",
	"fd.filename startswith ssh_host_",
	"fd.filename endswith .conf",
	"fd.filename glob ssh*",
	"fd.filename glob *host_x",
	"fd.name endswith dow",
	"fd.directory endswith /ssh",
	"fd.directory endswith h",
	"fd.name glob *.conf",
	"proc.pname = sh",
	"proc.exepath = /bin/sh",
	"container.id != host",
	"user.name = root",
	"user.uid = 0",
	"user.uid != 0",
	"user.uid in (0, 1000)",
	"user.uid > 10",
	"proc.name startswith s",
	"proc.name startswith ssh",
	"proc.name startswith fifteen",
	"not proc.name startswith cat",
	"proc.name = \"\"",
	"evt.rawarg.newfd in (0, 1, 2)",
	"evt.rawarg.newfd = 1",
	"evt.rawarg.newfd != 1",
	"evt.rawarg.oldfd = 3",
	"evt.arg.request = PTRACE_ATTACH",
	"evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE, 77)",
	"evt.arg.request != PTRACE_TRACEME",
	"evt.rawarg.request = 16",
	"evt.arg.option = PR_SET_NAME",
	"evt.arg.option != PR_SET_NAME",
	"evt.arg.domain contains AF_INET",
	"evt.arg.domain = AF_PACKET",
	"evt.arg.sig = SIGKILL",
	"evt.arg.sig in (SIGKILL, SIGTERM)",
	"fd.name exists",
	"fd.typechar in (4, 6)",
	"fd.typechar != u",
	"fd.type = unix",
	"fd.type in (ipv4, unix)",
	"fd.sockfamily = ip",
	"fd.rport = 443",
	"fd.sport in (22, 443)",
	"fd.lport != 22",
	"fd.port = 22",
	"fd.cport in (4444, 22)",
	"fd.rip = 10.0.0.1",
	"fd.sip in (10.0.0.1, 127.0.0.1)",
	"fd.lip = 127.0.0.1",
	"fd.snet = 10.0.0.0/8",
	"fd.rnet in (10.0.0.0/16, 2001:db8::/32)",
	"fd.net = 0.0.0.0/0",
	"fd.ip = 2001:db8::1",
	"fd.cip != 10.0.0.1",
};

static void put_leaf(struct draw *draw, char *out, size_t size)
{
	switch (pick(draw, 5)) {
	case 0:
	case 1:
		put_path_leaf(draw, out, size);
		return;
	case 2:
		(void)snprintf(out, size,
			       pick(draw, 2) ? "proc.name in (%s, %s)" : "proc.name = %s",
			       PICK(draw, comms), PICK(draw, comms));
		if (pick(draw, 4) == 0)
			(void)snprintf(out, size, "proc.name != %s", PICK(draw, comms));
		return;
	default:
		(void)snprintf(out, size, "%s", PICK(draw, plain_leaves));
	}
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static uint8_t draw_node(struct draw *draw, struct case_rules *rules, unsigned depth)
{
	uint8_t number = (uint8_t)rules->node_cnt++;
	struct case_node *node = &rules->nodes[number];
	unsigned kind = draw->is_dry && draw->data ? 0 : pick(draw, 8);

	if (depth == 0 || kind < 2 || rules->node_cnt + 2 * depth + 2 > CASE_NODES) {
		node->kind = CASE_LEAF;
		put_leaf(draw, node->text, sizeof(node->text));
		return number;
	}
	node->kind = kind < 6 ? CASE_AND : kind < 7 ? CASE_OR : CASE_NOT;
	node->children[0] = draw_node(draw, rules, depth - 1);
	node->children[1] = node->kind == CASE_NOT ? 0 : draw_node(draw, rules, depth - 1);
	return number;
}

void case_draw_rules(struct draw *draw, struct case_rules *rules)
{
	*rules = (struct case_rules){ .rule_cnt = 1 + pick(draw, 3) };
	for (unsigned i = 0; i < rules->rule_cnt; i++)
		rules->roots[i] = draw_node(draw, rules, 3);
}

static void put_node(const struct case_rules *rules, uint8_t number, struct buf *out)
{
	const struct case_node *node = &rules->nodes[number];

	if (node->kind == CASE_LEAF) {
		buf_puts(out, node->text);
		return;
	}
	buf_puts(out, node->kind == CASE_NOT ? "not (" : "(");
	put_node(rules, node->children[0], out);
	if (node->kind != CASE_NOT) {
		buf_puts(out, node->kind == CASE_AND ? " and " : " or ");
		put_node(rules, node->children[1], out);
	}
	buf_putc(out, ')');
}

void case_put_rules(const struct case_rules *rules, struct buf *out)
{
	for (unsigned i = 0; i < rules->rule_cnt; i++) {
		buf_printf(out, "- rule: r%u\n  desc: d\n  output: o\n  priority: INFO\n", i);
		buf_puts(out,
			 "  condition: >\n    evt.type in (openat, open, openat2, creat, dup2, "
			 "dup3, ptrace, socket, prctl, kill, unlinkat, connect, accept4, sendto, "
			 "chmod, mknodat) "
			 "and ");
		put_node(rules, rules->roots[i], out);
		buf_putc(out, '\n');
	}
}

/* ---- events ------------------------------------------------------------------------------------
 */

static const int64_t results[] = { 3, 3, 3, 0, -2, -13, -4000, 4, 1 };

/* The text that a program may have passed for a file that stands at `path`. */
static void put_passed(struct draw *draw, const char *path, char *text, size_t size,
		       char *directory, size_t directory_size)
{
	const char *slash = strrchr(path, '/');

	directory[0] = '\0';
	switch (pick(draw, 8)) {
	case 0: /* a symlink, or a race */
		put_path(draw, text, size, 0);
		return;
	case 1:
		(void)snprintf(text, size, "/%s/..%s", PICK(draw, names), path);
		return;
	case 2:
		(void)snprintf(text, size, "/%s%s", pick(draw, 2) ? "/" : "./", path + 1);
		return;
	case 3:
		(void)snprintf(text, size, "%s%s", path, pick(draw, 2) ? "/" : "/.");
		return;
	case 4:
	case 5:
		(void)snprintf(directory, directory_size, "%.*s",
			       slash == path ? 1 : (int)(slash - path), path);
		(void)snprintf(text, size, "%s", slash[1] ? slash + 1 : ".");
		if (pick(draw, 4) == 0)
			(void)snprintf(text, size, "../%s", PICK(draw, names));
		return;
	default:
		(void)snprintf(text, size, "%s", path);
	}
}

static void put_object(struct draw *draw, struct record_builder *record, const char *param,
		       const char *path)
{
	char deep[1024] = "";

	switch (pick(draw, 12)) {
	case 0:
		record_put_object(record, param, path, WIRE_PATH_TRUNCATED, 0);
		return;
	case 1:
		record_put_object(record, param, path, WIRE_PATH_DELETED, 0);
		return;
	case 2:
		record_put_object(record, param, path, WIRE_PATH_DETACHED, 0);
		return;
	case 3:
		record_put_object(record, param, path, 0, path[1] ? 1 : 0);
		return;
	case 4:
		for (unsigned i = 0; i < 30; i++)
			strcat(deep, "/d");
		strcat(deep, path);
		record_put_object(record, param, deep, 0, 0);
		return;
	default:
		record_put_path(record, param, path);
	}
}

static void put_open(struct draw *draw, struct record_builder *record, enum event_type type)
{
	static const int accesses[] = { O_RDONLY, O_WRONLY, O_RDWR, 3 };
	char path[128], text[256], directory[128];

	put_path(draw, path, sizeof(path), pick(draw, 8) != 0);
	put_passed(draw, path, text, sizeof(text), directory, sizeof(directory));
	record_put_number(record, "fd", record->header->result);
	if (type != EVENT_CREAT && (type != EVENT_OPENAT2 || pick(draw, 8)))
		record_put_number(record, "flags",
				  PICK(draw, accesses) | (pick(draw, 3) ? 0 : O_CREAT | O_TRUNC));
	record_put_text(record, "name", text);
	if (pick(draw, 16) == 0)
		record_cut(record, "name");
	if (record->header->result >= 0 && pick(draw, 16)) {
		put_object(draw, record, "path", path);
		record_put_number(record, type == EVENT_CREAT ? "creat_flags" : "file_bits",
				  pick(draw, 2) ? WIRE_FILE_CREATED : 0);
	}
	if (directory[0] && pick(draw, 16))
		put_object(draw, record, "dirpath", directory);
}

/* Ends of any family, known or not, whoever began: also what the probes never give together. */
static void put_socket(struct draw *draw, struct record_builder *record)
{
	static const uint16_t families[] = {
		AF_INET, AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, 45, 77
	};
	static const uint16_t ports[] = { 22, 443, 4444, 0 };
	static const char *const v4[] = { "10.0.0.1", "10.0.9.9", "10.9.9.9", "127.0.0.1" };
	static const char *const v6[] = { "2001:db8::1", "2001:db9::1", "::1", "::" };
	struct wire_tuple tuple = { .family = PICK(draw, families),
				    .local_port = PICK(draw, ports),
				    .remote_port = PICK(draw, ports),
				    .flags = (uint8_t)(pick(draw, 32) << 1) };
	const char *const *texts = tuple.family == AF_INET6 ? v6 : v4;
	int family = tuple.family == AF_INET6 ? AF_INET6 : AF_INET;

	(void)inet_pton(family, texts[pick(draw, 4)], tuple.local_address);
	(void)inet_pton(family, texts[pick(draw, 4)], tuple.remote_address);
	if (pick(draw, 12))
		record_put_bytes(record, "tuple", &tuple, sizeof(tuple));
	else if (record->header->type == EVENT_CONNECT)
		record_put_bytes(record, "addr", &tuple, sizeof(tuple));
}

static void draw_event(struct draw *draw, struct record_builder *record)
{
	static const uint32_t uids[] = { 0, 0, 33, 1000, UINT32_MAX };
	static const int64_t numbers[] = { 0, 1, 2, 3, 9, 15, 16, 17, 77, 0x4206, 100000 };
	static const int64_t modes[] = { 0, 0644, 04755, 02755, 01777, 0060600, 0020600, 0100644 };
	int code = event_code_find(str_from(PICK(draw, types)));

	if (code < 0 || code >= EVENT__COUNT)
		code = EVENT_OPENAT; /* an architecture without the call */
	record_begin(record, (enum event_type)code);
	record->header->result = PICK(draw, results);
	record->header->euid = record->header->uid = PICK(draw, uids);
	memset(record->header->comm, 0, WIRE_COMM_LEN);
	strcpy(record->header->comm, PICK(draw, comms));
	switch (code) {
	case EVENT_OPEN:
	case EVENT_OPENAT:
	case EVENT_OPENAT2:
	case EVENT_CREAT:
		put_open(draw, record, (enum event_type)code);
		return;
	case EVENT_DUP2:
	case EVENT_DUP3:
		record_put_number(record, "res", record->header->result);
		record_put_number(record, "oldfd", PICK(draw, numbers));
		record_put_number(record, "newfd", pick(draw, 5) - 1);
		return;
	case EVENT_PTRACE:
		record_put_number(record, "request", PICK(draw, numbers));
		return;
	case EVENT_SOCKET:
		record_put_number(record, "domain", PICK(draw, numbers));
		record_put_number(record, "proto", PICK(draw, numbers));
		return;
	case EVENT_CONNECT:
	case EVENT_ACCEPT4:
	case EVENT_SENDTO:
		put_socket(draw, record);
		return;
	case EVENT_CHMOD:
	case EVENT_MKNODAT:
		record_put_number(record, "mode", PICK(draw, modes));
		return;
	case EVENT_PRCTL:
		record_put_number(record, "option", PICK(draw, numbers));
		return;
	case EVENT_KILL:
		record_put_number(record, "sig", PICK(draw, numbers));
		return;
	default:
		return;
	}
}

/* ---- runs --------------------------------------------------------------------------------------
 */

static void count_hit(const struct rule *rule, void *data)
{
	(void)rule;
	++*(unsigned *)data;
}

struct run {
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct kernel_filter filter;
	struct arena scratch;
	struct diags diags;
};

static void run_done(struct run *run)
{
	matcher_free(run->matcher);
	kernel_filter_done(&run->filter);
	ruleset_free(run->ruleset);
	diags_done(&run->diags);
	arena_done(&run->scratch);
}

static void run_event(struct run *run, struct draw *draw, struct case_outcome *ret,
		      struct buf *broken)
{
	static struct record_builder record;
	struct event event = { .scratch = &run->scratch };
	const struct field_context context = {
		.event = &event, .source = "syscall", .hostname = "h", .is_final = true
	};
	unsigned hits = 0;
	bool passes;

	arena_reset(&run->scratch);
	draw_event(draw, &record);
	if (record_decode(&record, &event) != 0)
		return;
	(void)matcher_run(run->matcher, &context, count_hit, NULL, &hits);
	passes = kernel_filter_passes(&run->filter, &event);
	ret->events++;
	ret->filtered += !passes;
	ret->matched += hits > 0;
	if (passes || !hits || ret->is_broken)
		return;
	ret->is_broken = true;
	if (broken)
		event_dump(&event, broken);
}

bool case_run(const struct case_rules *rules, struct draw *draw, unsigned event_cnt,
	      void (*spoil)(struct kernel_filter *filter), struct case_outcome *ret,
	      struct buf *broken)
{
	_cleanup_(run_done) struct run run = { 0 };
	struct rules_options options;
	struct buf text;
	int r;

	*ret = (struct case_outcome){ 0 };
	buf_init(&text, 1u << 16);
	arena_init(&run.scratch, 1u << 20);
	diags_init(&run.diags);
	rules_options_default(&options);
	options.is_match_all = true;
	case_put_rules(rules, &text);
	r = ruleset_load_text(STR("drawn"), buf_str(&text), &options, &run.diags, &run.ruleset);
	buf_done(&text);
	if (r != 0 || matcher_new(run.ruleset, &run.matcher) < 0 ||
	    ruleset_kernel_filter(run.ruleset, &run.filter) < 0)
		return false;
	if (spoil)
		spoil(&run.filter);
	for (unsigned i = 0; i < event_cnt; i++)
		run_event(&run, draw, ret, broken);
	return true;
}

static bool is_still_broken(const struct case_rules *rules, const struct draw *events,
			    unsigned event_cnt, void (*spoil)(struct kernel_filter *filter))
{
	struct draw again = *events;
	struct case_outcome outcome;

	return case_run(rules, &again, event_cnt, spoil, &outcome, NULL) && outcome.is_broken;
}

void case_shrink(struct case_rules *rules, const struct draw *events, unsigned event_cnt,
		 void (*spoil)(struct kernel_filter *filter))
{
	bool is_smaller = true;

	for (unsigned i = 0; rules->rule_cnt > 1 && i < rules->rule_cnt; i++) {
		struct case_rules one = *rules;

		one.roots[0] = rules->roots[i];
		one.rule_cnt = 1;
		if (is_still_broken(&one, events, event_cnt, spoil))
			*rules = one;
	}
	while (is_smaller) {
		is_smaller = false;
		for (unsigned i = 0; i < rules->node_cnt && !is_smaller; i++)
			for (unsigned child = 0; child < 2 && !is_smaller; child++) {
				struct case_rules next = *rules;

				if (rules->nodes[i].kind == CASE_LEAF ||
				    (rules->nodes[i].kind == CASE_NOT && child))
					continue;
				next.nodes[i] = rules->nodes[rules->nodes[i].children[child]];
				is_smaller = is_still_broken(&next, events, event_cnt, spoil);
				if (is_smaller)
					*rules = next;
			}
	}
}
