/*
 * The terminal of `haetae top`: termios(3) and the control sequences of ECMA-48 and xterm
 * (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html): ?1049 alternate screen, ?25 cursor,
 * ?7 wrapping. Owns the state that the terminal had before, of which there is one a process.
 */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[?7l";
static const char leave[] = "\x1b[?7h\x1b[?25h\x1b[?1049l";

static struct termios before;
static volatile sig_atomic_t is_begun, is_ended_by_signal;

static void put(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, n);

		if (written < 0 && errno != EINTR)
			return;
		bytes += written > 0 ? written : 0;
		n -= written > 0 ? (size_t)written : 0;
	}
}

/* Called from a signal handler, too: write(2) and tcsetattr(3) are safe there (signal-safety(7)).
 */
void terminal_end(void)
{
	if (!is_begun)
		return;
	is_begun = 0;
	put(leave, sizeof(leave) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

/* Signals that end a process end it with the terminal as it was; poll(2) wakes up for it. */
static void on_signal(int signal)
{
	(void)signal;
	is_ended_by_signal = 1;
}

/* The handler for the worst: the terminal first, then what would have happened. */
static void on_crash(int number)
{
	terminal_end();
	signal(number, SIG_DFL);
	raise(number);
}

/* Stopped by a shell's ^Z it would leave its screen behind: raw input has no ^Z, and others that
 * stop it are told nothing. */
static void catch_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int crashing[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	struct sigaction end = { .sa_handler = on_signal }, crash = { .sa_handler = on_crash };

	for (unsigned i = 0; i < ARRAY_LEN(ending); i++)
		(void)sigaction(ending[i], &end, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(crashing); i++)
		(void)sigaction(crashing[i], &crash, NULL);
}

int terminal_begin(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return -errno;
	raw = before;
	/* Not ISIG: ^C ends it in order, as a signal. Output stays as it is: newlines return. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	catch_signals();
	if (atexit(terminal_end) != 0)
		return -ENOMEM;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
		return -errno;
	is_begun = 1;
	put(enter, sizeof(enter) - 1);
	return 0;
}

void terminal_size(int *ret_rows, int *ret_columns)
{
	struct winsize size = { 0 };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*ret_rows = size.ws_row ? size.ws_row : 24;
	*ret_columns = size.ws_col ? size.ws_col : 80;
}

/* Whole lines only; each clears what was behind it, so that nothing flickers. */
void terminal_show(struct str text)
{
	const char *at = text.p, *end = text.p + text.n;
	_cleanup_(buf_done) struct buf out;
	int rows, columns;

	terminal_size(&rows, &columns);
	buf_init(&out, 1u << 20);
	buf_puts(&out, "\x1b[H");
	for (int row = 0; row < rows && at < end; row++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;

		if (row > 0)
			buf_puts(&out, "\r\n");
		buf_put(&out, at, (size_t)(line_end - at));
		buf_puts(&out, "\x1b[0m\x1b[K");
		at = newline ? newline + 1 : end;
	}
	buf_puts(&out, "\x1b[J");
	put(buf_str(&out).p, out.n);
}

int terminal_key(int wait_ms)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char keys[16];
	ssize_t n;

	if (is_ended_by_signal)
		return -1;
	if (poll(&input, 1, wait_ms) <= 0)
		return is_ended_by_signal ? -1 : 0;
	n = read(STDIN_FILENO, keys, sizeof(keys));
	if (n <= 0)
		return n < 0 && errno == EINTR && !is_ended_by_signal ? 0 : -1;
	/* A sequence, such as an arrow's, is no key that anybody here knows. */
	return keys[0] == '\x1b' && n > 1 ? 0 : (unsigned char)keys[0];
}
