/*
 * gRPC over a source's unix socket: one request, one answer (gRPC over HTTP/2, "Length-Prefixed
 * Message"). Metadata thread.
 */
#ifndef METADATA_GRPC_H
#define METADATA_GRPC_H

#include <protobuf-c/protobuf-c.h>

#include "source.h"

/* Of one answer; ContainerStatus with "verbose" carries a whole OCI bundle. */
#define GRPC_ANSWER_BYTES_MAX (4u << 20)

/* statuscodes.md of grpc. */
enum grpc_status {
	GRPC_STATUS_OK = 0,
	GRPC_STATUS_UNKNOWN = 2,
	GRPC_STATUS_DEADLINE_EXCEEDED = 4,
	GRPC_STATUS_NOT_FOUND = 5,
	GRPC_STATUS_PERMISSION_DENIED = 7,
	GRPC_STATUS_RESOURCE_EXHAUSTED = 8,
	GRPC_STATUS_UNIMPLEMENTED = 12,
	GRPC_STATUS_UNAVAILABLE = 14,
	GRPC_STATUS_UNAUTHENTICATED = 16
};

enum grpc_outcome {
	GRPC_ANSWERED,	 /* message is set */
	GRPC_ABSENT,	 /* it knows none such */
	GRPC_MISSING,	 /* it has no such method */
	GRPC_REFUSED,	 /* an error about this question */
	GRPC_NONSENSE,	 /* no gRPC, compressed, cut, too long, more than one message */
	GRPC_UNREACHABLE /* no connection, too slow, or an error of its own */
};

struct grpc_answer {
	enum grpc_outcome outcome;
	struct str message; /* protobuf; valid during the call */
	const char *why;    /* for the log; valid during the call */
};

/* The one message in a body of frames; false for anything else. */
bool grpc_unframe(struct str body, struct str *ret);

struct grpc_call; /* opaque */

/* "/runtime.v1.RuntimeService/Version". header: one more, or NULL. on_answer is called once, never
 * from within, unless the call is cancelled; the call is freed after it. 0 or a negative errno. */
int grpc_start(struct source *source, const char *method, const char *header,
	       const ProtobufCMessage *request,
	       void (*on_answer)(const struct grpc_answer *answer, void *data), void *data,
	       struct grpc_call **ret);
/* Fine with NULL; not within its own on_answer. */
void grpc_cancel(struct grpc_call *call);

/* Unpacks with an allocator that bounds what a small message may blow up to; NULL where it is none.
 * Free with protobuf_free_message(). */
ProtobufCMessage *grpc_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes);
void grpc_free_message(ProtobufCMessage *message);

#endif
