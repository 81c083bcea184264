/*
 * Compresses bodies of requests with zlib. Owns nothing beyond a call. Outputs thread.
 */
#include "gzip.h"

#include <errno.h>
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* zlib.h: 16 more for a gzip header */
#define MEMORY_LEVEL	 8	   /* zlib's default */

int gzip_put(struct str body, struct buf *out)
{
	unsigned char chunk[16384];
	z_stream stream = { .next_in = (const Bytef *)body.p, .avail_in = body.n };
	int r;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	do {
		stream.next_out = chunk;
		stream.avail_out = sizeof(chunk);
		r = deflate(&stream, Z_FINISH);
		buf_put(out, chunk, sizeof(chunk) - stream.avail_out);
	} while (r == Z_OK && !out->failed);
	deflateEnd(&stream);
	return r == Z_STREAM_END && !out->failed ? 0 : -ENOMEM;
}
