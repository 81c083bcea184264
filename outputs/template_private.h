/*
 * A user's payload, compiled: what template_body.c makes and template_fill.c fills.
 */
#ifndef HAETAE_OUTPUTS_TEMPLATE_PRIVATE_H
#define HAETAE_OUTPUTS_TEMPLATE_PRIVATE_H

#include "template_body.h"

#define TEMPLATE_BODY_KEY_MAX 256

enum template_place {
	PLACE_PLAIN,  /* no JSON */
	PLACE_STRING, /* in a JSON string */
	PLACE_VALUE   /* where JSON has a value */
};

enum template_filter {
	FILTER_NONE, /* plain: text */
	FILTER_TEXT, /* one line for people (decision 35) */
	FILTER_HTML, /* & < > " ' as well */
	FILTER_URL,  /* %XX (RFC 3986) */
	FILTER_JSON, /* the value as JSON, a string with its quotes */
	FILTER_RAW   /* plain only: as it is */
};

enum template_source {
	SOURCE_ALERT,  /* the whole object */
	SOURCE_MEMBER, /* of the object, a path of keys */
	SOURCE_FIELD,  /* of output_fields: its key has dots */
	SOURCE_TIME_S,
	SOURCE_TIME_NS,
	SOURCE_NAMESPACE,
	SOURCE_POD,
	SOURCE_CONTAINER_ID,
	SOURCE_CONTAINER_NAME,
	SOURCE_IMAGE
};

struct template_body_part {
	struct str literal; /* in front of the placeholder */
	bool has_place;	    /* the last part has none */
	struct str name;    /* as written */
	struct str key;	    /* SOURCE_FIELD, SOURCE_MEMBER: behind the prefix, or all of it */
	enum template_source source;
	enum template_filter filter;
	enum template_place place;
};

struct template_body {
	char *text; /* owned; the parts point into it */
	struct template_body_part *parts;
	uint32_t part_cnt;
};

#endif
