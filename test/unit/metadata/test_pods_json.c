/*
 * Pods as the Kubernetes API writes them: streams cut anywhere, what is taken of a pod, watch
 * events, and whatever else a server may send.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "json_stream.h"
#include "pod_json.h"

/* ---- streams -------------------------------------------------------------------------------- */

static struct buf seen;

static bool record(enum json_piece piece, struct str text, void *data)
{
	static const char *const names[] = { "item", "metadata", "too long" };

	(void)data;
	buf_printf(&seen, "%s[%.*s] ", names[piece], STR_ARG(text.p ? text : STR("")));
	return !str_eq_text(text, "{\"stop\":1}");
}

/* Fed in pieces of `step` bytes. */
static const char *feed(enum json_stream_form form, const char *text, size_t step, size_t max)
{
	struct json_stream stream;
	size_t n = strlen(text);
	bool is_good = true;

	buf_init(&seen, 1u << 20);
	json_stream_init(&stream, form, max, record, NULL);
	for (size_t at = 0; at < n && is_good; at += step)
		is_good = json_stream_feed(&stream,
					   (struct str){ text + at, (uint32_t)MIN(step, n - at) });
	buf_puts(&seen, !is_good ? "broken" : json_stream_is_whole(&stream) ? "whole" : "half");
	json_stream_done(&stream);
	return seen.p;
}

#define V JSON_STREAM_VALUES
#define L JSON_STREAM_LIST

