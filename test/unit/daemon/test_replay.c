/*
 * A run that is recorded, with every kind of input, and its replay: the same alerts, byte by byte,
 * though nothing of the recorded host is there any more.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/conf.h"
#include "haetae/replay.h"
#include "engine.h"
#include "record_builder.h"

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BOOT_ID	  "8a7b1c2d-0000-4000-8000-000000000000"

static const char rules[] =
	"- rule: read\n"
	"  desc: d\n"
	"  condition: evt.type = openat and fd.name startswith /etc\n"
	"  output: >\n"
	"    %fd.name %user.name %proc.cmdline %proc.exepath %proc.pcmdline %container.name\n"
	"    %container.image.repository %k8s.pod.name %evt.time.iso8601\n"
	"  priority: warning\n"
	"- rule: lost\n"
	"  desc: d\n"
	"  condition: evt.type = loss\n"
	"  output: '%evt.arg.state %evt.arg.lost'\n"
	"  priority: error\n"
	"- rule: peer\n"
	"  desc: d\n"
	"  condition: evt.type = connect and fd.sip.name = peer.example\n"
	"  output: '%fd.sip'\n"
	"  priority: notice\n";

static char root[] = "/tmp/haetae-replay-XXXXXX";
static struct record_builder builder;

static void put_file(const char *name, const char *data, size_t n)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = path + sizeof(root); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static void set_up(void)
{
	static const char stat_line[] =
		"1000 (test) S 1 2 3 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 1000 99 98\n";

	cr_assert_not_null(mkdtemp(root));
	put_text("etc/passwd", "root:x:0:0::/:/bin/sh\nalice:secret:1000:1000:A:/home/a:/bin/sh\n");
	put_text("etc/group", "root:x:0:\n");
	put_file("proc/1000/stat", stat_line, sizeof(stat_line) - 1);
	put_file("proc/1000/cmdline", "prog\0-a\0b c", 12);
}

static void tear_down(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(replay, .init = set_up, .fini = tear_down);

static struct ruleset *load_rules(struct rules_options *options)
{
	struct ruleset *ruleset = NULL;
	struct diags diags;

	diags_init(&diags);
	cr_assert_eq(
		ruleset_load_text(STR("rules.yaml"), str_from(rules), options, &diags, &ruleset), 0,
		"%s", diags.item_cnt ? diags.items[0].text.p : "");
	diags_done(&diags);
	return ruleset;
}

static bool keep_alert(struct alert *alert, void *data)
{
	buf_put_str(data, alert->json);
	buf_putc(data, '\n');
	alert_free(alert);
	return true;
}

/* ---- the run ---- */

static void give(struct engine *engine, void (*fn)(const void *record, uint32_t length, void *data))
{
	fn(builder.bytes, record_finish(&builder), engine);
}

static void open_file(struct engine *engine, const char *path, uint32_t uid, uint64_t cgroup_id)
{
	static uint64_t sequence;

	record_begin(&builder, EVENT_OPENAT);
	builder.header->sequence = ++sequence;
	builder.header->uid = builder.header->euid = uid;
	builder.header->cgroup_id = cgroup_id;
	if (cgroup_id == 77)
		builder.header->pid = builder.header->tid = 2000;
	record_put_number(&builder, "fd", 3);
	record_put_text(&builder, "name", path);
	record_put_path(&builder, "path", path);
	give(engine, engine_handle);
}

static void seed(struct engine *engine)
{
	record_begin(&builder, EVENT_TASK_SEED);
	builder.header->time_ns = NS_PER_SEC;
	record_put_number(&builder, "reader_pid", 1000);
	give(engine, engine_seed);
}

static void make_cgroup(struct engine *engine)
{
	record_begin(&builder, EVENT_CGROUP_MKDIR);
	record_put_number(&builder, "id", 77);
	record_put_number(&builder, "parent_id", 1);
	record_put_number(&builder, "hierarchy", WIRE_HIERARCHY_V2);
	record_put_text(&builder, "path", "/docker/" CONTAINER);
	give(engine, engine_handle);
}

