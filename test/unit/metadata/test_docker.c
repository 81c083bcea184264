/* Unit tests of Docker's JSON: what is taken, and what a hostile answer is worth. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "docker_answers.h"
#include "docker_parse.h"
#include "haetae/clock.h"
#include "haetae/json_bound.h"
#include "info.h"
#include "json.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define expect_text(value, text) \
	cr_expect(str_eq_text((value), (text)), "%s is %.*s", #value, STR_ARG(value))

Test(docker, all_of_a_container)
{
	struct container_info *info;
	char body[4096];

	snprintf(body, sizeof(body), DOCKER_CONTAINER, ID);
	info = docker_parse_container(str_from(body), CONTAINER_DOCKER, STR(ID));
	cr_assert_not_null(info);
	expect_text(info->full_id, ID);
	expect_text(info->name, "web");
	expect_text(info->image, "registry.test:5000/team/web:1.2");
	expect_text(info->image_repository, "registry.test:5000/team/web");
	expect_text(info->image_tag, "1.2");
	cr_expect(str_starts_with(info->image_id, STR("sha256:1111")));
	expect_text(info->ip, "172.17.0.2");
	expect_text(info->runtime_handler, "runc");
	cr_expect_eq(info->type, CONTAINER_DOCKER);
	cr_expect_eq(info->privileged, TRI_TRUE);
	cr_expect_eq(info->host_network, TRI_FALSE);
	cr_expect_eq(info->host_pid, TRI_TRUE);
	cr_expect_eq(info->host_ipc, TRI_FALSE);
	cr_expect_eq(info->started_ns, 1714551630 * NS_PER_SEC, "08:20:30 UTC");
	cr_expect_eq(info->mount_cnt, 2, "what has no destination is no mount");
	expect_text(info->mounts[0].source, "/srv");
	expect_text(info->mounts[0].dest, "/data");
	cr_expect_not(info->mounts[0].is_writable);
	cr_expect(info->mounts[1].is_writable);
	cr_expect_eq(info->label_cnt, 5, "a number is no label");
	cr_expect_not(info->is_partial);
	cr_expect_not(info->is_cut);
	container_info_unref(info);
}

/* Anybody may put any label on a Docker container (decision 25). */
Test(docker, labels_say_nothing_of_pods)
{
	struct container_info *info;
	char body[4096];

	snprintf(body, sizeof(body), DOCKER_CONTAINER, ID);
	info = docker_parse_container(str_from(body), CONTAINER_DOCKER, STR(ID));
	cr_expect_null(info->pod_name.p);
	cr_expect_null(info->pod_namespace.p);
	cr_expect_null(info->pod_uid.p);
	cr_expect_null(info->pod_ip.p);
	cr_expect_eq(info->pod_label_cnt, 0);
	cr_expect_null(info->sandbox_id.p);
	container_info_unref(info);
}

