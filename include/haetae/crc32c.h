/*
 * CRC-32C (Castagnoli), as of RFC 3720 appendix B.4: what frames of spools and captures are checked
 * with.
 */
#ifndef HAETAE_CRC32C_H
#define HAETAE_CRC32C_H

#include "haetae/base.h"

/* Continues `crc` (0 at the beginning). */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

#endif
