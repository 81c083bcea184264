/*
 * container.* and k8s.*: what each says on the host, before the runtime has answered, after it has,
 * with the API beside it, and where nobody is there to ask.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "fields_fixture.h"

static struct fields_fixture fixture;
static struct container container;
static struct container_info *info;
static struct pod_table *pods;
static const struct fixture_program program = {
	.pid = 100, .parent_pid = 1, .comm = "cat", .exe = "cat", .exepath = "/usr/bin/cat"
};

static void begin(void)
{
	fixture_begin(&fixture, EVENT_OPENAT, &program);
	record_put_number(&fixture.record, "fd", 3);
	fixture.record.header->result = 3;
	record_put_text(&fixture.record, "name", "/etc/shadow");
	record_put_path(&fixture.record, "path", "/etc/shadow");
	fixture_event(&fixture);
	fixture.event.container = &container;
}

static void setup(void)
{
	fixture_init(&fixture);
	fixture_run(&fixture, &program);
	container = (struct container){
		.id = "0123456789ab",
		.full_id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.type = CONTAINER_CONTAINERD,
		.init_start_ns = 5,
	};
	cr_assert_eq(pod_table_new(8, &pods), 0);
	info = container_info_new();
	cr_assert_not_null(info);
	begin();
}

static void teardown(void)
{
	fixture_done(&fixture);
	pod_table_free(pods);
	container_info_unref(info);
}

TestSuite(fields_meta, .init = setup, .fini = teardown);

#define NO   "<absent>"
#define WAIT "<pending>"

Test(fields_meta, host)
{
	static const struct fixture_case cases[] = {
		{ "container.id", "host" },
		{ "container.full_id", "host" },
		{ "container.name", "host" },
		{ "container.type", "host" },
		{ "container.image", "" },
		{ "container.image.repository", "" },
		{ "container.image.tag", "" },
		{ "container.image.digest", "" },
		{ "container.image.id", "" },
		{ "container.privileged", NO },
		{ "container.mounts", NO },
		{ "container.mount[0]", NO },
		{ "container.label[a]", NO },
		{ "container.labels", NO },
		{ "container.start_ts", NO },
		{ "container.duration", NO },
		{ "container.ip", NO },
		{ "k8s.pod.name", NO },
		{ "k8s.pod.uid", NO },
		{ "k8s.deployment.name", NO },
		{ "fd.containername", "host:/etc/shadow" },
		{ "fd.containerdirectory", "host:/etc" },
		{ NULL, NULL },
	};

	fixture.event.container = &container_host;
	fixture_expect(&fixture, "host", cases);
}

/* It is not known whether the event is of a container: no rule about either may hold. */
Test(fields_meta, not_told)
{
	static const struct fixture_case cases[] = {
		{ "container.id", NO },	  { "container.name", NO }, { "container.image", NO },
		{ "container.type", NO }, { "k8s.pod.uid", NO },    { "fd.containername", NO },
		{ NULL, NULL },
	};

	fixture.event.container = NULL;
	fixture_expect(&fixture, "not told", cases);
}

