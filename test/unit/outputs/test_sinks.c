/*
 * What sinks are made of, without a thread: filters, the order of a feed, syslog's messages,
 * addresses, checksums.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "connector.h"
#include "feed.h"
#include "filter.h"
#include "haetae/clock.h"
#include "haetae/crc32c.h"
#include "syslog_format.h"

static struct alert *make_alert(const char *rule, struct str tags, const char *text,
				const char *json)
{
	struct alert *alert = alert_restore(&(struct alert_parts){
		.wall_ns = 1700000000123456789ULL,
		.priority = PRIORITY_CRITICAL,
		.uuid = STR("00000000-0000-8000-8000-000000000001"),
		.rule = str_from(rule),
		.tags = tags,
		.text = str_from(text),
		.json = str_from(json),
	});

	cr_assert(alert);
	return alert;
}

/* ---- filters -------------------------------------------------------------------------------- */

Test(sinks, patterns)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "a*", "abc", true },
		{ "a*", "ba", false },
		{ "*c", "abc", true },
		{ "*c", "abcd", false },
		{ "a*c", "abbc", true },
		{ "a*c", "ac", true },
		{ "*b*", "abc", true },
		{ "**", "x", true },
		{ "a*b*c", "axbxbxc", true },
		{ "a*b*c", "axbxbx", false },
		{ "Read*", "read", false },
		{ "*aab", "aaaaaaaaab", true },
		{ "a", "a*", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(filter_matches(str_from(cases[i].pattern), str_from(cases[i].text)),
			     cases[i].want, "%s ~ %s", cases[i].pattern, cases[i].text);
}

