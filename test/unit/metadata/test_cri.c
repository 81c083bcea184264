/* gRPC frames and the runtimes' messages: right ones, others', and any bytes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "cri_answer.h"
#include "grpc.h"
#include "haetae/buf.h"

/* What a message is made of: a tag and its content (protobuf's encoding guide). */
static void put_varint(struct buf *buf, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		buf_putc(buf, (char)(value | 0x80));
	buf_putc(buf, (char)value);
}

static void put_number(struct buf *buf, unsigned field, uint64_t value)
{
	put_varint(buf, field << 3);
	put_varint(buf, value);
}

static void put_bytes(struct buf *buf, unsigned field, struct str bytes)
{
	put_varint(buf, field << 3 | 2);
	put_varint(buf, bytes.n);
	buf_put_str(buf, bytes);
}

static void put_text(struct buf *buf, unsigned field, const char *text)
{
	put_bytes(buf, field, str_from(text));
}

static void put_pair(struct buf *buf, unsigned field, const char *key, const char *value)
{
	struct buf pair;

	buf_init(&pair, 1 << 16);
	put_text(&pair, 1, key);
	put_text(&pair, 2, value);
	put_bytes(buf, field, buf_str(&pair));
	buf_done(&pair);
}

static void put_named(struct buf *buf, unsigned field, unsigned inner, const char *text)
{
	struct buf message;

	buf_init(&message, 1 << 16);
	put_text(&message, inner, text);
	put_bytes(buf, field, buf_str(&message));
	buf_done(&message);
}

static const char *text(struct str s)
{
	static char copies[8][512];
	static unsigned next;
	char *copy = copies[next++ % 8];

	snprintf(copy, sizeof(copies[0]), "%.*s", s.p ? (int)s.n : 6, s.p ? s.p : "(none)");
	return copy;
}

static void make_container(struct buf *message, const char *id, const char *image,
			   const char *image_ref, const char *info)
{
	struct buf status;

	buf_init(&status, 1 << 16);
	put_text(&status, 1, id);
	put_named(&status, 2, 1, "web");
	put_number(&status, 5, 1700000000000000000ULL);
	put_named(&status, 8, 1, image);
	put_text(&status, 9, image_ref);
	put_pair(&status, 12, "tier", "front");
	put_pair(&status, 12, "io.kubernetes.pod.uid", "u-1");
	put_pair(&status, 12, "empty", "");
	put_named(&status, 14, 1, "/data");
	put_text(&status, 99, "what a later version adds");
	buf_init(message, 1 << 16);
	put_bytes(message, 1, buf_str(&status));
	put_pair(message, 2, "other", "{}");
	put_pair(message, 2, "info", info);
	buf_done(&status);
}

static struct container_info *parse_container(const char *image, const char *image_ref,
					      const char *verbose)
{
	struct container_info *info = container_info_new();
	struct buf message;

	make_container(&message, "aa", image, image_ref, verbose);
	cr_assert_eq(cri_container_parse(buf_str(&message), STR("aa"), info), 0);
	buf_done(&message);
	return info;
}

