/*
 * Payloads of the kinds of frames, there and back, but for answers. Owns nothing; pure. Every
 * payload may grow at its end: decoders pass over what they do not know.
 */
#include <stdio.h>

#include "capture_private.h"

#define TEXT_MAX   4096	 /* paths */
#define VECTOR_MAX 65536 /* arguments, environment */

static const char *const kind_names[CAPTURE__COUNT] = {
	[CAPTURE_NONE] = "unknown",    [CAPTURE_HEAD] = "head",
	[CAPTURE_SCHEMA] = "schema",   [CAPTURE_SEED] = "seed",
	[CAPTURE_RECORD] = "record",   [CAPTURE_OWN] = "own",
	[CAPTURE_STRINGS] = "strings", [CAPTURE_GONE] = "gone",
	[CAPTURE_WALK] = "walk",       [CAPTURE_PLACE] = "place",
	[CAPTURE_BUNDLE] = "bundle",   [CAPTURE_ANSWER] = "answer",
	[CAPTURE_ASKED] = "asked",     [CAPTURE_HOST_NAME] = "host_name",
	[CAPTURE_SOURCES] = "sources", [CAPTURE_LOSS] = "loss",
	[CAPTURE_USERS] = "users",     [CAPTURE_DECIDE] = "decide",
	[CAPTURE_TICK] = "tick",       [CAPTURE_END] = "end",
	[CAPTURE_INDEX] = "index",     [CAPTURE_TRAILER] = "trailer",
	[CAPTURE_CGROUP] = "cgroup",   [CAPTURE_RULES] = "rules",
};

const char *capture_kind_name(unsigned kind)
{
	return kind < CAPTURE__COUNT ? kind_names[kind] : "unknown";
}

/* ---- there ---- */

void put_head(struct buf *out, const struct capture_head *head)
{
	buf_put(out, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES);
	put_u16(out, CAPTURE_MAJOR);
	put_u16(out, CAPTURE_MINOR);
	put_u32(out, head->is_snapshot ? HEAD_SNAPSHOT : 0);
	put_u64(out, capture_schema_digest());
	put_u64(out, (uint64_t)head->wall_offset_ns);
	put_u64(out, head->start_ns);
	put_str(out, STR(HAETAE_VERSION));
	put_str(out, str_from(CAPTURE_ARCHITECTURE));
	put_str(out, str_from(head->hostname ? head->hostname : ""));
	put_str(out, str_from(head->boot_id ? head->boot_id : ""));
	put_str(out, str_from(head->scope ? head->scope : ""));
}

void put_key(struct buf *out, struct proc_key key)
{
	put_u64(out, key.start_ns);
	put_u32(out, key.pid);
}

void put_strings(struct buf *out, struct proc_key key, const struct proc_strings *strings)
{
	put_key(out, key);
	put_u32(out, strings->parent_pid);
	put_u32(out, strings->group_id);
	put_u32(out, strings->session_id);
	put_u32(out, strings->tty);
	put_u32(out, strings->uid);
	put_u64(out, strings->read_ns);
	put_u8(out, (uint8_t)(strings->is_args_cut | strings->is_env_cut << 1));
	put_str(out,
		(struct str){ strings->comm, (uint32_t)strnlen(strings->comm, WIRE_COMM_LEN) });
	put_str(out, strings->exe);
	put_str(out, strings->args);
	put_str(out, strings->env);
	put_str(out, strings->exepath);
	put_str(out, strings->cwd);
}

void put_walk(struct buf *out, const struct cgroup_walk *walk)
{
	put_u8(out, (uint8_t)walk->type);
	put_u8(out, (uint8_t)walk->hierarchy);
	put_u8(out, walk->is_complete);
	put_u64(out, walk->now_ns);
	put_u64(out, walk->id);
	put_u64(out, walk->parent_id);
	put_str(out, walk->path);
}

void put_place(struct buf *out, const struct cgroup_place *place)
{
	put_u8(out, (uint8_t)place->hierarchy);
	put_u64(out, place->id);
	put_u64(out, place->above_id);
	put_str(out, place->path);
}

