/*
 * The sources "cri" and "containerd": the Container Runtime Interface of containerd and CRI-O, and
 * containerd's own API for containers that are none of Kubernetes'. Both ask at their socket by
 * gRPC, one container at a time. Owns the calls under way; metadata thread.
 */
#include <errno.h>
#include <stdio.h>

#include "containerd.pb-c.h"
#include "cri.pb-c.h"
#include "cri_answer.h"
#include "grpc.h"
#include "haetae/clock.h"
#include "info.h"

#define METHOD(name)   "/runtime.v1.RuntimeService/" name
#define GET_METHOD     "/containerd.services.containers.v1.Containers/Get"
#define IMAGE_METHOD   "/containerd.services.images.v1.Images/Get"
#define IMAGE_NAME_MAX 512 /* a longer one keeps its digest for itself */

#define IN_FLIGHT_MAX 16
/* A runtime that restarts is noticed by this, and by failing answers. */
#define PROBE_INTERVAL_NS (30 * NS_PER_SEC)

struct inquiry {
	struct source *source;	   /* NULL: free */
	struct question *question; /* NULL: the probe */
	struct grpc_call *call;
	struct container_info *info; /* owned: what is known so far */
	unsigned step;		     /* of namespaces to try */
};

struct cri {
	enum container_type type;		     /* as Version says; HOST: not yet told */
	struct inquiry inquiries[IN_FLIGHT_MAX + 1]; /* the first is the probe's */
};

static struct inquiry *inquiry_new(struct source *source, struct question *question)
{
	struct cri *cri = source->state;

	for (unsigned i = question ? 1 : 0; i < ARRAY_LEN(cri->inquiries); i++) {
		struct inquiry *inquiry = &cri->inquiries[i];

		if (inquiry->source)
			continue;
		*inquiry = (struct inquiry){ .source = source, .question = question };
		return inquiry;
	}
	return NULL;
}

static void inquiry_done(struct inquiry *inquiry)
{
	container_info_unref(inquiry->info);
	*inquiry = (struct inquiry){ 0 };
}

/* ---- how a question ends -------------------------------------------------------------------- */

static void give(struct inquiry *inquiry)
{
	struct container_info *info = TAKE_PTR(inquiry->info);
	struct source *source = inquiry->source;
	struct question *question = inquiry->question;

	inquiry_done(inquiry);
	source_answer(source, question, info);
}

/* `answer` is NULL where no call could be started. */
static void end_without(struct inquiry *inquiry, const struct grpc_answer *answer)
{
	struct source *source = inquiry->source;
	struct question *question = inquiry->question;

	inquiry_done(inquiry);
	if (!answer) {
		source_unanswered(source, question);
		return;
	}
	switch (answer->outcome) {
	case GRPC_ANSWERED: /* but not what was asked for */
	case GRPC_NONSENSE:
	case GRPC_REFUSED:
		source_refuse(source, question);
		break;
	case GRPC_ABSENT:
		source_unknown(source, question);
		break;
	case GRPC_MISSING:
	case GRPC_UNREACHABLE:
		source_unanswered(source, question);
		source_failed(source, 0, answer->why);
		break;
	}
}

/* ---- runtime.v1: the container, then its sandbox -------------------------------------------- */

static void on_sandbox(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;
	struct container_info *info = inquiry->info;
	const struct metadata_question *asked = question_asked(inquiry->question);
	struct str id = info->is_sandbox ? str_from(asked->full_id) : info->sandbox_id;
	bool is_fine = answer->outcome == GRPC_ANSWERED &&
		       cri_sandbox_parse(answer->message, id, info) == 0;

	/* A container whose pod could not be read is told all the same; it is asked again only by
	 * those who have more. */
	if (!is_fine && info->is_sandbox) {
		end_without(inquiry, answer);
		return;
	}
	if (!is_fine && answer->outcome != GRPC_ABSENT)
		source_count(inquiry->source, SOURCE_REFUSED);
	give(inquiry);
}

static void ask_sandbox(struct inquiry *inquiry, struct str id)
{
	Runtime__V1__PodSandboxStatusRequest request;
	char text[CONTAINER_ID_MAX + 1];

	runtime__v1__pod_sandbox_status_request__init(&request);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(id));
	request.pod_sandbox_id = text;
	request.verbose = true;
	if (grpc_start(inquiry->source, METHOD("PodSandboxStatus"), NULL, &request.base, on_sandbox,
		       inquiry, &inquiry->call) < 0)
		end_without(inquiry, NULL);
}

