/*
 * Vocabularies of values that exclude each other, of the kernel's own calls: reboot, perf,
 * io_uring, syslog. Numbers of the uapi headers, some newer than the build host's. Owns constant
 * data only; any thread.
 */
#include "event_private.h"

#define SAME(value, name)          \
	{                          \
		value, value, name \
	}
#define END                \
	{                  \
		0, 0, NULL \
	}

/* clang-format off */
/* include/uapi/linux/reboot.h */
static const struct flag_name reboot_names[] = {
	SAME(0x01234567, "LINUX_REBOOT_CMD_RESTART"), SAME(0xcdef0123, "LINUX_REBOOT_CMD_HALT"),
	SAME(0x89abcdef, "LINUX_REBOOT_CMD_CAD_ON"), SAME(0, "LINUX_REBOOT_CMD_CAD_OFF"),
	SAME(0x4321fedc, "LINUX_REBOOT_CMD_POWER_OFF"), SAME(0xa1b2c3d4, "LINUX_REBOOT_CMD_RESTART2"),
	SAME(0xd000fce2, "LINUX_REBOOT_CMD_SW_SUSPEND"), SAME(0x45584543, "LINUX_REBOOT_CMD_KEXEC"),
	END
};

/* include/uapi/linux/perf_event.h; above these a number of /sys/bus/event_source/devices. */
static const struct flag_name perf_type_names[] = {
	SAME(0, "PERF_TYPE_HARDWARE"), SAME(1, "PERF_TYPE_SOFTWARE"), SAME(2, "PERF_TYPE_TRACEPOINT"),
	SAME(3, "PERF_TYPE_HW_CACHE"), SAME(4, "PERF_TYPE_RAW"), SAME(5, "PERF_TYPE_BREAKPOINT"),
	END
};

/* include/uapi/linux/io_uring.h */
static const struct flag_name register_names[] = {
	SAME(0, "IORING_REGISTER_BUFFERS"), SAME(1, "IORING_UNREGISTER_BUFFERS"),
	SAME(2, "IORING_REGISTER_FILES"), SAME(3, "IORING_UNREGISTER_FILES"),
	SAME(4, "IORING_REGISTER_EVENTFD"), SAME(5, "IORING_UNREGISTER_EVENTFD"),
	SAME(6, "IORING_REGISTER_FILES_UPDATE"), SAME(7, "IORING_REGISTER_EVENTFD_ASYNC"),
	SAME(8, "IORING_REGISTER_PROBE"), SAME(9, "IORING_REGISTER_PERSONALITY"),
	SAME(10, "IORING_UNREGISTER_PERSONALITY"), SAME(11, "IORING_REGISTER_RESTRICTIONS"),
	SAME(12, "IORING_REGISTER_ENABLE_RINGS"), SAME(13, "IORING_REGISTER_FILES2"),
	SAME(14, "IORING_REGISTER_FILES_UPDATE2"), SAME(15, "IORING_REGISTER_BUFFERS2"),
	SAME(16, "IORING_REGISTER_BUFFERS_UPDATE"), SAME(17, "IORING_REGISTER_IOWQ_AFF"),
	SAME(18, "IORING_UNREGISTER_IOWQ_AFF"), SAME(19, "IORING_REGISTER_IOWQ_MAX_WORKERS"),
	SAME(20, "IORING_REGISTER_RING_FDS"), SAME(21, "IORING_UNREGISTER_RING_FDS"),
	SAME(22, "IORING_REGISTER_PBUF_RING"), SAME(23, "IORING_UNREGISTER_PBUF_RING"),
	SAME(24, "IORING_REGISTER_SYNC_CANCEL"), SAME(25, "IORING_REGISTER_FILE_ALLOC_RANGE"),
	SAME(26, "IORING_REGISTER_PBUF_STATUS"), SAME(27, "IORING_REGISTER_NAPI"),
	SAME(28, "IORING_UNREGISTER_NAPI"), SAME(29, "IORING_REGISTER_CLOCK"),
	SAME(30, "IORING_REGISTER_CLONE_BUFFERS"), SAME(31, "IORING_REGISTER_SEND_MSG_RING"),
	SAME(32, "IORING_REGISTER_ZCRX_IFQ"), SAME(33, "IORING_REGISTER_RESIZE_RINGS"),
	SAME(34, "IORING_REGISTER_MEM_REGION"),
	END
};

/* include/linux/syslog.h */
static const struct flag_name syslog_names[] = {
	SAME(0, "SYSLOG_ACTION_CLOSE"), SAME(1, "SYSLOG_ACTION_OPEN"), SAME(2, "SYSLOG_ACTION_READ"),
	SAME(3, "SYSLOG_ACTION_READ_ALL"), SAME(4, "SYSLOG_ACTION_READ_CLEAR"),
	SAME(5, "SYSLOG_ACTION_CLEAR"), SAME(6, "SYSLOG_ACTION_CONSOLE_OFF"),
	SAME(7, "SYSLOG_ACTION_CONSOLE_ON"), SAME(8, "SYSLOG_ACTION_CONSOLE_LEVEL"),
	SAME(9, "SYSLOG_ACTION_SIZE_UNREAD"), SAME(10, "SYSLOG_ACTION_SIZE_BUFFER"),
	END
};

const struct vocabulary vocabulary_reboot_command = { "reboot_command", reboot_names, true };
const struct vocabulary vocabulary_perf_type = { "perf_type", perf_type_names, true };
const struct vocabulary vocabulary_io_uring_register_opcode = { "io_uring_register_opcode", register_names, true };
const struct vocabulary vocabulary_syslog_action = { "syslog_action", syslog_names, true };
/* clang-format on */
