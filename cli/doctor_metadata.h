/*
 * What `haetae doctor` says of container runtimes and Kubernetes.
 */
#ifndef CLI_DOCTOR_METADATA_H
#define CLI_DOCTOR_METADATA_H

#include "haetae/metadata.h"
#include "haetae/probes.h"

#define DOCTOR_METADATA_MAX (METADATA_CHECKS_MAX + 4)

/* Asks each source that the configuration wants, once, for at most a few seconds. Nothing of it is
 * needed to run: none of the rows is FEATURE_MISSING. How many were filled. */
unsigned doctor_check_metadata(const struct metadata_config *config,
			       struct probes_feature ret[DOCTOR_METADATA_MAX]);

#endif
