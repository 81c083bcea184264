/* The source of bundles, within the metadata thread: folders as runtimes lay them out, and files
 * that are none of theirs. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "haetae/clock.h"
#include "haetae/metadata.h"
#include "haetae/proc.h"
#include "openat2.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char root[] = "/tmp/haetae-bundle-XXXXXX";

static _printf_(1, 2) const char *path(const char *format, ...)
{
	static char text[512];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s/", root);
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - n, format, args);
	va_end(args);
	return text;
}

/* The folders of a path below the root, then the file. */
static void put(const char *name, const char *content, size_t spaces)
{
	char copy[512];
	FILE *file;

	snprintf(copy, sizeof(copy), "%s", path("%s", name));
	for (char *slash = strchr(copy + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(copy, 0755);
		*slash = '/';
	}
	if (!content)
		return;
	file = fopen(copy, "we");
	cr_assert_not_null(file, "%s", copy);
	fputs(content, file);
	for (size_t i = 0; i < spaces; i++)
		fputc(' ', file);
	fclose(file);
}

#define PLAIN \
	"{\"ociVersion\":\"1\",\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"web-0\"}}"

/* A container with users of its own; so many spaces behind them. */
static void put_users(const char *id, size_t in_passwd, size_t in_group)
{
	char name[128];

	snprintf(name, sizeof(name), "task/default/%s/config.json", id);
	put(name, "{\"ociVersion\":\"1\",\"root\":{\"path\":\"rootfs\"}}", 0);
	snprintf(name, sizeof(name), "task/default/%s/rootfs/etc/passwd", id);
	put(name, "admin:x:0:0::/:/bin/sh\n", in_passwd);
	snprintf(name, sizeof(name), "task/default/%s/rootfs/etc/group", id);
	put(name, "wheel:x:0:\n", in_group);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(root));
	put("task/default/t1/config.json", PLAIN, 0);
	put("task/default/w1/config.json", PLAIN, 0);
	put("task/default/w1/shim-binary-path", "/usr/bin/containerd-shim-spin-v2\n", 0);
	put("task/k8s.io/" ID "/config.json", PLAIN, 0);
	put("task/moby/d1/config.json", PLAIN, 0);
	put("task/default/cut/config.json", "{\"ociVersion\":\"1\"", 0);
	put("task/default/long/config.json", PLAIN, 2 << 20);
	put("task/default/fifo/config.json", NULL, 0);
	cr_assert_eq(mkfifo(path("task/default/fifo/config.json"), 0600), 0);
	put("task/default/folder/config.json/x", "", 0);
	put_users("named", 100, 100);
	put_users("bomb", 64 << 10, 0);
	put_users("groups", 0, 64 << 10);
	put("secret/config.json", PLAIN, 0);
	put("store/overlay-containers/p1/userdata/config.json",
	    "{\"ociVersion\":\"1\",\"annotations\":{\"io.container.manager\":\"libpod\"}}", 0);
	put("store/overlay-containers/containers.json",
	    "[{\"id\":\"p1\",\"metadata\":\"{\\\"name\\\":\\\"happy\\\",\\\"image-name\\\":\\\"a/"
	    "b:1\\\"}\"}]",
	    0);
}

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_expect_eq(system(command), 0);
}

static struct metadata *start(void)
{
	struct metadata_config config;
	struct metadata *metadata;

	metadata_config_default(&config);
	config.host_root = root;
	config.want_runtimes = false;
	config.kubernetes = KUBERNETES_OFF;
	config.bundle_roots[0] = "/task";
	config.bundle_roots[1] = "/store/overlay-containers/";
	config.bundle_roots[2] = "/nowhere";
	config.bundle_root_cnt = 3;
	cr_assert_eq(metadata_start(&config, &metadata), 0);
	return metadata;
}

struct bundle_case {
	const char *id, *namespace;
	enum container_type type; /* of the question */
	bool is_known;
	enum container_type want;
	const char *name, *pod, *image, *user, *group;
	bool is_answered;
};

static bool is_text(struct str s, const char *text)
{
	return text ? str_eq_text(s, text) : !s.p;
}

static bool is_name(const char *name, const char *wanted)
{
	return wanted ? name && strcmp(name, wanted) == 0 : !name;
}

