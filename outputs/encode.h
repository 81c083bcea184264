/*
 * Payloads of HTTP requests, from alerts as the engine made them. Pure: no input or output, the
 * same alerts give the same bytes. Outputs thread.
 */
#ifndef HAETAE_OUTPUTS_ENCODE_H
#define HAETAE_OUTPUTS_ENCODE_H

#include "haetae/sink.h"

struct json_object;
struct template_body;

/* An alert's JSON, read. The strings lie in `object` or in the alert. */
struct encode_alert {
	const struct alert *alert;  /* borrowed */
	struct json_object *object; /* owned */
	/* In `object`; NULL where there is none. */
	struct json_object *tags, *fields, *own;
	/* STR_NONE where there is none. */
	struct str source, hostname, output, namespace_name, pod, container_id, container_name,
		image;
};

#define ENCODE_E_INVALID 1 /* the alert's JSON is none: it can never be sent */

/* 0, ENCODE_E_INVALID or -ENOMEM. */
int encode_alert_read(const struct alert *alert, struct encode_alert *ret);
void encode_alert_done(struct encode_alert *alert);

struct encoder;

struct encode_format {
	const char *content_type;
	const char *content_type_of_array; /* where is_array; NULL: the same */
	/* Alerts a request: without a word in the configuration, and at most. */
	uint32_t batch_default, batch_max;
	/* One after the other would be no document: an array where a request may hold several. */
	bool has_array;
	void (*put)(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		    struct buf *out);
};
const struct encode_format *encode_format(enum sink_format format);

struct encoder {
	const struct encode_format *format;
	const struct template_body *template_body; /* SINK_TEMPLATE */
	bool is_array; /* format->has_array and requests of more than one alert are allowed */
};
const char *encode_content_type(const struct encoder *encoder);
/* out->failed where there is no room. cnt is at least 1. */
void encode_body(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		 struct buf *out);

/* ---- for the formats ------------------------------------------------------------------------ */

/* A JSON string of one line for people (decision 35), at most max_chars characters: "…" ends what
 * is cut. */
void encode_put_line(struct str text, uint32_t max_chars, struct buf *out);
/* All but unreserved characters as %XX. */
void encode_put_uri(struct str text, struct buf *out);
/* Between members: not behind the bracket that opens them. */
static inline void encode_put_comma(char open, struct buf *out)
{
	if (out->n && out->p[out->n - 1] != open)
		buf_putc(out, ',');
}
/* The member of an object if it is a string, else STR_NONE. Fine with NULL. */
struct str encode_string(struct json_object *object, const char *key);
/* As text: a string as it is, everything else as JSON; in memory of `value`. */
struct str encode_text_of(struct json_object *value);

void encode_put_alertmanager(const struct encoder *encoder, const struct encode_alert *alerts,
			     uint32_t cnt, struct buf *out);
void encode_put_slack(const struct encoder *encoder, const struct encode_alert *alerts,
		      uint32_t cnt, struct buf *out);
void encode_put_otlp(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out);
void encode_put_loki(const struct encoder *encoder, const struct encode_alert *alerts, uint32_t cnt,
		     struct buf *out);

#endif
