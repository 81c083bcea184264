/*
 * Alerts for the tests of payloads. The caller frees them.
 */
#include "payload_fixture.h"

#include <criterion/criterion.h>

/* clang-format off */
static const struct alert_parts parts[] = {
	[FIXTURE_POD] = {
		.wall_ns = 1700000100123456789,
		.priority = PRIORITY_WARNING,
		.uuid = STR("85c3126a-2861-88b8-a529-00a901c62e31"),
		.rule = STR("Read sensitive file"),
		.text = STR("22:15:00.123456789: Warning Sensitive file read (file=/etc/shadow)"),
		.json = STR("{\"uuid\":\"85c3126a-2861-88b8-a529-00a901c62e31\",\"time\":\"2023-11-14T22:15:00.123456789Z\","
			"\"rule\":\"Read sensitive file\",\"priority\":\"Warning\",\"source\":\"syscall\",\"hostname\":\"host-1\","
			"\"tags\":[\"filesystem\",\"T1003\"],"
			"\"output\":\"22:15:00.123456789: Warning Sensitive file read (file=/etc/shadow)\","
			"\"output_fields\":{\"fd.name\":\"/etc/shadow\",\"proc.pid\":4711,\"proc.is_exe_upper_layer\":true,"
			"\"user.name\":null,\"proc.aname\":[\"sh\",\"runc\"],\"container.id\":\"0123456789ab\","
			"\"evt.time\":1700000100123456789},"
			"\"haetae\":{\"version\":\"0.1.0\",\"ancestors\":[{\"pid\":40,\"name\":\"sh\"}],"
			"\"container\":{\"id\":\"0123456789ab\",\"name\":\"web\",\"image\":\"docker.io/library/nginx:1.25\",\"privileged\":false},"
			"\"k8s\":{\"pod\":\"web-7d9c\",\"namespace\":\"shop\"},\"metadata\":\"resolved\"}}"),
	},
	[FIXTURE_HOSTILE] = {
		.wall_ns = 1700000101000000000,
		.priority = PRIORITY_CRITICAL,
		.uuid = STR("11111111-2222-8333-8444-555555555555"),
		.rule = STR("a \"rule\" <b>"),
		.text = STR("22:15:01: Critical x"),
		.json = STR("{\"uuid\":\"11111111-2222-8333-8444-555555555555\",\"time\":\"2023-11-14T22:15:01.000000000Z\","
			"\"rule\":\"a \\\"rule\\\" <b>\",\"priority\":\"Critical\",\"source\":\"syscall\",\"hostname\":\"host 1/é\","
			"\"tags\":[\"<!channel>\",\"\\u202eevil\"],"
			"\"output\":\"run <!channel> <https://evil.example|click> & \\\"q\\\" \\u001b[31m \\u202e \\u2028 \\u200b end\\\\\","
			"\"output_fields\":{\"proc.cmdline\":\"sh -c \\\"</script>\\u0000\\n{{rule}}\\\"\",\"fd.name\":\"a\",\"fd_name\":\"b\",\"summary\":\"mine\"},"
			"\"haetae\":{\"version\":\"0.1.0\",\"container\":null,\"k8s\":null}}"),
	},
	[FIXTURE_BARE] = {
		.wall_ns = 1700000102000000001,
		.priority = PRIORITY_DEBUG,
		.uuid = STR("99999999-2222-8333-8444-555555555555"),
		.rule = STR("bare"),
		.text = STR("bare"),
		.json = STR("{}"),
	},
};
/* clang-format on */

struct alert *fixture_alert(enum fixture_alert which)
{
	struct alert *alert = alert_restore(&parts[which]);

	cr_assert(alert != NULL);
	return alert;
}
