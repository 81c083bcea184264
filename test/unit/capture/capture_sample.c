/*
 * The sample's values, put and compared. Owns constants alone.
 */
#include "capture_sample.h"

#define PASSWD "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:/bin/false\n"
#define GROUP  "root:x:0:\nweb:x:33:\n"

static const struct proc_key key = { .start_ns = 0x1122334455667788, .pid = 4711 };
static const struct proc_strings strings = {
	.exe = { "sh", 2 },
	.args = { "-c\0id\0", 6 },
	.exepath = { "/usr/bin/dash", 13 },
	.cwd = { "/", 1 },
	.is_args_cut = true,
	.comm = "sh",
	.parent_pid = 1,
	.group_id = 2,
	.session_id = 3,
	.tty = 4,
	.uid = 5,
	.read_ns = 6,
};
static const struct cgroup_walk walk = { .type = CGROUP_WALK_FOLDER,
					 .hierarchy = WIRE_HIERARCHY_PIDS,
					 .now_ns = 7,
					 .id = 8,
					 .parent_id = 9,
					 .path = { "/a b", 4 } };
static const struct cgroup_place place = {
	.hierarchy = WIRE_HIERARCHY_CPU, .id = 10, .path = { "/x", 2 }, .above_id = 11
};
static const struct host_address addresses[2] = { { { 1, 2, 3 } }, { { [15] = 9 } } };
static const struct capture_loss loss = { .total = 12,
					  .cgroups = { { 13, 14, WIRE_HIERARCHY_MEMORY },
						       { 15, 16, WIRE_HIERARCHY_V2 } },
					  .cgroup_cnt = 2 };
static const struct capture_cgroup cgroup = { .hierarchy = WIRE_HIERARCHY_V2,
					      .id = 17,
					      .is_inherited = true,
					      .identity = { .type = CONTAINER_DOCKER,
							    .id = "abc",
							    .pod_uid = "def",
							    .runtime_namespace = "moby" } };

struct sample_record sample_record(enum event_type type, uint64_t time_ns)
{
	return (struct sample_record){ .header = { .length = sizeof(struct wire_header),
						   .type = (uint16_t)type,
						   .time_ns = time_ns,
						   .pid = 17,
						   .ring = WIRE_RING_OWN } };
}

struct capture_head sample_head(void)
{
	return (struct capture_head){ .hostname = "host",
				      .boot_id = "0f0f0f0f-0000-4000-8000-000000000001",
				      .scope = "pid 17",
				      .wall_offset_ns = -5,
				      .start_ns = SAMPLE_START_NS };
}

static struct metadata_answer *container_answer(void)
{
	static const struct label labels[] = { { { "app", 3 }, { "web", 3 } },
					       { { "empty", 5 }, { "", 0 } } };
	static const struct container_mount mounts[] = {
		{ .source = { "/src", 4 }, .dest = { "/dst", 4 }, .is_writable = true }
	};
	struct metadata_answer *answer = calloc(1, sizeof(*answer));
	struct container_info *info = container_info_new();

	answer->type = ANSWER_CONTAINER;
	strcpy(answer->full_id, "abc");
	info->is_partial = true;
	info->privileged = TRI_TRUE;
	info->host_ipc = TRI_FALSE;
	info->type = CONTAINER_CRIO;
	info->started_ns = 18;
	info->name = STR("name");
	info->pod_ip = STR("10.0.0.1");
	info->labels = labels;
	info->label_cnt = 2;
	info->mounts = mounts;
	info->mount_cnt = 1;
	users_new_from(STR(PASSWD), STR(GROUP), &info->users);
	answer->info = info;
	return answer;
}

static void put_answer(struct capture_writer *writer)
{
	struct metadata_answer *answer = container_answer();

	capture_put_answer(writer, answer);
	container_info_unref(answer->info);
	free(answer);
}

