/* OCI bundles as containerd, CRI-O and Podman write them, and as nobody should. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "haetae/buf.h"
#include "info.h"
#include "oci.h"

static const char *text(struct str s)
{
	static char copies[8][512];
	static unsigned next;
	char *copy = copies[next++ % 8];

	snprintf(copy, sizeof(copies[0]), "%.*s", s.p ? (int)s.n : 6, s.p ? s.p : "(none)");
	return copy;
}

static const char *label(const struct label *labels, uint32_t cnt, const char *key)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (str_eq_text(labels[i].key, key))
			return text(labels[i].value);
	return "(none)";
}

static struct container_info *parse(enum oci_writer writer, const char *json)
{
	struct container_info *info = container_info_new();

	cr_assert_eq(oci_config_parse(str_from(json), writer, info), 0, "%s", json);
	return info;
}

Test(oci, a_container_of_ctr)
{
	struct container_info *info = parse(
		OCI_WRITER_OTHER,
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"env\":[\"SECRET=hush\"],\"capabilities\":"
		"{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}},\"hostname\":\"box\",\"mounts\":["
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv/d\",\"options\":["
		"\"rbind\",\"nosuid\",\"ro\",\"rslave\"]},"
		"{\"destination\":\"/out\",\"source\":\"/srv/o\",\"options\":[\"bind\"]}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/x\"}],"
		"\"maskedPaths\":[\"/proc/kcore\"]}}");

	cr_expect(info->is_partial, "the bundle has no image");
	cr_expect_null(info->name.p);
	cr_expect_eq(info->host_pid, TRI_FALSE);
	cr_expect_eq(info->host_ipc, TRI_UNKNOWN, "whose namespace a path is cannot be told");
	cr_expect_eq(info->host_network, TRI_TRUE, "a type that is not listed is the host's");
	cr_expect_eq(info->privileged, TRI_FALSE);
	cr_assert_eq(info->mount_cnt, 2, "binds alone");
	cr_expect_str_eq(text(info->mounts[0].source), "/srv/d");
	cr_expect_str_eq(text(info->mounts[0].dest), "/data");
	cr_expect_str_eq(text(info->mounts[0].mode), "nosuid,ro");
	cr_expect_str_eq(text(info->mounts[0].propagation), "rslave");
	cr_expect(!info->mounts[0].is_writable);
	cr_expect(info->mounts[1].is_writable, "what does not say ro is writable");
	container_info_unref(info);
}

Test(oci, a_container_of_containerds_cri)
{
	struct container_info *info = parse(
		OCI_WRITER_CRI, "{\"ociVersion\":\"1.0.2\",\"annotations\":{"
				"\"io.kubernetes.cri.container-name\":\"web\","
				"\"io.kubernetes.cri.container-type\":\"container\","
				"\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1.25\","
				"\"io.kubernetes.cri.sandbox-id\":\"aa11\","
				"\"io.kubernetes.cri.sandbox-name\":\"web-0\","
				"\"io.kubernetes.cri.sandbox-namespace\":\"shop\","
				"\"io.kubernetes.cri.sandbox-uid\":\"0-1-2\"}}");

	cr_expect_str_eq(text(info->name), "web");
	cr_expect_str_eq(text(info->image), "docker.io/library/nginx:1.25");
	cr_expect_str_eq(text(info->image_repository), "docker.io/library/nginx");
	cr_expect_str_eq(text(info->image_tag), "1.25");
	cr_expect_str_eq(text(info->sandbox_id), "aa11");
	cr_expect_str_eq(text(info->pod_name), "web-0");
	cr_expect_str_eq(text(info->pod_namespace), "shop");
	cr_expect_str_eq(text(info->pod_uid), "0-1-2");
	cr_expect_eq(info->type, CONTAINER_CONTAINERD);
	cr_expect(!info->is_sandbox);
	cr_expect(info->is_partial, "containerd's CRI writes no labels there");
	cr_expect_eq(info->privileged, TRI_UNKNOWN);
	cr_expect_eq(info->host_pid, TRI_UNKNOWN, "no list of namespaces says nothing");
	container_info_unref(info);
}

Test(oci, a_container_of_crio)
{
	struct container_info *info = parse(
		OCI_WRITER_STORAGE,
		"{\"ociVersion\":\"1.0.2\",\"annotations\":{\"io.container.manager\":\"cri-o\","
		"\"io.kubernetes.cri-o.ContainerType\":\"container\","
		"\"io.kubernetes.cri-o.ImageName\":\"quay.io/crio/redis:alpine\","
		"\"io.kubernetes.cri-o.SandboxID\":\"bb22\",\"io.kubernetes.cri-o.Metadata\":"
		"\"{\\\"name\\\":\\\"redis\\\",\\\"attempt\\\":1}\","
		"\"io.kubernetes.cri-o.Labels\":\"{\\\"io.kubernetes.pod.name\\\":\\\"r-0\\\","
		"\\\"io.kubernetes.pod.namespace\\\":\\\"db\\\","
		"\\\"io.kubernetes.pod.uid\\\":\\\"u-1\\\",\\\"tier\\\":\\\"back\\\",\\\"n\\\":3}"
		"\"}}");

	cr_expect_eq(info->type, CONTAINER_CRIO);
	cr_expect_str_eq(text(info->name), "redis");
	cr_expect_str_eq(text(info->pod_name), "r-0");
	cr_expect_str_eq(text(info->pod_namespace), "db");
	cr_expect_str_eq(text(info->pod_uid), "u-1");
	cr_expect_str_eq(label(info->labels, info->label_cnt, "tier"), "back");
	cr_expect_str_eq(label(info->labels, info->label_cnt, "n"), "(none)", "no text");
	cr_expect(!info->is_partial, "CRI-O's bundle has all of it");
	container_info_unref(info);
	info = parse(OCI_WRITER_STORAGE,
		     "{\"ociVersion\":\"1\",\"annotations\":{\"io.container.manager\":\"cri-o\","
		     "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
		     "\"io.kubernetes.cri-o.RuntimeHandler\":\"wasmedge\","
		     "\"io.kubernetes.cri-o.Metadata\":\"{\\\"name\\\":\\\"p\\\",\\\"uid\\\":"
		     "\\\"u\\\"}\","
		     "\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"x\\\"}\"}}");
	cr_expect(info->is_sandbox);
	cr_expect_str_eq(label(info->pod_labels, info->pod_label_cnt, "app"), "x");
	cr_expect_eq(info->label_cnt, 0);
	cr_expect_str_eq(text(info->pod_name), "p");
	cr_expect_str_eq(text(info->pod_uid), "u");
	cr_expect_eq(info->type, CONTAINER_WASM, "by the handler's name");
	container_info_unref(info);
}

/* CRI-O hands a pod's own annotations through to the bundles of its containers, and Podman those
 * that its user gives. */
