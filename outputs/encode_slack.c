/*
 * Slack's incoming webhooks, which Mattermost and Rocket.Chat understand too: a text and an
 * attachment an alert. Owns nothing. Outputs thread.
 *
 * An alert's text is an attacker's: & < > are escaped, so that nothing becomes a link or a mention
 * (docs.slack.dev, "Formatting message text"), nothing is formatted, no link is looked up.
 */
#include "encode.h"

#include <json.h>

#include "haetae/clock.h"
#include "haetae/text.h"

/* Characters after escaping. Slack cuts a text beyond 40,000 and refuses long messages; a section
 * takes 3,000. */
#define OUTPUT_CHARS 3000
#define TITLE_CHARS  150
#define VALUE_CHARS  300

static const char *const colors[] = {
	[PRIORITY_EMERGENCY] = "#7b0b0b",     [PRIORITY_ALERT] = "#a30200",
	[PRIORITY_CRITICAL] = "#d40e0d",      [PRIORITY_ERROR] = "#e8590c",
	[PRIORITY_WARNING] = "#f2a900",	      [PRIORITY_NOTICE] = "#1d7fbf",
	[PRIORITY_INFORMATIONAL] = "#2eb67d", [PRIORITY_DEBUG] = "#8d8d8d",
};
_Static_assert(ARRAY_LEN(colors) == PRIORITY__COUNT, "a colour for each priority");

static struct str entity_of(char c)
{
	switch (c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	default:
		return STR_NONE;
	}
}

/* What of a line is shown when max characters are: no entity and no character cut in two. */
static void put_escaped(struct str line, uint32_t max, struct buf *out)
{
	const char *p = line.p, *end = line.p + line.n;
	uint32_t used = 0;

	while (p < end) {
		struct str entity = entity_of(*p);
		unsigned n = utf8_sequence(p, end);

		n = n ? n : 1;
		used += entity.p ? entity.n : 1;
		/* Room for the ellipsis, unless this is the last one. */
		if (used > max || (used == max && p + n < end)) {
			buf_puts(out, "…");
			return;
		}
		if (entity.p)
			buf_put_str(out, entity);
		else
			text_put_json(out, (struct str){ p, n });
		p += n;
	}
}

/* A JSON string. */
static void put_text(struct str text, uint32_t max_chars, struct buf *out)
{
	struct buf line;

	buf_init(&line, 64u << 20);
	text_put_line(&line, text.p ? text : STR(""));
	buf_putc(out, '"');
	put_escaped(buf_str(&line), max_chars, out);
	buf_putc(out, '"');
	out->failed |= line.failed;
	buf_done(&line);
}

static void put_field(const char *title, struct str value, struct buf *out)
{
	if (!value.n)
		return;
	encode_put_comma('[', out);
	buf_printf(out, "{\"title\":\"%s\",\"value\":", title);
	put_text(value, VALUE_CHARS, out);
	buf_puts(out, ",\"short\":true}");
}

static void put_tags(struct json_object *tags, struct buf *out)
{
	size_t cnt = tags ? json_object_array_length(tags) : 0;
	struct buf joined;

	buf_init(&joined, 64u << 10);
	for (size_t i = 0; i < cnt; i++) {
		buf_puts(&joined, i ? ", " : "");
		buf_put_str(&joined, encode_text_of(json_object_array_get_idx(tags, i)));
	}
	put_field("Tags", buf_str(&joined), out);
	buf_done(&joined);
}

/* "Warning: Read sensitive file on host-1" */
static void put_summary(const struct encode_alert *alert, struct buf *out)
{
	struct buf summary;

	buf_init(&summary, 64u << 10);
	buf_printf(&summary, "%s: %.*s", priority_name(alert->alert->priority),
		   STR_ARG(alert->alert->rule));
	if (alert->hostname.n)
		buf_printf(&summary, " on %.*s", STR_ARG(alert->hostname));
	put_text(buf_str(&summary), VALUE_CHARS, out);
	buf_done(&summary);
}

static void put_attachment(const struct encode_alert *alert, struct buf *out)
{
	buf_printf(out, "{\"color\":\"%s\",\"fallback\":", colors[alert->alert->priority]);
	put_summary(alert, out);
	buf_puts(out, ",\"title\":");
	put_text(alert->alert->rule, TITLE_CHARS, out);
	buf_puts(out, ",\"text\":");
	put_text(alert->output, OUTPUT_CHARS, out);
	buf_puts(out, ",\"mrkdwn_in\":[],\"fields\":[");
	put_field("Priority", str_from(priority_name(alert->alert->priority)), out);
	put_field("Host", alert->hostname, out);
	put_field("Namespace", alert->namespace_name, out);
	put_field("Pod", alert->pod, out);
	put_field("Container",
		  alert->container_name.n ? alert->container_name : alert->container_id, out);
	put_field("Image", alert->image, out);
	put_tags(alert->tags, out);
	buf_printf(out, "],\"footer\":\"%s\",\"ts\":%llu}", alert->alert->uuid,
		   (unsigned long long)(alert->alert->wall_ns / NS_PER_SEC));
}

void encode_put_slack(const struct encoder *encoder, const struct encode_alert *alerts,
		      uint32_t cnt, struct buf *out)
{
	buf_puts(out, "{\"text\":");
	if (cnt == 1)
		put_summary(&alerts[0], out);
	else
		buf_printf(out, "\"%u alerts\"", (unsigned)cnt);
	buf_puts(out, ",\"mrkdwn\":false,\"unfurl_links\":false,\"unfurl_media\":false,"
		      "\"attachments\":[");
	for (uint32_t i = 0; i < cnt; i++) {
		if (i)
			buf_putc(out, ',');
		put_attachment(&alerts[i], out);
	}
	buf_puts(out, "]}");
}
