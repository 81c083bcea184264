/*
 * Pods as the Kubernetes API writes them (v1.Pod), and what a watch says of them
 * (meta/v1.WatchEvent).
 */
#ifndef METADATA_POD_JSON_H
#define METADATA_POD_JSON_H

#include "haetae/container.h"

/* Of one pod's text. NULL where it is no JSON, has no UID, or there is no memory. */
struct pod_info *pod_json_parse(struct str text);

enum watch_event_type {
	WATCH_PUT,	/* ADDED, MODIFIED: pod */
	WATCH_GONE,	/* DELETED: pod, as it was last */
	WATCH_BOOKMARK, /* resource_version alone */
	WATCH_EXPIRED,	/* ERROR with code 410: list anew */
	WATCH_ERROR,	/* another one: message */
	WATCH_REFUSED	/* not understood */
};

struct watch_event {
	enum watch_event_type type;
	struct pod_info *pod;	   /* owned by the caller; NULL but for PUT and GONE */
	char resource_version[64]; /* "" where there is none */
	int code;		   /* of an ERROR */
	char message[128];	   /* of an ERROR, cut */
};
void watch_event_parse(struct str text, struct watch_event *ret);

/* metadata of a list: where to go on. False where it is not understood, or longer than there is
 * room. */
struct list_metadata {
	char resource_version[64];
	char continue_token[4096]; /* "" at the end */
};
bool list_metadata_parse(struct str text, struct list_metadata *ret);

#endif
