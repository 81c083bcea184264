/*
 * What `haetae doctor` shows and how failures are explained: on any host, with any rights, each
 * answer has its words.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/resource.h>

#include "probes_private.h"

static bool is_one_line(const char *text)
{
	return *text && !strchr(text, '\n');
}

Test(host, every_question_has_an_answer)
{
	struct probes_feature features[PROBES_FEATURE_MAX];
	unsigned cnt = probes_check_host(features);

	cr_assert_geq(cnt, 10);
	cr_assert_leq(cnt, PROBES_FEATURE_MAX);
	for (unsigned i = 0; i < cnt; i++) {
		const struct probes_feature *feature = &features[i];

		cr_expect(is_one_line(feature->name), "feature %u", i);
		cr_expect(is_one_line(feature->detail), "%s: %s", feature->name, feature->detail);
		cr_expect(feature->state == FEATURE_PRESENT || feature->fix,
			  "%s is missing without a word on what to do", feature->name);
		for (unsigned j = 0; j < i; j++)
			cr_expect_str_neq(feature->name, features[j].name);
	}
}

static const struct probes_feature *feature_find(const struct probes_feature *features,
						 unsigned cnt, const char *name)
{
	for (unsigned i = 0; i < cnt; i++)
		if (strcmp(features[i].name, name) == 0)
			return &features[i];
	return NULL;
}

/* doctor's answers and the loader's are from the same sources: they must not contradict. */
Test(host, doctor_agrees_with_the_loader)
{
	struct probes_feature features[PROBES_FEATURE_MAX];
	unsigned cnt = probes_check_host(features);
	const struct probes_feature *types = feature_find(features, cnt, "BTF");
	const struct probes_feature *rights = feature_find(features, cnt, "capabilities");

	cr_assert_not_null(types);
	cr_assert_not_null(rights);
	cr_expect_eq(types->state == FEATURE_PRESENT, host_has_btf());
	cr_expect_eq(rights->state == FEATURE_PRESENT, !host_missing_capabilities());
	cr_expect_not_null(feature_find(features, cnt, "control groups"));
}

/* A limit of the process must not be taken for a kernel without types. */
Test(host, no_descriptors_left)
{
	struct rlimit limit, none;
	struct probes_error error = { "", "" };
	struct probes_config config;
	struct probes_want want = { 0 };
	struct probes *probes = NULL;

	if (!host_has_btf())
		cr_skip_test("without BTF the types are what is missing");
	cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = (struct rlimit){ 3, limit.rlim_max };
	cr_assert(setrlimit(RLIMIT_NOFILE, &none) == 0);
	probes_config_default(&config);
	cr_expect(probes_open(&config, &want, &probes, &error) == PROBES_E_HOST);
	/* The test's own end, the sanitizers' too, needs descriptors. */
	cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	cr_expect(strstr(error.what, "RLIMIT_NOFILE"), "%s", error.what);
	cr_expect(strstr(error.fix, "ulimit -n"), "%s", error.fix);
}

Test(host, failures_are_explained_in_two_lines)
{
	static const struct {
		const char *name;
		int error;
		const char *log;
	} cases[] = {
		{ "refused", -EPERM, NULL },
		{ "rejected by the verifier", -EACCES, "first\nR1 is bad\n" },
		{ "no memory", -ENOMEM, "" },
		{ "no descriptor", -EMFILE, NULL },
		{ "no file", -ENFILE, NULL },
		{ "too large", -E2BIG, "last line" },
		{ "no call", -ENOSYS, NULL },
		{ "no such hook", -ESRCH, "only line" },
		{ "a log longer than its place", -EINVAL,
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "012345678901234567890123456789012345678901234567890123456789012345678901234567"
		  "8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probes_error error = { "", "" };

		cr_expect_eq(host_explain("loading", cases[i].error, cases[i].log, &error),
			     PROBES_E_HOST, "%s", cases[i].name);
		cr_expect(is_one_line(error.what), "%s: %s", cases[i].name, error.what);
		cr_expect(is_one_line(error.fix), "%s: %s", cases[i].name, error.fix);
		cr_expect(strstr(error.what, "loading"), "%s: %s", cases[i].name, error.what);
	}
}

Test(host, names_that_do_not_exist_are_not_found)
{
	cr_expect_not(host_has_btf_name("haetae_no_such_type"));
	cr_expect_not(host_types_have(NULL, "task_struct"));
	cr_expect_lt(host_tracepoint_arguments(NULL, "sys_exit"), 0);
}

/* The numbers are the two tables of arch/x86/entry/syscalls. */
Test(host, calls_of_other_conventions_have_native_numbers)
{
#ifdef __x86_64__
	static const struct {
		uint32_t compat, native;
	} rows[] = {
		{ 5, 2 },     /* open */
		{ 8, 85 },    /* creat */
		{ 10, 87 },   /* unlink */
		{ 11, 59 },   /* execve */
		{ 64, 110 },  /* getppid */
		{ 295, 257 }, /* openat */
		{ 301, 263 }, /* unlinkat */
		{ 358, 322 }, /* execveat */
		{ 362, 42 },  /* connect */
		{ 437, 437 }, /* openat2 */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(compat_native_number(rows[i].compat), rows[i].native, "number %u",
			     rows[i].compat);
	cr_expect_eq(compat_x32_number(520), 59, "x32 execve");
	cr_expect_eq(compat_x32_number(545), 322, "x32 execveat");
#endif
	cr_expect_eq(compat_native_number(100000), COMPAT_NONE);
	cr_expect_eq(compat_x32_number(0xffffffff), COMPAT_NONE);
}
