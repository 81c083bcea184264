/*
 * Values as text and as JSON, by type. No state; alert rendering and dumps call it.
 */
#include "haetae/field.h"
#include "haetae/text.h"

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
		[VALUE_S64] = "integer",       [VALUE_U64] = "unsigned",
		[VALUE_BOOL] = "boolean",      [VALUE_STRING] = "string",
		[VALUE_PATH] = "path",	       [VALUE_BYTES] = "bytes",
		[VALUE_IP] = "address",	       [VALUE_NET] = "network",
		[VALUE_PORT] = "port",	       [VALUE_RELTIME] = "duration (ns)",
		[VALUE_ABSTIME] = "time (ns)", [VALUE_FLAGS] = "flags",
	};
	_Static_assert(ARRAY_LEN(names) == VALUE_TYPE__COUNT, "a name for each type");

	return (unsigned)type < VALUE_TYPE__COUNT ? names[type] : "unknown";
}

void value_format(const struct field *field, const struct value *value, struct buf *out)
{
	switch (value->type) {
	case VALUE_S64:
		buf_put_s64(out, value->s64);
		return;
	case VALUE_U64:
	case VALUE_PORT:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
		buf_put_u64(out, value->u64);
		return;
	case VALUE_BOOL:
		buf_puts(out, value->is_true ? "true" : "false");
		return;
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		buf_put_str(out, value->str);
		return;
	case VALUE_IP:
	case VALUE_NET:
		address_format(value->ip.family, value->ip.bytes, out);
		return;
	case VALUE_TYPE__COUNT:
		break;
	}
}

void value_format_json(const struct field *field, const struct value *value, struct buf *out)
{
	switch (value->type) {
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		text_put_json_string(out, value->str);
		return;
	case VALUE_IP:
	case VALUE_NET:
		buf_putc(out, '"');
		address_format(value->ip.family, value->ip.bytes, out);
		buf_putc(out, '"');
		return;
	case VALUE_S64:
	case VALUE_U64:
	case VALUE_BOOL:
	case VALUE_PORT:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
	case VALUE_TYPE__COUNT:
		value_format(field, value, out);
		return;
	}
}
