/*
 * Finds where objects begin and end by depth and strings alone (RFC 8259): no value is looked at,
 * so that a piece may come in any cut. Owns the piece at hand and the last key. Metadata thread.
 */
#include "json_stream.h"

#define DEPTH_MAX 256 /* deeper is none of Kubernetes' */
#define KEY_MAX	  64  /* "items" and "metadata" are shorter */

void json_stream_init(struct json_stream *stream, enum json_stream_form form, size_t object_max,
		      bool (*fn)(enum json_piece piece, struct str text, void *data), void *data)
{
	*stream = (struct json_stream){ .form = form, .fn = fn, .data = data };
	buf_init(&stream->piece, object_max);
	buf_init(&stream->key, KEY_MAX);
}

void json_stream_done(struct json_stream *stream)
{
	buf_done(&stream->piece);
	buf_done(&stream->key);
}

static void put(struct json_stream *stream, const char *p, size_t n)
{
	if (!stream->piece_depth || stream->is_too_long || n == 0)
		return;
	buf_put(&stream->piece, p, n);
	stream->is_too_long = stream->piece.failed;
}

/* Whether an object that opens here is a piece, and which. */
static bool begins_piece(struct json_stream *stream)
{
	if (stream->form == JSON_STREAM_VALUES) {
		stream->piece_type = JSON_PIECE_ITEM;
		return stream->depth == 0;
	}
	if (stream->depth == 1 && str_eq_text(buf_str(&stream->key), "metadata")) {
		stream->piece_type = JSON_PIECE_METADATA;
		return true;
	}
	stream->piece_type = JSON_PIECE_ITEM;
	return stream->depth == 2 && str_eq_text(buf_str(&stream->key), "items");
}

static bool open(struct json_stream *stream, char c)
{
	if (stream->depth == 0) {
		if (c != '{' || (stream->form == JSON_STREAM_LIST && stream->has_begun))
			return false;
		stream->has_begun = true;
	}
	if (c == '{' && !stream->piece_depth && begins_piece(stream)) {
		buf_clear(&stream->piece);
		stream->is_too_long = false;
		stream->piece_depth = stream->depth + 1;
	}
	return ++stream->depth <= DEPTH_MAX;
}

static bool end_piece(struct json_stream *stream)
{
	enum json_piece type = stream->is_too_long ? JSON_PIECE_TOO_LONG : stream->piece_type;
	struct str text = stream->is_too_long ? STR_NONE : buf_str(&stream->piece);

	stream->piece_depth = 0;
	return stream->fn(type, text, stream->data);
}

/* After the bracket itself has been put. */
static bool close_bracket(struct json_stream *stream)
{
	if (stream->depth == 0)
		return false;
	if (stream->piece_depth == stream->depth && !end_piece(stream))
		return false;
	stream->depth--;
	stream->is_whole = stream->depth == 0;
	return true;
}

/* The end of what needs no look: in a string up to the quote or backslash, else up to what changes
 * the depth or begins a string. */
static size_t plain_length(const struct json_stream *stream, struct str bytes)
{
	size_t n = 0;

	if (stream->is_escaped)
		return 0;
	while (n < bytes.n) {
		char c = bytes.p[n];

		if (c == '"' || c == '\\')
			break;
		if (!stream->is_string && (c == '{' || c == '}' || c == '[' || c == ']'))
			break;
		n++;
	}
	return n;
}

/* Between values: a page of HTML is none of ours. */
static bool is_blank(struct str bytes)
{
	for (uint32_t i = 0; i < bytes.n; i++)
		if (!memchr(" \t\r\n", bytes.p[i], 4))
			return false;
	return true;
}

static bool is_key_wanted(const struct json_stream *stream)
{
	return stream->form == JSON_STREAM_LIST && stream->depth == 1;
}

static bool take_character(struct json_stream *stream, char c)
{
	bool is_good = true;

	if (stream->is_escaped) {
		stream->is_escaped = false;
	} else if (c == '\\') {
		is_good = stream->is_string;
		stream->is_escaped = true;
	} else if (c == '"') {
		is_good = stream->depth > 0;
		if (!stream->is_string && is_key_wanted(stream))
			buf_clear(&stream->key);
		stream->is_string = !stream->is_string;
	} else if (c == '{' || c == '[') {
		is_good = open(stream, c);
	}
	put(stream, &c, 1);
	if (!stream->is_string && is_good && (c == '}' || c == ']'))
		is_good = close_bracket(stream);
	return is_good;
}

bool json_stream_feed(struct json_stream *stream, struct str bytes)
{
	while (bytes.n && !stream->is_broken) {
		size_t n = plain_length(stream, bytes);

		if (stream->is_string && is_key_wanted(stream))
			buf_put(&stream->key, bytes.p, n);
		if (stream->depth == 0 && !is_blank((struct str){ bytes.p, (uint32_t)n })) {
			stream->is_broken = true;
			break;
		}
		put(stream, bytes.p, n);
		bytes.p += n;
		bytes.n -= (uint32_t)n;
		if (!bytes.n)
			break;
		stream->is_broken = !take_character(stream, *bytes.p);
		bytes.p++;
		bytes.n--;
	}
	return !stream->is_broken;
}

bool json_stream_is_whole(const struct json_stream *stream)
{
	if (stream->is_broken || stream->depth || stream->is_string)
		return false;
	return stream->form == JSON_STREAM_VALUES || stream->is_whole;
}
