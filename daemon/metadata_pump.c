/*
 * Carries questions from the container table to the metadata thread and answers back into the
 * engine. Owns nothing. Called by the daemon's loop, engine thread.
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
		engine_asked(engine, 1);
	}
}

void metadata_pump_take(struct metadata *metadata, struct engine *engine)
{
	struct metadata_answer *answer;

	for (int i = 0; metadata && i < PASS_ANSWERS && (answer = metadata_take(metadata)); i++) {
		engine_answer(engine, answer);
		metadata_answer_free(answer);
	}
}
