/*
 * haetae trigger --verify: performs actions while it reads the daemon's stream of alerts, and tells
 * which action raised its rule. An alert belongs to an action whose process, or an ancestor of it,
 * is the action's. Owns the connection and the results.
 */
#include "trigger.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "control_client.h"
#include "haetae/clock.h"
#include "haetae/daemon.h"
#include "haetae/text.h"

/* A second alert of an action that should raise one comes at once, or not at all. */
#define SETTLE_NS (300 * NS_PER_MS)

enum verify_state {
	VERIFY_MISSING,
	VERIFY_RAISED,
	VERIFY_OTHER, /* raised by another rule only */
	VERIFY_NOT_ENABLED,
	VERIFY_SKIPPED,
	VERIFY_FAILED
};
static const char *const state_names[] = {
	[VERIFY_MISSING] = "missing",	 [VERIFY_RAISED] = "raised",
	[VERIFY_OTHER] = "another rule", [VERIFY_NOT_ENABLED] = "not enabled",
	[VERIFY_SKIPPED] = "skipped",	 [VERIFY_FAILED] = "failed",
};

struct result {
	const struct trigger_action *action;
	enum verify_state state;
	pid_t pid; /* 0: was not performed */
	uint64_t start_ns, alert_ns;
	unsigned alert_cnt; /* of the rule */
	char note[256];	    /* the other rule, or what failed */
};

struct verify {
	const struct trigger_verification *verification;
	struct control_client client;
	struct json_object *rules;    /* owned: the array of enabled ones */
	struct json_object *immature; /* owned: those that their maturity keeps off, or NULL */
	struct result *results;	      /* owned */
	unsigned result_cnt;
	uint64_t lost; /* alerts that the daemon left out of the stream */
	bool is_pid_known;
};

/* ---- whose alert ---------------------------------------------------------------------------- */

/* PROC_PID_INIT_INO of include/linux/proc_ns.h: elsewhere our pids are not those of the daemon. */
static bool is_initial_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == 0xEFFFFFFC;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static bool is_of_process(struct json_object *alert, pid_t pid)
{
	struct json_object *own = NULL, *ancestors = NULL;

	if (!json_object_object_get_ex(alert, "haetae", &own))
		return false;
	/* "PID:START:IMAGE" */
	if (strtol(text_of(own, "exec_id"), NULL, 10) == pid)
		return true;
	if (!json_object_object_get_ex(own, "ancestors", &ancestors) ||
	    !json_object_is_type(ancestors, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(ancestors); i++) {
		struct json_object *number = NULL;

		if (json_object_object_get_ex(json_object_array_get_idx(ancestors, i), "pid",
					      &number) &&
		    json_object_get_int64(number) == pid)
			return true;
	}
	return false;
}

/* Without pids in common, the action at hand is all there is to go by. */
static struct result *find_result(struct verify *verify, struct json_object *alert)
{
	for (unsigned i = verify->result_cnt; i-- > 0;) {
		struct result *result = &verify->results[i];

		if (result->pid && (!verify->is_pid_known || is_of_process(alert, result->pid)))
			return result;
	}
	return NULL;
}

static void take_alert(struct verify *verify, struct json_object *alert)
{
	const char *rule = text_of(alert, "rule");
	struct json_object *lost = NULL;
	struct result *result;

	if (json_object_object_get_ex(alert, "lost", &lost)) {
		verify->lost += (uint64_t)json_object_get_int64(lost);
		return;
	}
	result = find_result(verify, alert);
	if (!result || result->state == VERIFY_FAILED)
		return;
	if (strcmp(rule, result->action->rule) == 0) {
		if (result->alert_cnt++ == 0)
			result->alert_ns = clock_boot_ns();
		result->state = VERIFY_RAISED;
		result->note[0] = 0;
	} else if (result->state == VERIFY_MISSING) {
		result->state = VERIFY_OTHER;
		(void)snprintf(result->note, sizeof(result->note), "%s", rule);
	}
}

/* ---- performing ----------------------------------------------------------------------------- */

static bool is_among(struct json_object *names, const char *rule)
{
	for (size_t i = 0; names && i < json_object_array_length(names); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(names, i)), rule) == 0)
			return true;
	return false;
}