Test(oci, a_pod_cannot_name_itself_another)
{
	static const char forged[] = "\"io.kubernetes.cri.image-name\":\"docker.io/trusted:1\","
				     "\"io.kubernetes.cri.container-name\":\"forged\","
				     "\"io.kubernetes.cri.container-type\":\"sandbox\","
				     "\"io.kubernetes.cri.sandbox-id\":\"forged\","
				     "\"io.kubernetes.cri.sandbox-name\":\"forged\","
				     "\"io.kubernetes.cri.sandbox-namespace\":\"kube-system\","
				     "\"io.kubernetes.cri.sandbox-uid\":\"forged\","
				     "\"io.containerd.cri.runtime-handler\":\"forged\","
				     "\"io.kubernetes.cri-o.Namespace\":\"kube-system\","
				     "\"io.kubernetes.cri-o.RuntimeHandler\":\"spin\","
				     "\"io.kubernetes.cri-o.CNIResult\":\"{}\"";
	static const struct {
		const char *name, *rest;
		enum container_type type;
		const char *pod_namespace;
	} cases[] = {
		{ "CRI-O",
		  "\"io.container.manager\":\"cri-o\","
		  "\"io.kubernetes.cri-o.ContainerType\":\"container\","
		  "\"io.kubernetes.cri-o.Metadata\":\"{\\\"name\\\":\\\"redis\\\"}\","
		  "\"io.kubernetes.cri-o.Labels\":"
		  "\"{\\\"io.kubernetes.pod.namespace\\\":\\\"db\\\"}\"",
		  CONTAINER_CRIO, "db" },
		{ "Podman", "\"io.container.manager\":\"libpod\"", CONTAINER_PODMAN, NULL },
		{ "nobody", "\"x\":\"y\"", CONTAINER_HOST, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf json;
		struct container_info *info;

		buf_init(&json, 16384);
		buf_printf(&json, "{\"ociVersion\":\"1\",\"annotations\":{%s,%s}}%c", forged,
			   cases[i].rest, 0);
		info = parse(OCI_WRITER_STORAGE, json.p);
		cr_expect_eq(info->type, cases[i].type, "%s", cases[i].name);
		cr_expect_null(info->image.p, "%s", cases[i].name);
		cr_expect(!info->name.p || str_eq_text(info->name, "redis"), "%s", cases[i].name);
		cr_expect(!info->is_sandbox, "%s", cases[i].name);
		cr_expect_null(info->sandbox_id.p, "%s", cases[i].name);
		cr_expect_null(info->pod_name.p, "%s", cases[i].name);
		cr_expect_null(info->pod_uid.p, "%s", cases[i].name);
		cr_expect_null(info->runtime_handler.p, "%s", cases[i].name);
		cr_expect_null(info->cni_json.p, "%s", cases[i].name);
		if (cases[i].pod_namespace)
			cr_expect_str_eq(text(info->pod_namespace), cases[i].pod_namespace);
		else
			cr_expect_null(info->pod_namespace.p, "%s", cases[i].name);
		container_info_unref(info);
	}
}

Test(oci, annotations_of_others_name_no_pod)
{
	struct container_info *info =
		parse(OCI_WRITER_OTHER, "{\"ociVersion\":\"1\",\"annotations\":{"
					"\"io.container.manager\":\"cri-o\","
					"\"io.kubernetes.cri.sandbox-name\":\"forged\","
					"\"io.kubernetes.cri.sandbox-uid\":\"u\","
					"\"run.oci.handler\":\"wasm\"}}");

	cr_expect_null(info->pod_name.p);
	cr_expect_null(info->pod_uid.p);
	cr_expect_eq(info->type, CONTAINER_WASM, "crun's handler is any container's to set");
	container_info_unref(info);
}

#define FREE                                                                                 \
	"\"process\":{\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_MODULE\"," \
	"\"CAP_SYS_RAWIO\"]}}"
#define ALL_DEVICES "\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}"

Test(oci, privileged_only_where_it_is_certain)
{
	static const struct {
		const char *name, *json;
		enum tristate want;
	} cases[] = {
		{ "all of it", "{\"ociVersion\":\"1\"," FREE ",\"linux\":{" ALL_DEVICES "}}",
		  TRI_TRUE },
		{ "a filter",
		  "{\"ociVersion\":\"1\"," FREE ",\"linux\":{" ALL_DEVICES ",\"seccomp\":{}}}",
		  TRI_UNKNOWN },
		{ "masked",
		  "{\"ociVersion\":\"1\"," FREE ",\"linux\":{" ALL_DEVICES
		  ",\"maskedPaths\":[\"/x\"]}}",
		  TRI_UNKNOWN },
		{ "read-only paths",
		  "{\"ociVersion\":\"1\"," FREE ",\"linux\":{" ALL_DEVICES
		  ",\"readonlyPaths\":[\"/x\"]}}",
		  TRI_UNKNOWN },
		{ "not all devices",
		  "{\"ociVersion\":\"1\"," FREE
		  ",\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,"
		  "\"access\":\"rwm\",\"major\":1}]}}}",
		  TRI_UNKNOWN },
		{ "devices denied again",
		  "{\"ociVersion\":\"1\"," FREE
		  ",\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,"
		  "\"access\":\"rwm\"},{\"allow\":false,\"access\":\"rwm\"}]}}}",
		  TRI_UNKNOWN },
		{ "without SYS_ADMIN", "{\"ociVersion\":\"1\",\"linux\":{" ALL_DEVICES "}}",
		  TRI_UNKNOWN },
		{ "the default",
		  "{\"ociVersion\":\"1\",\"linux\":{\"maskedPaths\":[\"/proc/kcore\"]}}",
		  TRI_FALSE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_info *info = parse(OCI_WRITER_OTHER, cases[i].json);

		cr_expect_eq(info->privileged, cases[i].want, "%s", cases[i].name);
		container_info_unref(info);
	}
}

/* Forty deep. */
#define OPEN  "[[[[[[[[[[[[[[[[[[[["
#define CLOSE "]]]]]]]]]]]]]]]]]]]]"
#define DEEP  "{\"ociVersion\":\"1\",\"a\":" OPEN OPEN CLOSE CLOSE "}"

Test(oci, what_is_no_bundle)
{
	static const char *const cases[] = {
		"",
		"x",
		"{",
		"[]",
		"null",
		"\"a\"",
		"{\"ociVersion\":\"1\"",
		"{\"ociVersion\":3}",
		"{}",
		(DEEP),
		"{\"ociVersion\":\"1\",\"annotations\":\xff}",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_info *info = container_info_new();

		cr_expect_eq(oci_config_parse(str_from(cases[i]), OCI_WRITER_CRI, info),
			     OCI_E_INVALID, "%s", cases[i]);
		container_info_unref(info);
	}
}

Test(oci, members_of_other_types)
{
	struct container_info *info =
		parse(OCI_WRITER_STORAGE, "{\"ociVersion\":\"1\",\"annotations\":[],\"mounts\":{"
					  "\"a\":1},\"linux\":7,\"process\":[]}");

	cr_expect_eq(info->mount_cnt, 0);
	cr_expect_eq(info->privileged, TRI_UNKNOWN);
	container_info_unref(info);
	info = parse(OCI_WRITER_STORAGE,
		     "{\"ociVersion\":\"1\",\"annotations\":{\"io.kubernetes.cri.image-name\":7,"
		     "\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.Labels\":\"[1\","
		     "\"io.kubernetes.cri-o.Metadata\":{}},\"mounts\":[7,{\"destination\":8},"
		     "{\"destination\":\"/"
		     "a\",\"options\":[{},\"bind\",9]}],\"linux\":{\"namespaces\":[1,{}],"
		     "\"resources\":{\"devices\":[1]}}}");
	cr_expect_null(info->image.p);
	cr_expect_eq(info->mount_cnt, 1);
	cr_expect_null(info->mounts[0].source.p);
	container_info_unref(info);
}

Test(oci, more_than_there_is_room_for)
{
	struct container_info *info = container_info_new();
	struct buf json;

	buf_init(&json, 1 << 21);
	buf_puts(&json, "{\"ociVersion\":\"1\",\"mounts\":[{}");
	for (int i = 0; i < 4000; i++)
		buf_printf(&json, ",{\"destination\":\"/%d\",\"type\":\"bind\"}", i);
	buf_puts(&json, "]}");
	cr_assert_eq(oci_config_parse(buf_str(&json), OCI_WRITER_CRI, info), 0);
	cr_expect_eq(info->mount_cnt, METADATA_MOUNTS_MAX);
	cr_expect(info->is_cut);
	container_info_unref(info);

	info = container_info_new();
	buf_clear(&json);
	buf_puts(&json,
		 "{\"ociVersion\":\"1\",\"annotations\":{\"io.kubernetes.cri.image-name\":\"");
	for (int i = 0; i < 600000; i++)
		buf_putc(&json, 'x');
	buf_puts(&json, "\"}}");
	cr_assert_eq(oci_config_parse(buf_str(&json), OCI_WRITER_CRI, info), 0);
	cr_expect_null(info->image.p);
	cr_expect(info->is_cut, "longer than an info may be");
	for (int i = 0; i < 600000; i++)
		buf_putc(&json, ' ');
	cr_expect_eq(oci_config_parse(buf_str(&json), OCI_WRITER_CRI, info), OCI_E_INVALID,
		     "longer than a bundle may be");
	container_info_unref(info);
	buf_done(&json);
}

Test(oci, storage_names_container_and_image)
{
	static const char records[] =
		"[{\"id\":\"aa\",\"names\":[\"x\"],\"image\":\"ii\",\"metadata\":\"{\\\"image-"
		"name\\\":"
		"\\\"localhost/ms:1\\\",\\\"image-id\\\":\\\"ff\\\",\\\"name\\\":\\\"happy\\\"}\"},"
		"{\"id\":\"bb\",\"image\":\"jj\",\"metadata\":\"no json\"},7]";
	struct container_info *info = container_info_new();

	cr_assert_eq(oci_storage_parse(str_from(records), STR("aa"), info), 0);
	cr_expect_str_eq(text(info->name), "happy");
	cr_expect_str_eq(text(info->image), "localhost/ms:1");
	cr_expect_str_eq(text(info->image_repository), "localhost/ms");
	cr_expect_str_eq(text(info->image_id), "ff");
	container_info_unref(info);
	info = container_info_new();
	cr_assert_eq(oci_storage_parse(str_from(records), STR("bb"), info), 0);
	cr_expect_null(info->name.p);
	cr_expect_str_eq(text(info->image_id), "jj");
	cr_expect_eq(oci_storage_parse(str_from(records), STR("cc"), info), OCI_E_ABSENT);
	cr_expect_eq(oci_storage_parse(STR("{}"), STR("cc"), info), OCI_E_INVALID);
	cr_expect_eq(oci_storage_parse(STR("[{"), STR("cc"), info), OCI_E_INVALID);
	container_info_unref(info);
}

Test(oci, which_names_mean_webassembly)
{
	static const struct {
		const char *name;
		bool want;
	} cases[] = {
		{ "io.containerd.spin.v2", true },
		{ "io.containerd.wasmedge.v1", true },
		{ "/usr/local/bin/containerd-shim-wasmtime-v1", true },
		{ "/opt/spin/containerd-shim-runc-v2", false },
		{ "wasmtime-spin-v0-5-1", true },
		{ "slight", true },
		{ "io.containerd.runc.v2", false },
		{ "spinning", false },
		{ "", false },
		{ "-", false },
		{ "/", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(info_is_wasm(str_from(cases[i].name)), cases[i].want, "%s",
			     cases[i].name);
	cr_expect(!info_is_wasm(STR_NONE));
}
