/*
 * Fields of the event's own process: proc.*. What the record's header has comes from there, so it
 * is known even where the process is not; the rest from the program image. Owns nothing. Engine
 * thread.
 */
#include "fields_proc.h"

#include <fcntl.h>

#define GETTER(name) static PROC_GETTER(name)

static void give_self(const struct field_context *context, enum who_part part,
		      struct value_set *ret)
{
	struct who self = who_self(context);

	give_who(context, &self, part, ret);
}

GETTER(get_name)
{
	give_self(context, WHO_NAME, ret);
}

GETTER(get_exe)
{
	give_self(context, WHO_EXE, ret);
}

GETTER(get_cmdline)
{
	give_self(context, WHO_CMDLINE, ret);
}

GETTER(get_exeline)
{
	give_self(context, WHO_EXELINE, ret);
}

/* The directory as a prefix: with a slash at its end. */
static struct str with_slash(struct arena *scratch, struct str path)
{
	if (!path.n || path.p[path.n - 1] == '/')
		return path;
	return arena_printf(scratch, "%.*s/", STR_ARG(path));
}

/* The kernel's path of the executable, and how the starter called it. A script's name is no reading
 * of its interpreter's path. */
GETTER(get_exepath)
{
	const struct proc_image *image = context->event->image;
	struct arena *scratch = context->event->scratch;
	struct readings readings = { 0 };
	struct str passed;

	if (!image)
		return;
	readings_add(&readings, VALUE_PATH, image->exepath);
	if (image->filename.n && !image->interp.n) {
		passed = image->filename;
		if (passed.p[0] != '/' && image->cwd.n)
			passed = arena_printf(scratch, "%.*s/%.*s", STR_ARG(image->cwd),
					      STR_ARG(passed));
		if (passed.n && passed.p[0] == '/')
			readings_add(&readings, VALUE_PATH, path_normalise(scratch, passed));
	}
	give_values(context, readings.values, readings.cnt, ret);
}

GETTER(get_args)
{
	const struct proc_image *image = context->event->image;
	struct str item;

	if (!argument || argument->kind != FIELD_ARG_INDEX) {
		give_self(context, WHO_ARGS, ret);
		return;
	}
	if (!image || !image->args.p)
		return;
	item = vector_at(image->args, argument->index);
	if (item.p)
		give_str(context, item, ret);
	else if (!image->is_args_cut)
		give_text(context, "", ret);
}

GETTER(get_cmdnargs)
{
	const struct proc_image *image = context->event->image;

	if (image && image->args.p)
		give_u64(context, VALUE_U64, vector_cnt(image->args), ret);
}

GETTER(get_cmdlenargs)
{
	const struct proc_image *image = context->event->image;

	if (image && image->args.p)
		give_u64(context, VALUE_U64, image->args.n - vector_cnt(image->args), ret);
}

GETTER(get_env)
{
	struct who self = who_self(context);

	if (argument && argument->kind == FIELD_ARG_KEY)
		give_str(context, who_env(&self, argument->key), ret);
	else
		give_who(context, &self, WHO_ENV, ret);
}

/* An event whose name is relative to the working directory says what that is now; otherwise it is
 * known as of the exec. */
static struct str current_directory(const struct event *event)
{
	const struct event_roles *roles = roles_of(event);
	uint64_t dirfd;

	if (roles->name.directory < 0 || schema_is_exec(event->schema))
		return STR_NONE;
	if (roles->dirfd >= 0 &&
	    (!event_number(event, (unsigned)roles->dirfd, &dirfd) || (int64_t)dirfd != AT_FDCWD))
		return STR_NONE;
	return event_kpath(event, (unsigned)roles->name.directory, -1, false);
}

GETTER(get_cwd)
{
	const struct event *event = context->event;
	struct str path = current_directory(event);

	if (!path.p && event->image)
		path = event->image->cwd;
	if (path.p)
		give_str(context, with_slash(event->scratch, path), ret);
}

/* ---- ids ------------------------------------------------------------------------------------ */

GETTER(get_pid)
{
	give_s64(context, context->event->header->pid, ret);
}

GETTER(get_ppid)
{
	give_s64(context, context->event->header->parent_pid, ret);
}

GETTER(get_vpid)
{
	give_s64(context, context->event->header->ns_pid, ret);
}

GETTER(get_pvpid)
{
	give_s64(context, context->event->header->ns_parent_pid, ret);
}

GETTER(get_sid)
{
	give_s64(context, context->event->header->session_id, ret);
}

