/*
 * A leaf of a condition as the kernel can ask it. Which values satisfy the leaf is not worked out a
 * second time: the matcher's own operators are asked, value by value. Owns nothing. Called by
 * pushdown.c, at load time.
 */
#include "pushdown.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fields.h"

/* include/linux/err.h: MAX_ERRNO; a seccomp filter can make a call fail with any of them. */
#define ERRNO_MAX 4095
/* Values of an argument that are tried beside those which have names. */
#define SMALL_VALUES   256
#define CANDIDATES_MAX 1024

/* clang-format off */
static const struct push_argument push_arguments[] = {
	{ EVENT_BPF,     PARAM_BPF_cmd,         0, FILTER_U32 },
	{ EVENT_DUP2,    PARAM_DUP2_newfd,      1, FILTER_S32 },
	{ EVENT_DUP2,    PARAM_DUP2_oldfd,      0, FILTER_S32 },
	{ EVENT_DUP3,    PARAM_DUP3_newfd,      1, FILTER_S32 },
	{ EVENT_DUP3,    PARAM_DUP3_oldfd,      0, FILTER_S32 },
	{ EVENT_FCNTL,   PARAM_FCNTL_cmd,       1, FILTER_U32 },
	{ EVENT_KEYCTL,  PARAM_KEYCTL_operation, 0, FILTER_U32 },
	{ EVENT_KILL,    PARAM_KILL_sig,        1, FILTER_U32 },
	{ EVENT_PRCTL,   PARAM_PRCTL_option,    0, FILTER_U32 },
	{ EVENT_PTRACE,  PARAM_PTRACE_request,  0, FILTER_U32 },
	{ EVENT_SECCOMP, PARAM_SECCOMP_op,      0, FILTER_U32 },
	{ EVENT_SOCKET,  PARAM_SOCKET_domain,   0, FILTER_U32 },
	{ EVENT_SOCKET,  PARAM_SOCKET_proto,    2, FILTER_U32 },
	{ EVENT_TGKILL,  PARAM_TGKILL_sig,      2, FILTER_U32 },
	{ EVENT_TKILL,   PARAM_TKILL_sig,       1, FILTER_U32 },
};
/* clang-format on */

/* Flags and modes, of which clauses ask for a bit. Others are changed on their way into the record.
 */
/* clang-format off */
static const struct push_argument push_bits_arguments[] = {
	{ EVENT_CHMOD,     PARAM_CHMOD_mode,      1, FILTER_U32 },
	{ EVENT_FCHMOD,    PARAM_FCHMOD_mode,     1, FILTER_U32 },
	{ EVENT_FCHMODAT,  PARAM_FCHMODAT_mode,   2, FILTER_U32 },
	{ EVENT_FCHMODAT2, PARAM_FCHMODAT2_mode,  2, FILTER_U32 },
	{ EVENT_MEMFD_CREATE, PARAM_MEMFD_CREATE_flags, 1, FILTER_U32 },
	{ EVENT_MKNOD,     PARAM_MKNOD_mode,      1, FILTER_U32 },
	{ EVENT_MKNODAT,   PARAM_MKNODAT_mode,    2, FILTER_U32 },
	{ EVENT_MMAP,      PARAM_MMAP_prot,       2, FILTER_U32 },
	{ EVENT_MOUNT,     PARAM_MOUNT_flags,     3, FILTER_U64 },
	{ EVENT_MPROTECT,  PARAM_MPROTECT_prot,   2, FILTER_U32 },
	{ EVENT_OPEN,      PARAM_OPEN_flags,      1, FILTER_U32 },
	{ EVENT_OPENAT,    PARAM_OPENAT_flags,    2, FILTER_U32 },
	{ EVENT_PKEY_MPROTECT, PARAM_PKEY_MPROTECT_prot, 2, FILTER_U32 },
	{ EVENT_RENAMEAT2, PARAM_RENAMEAT2_flags, 4, FILTER_U32 },
	{ EVENT_SETNS,     PARAM_SETNS_nstype,    1, FILTER_U32 },
	{ EVENT_UNLINKAT,  PARAM_UNLINKAT_flags,  2, FILTER_U32 },
	{ EVENT_UNSHARE,   PARAM_UNSHARE_flags,   0, FILTER_U32 },
};
/* clang-format on */

