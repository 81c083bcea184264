/* Pods by UID and address, images taken apart, references counted. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "haetae/container.h"

static struct pod_info *make_pod(const char *uid, const char *name, const char *ip, const char *ip2)
{
	struct pod_info *pod = pod_info_new();
	struct str *ips;

	cr_assert_not_null(pod);
	ips = arena_new_array(&pod->arena, struct str, 2);
	pod->uid = arena_str(&pod->arena, str_from(uid));
	pod->name = arena_str(&pod->arena, str_from(name));
	if (ip)
		ips[pod->ip_cnt++] = arena_str(&pod->arena, str_from(ip));
	if (ip2)
		ips[pod->ip_cnt++] = arena_str(&pod->arena, str_from(ip2));
	pod->ips = ips;
	return pod;
}

static const char *name_at(const struct pod_table *table, const char *address)
{
	static char name[64];
	const struct pod_info *pod;
	uint8_t bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		pod = pod_table_find_ip(table, bytes, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		pod = pod_table_find_ip(table, bytes, 16);
	else
		return "no address";
	if (!pod)
		return "";
	snprintf(name, sizeof(name), "%.*s", STR_ARG(pod->name));
	return name;
}

static struct pod_table *make_table(uint32_t max)
{
	struct pod_table *table = NULL;

	cr_assert_eq(pod_table_new(max, &table), 0);
	return table;
}

Test(pods, by_address)
{
	struct pod_table *table = make_table(16);

	pod_table_put(table, make_pod("u1", "one", "10.0.0.1", "fd00::1"));
	pod_table_put(table, make_pod("u2", "two", "10.0.0.2", NULL));
	pod_table_put(table, make_pod("u3", "three", "not an address", NULL));
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "one");
	cr_expect_str_eq(name_at(table, "::ffff:10.0.0.1"), "one",
			 "a mapped address is the v4 one");
	cr_expect_str_eq(name_at(table, "fd00::1"), "one");
	cr_expect_str_eq(name_at(table, "10.0.0.2"), "two");
	cr_expect_str_eq(name_at(table, "10.0.0.3"), "");
	cr_expect_null(pod_table_find_ip(table, (const uint8_t *)"\1\2\3\4\5", 5));
	/* It moved. */
	pod_table_put(table, make_pod("u1", "one", "10.0.0.9", NULL));
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "");
	cr_expect_str_eq(name_at(table, "fd00::1"), "");
	cr_expect_str_eq(name_at(table, "10.0.0.9"), "one");
	/* The address went on to another pod before we learned that the first has gone. */
	pod_table_put(table, make_pod("u4", "four", "10.0.0.9", NULL));
	cr_expect_str_eq(name_at(table, "10.0.0.9"), "four");
	pod_table_remove(table, STR("u1"));
	cr_expect_str_eq(name_at(table, "10.0.0.9"), "four");
	pod_table_remove(table, STR("u4"));
	cr_expect_str_eq(name_at(table, "10.0.0.9"), "");
	pod_table_remove(table, STR("u4"));
	cr_expect_eq(pod_table_count(table), 2);
	pod_table_free(table);
}

Test(pods, whole_lists)
{
	struct pod_table *table = make_table(16);

	pod_table_put(table, make_pod("u1", "one", "10.0.0.1", NULL));
	pod_table_put(table, make_pod("u2", "two", "10.0.0.2", NULL));
	pod_table_sync_begin(table);
	pod_table_put(table, make_pod("u2", "zwei", "10.0.0.2", NULL));
	pod_table_put(table, make_pod("u3", "three", "10.0.0.1", NULL));
	cr_expect_not_null(pod_table_find(table, STR("u1")), "it stays until the list is whole");
	pod_table_sync_end(table);
	cr_expect_not_null(pod_table_find(table, STR("u1")), "its last events may be yet to come");
	cr_expect_eq(pod_table_count(table), 2);
	cr_expect_str_eq(name_at(table, "10.0.0.2"), "zwei");
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "three");
	pod_table_sync_begin(table);
	pod_table_sync_end(table);
	cr_expect_eq(pod_table_count(table), 0);
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "");
	pod_table_free(table);
}