static void check(struct bundle_case *cases, size_t cnt, const struct metadata_answer *answer)
{
	for (size_t i = 0; i < cnt; i++) {
		struct bundle_case *c = &cases[i];

		if (strcmp(c->id, answer->full_id) != 0)
			continue;
		c->is_answered = true;
		cr_expect_eq(answer->type == ANSWER_CONTAINER, c->is_known, "%s", c->id);
		if (answer->type != ANSWER_CONTAINER || !c->is_known)
			continue;
		cr_expect_eq(answer->info->type, c->want, "%s: type", c->id);
		cr_expect(is_text(answer->info->full_id, c->id), "%s", c->id);
		cr_expect(is_text(answer->info->name, c->name), "%s: name", c->id);
		cr_expect(is_text(answer->info->pod_name, c->pod), "%s: pod", c->id);
		cr_expect(is_text(answer->info->image, c->image), "%s: image", c->id);
		cr_expect_eq(answer->info->users != NULL, c->user != NULL, "%s: users", c->id);
		if (!answer->info->users || !c->user)
			continue;
		cr_expect(is_name(users_name(answer->info->users, 0), c->user), "%s", c->id);
		cr_expect(is_name(users_group_name(answer->info->users, 0), c->group), "%s", c->id);
	}
}

static bool is_over(const struct bundle_case *cases, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!cases[i].is_answered)
			return false;
	return true;
}

/* clang-format off */
static struct bundle_case cases[] = {
	{ "t1", "default", CONTAINER_CONTAINERD, true, CONTAINER_CONTAINERD, "t1", NULL, NULL },
	{ "w1", "", CONTAINER_CONTAINERD, true, CONTAINER_WASM, "w1", NULL, NULL },
	{ ID, "", CONTAINER_CRI, true, CONTAINER_CONTAINERD, NULL, "web-0", NULL },
	{ "d1", "", CONTAINER_DOCKER, true, CONTAINER_DOCKER, "d1", NULL, NULL },
	{ "p1", "", CONTAINER_PODMAN, true, CONTAINER_PODMAN, "happy", NULL, "a/b:1" },
	{ "named", "default", CONTAINER_CONTAINERD, true, CONTAINER_CONTAINERD, "named", NULL, NULL, "admin", "wheel" },
	/* what an image's author made so long that a node full of such containers takes gigabytes */
	{ "bomb", "default", CONTAINER_CONTAINERD, true, CONTAINER_CONTAINERD, "bomb", NULL, NULL },
	{ "groups", "default", CONTAINER_CONTAINERD, true, CONTAINER_CONTAINERD, "groups", NULL, NULL, "admin", NULL },
	{ "cut", "default", CONTAINER_CONTAINERD, false },
	{ "long", "default", CONTAINER_CONTAINERD, false },
	{ "fifo", "default", CONTAINER_CONTAINERD, false },
	{ "folder", "default", CONTAINER_CONTAINERD, false },
	{ "nobody", "default", CONTAINER_CONTAINERD, false },
	{ "../../secret", "", CONTAINER_CONTAINERD, false },
	{ "secret", "../..", CONTAINER_CONTAINERD, false },
	{ "..", "default", CONTAINER_CONTAINERD, false },
	{ "t1/.", "default", CONTAINER_CONTAINERD, false },
	{ "lxc", "", CONTAINER_LXC, false },
};
/* clang-format on */

Test(bundle, folders_of_runtimes, .init = set_up, .fini = tear_down)
{
	uint64_t end_ns = clock_boot_ns() + 20 * NS_PER_SEC;
	struct metadata *metadata;
	struct metadata_stats stats;

	skip_without_openat2();
	metadata = start();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct metadata_question question = { .type = QUESTION_CONTAINER,
						      .container_type = cases[i].type };

		snprintf(question.full_id, sizeof(question.full_id), "%s", cases[i].id);
		snprintf(question.runtime_namespace, sizeof(question.runtime_namespace), "%s",
			 cases[i].namespace);
		cr_assert(metadata_ask(metadata, &question));
	}
	while (!is_over(cases, ARRAY_LEN(cases)) && clock_boot_ns() < end_ns) {
		struct pollfd wait = { .fd = metadata_poll_fd(metadata), .events = POLLIN };
		struct metadata_answer *answer;

		(void)poll(&wait, 1, 100);
		while ((answer = metadata_take(metadata))) {
			check(cases, ARRAY_LEN(cases), answer);
			metadata_answer_free(answer);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(cases[i].is_answered, "%s: no answer", cases[i].id);
	metadata_stats(metadata, &stats);
	cr_expect_geq(stats.refused_answers, 2, "what is cut or too long is counted");
	metadata_free(metadata);
}