void put_bundle(struct buf *out, const char *runtime_namespace, const char *id)
{
	put_str(out, str_from(runtime_namespace));
	put_str(out, str_from(id));
}

void put_host_name(struct buf *out, struct str name, const struct host_address *addresses,
		   uint32_t cnt)
{
	cnt = MIN(cnt, (uint32_t)HOST_NAME_ADDRESSES_MAX);
	put_str(out, name);
	put_u32(out, cnt);
	for (uint32_t i = 0; i < cnt; i++)
		buf_put(out, addresses[i].bytes, sizeof(addresses[i].bytes));
}

void put_sources(struct buf *out, const bool has_source[METADATA_SOURCE__COUNT])
{
	put_u8(out, METADATA_SOURCE__COUNT);
	for (unsigned i = 0; i < METADATA_SOURCE__COUNT; i++)
		put_u8(out, has_source[i]);
}

void put_loss(struct buf *out, const struct capture_loss *loss)
{
	put_u64(out, loss->total);
	put_u32(out, loss->cgroup_cnt);
	for (uint32_t i = 0; i < loss->cgroup_cnt; i++) {
		put_u64(out, loss->cgroups[i].cgroup_id);
		put_u64(out, loss->cgroups[i].lost);
		put_u8(out, (uint8_t)loss->cgroups[i].hierarchy);
	}
}

void put_user_files(struct buf *out, struct str passwd, struct str group)
{
	put_str(out, passwd.p ? passwd : STR(""));
	put_str(out, group.p ? group : STR(""));
}

void put_cgroup(struct buf *out, const struct capture_cgroup *cgroup)
{
	put_u8(out, (uint8_t)cgroup->hierarchy);
	put_u8(out, cgroup->is_inherited);
	put_u64(out, cgroup->id);
	put_u8(out, (uint8_t)cgroup->identity.type);
	put_u8(out, cgroup->identity.is_users);
	put_str(out, str_from(cgroup->identity.id));
	put_str(out, str_from(cgroup->identity.pod_uid));
	put_str(out, str_from(cgroup->identity.runtime_namespace));
}

void put_end(struct buf *out, const struct capture_end *end)
{
	put_u8(out, (uint8_t)end->reason);
	put_u64(out, end->frames);
	put_u64(out, end->records);
	put_u64(out, end->lost);
	put_u64(out, end->delivered);
	put_u64(out, end->evaluated);
	put_u64(out, end->alerts);
}

/* ---- and back ---- */

bool get_head(struct cursor *in, struct capture_head *ret)
{
	uint32_t bits;

	if ((size_t)(in->end - in->p) < CAPTURE_MAGIC_BYTES ||
	    memcmp(in->p, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES) != 0)
		return false;
	in->p += CAPTURE_MAGIC_BYTES;
	*ret = (struct capture_head){ .major = get_u16(in), .minor = 0 };
	ret->minor = get_u16(in);
	bits = get_u32(in);
	ret->is_snapshot = bits & HEAD_SNAPSHOT;
	ret->schema_digest = get_u64(in);
	ret->wall_offset_ns = (int64_t)get_u64(in);
	ret->start_ns = get_u64(in);
	ret->version = get_text(in, 64);
	ret->architecture = get_text(in, 64);
	ret->hostname = get_text(in, 255);
	ret->boot_id = get_text(in, 36);
	ret->scope = get_text(in, TEXT_MAX);
	return !in->failed;
}

static struct proc_key get_key(struct cursor *in)
{
	struct proc_key key = { .start_ns = get_u64(in) };

	key.pid = get_u32(in);
	return key;
}

/* A string that may be missing, without NULs within. */
static struct str get_line(struct cursor *in)
{
	struct str s = get_str(in);

	if (s.n > TEXT_MAX || (s.n && memchr(s.p, '\0', s.n)))
		in->failed = true;
	return s;
}

