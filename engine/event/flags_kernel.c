/*
 * Vocabularies of flags that the kernel's own calls take: kexec, userfaultfd, mremap, io_uring.
 * Numbers of the uapi headers, some newer than the build host's. Owns constant data only; any
 * thread.
 */
#include <fcntl.h>

#include "event_private.h"

/* Portable numbers of what libs has no number for: above the 32 bits that it uses. */
#define OURS(n) (1ULL << (32 + (n)))
#define SAME(value, name)          \
	{                          \
		value, value, name \
	}
#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
/* include/uapi/linux/kexec.h */
static const struct flag_name kexec_names[] = {
	SAME(0x1, "KEXEC_ON_CRASH"), SAME(0x2, "KEXEC_PRESERVE_CONTEXT"),
	SAME(0x4, "KEXEC_UPDATE_ELFCOREHDR"), SAME(0x8, "KEXEC_CRASH_HOTPLUG_SUPPORT"),
	END
};

static const struct flag_name kexec_file_names[] = {
	SAME(0x1, "KEXEC_FILE_UNLOAD"), SAME(0x2, "KEXEC_FILE_ON_CRASH"),
	SAME(0x4, "KEXEC_FILE_NO_INITRAMFS"), SAME(0x8, "KEXEC_FILE_DEBUG"),
	END
};

/* include/uapi/linux/userfaultfd.h; the open flags with libs' numbers of them. */
static const struct flag_name userfaultfd_names[] = {
	{ O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_CLOEXEC, 1 << 12, "O_CLOEXEC" },
	{ 1, OURS(0), "UFFD_USER_MODE_ONLY" },
	END
};

/* include/uapi/linux/mman.h */
static const struct flag_name mremap_names[] = {
	SAME(1, "MREMAP_MAYMOVE"), SAME(2, "MREMAP_FIXED"), SAME(4, "MREMAP_DONTUNMAP"),
	END
};

/* include/uapi/linux/io_uring.h */
static const struct flag_name setup_names[] = {
	SAME(1 << 0, "IORING_SETUP_IOPOLL"), SAME(1 << 1, "IORING_SETUP_SQPOLL"),
	SAME(1 << 2, "IORING_SETUP_SQ_AFF"), SAME(1 << 3, "IORING_SETUP_CQSIZE"),
	SAME(1 << 4, "IORING_SETUP_CLAMP"), SAME(1 << 5, "IORING_SETUP_ATTACH_WQ"),
	SAME(1 << 6, "IORING_SETUP_R_DISABLED"), SAME(1 << 7, "IORING_SETUP_SUBMIT_ALL"),
	SAME(1 << 8, "IORING_SETUP_COOP_TASKRUN"), SAME(1 << 9, "IORING_SETUP_TASKRUN_FLAG"),
	SAME(1 << 10, "IORING_SETUP_SQE128"), SAME(1 << 11, "IORING_SETUP_CQE32"),
	SAME(1 << 12, "IORING_SETUP_SINGLE_ISSUER"), SAME(1 << 13, "IORING_SETUP_DEFER_TASKRUN"),
	SAME(1 << 14, "IORING_SETUP_NO_MMAP"), SAME(1 << 15, "IORING_SETUP_REGISTERED_FD_ONLY"),
	SAME(1 << 16, "IORING_SETUP_NO_SQARRAY"), SAME(1 << 17, "IORING_SETUP_HYBRID_IOPOLL"),
	END
};

static const struct flag_name feature_names[] = {
	SAME(1 << 0, "IORING_FEAT_SINGLE_MMAP"), SAME(1 << 1, "IORING_FEAT_NODROP"),
	SAME(1 << 2, "IORING_FEAT_SUBMIT_STABLE"), SAME(1 << 3, "IORING_FEAT_RW_CUR_POS"),
	SAME(1 << 4, "IORING_FEAT_CUR_PERSONALITY"), SAME(1 << 5, "IORING_FEAT_FAST_POLL"),
	SAME(1 << 6, "IORING_FEAT_POLL_32BITS"), SAME(1 << 7, "IORING_FEAT_SQPOLL_NONFIXED"),
	SAME(1 << 8, "IORING_FEAT_ENTER_EXT_ARG"), SAME(1 << 9, "IORING_FEAT_NATIVE_WORKERS"),
	SAME(1 << 10, "IORING_FEAT_RSRC_TAGS"), SAME(1 << 11, "IORING_FEAT_CQE_SKIP"),
	SAME(1 << 12, "IORING_FEAT_LINKED_FILE"), SAME(1 << 13, "IORING_FEAT_REG_REG_RING"),
	SAME(1 << 14, "IORING_FEAT_RECVSEND_BUNDLE"), SAME(1 << 15, "IORING_FEAT_MIN_TIMEOUT"),
	SAME(1 << 16, "IORING_FEAT_RW_ATTR"), SAME(1 << 17, "IORING_FEAT_NO_IOWAIT"),
	END
};

static const struct flag_name enter_names[] = {
	SAME(1 << 0, "IORING_ENTER_GETEVENTS"), SAME(1 << 1, "IORING_ENTER_SQ_WAKEUP"),
	SAME(1 << 2, "IORING_ENTER_SQ_WAIT"), SAME(1 << 3, "IORING_ENTER_EXT_ARG"),
	SAME(1 << 4, "IORING_ENTER_REGISTERED_RING"), SAME(1 << 5, "IORING_ENTER_ABS_TIMER"),
	SAME(1 << 6, "IORING_ENTER_EXT_ARG_REG"), SAME(1 << 7, "IORING_ENTER_NO_IOWAIT"),
	END
};

const struct vocabulary vocabulary_kexec_flags = { "kexec_flags", kexec_names, false };
const struct vocabulary vocabulary_kexec_file_flags = { "kexec_file_flags", kexec_file_names, false };
const struct vocabulary vocabulary_userfaultfd_flags = { "userfaultfd_flags", userfaultfd_names, false };
const struct vocabulary vocabulary_mremap_flags = { "mremap_flags", mremap_names, false };
const struct vocabulary vocabulary_io_uring_setup_flags = { "io_uring_setup_flags", setup_names, false };
const struct vocabulary vocabulary_io_uring_features = { "io_uring_features", feature_names, false };
const struct vocabulary vocabulary_io_uring_enter_flags = { "io_uring_enter_flags", enter_names, false };
/* clang-format on */
