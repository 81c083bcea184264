/*
 * Questions to the running host: host.c, host_types.c. For error texts, features.c, and what is
 * loaded.
 */
#ifndef HAETAE_PROBES_HOST_H
#define HAETAE_PROBES_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct probes_error;

enum host_lockdown {
	HOST_LOCKDOWN_UNKNOWN, /* securityfs is not mounted or not readable */
	HOST_LOCKDOWN_NONE,
	HOST_LOCKDOWN_INTEGRITY,
	HOST_LOCKDOWN_CONFIDENTIALITY, /* BPF may not read kernel memory */
};

#define BTF_PATH "/sys/kernel/btf/vmlinux"
bool host_has_btf(void);
enum host_lockdown host_lockdown(void);
/* Capabilities of the effective set that loading needs and that are not there, as text such as
 * "CAP_BPF and CAP_PERFMON"; NULL: none is missing. CAP_SYS_ADMIN stands for both. */
const char *host_missing_capabilities(void);
/* Whether vmlinux's BTF has a type or a function of that name: "btf_trace_sys_exit" is there where
 * the tracepoint is, "bpf_rdonly_cast" where the kfunc is. False without BTF. */
bool host_has_btf_name(const char *name);
/* The same for more than one question: the kernel's types, owned by the caller; NULL: there are
 * none, and errno says why, or there is no memory. All below take NULL, of which nothing is true.
 */
struct host_types *host_types_read(void);
void host_types_free(struct host_types *types);
/* The id of the first type of that name and kind (BTF_KIND_); 0: there is none. */
uint32_t host_types_find(const struct host_types *types, const char *name, uint32_t kind);
bool host_types_have(const struct host_types *types, const char *name);
/* An enumerator of the enum `type_name`: false where there is none of that name. */
bool host_types_enumerator(const struct host_types *types, const char *type_name, const char *name,
			   int64_t *ret_value);
/* How many arguments a tracepoint hands to its programs; < 0: there is no such tracepoint. */
int host_tracepoint_arguments(const struct host_types *types, const char *tracepoint);
/* What the tracepoints of io_uring give: nothing of use, or the request and its completion's
 * result, or the request and the completion itself. */
enum host_uring {
	HOST_URING_NONE,
	HOST_URING_REQUEST,
	HOST_URING_REQUEST_CQE,
};
enum host_uring host_uring(const struct host_types *types);
/* The tracepoint of a request's submission. */
const char *host_uring_submit(const struct host_types *types);
/* Raises RLIMIT_MEMLOCK as far as it goes: below 5.11 BPF memory is charged to it. A failure
 * (no CAP_SYS_RESOURCE) is fine on newer kernels, so nothing is returned. */
void host_raise_memlock(void);
/* Says why a step failed: `step` as "loading the BPF programs", `error` a negative errno, `log` the
 * last lines of libbpf or NULL. Returns PROBES_E_HOST. */
int host_explain(const char *step, int error, const char *log, struct probes_error *reterr);

#endif
