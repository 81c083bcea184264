/*
 * What a kind of sink is. Runs in the outputs thread only.
 */
#ifndef HAETAE_OUTPUTS_SINK_PRIVATE_H
#define HAETAE_OUTPUTS_SINK_PRIVATE_H

#include "haetae/sink.h"

struct sink;

struct sink_kind {
	const char *type;
	/* 0 or a negative errno. */
	int (*open)(struct sink *sink);
	/* Takes one alert, may keep it in its own buffer until flush. False: it is given up. */
	bool (*write)(struct sink *sink, const struct alert *alert);
	/* Pushes out what was written. Returns how many of the alerts since the last flush could
	 * not be delivered. Waits at most until deadline_ns (boot time). */
	uint32_t (*flush)(struct sink *sink, uint64_t deadline_ns);
	void (*close)(struct sink *sink);
};

struct sink {
	const struct sink_kind *kind;
	struct sink_config config;
	int fd;
	struct buf pending;   /* lines not yet written */
	uint32_t pending_cnt; /* alerts in it */
};

extern const struct sink_kind sink_stdout;

#endif
