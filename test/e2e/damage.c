/*
 * Damages a capture at a random byte, TIMES over, and replays it: each replay ends in order, says
 * where the damage is, and has taken all records that stand before it. Usage: damage FILE TIMES.
 * Prints what went wrong; the exit code is 1 then.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "haetae/alert.h"
#include "haetae/replay.h"

static unsigned bad_cnt;

static void complain(size_t at, const char *what, uint64_t got, uint64_t expected)
{
	printf("offset %zu: %s: %" PRIu64 ", not %" PRIu64 "\n", at, what, got, expected);
	bad_cnt++;
}

static uint32_t number(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* Whole frames, and records of them, before the byte. */
static uint64_t records_before(const uint8_t *bytes, size_t n, size_t at)
{
	uint64_t cnt = 0;
	size_t offset = 0;

	while (offset + 16 <= n) {
		unsigned kind = bytes[offset + 4];
		size_t end = offset + 16 + ((number(bytes + offset + 8) + 7) & ~(size_t)7);

		if (end > at)
			break;
		cnt += kind == CAPTURE_SEED || kind == CAPTURE_RECORD || kind == CAPTURE_OWN;
		offset = end;
	}
	return cnt;
}

static uint8_t *load(const char *path, size_t *ret_n)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t n = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	uint8_t *bytes = n > 0 ? malloc((size_t)n) : NULL;

	if (!bytes || pread(fd, bytes, (size_t)n, 0) != n) {
		perror(path);
		exit(1);
	}
	*ret_n = (size_t)n;
	return bytes;
}

static bool drop_alert(struct alert *alert, void *data)
{
	++*(uint64_t *)data;
	alert_free(alert);
	return true;
}

static struct replay *make_replay(const struct replay_config *config)
{
	struct ruleset *ruleset = NULL;
	struct replay *replay = NULL;
	struct diags diags;

	diags_init(&diags);
	if (ruleset_load(config->daemon->rule_paths, config->daemon->rule_path_cnt,
			 &config->daemon->rules, &diags, &ruleset) != 0 ||
	    replay_new(config, ruleset, &replay) != 0) {
		fprintf(stderr, "no replay\n");
		exit(1);
	}
	diags_done(&diags);
	return replay;
}

/* What was replayed of it. */
static uint64_t replay_once(struct replay *replay, const char *path, const uint8_t *bytes, size_t n,
			    int *ret_outcome)
{
	_cleanup_(close_fdp) int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
	struct replay_stats before, after;

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
		perror(path);
		exit(1);
	}
	replay_stats(replay, &before);
	*ret_outcome = replay_file(replay, path);
	replay_stats(replay, &after);
	return after.records - before.records;
}

int main(int argc, char **argv)
{
	static struct daemon_config daemon;
	uint64_t alert_cnt = 0;
	struct replay_config config = { .daemon = &daemon,
					.on_alert = drop_alert,
					.data = &alert_cnt };
	char path[4096];
	struct replay *replay;
	uint8_t *bytes;
	int outcome;
	size_t n;

	if (argc != 4)
		return 2;
	daemon_config_default(&daemon);
	daemon.rule_paths[daemon.rule_path_cnt++] = argv[3];
	replay = make_replay(&config);
	bytes = load(argv[1], &n);
	snprintf(path, sizeof(path), "%s.damaged", argv[1]);
	if (replay_once(replay, path, bytes, n, &outcome) != records_before(bytes, n, n) || outcome)
		complain(n, "the whole file: outcome", (uint64_t)outcome, 0);
	if (!alert_cnt)
		complain(n, "alerts of the whole file", 0, 1);
	srandom(1);
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		size_t at = (size_t)random() % n;
		uint8_t was = bytes[at];
		uint64_t records;

		bytes[at] ^= (uint8_t)(1 + random() % 255);
		records = replay_once(replay, path, bytes, n, &outcome);
		bytes[at] = was;
		if (outcome != REPLAY_E_DAMAGED && outcome != REPLAY_E_FOREIGN)
			complain(at, "outcome", (uint64_t)outcome, REPLAY_E_DAMAGED);
		if (records != records_before(bytes, n, at))
			complain(at, "records", records, records_before(bytes, n, at));
		if (strncmp(replay_message(replay), path, strlen(path)) != 0)
			complain(at, replay_message(replay), 0, 0);
	}
	unlink(path);
	replay_free(replay);
	free(bytes);
	printf("%u wrong, %" PRIu64 " alerts\n", bad_cnt, alert_cnt);
	return bad_cnt != 0;
}
