/*
 * Reads the configuration anew and tells what in it has changed. Owns nothing: what was read is the
 * caller's. Thread of the reloads.
 */
#include "reload_config.h"

#include "conf_private.h"

#define VALUE_MAX (1u << 20)

/* ---- reading -------------------------------------------------------------------------------- */

/* As diags_print(), but without the line of the file: a token or a password may stand there. */
static void put_errors(const struct diags *diags, struct buf *out)
{
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		const struct diag *item = &diags->items[i];
		struct diag_position position = diags_position(diags, item->at);

		if (item->level != DIAG_ERROR || item->is_related)
			continue;
		if (item->at.source)
			buf_printf(out,
				   "%.*s:%u:%u: ", STR_ARG(diags->sources[item->at.source].name),
				   position.line, position.column);
		buf_printf(out, "error[%s]: %.*s", item->code, STR_ARG(item->text));
		if (item->hint.n)
			buf_printf(out, "; %.*s", STR_ARG(item->hint));
		buf_putc(out, '\n');
	}
}

bool reload_config_read(const struct daemon_config *start, struct reload_config *ret,
			struct buf *out)
{
	_cleanup_(diags_done) struct diags diags;
	int r;

	diags_init(&diags);
	r = start->reread.read(start->reread.data, &diags, &ret->config, &ret->handle);
	if (r == 0)
		return true;
	if (r < 0)
		buf_printf(out, "reading %s: %s", start->reread.path, strerror(-r));
	else
		put_errors(&diags, out);
	return false;
}

void reload_config_free(const struct daemon_config *start, struct reload_config *read)
{
	if (read->handle)
		start->reread.free(read->handle);
	*read = (struct reload_config){ 0 };
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool is_same(const struct conf_option *option, const void *before, const void *now)
{
	_cleanup_(buf_done) struct buf one, other;

	buf_init(&one, VALUE_MAX);
	buf_init(&other, VALUE_MAX);
	conf_put_value(NULL, option, before, &one);
	conf_put_value(NULL, option, now, &other);
	return !one.failed && !other.failed && str_eq(buf_str(&one), buf_str(&other));
}

static bool are_same_sinks(const struct daemon_config *before, const struct daemon_config *now)
{
	const struct conf_option *option;

	if (before->sink_cnt != now->sink_cnt)
		return false;
	for (uint32_t i = 0; i < now->sink_cnt; i++)
		for (unsigned k = 0; (option = conf_sink_option_at(k)); k++)
			if (!is_same(option, &before->sinks[i], &now->sinks[i]))
				return false;
	return true;
}

void reload_config_compare(const struct daemon_config *before, const struct daemon_config *now,
			   bool is_live, struct buf *out)
{
	const struct conf_option *option;

	for (unsigned i = 0; (option = conf_option_at(i)); i++) {
		if (option->is_live != is_live)
			continue;
		if (option->type == CONF_SINKS ? are_same_sinks(before, now)
					       : is_same(option, before, now))
			continue;
		buf_printf(out, "%s%s", out->n ? ", " : "", option->key);
	}
}