Test(cri, a_container)
{
	struct container_info *info = parse_container(
		"docker.io/library/nginx:1.25", "docker.io/library/nginx@sha256:abcd",
		"{\"sandboxID\":\"ss\",\"pid\":7,\"runtimeType\":\"io.containerd.runc.v2\","
		"\"config\":"
		"{\"image\":{\"image\":\"sha256:ff\"},\"envs\":[{\"key\":\"S\",\"value\":\"hush\"}]"
		","
		"\"linux\":{\"security_context\":{\"privileged\":true}}},"
		"\"runtimeSpec\":{\"linux\":{\"namespaces\":[{\"type\":\"ipc\"},{\"type\":"
		"\"network\","
		"\"path\":\"/proc/9/ns/net\"}]}}}");

	cr_expect_str_eq(text(info->full_id), "aa");
	cr_expect_str_eq(text(info->name), "web");
	cr_expect_str_eq(text(info->image), "docker.io/library/nginx:1.25");
	cr_expect_str_eq(text(info->image_repository), "docker.io/library/nginx");
	cr_expect_str_eq(text(info->image_tag), "1.25");
	cr_expect_str_eq(text(info->image_digest), "sha256:abcd");
	cr_expect_str_eq(text(info->image_id), "sha256:ff");
	cr_expect_str_eq(text(info->sandbox_id), "ss");
	cr_expect_str_eq(text(info->pod_uid), "u-1");
	cr_expect_eq(info->started_ns, 1700000000000000000ULL);
	cr_expect_eq(info->label_cnt, 3);
	cr_expect(info->labels[2].value.p && !info->labels[2].value.n, "an empty value is one");
	cr_expect_eq(info->privileged, TRI_TRUE);
	cr_expect_eq(info->host_ipc, TRI_FALSE);
	cr_expect_eq(info->host_pid, TRI_TRUE);
	cr_expect_eq(info->host_network, TRI_UNKNOWN);
	cr_assert_eq(info->mount_cnt, 1);
	cr_expect(info->mounts[0].is_writable);
	cr_expect_str_eq(text(info->mounts[0].propagation), "private");
	cr_expect(!info->is_partial);
	container_info_unref(info);
}

Test(cri, variants_of_a_container)
{
	struct container_info *info = parse_container("sha256:ff", "sha256:ff", "{\"config\":{}}");

	cr_expect_null(info->image.p, "an id is no name");
	cr_expect_str_eq(text(info->image_id), "sha256:ff");
	cr_expect_eq(info->privileged, TRI_FALSE, "containerd leaves out what is false");
	container_info_unref(info);
	info = parse_container("x", "y", "{\"privileged\":true,\"sandboxID\":7}");
	cr_expect_eq(info->privileged, TRI_TRUE, "as CRI-O says it");
	cr_expect_null(info->sandbox_id.p);
	container_info_unref(info);
	info = parse_container("x", "y", "{\"runtimeType\":\"io.containerd.wasmedge.v1\"}");
	cr_expect_eq(info->type, CONTAINER_WASM);
	cr_expect_eq(info->privileged, TRI_UNKNOWN);
	container_info_unref(info);
	info = parse_container("x", "y", "{\"runtimeType\":");
	cr_expect_str_eq(text(info->image), "x", "a broken \"info\" leaves the rest");
	container_info_unref(info);
}

static void make_sandbox(struct buf *message, const char *id, const char *handler, unsigned mode)
{
	struct buf status, inner, outer;

	buf_init(&status, 1 << 16);
	buf_init(&inner, 1 << 16);
	buf_init(&outer, 1 << 16);
	put_text(&status, 1, id);
	put_text(&inner, 1, "web-0");
	put_text(&inner, 2, "u-1");
	put_text(&inner, 3, "shop");
	put_bytes(&status, 2, buf_str(&inner));
	put_number(&status, 4, 5);
	put_named(&status, 5, 1, "10.0.0.7");
	buf_clear(&inner);
	put_number(&inner, 1, mode);
	put_bytes(&outer, 2, buf_str(&inner));
	buf_clear(&inner);
	put_bytes(&inner, 1, buf_str(&outer));
	put_bytes(&status, 6, buf_str(&inner));
	put_pair(&status, 7, "app", "web");
	put_text(&status, 9, handler);
	buf_init(message, 1 << 16);
	put_bytes(message, 1, buf_str(&status));
	put_pair(message, 2, "info", "{\"cniResult\":{\"a\":1}}");
	buf_done(&status);
	buf_done(&inner);
	buf_done(&outer);
}

