/*
 * Fields of Kubernetes, k8s.*: of the pod that the event's container is in, from the control group
 * (the UID), from CRI, or from the API; and of the pod at a socket's other end. Never from labels
 * of Docker, which anybody can set (decision 25). Engine thread.
 */
#include "fields_meta.h"

#include <sys/socket.h>

#define GETTER(name)                                          \
	static void name(const struct field_context *context, \
			 const struct field_argument *argument, struct value_set *ret)
#define SHORT_ID 12

/* ---- the pod -------------------------------------------------------------------------------- */

/* Where the event's pod is told: by CRI with the container, by the API. Either may be NULL. */
struct sources {
	const struct container *container; /* NULL: not in one */
	const struct container_info *info;
	const struct pod_info *pod;
};

static struct sources find_sources(const struct field_context *context)
{
	struct sources sources = { .container = meta_container(context) };

	if (sources.container) {
		sources.info = sources.container->info;
		sources.pod = meta_pod(context, sources.container);
	}
	return sources;
}

/* The text, or why there is none: the pod, or what may know it, was asked and has not answered. */
static void give_pod(const struct field_context *context, const struct sources *sources,
		     struct str text, struct value_set *ret)
{
	if (text.p)
		give_str(context, text, ret);
	else if (sources->container && !sources->pod)
		meta_wait_pod(sources->container, ret);
}

/* What the API alone tells. Whether there is a pod to ask it about, the runtime may have to say. */
static void give_api(const struct field_context *context, const struct sources *sources,
		     struct str text, struct value_set *ret)
{
	if (text.p || !sources->container || !sources->container->pod_uid[0])
		give_pod(context, sources, text, ret);
	else if (sources->container->state[METADATA_KUBERNETES] == METADATA_WAITING)
		ret->state = FIELD_PENDING;
}

/* What both may tell; the API's word is the newer one. */
static struct str from_either(const struct sources *sources, struct str of_pod, struct str of_info)
{
	if (sources->pod && of_pod.p)
		return of_pod;
	return sources->info ? of_info : STR_NONE;
}

#define EITHER(member, info_member)                                         \
	from_either(&sources, sources.pod ? sources.pod->member : STR_NONE, \
		    sources.info ? sources.info->info_member : STR_NONE)
#define POD_GETTER(name, give, value)                                 \
	GETTER(name)                                                  \
	{                                                             \
		const struct sources sources = find_sources(context); \
                                                                      \
		give(context, &sources, value, ret);                  \
	}
POD_GETTER(get_pod_name, give_pod, EITHER(name, pod_name))
POD_GETTER(get_ns_name, give_pod, EITHER(namespace, pod_namespace))
POD_GETTER(get_pod_uid, give_pod, sources.container ? meta_pod_uid(sources.container) : STR_NONE)
POD_GETTER(get_node_name, give_api, sources.pod ? sources.pod->node : STR_NONE)
POD_GETTER(get_service_account, give_api, sources.pod ? sources.pod->service_account : STR_NONE)
POD_GETTER(get_runtime_class, give_api, sources.pod ? sources.pod->runtime_class : STR_NONE)
POD_GETTER(get_deployment, give_api, sources.pod ? sources.pod->deployment_name : STR_NONE)
POD_GETTER(get_replica_set, give_api, sources.pod ? sources.pod->rs_name : STR_NONE)
POD_GETTER(get_owner_kind, give_api, sources.pod ? sources.pod->owner_kind : STR_NONE)
POD_GETTER(get_owner_name, give_api, sources.pod ? sources.pod->owner_name : STR_NONE)
POD_GETTER(get_pod_ip, give_pod,
	   from_either(&sources, sources.pod &&sources.pod->ip_cnt ? sources.pod->ips[0] : STR_NONE,
		       sources.info ? sources.info->pod_ip : STR_NONE))
POD_GETTER(get_annotation, give_api,
	   sources.pod ? meta_label(sources.pod->annotations, sources.pod->annotation_cnt,
				    argument->key)
		       : STR_NONE)

GETTER(get_label)
{
	const struct sources sources = find_sources(context);
	struct str value = STR_NONE;

	if (sources.pod)
		value = meta_label(sources.pod->labels, sources.pod->label_cnt, argument->key);
	else if (sources.info)
		value = meta_label(sources.info->pod_labels, sources.info->pod_label_cnt,
				   argument->key);
	give_pod(context, &sources, value, ret);
}

GETTER(get_labels)
{
	const struct sources sources = find_sources(context);

	if (sources.pod && sources.pod->label_cnt)
		meta_give_labels(context, sources.pod->labels, sources.pod->label_cnt, ret);
	else if (!sources.pod && sources.info && sources.info->pod_label_cnt)
		meta_give_labels(context, sources.info->pod_labels, sources.info->pod_label_cnt,
				 ret);
	else
		give_pod(context, &sources, STR_NONE, ret);
}