/* ---- asking the operators ----------------------------------------------------------------------
 */

static bool holds(struct pusher *p, const struct predicate *predicate, bool is_negated,
		  struct value value)
{
	const struct value_set set = { FIELD_VALUE, 1, &value };

	return predicate_match(predicate, &set, NULL, &p->op) != is_negated;
}

static struct value text_value(const struct predicate *predicate, const char *text)
{
	return (struct value){ .type = predicate->left->type, .str = str_from(text) };
}

static void give_result(struct pusher *p, bool may_fail, bool may_succeed, struct boxes *ret)
{
	const uint64_t both[] = { 0, 1 };

	boxes_one(p->arena, BOX_RESULT, may_fail ? both : both + 1,
		  (uint32_t)may_fail + may_succeed, false, ret);
}

/* ---- the result -------------------------------------------------------------------------------
 */

/* Whether the predicate asks for equality with names only, and not with errors that have none: most
 * do, and it saves thousands of questions. */
static bool asks_for_names(const struct predicate *predicate, bool is_negated)
{
	bool does = !is_negated && (predicate->op == OP_EQ || predicate->op == OP_IN);

	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		does &= predicate->literals[i].value.str.n &&
			predicate->literals[i].value.str.p[0] != '-';
	return does && predicate->literal_cnt;
}

static bool may_be_errno(struct pusher *p, const struct predicate *predicate, bool is_negated)
{
	bool is_by_name = asks_for_names(predicate, is_negated);
	char number[16];

	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *name = errno_name(error);

		if (!name && is_by_name)
			continue;
		if (!name)
			(void)snprintf(number, sizeof(number), "-%d", error);
		if (holds(p, predicate, is_negated, text_value(predicate, name ? name : number)))
			return true;
	}
	return false;
}

static void push_res(struct pusher *p, const struct predicate *predicate, bool is_negated,
		     struct boxes *ret)
{
	give_result(p, may_be_errno(p, predicate, is_negated),
		    holds(p, predicate, is_negated, text_value(predicate, "SUCCESS")), ret);
}

static void push_failed(struct pusher *p, const struct predicate *predicate, bool is_negated,
			struct boxes *ret)
{
	struct value value = { .type = VALUE_BOOL };
	bool may_succeed = holds(p, predicate, is_negated, value);

	value.is_true = true;
	give_result(p, holds(p, predicate, is_negated, value), may_succeed, ret);
}

/* Whether some number of the range satisfies a comparison with constants: if any does, then one of
 * its ends, a constant, or a constant's neighbour. */
static bool may_be_within(struct pusher *p, const struct predicate *predicate, bool is_negated,
			  int64_t first, int64_t last)
{
	struct value value = { .type = predicate->left->type, .s64 = first };

	if (holds(p, predicate, is_negated, value))
		return true;
	value.s64 = last;
	if (holds(p, predicate, is_negated, value))
		return true;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		for (int64_t step = -1; step <= 1; step++) {
			if (__builtin_add_overflow(predicate->literals[i].value.s64, step,
						   &value.s64) ||
			    value.s64 < first || value.s64 > last)
				continue;
			if (holds(p, predicate, is_negated, value))
				return true;
		}
	return false;
}

static void push_rawres(struct pusher *p, const struct predicate *predicate, bool is_negated,
			struct boxes *ret)
{
	give_result(p, may_be_within(p, predicate, is_negated, INT64_MIN, -1),
		    may_be_within(p, predicate, is_negated, 0, INT64_MAX), ret);
}

/* -1 where no descriptor was made. A number that is not there is neither. */
static void push_fd_num(struct pusher *p, const struct predicate *predicate, bool is_negated,
			struct boxes *ret)
{
	give_result(p, may_be_within(p, predicate, is_negated, -1, -1),
		    is_negated || may_be_within(p, predicate, is_negated, 0, INT64_MAX), ret);
}

/* ---- how it opens -----------------------------------------------------------------------------
 */