GETTER(get_pgid)
{
	give_s64(context, context->event->header->group_id, ret);
}

GETTER(get_vpgid)
{
	give_s64(context, context->event->header->ns_group_id, ret);
}

GETTER(get_tty)
{
	give_u64(context, VALUE_U64, context->event->header->tty, ret);
}

GETTER(get_is_sid_leader)
{
	const struct wire_header *header = context->event->header;

	give_bool(context, header->session_id == header->pid, ret);
}

GETTER(get_is_pgid_leader)
{
	const struct wire_header *header = context->event->header;

	give_bool(context, header->group_id == header->pid, ret);
}

/* Both ids in the process's own namespace; a group whose leader is outside has 0 there. */
GETTER(get_is_vpgid_leader)
{
	const struct wire_header *header = context->event->header;

	give_bool(context, header->ns_group_id == header->ns_pid && header->ns_pid, ret);
}

/* ---- times ---------------------------------------------------------------------------------- */

static uint64_t wall(const struct event *event, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)event->wall_offset_ns;
}

static void give_age(const struct field_context *context, uint64_t start_ns, struct value_set *ret)
{
	uint64_t now_ns = context->event->header->time_ns;

	if (start_ns)
		give_u64(context, VALUE_RELTIME, now_ns > start_ns ? now_ns - start_ns : 0, ret);
}

static void give_moment(const struct field_context *context, uint64_t boot_ns,
			struct value_set *ret)
{
	if (boot_ns)
		give_u64(context, VALUE_ABSTIME, wall(context->event, boot_ns), ret);
}

GETTER(get_duration)
{
	give_age(context, context->event->header->start_ns, ret);
}

GETTER(get_ppid_duration)
{
	give_age(context, context->event->header->parent_start_ns, ret);
}

GETTER(get_pid_ts)
{
	give_moment(context, context->event->header->start_ns, ret);
}

GETTER(get_ppid_ts)
{
	give_moment(context, context->event->header->parent_start_ns, ret);
}

GETTER(get_pidns_init_start_ts)
{
	if (context->event->proc)
		give_moment(context, context->event->proc->pidns_init_start_ns, ret);
}

/* ---- the executable ------------------------------------------------------------------------- */

/* Nothing is known of the executable where its inode is not. */
static void give_exe_bit(const struct field_context *context, uint32_t bit, struct value_set *ret)
{
	const struct proc_image *image = context->event->image;

	if (image && image->exe_ino)
		give_bool(context, image->exe_bits & bit, ret);
}

GETTER(get_is_exe_writable)
{
	give_exe_bit(context, WIRE_FILE_WRITABLE, ret);
}

GETTER(get_is_exe_upper_layer)
{
	give_exe_bit(context, WIRE_FILE_UPPER_LAYER, ret);
}

GETTER(get_is_exe_lower_layer)
{
	give_exe_bit(context, WIRE_FILE_LOWER_LAYER, ret);
}

GETTER(get_is_exe_from_memfd)
{
	give_exe_bit(context, WIRE_FILE_MEMFD, ret);
}

static void give_if_known(const struct field_context *context, enum value_type type,
			  uint64_t number, struct value_set *ret)
{
	if (number)
		give_u64(context, type, number, ret);
}

GETTER(get_exe_ino)
{
	const struct proc_image *image = context->event->image;

	give_if_known(context, VALUE_U64, image ? image->exe_ino : 0, ret);
}

GETTER(get_exe_ino_ctime)
{
	const struct proc_image *image = context->event->image;

	give_if_known(context, VALUE_ABSTIME, image ? image->exe_ctime_ns : 0, ret);
}

GETTER(get_exe_ino_mtime)
{
	const struct proc_image *image = context->event->image;

	give_if_known(context, VALUE_ABSTIME, image ? image->exe_mtime_ns : 0, ret);
}

GETTER(get_ctime_duration_proc_start)
{
	const struct event *event = context->event;
	uint64_t ctime_ns = event->image ? event->image->exe_ctime_ns : 0;
	uint64_t start_ns = wall(event, event->header->start_ns);

	if (ctime_ns && event->header->start_ns && start_ns > ctime_ns)
		give_u64(context, VALUE_RELTIME, start_ns - ctime_ns, ret);
}

GETTER(get_ctime_duration_pidns_start)
{
	const struct event *event = context->event;
	uint64_t ctime_ns = event->image ? event->image->exe_ctime_ns : 0;
	uint64_t init_ns = event->proc ? event->proc->pidns_init_start_ns : 0;

	if (ctime_ns && init_ns && ctime_ns > wall(event, init_ns))
		give_u64(context, VALUE_RELTIME, ctime_ns - wall(event, init_ns), ret);
}

