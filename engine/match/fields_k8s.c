/*
 * Fields of Kubernetes, k8s.*. All reserved until pods are known. Constant table.
 */
#include "fields.h"

#define NO_VALUE "Always, until pods are known."
#define NO_MORE	 "Always: kept so that old rules load."
#define KEYED	 (FIELD_ARG_ALLOWED_KEY | FIELD_ARG_REQUIRED)
#define OLD(name, doc, example) \
	FIELD_ROW_RESERVED(name, STRING, FIELD_DEPRECATED, doc, NO_MORE, example)
#define OLD_LABEL(name, doc, example) \
	FIELD_ROW_RESERVED(name, STRING, FIELD_DEPRECATED | KEYED, doc, NO_MORE, example)

/* clang-format off */
static const struct field fields[] = {
	OLD("k8s.deployment.id", "Id of the deployment.", "k8s.deployment.id exists"),
	OLD_LABEL("k8s.deployment.label", "A label of the deployment.", "k8s.deployment.label[app] = web"),
	OLD("k8s.deployment.labels", "Labels of the deployment.", "k8s.deployment.labels exists"),
	OLD("k8s.deployment.name", "Name of the deployment.", "k8s.deployment.name = web"),
	OLD("k8s.ns.id", "Id of the namespace.", "k8s.ns.id exists"),
	OLD_LABEL("k8s.ns.label", "A label of the namespace.", "k8s.ns.label[team] = web"),
	OLD("k8s.ns.labels", "Labels of the namespace.", "k8s.ns.labels exists"),
	FIELD_ROW_RESERVED("k8s.ns.name", STRING, 0, "Namespace of the pod.", NO_VALUE, "k8s.ns.name = kube-system"),
	FIELD_ROW_RESERVED("k8s.pod.cni.json", STRING, 0, "Result of the network plugin for the pod, as JSON.", NO_VALUE, "k8s.pod.cni.json exists"),
	FIELD_ROW_RESERVED("k8s.pod.full_sandbox_id", STRING, 0, "Whole id of the pod's sandbox.", NO_VALUE, "k8s.pod.full_sandbox_id exists"),
	OLD("k8s.pod.id", "Id of the pod; use k8s.pod.uid.", "k8s.pod.id exists"),
	FIELD_ROW_RESERVED("k8s.pod.ip", STRING, 0, "Address of the pod.", NO_VALUE, "k8s.pod.ip = 10.0.0.1"),
	FIELD_ROW_RESERVED("k8s.pod.label", STRING, KEYED, "Value of a label of the pod.", NO_VALUE, "k8s.pod.label[app] = web"),
	FIELD_ROW_RESERVED("k8s.pod.labels", STRING, 0, "All labels of the pod as name:value.", NO_VALUE, "k8s.pod.labels contains app:web"),
	FIELD_ROW_RESERVED("k8s.pod.name", STRING, 0, "Name of the pod.", NO_VALUE, "k8s.pod.name startswith web-"),
	FIELD_ROW_RESERVED("k8s.pod.sandbox_id", STRING, 0, "First 12 digits of the id of the pod's sandbox.", NO_VALUE, "k8s.pod.sandbox_id exists"),
	FIELD_ROW_RESERVED("k8s.pod.uid", STRING, 0, "UID of the pod.", NO_VALUE, "k8s.pod.uid exists"),
	OLD("k8s.rc.id", "Id of the replication controller.", "k8s.rc.id exists"),
	OLD_LABEL("k8s.rc.label", "A label of the replication controller.", "k8s.rc.label[app] = web"),
	OLD("k8s.rc.labels", "Labels of the replication controller.", "k8s.rc.labels exists"),
	OLD("k8s.rc.name", "Name of the replication controller.", "k8s.rc.name = web"),
	OLD("k8s.rs.id", "Id of the replica set.", "k8s.rs.id exists"),
	OLD_LABEL("k8s.rs.label", "A label of the replica set.", "k8s.rs.label[app] = web"),
	OLD("k8s.rs.labels", "Labels of the replica set.", "k8s.rs.labels exists"),
	OLD("k8s.rs.name", "Name of the replica set.", "k8s.rs.name = web"),
	OLD("k8s.svc.id", "Id of the service.", "k8s.svc.id exists"),
	OLD_LABEL("k8s.svc.label", "A label of the service.", "k8s.svc.label[app] = web"),
	OLD("k8s.svc.labels", "Labels of the service.", "k8s.svc.labels exists"),
	OLD("k8s.svc.name", "Name of the service.", "k8s.svc.name = web"),
};
/* clang-format on */

const struct field_family fields_k8s = { fields, ARRAY_LEN(fields) };
