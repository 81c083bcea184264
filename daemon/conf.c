/*
 * One configuration: built-in defaults, a file over them, -o over that. Owns all strings in an
 * arena. Called by the commands before any thread starts.
 */
#include "haetae/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "conf_private.h"

#define ARENA_MAX (64u << 20)

struct conf *conf_new(void)
{
	_cleanup_(conf_freep) struct conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	conf->private = calloc(1, sizeof(*conf->private));
	if (!conf->private)
		return NULL;
	arena_init(&conf->private->arena, ARENA_MAX);
	daemon_config_default(&conf->daemon);
	return TAKE_PTR(conf);
}

struct conf *conf_free(struct conf *conf)
{
	if (!conf)
		return NULL;
	if (conf->private)
		arena_done(&conf->private->arena);
	free(conf->private);
	free(conf);
	return NULL;
}

static struct conf_reading reading_of(struct conf *conf, struct diags *diags,
				      enum conf_origin_kind kind)
{
	return (struct conf_reading){
		.conf = conf,
		.diags = diags,
		.options = conf_option_at(0),
		.base = &conf->daemon,
		.origins = conf->private->origins,
		.kind = kind,
	};
}

static int result_of(const struct conf *conf, const struct diags *diags, uint32_t errors_before)
{
	if (conf->private->is_out_of_memory || diags->failed)
		return -ENOMEM;
	return diags->error_cnt > errors_before ? CONF_E_INVALID : 0;
}

int conf_load_text(struct conf *conf, struct str name, struct str text, struct diags *diags)
{
	struct conf_reading reading = reading_of(conf, diags, CONF_FROM_FILE);
	uint32_t errors_before = diags->error_cnt;
	uint32_t source = diags_add_source(diags, name, text);
	struct conf_node *root;
	int r;

	reading.file = arena_str(&conf->private->arena, name).p;
	if (!source || !reading.file)
		return -ENOMEM;
	r = conf_yaml_read(&conf->private->arena, source, diags, &root);
	if (r < 0)
		return r;
	if (root && !conf_node_is_null(root) && conf_is_of_kind(&reading, root, CONF_NODE_MAP))
		conf_map_read(&reading, "", root);
	return result_of(conf, diags, errors_before);
}

/* Regular files only: nothing that blocks or never ends. */
static int read_file(struct conf *conf, const char *path, struct buf *out)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	char chunk[16384];
	ssize_t n;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
	conf->private->is_world_readable = status.st_mode & S_IROTH;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(out, chunk, (size_t)n);
	if (n < 0)
		return -errno;
	return out->failed ? -EFBIG : 0;
}

int conf_load(struct conf *conf, const char *path, struct diags *diags)
{
	_cleanup_(buf_done) struct buf text;
	int r;

	buf_init(&text, CONF_FILE_MAX);
	r = read_file(conf, path, &text);
	if (r == -ENOENT)
		return CONF_E_ABSENT;
	if (r < 0) {
		diags_error(diags, SPAN_NONE, "E0701", "see haetae.yaml(5)", "%s: %s", path,
			    r == -EINVAL ? "not a regular file" : strerror(-r));
		return CONF_E_INVALID;
	}
	return conf_load_text(conf, str_from(path), buf_str(&text), diags);
}

/* ---- KEY=VALUE ------------------------------------------------------------------------------ */

static bool is_list(const struct conf_option *option)
{
	return option->type >= CONF_TEXTS;
}

static void assign(struct conf_reading *reading, unsigned index, uint32_t source, struct str value)
{
	const struct conf_option *option = &reading->options[index];
	struct arena *arena = &reading->conf->private->arena;
	struct str whole = reading->diags->sources[source].text;
	struct conf_node node = { .kind = CONF_NODE_TEXT,
				  .is_plain = true,
				  .at = { source, whole.n - value.n, value.n },
				  .text = arena_str(arena, value) };
	struct conf_node *tree = &node;

	if (!node.text.p) {
		conf_out_of_memory(reading);
		return;
	}
	if (is_list(option) && value.n && (value.p[0] == '[' || value.p[0] == '{')) {
		source = diags_add_source(reading->diags, str_from(option->key), value);
		if (!source || conf_yaml_read(arena, source, reading->diags, &tree) < 0)
			conf_out_of_memory(reading);
		if (!tree || !source)
			return;
	}
	(void)conf_option_read(reading, index, tree);
}