/* 0, or why no more can be read. */
static int read_alerts(struct verify *verify, uint64_t until_ns, const struct result *awaited)
{
	while (!awaited || awaited->state != VERIFY_RAISED) {
		struct json_object *alert = NULL;
		int r = control_client_read(&verify->client, until_ns, &alert);

		if (r == CONTROL_E_TIME)
			return 0;
		if (r != 0)
			return r;
		take_alert(verify, alert);
		json_object_put(alert);
	}
	return 0;
}

static int verify_one(struct verify *verify, const struct trigger_action *action)
{
	struct result *result = &verify->results[verify->result_cnt++];
	const char *obstacle = trigger_obstacle(action), *step = "";
	struct trigger_run *run = NULL;
	int r;

	*result = (struct result){ .action = action, .start_ns = clock_boot_ns() };
	if (!action->rule)
		obstacle = "no shipped rule sees it";
	else if (!obstacle && is_among(verify->immature, action->rule))
		obstacle = "the daemon's rules.maturity leaves its rule off";
	if (obstacle || !is_among(verify->rules, action->rule)) {
		result->state = obstacle ? VERIFY_SKIPPED : VERIFY_NOT_ENABLED;
		(void)snprintf(result->note, sizeof(result->note), "%s", obstacle ?: "");
		return 0;
	}
	r = trigger_run_start(action, &run);
	if (r == 0) {
		result->pid = trigger_run_pid(run);
		r = trigger_run_wait(run, &step);
	}
	if (r < 0) {
		result->state = VERIFY_FAILED;
		(void)snprintf(result->note, sizeof(result->note), "cannot %.160s: %s%s", step,
			       strerror(-r), trigger_advice(r));
	}
	trigger_run_free(run);
	if (r < 0)
		return 0;
	return read_alerts(verify, clock_boot_ns() + verify->verification->timeout_ns, result);
}

/* ---- report --------------------------------------------------------------------------------- */

static long long milliseconds(const struct result *result)
{
	return (long long)((result->alert_ns - result->start_ns) / NS_PER_MS);
}

static void print_row(const struct result *result)
{
	_cleanup_(buf_done) struct buf note;
	char time[32] = "";

	buf_init(&note, 4096);
	text_put_line(&note, str_from(result->note));
	if (result->state == VERIFY_RAISED)
		(void)snprintf(time, sizeof(time), "%lld", milliseconds(result));
	if (result->alert_cnt > 1)
		buf_printf(&note, "raised %u times", result->alert_cnt);
	printf("%-26s %-52s %-12s %5s", result->action->name, result->action->rule ?: "",
	       state_names[result->state], time);
	if (note.n)
		printf("  %.*s", STR_ARG(buf_str(&note)));
	putchar('\n');
}

static void print_json(const struct verify *verify)
{
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; i < verify->result_cnt; i++) {
		const struct result *result = &verify->results[i];
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "action", json_object_new_string(result->action->name));
		json_object_object_add(
			row, "rule",
			result->action->rule ? json_object_new_string(result->action->rule) : NULL);
		json_object_object_add(row, "result",
				       json_object_new_string(state_names[result->state]));
		json_object_object_add(row, "alerts",
				       json_object_new_int64((int64_t)result->alert_cnt));
		if (result->state == VERIFY_RAISED)
			json_object_object_add(row, "milliseconds",
					       json_object_new_int64(milliseconds(result)));
		if (result->note[0])
			json_object_object_add(row, "note", json_object_new_string(result->note));
		json_object_array_add(array, row);
	}
	puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
}

static void print_table(const struct verify *verify, const unsigned *cnts)
{
	printf("%-26s %-52s %-12s %5s\n", "ACTION", "RULE", "RESULT", "MS");
	for (unsigned i = 0; i < verify->result_cnt; i++)
		print_row(&verify->results[i]);
	printf("%u of %u raised their rules\n", cnts[VERIFY_RAISED], verify->result_cnt);
	if (cnts[VERIFY_MISSING] > 0 && cnts[VERIFY_RAISED] + cnts[VERIFY_OTHER] == 0)
		puts("nothing was raised at all: does the daemon look at these processes "
		     "(--scope-pid, --scope-cgroup)?");
	if (!verify->is_pid_known)
		puts("in a PID namespace of its own, haetae cannot tell alerts of others from "
		     "these");
}