static void on_container(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;
	const struct metadata_question *asked = question_asked(inquiry->question);
	struct str id = str_from(asked->full_id);
	struct cri *cri = inquiry->source->state;

	inquiry->info->type = cri->type == CONTAINER_CRI ? CONTAINER_HOST : cri->type;
	if (answer->outcome == GRPC_ABSENT) {
		/* A pod's own container is no container to this interface. */
		inquiry->info->is_sandbox = true;
		ask_sandbox(inquiry, id);
		return;
	}
	if (answer->outcome != GRPC_ANSWERED ||
	    cri_container_parse(answer->message, id, inquiry->info) != 0) {
		end_without(inquiry, answer);
		return;
	}
	if (inquiry->info->sandbox_id.n)
		ask_sandbox(inquiry, inquiry->info->sandbox_id);
	else
		give(inquiry);
}

static void cri_question(struct source *source, struct question *question)
{
	Runtime__V1__ContainerStatusRequest request;
	struct metadata_question asked = *question_asked(question);
	struct inquiry *inquiry = inquiry_new(source, question);

	if (!inquiry) {
		source_unanswered(source, question);
		return;
	}
	inquiry->info = container_info_new();
	runtime__v1__container_status_request__init(&request);
	request.container_id = asked.full_id;
	request.verbose = true;
	if (!inquiry->info || grpc_start(source, METHOD("ContainerStatus"), NULL, &request.base,
					 on_container, inquiry, &inquiry->call) < 0)
		end_without(inquiry, NULL);
}

/* ---- containers.v1 -------------------------------------------------------------------------- */

/* Where a container may be whose namespace the cgroup's path did not tell: nerdctl's and ctr's. */
static const char *const usual_namespaces[] = { "default", "k8s.io" };

static const char *namespace_of(const struct inquiry *inquiry)
{
	const struct metadata_question *asked = question_asked(inquiry->question);

	if (asked->runtime_namespace[0])
		return inquiry->step == 0 ? asked->runtime_namespace : NULL;
	return inquiry->step < ARRAY_LEN(usual_namespaces) ? usual_namespaces[inquiry->step] : NULL;
}

/* A container whose image has been removed meanwhile is told all the same. */
static void on_image(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;
	bool is_fine = answer->outcome == GRPC_ANSWERED &&
		       cri_image_parse(answer->message, inquiry->info) == 0;

	if (!is_fine && answer->outcome != GRPC_ABSENT)
		source_count(inquiry->source, SOURCE_REFUSED);
	give(inquiry);
}

static void ask_image(struct inquiry *inquiry)
{
	Containerd__Services__Containers__V1__GetImageRequest request;
	char header[CONTAINERD_NAMESPACE_MAX + 32], name[IMAGE_NAME_MAX];
	struct str image = inquiry->info->image;

	if (!image.n || image.n >= sizeof(name) || inquiry->info->image_digest.p) {
		give(inquiry);
		return;
	}
	containerd__services__containers__v1__get_image_request__init(&request);
	snprintf(header, sizeof(header), "containerd-namespace: %s", namespace_of(inquiry));
	snprintf(name, sizeof(name), "%.*s", STR_ARG(image));
	request.name = name;
	if (grpc_start(inquiry->source, IMAGE_METHOD, header, &request.base, on_image, inquiry,
		       &inquiry->call) < 0)
		give(inquiry);
}

static void ask_containerd(struct inquiry *inquiry);

static void on_containerd(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;
	const struct metadata_question *asked = question_asked(inquiry->question);

	if (answer->outcome == GRPC_ANSWERED &&
	    cri_containerd_parse(answer->message, str_from(asked->full_id), inquiry->info) == 0) {
		ask_image(inquiry);
		return;
	}
	inquiry->step++;
	if (answer->outcome == GRPC_ABSENT && namespace_of(inquiry))
		ask_containerd(inquiry);
	else
		end_without(inquiry, answer);
}

static void ask_containerd(struct inquiry *inquiry)
{
	Containerd__Services__Containers__V1__GetContainerRequest request;
	struct metadata_question asked = *question_asked(inquiry->question);
	char header[CONTAINERD_NAMESPACE_MAX + 32];

	snprintf(header, sizeof(header), "containerd-namespace: %s", namespace_of(inquiry));
	containerd__services__containers__v1__get_container_request__init(&request);
	request.id = asked.full_id;
	if (grpc_start(inquiry->source, GET_METHOD, header, &request.base, on_containerd, inquiry,
		       &inquiry->call) < 0)
		end_without(inquiry, NULL);
}

static void containerd_question(struct source *source, struct question *question)
{
	struct inquiry *inquiry = inquiry_new(source, question);

	if (!inquiry) {
		source_unanswered(source, question);
		return;
	}
	inquiry->info = container_info_new();
	if (inquiry->info)
		ask_containerd(inquiry);
	else
		end_without(inquiry, NULL);
}