/* ---- what CRI alone tells ------------------------------------------------------------------- */

/* Pending only while the runtime is asked: the API knows no sandboxes. */
static void give_sandbox(const struct field_context *context, struct str text,
			 struct value_set *ret)
{
	const struct container *container = meta_container(context);

	if (text.p)
		give_str(context, text, ret);
	else if (container)
		meta_wait_runtime(container, ret);
}

static struct str sandbox_id(const struct field_context *context)
{
	const struct container *container = meta_container(context);

	return container && container->info ? container->info->sandbox_id : STR_NONE;
}

GETTER(get_full_sandbox_id)
{
	give_sandbox(context, sandbox_id(context), ret);
}

GETTER(get_sandbox_id)
{
	struct str id = sandbox_id(context);

	id.n = MIN(id.n, (uint32_t)SHORT_ID);
	give_sandbox(context, id, ret);
}

GETTER(get_cni_json)
{
	const struct container *container = meta_container(context);
	bool is_told = container && container->info && container->info->pod_uid.n;

	give_sandbox(context, is_told ? container->info->cni_json : STR_NONE, ret);
}

/* ---- the other end -------------------------------------------------------------------------- */

/* Absent where no pod has the address. Not pending: an address that is in no pod is usual. */
static const struct pod_info *find_peer(const struct field_context *context)
{
	const struct event_roles *roles = roles_of(context->event);
	struct wire_tuple tuple;
	struct str path;
	bool is_told;

	if (!context->pods || !schema_is_socket(context->event->schema))
		return NULL;
	is_told = event_tuple(context->event, (unsigned)roles->tuple, &tuple, &path);
	/* A connect that failed has only the address as passed. */
	if (!is_told && roles->address >= 0)
		is_told = event_tuple(context->event, (unsigned)roles->address, &tuple, &path);
	if (!is_told || !(tuple.flags & WIRE_TUPLE_REMOTE))
		return NULL;
	if (tuple.family != AF_INET && tuple.family != AF_INET6)
		return NULL;
	return pod_table_find_ip(context->pods, tuple.remote_address,
				 tuple.family == AF_INET ? 4 : 16);
}

GETTER(get_peer_pod)
{
	const struct pod_info *pod = find_peer(context);

	if (pod)
		give_str(context, pod->name, ret);
}

GETTER(get_peer_ns)
{
	const struct pod_info *pod = find_peer(context);

	if (pod)
		give_str(context, pod->namespace, ret);
}

#define NO_POD "Outside of pods, and where neither runtime nor API has told it."
#define NO_API "Outside of pods, where it has none, and where the Kubernetes API has not told it."
#define NO_CRI "Outside of pods, and where the runtime's CRI has not told it."
#define NO_PEER                                                                                  \
	"Where no pod that is known has the remote address. Pods of other nodes are known only " \
	"with metadata.all_pods."
#define NO_MORE "Always: kept so that old rules load."
#define KEYED	(FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)
#define OLD(name, doc, example) \
	FIELD_ROW_RESERVED(name, STRING, FIELD_DEPRECATED, doc, NO_MORE, example)
#define OLD_LABEL(name, doc, example) \
	FIELD_ROW_RESERVED(name, STRING, FIELD_DEPRECATED | KEYED, doc, NO_MORE, example)

