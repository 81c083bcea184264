/*
 * The service manager's socket (sd_notify(3), systemd.service(5)). Owns its descriptor, of which
 * there is one a process, as of the log. Any thread.
 */
#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "haetae/clock.h"

#define NS_PER_US 1000ull

static int socket_fd = -1;
static uint64_t alive_period_ns; /* 0: not asked for */
static uint64_t next_alive_ns;	 /* engine thread */

static void read_watchdog(void)
{
	const char *period = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long us = period ? strtoull(period, NULL, 10) : 0;

	/* Of another process of the unit. */
	if (pid && strtoll(pid, NULL, 10) != getpid())
		return;
	/* Twice in each, as sd_watchdog_enabled(3) advises. */
	alive_period_ns = MIN(us, UINT64_MAX / NS_PER_US) * NS_PER_US / 2;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd;

	if ((*path != '/' && *path != '@') || n >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, n);
	if (*path == '@')
		address.sun_path[0] = '\0'; /* abstract: unix(7) */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, length) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	socket_fd = fd;
	return 0;
}

int notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int r = 0;

	if (path) {
		read_watchdog();
		r = connect_to(path);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return r;
}

void notify_close(void)
{
	close_fdp(&socket_fd);
}

static void send_text(const char *text, size_t n)
{
	if (socket_fd >= 0)
		(void)!send(socket_fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_ready(const char *status)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "READY=1\nSTATUS=%s\n", status);

	if (n > 0)
		send_text(text, MIN((size_t)n, sizeof(text) - 1));
}

/* systemd compares the time with that of the SIGHUP that it sent (Type=notify-reload). */
void notify_reloading(void)
{
	struct timespec now;
	char text[96];
	int n;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	n = snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\n",
		     (unsigned long long)now.tv_sec * 1000000ull +
			     (unsigned long long)now.tv_nsec / 1000ull);
	send_text(text, (size_t)n);
}

void notify_stopping(void)
{
	static const char text[] = "STOPPING=1\n";

	send_text(text, sizeof(text) - 1);
}

void notify_alive(uint64_t now_ns)
{
	static const char text[] = "WATCHDOG=1\n";

	if (alive_period_ns == 0 || now_ns < next_alive_ns)
		return;
	next_alive_ns = now_ns + alive_period_ns;
	send_text(text, sizeof(text) - 1);
}