static int find_option(const struct conf_option *options, struct str key)
{
	for (int i = 0; options[i].key; i++)
		if (str_eq_text(key, options[i].key))
			return i;
	return -1;
}

/* "sinks.NAME.KEY": the longest KEY that is one; a name may hold dots. */
static bool assign_to_sink(struct conf_reading *reading, struct str key, uint32_t source,
			   struct str value)
{
	struct str rest = { key.p + 6, key.n - 6 };
	struct span at = { source, 0, key.n };

	for (uint32_t i = 1; i < rest.n; i++) {
		struct sink_config *sink;
		struct conf_reading own;
		int index;

		if (rest.p[i] != '.')
			continue;
		index = find_option(conf_sink_option_at(0),
				    (struct str){ rest.p + i + 1, rest.n - i - 1 });
		if (index < 0)
			continue;
		sink = conf_sink_of(reading, (struct str){ rest.p, i }, at);
		if (!sink)
			return true;
		own = conf_sink_reading(reading, sink);
		assign(&own, (unsigned)index, source, value);
		return true;
	}
	return false;
}

static void report_unknown(struct conf_reading *reading, struct str key, struct span at)
{
	struct near_name near;
	const struct conf_option *option;
	bool is_sink = str_starts_with(key, STR("sinks."));
	const char *dot = memrchr(key.p, '.', key.n);

	near_name_init(&near, is_sink ? (struct str){ dot + 1, key.n - (uint32_t)(dot + 1 - key.p) }
				      : key);
	for (option = is_sink ? conf_sink_option_at(0) : conf_option_at(0); option->key; option++)
		near_name_offer(&near, option->key);
	diags_error(reading->diags, at, "E0703", "'haetae list options' prints the keys there are",
		    "unknown key '%.*s'", STR_ARG(key));
	if (near.best)
		diags_hint(reading->diags, "did you mean '%s%s'?", is_sink ? "sinks.NAME." : "",
			   near.best);
}

int conf_assign(struct conf *conf, const char *assignment, struct diags *diags)
{
	struct conf_reading reading = reading_of(conf, diags, CONF_FROM_OPTION);
	uint32_t errors_before = diags->error_cnt;
	uint32_t source = diags_add_source(diags, STR("-o"), str_from(assignment));
	const char *equals = strchr(assignment, '=');
	struct str key = { assignment, (uint32_t)strcspn(assignment, "=") }, value;
	struct span at = { source, 0, key.n };
	int index;

	if (!source)
		return -ENOMEM;
	if (!equals) {
		diags_error(diags, at, "E0706", "write KEY=VALUE", "'%s' is not KEY=VALUE",
			    assignment);
		return CONF_E_INVALID;
	}
	value = str_from(equals + 1);
	index = find_option(reading.options, key);
	if (index >= 0)
		assign(&reading, (unsigned)index, source, value);
	else if (!str_starts_with(key, STR("sinks.")) ||
		 !assign_to_sink(&reading, key, source, value))
		report_unknown(&reading, key, at);
	return result_of(conf, diags, errors_before);
}

/* ---- other options of the command line ------------------------------------------------------ */

void conf_mark_command_line(struct conf *conf, const char *key)
{
	int index = find_option(conf_option_at(0), str_from(key));

	hae_assert(index >= 0);
	conf->private->origins[index] = (struct conf_origin){ .kind = CONF_FROM_COMMAND_LINE };
}

bool conf_set_rule_paths(struct conf *conf, const char *const *paths, uint32_t path_cnt)
{
	if (path_cnt > DAEMON_PATHS_MAX)
		return false;
	for (uint32_t i = 0; i < path_cnt; i++)
		conf->daemon.rule_paths[i] = paths[i];
	conf->daemon.rule_path_cnt = path_cnt;
	return true;
}

void conf_set_console_format(struct conf *conf, enum sink_format format)
{
	int index = find_option(conf_sink_option_at(0), STR("format"));

	for (uint32_t i = 0; i < conf->daemon.sink_cnt; i++) {
		struct sink_config *sink = &conf->daemon.sinks[i];

		if (!sink->type || strcmp(sink->type, "stdout") != 0)
			continue;
		sink->format = format;
		conf->private->sink_origins[i][index] =
			(struct conf_origin){ .kind = CONF_FROM_COMMAND_LINE };
	}
}
