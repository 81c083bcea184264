/*
 * A configuration file of arbitrary bytes: read, checked, its diagnostics printed; where it is
 * good, what is printed of it can be read again.
 */
#include <stdlib.h>

#include "haetae/conf.h"
#include "target.h"

#define INPUT_MAX (1u << 16)

static void check_places(const struct diags *diags)
{
	for (uint32_t i = 0; i < diags->item_cnt; i++) {
		struct span at = diags->items[i].at;

		hae_assert(at.source < MAX(diags->source_cnt, 1u));
		hae_assert(at.source == 0 || at.offset <= diags->sources[at.source].text.n);
		(void)diags_position(diags, at);
	}
}

static int load(struct conf *conf, struct str text, struct diags *diags)
{
	int r = conf_load_text(conf, STR("fuzz.yaml"), text, diags);

	return r == 0 ? conf_finish(conf, diags) : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(conf_freep) struct conf *conf = conf_new(), *again = conf_new();
	_cleanup_(diags_done) struct diags diags;
	_cleanup_(buf_done) struct buf out;
	int r;

	diags_init(&diags);
	buf_init(&out, 1u << 24);
	if (size > INPUT_MAX || !conf || !again)
		return 0;
	r = load(conf, (struct str){ (const char *)data, (uint32_t)size }, &diags);
	hae_assert(r == 0 || r == CONF_E_INVALID);
	hae_assert((r == 0) == !diags_has_errors(&diags));
	check_places(&diags);
	diags_format_json(&diags, &out);
	buf_clear(&out);
	if (r == 0) {
		conf_print(conf, &out);
		/* Masked secrets may be no URLs any more. */
		r = load(again, buf_str(&out), &diags);
		hae_assert(r == 0 || memmem(out.p, out.n, "****", 4) ||
			   memmem(out.p, out.n, "${", 2));
	}
	return 0;
}