/* ---- what only exec says -------------------------------------------------------------------- */

/* The numbers of execve and execveat are the same up to `gid`. */
static void give_exec_number(const struct field_context *context, unsigned number,
			     struct value_set *ret)
{
	const struct event *event = context->event;
	uint64_t value;

	_Static_assert((int)PARAM_EXECVE_vm_swap == (int)PARAM_EXECVEAT_vm_swap,
		       "both events begin alike");
	if (schema_is_exec(event->schema) && event_number(event, number, &value))
		give_u64(context, VALUE_U64, value, ret);
}

GETTER(get_fdlimit)
{
	give_exec_number(context, PARAM_EXECVE_fdlimit, ret);
}

GETTER(get_vmsize)
{
	give_exec_number(context, PARAM_EXECVE_vm_size, ret);
}

GETTER(get_vmrss)
{
	give_exec_number(context, PARAM_EXECVE_vm_rss, ret);
}

GETTER(get_vmswap)
{
	give_exec_number(context, PARAM_EXECVE_vm_swap, ret);
}

/* ---- the table ------------------------------------------------------------------------------ */

#define INDEXED	  FIELD_ARG_ALLOWED_INDEX
#define ANCESTOR  (FIELD_ARG_ALLOWED_INDEX | FIELD_IS_ANY | FIELD_NO_RIGHT_SIDE)
#define NO_VALUE  "Always, until its source exists."
#define NO_IMAGE  "Where the program's start was not seen and /proc had nothing."
#define NO_PARENT "Where the parent is not known."
#define NO_LEVEL  "Beyond the oldest known ancestor."
#define NO_INODE  "Where the executable is not known."
#define NEVER	  "Never."