/* clang-format off */
static const struct field fields[] = {
	OLD("k8s.deployment.id", "Id of the deployment.", "k8s.deployment.id exists"),
	OLD_LABEL("k8s.deployment.label", "A label of the deployment.", "k8s.deployment.label[app] = web"),
	OLD("k8s.deployment.labels", "Labels of the deployment.", "k8s.deployment.labels exists"),
	FIELD_ROW("k8s.deployment.name", STRING, 0, NULL, get_deployment, "Deployment that the pod's replica set belongs to.", NO_API, "k8s.deployment.name = web"),
	FIELD_ROW("k8s.node.name", STRING, 0, NULL, get_node_name, "Node that the pod runs on.", NO_API, "k8s.node.name = node-1"),
	OLD("k8s.ns.id", "Id of the namespace.", "k8s.ns.id exists"),
	OLD_LABEL("k8s.ns.label", "A label of the namespace.", "k8s.ns.label[team] = web"),
	OLD("k8s.ns.labels", "Labels of the namespace.", "k8s.ns.labels exists"),
	FIELD_ROW("k8s.ns.name", STRING, 0, NULL, get_ns_name, "Namespace of the pod.", NO_POD, "k8s.ns.name = kube-system"),
	FIELD_ROW("k8s.owner.kind", STRING, 0, NULL, get_owner_kind, "Kind of what controls the pod: ReplicaSet, DaemonSet, StatefulSet, Job and so on.", NO_API, "k8s.owner.kind = DaemonSet"),
	FIELD_ROW("k8s.owner.name", STRING, 0, NULL, get_owner_name, "Name of what controls the pod.", NO_API, "k8s.owner.name = kube-proxy"),
	FIELD_ROW("k8s.peer.ns.name", STRING, 0, schema_is_socket, get_peer_ns, "Namespace of the pod that has the remote address.", NO_PEER, "k8s.peer.ns.name = default"),
	FIELD_ROW("k8s.peer.pod.name", STRING, 0, schema_is_socket, get_peer_pod, "Name of the pod that has the remote address.", NO_PEER, "k8s.peer.pod.name startswith db-"),
	FIELD_ROW("k8s.pod.annotation", STRING, KEYED, NULL, get_annotation, "Value of an annotation of the pod.", NO_API, "k8s.pod.annotation[team] = web"),
	FIELD_ROW("k8s.pod.cni.json", STRING, 0, NULL, get_cni_json, "Result of the network plugin for the pod, as JSON.", NO_CRI, "k8s.pod.cni.json exists"),
	FIELD_ROW("k8s.pod.full_sandbox_id", STRING, 0, NULL, get_full_sandbox_id, "Whole id of the pod's sandbox.", NO_CRI, "k8s.pod.full_sandbox_id exists"),
	OLD("k8s.pod.id", "Id of the pod; use k8s.pod.uid.", "k8s.pod.id exists"),
	FIELD_ROW("k8s.pod.ip", STRING, 0, NULL, get_pod_ip, "Address of the pod.", NO_POD, "k8s.pod.ip = 10.0.0.1"),
	FIELD_ROW("k8s.pod.label", STRING, KEYED, NULL, get_label, "Value of a label of the pod.", NO_POD, "k8s.pod.label[app] = web"),
	FIELD_ROW("k8s.pod.labels", STRING, 0, NULL, get_labels, "All labels of the pod as name:value.", NO_POD, "k8s.pod.labels contains app:web"),
	FIELD_ROW("k8s.pod.name", STRING, 0, NULL, get_pod_name, "Name of the pod.", NO_POD, "k8s.pod.name startswith web-"),
	FIELD_ROW("k8s.pod.runtime_class", STRING, 0, NULL, get_runtime_class, "Runtime class of the pod.", NO_API, "k8s.pod.runtime_class = wasmtime"),
	FIELD_ROW("k8s.pod.sandbox_id", STRING, 0, NULL, get_sandbox_id, "First 12 digits of the id of the pod's sandbox.", NO_CRI, "k8s.pod.sandbox_id exists"),
	FIELD_ROW("k8s.pod.uid", STRING, 0, NULL, get_pod_uid, "UID of the pod. Known from the control group at once.", "Outside of pods.", "k8s.pod.uid exists"),
	OLD("k8s.rc.id", "Id of the replication controller.", "k8s.rc.id exists"),
	OLD_LABEL("k8s.rc.label", "A label of the replication controller.", "k8s.rc.label[app] = web"),
	OLD("k8s.rc.labels", "Labels of the replication controller.", "k8s.rc.labels exists"),
	OLD("k8s.rc.name", "Name of the replication controller.", "k8s.rc.name = web"),
	OLD("k8s.rs.id", "Id of the replica set.", "k8s.rs.id exists"),
	OLD_LABEL("k8s.rs.label", "A label of the replica set.", "k8s.rs.label[app] = web"),
	OLD("k8s.rs.labels", "Labels of the replica set.", "k8s.rs.labels exists"),
	FIELD_ROW("k8s.rs.name", STRING, 0, NULL, get_replica_set, "Replica set that controls the pod.", NO_API, "k8s.rs.name = web-5d4f8"),
	FIELD_ROW("k8s.sa.name", STRING, 0, NULL, get_service_account, "Service account of the pod.", NO_API, "k8s.sa.name = default"),
	OLD("k8s.svc.id", "Id of the service.", "k8s.svc.id exists"),
	OLD_LABEL("k8s.svc.label", "A label of the service.", "k8s.svc.label[app] = web"),
	OLD("k8s.svc.labels", "Labels of the service.", "k8s.svc.labels exists"),
	OLD("k8s.svc.name", "Name of the service.", "k8s.svc.name = web"),
};
/* clang-format on */

const struct field_family fields_k8s = { fields, ARRAY_LEN(fields) };
