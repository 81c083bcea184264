/*
 * gRPC calls of runtimes over http_client: frames, status and message of the trailers, and protobuf
 * unpacked within a budget. Owns a grpc_call per request until its answer. Called by cri.c and
 * containerd.c; metadata thread. Whoever holds the other end of the socket is not trusted: what is
 * no gRPC is told apart from "no such container".
 */
#include "grpc.h"

#include <errno.h>
#include <stdio.h>

#include "haetae/host_file.h"

/* An empty message within a list takes two bytes there and a hundred here. */
#define UNPACKED_BYTES_MAX (16u << 20)
#define REQUEST_BYTES_MAX  1024

struct grpc_call {
	struct http_client *http; /* borrowed */
	struct http_call *call;	  /* until on_done */
	void (*on_answer)(const struct grpc_answer *answer, void *data);
	void *data;
};

/* ---- frames --------------------------------------------------------------------------------- */

/* One byte that says whether it is compressed, four of length, big endian; we announce no
 * compression, so none may be used. */
bool grpc_unframe(struct str body, struct str *ret)
{
	const unsigned char *p = (const unsigned char *)body.p;
	uint32_t length;

	if (body.n < 5 || p[0] != 0)
		return false;
	length = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	if (length != body.n - 5)
		return false;
	*ret = (struct str){ body.p + 5, length };
	return true;
}

static bool frame(const ProtobufCMessage *request, unsigned char *bytes, size_t *ret)
{
	size_t n = protobuf_c_message_get_packed_size(request);

	if (n > REQUEST_BYTES_MAX - 5)
		return false;
	memset(bytes, 0, 5);
	bytes[3] = (unsigned char)(n >> 8);
	bytes[4] = (unsigned char)n;
	protobuf_c_message_pack(request, bytes + 5);
	*ret = n + 5;
	return true;
}

/* ---- answers -------------------------------------------------------------------------------- */

static enum grpc_outcome outcome_of_status(const struct http_result *result)
{
	switch (result->grpc_status) {
	case GRPC_STATUS_OK:
		return GRPC_ANSWERED;
	case GRPC_STATUS_NOT_FOUND:
		return GRPC_ABSENT;
	case GRPC_STATUS_UNIMPLEMENTED:
		return GRPC_MISSING;
	case GRPC_STATUS_DEADLINE_EXCEEDED:
	case GRPC_STATUS_PERMISSION_DENIED:
	case GRPC_STATUS_RESOURCE_EXHAUSTED:
	case GRPC_STATUS_UNAVAILABLE:
	case GRPC_STATUS_UNAUTHENTICATED:
		return GRPC_UNREACHABLE;
	case GRPC_STATUS_UNKNOWN:
		/* Older CRI-O gives its errors no code. */
		return strstr(result->grpc_message, "not found") ? GRPC_ABSENT : GRPC_REFUSED;
	default:
		return result->grpc_status < 0 ? GRPC_NONSENSE : GRPC_REFUSED;
	}
}

static enum grpc_outcome outcome_of(const struct http_result *result)
{
	if (result->error == HTTP_E_TOO_LONG || result->error == HTTP_E_PROTOCOL)
		return GRPC_NONSENSE;
	if (result->error)
		return GRPC_UNREACHABLE;
	if (result->status != 200 || strncmp(result->content_type, "application/grpc", 16) != 0)
		return GRPC_NONSENSE;
	return outcome_of_status(result);
}

static void on_done(const struct http_result *result, void *data)
{
	struct grpc_call *call = data;
	struct grpc_answer answer = { .outcome = outcome_of(result) };

	if (answer.outcome == GRPC_ANSWERED && !grpc_unframe(result->body, &answer.message))
		answer.outcome = GRPC_NONSENSE;
	if (result->error)
		answer.why = result->message;
	else if (answer.outcome == GRPC_NONSENSE)
		answer.why = "its answer is no gRPC";
	else
		answer.why = result->grpc_message;
	call->on_answer(&answer, call->data);
	free(call);
}

int grpc_start(struct source *source, const char *method, const char *header,
	       const ProtobufCMessage *request,
	       void (*on_answer)(const struct grpc_answer *answer, void *data), void *data,
	       struct grpc_call **ret)
{
	const char *headers[] = { "content-type: application/grpc", "te: trailers", header };
	_cleanup_(freep) struct grpc_call *call = calloc(1, sizeof(*call));
	unsigned char bytes[REQUEST_BYTES_MAX];
	char url[256];
	struct http_request http = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.header_cnt = ARRAY_LEN(headers),
		.is_plain_http2 = true,
		.max_body = GRPC_ANSWER_BYTES_MAX,
		.on_done = on_done,
		.data = call,
	};
	size_t n;
	int r;

	if (!call)
		return -ENOMEM;
	if (!frame(request, bytes, &n))
		return -EMSGSIZE;
	snprintf(url, sizeof(url), "http://localhost%s", method);
	http.body = (struct str){ (const char *)bytes, (uint32_t)n };
	call->http = source_http(source);
	call->on_answer = on_answer;
	call->data = data;
	r = source_request(source, &http, &call->call);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(call);
	return 0;
}

void grpc_cancel(struct grpc_call *call)
{
	if (!call)
		return;
	http_cancel(call->http, call->call);
	free(call);
}

/* ---- protobuf ------------------------------------------------------------------------------- */

static void *budget_alloc(void *data, size_t size)
{
	size_t *left = data;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size);
}

static void budget_free(void *data, void *pointer)
{
	free(pointer);
}

ProtobufCMessage *grpc_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes)
{
	size_t left = UNPACKED_BYTES_MAX;
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &left };

	return protobuf_c_message_unpack(descriptor, &allocator, bytes.n, (const uint8_t *)bytes.p);
}

void grpc_free_message(ProtobufCMessage *message)
{
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
}
