/*
 * Fields of the thread and of its credentials: thread.*, user.*, group.*. All but names come from
 * the record's header, so they are those of the moment. Engine thread.
 */
#include "fields_meta.h"

#include <linux/capability.h>

#define GETTER(name)                                          \
	static void name(const struct field_context *context, \
			 const struct field_argument *argument, struct value_set *ret)

#define ID_NONE UINT32_MAX /* loginuid that was never set */

/* ---- thread --------------------------------------------------------------------------------- */

GETTER(get_tid)
{
	give_s64(context, context->event->header->tid, ret);
}

GETTER(get_vtid)
{
	give_s64(context, context->event->header->ns_tid, ret);
}

GETTER(get_ismain)
{
	give_bool(context, context->event->header->tid == context->event->header->pid, ret);
}

/* A table: names by number (include/uapi/linux/capability.h). */
static const char *const capability_names[] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

#define CAPABILITIES_TEXT_MAX 2048 /* all 64 bits with the longest name */

static void give_capabilities(const struct field_context *context, uint64_t set,
			      struct value_set *ret)
{
	struct buf text = scratch_buf(context, CAPABILITIES_TEXT_MAX);

	for (unsigned i = 0; i < 64; i++) {
		if (!(set >> i & 1))
			continue;
		if (text.n)
			buf_putc(&text, ' ');
		if (i < ARRAY_LEN(capability_names))
			buf_puts(&text, capability_names[i]);
		else
			buf_printf(&text, "CAP_%u", i);
	}
	give_buf(context, &text, ret);
}

GETTER(get_cap_effective)
{
	give_capabilities(context, context->event->header->cap_effective, ret);
}

GETTER(get_cap_inheritable)
{
	give_capabilities(context, context->event->header->cap_inheritable, ret);
}

GETTER(get_cap_permitted)
{
	give_capabilities(context, context->event->header->cap_permitted, ret);
}

/* ---- users and groups ----------------------------------------------------------------------- */

/* <NA> is a real value here: an id without a name is known to have none (rule-language.md 2.4).
 * Copied, because a name is valid only until the next is asked for. */
static void give_name(const struct field_context *context, const char *name, struct value_set *ret)
{
	give_str(context, arena_str(context->event->scratch, str_from(name ? name : "<NA>")), ret);
}

/* What users_name() or one of its kin says of an id. */
static void give_name_of(const struct field_context *context, uint32_t id,
			 const char *(*get)(struct users *users, uint32_t id),
			 const char *name_of_zero, struct value_set *ret)
{
	struct users *users;
	const char *name = NULL;

	if (!meta_users(context, &users)) {
		ret->state = FIELD_PENDING;
		return;
	}
	if (users && id != ID_NONE)
		name = get(users, id);
	give_name(context, !name && id == 0 ? name_of_zero : name, ret);
}

GETTER(get_uid)
{
	give_u64(context, VALUE_U64, context->event->header->euid, ret);
}

GETTER(get_user_name)
{
	give_name_of(context, context->event->header->euid, users_name, "root", ret);
}

GETTER(get_homedir)
{
	give_name_of(context, context->event->header->euid, users_home, NULL, ret);
}

GETTER(get_shell)
{
	give_name_of(context, context->event->header->euid, users_shell, NULL, ret);
}

GETTER(get_loginuid)
{
	uint32_t uid = context->event->header->loginuid;

	give_s64(context, uid == ID_NONE ? -1 : (int64_t)uid, ret);
}

GETTER(get_loginname)
{
	uint32_t uid = context->event->header->loginuid;
	const char *name =
		context->users && uid != ID_NONE ? users_name(context->users, uid) : NULL;

	/* Who logged in did so on the host. */
	give_name(context, !name && uid == 0 ? "root" : name, ret);
}

GETTER(get_gid)
{
	give_u64(context, VALUE_U64, context->event->header->egid, ret);
}

