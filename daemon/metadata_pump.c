/*
 * Carries questions from the container table to the metadata thread and answers back into the
 * tables of containers and pods. Owns nothing. Called by the daemon's loop, engine thread.
 */
#include "metadata_pump.h"

/* In one pass: a whole cluster's pods must not keep the rings waiting. */
#define PASS_QUESTIONS 1024
#define PASS_ANSWERS   256

void metadata_pump_ask(struct metadata *metadata, struct engine *engine)
{
	struct metadata_question question;

	for (int i = 0; i < PASS_QUESTIONS; i++) {
		if (!container_table_question(engine->containers, &question))
			return;
		if (metadata && !metadata_ask(metadata, &question))
			return;
		container_table_asked(engine->containers, &question);
	}
}

/* Pods are in the table before containers are said to have one. */
static bool apply(struct engine *engine, struct metadata_answer *answer)
{
	bool is_news;

	switch (answer->type) {
	case ANSWER_POD:
		pod_table_put(engine->pods, pod_info_ref(answer->pod));
		break;
	case ANSWER_PODS_BEGIN:
		pod_table_sync_begin(engine->pods);
		break;
	case ANSWER_PODS_END:
		pod_table_sync_end(engine->pods);
		break;
	case ANSWER_CONTAINER:
	case ANSWER_CONTAINER_UNKNOWN:
	case ANSWER_POD_GONE:
	case ANSWER_SOURCE:
		break;
	}
	is_news = container_table_answer(engine->containers, answer);
	if (answer->type == ANSWER_POD_GONE)
		pod_table_remove(engine->pods, str_from(answer->full_id));
	return is_news;
}

bool metadata_pump_take(struct metadata *metadata, struct engine *engine)
{
	struct metadata_answer *answer;
	bool is_news = false;

	for (int i = 0; metadata && i < PASS_ANSWERS && (answer = metadata_take(metadata)); i++) {
		is_news |= apply(engine, answer);
		metadata_answer_free(answer);
	}
	return is_news;
}
