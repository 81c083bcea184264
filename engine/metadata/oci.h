/*
 * An OCI bundle's config.json, and the records that containers/storage keeps beside CRI-O's and
 * Podman's. Pure: bytes in, container_info out. Metadata thread.
 */
#ifndef METADATA_OCI_H
#define METADATA_OCI_H

#include "haetae/container.h"

#define OCI_CONFIG_BYTES_MAX  (1u << 20)
#define OCI_STORAGE_BYTES_MAX (1u << 20)

#define OCI_E_INVALID 1 /* no JSON object of that kind: too long, cut, too deep, wrong */
#define OCI_E_ABSENT  2 /* well formed, but it does not name this container */

/* Whose bundle it is. Anybody who may run a container can give it annotations by any name, so those
 * that say which pod it is count only where the runtime reserves them (decision 25). */
enum oci_writer {
	OCI_WRITER_OTHER,
	OCI_WRITER_CRI,	   /* containerd for its CRI: namespace k8s.io */
	OCI_WRITER_STORAGE /* CRI-O or Podman, by containers/storage */
};

/* Fills a new info. is_partial where the image is not told, or the labels cannot be (containerd's
 * CRI puts none into a bundle). Never the environment. 0 or OCI_E_INVALID. */
int oci_config_parse(struct str json, enum oci_writer writer, struct container_info *info);
struct json_object;
/* Of a parsed config.json (or NULL): only whose namespaces it is in, and whether it is privileged.
 */
void oci_take_namespaces(struct json_object *root, struct container_info *info);
/* Adds what containers.json says of the container `id`: name, image, labels of none. 0 or
 * OCI_E_…. */
int oci_storage_parse(struct str json, struct str id, struct container_info *info);

#endif
