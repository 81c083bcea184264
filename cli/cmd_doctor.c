/*
 * haetae doctor: what this host offers and what is missing. Asks the probes, adds what lies outside
 * the kernel. Owns nothing.
 */
#include <pwd.h>
#include <stdio.h>

#include "haetae/conf.h"
#include "haetae/log.h"
#include "haetae/text.h"

#include "commands.h"
#include "configuration.h"
#include "doctor_metadata.h"
#include "rule_paths.h"

#define CHECK_MAX (PROBES_FEATURE_MAX + 8 + DOCTOR_METADATA_MAX)
#define JSON_MAX  (1u << 20)

enum doctor_option {
	DOCTOR_CONFIG,
	DOCTOR_SETTING,
	DOCTOR_JSON,
	DOCTOR__COUNT
};

static const struct option_spec options[] = {
	[DOCTOR_CONFIG] = { 'c', "config", "FILE",
			    "The configuration that 'haetae run' is to have, for what it asks "
			    "about containers.",
			    false },
	[DOCTOR_SETTING] = { 'o', "option", "KEY=VALUE", "Set an option of the configuration.",
			     true },
	[DOCTOR_JSON] = { 0, "json", NULL, "Print one JSON array.", false },
};
_Static_assert(ARRAY_LEN(options) == DOCTOR__COUNT, "one row an option");

static struct probes_feature *add(struct probes_feature *features, unsigned *cnt, const char *name,
				  enum probes_feature_state state)
{
	hae_assert(*cnt < CHECK_MAX);
	features[*cnt] = (struct probes_feature){ .name = name, .state = state };
	return &features[(*cnt)++];
}

static void check_users(struct probes_feature *features, unsigned *cnt)
{
	struct probes_feature *feature = add(features, cnt, "user names", FEATURE_PRESENT);

	if (getpwuid(0)) {
		snprintf(feature->detail, sizeof(feature->detail), "found");
		return;
	}
	feature->state = FEATURE_OPTIONAL_MISSING;
	snprintf(feature->detail, sizeof(feature->detail), "there is no entry for uid 0");
	feature->fix = "make /etc/passwd readable, else user.name is empty";
}

static void check_rules(struct probes_feature *features, unsigned *cnt)
{
	struct probes_feature *feature = add(features, cnt, "rules", FEATURE_PRESENT);
	_cleanup_(rule_paths_done) struct rule_paths paths = { 0 };

	if (rule_paths_find(&paths) == 0 && paths.path_cnt > 0) {
		snprintf(feature->detail, sizeof(feature->detail), "%s%s%s", paths.paths[0],
			 paths.path_cnt > 1 ? ", " : "", paths.path_cnt > 1 ? paths.paths[1] : "");
		return;
	}
	feature->state = FEATURE_OPTIONAL_MISSING;
	snprintf(feature->detail, sizeof(feature->detail), "none are installed");
	feature->fix = "install them in " HAETAE_RULES_DIR ", or give -r PATH to every command";
}

/* clang-format off: a table */
static const struct state_text {
	const char *word, *json;
} state_texts[] = {
	[FEATURE_MISSING] = { "missing", "missing" },
	[FEATURE_PRESENT] = { "ok", "ok" },
	[FEATURE_OPTIONAL_MISSING] = { "without", "optional_missing" },
};
/* clang-format on */

static void put_json_member(struct buf *out, const char *key, const char *text, const char *end)
{
	buf_printf(out, "\"%s\":", key);
	if (text)
		text_put_json_string(out, str_from(text));
	else
		buf_puts(out, "null");
	buf_puts(out, end);
}

static void print_json(const struct probes_feature *features, unsigned cnt)
{
	_cleanup_(buf_done) struct buf out;

	buf_init(&out, JSON_MAX);
	buf_putc(&out, '[');
	for (unsigned i = 0; i < cnt; i++) {
		buf_puts(&out, i ? ",\n{" : "{");
		put_json_member(&out, "name", features[i].name, ",");
		put_json_member(&out, "state", state_texts[features[i].state].json, ",");
		put_json_member(&out, "detail", features[i].detail, ",");
		put_json_member(&out, "fix", features[i].fix, "}");
	}
	buf_puts(&out, "]\n");
	fwrite(buf_str(&out).p, 1, buf_str(&out).n, stdout);
}

static void print_text(const struct probes_feature *features, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++) {
		const struct probes_feature *feature = &features[i];

		printf("%-8s %-22s %s\n", state_texts[feature->state].word, feature->name,
		       feature->detail);
		if (feature->fix && feature->state != FEATURE_PRESENT)
			printf("%-8s %-22s   %s\n", "", "", feature->fix);
	}
}

static int configure(const struct args *args, struct conf *conf)
{
	_cleanup_(diags_done) struct diags diags;
	int r;

	diags_init(&diags);
	r = configuration_load(args, DOCTOR_CONFIG, conf, &diags);
	if (r == EXIT_OK)
		r = configuration_assign(args, DOCTOR_SETTING, conf, &diags);
	return r == EXIT_OK ? configuration_finish(conf, &diags) : r;
}

static int run(const struct args *args)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new();
	struct probes_feature features[CHECK_MAX];
	unsigned cnt = 0, missing_cnt = 0;
	int r = conf ? configure(args, conf) : EXIT_HOST;

	if (r != EXIT_OK)
		return r;
	cnt = probes_check_host(features);
	check_users(features, &cnt);
	check_rules(features, &cnt);
	/* What the sources log, the rows say. */
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	cnt += doctor_check_metadata(&conf->daemon.metadata, &features[cnt]);
	for (unsigned i = 0; i < cnt; i++)
		missing_cnt += features[i].state == FEATURE_MISSING;
	if (args_has(args, DOCTOR_JSON))
		print_json(features, cnt);
	else
		print_text(features, cnt);
	if (!args_has(args, DOCTOR_JSON))
		puts(missing_cnt ? "haetae cannot run here: see above what to do"
				 : "haetae can run here");
	return missing_cnt ? EXIT_HOST : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "tell what this host offers and what is missing",
	.description =
		"Tries what 'haetae run' needs of this host, without loading the probes: BTF, the\n"
		"kinds of eBPF programs, privileges, cgroups, rules; and which container runtimes\n"
		"and whether Kubernetes answer. Says for each thing that is missing what to do.\n"
		"Exits with 3 where haetae cannot run. Run it as the user that is to run haetae,\n"
		"with its configuration.",
	.example = "sudo haetae doctor",
	.options = options,
	.option_cnt = ARRAY_LEN(options),
	.operand_min = 0,
	.operand_max = 0,
	.run = run,
};