static void push_access(struct pusher *p, const struct predicate *predicate, bool is_negated,
			unsigned bit, struct boxes *ret)
{
	struct value value = { .type = VALUE_BOOL };
	uint64_t accesses[FILTER_ACCESSES];
	uint32_t cnt = 0;

	for (unsigned access = 0; access < FILTER_ACCESSES; access++) {
		value.is_true = access & bit;
		if (holds(p, predicate, is_negated, value))
			accesses[cnt++] = access;
	}
	boxes_one(p->arena, BOX_ACCESS, accesses, cnt, false, ret);
}

/* fd.name_truncated is absent where no file is. */
static void push_truncated(struct pusher *p, const struct predicate *predicate, bool is_negated,
			   struct boxes *ret)
{
	const uint64_t deep = 1;
	struct value value = { .type = VALUE_BOOL };
	struct boxes *succeeded = arena_new(p->arena, struct boxes);

	boxes_all(ret);
	if (!succeeded || is_negated || holds(p, predicate, false, value))
		return;
	boxes_one(p->arena, BOX_DEPTH, &deep, 1, false, ret);
	give_result(p, false, true, succeeded);
	boxes_meet(p->arena, ret, succeeded);
}

/* ---- values of which constants are the only interesting ones -----------------------------------
 */

struct candidates {
	uint64_t ids[CANDIDATES_MAX], matching[CANDIDATES_MAX];
	uint32_t cnt, matching_cnt;
	bool is_full;
};

/* `is_other_true`: what the comparison says of all other values, before the negation. */
static void give_candidates(struct pusher *p, enum box_dimension dimension,
			    struct candidates *candidates, bool is_other_true, bool is_negated,
			    struct boxes *ret)
{
	bool is_all_but = is_other_true != is_negated;
	uint32_t cnt = 0;

	if (!is_all_but) {
		boxes_one(p->arena, dimension, candidates->matching, candidates->matching_cnt,
			  false, ret);
		return;
	}
	for (uint32_t i = 0; i < candidates->cnt; i++) {
		bool is_matching = false;

		for (uint32_t j = 0; j < candidates->matching_cnt && !is_matching; j++)
			is_matching = candidates->matching[j] == candidates->ids[i];
		if (!is_matching)
			candidates->ids[cnt++] = candidates->ids[i];
	}
	boxes_one(p->arena, dimension, candidates->ids, cnt, true, ret);
}

static void add_candidate(struct candidates *candidates, uint64_t id, bool is_matching)
{
	if (candidates->cnt == CANDIDATES_MAX) {
		candidates->is_full = true;
		return;
	}
	candidates->ids[candidates->cnt++] = id;
	if (is_matching)
		candidates->matching[candidates->matching_cnt++] = id;
}

/* Operators that say the same of every value but the constants. */
static bool is_by_constants(const struct predicate *predicate)
{
	return predicate->op == OP_EQ || predicate->op == OP_IN || predicate->op == OP_NE;
}

static bool push_comm(struct pusher *p, const struct predicate *predicate, bool is_negated,
		      struct boxes *ret)
{
	_cleanup_(freep) struct candidates *candidates = calloc(1, sizeof(*candidates));

	if (!candidates || !is_by_constants(predicate))
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		struct value value = predicate->literals[i].value;
		uint64_t id;

		/* A longer name is nobody's. */
		if (value.str.n >= WIRE_COMM_LEN ||
		    (value.str.n && memchr(value.str.p, 0, value.str.n)))
			continue;
		id = push_text(p, FILTER_BASE, value.str);
		if (!id)
			return false;
		add_candidate(candidates, id, holds(p, predicate, is_negated, value));
	}
	if (candidates->is_full)
		return false;
	give_candidates(p, BOX_COMM, candidates, predicate->op == OP_NE, is_negated, ret);
	return true;
}

/* Names that begin so begin with its first bytes, too. What a name must not begin with says little.
 */
static bool push_comm_head(struct pusher *p, const struct predicate *predicate, bool is_negated,
			   struct boxes *ret)
{
	uint64_t *ids = arena_new_array(p->arena, uint64_t, predicate->literal_cnt);