/* clang-format off */
static const struct field fields[] = {
	FIELD_ROW("proc.aargs", STRING, ANCESTOR & ~FIELD_IS_ANY, NULL, proc_get_aargs,
		"Arguments of the ancestor [N], 0 being the process itself; without an index, of all ancestors, joined by blanks.",
		NO_LEVEL, "proc.aargs contains --privileged"),
	FIELD_ROW("proc.acmdline", STRING, ANCESTOR, NULL, proc_get_acmdline,
		"Command line of the ancestor [N]; without an index, of any ancestor.", NO_LEVEL, "proc.acmdline contains curl"),
	FIELD_ROW("proc.aenv", STRING, ANCESTOR | FIELD_ARG_ALLOWED_KEY | FIELD_NEEDS_ENV, NULL, proc_get_aenv,
		"Environment of the ancestor [N]; without an index, of any ancestor; [NAME]: the nearest ancestor's value that is not empty, up to 20 levels.",
		"Where the environment was not read.", "proc.aenv[SSH_CONNECTION] != \"\""),
	FIELD_ROW("proc.aexe", STRING, ANCESTOR, NULL, proc_get_aexe,
		"First argument (argv[0]) of the ancestor [N]; without an index, of any ancestor.", NO_LEVEL, "proc.aexe[2] endswith /sudo"),
	FIELD_ROW("proc.aexepath", STRING, ANCESTOR, NULL, proc_get_aexepath,
		"Path of the executable of the ancestor [N]; without an index, of any ancestor.", NO_LEVEL, "proc.aexepath = /usr/sbin/sshd"),
	FIELD_ROW("proc.aname", STRING, ANCESTOR, NULL, proc_get_aname,
		"Name of the ancestor [N], 0 being the process itself; without an index, of any ancestor: present parents and those who started them.",
		NO_LEVEL, "proc.aname = sshd"),
	FIELD_ROW("proc.apid", S64, ANCESTOR, NULL, proc_get_apid,
		"Id of the ancestor [N]; without an index, of any ancestor.", NO_LEVEL, "proc.apid[1] = 1"),
	FIELD_ROW("proc.args", STRING, INDEXED, NULL, get_args,
		"Arguments behind the program's name, joined by blanks; [N]: one of them, from 0, empty behind the last.", NO_IMAGE, "proc.args contains --password"),
	FIELD_ROW("proc.cmdlenargs", U64, 0, NULL, get_cmdlenargs,
		"Bytes of all arguments together.", NO_IMAGE, "proc.cmdlenargs > 1000"),
	FIELD_ROW("proc.cmdline", STRING, 0, NULL, get_cmdline,
		"Name and arguments. It begins with the kernel's name, not with argv[0].", NO_IMAGE, "proc.cmdline contains \"nc -e\""),
	FIELD_ROW("proc.cmdnargs", U64, 0, NULL, get_cmdnargs, "Number of arguments.", NO_IMAGE, "proc.cmdnargs > 3"),
	FIELD_ROW("proc.cwd", STRING, 0, NULL, get_cwd,
		"Working directory, with a slash at its end: at the event where a relative path needed it, otherwise at the program's start.",
		NO_IMAGE, "proc.cwd startswith /tmp/"),
	FIELD_ROW("proc.duration", RELTIME, 0, NULL, get_duration,
		"Age of the process in nanoseconds.", "Where its start is not known.", "proc.duration > 5000000000"),
	FIELD_ROW("proc.env", STRING, FIELD_ARG_ALLOWED_KEY | FIELD_NEEDS_ENV, NULL, get_env,
		"Environment, joined by blanks; [NAME]: the value of one variable, empty where it is not set.",
		"Where the environment was not read.", "proc.env[LD_PRELOAD] != \"\""),
	FIELD_ROW("proc.exe", STRING, 0, NULL, get_exe,
		"First argument (argv[0]): what the starter chose to pass.", NO_IMAGE, "proc.exe startswith ./"),
	FIELD_ROW("proc.exe_ino", U64, 0, NULL, get_exe_ino, "Inode of the executable.", NO_INODE, "proc.exe_ino = 1234"),
	FIELD_ROW("proc.exe_ino.ctime", ABSTIME, 0, NULL, get_exe_ino_ctime,
		"When the executable's inode was changed last.", NO_INODE, "proc.exe_ino.ctime > 1700000000000000000"),
	FIELD_ROW("proc.exe_ino.ctime_duration_pidns_start", RELTIME, 0, NULL, get_ctime_duration_pidns_start,
		"How long after the start of the pid namespace the executable was changed.",
		"Where that was before, or is not known.", "proc.exe_ino.ctime_duration_pidns_start > 0"),
	FIELD_ROW("proc.exe_ino.ctime_duration_proc_start", RELTIME, 0, NULL, get_ctime_duration_proc_start,
		"How long before the start of the process the executable was changed.",
		"Where that was after, or is not known.", "proc.exe_ino.ctime_duration_proc_start < 60000000000"),
	FIELD_ROW("proc.exe_ino.mtime", ABSTIME, 0, NULL, get_exe_ino_mtime,
		"When the executable's content was changed last.", NO_INODE, "proc.exe_ino.mtime > 1700000000000000000"),
	FIELD_ROW("proc.exeline", STRING, 0, NULL, get_exeline, "argv[0] and arguments.", NO_IMAGE, "proc.exeline startswith ./"),
	FIELD_ROW("proc.exepath", PATH, FIELD_IS_READINGS, NULL, get_exepath,
		"Path of the file that the kernel executes; a script's is its interpreter's. Readings: the kernel's path, and the one that was passed to exec.",
		NO_IMAGE, "proc.exepath startswith /dev/shm/"),
	FIELD_ROW("proc.fdlimit", U64, 0, schema_is_exec, get_fdlimit,
		"Soft limit of open descriptors.", "On every event but execve and execveat.", "proc.fdlimit > 1024"),
	FIELD_ROW_RESERVED("proc.fdopencount", U64, 0, "Number of open descriptors.", NO_VALUE, "proc.fdopencount > 1000"),
	FIELD_ROW_RESERVED("proc.fdusage", U64, 0, "Open descriptors as a percentage of the limit.", NO_VALUE, "proc.fdusage > 90"),
	FIELD_ROW_RESERVED("proc.is_container_healthcheck", BOOL, FIELD_DEPRECATED, "Whether it is a health check of its container.", NO_VALUE, "proc.is_container_healthcheck = true"),
	FIELD_ROW_RESERVED("proc.is_container_liveness_probe", BOOL, FIELD_DEPRECATED, "Whether it is a liveness probe.", NO_VALUE, "proc.is_container_liveness_probe = true"),
	FIELD_ROW_RESERVED("proc.is_container_readiness_probe", BOOL, FIELD_DEPRECATED, "Whether it is a readiness probe.", NO_VALUE, "proc.is_container_readiness_probe = true"),
	FIELD_ROW("proc.is_exe_from_memfd", BOOL, 0, NULL, get_is_exe_from_memfd,
		"Whether the executable is a memfd, and so no file at all.", NO_INODE, "proc.is_exe_from_memfd = true"),
	FIELD_ROW("proc.is_exe_lower_layer", BOOL, 0, NULL, get_is_exe_lower_layer,
		"Whether the executable lies in the lower layer of an overlay: in the image.", NO_INODE, "proc.is_exe_lower_layer = true"),
	FIELD_ROW("proc.is_exe_upper_layer", BOOL, 0, NULL, get_is_exe_upper_layer,
		"Whether the executable lies in the upper layer of an overlay: made or changed after the container's start.", NO_INODE, "proc.is_exe_upper_layer = true"),
	FIELD_ROW("proc.is_exe_writable", BOOL, 0, NULL, get_is_exe_writable,
		"Whether the user could write the executable at the program's start.", NO_INODE, "proc.is_exe_writable = true"),
	FIELD_ROW("proc.is_pgid_leader", BOOL, 0, NULL, get_is_pgid_leader,
		"Whether the process leads its process group.", NEVER, "proc.is_pgid_leader = true"),
	FIELD_ROW("proc.is_sid_leader", BOOL, 0, NULL, get_is_sid_leader,
		"Whether the process leads its session.", NEVER, "proc.is_sid_leader = true"),
	FIELD_ROW("proc.is_vpgid_leader", BOOL, 0, NULL, get_is_vpgid_leader,
		"Whether the process leads its process group, by the ids of its own pid namespace.", NEVER, "proc.is_vpgid_leader = true"),
	FIELD_ROW("proc.loginshellid", S64, 0, NULL, proc_get_loginshellid,
		"Id of the oldest of the shells that stand one above the other from the process upwards.", "Where neither it nor its parent is a shell.", "proc.loginshellid = 1234"),
	FIELD_ROW("proc.name", STRING, 0, NULL, get_name,
		"Name of the thread: at most 15 bytes, and the program may choose it.", NEVER, "proc.name = cat"),
	FIELD_ROW_RESERVED("proc.nchilds", U64, 0, "Number of children.", NO_VALUE, "proc.nchilds > 10"),
	FIELD_ROW_RESERVED("proc.nthreads", U64, 0, "Number of threads.", NO_VALUE, "proc.nthreads > 10"),
	FIELD_ROW("proc.pcmdline", STRING, 0, NULL, proc_get_pcmdline, "Command line of the parent.", NO_PARENT, "proc.pcmdline contains cron"),
	FIELD_ROW("proc.pexe", STRING, 0, NULL, proc_get_pexe, "argv[0] of the parent.", NO_PARENT, "proc.pexe endswith /sh"),
	FIELD_ROW("proc.pexepath", STRING, 0, NULL, proc_get_pexepath, "Path of the parent's executable.", NO_PARENT, "proc.pexepath = /usr/sbin/nginx"),
	FIELD_ROW("proc.pgid", S64, 0, NULL, get_pgid, "Process group, as the host numbers it.", NEVER, "proc.pgid = 1234"),
	FIELD_ROW("proc.pgid.exe", STRING, 0, NULL, proc_get_gexe, "argv[0] of the group's leader, empty where none is known.", NO_IMAGE, "proc.pgid.exe endswith /sh"),
	FIELD_ROW("proc.pgid.exepath", STRING, 0, NULL, proc_get_gexepath, "Path of the executable of the group's leader, empty where none is known.", NO_IMAGE, "proc.pgid.exepath = /usr/bin/bash"),
	FIELD_ROW("proc.pgid.name", STRING, 0, NULL, proc_get_gname, "Name of the group's leader, empty where none is known.", NEVER, "proc.pgid.name = bash"),
	FIELD_ROW("proc.pid", S64, 0, NULL, get_pid, "Process id, as the host numbers it.", NEVER, "proc.pid = 1"),
	FIELD_ROW("proc.pid.ts", ABSTIME, 0, NULL, get_pid_ts, "When the process started.", "Where that is not known.", "proc.pid.ts > 1700000000000000000"),
	FIELD_ROW("proc.pidns_init_start_ts", ABSTIME, 0, NULL, get_pidns_init_start_ts,
		"When the first process of its pid namespace started; in a container about the container's start.", "Where that is not known.", "proc.pidns_init_start_ts > 1700000000000000000"),
	FIELD_ROW("proc.pname", STRING, 0, NULL, proc_get_pname, "Name of the parent.", NO_PARENT, "proc.pname = nginx"),
	FIELD_ROW("proc.ppid", S64, 0, NULL, get_ppid, "Process id of the present parent.", NEVER, "proc.ppid = 1"),
	FIELD_ROW("proc.ppid.duration", RELTIME, 0, NULL, get_ppid_duration, "Age of the parent in nanoseconds.", "Where its start is not known.", "proc.ppid.duration < 1000000000"),
	FIELD_ROW("proc.ppid.ts", ABSTIME, 0, NULL, get_ppid_ts, "When the parent started.", "Where that is not known.", "proc.ppid.ts > 1700000000000000000"),
	FIELD_ROW("proc.pvpid", S64, 0, NULL, get_pvpid, "Process id of the parent in the process's own pid namespace; 0 where it is outside.", NEVER, "proc.pvpid = 0"),
	FIELD_ROW("proc.sid", S64, 0, NULL, get_sid, "Session, as the host numbers it.", NEVER, "proc.sid = 1234"),
	FIELD_ROW("proc.sid.exe", STRING, 0, NULL, proc_get_sexe, "argv[0] of the session's leader, empty where none is known.", NO_IMAGE, "proc.sid.exe startswith sshd"),
	FIELD_ROW("proc.sid.exepath", STRING, 0, NULL, proc_get_sexepath, "Path of the executable of the session's leader, empty where none is known.", NO_IMAGE, "proc.sid.exepath = /usr/bin/bash"),
	FIELD_ROW("proc.sname", STRING, 0, NULL, proc_get_sname, "Name of the session's leader, empty where none is known.", NEVER, "proc.sname = sshd"),
	FIELD_ROW_RESERVED("proc.stderr.name", STRING, 0, "fd.name of descriptor 2.", NO_VALUE, "proc.stderr.name startswith /dev/pts"),
	FIELD_ROW_RESERVED("proc.stderr.type", STRING, 0, "fd.type of descriptor 2.", NO_VALUE, "proc.stderr.type = ipv4"),
	FIELD_ROW_RESERVED("proc.stdin.name", STRING, 0, "fd.name of descriptor 0.", NO_VALUE, "proc.stdin.name startswith /dev/pts"),
	FIELD_ROW_RESERVED("proc.stdin.type", STRING, 0, "fd.type of descriptor 0.", NO_VALUE, "proc.stdin.type = ipv4"),
	FIELD_ROW_RESERVED("proc.stdout.name", STRING, 0, "fd.name of descriptor 1.", NO_VALUE, "proc.stdout.name startswith /dev/pts"),
	FIELD_ROW_RESERVED("proc.stdout.type", STRING, 0, "fd.type of descriptor 1.", NO_VALUE, "proc.stdout.type = ipv4"),
	FIELD_ROW("proc.tty", U64, FIELD_IS_U32, NULL, get_tty, "Device number of the controlling terminal, 0 for none.", NEVER, "proc.tty != 0"),
	FIELD_ROW("proc.vmrss", U64, 0, schema_is_exec, get_vmrss, "Resident memory in KiB.", "On every event but execve and execveat.", "proc.vmrss > 1048576"),
	FIELD_ROW("proc.vmsize", U64, 0, schema_is_exec, get_vmsize, "Virtual memory in KiB.", "On every event but execve and execveat.", "proc.vmsize > 1048576"),
	FIELD_ROW("proc.vmswap", U64, 0, schema_is_exec, get_vmswap, "Swapped memory in KiB.", "On every event but execve and execveat.", "proc.vmswap > 0"),
	FIELD_ROW("proc.vpgid", S64, 0, NULL, get_vpgid, "Process group in the process's own pid namespace.", NEVER, "proc.vpgid = 1"),
	FIELD_ROW("proc.vpgid.exe", STRING, 0, NULL, proc_get_gexe, "argv[0] of that group's leader, empty where none is known.", NO_IMAGE, "proc.vpgid.exe endswith /sh"),
	FIELD_ROW("proc.vpgid.exepath", STRING, 0, NULL, proc_get_gexepath, "Path of the executable of that group's leader, empty where none is known.", NO_IMAGE, "proc.vpgid.exepath = /usr/bin/bash"),
	FIELD_ROW("proc.vpgid.name", STRING, 0, NULL, proc_get_gname, "Name of that group's leader, empty where none is known.", NEVER, "proc.vpgid.name = bash"),
	FIELD_ROW("proc.vpid", S64, 0, NULL, get_vpid, "Process id in its own pid namespace; 1 is a container's first.", NEVER, "proc.vpid = 1"),
};
/* clang-format on */

const struct field_family fields_proc = { fields, ARRAY_LEN(fields) };