Test(cri, a_sandbox)
{
	struct container_info *info = container_info_new();
	struct buf message;

	make_sandbox(&message, "ss", "runc", 2);
	cr_assert_eq(cri_sandbox_parse(buf_str(&message), STR("ss"), info), 0);
	cr_expect_str_eq(text(info->pod_name), "web-0");
	cr_expect_str_eq(text(info->pod_uid), "u-1");
	cr_expect_str_eq(text(info->pod_namespace), "shop");
	cr_expect_str_eq(text(info->pod_ip), "10.0.0.7");
	cr_expect_str_eq(text(info->runtime_handler), "runc");
	cr_expect_str_eq(text(info->cni_json), "{\"a\":1}");
	cr_expect_eq(info->host_network, TRI_TRUE);
	cr_expect_eq(info->host_ipc, TRI_FALSE);
	cr_expect_eq(info->type, CONTAINER_HOST);
	cr_assert_eq(info->pod_label_cnt, 1);
	cr_expect_null(info->name.p, "a container's own name is not the pod's");
	buf_done(&message);
	container_info_unref(info);

	info = container_info_new();
	info->is_sandbox = true;
	make_sandbox(&message, "ss", "spin", 0);
	cr_assert_eq(cri_sandbox_parse(buf_str(&message), STR("ss"), info), 0);
	cr_expect_str_eq(text(info->name), "web-0");
	cr_expect_eq(info->type, CONTAINER_WASM);
	cr_expect_eq(info->host_network, TRI_FALSE);
	cr_expect_eq(info->started_ns, 5);
	cr_expect_eq(cri_sandbox_parse(buf_str(&message), STR("tt"), info), CRI_E_INVALID);
	buf_done(&message);
	container_info_unref(info);
}