	if (!ids || is_negated)
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++) {
		struct str text = predicate->literals[i].value.str;

		if (text.n < FILTER_END_BYTES || memchr(text.p, 0, text.n))
			return false;
		ids[i] = push_text(p, FILTER_HEAD, (struct str){ text.p, FILTER_END_BYTES });
		if (!ids[i])
			return false;
	}
	boxes_one(p->arena, BOX_COMM_HEAD, ids, predicate->literal_cnt, false, ret);
	return true;
}

static bool push_uid(struct pusher *p, const struct predicate *predicate, bool is_negated,
		     struct boxes *ret)
{
	_cleanup_(freep) struct candidates *candidates = calloc(1, sizeof(*candidates));

	if (!candidates || !is_by_constants(predicate))
		return false;
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		add_candidate(candidates, predicate->literals[i].value.u64,
			      holds(p, predicate, is_negated, predicate->literals[i].value));
	if (candidates->is_full)
		return false;
	give_candidates(p, BOX_UID, candidates, predicate->op == OP_NE, is_negated, ret);
	return true;
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

static int param_of(const struct pusher *p, const struct field_argument *argument)
{
	if (argument->kind == FIELD_ARG_INDEX)
		return argument->index < p->schema->param_cnt ? (int)argument->index : -1;
	return argument->param_of_type ? argument->param_of_type[p->schema->type] : -1;
}

/* The slot in which the filter asks for the parameter; -1: it can't. */
static int argument_slot(struct pusher *p, int param)
{
	for (uint32_t i = 0; i < p->argument_cnt; i++)
		if (p->arguments[i]->param == param)
			return (int)i;
	for (size_t i = 0; i < ARRAY_LEN(push_arguments); i++) {
		const struct push_argument *argument = &push_arguments[i];

		if (argument->type != p->schema->type || argument->param != param)
			continue;
		if (p->argument_cnt == FILTER_ARGUMENTS)
			return -1;
		p->arguments[p->argument_cnt] = argument;
		return (int)p->argument_cnt++;
	}
	return -1;
}

/* What the field says where the parameter is `number`: the getter is asked, with an event that has
 * nothing else. */
static bool argument_holds(struct pusher *p, const struct predicate *predicate, bool is_negated,
			   unsigned param, uint64_t number)
{
	struct wire_header header = { .length = sizeof(header), .type = (uint16_t)p->schema->type };
	struct event event = { .header = &header, .schema = p->schema, .scratch = p->arena };
	const struct field_context context = { .event = &event, .is_final = true };
	struct value_set set;

	event.code = p->schema->type;
	event.params[param] = (struct str){ (const char *)&number, sizeof(number) };
	field_read(predicate->left->field, &context, &predicate->left->argument, &set);
	return predicate_match(predicate, &set, NULL, &p->op) != is_negated;
}

/* A number that the constant may stand for. */
static uint64_t number_of(const struct predicate *predicate, const struct literal *literal)
{
	char text[32];

	if (predicate->class != CLASS_BYTES)
		return literal->value.u64;
	(void)snprintf(text, sizeof(text), "%.*s", STR_ARG(literal->value.str));
	return strtoull(text, NULL, 0);
}

static void add_number(struct pusher *p, const struct predicate *predicate, bool is_negated,
		       unsigned param, uint64_t number, struct candidates *candidates)
{
	for (uint32_t i = 0; i < candidates->cnt; i++)
		if (candidates->ids[i] == number)
			return;
	add_candidate(candidates, number, argument_holds(p, predicate, is_negated, param, number));
}

static bool is_plain_number(enum param_type type, bool is_raw)
{
	return type == PARAM_ENUM || type == PARAM_SIGNAL || type == PARAM_U64 ||
	       type == PARAM_S64 || (is_raw && type == PARAM_FD);
}

static bool push_argument(struct pusher *p, const struct predicate *predicate, bool is_negated,
			  struct boxes *ret)
{
	_cleanup_(freep) struct candidates *candidates = calloc(1, sizeof(*candidates));
	bool is_raw = strcmp(predicate->left->field->name, "evt.rawarg") == 0;
	int param = param_of(p, &predicate->left->argument), slot;
	const struct param_schema *schema;

