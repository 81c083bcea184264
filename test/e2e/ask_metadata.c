/*
 * Asks the metadata thread about one container, as the engine does, and prints what it says, a line
 * each: "name=web". Ends when the answer is complete, or nobody knows the container.
 *
 *	ask_metadata SOCKET BUNDLE_ROOT TYPE NAMESPACE POD_UID ID	("" or - for what is not
 *told)
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "haetae/clock.h"
#include "haetae/metadata.h"

static void print(const char *name, struct str text)
{
	if (text.p)
		printf("%s=%.*s\n", name, STR_ARG(text));
}

static void print_labels(const char *name, const struct label *labels, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		printf("%s.%.*s=%.*s\n", name, STR_ARG(labels[i].key), STR_ARG(labels[i].value));
}

static void print_tristate(const char *name, enum tristate value)
{
	static const char *const names[] = { "unknown", "false", "true" };

	printf("%s=%s\n", name, names[value]);
}

static void print_info(const struct container_info *info)
{
	printf("answer=%s\ntype=%s\nsandbox=%d\nstarted=%d\n",
	       info->is_partial ? "partial" : "complete", container_type_name(info->type),
	       info->is_sandbox, info->started_ns != 0);
	print("full_id", info->full_id);
	print("name", info->name);
	print("image", info->image);
	print("image_id", info->image_id);
	print("image_digest", info->image_digest);
	print("handler", info->runtime_handler);
	print("sandbox_id", info->sandbox_id);
	print("pod_name", info->pod_name);
	print("pod_namespace", info->pod_namespace);
	print("pod_uid", info->pod_uid);
	print("pod_ip", info->pod_ip);
	print_tristate("privileged", info->privileged);
	print_tristate("host_network", info->host_network);
	print_tristate("host_pid", info->host_pid);
	print_tristate("host_ipc", info->host_ipc);
	print_labels("label", info->labels, info->label_cnt);
	print_labels("pod_label", info->pod_labels, info->pod_label_cnt);
	for (uint32_t i = 0; i < info->mount_cnt; i++)
		printf("mount=%.*s:%.*s:%s\n", STR_ARG(info->mounts[i].source),
		       STR_ARG(info->mounts[i].dest), info->mounts[i].is_writable ? "rw" : "ro");
}

/* Whether it was the last. */
static bool take(struct metadata *metadata)
{
	struct metadata_answer *answer;
	bool is_last = false;

	while ((answer = metadata_take(metadata))) {
		if (answer->type == ANSWER_CONTAINER) {
			print_info(answer->info);
			is_last = !answer->info->is_partial;
		} else if (answer->type == ANSWER_CONTAINER_UNKNOWN) {
			puts("answer=unknown");
			is_last = true;
		}
		metadata_answer_free(answer);
	}
	return is_last;
}

static const char *argument(char **argv, int i)
{
	return strcmp(argv[i], "-") == 0 ? "" : argv[i];
}

int main(int argc, char **argv)
{
	struct metadata_question question = { .type = QUESTION_CONTAINER };
	uint64_t end_ns = clock_boot_ns() + 6 * NS_PER_SEC;
	struct metadata_config config;
	struct metadata *metadata;
	struct metadata_stats stats;
	bool is_done = false;

	if (argc != 7)
		return 2;
	metadata_config_default(&config);
	config.kubernetes = KUBERNETES_OFF;
	config.request_timeout_ns = NS_PER_SEC;
	config.want_runtimes = strcmp(argv[1], "-") != 0;
	config.sockets[config.socket_cnt++] = argv[1];
	config.bundle_roots[config.bundle_root_cnt++] = argv[2];
	for (unsigned i = 0; i < CONTAINER_TYPE__COUNT; i++)
		if (strcmp(container_type_name(i), argv[3]) == 0)
			question.container_type = i;
	snprintf(question.runtime_namespace, sizeof(question.runtime_namespace), "%s",
		 argument(argv, 4));
	snprintf(question.pod_uid, sizeof(question.pod_uid), "%s", argument(argv, 5));
	snprintf(question.full_id, sizeof(question.full_id), "%s", argv[6]);
	if (metadata_start(&config, &metadata) < 0 || !metadata_ask(metadata, &question))
		return 1;
	while (!is_done && clock_boot_ns() < end_ns) {
		struct pollfd wait = { .fd = metadata_poll_fd(metadata), .events = POLLIN };

		(void)poll(&wait, 1, 100);
		is_done = take(metadata);
	}
	metadata_stats(metadata, &stats);
	printf("refused=%llu\nfailed=%llu\n", (unsigned long long)stats.refused_answers,
	       (unsigned long long)stats.failures);
	metadata_free(metadata);
	return is_done ? 0 : 1;
}