Test(pods_json, streams)
{
	static const struct {
		enum json_stream_form form;
		const char *text, *want;
	} cases[] = {
		{ V, "", "whole" },
		{ V, "{}", "item[{}] whole" },
		{ V, " {\"a\":1}\n{\"b\":[{}]}\n", "item[{\"a\":1}] item[{\"b\":[{}]}] whole" },
		{ V, "{\"a\":\"}{][\\\"\\\\\"}{}",
		  "item[{\"a\":\"}{][\\\"\\\\\"}] item[{}] whole" },
		{ V, "{\"a\":1", "half" },
		{ V, "{\"a\":\"", "half" },
		{ V, "{}}", "item[{}] broken" },
		{ V, "<html>{}</html>", "broken" },
		{ V, "[{}]", "broken" },
		{ V, "\"{}\"", "broken" },
		{ V, "{}null{}", "item[{}] broken" },
		{ V, "{\"stop\":1}{}", "item[{\"stop\":1}] broken" },
		{ V, "{\\}", "broken" },
		{ L, "", "half" },
		{ L, "{}", "whole" },
		{ L, "{\"items\":[]}", "whole" },
		{ L, "{\"items\":[{\"a\":{}},{}],\"metadata\":{\"x\":1}}",
		  "item[{\"a\":{}}] item[{}] metadata[{\"x\":1}] whole" },
		{ L, "{\"kind\":\"items\",\"metadata\":{\"items\":[{}]},\"items\": [ {} , {} ] }\n",
		  "metadata[{\"items\":[{}]}] item[{}] item[{}] whole" },
		{ L, "{\"other\":[{}],\"items\":null}", "whole" },
		{ L, "{\"it\\u0065ms\":[{}]}", "whole" },
		{ L, "{\"items\":[{},", "item[{}] half" },
		{ L, "{}{}", "broken" },
		{ L, "[]", "broken" },
		{ L, "{\"items\":[{\"long\":\"0123456789012345678901234567890123456789\"},{}]}",
		  "too long[] item[{}] whole" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 20; step++) {
			const char *got = feed(cases[i].form, cases[i].text, step, 40);

			cr_expect_str_eq(got, cases[i].want, "%s by %zu: %s", cases[i].text, step,
					 got);
			buf_done(&seen);
		}
}

Test(pods_json, deep)
{
	char text[2048];

	memset(text, '[', sizeof(text) - 1);
	text[0] = '{';
	text[sizeof(text) - 1] = '\0';
	cr_expect_str_eq(feed(V, text, 7, 1u << 20), "broken");
	buf_done(&seen);
}

/* ---- pods ----------------------------------------------------------------------------------- */

static const char pod_text[] =
	"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-5d4f8-abcde\",\"namespace\":\"shop\","
	"\"uid\":\"11111111-2222-3333-4444-555555555555\",\"resourceVersion\":\"42\","
	"\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"5d4f8\",\"empty\":\"\"},"
	"\"annotations\":{\"team\":\"a\\nb\"},"
	"\"ownerReferences\":[{\"kind\":\"Other\",\"name\":\"x\"},"
	"{\"kind\":\"ReplicaSet\",\"name\":\"web-5d4f8\",\"controller\":true}]},"
	"\"spec\":{\"nodeName\":\"node-1\",\"serviceAccountName\":\"sa\","
	"\"runtimeClassName\":\"wasmtime\",\"containers\":[{\"env\":[{\"name\":\"SECRET\","
	"\"value\":\"s3cret\"}]}]},"
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\","
	"\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]}}";

static void expect_text(struct str got, const char *want, const char *what)
{
	cr_expect(want ? got.p && str_eq_text(got, want) : !got.p, "%s: %.*s", what,
		  STR_ARG(got.p ? got : STR("(none)")));
}

Test(pods_json, pod)
{
	struct pod_info *pod = pod_json_parse(str_from(pod_text));

	cr_assert_not_null(pod);
	expect_text(pod->uid, "11111111-2222-3333-4444-555555555555", "uid");
	expect_text(pod->name, "web-5d4f8-abcde", "name");
	expect_text(pod->namespace, "shop", "namespace");
	expect_text(pod->node, "node-1", "node");
	expect_text(pod->service_account, "sa", "service account");
	expect_text(pod->runtime_class, "wasmtime", "runtime class");
	expect_text(pod->owner_kind, "ReplicaSet", "owner's kind");
	expect_text(pod->owner_name, "web-5d4f8", "owner");
	expect_text(pod->rs_name, "web-5d4f8", "replica set");
	expect_text(pod->deployment_name, "web", "deployment");
	cr_assert_eq(pod->ip_cnt, 2);
	expect_text(pod->ips[0], "10.0.0.1", "address");
	expect_text(pod->ips[1], "fd00::1", "address");
	cr_assert_eq(pod->label_cnt, 3);
	expect_text(pod->labels[2].value, "", "empty label");
	cr_assert_eq(pod->annotation_cnt, 1);
	expect_text(pod->annotations[0].value, "a\nb", "annotation");
	cr_expect(!pod->is_cut && !pod->is_host_network);
	pod_info_unref(pod);
}

/* The same pod with a change; NULL where none is made of it. */
static struct pod_info *changed(const char *from, const char *to)
{
	const char *at = strstr(pod_text, from);
	struct pod_info *pod;
	char *text = NULL;

	cr_assert_not_null(at, "%s", from);
	cr_assert(asprintf(&text, "%.*s%s%s", (int)(at - pod_text), pod_text, to,
			   at + strlen(from)) > 0);
	pod = pod_json_parse(str_from(text));
	free(text);
	return pod;
}

Test(pods_json, owners)
{
	static const struct {
		const char *from, *to, *replica_set, *deployment;
	} cases[] = {
		{ "\"ReplicaSet\"", "\"DaemonSet\"", NULL, NULL },
		{ "\"controller\":true", "\"controller\":false", NULL, NULL },
		{ "\"controller\":true", "\"controller\":\"yes\"", NULL, NULL },
		{ "\"web-5d4f8\"", "\"web-99999\"", "web-99999", NULL },
		{ "\"web-5d4f8\"", "\"5d4f8\"", "5d4f8", NULL },
		{ "\"web-5d4f8\"", "\"web5d4f8\"", "web5d4f8", NULL },
		{ "\"web-5d4f8\"", "7", NULL, NULL },
		{ "\"pod-template-hash\":\"5d4f8\"", "\"x\":\"y\"", "web-5d4f8", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pod_info *pod = changed(cases[i].from, cases[i].to);

		cr_assert_not_null(pod, "%s", cases[i].to);
		expect_text(pod->rs_name, cases[i].replica_set, cases[i].to);
		expect_text(pod->deployment_name, cases[i].deployment, cases[i].to);
		pod_info_unref(pod);
	}
}

/* A node's address is no pod's, and that of a pod that has ended may be another's. */
Test(pods_json, addresses)
{
	static const struct {
		const char *from, *to;
		uint32_t cnt;
	} cases[] = {
		{ "\"nodeName\"", "\"hostNetwork\":true,\"nodeName\"", 0 },
		{ "\"nodeName\"", "\"hostNetwork\":\"x\",\"nodeName\"", 2 },
		{ "Running", "Succeeded", 0 },
		{ "Running", "Failed", 0 },
		{ "\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]", "\"podIPs\":{}", 1 },
		{ "\"podIP\":\"10.0.0.1\"", "\"podIP\":7", 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pod_info *pod = changed(cases[i].from, cases[i].to);

		cr_assert_not_null(pod, "%s", cases[i].to);
		cr_expect_eq(pod->ip_cnt, cases[i].cnt, "%s: %u", cases[i].to, pod->ip_cnt);
		pod_info_unref(pod);
	}
}

/* The UID of a static pod is its manifest's hash; nobody else takes another pod's UID. */
Test(pods_json, mirrors)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *kind, *mirrored, *want;
	} cases[] = {
		{ "Node", hash, hash },
		{ "ReplicaSet", hash, "11111111-2222-3333-4444-555555555555" },
		{ "Node", "22222222-2222-3333-4444-555555555555",
		  "11111111-2222-3333-4444-555555555555" },
		{ "Node", "", "11111111-2222-3333-4444-555555555555" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[1024];
		struct pod_info *pod;

		snprintf(text, sizeof(text),
			 "{\"metadata\":{\"uid\":\"11111111-2222-3333-4444-555555555555\","
			 "\"annotations\":{\"kubernetes.io/config.mirror\":\"%s\"},"
			 "\"ownerReferences\":[{\"kind\":\"%s\",\"name\":\"n\","
			 "\"controller\":true}]}}",
			 cases[i].mirrored, cases[i].kind);
		pod = pod_json_parse(str_from(text));
		cr_assert_not_null(pod);
		expect_text(pod->uid, cases[i].want, cases[i].kind);
		pod_info_unref(pod);
	}
}

Test(pods_json, none)
{
	static const char *const texts[] = {
		"",
		"null",
		"{}",
		"[]",
		"{\"metadata\":7}",
		"{\"metadata\":{\"uid\":\"\"}}",
		"{\"metadata\":{\"uid\":1}}",
		"{\"metadata\":{\"uid\":\"a\"}",
		"{\"metadata\":{\"uid\":\"a\"}} x",
	};
	char long_uid[256];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_null(pod_json_parse(str_from(texts[i])), "%s", texts[i]);
	snprintf(long_uid, sizeof(long_uid), "{\"metadata\":{\"uid\":\"%0100d\"}}", 7);
	cr_expect_null(pod_json_parse(str_from(long_uid)));
}

/* A pod beyond all bounds keeps what counts: who it is. */
Test(pods_json, monster)
{
	struct pod_info *pod;
	struct buf text;

	buf_init(&text, 8u << 20);
	buf_puts(&text, "{\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"annotations\":{");
	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&text, "%s\"k%u\":\"%01000d\"", i ? "," : "", i, 7);
	buf_puts(&text, "}}}");
	cr_assert(!text.failed);
	pod = pod_json_parse(buf_str(&text));
	cr_assert_not_null(pod);
	expect_text(pod->name, "n", "name");
	cr_expect(pod->is_cut);
	cr_expect(pod->annotation_cnt > 0 && pod->annotation_cnt <= METADATA_LABELS_MAX);
	cr_expect(pod->arena.used_bytes <= CONTAINER_INFO_BYTES_MAX + 8192);
	pod_info_unref(pod);
	buf_done(&text);
}

/* ---- watches and lists ---------------------------------------------------------------------- */

Test(pods_json, events)
{
	static const struct {
		const char *text;
		enum watch_event_type type;
		const char *version;
		bool has_pod;
	} cases[] = {
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":"
		  "\"7\"}}}",
		  WATCH_PUT, "7", true },
		{ "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"uid\":\"u\"}}}", WATCH_PUT,
		  "", true },
		{ "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"uid\":\"u\","
		  "\"resourceVersion\":\"8\"}}}",
		  WATCH_GONE, "8", true },
		{ "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}",
		  WATCH_BOOKMARK, "9", false },
		{ "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}", WATCH_REFUSED, "",
		  false },
		{ "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}",
		  WATCH_EXPIRED, "", false },
		{ "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"no\"}}", WATCH_ERROR,
		  "", false },
		{ "{\"type\":\"ERROR\",\"object\":{\"code\":\"410\"}}", WATCH_EXPIRED, "", false },
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}", WATCH_REFUSED, "", false },
		{ "{\"type\":\"OTHER\",\"object\":{\"metadata\":{\"uid\":\"u\"}}}", WATCH_REFUSED,
		  "", false },
		{ "{\"type\":\"ADDED\"}", WATCH_REFUSED, "", false },
		{ "{}", WATCH_REFUSED, "", false },
		{ "nonsense", WATCH_REFUSED, "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct watch_event event;

		watch_event_parse(str_from(cases[i].text), &event);
		cr_expect_eq(event.type, cases[i].type, "%s: %d", cases[i].text, (int)event.type);
		cr_expect_str_eq(event.resource_version, cases[i].version, "%s", cases[i].text);
		cr_expect_eq(event.pod != NULL, cases[i].has_pod, "%s", cases[i].text);
		pod_info_unref(event.pod);
	}
}

Test(pods_json, list_metadata)
{
	struct list_metadata list;
	char text[8192];

	cr_assert(list_metadata_parse(STR("{\"resourceVersion\":\"5\",\"continue\":\"abc\"}"),
				      &list));
	cr_expect_str_eq(list.resource_version, "5");
	cr_expect_str_eq(list.continue_token, "abc");
	cr_assert(list_metadata_parse(STR("{}"), &list));
	cr_expect_str_eq(list.resource_version, "");
	cr_expect_str_eq(list.continue_token, "");
	cr_expect(!list_metadata_parse(STR("[]"), &list));
	snprintf(text, sizeof(text), "{\"continue\":\"%05000d\"}", 7);
	cr_expect(!list_metadata_parse(str_from(text), &list), "no room for its token");
	cr_expect(!list_metadata_parse(STR("{\"continue\":\"a\\u0000b\"}"), &list));
}
