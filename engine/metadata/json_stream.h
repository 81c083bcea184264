/*
 * A stream of JSON cut into objects while it arrives, so that a list of any length needs the memory
 * of its longest object. What is between them is not checked; each object is, by whoever parses it.
 */
#ifndef METADATA_JSON_STREAM_H
#define METADATA_JSON_STREAM_H

#include "haetae/buf.h"

enum json_stream_form {
	JSON_STREAM_VALUES, /* {…}{…}, with or without newlines: a watch */
	JSON_STREAM_LIST /* {"metadata": {…}, "items": [{…}, {…}], …}: a Kubernetes list */
};

enum json_piece {
	JSON_PIECE_ITEM,     /* one of the values, or of items */
	JSON_PIECE_METADATA, /* of a list */
	JSON_PIECE_TOO_LONG  /* either, beyond the limit: its text is not given */
};

struct json_stream {
	enum json_stream_form form;
	/* False: stop; json_stream_feed() returns false. The text is valid during the call. */
	bool (*fn)(enum json_piece piece, struct str text, void *data);
	void *data;
	struct buf piece;	     /* owned: the object at hand */
	struct buf key;		     /* owned: the last string of the list itself */
	uint32_t depth, piece_depth; /* piece_depth 0: not within one */
	enum json_piece piece_type;
	bool is_string, is_escaped, is_too_long, is_broken;
	bool has_begun, is_whole; /* of a list */
};

void json_stream_init(struct json_stream *stream, enum json_stream_form form, size_t object_max,
		      bool (*fn)(enum json_piece piece, struct str text, void *data), void *data);
void json_stream_done(struct json_stream *stream);
/* False where it cannot be JSON, or fn said so; then nothing more is taken. */
bool json_stream_feed(struct json_stream *stream, struct str bytes);
/* Nothing is half said: a list has been closed, a value is not within. */
bool json_stream_is_whole(const struct json_stream *stream);

#endif