static void connect_to(struct engine *engine)
{
	record_begin(&builder, EVENT_CONNECT);
	record_put_number(&builder, "fd", 4);
	record_put_tuple(&builder, "tuple", "10.0.0.1:5000", "192.0.2.7:443", 6);
	give(engine, engine_handle);
}

static void answer_source(struct engine *engine, bool is_healthy)
{
	struct metadata_answer answer = { .type = ANSWER_SOURCE,
					  .source = METADATA_RUNTIME,
					  .is_healthy = is_healthy };

	engine_answer(engine, &answer);
}

static void answer_container(struct engine *engine)
{
	struct metadata_answer *answer = calloc(1, sizeof(*answer));

	answer->type = ANSWER_CONTAINER;
	strcpy(answer->full_id, CONTAINER);
	answer->info = container_info_new();
	answer->info->name = arena_str(&answer->info->arena, STR("web"));
	container_info_set_image(answer->info, STR("docker.io/library/nginx:1.25"));
	cr_assert_eq(users_new_from(STR("app:x:1000:1000::/srv:/bin/false"), STR(""),
				    &answer->info->users),
		     0);
	engine_answer(engine, answer);
	metadata_answer_free(answer);
}

static void lose(struct engine *engine)
{
	struct loss_numbers numbers = {
		.total = 12,
		.cgroups = { { .cgroup_id = 5, .lost = 7, .hierarchy = WIRE_HIERARCHY_V2 } },
		.cgroup_cnt = 1
	};

	record_begin(&builder, EVENT_LOSS);
	builder.header->pid = builder.header->tid = 0;
	builder.header->ring = WIRE_RING_OWN;
	builder.header->sequence = 1;
	record_put_text(&builder, "state", "begin");
	record_put_number(&builder, "lost", 12);
	engine_own(engine, builder.bytes, record_finish(&builder));
	engine_loss(engine, &numbers);
}

static uint64_t seconds(unsigned cnt)
{
	return 20 * NS_PER_SEC + cnt * NS_PER_SEC;
}

static void run_inputs(struct engine *engine)
{
	const bool has_source[METADATA_SOURCE__COUNT] = { [METADATA_RUNTIME] = true };
	struct host_address address;

	seed(engine);
	engine_tick(engine, seconds(0), 1700000000000000000);
	engine_sources(engine, has_source);
	answer_source(engine, true);
	engine_decide(engine, seconds(0));
	open_file(engine, "/etc/first", 1000, 5);
	lose(engine);
	open_file(engine, "/etc/second", 1000, 5);
	make_cgroup(engine);
	engine_asked(engine, 1);
	open_file(engine, "/etc/held", 1000, 77);
	connect_to(engine);
	put_text("etc/passwd", "bob:x:1000:1000::/:/bin/sh\n");
	engine_tick(engine, seconds(1), 1700000000000001000);
	engine_look(engine);
	open_file(engine, "/etc/third", 1000, 5);
	/* The alert of the held one comes now, before the next event's. */
	answer_container(engine);
	engine_decide(engine, seconds(1) + 5);
	open_file(engine, "/etc/fourth", 1000, 77);
	cr_assert(host_address_from((const uint8_t[]){ 192, 0, 2, 7 }, 4, &address));
	engine_host_name(engine, STR("peer.example"), &address, 1);
	engine_decide(engine, seconds(2));
	engine_gone(engine, (struct proc_key){ NS_PER_SEC, 1 });
	engine_flush(engine);
}

