/*
 * Trigger actions that connect, on 127.0.0.1, to a listener of their own or to nobody. Runs in a
 * child process of `haetae trigger`.
 */
#include "trigger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* A listener of our own, so that the connection meets no service of the host. */
static int listen_on_loopback(struct sockaddr_in *ret_address)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		return -errno;
	*ret_address = address;
	return TAKE_FD(fd);
}

/* For hosts without bash, whose /dev/tcp no other shell has. */
static int connect_named_shell(const struct sockaddr_in *address)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || prctl(PR_SET_NAME, "sh") ||
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	return 0;
}

int trigger_connect_shell(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in address = { 0 };
	char script[64];

	trigger_step_set(step, "listen on 127.0.0.1");
	fd = listen_on_loopback(&address);
	if (fd < 0)
		return fd;
	trigger_step_set(step, "connect a shell to 127.0.0.1:%u", ntohs(address.sin_port));
	if (access("/bin/bash", X_OK))
		return connect_named_shell(&address);
	snprintf(script, sizeof(script), ": < /dev/tcp/127.0.0.1/%u", ntohs(address.sin_port));
	return trigger_spawn("/bin/bash", (char *const[]){ "bash", "-c", script, NULL });
}

int trigger_connect_datagram(struct trigger_step *step)
{
	/* Port 9 is discard (RFC 863); nothing is sent. */
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(9),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	trigger_step_set(step, "connect a datagram socket as 'sh'");
	if (fd < 0 || prctl(PR_SET_NAME, "sh") ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

/* Nobody listens any more: the attempt counts. */
int trigger_connect_refused(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in address = { 0 };
	int r;

	trigger_step_set(step, "listen on 127.0.0.1");
	fd = listen_on_loopback(&address);
	if (fd < 0)
		return fd;
	close_fdp(&fd);
	trigger_step_set(step, "connect to 127.0.0.1 where nobody listens");
	r = connect_named_shell(&address);
	return r == -ECONNREFUSED ? 0 : r;
}

int trigger_connect_renamed(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in address = { 0 };

	trigger_step_set(step, "listen on 127.0.0.1");
	fd = listen_on_loopback(&address);
	if (fd < 0)
		return fd;
	trigger_step_set(step, "connect as a process that calls itself sh");
	return connect_named_shell(&address);
}

/* Perl is on every Debian; a host without it has other interpreters, but this shows one. */
int trigger_connect_script(struct trigger_step *step)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in address = { 0 };
	char script[160];

	trigger_step_set(step, "listen on 127.0.0.1");
	fd = listen_on_loopback(&address);
	if (fd < 0)
		return fd;
	trigger_step_set(step, "connect a perl script of the command line");
	snprintf(script, sizeof(script),
		 "use Socket; socket(S, PF_INET, SOCK_STREAM, 0); "
		 "connect(S, sockaddr_in(%u, INADDR_LOOPBACK)) or exit 1;",
		 ntohs(address.sin_port));
	return trigger_spawn("/usr/bin/perl", (char *const[]){ "perl", "-e", script, NULL });
}

/* ---- alone --------------------------------------------------------------------------------- */

static int own_address(int fd, const struct sockaddr_in *address)
{
	struct ifreq request = { .ifr_name = "lo" };

	memcpy(&request.ifr_addr, address, sizeof(*address));
	if (ioctl(fd, SIOCSIFADDR, &request))
		return -errno;
	request.ifr_flags = IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

int trigger_connect_alone(struct trigger_step *step, const char *address, uint16_t port)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_(close_fdp) int fd = -1;
	int r;

	trigger_step_set(step, "make a network of its own");
	if (inet_pton(AF_INET, address, &peer.sin_addr) != 1)
		return -EINVAL;
	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : own_address(fd, &peer);
	if (r < 0)
		return r;
	trigger_step_set(step, "connect to %s there", address);
	if (connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) == 0)
		return 0;
	return errno == ECONNREFUSED ? 0 : -errno;
}

/* ---- sockets -------------------------------------------------------------------------------- */

static int make_socket(struct trigger_step *step, const char *doing, int domain, int protocol)
{
	_cleanup_(close_fdp) int fd = -1;

	trigger_step_set(step, "%s", doing);
	fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : 0;
}

/* Protocol 0 receives nothing (packet(7)). */
int trigger_packet_socket(struct trigger_step *step)
{
	return make_socket(step, "make a packet socket", AF_PACKET, 0);
}

int trigger_raw_socket(struct trigger_step *step)
{
	return make_socket(step, "make a raw socket", AF_INET, IPPROTO_ICMP);
}

/* A shell with a command that does nothing, or none. */
static int input_from_connection(struct trigger_step *step, bool is_shell)
{
	_cleanup_(close_fdp) int listener = -1, fd = -1;
	struct sockaddr_in address = { 0 };
	pid_t pid;

	trigger_step_set(step, "connect to a listener of its own");
	listener = listen_on_loopback(&address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	trigger_step_set(step, "make a connection the standard input");
	pid = fork();
	if (pid == 0) {
		for (int target = 0; target <= 2; target++)
			(void)dup2(fd, target);
		if (is_shell)
			execl("/bin/sh", "sh", "-c", ":", (char *)NULL);
		_exit(is_shell ? errno : 0);
	}
	return pid < 0 ? -errno : trigger_wait(pid);
}

/* What a reverse shell is. */
int trigger_reverse_shell(struct trigger_step *step)
{
	return input_from_connection(step, true);
}

int trigger_connection_as_input(struct trigger_step *step)
{
	return input_from_connection(step, false);
}
