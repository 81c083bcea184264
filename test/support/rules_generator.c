/*
 * See rules_generator.h. Every choice comes from a generator of numbers that is seeded by the
 * item's kind and number, so that items do not depend on each other's text. Owns nothing.
 */
#include "rules_generator.h"

#define LIST_KINDS  4
#define MACRO_KINDS 8

static const char *const programs[RULES_PROGRAM_CNT] = {
	"bash",	  "dash", "python3", "perl",  "curl",	 "wget",    "nginx",   "postgres",
	"redis",  "node", "java",    "sshd",  "cron",	 "systemd", "dpkg",    "apt",
	"tar",	  "gzip", "rsync",   "scp",   "ssh",	 "socat",   "tcpdump", "gdb",
	"strace", "make", "gcc",     "ld",    "git",	 "vim",	    "less",    "grep",
	"find",	  "sudo", "su",	     "mount", "useradd", "chown",   "docker",  "runc",
};
static const char *const folders[RULES_FOLDER_CNT] = {
	"/etc",	      "/etc/ssh", "/etc/cron.d", "/etc/pam.d", "/usr/bin",   "/usr/sbin",
	"/usr/lib",   "/bin",	  "/sbin",	 "/root",      "/root/.ssh", "/home",
	"/var/log",   "/var/lib", "/var/spool",	 "/var/run",   "/tmp",	     "/dev/shm",
	"/proc/self", "/sys/fs",  "/opt/app",	 "/srv/www",   "/boot",	     "/mnt/data",
};
static const char *const words[] = { "token",  "backup", "deploy", "agent",  "worker", "cache",
				     "shadow", "secret", "mirror", "bridge", "ledger", "beacon" };
static const char *const endings[] = { ".conf", ".so",	".key", ".pem", ".log",
				       ".sql",	".tmp", ".bak", ".sh",	".service" };
static const char *const priorities[] = { "WARNING", "NOTICE", "ERROR", "INFO", "CRITICAL" };

const char *rules_program(unsigned i)
{
	return programs[i % RULES_PROGRAM_CNT];
}
const char *rules_folder(unsigned i)
{
	return folders[i % RULES_FOLDER_CNT];
}

/* ---- numbers --------------------------------------------------------------------------------- */

struct dice {
	uint64_t state;
	const struct rules_shape *shape;
	struct buf *out;
};

/* Any well-mixed sequence will do: splitmix64 (Steele, Lea, Flood: Fast splittable PRNGs). */
static uint32_t roll(struct dice *dice, uint32_t end)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ (z >> 31)) >> 32) % end;
}

#define PICK(dice, table) ((table)[roll((dice), ARRAY_LEN(table))])

/* A list or macro of a kind: its number. */
static uint32_t pick_item(struct dice *dice, uint32_t cnt, uint32_t kinds, uint32_t kind)
{
	return roll(dice, cnt / kinds) * kinds + kind;
}

/* ---- lists ----------------------------------------------------------------------------------- */

enum list_kind {
	LIST_PROGRAMS,
	LIST_TOOLS,
	LIST_FOLDERS,
	LIST_COMMANDS
};
static const char *const list_names[LIST_KINDS] = { "program_names", "tool_names", "folder_names",
						    "command_lines" };

static void put_list_name(struct dice *dice, enum list_kind kind)
{
	buf_printf(dice->out, "%s_%u", list_names[kind],
		   pick_item(dice, dice->shape->list_cnt, LIST_KINDS, kind));
}

static void put_list_item(struct dice *dice, enum list_kind kind)
{
	switch (kind) {
	case LIST_PROGRAMS:
		buf_puts(dice->out, PICK(dice, programs));
		return;
	case LIST_TOOLS:
		buf_printf(dice->out, "%s-%s", PICK(dice, programs), PICK(dice, words));
		return;
	case LIST_FOLDERS:
		buf_printf(dice->out, "%s/%s", PICK(dice, folders), PICK(dice, words));
		return;
	case LIST_COMMANDS:
		buf_printf(dice->out, "'\"%s -%c %s\"'", PICK(dice, programs),
			   (char)('a' + roll(dice, 26)), PICK(dice, words));
		return;
	}
}