/* Alerts of the run, in `live`; what it took in, in the file. */
static void record_run(const struct daemon_config *config, struct ruleset *ruleset,
		       const char *path, struct buf *live)
{
	const struct engine_host host = { .name = "node-7",
					  .boot_id = BOOT_ID,
					  .wall_offset_ns = 1600000000000000000 };
	const struct capture_writer_config file = { .path = path };
	const struct capture_head head = { .hostname = host.name,
					   .boot_id = host.boot_id,
					   .scope = "",
					   .wall_offset_ns = host.wall_offset_ns };
	struct capture_writer *writer;
	struct capture_end end = { 0 };
	struct host_names *names;
	struct engine *engine = calloc(1, sizeof(*engine));
	uint32_t name_cnt;
	const struct str *texts = ruleset_host_names(ruleset, &name_cnt);

	cr_assert_eq(name_cnt, 1);
	cr_assert_eq(host_names_new(texts, name_cnt, &names), 0);
	cr_assert_eq(engine_init(engine, config, &config->procs, &host, ruleset), 0);
	engine->host_names = names;
	engine->fields.host_names = names;
	engine->on_alert = keep_alert;
	engine->data = live;
	cr_assert_eq(capture_writer_new(&file, &head, &writer), 0);
	engine_record(engine, writer);
	run_inputs(engine);
	end.delivered = engine_delivered(engine);
	cr_assert_eq(capture_writer_finish(writer, &end), 0);
	capture_writer_free(writer);
	engine_done(engine);
	host_names_free(names);
	free(engine);
}

static void expect_same(const struct buf *live, const struct buf *replayed)
{
	cr_expect_str_eq(buf_str(replayed).p, buf_str(live).p);
}

Test(replay, gives_the_same_alerts)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	struct daemon_config *config = &conf->daemon;
	struct replay_config replay_config = { .daemon = config, .on_alert = keep_alert };
	struct ruleset *ruleset = load_rules(&config->rules);
	struct buf live, replayed;
	struct replay_stats stats;
	struct replay *replay;
	char path[64];
	struct stat info;

	buf_init(&live, 1u << 20);
	buf_init(&replayed, 1u << 20);
	snprintf(path, sizeof(path), "%s/run.hcap", root);
	config->metadata.host_root = root;
	record_run(config, ruleset, path, &live);
	cr_expect(strstr(live.p, "/etc/first alice test -a b c"), "%s", live.p);
	cr_expect(strstr(live.p, "/etc/held app") && strstr(live.p, "/etc/third bob"));
	cr_expect(strstr(live.p, "docker.io/library/nginx"));
	cr_expect(strstr(live.p, "192.0.2.7"));
	cr_expect(strstr(live.p, "\"lost_10s\":12,\"lost_cgroup_10s\":7"));
	cr_expect(strstr(live.p, "/etc/fourth") > strstr(live.p, "/etc/held"));

	/* Nothing of that host is left. */
	put_text("etc/passwd", "mallory:x:1000:1000::/:/bin/sh\n");
	put_text("proc/1000/cmdline", "other");
	replay_config.data = &replayed;
	cr_assert_eq(replay_new(&replay_config, ruleset, &replay), 0);
	for (int i = 0; i < 2; i++) {
		buf_clear(&replayed);
		cr_expect_eq(replay_file(replay, path), 0, "%s", replay_message(replay));
		expect_same(&live, &replayed);
	}
	replay_stats(replay, &stats);
	cr_expect_eq(stats.files, 2);
	cr_expect_eq(stats.damaged + stats.left_out + stats.unknown + stats.undecodable, 0);
	/* Cut in two: what stands before is what it was. */
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(truncate(path, info.st_size / 2), 0);
	buf_clear(&replayed);
	cr_expect_eq(replay_file(replay, path), REPLAY_E_DAMAGED);
	cr_expect(strstr(replay_message(replay), path), "%s", replay_message(replay));
	replay_free(replay);
	buf_done(&live);
	buf_done(&replayed);
}

Test(replay, what_is_no_capture)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	const struct replay_config config = { .daemon = &conf->daemon, .on_alert = keep_alert };
	struct replay *replay;
	char path[64];

	snprintf(path, sizeof(path), "%s/etc/passwd", root);
	cr_assert_eq(replay_new(&config, load_rules(&conf->daemon.rules), &replay), 0);
	cr_expect_gt(replay_file(replay, path), 0);
	cr_expect(strstr(replay_message(replay), path));
	cr_expect_neq(replay_file(replay, "/nonexistent"), 0);
	replay_free(replay);
}
