/*
 * The hooks of named.bpf.c: on functions of the kernel, not on tracepoints, so some kernels have
 * them not; and attached only where an event that they serve is wanted, because other calls pass
 * them, too. Owns their links in struct probes. Engine thread.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "probes_private.h"
#include "skeleton.h"

/* clang-format off */
static const struct {
	const char *program, *function;
	uint16_t types[3]; /* EVENT_UNKNOWN: no more */
} hooks[] = {
	{ "nm_unlink",   "security_path_unlink",   { EVENT_UNLINK, EVENT_UNLINKAT } },
	{ "nm_rmdir",    "security_path_rmdir",    { EVENT_RMDIR, EVENT_UNLINKAT } },
	{ "nm_mkdir",    "security_path_mkdir",    { EVENT_MKDIR, EVENT_MKDIRAT } },
	{ "nm_mknod",    "security_path_mknod",    { EVENT_MKNOD, EVENT_MKNODAT } },
	{ "nm_symlink",  "security_path_symlink",  { EVENT_SYMLINK, EVENT_SYMLINKAT } },
	{ "nm_link",     "security_path_link",     { EVENT_LINK, EVENT_LINKAT } },
	{ "nm_rename",   "security_path_rename",   { EVENT_RENAME, EVENT_RENAMEAT, EVENT_RENAMEAT2 } },
	{ "nm_chmod",    "security_path_chmod",    { EVENT_CHMOD, EVENT_FCHMODAT, EVENT_FCHMODAT2 } },
	{ "nm_chown",    "security_path_chown",    { EVENT_CHOWN, EVENT_LCHOWN, EVENT_FCHOWNAT } },
	{ "nm_truncate", "security_path_truncate", { EVENT_TRUNCATE } },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(hooks) == NAME_HOOK_CNT, "a link a hook");

/* Calls that run at one time; half a KiB each. */
#define NAMED_CALLS_MAX 2048

/* Whether a program that does nothing can be loaded for that function. */
static bool can_load(uint32_t function_id)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = function_id);
	_cleanup_(close_fdp) int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "haetae_try",
						    "Dual BSD/GPL", nothing, 2, &options);

	return fd >= 0;
}

bool name_hooks_possible(const struct host_types *types, uint16_t type)
{
	for (size_t i = 0; types && i < ARRAY_LEN(hooks); i++) {
		uint32_t id = host_types_find(types, hooks[i].function, BTF_KIND_FUNC);

		if (hooks[i].types[0] == type || hooks[i].types[1] == type ||
		    hooks[i].types[2] == type)
			return id && can_load(id);
	}
	return false;
}

void name_hooks_select(struct probes *probes, const struct host_types *types)
{
	struct haetae_bpf *bpf = probes->bpf;
	bool is_any_possible = false;

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(bpf->obj, hooks[i].program);
		/* Each by itself: before 6.0 some have arguments that fentry does not take. */
		bool is_possible = name_hooks_possible(types, hooks[i].types[0]);

		hae_assert(program);
		bpf_program__set_autoload(program, is_possible);
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(probes->second->obj, hooks[i].program),
			false);
		is_any_possible |= is_possible;
	}
	if (is_any_possible)
		(void)bpf_map__set_max_entries(bpf->maps.named_calls, NAMED_CALLS_MAX);
}

static bool is_needed(const struct probes *probes, size_t hook)
{
	for (size_t i = 0; i < ARRAY_LEN(hooks[hook].types); i++) {
		uint16_t type = hooks[hook].types[i];

		if (type != EVENT_UNKNOWN && probes->bpf->bss->is_wanted[type])
			return true;
	}
	return false;
}

void name_hooks_attach(struct probes *probes)
{
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(probes->bpf->obj, hooks[i].program);

		if (probes->name_links[i] || bpf_program__fd(program) < 0 || !is_needed(probes, i))
			continue;
		/* Without it the event has the path as passed: no reason to fail. */
		probes->name_links[i] = bpf_program__attach(program);
	}
}

void name_hooks_detach(struct probes *probes)
{
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		bpf_link__destroy(probes->name_links[i]);
		probes->name_links[i] = NULL;
	}
}