/* nerdctl names its containers by a label; ctr copies the labels of the image. */
Test(cri, names_of_nerdctl)
{
	static const char hex[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		const char *id, *name;
	} cases[] = { { hex, "web" }, { "t1", "t1" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_info *info = container_info_new();
		_cleanup_(buf_done) struct buf message, container;

		buf_init(&message, 1 << 16);
		buf_init(&container, 1 << 16);
		put_text(&container, 1, cases[i].id);
		put_pair(&container, 2, "nerdctl/name", "web");
		put_bytes(&message, 1, buf_str(&container));
		cr_assert_eq(cri_containerd_parse(buf_str(&message), str_from(cases[i].id), info),
			     0);
		cr_expect_str_eq(text(info->name), cases[i].name);
		container_info_unref(info);
	}
}

Test(cri, containerd_and_version)
{
	struct container_info *info = container_info_new();
	struct buf message, container;

	buf_init(&message, 1 << 16);
	buf_init(&container, 1 << 16);
	put_text(&container, 1, "t1");
	put_pair(&container, 2, "app", "web");
	put_text(&container, 3, "haetae.test/busybox:1");
	put_named(&container, 4, 1, "io.containerd.spin.v2");
	put_bytes(&message, 1, buf_str(&container));
	cr_assert_eq(cri_containerd_parse(buf_str(&message), STR("t1"), info), 0);
	cr_expect_str_eq(text(info->name), "t1");
	cr_expect_str_eq(text(info->image_tag), "1");
	cr_expect_eq(info->type, CONTAINER_WASM);
	cr_expect_eq(info->label_cnt, 1);
	cr_expect_eq(cri_containerd_parse(buf_str(&message), STR("t2"), info), CRI_E_INVALID);

	/* Of its image. */
	buf_clear(&message);
	buf_clear(&container);
	put_text(&container, 1, "haetae.test/busybox:1");
	put_named(&container, 3, 2, "sha256:ab");
	put_bytes(&message, 1, buf_str(&container));
	cr_expect_eq(cri_image_parse(buf_str(&message), info), 0);
	cr_expect_str_eq(text(info->image_digest), "sha256:ab");
	info->image = STR("another");
	cr_expect_eq(cri_image_parse(buf_str(&message), info), CRI_E_INVALID);
	cr_expect_eq(cri_image_parse(STR("\xff"), info), CRI_E_INVALID);
	container_info_unref(info);

	buf_clear(&message);
	put_text(&message, 2, "containerd");
	cr_expect_eq(cri_version_parse(buf_str(&message)), CONTAINER_CONTAINERD);
	buf_clear(&message);
	put_text(&message, 2, "cri-o");
	cr_expect_eq(cri_version_parse(buf_str(&message)), CONTAINER_CRIO);
	buf_clear(&message);
	put_text(&message, 2, "docker");
	cr_expect_eq(cri_version_parse(buf_str(&message)), CONTAINER_CRI);
	cr_expect_eq(cri_version_parse(STR("")), CONTAINER_HOST);
	cr_expect_eq(cri_version_parse(STR("\xff\xff")), CONTAINER_HOST);
	buf_done(&message);
	buf_done(&container);
}

Test(cri, what_is_no_answer)
{
	struct container_info *info = container_info_new();
	struct buf message;

	make_container(&message, "aa", "x", "y", "{}");
	cr_expect_eq(cri_container_parse(buf_str(&message), STR("a"), info), CRI_E_INVALID,
		     "another container's");
	cr_expect_eq(cri_container_parse(STR(""), STR("aa"), info), CRI_E_INVALID);
	cr_expect_eq(cri_container_parse(STR("\x0a\x7f"), STR("aa"), info), CRI_E_INVALID, "cut");
	cr_expect_eq(cri_container_parse(STR("\x0b\x0c"), STR("aa"), info), CRI_E_INVALID,
		     "groups");
	buf_done(&message);
	container_info_unref(info);
}

/* Two bytes of the message make an object of a hundred. */
Test(cri, a_message_that_blows_up)
{
	struct container_info *info = container_info_new();
	struct buf status, message;

	buf_init(&status, 1 << 22);
	buf_init(&message, 1 << 22);
	put_text(&status, 1, "aa");
	for (int i = 0; i < 1000000; i++)
		put_text(&status, 14, "");
	put_bytes(&message, 1, buf_str(&status));
	cr_assert(!message.failed);
	cr_expect_eq(cri_container_parse(buf_str(&message), STR("aa"), info), CRI_E_INVALID);
	buf_done(&status);
	buf_done(&message);
	container_info_unref(info);
}

Test(cri, more_labels_than_there_is_room_for)
{
	struct container_info *info = container_info_new();
	struct buf status, message;
	char key[32];

	buf_init(&status, 1 << 22);
	buf_init(&message, 1 << 22);
	put_text(&status, 1, "aa");
	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		put_pair(&status, 12, key, "value");
	}
	put_bytes(&message, 1, buf_str(&status));
	cr_expect_eq(cri_container_parse(buf_str(&message), STR("aa"), info), 0);
	cr_expect_eq(info->label_cnt, METADATA_LABELS_MAX);
	cr_expect(info->is_cut);
	buf_done(&status);
	buf_done(&message);
	container_info_unref(info);
}

Test(grpc, frames)
{
	static const struct {
		const char *name;
		struct str body;
		bool want;
		uint32_t length;
	} cases[] = {
		{ "one", { "\0\0\0\0\2ab", 7 }, true, 2 },
		{ "an empty one", { "\0\0\0\0\0", 5 }, true, 0 },
		{ "nothing", { "", 0 }, false, 0 },
		{ "a cut head", { "\0\0\0\0", 4 }, false, 0 },
		{ "cut", { "\0\0\0\0\3ab", 7 }, false, 0 },
		{ "two", { "\0\0\0\0\0\0\0\0\0\0", 10 }, false, 0 },
		{ "compressed", { "\1\0\0\0\2ab", 7 }, false, 0 },
		{ "a length beyond all",
		  { "\0\xff\xff\xff\xff"
		    "ab",
		    7 },
		  false,
		  0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str message = STR_NONE;

		cr_expect_eq(grpc_unframe(cases[i].body, &message), cases[i].want, "%s",
			     cases[i].name);
		cr_expect_eq(message.n, cases[i].length, "%s", cases[i].name);
	}
}
