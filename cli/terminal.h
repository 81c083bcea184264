/*
 * A full-screen terminal: raw input, the alternate screen, and both undone on every way out.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "haetae/buf.h"

/* Standard input and output become a full screen. 0 or a negative errno. Ends with the process,
 * too, on exit() and on SIGINT, SIGTERM, SIGHUP and SIGQUIT. */
int terminal_begin(void);
void terminal_end(void);
void terminal_size(int *ret_rows, int *ret_columns);
/* One screen: lines beyond its size are cut. */
void terminal_show(struct str text);
/* The next key, 0 where none came in that time, -1 where input has ended or it is to stop. */
int terminal_key(int wait_ms);

#endif
