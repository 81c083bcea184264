/*
 * Rule files on disk. Private to the ruleset.
 */
#ifndef HAETAE_MATCH_RULE_FILES_H
#define HAETAE_MATCH_RULE_FILES_H

#include "loader.h"

/* Reads a file, or the *.yaml and *.yml files of a folder into the loader: common.yaml first,
 * then by name. What cannot be read is reported. */
void rule_files_add(struct loader *loader, const char *path);

#endif