/* NUL-terminated strings one behind the other. */
static struct str get_vector(struct cursor *in)
{
	struct str s = get_str(in);

	if (s.n > VECTOR_MAX || (s.n && s.p[s.n - 1] != '\0'))
		in->failed = true;
	return s;
}

static void get_strings(struct cursor *in, struct capture_strings *ret)
{
	struct proc_strings *strings = &ret->strings;
	uint8_t bits;

	ret->key = get_key(in);
	strings->parent_pid = get_u32(in);
	strings->group_id = get_u32(in);
	strings->session_id = get_u32(in);
	strings->tty = get_u32(in);
	strings->uid = get_u32(in);
	strings->read_ns = get_u64(in);
	bits = get_u8(in);
	strings->is_args_cut = bits & 1;
	strings->is_env_cut = bits >> 1 & 1;
	strncpy(strings->comm, get_text(in, WIRE_COMM_LEN), WIRE_COMM_LEN);
	strings->exe = get_line(in);
	strings->args = get_vector(in);
	strings->env = get_vector(in);
	strings->exepath = get_line(in);
	strings->cwd = get_line(in);
}

static struct str get_path(struct cursor *in)
{
	return str_from(get_text(in, TEXT_MAX));
}

static void get_walk(struct cursor *in, struct cgroup_walk *ret)
{
	ret->type = (enum cgroup_walk_type)get_enum(in, CGROUP_WALK_END + 1);
	ret->hierarchy = (enum wire_hierarchy)get_enum(in, WIRE_HIERARCHY_CPU + 1);
	ret->is_complete = get_u8(in) & 1;
	ret->now_ns = get_u64(in);
	ret->id = get_u64(in);
	ret->parent_id = get_u64(in);
	ret->path = get_path(in);
}

static void get_place(struct cursor *in, struct cgroup_place *ret)
{
	ret->hierarchy = (enum wire_hierarchy)get_enum(in, WIRE_HIERARCHY_CPU + 1);
	ret->id = get_u64(in);
	ret->above_id = get_u64(in);
	ret->path = get_path(in);
}

static void get_host_name(struct cursor *in, struct capture_host_name *ret)
{
	ret->name = str_from(get_text(in, 255)); /* RFC 1035 2.3.4 */
	ret->address_cnt = get_u32(in);
	in->failed |= ret->address_cnt > HOST_NAME_ADDRESSES_MAX;
	for (uint32_t i = 0; i < ret->address_cnt && !in->failed; i++)
		for (unsigned k = 0; k < sizeof(ret->addresses[i].bytes); k++)
			ret->addresses[i].bytes[k] = get_u8(in);
}

/* A source that this haetae does not know is passed over. */
static void get_sources(struct cursor *in, bool ret[METADATA_SOURCE__COUNT])
{
	unsigned cnt = get_u8(in);

	for (unsigned i = 0; i < cnt && !in->failed; i++) {
		bool has = get_u8(in) & 1;

		if (i < METADATA_SOURCE__COUNT)
			ret[i] = has;
	}
}

static void get_loss(struct cursor *in, struct capture_loss *ret)
{
	ret->total = get_u64(in);
	ret->cgroup_cnt = get_u32(in);
	in->failed |= ret->cgroup_cnt > CAPTURE_LOSS_CGROUPS_MAX;
	for (uint32_t i = 0; i < ret->cgroup_cnt && !in->failed; i++) {
		ret->cgroups[i].cgroup_id = get_u64(in);
		ret->cgroups[i].lost = get_u64(in);
		ret->cgroups[i].hierarchy =
			(enum wire_hierarchy)get_enum(in, WIRE_HIERARCHY_CPU + 1);
	}
}

static void get_user_files(struct cursor *in, struct capture_users *ret)
{
	ret->passwd = get_str(in);
	ret->group = get_str(in);
	in->failed |= !ret->passwd.p || !ret->group.p;
}

