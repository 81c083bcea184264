/*
 * The entry point that libFuzzer and replay.c call; each target defines it.
 */
#ifndef HAETAE_FUZZ_TARGET_H
#define HAETAE_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
