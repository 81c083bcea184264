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
	/* Adds one alert to what is pending. False: no memory, the alert is given up. */
	bool (*write)(struct sink *sink, const struct alert *alert);
	/* Pushes out what is pending, waiting at most until deadline_ns (boot time); what is not
	 * out by then stays pending. Counts delivered and failed alerts. */
	void (*flush)(struct sink *sink, uint64_t deadline_ns);
	void (*close)(struct sink *sink);
};

struct sink {
	const struct sink_kind *kind;
	struct sink_config config;
	int fd;
	bool owns_fd;
	bool has_warned;    /* that writing fails */
	bool is_torn;	    /* the last thing that was written is half a line */
	size_t chunk;	    /* how much one write(2) may take without blocking */
	struct buf pending; /* lines on their way; the first `written` bytes are out */
	size_t written;
	uint64_t pending_cnt;	    /* alerts that are not out */
	uint64_t delivered, failed; /* since the caller took them last */
};

extern const struct sink_kind sink_stdout;

#endif
