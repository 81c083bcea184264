/*
 * A thread that asks getaddrinfo(3) for the addresses of host names, again and again. It shares a
 * bounded queue with the engine thread. getaddrinfo() cannot be interrupted and may hang as long as
 * the name server does not answer, so whoever of the two ends last frees what both use.
 */
#include "haetae/host_names.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include "haetae/clock.h"
#include "haetae/queue.h"

struct name {
	char *text; /* owned */
	uint64_t next_ns, retry_ns;
	bool is_answered;
	struct resolver_answer *last; /* owned: what the engine knows */
};

struct resolver {
	struct resolver_config config; /* its names point to nothing of ours */
	struct name *names;	       /* owned; the thread's */
	struct queue answers;
	int stop_fd;
	_Atomic bool is_stopping;
	_Atomic uint32_t owners; /* the thread and the engine */
	_Atomic uint64_t lookups, failures, left_out;
};

void resolver_config_default(struct resolver_config *config)
{
	*config = (struct resolver_config){
		.refresh_ns = 30 * NS_PER_SEC,
		.retry_min_ns = 5 * NS_PER_SEC,
		.retry_max_ns = 60 * NS_PER_SEC,
	};
}

static void release(struct resolver *resolver)
{
	struct resolver_answer *answer;

	if (atomic_fetch_sub(&resolver->owners, 1) != 1)
		return;
	while (resolver->answers.items && (answer = queue_take(&resolver->answers)))
		free(answer);
	queue_done(&resolver->answers);
	for (uint32_t i = 0; resolver->names && i < resolver->config.name_cnt; i++) {
		free(resolver->names[i].text);
		free(resolver->names[i].last);
	}
	free(resolver->names);
	close_fdp(&resolver->stop_fd);
	free(resolver);
}

/* ---- one lookup ----------------------------------------------------------------------------- */

static bool add_address(struct resolver_answer *answer, const struct sockaddr *address)
{
	struct host_address *next = &answer->addresses[answer->address_cnt];

	if (answer->address_cnt == HOST_NAME_ADDRESSES_MAX)
		return false;
	if (address->sa_family == AF_INET)
		host_address_from((const void *)&((const struct sockaddr_in *)(const void *)address)
					  ->sin_addr,
				  4, next);
	else if (address->sa_family == AF_INET6)
		host_address_from(
			(const void *)&((const struct sockaddr_in6 *)(const void *)address)
				->sin6_addr,
			16, next);
	else
		return true;
	answer->address_cnt++;
	return true;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_address));
}

/* Sorted, so that two answers with the same addresses are equal. NULL where asking failed. */
static struct resolver_answer *look_up(struct resolver *resolver, uint32_t number)
{
	/* One socket type, or each address comes three times. */
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct resolver_answer *answer;
	int r = getaddrinfo(resolver->names[number].text, NULL, &hints, &list);

	resolver->lookups++;
	/* "There is none" is an answer. */
	if (r != 0 && r != EAI_NONAME && r != EAI_NODATA) {
		resolver->failures++;
		return NULL;
	}
	answer = calloc(1, sizeof(*answer) + HOST_NAME_ADDRESSES_MAX * sizeof(struct host_address));
	if (answer) {
		answer->name = number;
		for (const struct addrinfo *i = list; i; i = i->ai_next)
			if (!add_address(answer, i->ai_addr))
				resolver->left_out++;
		qsort(answer->addresses, answer->address_cnt, sizeof(answer->addresses[0]),
		      compare);
	}
	if (list)
		freeaddrinfo(list);
	return answer;
}

static bool is_same(const struct resolver_answer *a, const struct resolver_answer *b)
{
	return a && b && a->address_cnt == b->address_cnt &&
	       memcmp(a->addresses, b->addresses, a->address_cnt * sizeof(a->addresses[0])) == 0;
}

static struct resolver_answer *copy_answer(uint32_t number, const struct resolver_answer *answer)
{
	size_t bytes = answer ? answer->address_cnt * sizeof(struct host_address) : 0;
	struct resolver_answer *copy = calloc(1, sizeof(*copy) + bytes);

	if (!copy)
		return NULL;
	copy->name = number;
	if (answer) {
		copy->address_cnt = answer->address_cnt;
		memcpy(copy->addresses, answer->addresses, bytes);
	}
	return copy;
}