static void put_list(struct dice *dice, uint32_t number)
{
	enum list_kind kind = (enum list_kind)(number % LIST_KINDS);
	uint32_t cnt = 2 + roll(dice, 14);

	buf_printf(dice->out, "- list: %s_%u\n  items: [", list_names[kind], number);
	/* Half of them contain the list of their kind before them. */
	if (number % (4 * LIST_KINDS) >= 2 * LIST_KINDS)
		buf_printf(dice->out, "%s_%u, ", list_names[kind], number - LIST_KINDS);
	for (uint32_t i = 0; i < cnt; i++) {
		put_list_item(dice, kind);
		buf_puts(dice->out, i + 1 < cnt ? ", " : "]\n\n");
	}
}

/* ---- macros ---------------------------------------------------------------------------------- */

/* clang-format off */
static const char prelude[] =
	"- required_engine_version: 0.57.0\n\n"
	"- macro: never_true\n  condition: (evt.num=0)\n\n"
	"- macro: in_container\n  condition: (container.id != host)\n\n"
	"- macro: program_starts\n"
	"  condition: (evt.type in (execve, execveat) and evt.res = SUCCESS)\n\n"
	"- macro: opens_to_write\n"
	"  condition: (evt.type in (open,openat,openat2) and evt.is_open_write=true\n"
	"    and fd.typechar='f' and fd.num>=0)\n\n"
	"- macro: opens_to_read\n"
	"  condition: (evt.type in (open,openat,openat2) and evt.is_open_read=true\n"
	"    and fd.typechar='f' and fd.num>=0)\n\n"
	"- macro: goes_out\n"
	"  condition: >\n"
	"    (evt.type=connect and fd.typechar in (4, 6)\n"
	"     and (fd.ip != \"0.0.0.0\" and fd.net != \"127.0.0.0/8\")\n"
	"     and (evt.rawres >= 0 or evt.res = EINPROGRESS))\n\n"
	"- macro: renames\n  condition: (evt.type in (rename, renameat, renameat2))\n\n"
	"- macro: removes\n  condition: (evt.type in (unlink, unlinkat, rmdir))\n\n"
	"- macro: changes_mode\n  condition: (evt.type in (chmod, fchmod, fchmodat))\n\n";
/* clang-format on */

enum macro_kind {
	MACRO_PROGRAM,
	MACRO_BELOW,
	MACRO_COMMAND,
	MACRO_PARENT,
	MACRO_FILE,
	MACRO_KNOWN,
	MACRO_IMAGE,
	MACRO_BOTH
};
static const char *const macro_names[MACRO_KINDS] = {
	"is_program", "is_below", "runs_command", "has_parent",
	"is_file",    "is_known", "is_image",	  "is_expected",
};

static void put_macro_name(struct dice *dice, enum macro_kind kind)
{
	buf_printf(dice->out, "%s_%u", macro_names[kind],
		   pick_item(dice, dice->shape->macro_cnt, MACRO_KINDS, kind));
}

static void put_in_list(struct dice *dice, const char *field, enum list_kind kind)
{
	buf_printf(dice->out, "%s in (", field);
	put_list_name(dice, kind);
	buf_puts(dice->out, ")");
}

/* "or" of comparisons of one field. */
static void put_alternatives(struct dice *dice, const char *field, const char *op, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		buf_printf(dice->out, "%s%s %s %s/%s", i ? " or " : "", field, op,
			   PICK(dice, folders), PICK(dice, words));
}

static void put_command_macro(struct dice *dice)
{
	for (uint32_t i = 0, cnt = 2 + roll(dice, 4); i < cnt; i++)
		buf_printf(dice->out, "proc.cmdline %s \"%s %s\" or ",
			   roll(dice, 3) ? "contains" : "startswith", PICK(dice, programs),
			   PICK(dice, words));
	put_in_list(dice, "proc.cmdline", LIST_COMMANDS);
}

