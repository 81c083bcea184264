/*
 * What the verifier goes through for each program, against what was recorded: a program that grows
 * by a tenth takes longer to load, and may one day be refused. The counts belong to one compiler
 * and one kernel; HAETAE_UPDATE_GOLDEN=1 records them anew.
 */
#include "live.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "probes_private.h"

#define PROGRAMS_MAX   128
#define GROWTH_PERCENT 10

struct budget {
	char name[32];
	unsigned instructions;
};

static struct budget recorded[PROGRAMS_MAX];
static unsigned recorded_cnt;
static struct budget found[PROGRAMS_MAX];
static unsigned found_cnt;

static void name_host(char ret[64])
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	snprintf(ret, 64, "clang %s, Linux %u.%u", CLANG_MAJOR, major, minor);
}

/* False: the file is of another compiler or kernel, whose name is returned. */
static bool read_budget(const char *host, char ret_other[64])
{
	FILE *file = fopen(BUDGET_FILE, "re");
	char line[128];

	if (!file) /* another machine's kernel, without the tree */
		cr_skip("there is no %s", BUDGET_FILE);
	cr_assert(fgets(line, sizeof(line), file) && strncmp(line, "# ", 2) == 0);
	line[strcspn(line, "\n")] = '\0';
	snprintf(ret_other, 64, "%.60s", line + 2);
	while (recorded_cnt < PROGRAMS_MAX && fscanf(file, "%31s %u", recorded[recorded_cnt].name,
						     &recorded[recorded_cnt].instructions) == 2)
		recorded_cnt++;
	fclose(file);
	return strcmp(ret_other, host) == 0;
}

static void write_budget(const char *host)
{
	FILE *file = fopen(BUDGET_FILE, "we");

	cr_assert_not_null(file);
	fprintf(file, "# %s\n", host);
	for (unsigned i = 0; i < found_cnt; i++)
		fprintf(file, "%s %u\n", found[i].name, found[i].instructions);
	cr_assert_eq(fclose(file), 0);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct budget *)a)->name, ((const struct budget *)b)->name);
}

static void count_programs(struct live *live, struct probes *probes)
{
	for (uint32_t i = 0; i < probes->program_cnt && found_cnt < PROGRAMS_MAX; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);

		cr_assert_eq(bpf_obj_get_info_by_fd(probes->program_fds[i], &info, &length), 0);
		snprintf(found[found_cnt].name, sizeof(found[0].name), "%s", info.name);
		found[found_cnt++].instructions = info.verified_insns;
	}
	qsort(found, found_cnt, sizeof(*found), compare_names);
}

static void act(void *shared)
{
}

static unsigned budget_of(const char *name)
{
	for (unsigned i = 0; i < recorded_cnt; i++)
		if (strcmp(recorded[i].name, name) == 0)
			return recorded[i].instructions;
	return 0;
}

Test(live_budget, no_program_grew_by_a_tenth, .timeout = 300)
{
	char host[64], other[64];
	struct live live;

	name_host(host);
	live_run(&live, &(struct live_options){ .ready = count_programs }, act);
	live_done(&live);
	if (getenv("HAETAE_UPDATE_GOLDEN")) {
		write_budget(host);
		return;
	}
	if (!read_budget(host, other))
		cr_skip("the budget is of %s, not of %s", other, host);
	for (unsigned i = 0; i < found_cnt; i++) {
		unsigned budget = budget_of(found[i].name);

		cr_expect(found[i].instructions <= budget + budget * GROWTH_PERCENT / 100,
			  "%s: %u instructions verified, recorded are %u; where that is worth it, "
			  "HAETAE_UPDATE_GOLDEN=1 meson test 'live budget' records it",
			  found[i].name, found[i].instructions, budget);
	}
	cr_expect_eq(found_cnt, recorded_cnt, "programs: %u, recorded %u", found_cnt, recorded_cnt);
}