void sample_put(struct capture_writer *writer)
{
	struct sample_record seed = sample_record(EVENT_TASK_SEED, SAMPLE_START_NS);
	struct sample_record record = sample_record(EVENT_OPENAT, SAMPLE_START_NS + 1);
	struct sample_record own = sample_record(EVENT_LOSS, SAMPLE_START_NS + 2);
	const bool has_source[METADATA_SOURCE__COUNT] = { [METADATA_KUBERNETES] = true };

	capture_put_record(writer, CAPTURE_SEED, &seed, sizeof(seed));
	capture_put_record(writer, CAPTURE_RECORD, &record, sizeof(record));
	capture_put_record(writer, CAPTURE_OWN, &own, sizeof(own));
	capture_put_strings(writer, key, &strings);
	capture_put_gone(writer, key);
	capture_put_walk(writer, &walk);
	capture_put_place(writer, &place);
	capture_put_bundle(writer, "default", "abc");
	put_answer(writer);
	capture_put_asked(writer, 19);
	capture_put_host_name(writer, STR("example.org"), addresses, 2);
	capture_put_sources(writer, has_source);
	capture_put_loss(writer, &loss);
	capture_put_users(writer, STR(PASSWD), STR(GROUP));
	capture_put_decide(writer, SAMPLE_START_NS + 3);
	capture_put_tick(writer, SAMPLE_START_NS + 4, -6);
	capture_put_cgroup(writer, &cgroup);
	capture_put_rules(writer, 23);
}

#define SAME(condition)                    \
	do {                               \
		if (!(condition))          \
			return #condition; \
	} while (0)

static const char *compare_record(const struct capture_frame *frame)
{
	unsigned step = (unsigned)frame->kind - CAPTURE_SEED;
	const struct wire_header *header = frame->record.bytes;

	SAME(frame->record.length == sizeof(struct wire_header));
	SAME((uintptr_t)header % 8 == 0);
	SAME(header->time_ns == SAMPLE_START_NS + step);
	SAME(header->pid == 17);
	return NULL;
}

static const char *compare_strings(const struct capture_strings *got)
{
	SAME(got->key.pid == key.pid && got->key.start_ns == key.start_ns);
	SAME(str_eq(got->strings.exe, strings.exe));
	SAME(str_eq(got->strings.args, strings.args));
	SAME(!got->strings.env.p);
	SAME(str_eq(got->strings.exepath, strings.exepath));
	SAME(str_eq(got->strings.cwd, strings.cwd));
	SAME(got->strings.is_args_cut && !got->strings.is_env_cut);
	SAME(strcmp(got->strings.comm, "sh") == 0);
	SAME(got->strings.parent_pid == 1 && got->strings.group_id == 2);
	SAME(got->strings.session_id == 3 && got->strings.tty == 4);
	SAME(got->strings.uid == 5 && got->strings.read_ns == 6);
	return NULL;
}

static const char *compare_walk(const struct cgroup_walk *got)
{
	SAME(got->type == walk.type && got->hierarchy == walk.hierarchy);
	SAME(got->now_ns == 7 && got->id == 8 && got->parent_id == 9);
	SAME(str_eq(got->path, walk.path) && got->path.p[got->path.n] == '\0');
	return NULL;
}

static const char *compare_answer(const struct metadata_answer *got)
{
	const struct container_info *info = got->info;

	SAME(got->type == ANSWER_CONTAINER && strcmp(got->full_id, "abc") == 0);
	SAME(info && !got->pod);
	SAME(info->is_partial && !info->is_cut && !info->is_sandbox);
	SAME(info->privileged == TRI_TRUE && info->host_ipc == TRI_FALSE);
	SAME(info->host_pid == TRI_UNKNOWN && info->type == CONTAINER_CRIO);
	SAME(info->started_ns == 18 && str_eq(info->name, STR("name")));
	SAME(str_eq(info->pod_ip, STR("10.0.0.1")) && !info->image.p);
	SAME(info->label_cnt == 2 && str_eq(info->labels[0].value, STR("web")));
	SAME(info->labels[1].value.p && info->labels[1].value.n == 0);
	SAME(info->mount_cnt == 1 && info->mounts[0].is_writable);
	SAME(str_eq(info->mounts[0].dest, STR("/dst")) && !info->mounts[0].mode.p);
	SAME(info->users && strcmp(users_name(info->users, 33), "web") == 0);
	SAME(strcmp(users_home(info->users, 33), "/srv") == 0);
	SAME(strcmp(users_group_name(info->users, 33), "web") == 0);
	return NULL;
}