Test(docker, hostile_answers)
{
	const char *const bodies[] = {
		"",
		"null",
		"[]",
		"7",
		"{}",
		"{\"Id\":7}",
		"{\"Id\":\"" ID "\"",
		"{\"Id\":\"" ID "\"} {}",
		"{\"Id\":\"another\"}",
		"\xff\xfe",
		"{\"Id\":\"" ID "\",\"Config\":{\"Labels\":{\"a\":\"b",
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		cr_expect_null(
			docker_parse_container(str_from(bodies[i]), CONTAINER_DOCKER, STR(ID)),
			"%s", bodies[i]);
}

/* Wrong types leave the member out, no more. */
Test(docker, wrong_types)
{
	const char *const body =
		"{\"Id\":\"" ID "\",\"Name\":[],\"Image\":{},\"State\":\"up\",\"Config\":[1],"
		"\"HostConfig\":{\"Privileged\":\"yes\",\"NetworkMode\":1,\"PidMode\":null},"
		"\"NetworkSettings\":{\"Networks\":[{\"IPAddress\":\"1.2.3.4\"}]},"
		"\"Mounts\":{\"0\":{}}}";
	struct container_info *info =
		docker_parse_container(str_from(body), CONTAINER_PODMAN, STR(ID));

	cr_assert_not_null(info);
	cr_expect_null(info->name.p);
	cr_expect_null(info->image.p);
	cr_expect_null(info->ip.p);
	cr_expect_eq(info->privileged, TRI_UNKNOWN);
	cr_expect_eq(info->host_network, TRI_UNKNOWN);
	cr_expect_eq(info->host_pid, TRI_UNKNOWN);
	cr_expect_eq(info->started_ns, 0);
	cr_expect_eq(info->mount_cnt, 0);
	container_info_unref(info);
}

Test(docker, much_is_cut)
{
	_cleanup_(buf_done) struct buf body;
	struct container_info *info;

	buf_init(&body, 8u << 20);
	buf_puts(&body, "{\"Id\":\"" ID "\",\"Config\":{\"Labels\":{");
	for (int i = 0; i < 2000; i++)
		buf_printf(&body, "%s\"k%d\":\"%0200d\"", i ? "," : "", i, i);
	buf_puts(&body, "}}}");
	info = docker_parse_container(buf_str(&body), CONTAINER_DOCKER, STR(ID));
	cr_assert_not_null(info);
	cr_expect(info->is_cut);
	cr_expect_eq(info->label_cnt, METADATA_LABELS_MAX);
	container_info_unref(info);
	buf_clear(&body);
	buf_puts(&body, "{\"Id\":\"" ID "\",\"Name\":\"");
	for (int i = 0; i < 400; i++)
		buf_printf(&body, "%01000d", 0);
	buf_puts(&body, "\"}");
	info = docker_parse_container(buf_str(&body), CONTAINER_DOCKER, STR(ID));
	cr_assert_not_null(info);
	cr_expect(info->is_cut);
	cr_expect_null(info->name.p);
	container_info_unref(info);
}

Test(docker, version)
{
	const struct {
		const char *body;
		enum docker_engine engine;
	} cases[] = {
		{ DOCKER_VERSION, DOCKER_ENGINE_DOCKER },
		{ PODMAN_VERSION, DOCKER_ENGINE_PODMAN },
		{ "{\"ApiVersion\":\"1.12\"}", DOCKER_ENGINE_DOCKER },
		{ "{\"gitVersion\":\"v1.20\"}", DOCKER_ENGINE_NONE },
		{ "<html>", DOCKER_ENGINE_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(docker_parse_version(str_from(cases[i].body)), cases[i].engine, "%s",
			     cases[i].body);
}

Test(docker, digest_of_the_image)
{
	const struct {
		const char *body, *repository, *digest;
	} cases[] = {
		{ DOCKER_IMAGE, "registry.test:5000/team/web", "sha256:bb" },
		{ DOCKER_IMAGE, "unknown", "sha256:aa" },
		{ "{\"RepoDigests\":[\"nginx@sha256:cc\"]}", "docker.io/library/nginx",
		  "sha256:cc" },
		{ "{\"RepoDigests\":[]}", "x", "" },
		{ "{\"RepoDigests\":[7,\"none\",null]}", "x", "" },
		{ "{\"RepoDigests\":\"x@y\"}", "x", "" },
		{ "{", "x", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char digest[80] = "unset";

		docker_parse_image(str_from(cases[i].body), str_from(cases[i].repository), digest,
				   sizeof(digest));
		cr_expect_str_eq(digest, cases[i].digest, "%s", cases[i].body);
	}
}

Test(docker, ids)
{
	cr_expect(docker_is_id(STR(ID)));
	cr_expect(docker_is_id(STR("0123456789ab")));
	cr_expect_not(docker_is_id(STR("0123456789a")));
	cr_expect_not(docker_is_id(STR("0123456789AB")));
	cr_expect_not(docker_is_id(STR("../../../etc/passwd")));
	cr_expect_not(docker_is_id(STR(ID "0")));
}

/* ---- json.h --------------------------------------------------------------------------------- */

static struct json_object *nested(int depth, const char *inner)
{
	_cleanup_(buf_done) struct buf body;

	buf_init(&body, 1u << 20);
	for (int i = 0; i < depth; i++)
		buf_putc(&body, '[');
	buf_puts(&body, inner);
	for (int i = 0; i < depth; i++)
		buf_putc(&body, ']');
	return json_parse(buf_str(&body));
}

Test(json, bounds)
{
	_cleanup_(buf_done) struct buf body;
	struct json_object *value = nested(JSON_BOUND_DEPTH, "1");

	cr_expect_not_null(value);
	json_object_put(value);
	cr_expect_null(nested(JSON_BOUND_DEPTH + 1, "1"));
	cr_expect_null(nested(100000, "1"));
	/* An empty object costs json-c about a kilobyte. */
	buf_init(&body, 4u << 20);
	buf_putc(&body, '[');
	for (uint32_t i = 0; i < JSON_BOUND_OBJECTS + 1; i++)
		buf_puts(&body, "{},");
	buf_puts(&body, "1]");
	cr_expect_null(json_parse(buf_str(&body)));
	value = json_parse(STR(" \"[[[{{{,,,\\\"\" \n"));
	cr_expect_not_null(value, "in a string they are text");
	json_object_put(value);
}

/* What json-c takes beside RFC 8259 would hide objects from the count: a quote in another kind of
 * string, or in a comment. */
Test(json, hidden)
{
	static const char *const cases[] = {
		"['\"',{},{},'\"']",	 "/* \" */ [{}]", "[1 /* \" */,{}]",
		"{'\"':[{},{}],'\"':1}", "{'a':1}",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect_null(json_parse(str_from(cases[i])), "%s", cases[i]);
		cr_expect_null(info_json_parse(str_from(cases[i])), "%s", cases[i]);
	}
}
