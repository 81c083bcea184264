/*
 * The JSON of Docker's Engine API. Pure, for docker.c, its tests and its fuzz target.
 */
#ifndef HAETAE_METADATA_DOCKER_PARSE_H
#define HAETAE_METADATA_DOCKER_PARSE_H

#include "haetae/container.h"

enum docker_engine {
	DOCKER_ENGINE_NONE, /* the answer of something else */
	DOCKER_ENGINE_DOCKER,
	DOCKER_ENGINE_PODMAN
};

/* At most 64 hexadecimal digits, lower case: safe in a URL. */
bool docker_is_id(struct str id);
/* Of GET /version. */
enum docker_engine docker_parse_version(struct str body);
/* Of GET /containers/ID/json: what it says, with one reference; NULL where it is no such answer, or
 * another container's. */
struct container_info *docker_parse_container(struct str body, enum container_type type,
					      struct str full_id);
/* Of GET /images/ID/json: the digest under `repository`, else the first there is; "" without. */
void docker_parse_image(struct str body, struct str repository, char *ret, size_t size);

#endif
