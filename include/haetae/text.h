/*
 * Rendering of bytes that an attacker chose. Everything that leaves the program as text goes
 * through here, so that an alert is one line of valid UTF-8 and no terminal is driven by a path.
 */
#ifndef HAETAE_TEXT_H
#define HAETAE_TEXT_H

#include "haetae/buf.h"

/* Length of the valid UTF-8 sequence at p (1 to 4), or 0: malformed, overlong, surrogate, beyond
 * U+10FFFF, or cut by `end` (RFC 3629 section 4). */
unsigned utf8_sequence(const char *p, const char *end);
/* The code point of a sequence of n bytes that utf8_sequence() found. */
uint32_t utf8_decode(const char *p, unsigned n);
/* What must not reach a terminal or a chat window as it is: C0, DEL, C1, and the format characters
 * that reorder, hide or join text (Unicode general category Cf, and the line separators). */
bool text_is_unsafe(uint32_t c);

/* The content of a JSON string, without the quotes (RFC 8259 section 7). A byte that is not valid
 * UTF-8 becomes the four characters \xHH, written in JSON as \\xHH. */
void text_put_json(struct buf *buf, struct str s);
/* The same with quotes around. */
void text_put_json_string(struct buf *buf, struct str s);

/* One line for a terminal, syslog or chat (decision 35): C0, DEL, C1, bidirectional and other
 * format characters, U+2028/9 and invalid bytes become \n \r \t \xHH or \u{HEX}; a backslash
 * stays as it is. */
void text_put_line(struct buf *buf, struct str s);

#endif
