/*
 * Least privilege after start. Capabilities are per thread, so this runs before other threads
 * start. A step that the host forbids (no CAP_SETPCAP in a container) is reported and skipped:
 * dropping is a safeguard, and a daemon that ends for want of it would detect nothing.
 */
#include "privileges.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "haetae/base.h"

static void cap_freep(cap_t *caps)
{
	if (*caps)
		cap_free(*caps);
}

/* Both need CAP_SETPCAP, which a container's set has seldom. With no_new_privs nothing is amiss
 * then: what execve(2) would gain is cut to what is permitted already (security/commoncap.c,
 * cap_bprm_creds_from_file). */
static int failure(void)
{
	return errno == EPERM && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -errno;
}

/* Before the sets are cut. */
static int empty_bounding_set(void)
{
	int result = 0;

	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++) {
		bool is_kept = cap == CAP_BPF || cap == CAP_PERFMON;

		if (!is_kept && cap_get_bound(cap) > 0 && cap_drop_bound(cap) < 0)
			result = failure();
	}
	return result;
}

static int lock_noroot(void)
{
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? failure() : 0;
}

static bool is_permitted(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(caps, cap, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

static int cut_sets(void)
{
	static const cap_value_t fine[] = { CAP_BPF, CAP_PERFMON };
	static const cap_value_t coarse[] = { CAP_SYS_ADMIN };
	_cleanup_(cap_freep) cap_t now = cap_get_proc();
	_cleanup_(cap_freep) cap_t kept = cap_init();
	const cap_value_t *wanted = fine;
	size_t cnt = ARRAY_LEN(fine);

	if (!now || !kept)
		return -errno;
	/* Where only CAP_SYS_ADMIN was granted, it is what bpf(2) checks instead. */
	if (!is_permitted(now, CAP_BPF)) {
		wanted = coarse;
		cnt = ARRAY_LEN(coarse);
	}
	for (size_t i = 0; i < cnt; i++) {
		if (!is_permitted(now, wanted[i]))
			continue;
		cap_set_flag(kept, CAP_PERMITTED, 1, &wanted[i], CAP_SET);
		cap_set_flag(kept, CAP_EFFECTIVE, 1, &wanted[i], CAP_SET);
	}
	return cap_set_proc(kept) < 0 ? -errno : 0;
}

int privileges_drop(const char **ret_what)
{
	const struct {
		const char *what;
		int (*fn)(void);
	} steps[] = {
		{ "emptying the capability bounding set", empty_bounding_set },
		{ "locking the securebits", lock_noroot },
		{ "dropping capabilities", cut_sets },
	};
	int result = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		*ret_what = "setting no_new_privs";
		result = -errno;
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i].fn();

		if (r < 0 && result == 0) {
			*ret_what = steps[i].what;
			result = r;
		}
	}
	return result;
}
