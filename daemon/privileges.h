/*
 * What the daemon gives up once its probes are attached (decision 38).
 */
#ifndef HAETAE_DAEMON_PRIVILEGES_H
#define HAETAE_DAEMON_PRIVILEGES_H

/* Keeps CAP_BPF and CAP_PERFMON (a reload may load programs; counters are read by bpf(2)), drops
 * every other capability, empties the bounding set, sets no_new_privs and locks NOROOT, so that
 * nothing can be gained again. Before the second thread starts or in each. 0 or a negative errno:
 * then something may be left, and *ret_what says which step failed. */
int privileges_drop(const char **ret_what);

#endif