/* False: it could not be told, and is asked for again. */
static bool tell(struct resolver *resolver, uint32_t number, const struct resolver_answer *answer)
{
	struct resolver_answer *copy = copy_answer(number, answer);

	if (copy && queue_put(&resolver->answers, copy)) {
		resolver->names[number].is_answered = true;
		return true;
	}
	free(copy);
	return false;
}

static void resolve(struct resolver *resolver, uint32_t number)
{
	const struct resolver_config *config = &resolver->config;
	struct name *name = &resolver->names[number];
	struct resolver_answer *answer = look_up(resolver, number);
	bool is_told = true;

	if (!answer && !name->is_answered)
		is_told = tell(resolver, number, NULL);
	else if (answer && !is_same(answer, name->last))
		is_told = tell(resolver, number, answer);
	if (answer && is_told) {
		free(name->last);
		name->last = TAKE_PTR(answer);
		name->retry_ns = config->retry_min_ns;
		name->next_ns = clock_boot_ns() + config->refresh_ns;
	} else {
		name->next_ns = clock_boot_ns() + name->retry_ns;
		name->retry_ns = MIN(name->retry_ns * 2, config->retry_max_ns);
	}
	free(answer);
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* The name that is due first. */
static uint32_t find_next(const struct resolver *resolver)
{
	uint32_t next = 0;

	for (uint32_t i = 1; i < resolver->config.name_cnt; i++)
		if (resolver->names[i].next_ns < resolver->names[next].next_ns)
			next = i;
	return next;
}

static void *run(void *data)
{
	struct resolver *resolver = data;

	while (!resolver->is_stopping) {
		uint32_t next = find_next(resolver);
		uint64_t now_ns = clock_boot_ns(), next_ns = resolver->names[next].next_ns;
		struct pollfd fd = { .fd = resolver->stop_fd, .events = POLLIN };

		if (next_ns > now_ns)
			(void)poll(&fd, 1,
				   (int)MIN((next_ns - now_ns) / NS_PER_MS + 1, (uint64_t)60000));
		else
			resolve(resolver, next);
	}
	release(resolver);
	return NULL;
}

static int start_thread(struct resolver *resolver)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	r = pthread_attr_init(&attributes);
	if (r != 0)
		return -r;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	resolver->owners = 2;
	r = pthread_create(&thread, &attributes, run, resolver);
	if (r != 0)
		resolver->owners = 1;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

static int copy_names(struct resolver *resolver, const struct resolver_config *config)
{
	resolver->names = calloc(config->name_cnt, sizeof(*resolver->names));
	if (!resolver->names)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->name_cnt; i++) {
		resolver->names[i].text = strndup(config->names[i].p, config->names[i].n);
		resolver->names[i].retry_ns = config->retry_min_ns;
		if (!resolver->names[i].text)
			return -ENOMEM;
	}
	return 0;
}

int resolver_start(const struct resolver_config *config, struct resolver **ret)
{
	struct resolver *resolver;
	int r;

	if (config->name_cnt == 0 || config->name_cnt > HOST_NAMES_MAX)
		return -EINVAL;
	resolver = aligned_alloc(_Alignof(struct resolver), sizeof(*resolver));
	if (!resolver)
		return -ENOMEM;
	memset(resolver, 0, sizeof(*resolver));
	resolver->config = *config;
	resolver->config.names = NULL;
	resolver->owners = 1;
	resolver->answers.event_fd = -1;
	resolver->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = resolver->stop_fd < 0 ? -errno : copy_names(resolver, config);
	/* Room for one answer of each name. */
	if (r == 0)
		r = queue_init(&resolver->answers, config->name_cnt);
	if (r == 0)
		r = start_thread(resolver);
	if (r < 0) {
		release(resolver);
		return r;
	}
	*ret = resolver;
	return 0;
}

int resolver_poll_fd(const struct resolver *resolver)
{
	return resolver->answers.event_fd;
}

struct resolver_answer *resolver_take(struct resolver *resolver)
{
	queue_acknowledge(&resolver->answers);
	return queue_take(&resolver->answers);
}

void resolver_stats(const struct resolver *resolver, struct resolver_stats *ret)
{
	*ret = (struct resolver_stats){
		.lookups = resolver->lookups,
		.failures = resolver->failures,
		.left_out = resolver->left_out,
	};
}

struct resolver *resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return NULL;
	resolver->is_stopping = true;
	(void)!write(resolver->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	release(resolver);
	return NULL;
}