static const char *compare_loss(const struct capture_loss *got)
{
	SAME(got->total == 12 && got->cgroup_cnt == 2);
	SAME(got->cgroups[0].cgroup_id == 13 && got->cgroups[0].lost == 14);
	SAME(got->cgroups[0].hierarchy == WIRE_HIERARCHY_MEMORY);
	SAME(got->cgroups[1].cgroup_id == 15 && got->cgroups[1].lost == 16);
	return NULL;
}

static const char *compare_host_name(const struct capture_host_name *got)
{
	SAME(str_eq(got->name, STR("example.org")) && got->address_cnt == 2);
	SAME(memcmp(got->addresses, addresses, sizeof(addresses)) == 0);
	return NULL;
}

static const char *compare_place(const struct cgroup_place *got)
{
	SAME(got->hierarchy == place.hierarchy && got->id == 10 && got->above_id == 11);
	SAME(str_eq(got->path, place.path));
	return NULL;
}

static const char *compare_cgroup(const struct capture_cgroup *got)
{
	SAME(got->hierarchy == WIRE_HIERARCHY_V2 && got->id == 17 && got->is_inherited);
	SAME(got->identity.type == CONTAINER_DOCKER && !got->identity.is_users);
	SAME(strcmp(got->identity.id, "abc") == 0 && strcmp(got->identity.pod_uid, "def") == 0);
	SAME(strcmp(got->identity.runtime_namespace, "moby") == 0);
	return NULL;
}

/* A flat switch. */
const char *sample_compare(const struct capture_frame *frame)
{
	switch (frame->kind) {
	case CAPTURE_SEED:
	case CAPTURE_RECORD:
	case CAPTURE_OWN:
		return compare_record(frame);
	case CAPTURE_STRINGS:
		return compare_strings(&frame->strings);
	case CAPTURE_GONE:
		SAME(frame->gone.pid == key.pid && frame->gone.start_ns == key.start_ns);
		return NULL;
	case CAPTURE_WALK:
		return compare_walk(&frame->walk);
	case CAPTURE_PLACE:
		return compare_place(&frame->place);
	case CAPTURE_BUNDLE:
		SAME(strcmp(frame->bundle.runtime_namespace, "default") == 0);
		SAME(strcmp(frame->bundle.id, "abc") == 0);
		return NULL;
	case CAPTURE_ANSWER:
		return compare_answer(frame->answer);
	case CAPTURE_ASKED:
		SAME(frame->asked_cnt == 19);
		return NULL;
	case CAPTURE_HOST_NAME:
		return compare_host_name(&frame->host_name);
	case CAPTURE_SOURCES:
		SAME(!frame->has_source[METADATA_RUNTIME] &&
		     frame->has_source[METADATA_KUBERNETES]);
		return NULL;
	case CAPTURE_LOSS:
		return compare_loss(&frame->loss);
	case CAPTURE_USERS:
		SAME(str_eq(frame->users.passwd, STR(PASSWD)));
		SAME(str_eq(frame->users.group, STR(GROUP)));
		return NULL;
	case CAPTURE_DECIDE:
		SAME(frame->time.now_ns == SAMPLE_START_NS + 3);
		return NULL;
	case CAPTURE_TICK:
		SAME(frame->time.now_ns == SAMPLE_START_NS + 4);
		SAME(frame->time.wall_offset_ns == -6);
		return NULL;
	case CAPTURE_CGROUP:
		return compare_cgroup(&frame->cgroup);
	case CAPTURE_RULES:
		SAME(frame->rules_number == 23);
		return NULL;
	case CAPTURE_NONE:
	case CAPTURE_HEAD:
	case CAPTURE_SCHEMA:
	case CAPTURE_END:
	case CAPTURE_INDEX:
	case CAPTURE_TRAILER:
	case CAPTURE__COUNT:
		break;
	}
	return "no frame for a caller";
}
