/* Host names in rules: the table of their addresses, and the thread that resolves them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>

#include "haetae/clock.h"
#include "haetae/host_names.h"

static struct host_address address(const char *text)
{
	struct host_address ret;
	uint8_t bytes[16];
	bool is_v4 = inet_pton(AF_INET, text, bytes) == 1;

	cr_assert(is_v4 || inet_pton(AF_INET6, text, bytes) == 1, "%s", text);
	cr_assert(host_address_from(bytes, is_v4 ? 4 : 16, &ret));
	return ret;
}

static uint32_t find(const struct host_names *table, const char *text, uint32_t ret[4])
{
	struct host_address one = address(text);

	return host_names_find(table, &one, ret, 4);
}

static const struct str names[] = { { "a.test", 6 }, { "b.test", 6 }, { "c.test", 6 } };

Test(host_names, table)
{
	const struct host_address first[] = { address("10.0.0.1"), address("fd00::1"),
					      address("10.0.0.1") };
	const struct host_address second[] = { address("10.0.0.1"), address("10.0.0.2") };
	struct host_names *table = NULL;
	uint32_t found[4];

	cr_assert_eq(host_names_new(names, 3, &table), 0);
	cr_expect(host_names_are_waited_for(table));
	cr_expect_eq(find(table, "10.0.0.1", found), 0);
	host_names_set(table, 1, first, 3);
	host_names_set(table, 0, second, 2);
	cr_expect(host_names_are_waited_for(table), "nothing is known of the third");
	host_names_set(table, 2, NULL, 0);
	cr_expect(!host_names_are_waited_for(table));
	cr_expect_eq(find(table, "10.0.0.1", found), 2);
	cr_expect(found[0] == 0 && found[1] == 1);
	cr_expect_eq(find(table, "::ffff:10.0.0.1", found), 2, "a mapped address");
	cr_expect_eq(find(table, "fd00::1", found), 1);
	cr_expect_eq(found[0], 1);
	cr_expect_eq(find(table, "10.0.0.3", found), 0);
	/* It moved. */
	host_names_set(table, 1, second + 1, 1);
	cr_expect_eq(find(table, "10.0.0.1", found), 1);
	cr_expect_eq(find(table, "10.0.0.2", found), 2);
	cr_expect_eq(find(table, "fd00::1", found), 0);
	host_names_set(table, 99, second, 2);
	cr_expect(str_eq(host_names_at(table, 2), names[2]));
	host_names_free(table);
	cr_expect_null(host_names_free(NULL));
	cr_expect(!host_address_from((const uint8_t *)"abcde", 5, &(struct host_address){ 0 }));
}

static struct resolver_answer *wait_answer(struct resolver *resolver)
{
	struct pollfd fd = { .fd = resolver_poll_fd(resolver), .events = POLLIN };
	struct resolver_answer *answer = resolver_take(resolver);

	for (unsigned i = 0; !answer && i < 20; i++) {
		(void)poll(&fd, 1, 500);
		answer = resolver_take(resolver);
	}
	return answer;
}

static bool has(const struct resolver_answer *answer, const char *text)
{
	struct host_address one = address(text);

	for (uint32_t i = 0; i < answer->address_cnt; i++)
		if (memcmp(&answer->addresses[i], &one, sizeof(one)) == 0)
			return true;
	return false;
}

/* Names that need no name server: of /etc/hosts, numbers, and what cannot be one. */
Test(host_names, resolver, .timeout = 60)
{
	static const struct str asked[] = {
		{ "localhost", 9 }, { "127.0.0.9", 9 }, { "no host name", 12 }, { "::1", 3 }
	};
	struct resolver_config config;
	struct resolver *resolver = NULL;
	bool is_seen[ARRAY_LEN(asked)] = { false };
	struct resolver_stats stats;

	resolver_config_default(&config);
	config.names = asked;
	config.name_cnt = ARRAY_LEN(asked);
	config.refresh_ns = 50 * NS_PER_MS;
	cr_assert_eq(resolver_start(&config, &resolver), 0);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct resolver_answer *answer = wait_answer(resolver);

		cr_assert_not_null(answer);
		cr_assert(answer->name < ARRAY_LEN(asked));
		cr_expect(!is_seen[answer->name], "%u twice", answer->name);
		is_seen[answer->name] = true;
		if (answer->name == 0)
			cr_expect(has(answer, "127.0.0.1"));
		else if (answer->name == 1)
			cr_expect(answer->address_cnt == 1 && has(answer, "127.0.0.9"));
		else if (answer->name == 2)
			cr_expect_eq(answer->address_cnt, 0);
		else
			cr_expect(answer->address_cnt == 1 && has(answer, "::1"));
		free(answer);
	}
	/* Asked again, and the same: nothing more is said. */
	for (unsigned i = 0; i < 200; i++) {
		resolver_stats(resolver, &stats);
		if (stats.lookups >= 2 * ARRAY_LEN(asked))
			break;
		(void)poll(NULL, 0, 50);
	}
	cr_expect(stats.lookups >= 2 * ARRAY_LEN(asked), "%llu lookups",
		  (unsigned long long)stats.lookups);
	cr_expect_null(resolver_take(resolver));
	resolver_free(resolver);
	cr_expect_null(resolver_free(NULL));
	config.name_cnt = 0;
	cr_expect_eq(resolver_start(&config, &resolver), -EINVAL);
}
