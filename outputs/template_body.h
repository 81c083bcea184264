/*
 * A user's payload: text with {{placeholders}} that an alert fills (docs/webhooks.md). Where the
 * content type is JSON, what is filled in is escaped by where it stands, so that every alert gives
 * valid JSON. Outputs thread; compiled at start.
 */
#ifndef HAETAE_OUTPUTS_TEMPLATE_BODY_H
#define HAETAE_OUTPUTS_TEMPLATE_BODY_H

#include "haetae/buf.h"

struct encode_alert;
struct template_body; /* opaque; owns its text */

#define TEMPLATE_BODY_MAX	 (256u << 10) /* bytes of the text; longer is an error */
#define TEMPLATE_BODY_PLACES_MAX 256	      /* placeholders; more are an error */

struct template_error {
	uint32_t line, column; /* of the text, from 1 */
	char message[128];
};

#define TEMPLATE_BODY_E_INVALID 1

/* 0, -ENOMEM, or TEMPLATE_BODY_E_INVALID with *reterr filled. */
int template_body_compile(struct str text, bool is_json, struct template_body **ret,
			  struct template_error *reterr);
struct template_body *template_body_free(struct template_body *body);
void template_body_format(const struct template_body *body, const struct encode_alert *alert,
			  struct buf *out);
/* "application/json", "application/cloudevents+json; charset=utf-8" */
bool template_body_is_json(const char *content_type);

#endif