Test(sinks, filters)
{
	const struct str tags = { "one\0two words\0", 14 };
	static const struct {
		const char *tags[2], *rules[2];
		enum priority min;
		bool want;
	} cases[] = {
		{ { NULL }, { NULL }, PRIORITY_DEBUG, true },
		{ { NULL }, { NULL }, PRIORITY_ERROR, true },
		{ { NULL }, { NULL }, PRIORITY_CRITICAL, false },
		{ { "one" }, { NULL }, PRIORITY_DEBUG, true },
		{ { "three", "two words" }, { NULL }, PRIORITY_DEBUG, true },
		{ { "two" }, { NULL }, PRIORITY_DEBUG, false },
		{ { "" }, { NULL }, PRIORITY_DEBUG, false },
		{ { NULL }, { "x", "The *" }, PRIORITY_DEBUG, true },
		{ { NULL }, { "x" }, PRIORITY_DEBUG, false },
		{ { "one" }, { "x" }, PRIORITY_DEBUG, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sink_config config = { .min_priority = cases[i].min };

		for (unsigned k = 0; k < 2; k++) {
			if (cases[i].tags[k])
				config.tags[config.tag_cnt++] = cases[i].tags[k];
			if (cases[i].rules[k])
				config.rules[config.rule_cnt++] = cases[i].rules[k];
		}
		cr_expect_eq(filter_passes(&config, PRIORITY_ERROR, STR("The rule"), tags),
			     cases[i].want, "case %zu", i);
	}
}

/* ---- feeds ---------------------------------------------------------------------------------- */

static void start_sink(struct sink *sink, uint32_t queue_length)
{
	*sink = (struct sink){ .health_lock = PTHREAD_MUTEX_INITIALIZER };
	sink_config_default(&sink->config);
	sink->config.name = "test";
	sink->config.queue_length = queue_length;
}

/* What is given back comes first again, in the old order, whatever the order of giving back. */
Test(sinks, feed_order)
{
	struct delivery *taken[5];
	struct sink sink;

	start_sink(&sink, 8);
	for (unsigned i = 0; i < 8; i++) {
		char rule[2] = { (char)('a' + i), '\0' };
		struct alert *alert = make_alert(rule, STR(""), "", "{}");

		alert->wall_ns = 100 + i;
		cr_expect(feed_add(&sink, alert));
		alert_free(alert);
	}
	cr_expect_eq(feed_room(&sink), 0);
	cr_expect_eq(feed_oldest_ns(&sink), 100);
	for (unsigned i = 0; i < 5; i++) {
		taken[i] = sink_take(&sink);
		cr_assert(taken[i] && taken[i]->alert->rule.p[0] == (char)('a' + i));
	}
	sink_acknowledge(&sink, taken[1]);
	cr_expect_eq(feed_oldest_ns(&sink), 100, "one is still on its way");
	sink_fail(&sink, taken[2], "no");
	sink_give_back(&sink, taken[3]);
	sink_give_back(&sink, taken[0]);
	sink_give_back(&sink, taken[4]);
	for (const char *want = "adefgh"; *want; want++) {
		struct delivery *delivery = sink_take(&sink);

		cr_assert(delivery && delivery->alert->rule.p[0] == *want, "%c", *want);
		cr_expect_eq(delivery->attempts, *want <= 'e');
		sink_acknowledge(&sink, delivery);
	}
	cr_expect_null(sink_take(&sink));
	cr_expect_eq(feed_oldest_ns(&sink), 0);
	feed_add_spooled(&sink, 7);
	feed_add_spooled(&sink, 9);
	cr_expect_eq(feed_oldest_ns(&sink), 7);
	sink.feed.spool_cnt = 0;
	cr_expect_eq(sink.counters.delivered, 7);
	cr_expect_eq(sink.counters.failed, 1);
	cr_expect_eq(sink.counters.retried, 3);
	cr_expect_eq(sink.feed.memory_cnt, 0);
	cr_expect_eq(sink.feed.waiting_bytes, 0);
	feed_done(&sink);
}

Test(sinks, feed_full)
{
	struct alert *alert = make_alert("r", STR(""), "", "{}");
	struct sink sink;

	start_sink(&sink, 2);
	cr_expect(feed_add(&sink, alert) && feed_add(&sink, alert));
	cr_expect_not(feed_add(&sink, alert));
	cr_expect_eq(sink.counters.dropped[PRIORITY_CRITICAL], 1);
	cr_assert(sink_take(&sink));
	feed_give_up(&sink);
	cr_expect_eq(sink.counters.failed, 2);
	alert_free(alert);
	feed_done(&sink);
}

Test(sinks, back_off)
{
	struct sink sink;
	uint64_t bound = 100, max_seen = 0;

	start_sink(&sink, 1);
	sink.config.retry_min_ns = 100;
	sink.config.retry_max_ns = 800;
	for (unsigned i = 0; i < 50; i++) {
		uint64_t wait = sink_back_off(&sink, 1000, 0) - 1000;

		cr_expect(wait < bound, "%lu of %lu", wait, bound);
		bound = MIN(bound * 2, (uint64_t)800);
		max_seen = MAX(max_seen, wait);
	}
	cr_expect_gt(max_seen, 400, "jitter over the whole range");
	cr_expect_geq(sink_back_off(&sink, 1000, 5000), 6000);
	sink_ok(&sink);
	cr_expect_lt(sink_back_off(&sink, 1000, 0), 1100);
}

/* ---- syslog --------------------------------------------------------------------------------- */

static const struct syslog_head head = { .facility = 3, .hostname = "host", .process_id = "7" };

#define SD   "[haetae@32473 uuid=\"00000000-0000-8000-8000-000000000001\" rule=\""
#define TIME "2023-11-14T22:13:20.123456Z"

Test(sinks, syslog_messages)
{
	static const struct {
		const char *rule;
		struct str tags;
		const char *text;
		bool want_json;
		const char *want;
	} cases[] = {
		{ "Read shadow",
		  { "", 0 },
		  "text",
		  false,
		  "<26>1 " TIME " host haetae 7 Read_shadow " SD
		  "Read shadow\" priority=\"Critical\"] text" },
		/* Quote, backslash, bracket; a control character; a name beyond 32. */
		{ "a\"b\\c]d\033e 0123456789012345678901234567890",
		  { "", 0 },
		  "",
		  false,
		  "<26>1 " TIME " host haetae 7 a\"b\\c]d_e_0123456789012345678901 " SD
		  "a\\\"b\\\\c\\]d\\\\x1be 0123456789012345678901234567890\" "
		  "priority=\"Critical\"] " },
		{ "caf\xc3\xa9",
		  { "x\0y z\0", 6 },
		  "\xc3\xa9",
		  false,
		  "<26>1 " TIME " host haetae 7 caf__ " SD
		  "caf\xc3\xa9\" priority=\"Critical\" tag=\"x\" tag=\"y z\"] "
		  "\xef\xbb\xbf\xc3\xa9" },
		{ "",
		  { "", 0 },
		  "",
		  true,
		  "<26>1 " TIME " host haetae 7 - " SD
		  "\" priority=\"Critical\"] {\"a\":\"\\u202e\\udb40\\udc01\"}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct alert *alert = make_alert(cases[i].rule, cases[i].tags, cases[i].text,
						 "{\"a\":\"\xe2\x80\xae\xf3\xa0\x80\x81\"}");
		struct buf out;

		buf_init(&out, 1u << 16);
		syslog_format(&head, alert, cases[i].want_json, 1u << 16, &out);
		cr_expect_str_eq(out.p, cases[i].want, "%zu: %s", i, out.p);
		buf_done(&out);
		alert_free(alert);
	}
}

/* At every length: never longer, never half a character, and it says that it is cut. */
Test(sinks, syslog_cut)
{
	struct alert *alert =
		make_alert("r", STR(""), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", "{}");
	size_t whole;
	struct buf out;

	buf_init(&out, 1u << 16);
	syslog_format(&head, alert, false, 1u << 16, &out);
	whole = out.n;
	for (size_t max = whole; max > whole - 12; max--) {
		const char *text;

		buf_clear(&out);
		syslog_format(&head, alert, false, max, &out);
		text = strstr(out.p, "] ") + 5; /* behind the mark */
		cr_expect(max == whole ? !strstr(out.p, "cut=") : !!strstr(out.p, " cut=\"1\"]"));
		cr_expect_eq(strncmp(text, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", strlen(text)),
			     0, "%s", text);
	}
	buf_done(&out);
	alert_free(alert);
}

Test(sinks, syslog_facilities)
{
	unsigned facility = 99;

	cr_expect(syslog_facility_parse("local7", &facility) && facility == 23);
	cr_expect(syslog_facility_parse("daemon", &facility) && facility == 3);
	cr_expect_not(syslog_facility_parse("local8", &facility));
	cr_expect_not(syslog_facility_parse("", &facility));
}

/* ---- hosts, checksums ----------------------------------------------------------------------- */

Test(sinks, addresses)
{
	static const struct {
		const char *address, *host, *port; /* host NULL: none */
	} cases[] = {
		{ "a:1", "a", "1" },
		{ "a.b", "a.b", "514" },
		{ "[::1]:2", "::1", "2" },
		{ "[::1]", "::1", "514" },
		{ "127.0.0.1:99999", "127.0.0.1", "99999" },
		{ "", NULL, NULL },
		{ ":1", NULL, NULL },
		{ "a:", NULL, NULL },
		{ "a:b", NULL, NULL },
		{ "[::1", NULL, NULL },
		{ "[::1]x", NULL, NULL },
		{ "[]:1", NULL, NULL },
		{ "a:1234567890", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct connector connector;
		bool is_good = connector_init(&connector, cases[i].address, "514", 1);

		cr_expect_eq(is_good, cases[i].host != NULL, "%s", cases[i].address);
		if (!is_good || !cases[i].host)
			continue;
		cr_expect_str_eq(connector.host, cases[i].host);
		cr_expect_str_eq(connector.port, cases[i].port);
	}
}

/* RFC 3720 appendix B.4. */
Test(sinks, crc32c_known)
{
	uint8_t bytes[32] = { 0 };

	cr_expect_eq(crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	cr_expect_eq(crc32c(0, bytes, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	cr_expect_eq(crc32c(0, bytes, 32), 0x46dd794eu);
	for (unsigned i = 0; i <= 32; i++)
		cr_expect_eq(crc32c(crc32c(0, bytes, i), bytes + i, 32 - i), 0x46dd794eu);
}