Test(pods, gone)
{
	struct pod_table *table = make_table(2);
	const struct pod_info *pod;
	uint32_t cursor = 0;
	char uid[32];

	pod_table_put(table, make_pod("u1", "one", "10.0.0.1", NULL));
	pod_table_put(table, make_pod("u2", "two", "10.0.0.2", NULL));
	pod_table_remove(table, STR("u1"));
	pod_table_remove(table, STR("u1"));
	cr_expect_eq(pod_table_count(table), 1);
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "", "the address may be another's");
	pod = pod_table_find(table, STR("u1"));
	cr_expect(pod && str_eq_text(pod->name, "one"));
	pod = pod_table_next(table, &cursor);
	cr_expect(pod && str_eq_text(pod->name, "two"));
	cr_expect_null(pod_table_next(table, &cursor));
	/* Its place is another's; then there is one again. */
	cr_expect(pod_table_put(table, make_pod("u3", "three", NULL, NULL)));
	cr_expect(!pod_table_put(table, make_pod("u1", "eins", "10.0.0.1", NULL)));
	cr_expect_eq(pod_table_refused(table), 1);
	pod_table_remove(table, STR("u3"));
	cr_expect(pod_table_put(table, make_pod("u1", "uno", "10.0.0.1", NULL)));
	cr_expect_str_eq(name_at(table, "10.0.0.1"), "uno");
	cr_expect_eq(pod_table_count(table), 2);
	pod_table_remove(table, STR("u1"));
	/* However many follow, few are kept. */
	for (int i = 0; i < 1000; i++) {
		snprintf(uid, sizeof(uid), "v%d", i);
		cr_expect(pod_table_put(table, make_pod(uid, uid, NULL, NULL)));
		pod_table_remove(table, str_from(uid));
		cr_expect_eq(pod_table_count(table), 1);
	}
	cr_expect_not_null(pod_table_find(table, STR("v999")));
	cr_expect_not_null(pod_table_find(table, STR("v744")));
	cr_expect_null(pod_table_find(table, STR("v743")), "256 are kept");
	cr_expect_null(pod_table_find(table, STR("u1")));
	cr_expect_not_null(pod_table_find(table, STR("u2")), "it is still there");
	pod_table_free(table);
}

Test(pods, full)
{
	struct pod_table *table = make_table(2);

	cr_expect(pod_table_put(table, make_pod("u1", "one", NULL, NULL)));
	cr_expect(pod_table_put(table, make_pod("u2", "two", NULL, NULL)));
	cr_expect(!pod_table_put(table, make_pod("u3", "three", NULL, NULL)));
	cr_expect(pod_table_put(table, make_pod("u1", "eins", NULL, NULL)), "one that is there");
	cr_expect_eq(pod_table_refused(table), 1);
	cr_expect_eq(pod_table_count(table), 2);
	pod_table_free(table);
}

Test(pods, references)
{
	struct pod_info *pod = make_pod("u1", "one", NULL, NULL);
	struct container_info *info = container_info_new();
	struct pod_table *table = make_table(2);

	pod_table_put(table, pod_info_ref(pod));
	pod_table_free(table);
	cr_expect(str_eq(pod->name, STR("one")), "ours is still there");
	cr_expect_null(pod_info_unref(pod));
	cr_expect_eq(container_info_ref(info), info);
	cr_expect_null(container_info_unref(info));
	cr_expect_null(container_info_unref(info));
	cr_expect_null(container_info_unref(NULL));
	cr_expect_null(pod_info_unref(NULL));
}

Test(pods, images)
{
	static const struct {
		const char *reference, *repository, *tag, *digest, *id;
	} cases[] = {
		{ "nginx", "nginx", "", "", "" },
		{ "nginx:1.25", "nginx", "1.25", "", "" },
		{ "docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25", "", "" },
		{ "localhost:5000/a", "localhost:5000/a", "", "", "" },
		{ "localhost:5000/a:b", "localhost:5000/a", "b", "", "" },
		{ "r.io/a@sha256:12ab", "r.io/a", "", "sha256:12ab", "" },
		{ "r.io:1/a:t@sha256:12ab", "r.io:1/a", "t", "sha256:12ab", "" },
		{ "sha256:12ab", "", "", "", "sha256:12ab" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "", "", "",
		  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
		{ "0123456789abcdef", "0123456789abcdef", "", "", "" },
		{ "", "", "", "", "" },
		{ ":", "", "", "", "" },
		{ "@", "", "", "", "" },
		{ "a:", "a", "", "", "" },
		{ "a@", "a", "", "", "" },
		{ "/:@", "/", "", "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_info *info = container_info_new();

		container_info_set_image(info, str_from(cases[i].reference));
		cr_expect(str_eq_text(info->image_repository, cases[i].repository), "%s: %.*s",
			  cases[i].reference, STR_ARG(info->image_repository));
		cr_expect(str_eq_text(info->image_tag, cases[i].tag), "%s", cases[i].reference);
		cr_expect(str_eq_text(info->image_digest, cases[i].digest), "%s",
			  cases[i].reference);
		cr_expect(str_eq_text(info->image_id, cases[i].id), "%s", cases[i].reference);
		container_info_unref(info);
	}
}