static int report(const struct verify *verify)
{
	unsigned cnts[ARRAY_LEN(state_names)] = { 0 }, good;

	for (unsigned i = 0; i < verify->result_cnt; i++)
		cnts[verify->results[i].state]++;
	if (verify->verification->want_json)
		print_json(verify);
	else
		print_table(verify, cnts);
	if (verify->lost > 0)
		fprintf(stderr,
			"haetae trigger: the daemon left out %llu alerts, for want of time to read "
			"them\n",
			(unsigned long long)verify->lost);
	good = cnts[VERIFY_RAISED] + (verify->verification->is_all ? cnts[VERIFY_SKIPPED] : 0);
	return good == verify->result_cnt ? EXIT_OK : EXIT_NOT_GOOD;
}

/* ---- the connection ------------------------------------------------------------------------- */

static int fail(const struct verify *verify, int r)
{
	const char *path = verify->verification->socket;

	if (r == -ENOENT || r == -ECONNREFUSED)
		fprintf(stderr,
			"haetae trigger: no daemon listens at %s; start 'haetae run' in another "
			"shell, or say where with --socket\n",
			path);
	else if (r == CONTROL_E_CLOSED || r == CONTROL_E_TIME)
		fprintf(stderr, "haetae trigger: the daemon at %s %s\n", path,
			r == CONTROL_E_TIME ? "does not answer" : "has hung up");
	else
		fprintf(stderr, "haetae trigger: %s: %s%s\n", path, strerror(-r),
			trigger_advice(r));
	return EXIT_HOST;
}

static int ask(struct verify *verify, const char *command, struct json_object **ret)
{
	struct json_object *answer = NULL, *is_ok = NULL;
	int r = control_client_ask(&verify->client, command, &answer);

	if (r != 0)
		return r;
	if (!json_object_object_get_ex(answer, "ok", &is_ok) || !json_object_get_boolean(is_ok)) {
		json_object_put(answer);
		return -EPROTO;
	}
	*ret = answer;
	return 0;
}

/* A reference to an array of the answer, or NULL. */
static struct json_object *array_of(struct json_object *answer, const char *key)
{
	struct json_object *array = NULL;

	if (!json_object_object_get_ex(answer, key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return NULL;
	return json_object_get(array);
}

static int connect_to_daemon(struct verify *verify)
{
	struct json_object *answer = NULL;
	int r = control_client_open(verify->verification->socket, &verify->client);

	if (r < 0)
		return r;
	r = ask(verify, "rules", &answer);
	if (r != 0)
		return r;
	verify->rules = array_of(answer, "rules");
	verify->immature = array_of(answer, "immature");
	json_object_put(answer);
	if (!verify->rules)
		return -EPROTO;
	r = ask(verify, "alerts", &answer);
	if (r == 0)
		json_object_put(answer);
	return r;
}

int trigger_verify(const struct trigger_action *const *actions, unsigned cnt,
		   const struct trigger_verification *verification)
{
	struct verify verify = { .verification = verification,
				 .client.fd = -1,
				 .is_pid_known = is_initial_pid_namespace() };
	int r, exit_code;

	verify.results = calloc(cnt ?: 1, sizeof(*verify.results));
	r = verify.results ? connect_to_daemon(&verify) : -ENOMEM;
	for (unsigned i = 0; r == 0 && i < cnt; i++)
		r = verify_one(&verify, actions[i]);
	if (r == 0)
		r = read_alerts(&verify, clock_boot_ns() + SETTLE_NS, NULL);
	exit_code = r == 0 ? report(&verify) : fail(&verify, r);
	control_client_close(&verify.client);
	json_object_put(verify.rules);
	json_object_put(verify.immature);
	free(verify.results);
	return exit_code;
}
