/*
 * The least that any tool of this kind costs: an empty program at tp_btf/sys_exit, attached until
 * standard input ends. Says "ready" when it is. Exits 77 where it can't be loaded.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	/* r0 = 0; exit: include/uapi/linux/bpf.h */
	const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
					 { .code = BPF_JMP | BPF_EXIT } };
	int id = libbpf_find_vmlinux_btf_id("sys_exit", BPF_TRACE_RAW_TP), program, link;
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = (__u32)id);
	char byte;

	if (id <= 0)
		return 77;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", code, 2, &options);
	link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);
	if (link < 0) {
		perror("floor");
		return 77;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	return 0;
}