static void put_parent_macro(struct dice *dice)
{
	put_in_list(dice, "proc.pname", LIST_PROGRAMS);
	if (roll(dice, 2)) {
		buf_puts(dice->out, " or ");
		put_in_list(dice, roll(dice, 2) ? "proc.aname[2]" : "proc.aname[3]", LIST_PROGRAMS);
	}
	if (roll(dice, 4) == 0)
		buf_printf(dice->out, " or proc.pcmdline startswith \"%s %s\"",
			   PICK(dice, programs), PICK(dice, words));
}

static void put_file_macro(struct dice *dice)
{
	put_in_list(dice, "fd.name", LIST_FOLDERS);
	buf_puts(dice->out, " or ");
	put_in_list(dice, "fd.directory", LIST_FOLDERS);
	buf_printf(dice->out, " or fd.name endswith /%s%s", PICK(dice, words), PICK(dice, endings));
}

static void put_image_macro(struct dice *dice)
{
	buf_printf(dice->out,
		   "container.image.repository endswith /%s-%s or "
		   "container.image.repository startswith registry.example/%s",
		   PICK(dice, words), PICK(dice, programs), PICK(dice, words));
}

static void put_macro(struct dice *dice, uint32_t number)
{
	enum macro_kind kind = (enum macro_kind)(number % MACRO_KINDS);

	buf_printf(dice->out, "- macro: %s_%u\n  condition: (", macro_names[kind], number);
	switch (kind) {
	case MACRO_PROGRAM:
		put_in_list(dice, "proc.name", roll(dice, 2) ? LIST_PROGRAMS : LIST_TOOLS);
		break;
	case MACRO_BELOW:
		put_alternatives(dice, "fd.name", "startswith", 4 + roll(dice, 6));
		break;
	case MACRO_COMMAND:
		put_command_macro(dice);
		break;
	case MACRO_PARENT:
		put_parent_macro(dice);
		break;
	case MACRO_FILE:
		put_file_macro(dice);
		break;
	case MACRO_KNOWN:
		buf_puts(dice->out, "never_true");
		break;
	case MACRO_IMAGE:
		put_image_macro(dice);
		break;
	case MACRO_BOTH:
		buf_printf(dice->out, "%s_%u and not %s_%u", macro_names[MACRO_PROGRAM],
			   number - MACRO_BOTH + MACRO_PROGRAM, macro_names[MACRO_PARENT],
			   number - MACRO_BOTH + MACRO_PARENT);
		break;
	}
	buf_puts(dice->out, ")\n\n");
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* What only this rule asks: text, a word, text, the rule's number, text. */
struct own_form {
	const char *before, *between, *after;
	bool is_number; /* no word; a number that a port can have */
};
static const struct own_form start_forms[] = {
	{ "proc.name = ", "", "" },
	{ "proc.name in (helper, ", "-", ")" },
	{ "proc.exepath startswith /opt/", "-", "/" },
	{ "proc.cmdline contains \"", " --job=", "\"" },
	{ "proc.cmdline contains \"", "-", "\"" },
	{ "proc.args endswith ", "-", ".sh" },
	{ "proc.exe = /usr/libexec/", "/", "" },
	{ "proc.pname startswith ", "", "" },
	{ "proc.cmdline icontains ", "_", "" },
	{ "proc.exe glob \"/home/*/", "-", "/*\"" },
	{ "proc.exe iglob \"/home/[a-z]*/", "-", "/*\"" },
	{ "proc.cmdline regex \".*--(job|run)=", "[0-9]+", "( .*)?\"" },
	{ "proc.cmdline regex \"[^ ]+ (-[a-z] )*", "[.]d/", "\"" },
	{ "tolower(proc.exe) contains ", "-", "/" },
	{ "proc.aname[2] in (", ", ", ")" },
	{ "(proc.pcmdline contains \"", " -",
	  "\" or proc.args = val(proc.pname) and proc.vpid = 7)" },
	{ "proc.env contains ", "_", "" },
};
static const struct own_form file_forms[] = {
	{ "fd.name startswith /etc/", "/", "/" },
	{ "fd.name startswith /var/lib/", "-", "" },
	{ "fd.name startswith /opt/app/", "-", "/" },
	{ "fd.name = /etc/", "-", ".conf" },
	{ "fd.name in (/etc/", "-", ".a, /etc/other)" },
	{ "fd.name endswith /", "-", ".key" },
	{ "fd.name contains /", "-", "/" },
	{ "fd.directory in (/root/", "-", ", /root/.gnupg)" },
	{ "fd.name pmatch (/srv/", "/", ")" },
	{ "fd.name glob \"/home/*/.", "-", "/*\"" },
	{ "fd.filename = ", "-", ".log" },
	{ "fd.name regex \"/home/[^/]+/[.]", "-", "(/.*)?\"" },
	{ "fd.name pmatch (/srv/*/", "-", ", /mnt/nothing)" },
	{ "fd.name icontains /", "_", "." },
	{ "basename(fd.name) = ", "-", ".db" },
	{ "evt.arg.flags contains O_TRUNC and fd.name startswith /srv/", "/", "" },
	{ "proc.name = oneof (", ", x", ")" },
	{ "fd.ino = ", "", "", true },
	{ "user.uid in (2, ", "", ")", true },
};
static const struct own_form connection_forms[] = {
	{ "fd.sport in (6000, ", "", ")", true },
	{ "fd.sport = ", "", "", true },
	{ "proc.name = ", "-", "" },
	{ "proc.cmdline contains \"", " --peer=", "\"" },
	{ "proc.exepath startswith /opt/", "-", "/" },
	{ "fd.sport = anyof (70, ", "", ")", true },
	{ "proc.pcmdline regex \"ssh (-[a-z] )*.*@", "-", "[.]example\"" },
};

static void put_own(struct dice *dice, const struct own_form *form, uint32_t number)
{
	buf_puts(dice->out, form->before);
	buf_puts(dice->out, form->is_number ? "" : PICK(dice, words));
	buf_printf(dice->out, "%s%u%s", form->between,
		   form->is_number ? number % 60000 + 1024 : number, form->after);
}

static void put_and(struct dice *dice, const char *prefix, enum macro_kind kind)
{
	buf_puts(dice->out, prefix);
	put_macro_name(dice, kind);
}

static void put_program_condition(struct dice *dice, uint32_t number)
{
	buf_puts(dice->out, "program_starts");
	buf_puts(dice->out, roll(dice, 2) ? " and in_container" : "");
	if (roll(dice, 4)) {
		buf_puts(dice->out, " and ");
		put_own(dice, &PICK(dice, start_forms), number);
	} else {
		put_and(dice, " and ", MACRO_PROGRAM);
		put_and(dice, " and ", MACRO_COMMAND);
	}
	if (roll(dice, 3) == 0)
		put_and(dice, " and ", MACRO_PROGRAM);
	if (roll(dice, 2))
		put_and(dice, " and not ", MACRO_PARENT);
	if (roll(dice, 3) == 0)
		put_and(dice, " and not ", MACRO_BOTH);
}

static void put_file_condition(struct dice *dice, uint32_t number)
{
	buf_puts(dice->out, roll(dice, 3) ? "opens_to_write" : "opens_to_read");
	buf_puts(dice->out, roll(dice, 3) ? "" : " and in_container");
	if (roll(dice, 4)) {
		buf_puts(dice->out, " and ");
		put_own(dice, &PICK(dice, file_forms), number);
	} else {
		put_and(dice, " and (", MACRO_BELOW);
		put_and(dice, " or ", MACRO_FILE);
		buf_puts(dice->out, ")");
	}
	if (roll(dice, 2))
		put_and(dice, " and not ", MACRO_PROGRAM);
	if (roll(dice, 3) == 0)
		put_and(dice, " and not ", MACRO_COMMAND);
}

static void put_connection_condition(struct dice *dice, uint32_t number)
{
	buf_puts(dice->out, "goes_out");
	buf_puts(dice->out, roll(dice, 2) ? " and in_container" : "");
	if (roll(dice, 5) == 0) {
		buf_printf(dice->out, " and fd.net in (\"10.%u.%u.0/24\")", number / 256 % 256,
			   number % 256);
	} else if (roll(dice, 4)) {
		buf_puts(dice->out, " and ");
		put_own(dice, &PICK(dice, connection_forms), number);
	} else {
		put_and(dice, " and ", MACRO_PROGRAM);
		put_and(dice, " and ", MACRO_COMMAND);
	}
	if (roll(dice, 2))
		put_and(dice, " and not ", MACRO_IMAGE);
}

static void put_change_condition(struct dice *dice, uint32_t number)
{
	static const char *const changes[] = { "renames", "removes", "changes_mode" };

	buf_printf(dice->out, "%s and evt.arg[1] contains %s-%u", PICK(dice, changes),
		   PICK(dice, words), number);
	put_and(dice, " and not ", MACRO_PROGRAM);
}

/* Shares of the kinds: programs 4, files 3, connections 2, the rest 1 of 10. */
static void put_condition(struct dice *dice, uint32_t number)
{
	uint32_t kind = roll(dice, 10);

	if (kind < 4)
		put_program_condition(dice, number);
	else if (kind < 7)
		put_file_condition(dice, number);
	else if (kind < 9)
		put_connection_condition(dice, number);
	else
		put_change_condition(dice, number);
	put_and(dice, "\n    and not ", MACRO_KNOWN);
}

static void put_rule(struct dice *dice, uint32_t number)
{
	buf_printf(
		dice->out,
		"- rule: Rule %u of the %s\n"
		"  desc: >\n    Watches the %s; a program that has reason to do it is excepted by\n"
		"    appending to a macro\n"
		"  condition: >\n    ",
		number, PICK(dice, words), PICK(dice, words));
	put_condition(dice, number);
	buf_printf(
		dice->out,
		"\n  output: The %s was touched | file=%%fd.name evt_type=%%evt.type "
		"user=%%user.name user_uid=%%user.uid user_loginuid=%%user.loginuid "
		"process=%%proc.name proc_exepath=%%proc.exepath parent=%%proc.pname "
		"command=%%proc.cmdline terminal=%%proc.tty\n"
		"  priority: %s\n  tags: [maturity_%s, host, container, mitre_execution, T%u]\n\n",
		PICK(dice, words), PICK(dice, priorities), roll(dice, 2) ? "stable" : "incubating",
		1000 + roll(dice, 600));
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Same kind and number, same choices. */
static struct dice new_dice(const struct rules_shape *shape, struct buf *out, uint32_t kind,
			    uint32_t number)
{
	return (struct dice){ ((uint64_t)kind << 32 | number) * 0xd1342543de82ef95ULL, shape, out };
}

void rules_generate(const struct rules_shape *shape, struct buf *out)
{
	struct dice dice;

	hae_assert(shape->macro_cnt >= MACRO_KINDS && shape->list_cnt >= LIST_KINDS);
	buf_puts(out, prelude);
	for (uint32_t i = 0; i < shape->list_cnt; i++) {
		dice = new_dice(shape, out, 1, i);
		put_list(&dice, i);
	}
	for (uint32_t i = 0; i < shape->macro_cnt; i++) {
		dice = new_dice(shape, out, 2, i);
		put_macro(&dice, i);
	}
	for (uint32_t i = 0; i < shape->rule_cnt; i++) {
		dice = new_dice(shape, out, 3, shape->first_rule + i);
		put_rule(&dice, shape->first_rule + i);
	}
}
