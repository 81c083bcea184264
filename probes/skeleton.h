/*
 * The generated skeleton with what it needs before it, its warnings silenced: it is not our text.
 */
#ifndef HAETAE_PROBES_SKELETON_H
#define HAETAE_PROBES_SKELETON_H

#include "haetae/wire.h"
#include "bpf/shared.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpointer-arith"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "haetae_bpf.skel.h"
#pragma GCC diagnostic pop

#endif