/* ---- health --------------------------------------------------------------------------------- */

static void probe_failed(struct inquiry *inquiry, const char *why)
{
	struct source *source = inquiry->source;

	inquiry_done(inquiry);
	source_failed(source, 0, why);
}

static void probe_passed(struct inquiry *inquiry)
{
	struct source *source = inquiry->source;

	inquiry_done(inquiry);
	source_healthy(source);
	source_wake_at(source, clock_boot_ns() + PROBE_INTERVAL_NS);
}

static void on_version(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;
	struct cri *cri = inquiry->source->state;
	enum container_type type = CONTAINER_HOST;

	if (answer->outcome == GRPC_ANSWERED)
		type = cri_version_parse(answer->message);
	if (type == CONTAINER_HOST) {
		probe_failed(inquiry, answer->outcome == GRPC_MISSING
					      ? "it has no container runtime interface (runtime.v1)"
					      : answer->why);
		return;
	}
	cri->type = type;
	probe_passed(inquiry);
}

static void cri_step(struct source *source, uint64_t now_ns)
{
	Runtime__V1__VersionRequest request;
	struct cri *cri = source->state;
	struct inquiry *inquiry = cri->inquiries[0].source ? NULL : inquiry_new(source, NULL);

	runtime__v1__version_request__init(&request);
	source_wake_at(source, UINT64_MAX);
	if (inquiry && grpc_start(source, METHOD("Version"), NULL, &request.base, on_version,
				  inquiry, &inquiry->call) < 0)
		probe_failed(inquiry, NULL);
}

/* containerd answers for a container that nobody has with "not found": that is health. */
static void on_probe(const struct grpc_answer *answer, void *data)
{
	struct inquiry *inquiry = data;

	if (answer->outcome == GRPC_ABSENT)
		probe_passed(inquiry);
	else if (answer->outcome == GRPC_MISSING)
		probe_failed(inquiry, "it is no containerd");
	else
		probe_failed(inquiry, answer->why);
}

static void containerd_step(struct source *source, uint64_t now_ns)
{
	Containerd__Services__Containers__V1__GetContainerRequest request;
	struct cri *cri = source->state;
	struct inquiry *inquiry = cri->inquiries[0].source ? NULL : inquiry_new(source, NULL);
	char nobody[] = "haetae-looks-whether-you-are-there";

	source_wake_at(source, UINT64_MAX);
	containerd__services__containers__v1__get_container_request__init(&request);
	request.id = nobody;
	if (inquiry && grpc_start(source, GET_METHOD, "containerd-namespace: default",
				  &request.base, on_probe, inquiry, &inquiry->call) < 0)
		probe_failed(inquiry, NULL);
}

/* ---- the sources ---------------------------------------------------------------------------- */

static int cri_open(struct source *source)
{
	source->state = calloc(1, sizeof(struct cri));
	return source->state ? 0 : -ENOMEM;
}

static void cri_close(struct source *source)
{
	struct cri *cri = source->state;

	for (size_t i = 0; i < ARRAY_LEN(cri->inquiries); i++) {
		grpc_cancel(cri->inquiries[i].call);
		inquiry_done(&cri->inquiries[i]);
	}
	free(cri);
	source->state = NULL;
}

static bool is_kubernetes(const struct metadata_question *question)
{
	return question->pod_uid[0] || strcmp(question->runtime_namespace, "k8s.io") == 0 ||
	       question->container_type == CONTAINER_CRIO ||
	       question->container_type == CONTAINER_CRI;
}

/* The interface lists containers of pods alone. */
static unsigned cri_rank(const struct source *source, const struct metadata_question *question)
{
	if (is_kubernetes(question))
		return 2;
	return question->container_type == CONTAINER_CONTAINERD && !question->runtime_namespace[0]
		       ? 3
		       : 0;
}

static unsigned containerd_rank(const struct source *source,
				const struct metadata_question *question)
{
	return question->container_type == CONTAINER_CONTAINERD && !is_kubernetes(question) ? 2 : 0;
}

const struct source_kind source_cri = {
	.name = "CRI",
	.group = METADATA_RUNTIME,
	.max_in_flight = IN_FLIGHT_MAX,
	.open = cri_open,
	.rank = cri_rank,
	.question = cri_question,
	.step = cri_step,
	.close = cri_close,
};

const struct source_kind source_containerd = {
	.name = "containerd",
	.group = METADATA_RUNTIME,
	.max_in_flight = IN_FLIGHT_MAX,
	.open = cri_open,
	.rank = containerd_rank,
	.question = containerd_question,
	.step = containerd_step,
	.close = cri_close,
};