	if (!candidates || param < 0 || !is_by_constants(predicate))
		return false;
	schema = &p->schema->params[param];
	slot = is_plain_number(schema->type, is_raw) ? argument_slot(p, param) : -1;
	if (slot < 0)
		return false;
	for (uint64_t number = 0; number < SMALL_VALUES; number++)
		add_number(p, predicate, is_negated, (unsigned)param, number, candidates);
	for (uint32_t i = 0; i < predicate->literal_cnt; i++)
		add_number(p, predicate, is_negated, (unsigned)param,
			   number_of(predicate, &predicate->literals[i]), candidates);
	for (uint32_t i = 0; schema->vocabulary && schema->vocabulary->names[i].name; i++)
		add_number(p, predicate, is_negated, (unsigned)param,
			   schema->vocabulary->names[i].kernel_value, candidates);
	if (candidates->is_full)
		return false;
	give_candidates(p, (enum box_dimension)(BOX_ARGUMENT + slot), candidates,
			predicate->op == OP_NE, is_negated, ret);
	return true;
}

/* ---- bits of an argument
 * -------------------------------------------------------------------------
 */

/* The text of a number is the names of its bits with '|' between, or the number where none has a
 * name: a text that can be in a name alone is in one where the bits of that name are set. */
static bool is_part_of_name(struct str text)
{
	bool is_number = true;

	for (uint32_t i = 0; i < text.n; i++) {
		if (text.p[i] == '|')
			return false;
		is_number &= text.p[i] >= '0' && text.p[i] <= '9';
	}
	return !is_number;
}

static const struct push_argument *bits_of(struct pusher *p, int param)
{
	if (p->bits)
		return p->bits->param == param ? p->bits : NULL;
	for (size_t i = 0; i < ARRAY_LEN(push_bits_arguments); i++)
		if (push_bits_arguments[i].type == p->schema->type &&
		    push_bits_arguments[i].param == param)
			return p->bits = &push_bits_arguments[i];
	return NULL;
}

/* The bits of the numbers that have a name in which the text is. What the engine adds to an open's
 * flags has names, too, and lies above the argument. */
static uint64_t named_bits(struct pusher *p, const struct predicate *predicate, unsigned param)
{
	const struct param_schema *schema = &p->schema->params[param];
	uint64_t bits = 0;

	for (unsigned i = 0; i < 64; i++)
		if (argument_holds(p, predicate, false, param, 1ULL << i))
			bits |= 1ULL << i;
	/* The kinds of files are no bits (include/uapi/linux/stat.h). */
	for (uint64_t kind = S_IFIFO; schema->type == PARAM_MODE && kind <= S_IFMT; kind += S_IFIFO)
		if (argument_holds(p, predicate, false, param, kind))
			bits |= kind;
	for (uint32_t i = 0; schema->vocabulary && schema->vocabulary->names[i].name; i++) {
		const struct flag_name *name = &schema->vocabulary->names[i];
		struct str text = predicate->literals[0].value.str;

		if (memmem(name->name, strlen(name->name), text.p, text.n) ||
		    argument_holds(p, predicate, false, param, name->kernel_value))
			bits |= name->kernel_value;
	}
	return bits;
}

static bool push_bits(struct pusher *p, const struct predicate *predicate, bool is_negated,
		      struct boxes *ret)
{
	int param = param_of(p, &predicate->left->argument);
	const struct push_argument *argument = param < 0 ? NULL : bits_of(p, param);
	uint64_t bits, ids[64];
	uint32_t cnt = 0;

