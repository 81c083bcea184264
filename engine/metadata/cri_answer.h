/*
 * What the Container Runtime Interface answers, as container_info. Pure: bytes in, info out.
 * Metadata thread.
 */
#ifndef METADATA_CRI_ANSWER_H
#define METADATA_CRI_ANSWER_H

#include "haetae/container.h"

#define CRI_E_INVALID 1 /* no such message, or one of another container */

/* Of ContainerStatus(verbose) for `id`: fills a new info. info->sandbox_id is set where the
 * runtime told (containerd and CRI-O do, in "info"). 0 or CRI_E_INVALID. */
int cri_container_parse(struct str message, struct str id, struct container_info *info);
/* Of PodSandboxStatus(verbose) for the sandbox `id`: adds the pod to a container's info. For the
 * sandbox's own info set is_sandbox before: it also gets the name. 0 or CRI_E_INVALID. */
int cri_sandbox_parse(struct str message, struct str id, struct container_info *info);
/* Of Version: what the runtime is; CONTAINER_CRI for one that is neither containerd nor CRI-O,
 * CONTAINER_HOST for what is no such message. */
enum container_type cri_version_parse(struct str message);
/* Of containers.v1 Get: image, labels, and whether it runs WebAssembly. 0 or CRI_E_INVALID. */
int cri_containerd_parse(struct str message, struct str id, struct container_info *info);
/* Of images.v1 Get for info->image: its digest. 0 or CRI_E_INVALID. */
int cri_image_parse(struct str message, struct container_info *info);

#endif
