/*
 * Certificates and keys of a sink's configuration, looked at before anything depends on them.
 */
#ifndef HAETAE_OUTPUTS_TLS_FILES_H
#define HAETAE_OUTPUTS_TLS_FILES_H

#include "haetae/sink.h"

/* 0, or a negative errno with what is wrong in reterr: unreadable, not PEM, a key with a
 * passphrase, a key of another certificate. Files that are not given are fine. */
int tls_files_check(const struct sink_config *config, char *reterr, size_t size);

#endif