	if (!argument || is_negated || strcmp(predicate->left->field->name, "evt.arg") != 0 ||
	    predicate->literal_cnt != 1 || predicate->literals[0].value.str.n == 0 ||
	    !is_part_of_name(predicate->literals[0].value.str) ||
	    argument_holds(p, predicate, false, (unsigned)param, 0))
		return false;
	bits = named_bits(p, predicate, (unsigned)param);
	if (bits == 0 || (argument->width == FILTER_U32 && bits >> 32))
		return false;
	for (unsigned i = 0; i < 64; i++)
		if (bits >> i & 1)
			ids[cnt++] = i;
	boxes_one(p->arena, BOX_BITS, ids, cnt, false, ret);
	return true;
}

/* ---- the leaf ----------------------------------------------------------------------------------
 */

bool push_has_filter(const struct event_schema *schema)
{
	return schema->flags & EVENT_SYSCALL && schema->type != EVENT_GENERIC &&
	       !(schema->flags & (EVENT_LIFECYCLE | EVENT_STATE | EVENT_OWN));
}

bool push_is_open(const struct event_schema *schema)
{
	switch ((int)schema->type) {
	case EVENT_OPEN:
	case EVENT_OPENAT:
	case EVENT_OPENAT2:
	case EVENT_CREAT:
		return true;
	default:
		return false;
	}
}

static bool is_open_by_name(const struct event_schema *schema)
{
	return schema->type == EVENT_OPEN || schema->type == EVENT_OPENAT;
}

/* Fields of the result. False: it is none. */
static bool push_of_result(struct pusher *p, const char *name, const struct predicate *predicate,
			   bool is_negated, struct boxes *ret)
{
	if (strcmp(name, "evt.failed") == 0)
		push_failed(p, predicate, is_negated, ret);
	else if (strcmp(name, "evt.res") == 0)
		push_res(p, predicate, is_negated, ret);
	else if (strcmp(name, "evt.rawres") == 0)
		push_rawres(p, predicate, is_negated, ret);
	else if (strcmp(name, "fd.num") == 0 && p->schema->flags & EVENT_CREATES_FD)
		push_fd_num(p, predicate, is_negated, ret);
	else
		return false;
	return true;
}

static bool push_field(struct pusher *p, const struct predicate *predicate, bool is_negated,
		       struct boxes *ret, const char **ret_why)
{
	const char *name = predicate->left->field->name;

	*ret_why = "only compared with constants by =, !=, in it can be asked in the kernel";
	if (push_of_result(p, name, predicate, is_negated, ret))
		return true;
	if (strcmp(name, "proc.name") == 0)
		return predicate->op == OP_STARTSWITH
			       ? push_comm_head(p, predicate, is_negated, ret)
			       : push_comm(p, predicate, is_negated, ret);
	if (strcmp(name, "user.uid") == 0)
		return push_uid(p, predicate, is_negated, ret);
	if (strcmp(name, "fd.name") == 0 || strcmp(name, "fd.nameraw") == 0 ||
	    strcmp(name, "fd.directory") == 0 || strcmp(name, "fd.filename") == 0)
		return push_path(p, predicate, is_negated, ret, ret_why);
	if (strcmp(name, "fd.name_truncated") == 0 && push_is_open(p->schema)) {
		push_truncated(p, predicate, is_negated, ret);
		return true;
	}
	if (is_open_by_name(p->schema) && strcmp(name, "evt.is_open_read") == 0) {
		push_access(p, predicate, is_negated, FILTER_READS, ret);
		return true;
	}
	if (is_open_by_name(p->schema) && strcmp(name, "evt.is_open_write") == 0) {
		push_access(p, predicate, is_negated, FILTER_WRITES, ret);
		return true;
	}
	if (strcmp(name, "evt.arg") == 0 && predicate->op == OP_CONTAINS)
		return push_bits(p, predicate, is_negated, ret);
	if (strcmp(name, "evt.arg") == 0 || strcmp(name, "evt.rawarg") == 0)
		return push_argument(p, predicate, is_negated, ret);
	if (push_is_socket(p->schema))
		return push_socket(p, predicate, is_negated, ret, ret_why);
	*ret_why = "the kernel does not know it";
	return false;
}

void push_leaf(struct pusher *p, const struct predicate *predicate, bool is_negated,
	       struct boxes *ret)
{
	const char *why = "not a field compared with constants";
	bool is_plain = predicate->left->kind == OPERAND_FIELD && !predicate->right &&
			predicate->modifier == MODIFIER_NONE && predicate->op != OP_EXISTS &&
			predicate->op != OP_REGEX &&
			(predicate->class != CLASS_NET || push_is_socket(p->schema)) &&
			!predicate->left->is_list && predicate->literal_cnt > 0;

	if (is_plain && push_field(p, predicate, is_negated, ret, &why))
		return;
	boxes_all(ret);
	if (p->on_left_out)
		p->on_left_out(predicate, is_negated, why, p->data);
}