/* No runtime, no API: the control group alone. */
Test(fields_meta, cgroup_alone)
{
	static const struct fixture_case cases[] = {
		{ "container.id", "0123456789ab" },
		{ "container.full_id",
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
		{ "container.type", "containerd" },
		{ "container.name", NO },
		{ "container.image", NO },
		{ "container.image.repository", NO },
		{ "container.privileged", NO },
		{ "container.mount[/proc*]", NO },
		{ "container.labels", NO },
		{ "container.start_ts", "1700000000000000005" },
		{ "k8s.pod.uid", "11111111-2222-3333-4444-555555555555" },
		{ "k8s.pod.name", NO },
		{ "k8s.ns.name", NO },
		{ "k8s.deployment.name", NO },
		{ "fd.containername", "0123456789ab:/etc/shadow" },
		{ NULL, NULL },
	};

	strcpy(container.pod_uid, "11111111-2222-3333-4444-555555555555");
	fixture_expect(&fixture, "cgroup alone", cases);
}

Test(fields_meta, runtime_asked)
{
	static const struct fixture_case cases[] = {
		{ "container.id", "0123456789ab" },
		{ "container.type", "containerd" },
		{ "container.name", WAIT },
		{ "container.image", WAIT },
		{ "container.image.repository", WAIT },
		{ "container.privileged", WAIT },
		{ "container.mounts", WAIT },
		{ "container.mount.dest[/proc*]", WAIT },
		{ "container.label[a]", WAIT },
		{ "container.labels", WAIT },
		{ "container.ip", WAIT },
		{ "k8s.pod.name", WAIT },
		{ "k8s.pod.uid", WAIT }, /* CRI may know one */
		{ "k8s.pod.sandbox_id", WAIT },
		{ "k8s.deployment.name", WAIT },
		{ "proc.name", "cat" },
		{ NULL, NULL },
	};

	container.state[METADATA_RUNTIME] = METADATA_WAITING;
	fixture_expect(&fixture, "runtime asked", cases);
}

/* The bundle has answered; who knows the image has not. */
Test(fields_meta, answered_in_part)
{
	static const struct fixture_case cases[] = {
		{ "container.name", "web" },	     { "container.image", WAIT },
		{ "container.privileged", "false" }, { "container.host_pid", WAIT },
		{ "container.label[a]", WAIT },	     { NULL, NULL },
	};

	info->name = STR("web");
	info->privileged = TRI_FALSE;
	info->is_partial = true;
	container.info = info;
	container.state[METADATA_RUNTIME] = METADATA_WAITING;
	fixture_expect(&fixture, "in part", cases);
}

static void fill_info(void)
{
	static const struct label labels[] = {
		{ { "app", 3 }, { "web", 3 } },
		{ { "io.kubernetes.pod.name", 22 }, { "x", 1 } },
		{ { "tier", 4 }, { "front", 5 } },
	};
	static const struct label pod_labels[] = { { { "app", 3 }, { "pod", 3 } } };
	static const struct container_mount mounts[] = {
		{ { "/srv", 4 }, { "/data", 5 }, { "rw", 2 }, { "rprivate", 8 }, true },
		{ { "/var/run/docker.sock", 20 }, { "/sock", 5 }, { "ro", 2 }, { "", 0 }, false },
	};

	info->name = STR("web");
	info->image = STR("r.io:5000/nginx:1.25@sha256:ab");
	container_info_set_image(info, info->image);
	info->privileged = TRI_TRUE;
	info->host_network = TRI_FALSE;
	info->labels = labels;
	info->label_cnt = ARRAY_LEN(labels);
	info->pod_labels = pod_labels;
	info->pod_label_cnt = ARRAY_LEN(pod_labels);
	info->mounts = mounts;
	info->mount_cnt = ARRAY_LEN(mounts);
	info->pod_name = STR("web-1");
	info->pod_namespace = STR("shop");
	info->pod_uid = STR("uid-1");
	info->pod_ip = STR("10.0.0.1");
	info->sandbox_id = STR("fedcba9876543210");
	info->started_ns = 1600000000000000000ULL;
	container.info = info;
	container.state[METADATA_RUNTIME] = METADATA_KNOWN;
}

Test(fields_meta, runtime_answered)
{
	static const struct fixture_case cases[] = {
		{ "container.name", "web" },
		{ "container.image", "r.io:5000/nginx:1.25@sha256:ab" },
		{ "container.image.repository", "r.io:5000/nginx" },
		{ "container.image.tag", "1.25" },
		{ "container.image.digest", "sha256:ab" },
		{ "container.image.id", NO },
		{ "container.privileged", "true" },
		{ "container.host_network", "false" },
		{ "container.host_ipc", NO },
		{ "container.label[app]", "web" },
		{ "container.label[io.kubernetes.pod.name]", "x" },
		{ "container.label[none]", NO },
		{ "container.labels", "app:web, tier:front" },
		{ "container.mounts",
		  "/srv:/data:rw:true:rprivate,/var/run/docker.sock:/sock:ro:false:" },
		{ "container.mount[0]", "/srv:/data:rw:true:rprivate" },
		{ "container.mount[1]", "/var/run/docker.sock:/sock:ro:false:" },
		{ "container.mount[2]", NO },
		{ "container.mount[/srv]", "/srv:/data:rw:true:rprivate" },
		{ "container.mount[/data]", NO },
		{ "container.mount.dest[/var/run/*]", "/sock" },
		{ "container.mount.dest[/proc*]", NO },
		{ "container.mount.source[/data]", "/srv" },
		{ "container.mount.source[/srv]", NO },
		{ "container.mount.mode[/srv]", "rw" },
		{ "container.mount.rdwr[/srv]", "true" },
		{ "container.mount.rdwr[*docker.sock]", "false" },
		{ "container.mount.propagation[/srv]", "rprivate" },
		{ "container.ip", "10.0.0.1" },
		{ "container.start_ts", "1600000000000000000" },
		{ "k8s.pod.name", "web-1" },
		{ "k8s.ns.name", "shop" },
		{ "k8s.pod.uid", "uid-1" },
		{ "k8s.pod.ip", "10.0.0.1" },
		{ "k8s.pod.sandbox_id", "fedcba987654" },
		{ "k8s.pod.full_sandbox_id", "fedcba9876543210" },
		{ "k8s.pod.label[app]", "pod" },
		{ "k8s.pod.labels", "app:pod" },
		{ "k8s.deployment.name", NO },
		{ "k8s.pod.annotation[a]", NO },
		{ NULL, NULL },
	};

	fill_info();
	fixture_expect(&fixture, "answered", cases);
}

static void put_pod(void)
{
	static const struct label labels[] = { { { "app", 3 }, { "api", 3 } } };
	static const struct label annotations[] = { { { "team", 4 }, { "a b", 3 } } };
	static const struct str ips[] = { { "10.9.9.9", 8 }, { "fd00::9", 7 } };
	struct pod_info *pod = pod_info_new();

	pod->uid = STR("uid-1");
	pod->name = STR("web-1");
	pod->namespace = STR("shop");
	pod->node = STR("node-1");
	pod->service_account = STR("default");
	pod->owner_kind = STR("ReplicaSet");
	pod->owner_name = STR("web-5d4f8");
	pod->rs_name = STR("web-5d4f8");
	pod->deployment_name = STR("web");
	pod->labels = labels;
	pod->label_cnt = 1;
	pod->annotations = annotations;
	pod->annotation_cnt = 1;
	pod->ips = ips;
	pod->ip_cnt = 2;
	cr_assert(pod_table_put(pods, pod));
	fixture.context.pods = pods;
}

Test(fields_meta, api_asked)
{
	static const struct fixture_case cases[] = {
		{ "k8s.pod.name", "web-1" },
		{ "k8s.pod.label[app]", "pod" },
		{ "k8s.deployment.name", WAIT },
		{ "k8s.node.name", WAIT },
		{ "k8s.sa.name", WAIT },
		{ "k8s.pod.runtime_class", WAIT },
		{ "k8s.pod.sandbox_id", "fedcba987654" },
		{ "container.name", "web" },
		{ NULL, NULL },
	};

	fill_info();
	strcpy(container.pod_uid, "uid-1");
	container.state[METADATA_KUBERNETES] = METADATA_WAITING;
	fixture.context.pods = pods;
	fixture_expect(&fixture, "API asked", cases);
}

/* The API's word is newer than CRI's. A runtime that is still asked makes nothing wait that the API
 * has told. */
Test(fields_meta, api_answered)
{
	static const struct fixture_case cases[] = {
		{ "k8s.pod.name", "web-1" },	   { "k8s.ns.name", "shop" },
		{ "k8s.pod.label[app]", "api" },   { "k8s.pod.label[none]", NO },
		{ "k8s.pod.labels", "app:api" },   { "k8s.pod.annotation[team]", "a b" },
		{ "k8s.pod.ip", "10.9.9.9" },	   { "k8s.deployment.name", "web" },
		{ "k8s.rs.name", "web-5d4f8" },	   { "k8s.owner.kind", "ReplicaSet" },
		{ "k8s.owner.name", "web-5d4f8" }, { "k8s.node.name", "node-1" },
		{ "k8s.sa.name", "default" },	   { "k8s.pod.runtime_class", NO },
		{ "container.name", WAIT },	   { NULL, NULL },
	};

	strcpy(container.pod_uid, "uid-1");
	container.state[METADATA_RUNTIME] = METADATA_WAITING;
	container.state[METADATA_KUBERNETES] = METADATA_KNOWN;
	put_pod();
	fixture_expect(&fixture, "API answered", cases);
}

/* The deadline is over. */
Test(fields_meta, nothing_waits_at_the_end)
{
	static const struct fixture_case cases[] = {
		{ "container.name", NO }, { "container.image", NO },
		{ "k8s.pod.name", NO },	  { "k8s.node.name", NO },
		{ NULL, NULL },
	};

	container.state[METADATA_RUNTIME] = METADATA_WAITING;
	container.state[METADATA_KUBERNETES] = METADATA_WAITING;
	fixture.context.is_final = true;
	fixture_expect(&fixture, "final", cases);
}

/* Names are the container's own where its files were read; who logged in did so on the host. */
Test(fields_meta, users)
{
	static const struct fixture_case waits[] = {
		{ "user.name", WAIT },	       { "group.name", WAIT }, { "user.homedir", WAIT },
		{ "user.loginname", "alice" }, { "user.uid", "1000" }, { NULL, NULL },
	};
	static const struct fixture_case hosts[] = {
		{ "user.name", "alice" },
		{ "group.name", "staff" },
		{ "user.homedir", "/home/alice" },
		{ "user.loginname", "alice" },
		{ NULL, NULL },
	};
	static const struct fixture_case own[] = {
		{ "user.name", "app" },	       { "group.name", "<NA>" },
		{ "user.homedir", "/srv" },    { "user.shell", "/bin/false" },
		{ "user.loginname", "alice" }, { NULL, NULL },
	};

	fixture.record.header->euid = fixture.record.header->loginuid = 1000;
	fixture.record.header->egid = 50;
	fixture_event(&fixture);
	fixture.event.container = &container;
	fixture_expect(&fixture, "no runtime", hosts);
	container.state[METADATA_RUNTIME] = METADATA_WAITING;
	fixture_expect(&fixture, "asked", waits);
	cr_assert_eq(users_new_from(STR("app:x:1000:1000::/srv:/bin/false\nno line"),
				    STR("wheel:x:10:"), &info->users),
		     0);
	container.info = info;
	fixture_expect(&fixture, "own", own);
	fixture.event.container = &container_host;
	fixture_expect(&fixture, "host", hosts);
}

static const char *peer_of(const char *local, const char *remote)
{
	fixture_begin(&fixture, EVENT_CONNECT, &program);
	record_put_tuple(&fixture.record, "tuple", local, remote, IPPROTO_TCP);
	fixture_event(&fixture);
	return fixture_read(&fixture, "k8s.peer.pod.name");
}

Test(fields_meta, peer)
{
	put_pod();
	cr_expect_str_eq(peer_of(NULL, "10.9.9.9:80"), "web-1");
	cr_expect_str_eq(fixture_read(&fixture, "k8s.peer.ns.name"), "shop");
	cr_expect_str_eq(peer_of(NULL, "[fd00::9]:80"), "web-1");
	cr_expect_str_eq(peer_of(NULL, "10.9.9.8:80"), NO);
	cr_expect_str_eq(peer_of("10.9.9.9:80", NULL), NO);
	begin();
	cr_expect_str_eq(fixture_read(&fixture, "k8s.peer.pod.name"), NO, "no socket");
	fixture.context.pods = NULL;
	cr_expect_str_eq(peer_of(NULL, "10.9.9.9:80"), NO);
}
