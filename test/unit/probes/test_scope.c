/*
 * What --scope-cgroup refuses, and that it says so; what it accepts is in test/live.
 */
#include <criterion/criterion.h>

#include "probes_private.h"

Test(scope, refusals)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{ "/nonexistent/haetae", "No such file" },
		{ "/proc/self/status", "is no directory" },
		{ "/proc", "is in no cgroup hierarchy" },
		{ "/", "is in no cgroup hierarchy" },
		{ "", "No such file" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct probes_error error = { "", "" };
		uint64_t id = 0;
		uint32_t subsystem = 0;
		int r = scope_find_cgroup(NULL, rows[i].path, &id, &subsystem, &error);

		cr_expect(r == PROBES_E_USAGE, "%s: %d", rows[i].path, r);
		cr_expect(strstr(error.what, rows[i].why), "%s: %s", rows[i].path, error.what);
		cr_expect(strlen(error.fix) > 0, "%s: no advice", rows[i].path);
		cr_expect(id == 0, "%s: an id on failure", rows[i].path);
	}
}