GETTER(get_group_name)
{
	give_name_of(context, context->event->header->egid, users_group_name, NULL, ret);
}

/* ---- the tables ----------------------------------------------------------------------------- */

#define NO_VALUE "Always, until its source exists."
#define NEVER	 "Never."

/* clang-format off */
static const struct field thread_fields[] = {
	FIELD_ROW("thread.cap_effective", STRING, 0, NULL, get_cap_effective,
		"Effective capabilities, as names with blanks between; empty for none.", NEVER, "thread.cap_effective contains CAP_SYS_ADMIN"),
	FIELD_ROW("thread.cap_inheritable", STRING, 0, NULL, get_cap_inheritable,
		"Inheritable capabilities.", NEVER, "thread.cap_inheritable contains CAP_NET_RAW"),
	FIELD_ROW("thread.cap_permitted", STRING, 0, NULL, get_cap_permitted,
		"Permitted capabilities.", NEVER, "thread.cap_permitted contains CAP_SYS_ADMIN"),
	FIELD_ROW_RESERVED("thread.cgroup", STRING, FIELD_ARG_DOTTED | FIELD_ARG_REQUIRED,
		"Path of the control group in one hierarchy, by the controller's name.", NO_VALUE, "thread.cgroup.memory contains docker"),
	FIELD_ROW_RESERVED("thread.cgroups", STRING, 0,
		"All control groups as controller=path with blanks between.", NO_VALUE, "thread.cgroups contains docker"),
	FIELD_ROW("thread.ismain", BOOL, 0, NULL, get_ismain,
		"Whether it is the main thread of its process.", NEVER, "thread.ismain = true"),
	FIELD_ROW("thread.tid", S64, 0, NULL, get_tid, "Thread id, as the host numbers it.", NEVER, "thread.tid = 1234"),
	FIELD_ROW("thread.vtid", S64, 0, NULL, get_vtid, "Thread id in its own pid namespace.", NEVER, "thread.vtid = 1"),
};
static const struct field user_fields[] = {
	FIELD_ROW("user.homedir", STRING, 0, NULL, get_homedir, "Home directory of the effective user; <NA> where the host knows no such user.", NEVER, "user.homedir = /root"),
	FIELD_ROW("user.loginname", STRING, 0, NULL, get_loginname, "Name of the user who logged in; <NA> where nobody did, or where the host knows no such user.", NEVER, "user.loginname = alice"),
	FIELD_ROW("user.loginuid", S64, 0, NULL, get_loginuid, "Id of the user who logged in, which su and sudo do not change; -1 where nobody did.", NEVER, "user.loginuid >= 1000"),
	FIELD_ROW("user.name", STRING, 0, NULL, get_user_name, "Name of the effective user, by the container's /etc/passwd where its runtime shows it, else by the host's; <NA> where that knows none.", NEVER, "user.name = root"),
	FIELD_ROW("user.shell", STRING, 0, NULL, get_shell, "Login shell of the effective user; <NA> where the host knows no such user.", NEVER, "user.shell endswith /nologin"),
	FIELD_ROW("user.uid", U64, FIELD_IS_U32, NULL, get_uid, "Effective user id.", NEVER, "user.uid = 0"),
};
static const struct field group_fields[] = {
	FIELD_ROW("group.gid", U64, FIELD_IS_U32, NULL, get_gid, "Effective group id.", NEVER, "group.gid = 0"),
	FIELD_ROW("group.name", STRING, 0, NULL, get_group_name, "Name of the effective group, by the container's /etc/group where its runtime shows it, else by the host's; <NA> where that knows none.", NEVER, "group.name = docker"),
};
/* clang-format on */

const struct field_family fields_thread = { thread_fields, ARRAY_LEN(thread_fields) };
const struct field_family fields_user = { user_fields, ARRAY_LEN(user_fields) };
const struct field_family fields_group = { group_fields, ARRAY_LEN(group_fields) };