static void get_cgroup(struct cursor *in, struct capture_cgroup *ret)
{
	ret->hierarchy = (enum wire_hierarchy)get_enum(in, WIRE_HIERARCHY_CPU + 1);
	ret->is_inherited = get_u8(in) & 1;
	ret->id = get_u64(in);
	ret->identity.type = (enum container_type)get_enum(in, CONTAINER_TYPE__COUNT);
	ret->identity.is_users = get_u8(in) & 1;
	strncpy(ret->identity.id, get_text(in, CONTAINER_ID_MAX), CONTAINER_ID_MAX);
	strncpy(ret->identity.pod_uid, get_text(in, POD_UID_MAX), POD_UID_MAX);
	strncpy(ret->identity.runtime_namespace, get_text(in, CONTAINERD_NAMESPACE_MAX),
		CONTAINERD_NAMESPACE_MAX);
}

void get_end(struct cursor *in, struct capture_end *ret)
{
	ret->reason = (enum capture_end_reason)get_enum(in, CAPTURE_FAILED + 1);
	ret->frames = get_u64(in);
	ret->records = get_u64(in);
	ret->lost = get_u64(in);
	ret->delivered = get_u64(in);
	ret->evaluated = get_u64(in);
	ret->alerts = get_u64(in);
}

/* The engine makes these itself and believes in them: what a file says is looked at before. */
static bool is_own(const void *bytes, uint32_t length)
{
	_cleanup_(freep) struct event *event = calloc(1, sizeof(*event));

	return event && event_decode(event, bytes, length) == 0 && event->schema->flags & EVENT_OWN;
}

/* A flat switch. */
bool frame_decode(struct capture_frame *frame, struct str payload)
{
	const uint8_t *bytes = (const uint8_t *)payload.p;
	struct cursor in = { bytes, bytes + payload.n, false };

	switch (frame->kind) {
	case CAPTURE_OWN:
	case CAPTURE_SEED:
	case CAPTURE_RECORD:
		frame->record = (struct capture_record){ bytes, payload.n };
		return payload.n <= CAPTURE_RECORD_MAX &&
		       (frame->kind != CAPTURE_OWN || is_own(bytes, payload.n));
	case CAPTURE_STRINGS:
		get_strings(&in, &frame->strings);
		break;
	case CAPTURE_GONE:
		frame->gone = get_key(&in);
		break;
	case CAPTURE_WALK:
		get_walk(&in, &frame->walk);
		break;
	case CAPTURE_PLACE:
		get_place(&in, &frame->place);
		break;
	case CAPTURE_BUNDLE:
		frame->bundle.runtime_namespace = get_text(&in, CONTAINERD_NAMESPACE_MAX);
		frame->bundle.id = get_text(&in, CONTAINER_ID_MAX);
		break;
	case CAPTURE_ANSWER:
		frame->answer = get_answer(&in);
		break;
	case CAPTURE_ASKED:
		frame->asked_cnt = get_u32(&in);
		break;
	case CAPTURE_HOST_NAME:
		get_host_name(&in, &frame->host_name);
		break;
	case CAPTURE_SOURCES:
		get_sources(&in, frame->has_source);
		break;
	case CAPTURE_LOSS:
		get_loss(&in, &frame->loss);
		break;
	case CAPTURE_USERS:
		get_user_files(&in, &frame->users);
		break;
	case CAPTURE_DECIDE:
		frame->time.now_ns = get_u64(&in);
		break;
	case CAPTURE_TICK:
		frame->time.now_ns = get_u64(&in);
		frame->time.wall_offset_ns = (int64_t)get_u64(&in);
		break;
	case CAPTURE_END:
		get_end(&in, &frame->end);
		break;
	case CAPTURE_CGROUP:
		get_cgroup(&in, &frame->cgroup);
		break;
	case CAPTURE_RULES:
		frame->rules_number = get_u32(&in);
		break;
	case CAPTURE_NONE:
	case CAPTURE_HEAD:
	case CAPTURE_SCHEMA:
	case CAPTURE_INDEX:
	case CAPTURE_TRAILER:
	case CAPTURE__COUNT:
		break;
	}
	return !in.failed;
}
