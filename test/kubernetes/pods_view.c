/*
 * The metadata thread with Kubernetes as its only source, and the engine's table of pods behind it,
 * for the tests here: "view" on the standard input prints the pods, one a line, and "end"; "stats"
 * the counters. Arguments: url=, token=, ca=, node=, kubelet=, idle=, backoff= (milliseconds).
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "haetae/clock.h"
#include "haetae/metadata.h"

struct view {
	struct metadata *metadata;
	struct pod_table *pods;
	bool is_healthy;
	uint64_t health_changes;
};

static uint64_t milliseconds(const char *text)
{
	return strtoull(text, NULL, 10) * NS_PER_MS;
}

static bool set(struct metadata_config *config, const char *argument)
{
	const char *value = strchr(argument, '=');
	struct str key = { argument, value ? (uint32_t)(value - argument) : 0 };

	if (!value)
		return false;
	value++;
	if (str_eq_text(key, "url"))
		config->api_url = value;
	else if (str_eq_text(key, "token"))
		config->token_file = value;
	else if (str_eq_text(key, "ca"))
		config->ca_file = value;
	else if (str_eq_text(key, "node"))
		config->node_name = value;
	else if (str_eq_text(key, "all"))
		config->want_all_pods = true;
	else if (str_eq_text(key, "idle"))
		config->watch_idle_ns = milliseconds(value);
	else if (str_eq_text(key, "backoff"))
		config->backoff_max_ns = config->backoff_min_ns = milliseconds(value);
	else if (str_eq_text(key, "kubelet")) {
		config->kubernetes = KUBERNETES_KUBELET;
		config->kubelet_url = value;
	} else
		return false;
	return true;
}

static void apply(struct view *view, struct metadata_answer *answer)
{
	switch (answer->type) {
	case ANSWER_POD:
		pod_table_put(view->pods, TAKE_PTR(answer->pod));
		break;
	case ANSWER_POD_GONE:
		pod_table_remove(view->pods, str_from(answer->full_id));
		break;
	case ANSWER_PODS_BEGIN:
		pod_table_sync_begin(view->pods);
		break;
	case ANSWER_PODS_END:
		pod_table_sync_end(view->pods);
		break;
	case ANSWER_SOURCE:
		view->health_changes += answer->source == METADATA_KUBERNETES;
		if (answer->source == METADATA_KUBERNETES)
			view->is_healthy = answer->is_healthy;
		break;
	case ANSWER_CONTAINER:
	case ANSWER_CONTAINER_UNKNOWN:
		break;
	}
}

static void drain(struct view *view)
{
	struct metadata_answer *answer;

	while ((answer = metadata_take(view->metadata))) {
		apply(view, answer);
		metadata_answer_free(answer);
	}
}

static void print_pods(const struct view *view)
{
	const struct pod_info *pod;
	uint32_t cursor = 0;

	while ((pod = pod_table_next(view->pods, &cursor))) {
		struct str label = STR("-");

		for (uint32_t i = 0; i < pod->label_cnt; i++)
			if (str_eq_text(pod->labels[i].key, "version"))
				label = pod->labels[i].value;
		printf("%.*s %.*s/%.*s %.*s %.*s %.*s\n", STR_ARG(pod->uid),
		       STR_ARG(pod->namespace), STR_ARG(pod->name), STR_ARG(label),
		       STR_ARG(pod->ip_cnt ? pod->ips[0] : STR("-")),
		       STR_ARG(pod->deployment_name.p ? pod->deployment_name : STR("-")));
	}
	printf("end\n");
}

static void print_stats(const struct view *view)
{
	struct metadata_stats stats;

	metadata_stats(view->metadata, &stats);
	printf("healthy=%d changes=%llu pods=%u requests=%llu failures=%llu refused=%llu "
	       "relists=%llu restarts=%llu tokens=%llu\nend\n",
	       view->is_healthy, (unsigned long long)view->health_changes,
	       pod_table_count(view->pods), (unsigned long long)stats.requests,
	       (unsigned long long)stats.failures, (unsigned long long)stats.refused_answers,
	       (unsigned long long)stats.relists, (unsigned long long)stats.watch_restarts,
	       (unsigned long long)stats.token_reads);
}

/* False at the end of the input. */
static bool obey(struct view *view)
{
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	drain(view);
	if (strcmp(line, "view\n") == 0)
		print_pods(view);
	else
		print_stats(view);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	struct metadata_config config;
	struct view view = { 0 };
	bool is_running = true;

	metadata_config_default(&config);
	config.want_runtimes = false;
	config.kubernetes = KUBERNETES_API;
	for (int i = 1; i < argc; i++)
		if (!set(&config, argv[i])) {
			fprintf(stderr, "%s: not an argument: %s\n", argv[0], argv[i]);
			return 2;
		}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (pod_table_new(config.max_pods, &view.pods) < 0 ||
	    metadata_start(&config, &view.metadata) < 0)
		return 1;
	while (is_running) {
		struct pollfd fds[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = metadata_poll_fd(view.metadata), .events = POLLIN },
		};

		(void)poll(fds, ARRAY_LEN(fds), 1000);
		drain(&view);
		if (fds[0].revents)
			is_running = obey(&view);
	}
	metadata_free(view.metadata);
	pod_table_free(view.pods);
	return 0;
}
