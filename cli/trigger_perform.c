/*
 * One harmless action in a process of its own: a changed name, another user or a failure ends with
 * it. Signals that end programs wait until it has cleaned up; where it was killed nevertheless,
 * this process removes what it had made. Owns the page on which the action reports.
 */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* An exit status has no room for the step, and who was killed has none. */
struct report {
	int error;
	struct trigger_step step;
};

struct trigger_run {
	struct report *report; /* shared with the action */
	pid_t pid;
};

void trigger_step_owns(struct trigger_step *step, const char *path)
{
	char *slot = step->owned[step->owned_cnt];

	hae_assert(step->owned_cnt < TRIGGER_OWNED_MAX);
	hae_assert(strlen(path) < sizeof(step->owned[0]));
	memcpy(slot, path, strlen(path) + 1);
	step->owned_cnt++;
}

void trigger_step_owns_empty(struct trigger_step *step, const char *path)
{
	char folder[TRIGGER_PATH_MAX];

	/* The slash at its end says so. */
	hae_assert(snprintf(folder, sizeof(folder), "%s/", path) < (int)sizeof(folder));
	trigger_step_owns(step, folder);
}

int trigger_folder(struct trigger_step *step, char ret[TRIGGER_PATH_MAX])
{
	(void)snprintf(ret, TRIGGER_PATH_MAX, "/tmp/haetae-trigger-XXXXXX");
	trigger_step_set(step, "make a folder in /tmp");
	if (!mkdtemp(ret))
		return -errno;
	trigger_step_owns(step, ret);
	return 0;
}

void trigger_path(struct trigger_step *step, const char *folder, const char *end,
		  char ret[TRIGGER_PATH_MAX])
{
	(void)snprintf(ret, TRIGGER_PATH_MAX, "%s/haetae-trigger-%d%s", folder, (int)getpid(), end);
	trigger_step_owns(step, ret);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	(void)remove(path);
	return 0;
}

/* Folders are 0700 and were made by us, so nobody changes them under the walk. The last first: it
 * may lie in one before it. */
static void remove_owned(const struct trigger_step *step)
{
	for (unsigned i = MIN(step->owned_cnt, (unsigned)TRIGGER_OWNED_MAX); i-- > 0;) {
		const char *path = step->owned[i];

		if (path[0] && path[strlen(path) - 1] == '/')
			(void)rmdir(path);
		else
			(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
}

static int act(const struct trigger_action *action, struct trigger_step *step)
{
	if (action->below) {
		trigger_step_set(step, "take the name %s", action->below);
		if (prctl(PR_SET_NAME, action->below))
			return -errno;
	}
	if (action->perform)
		return action->perform(step);
	if (action->shown)
		return trigger_show(step, action->shown);
	return action->place ? trigger_create(step, action->place)
			     : trigger_spawn_as(step, action->tool);
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int trigger_run_start(const struct trigger_action *action, struct trigger_run **ret)
{
	struct trigger_run *run = calloc(1, sizeof(*run));

	if (!run)
		return -ENOMEM;
	run->report = mmap(NULL, sizeof(*run->report), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->report == MAP_FAILED) {
		free(run);
		return -ENOMEM;
	}
	fflush(stdout);
	run->pid = fork();
	if (run->pid < 0) {
		trigger_run_free(run);
		return -EAGAIN;
	}
	if (run->pid == 0) {
		block_signals();
		/* What kills our group leaves it the time to clean up. */
		(void)setpgid(0, 0);
		run->report->error = act(action, &run->report->step);
		/* Here too: who waits for us may have been killed. */
		remove_owned(&run->report->step);
		_exit(0);
	}
	*ret = run;
	return 0;
}

pid_t trigger_run_pid(const struct trigger_run *run)
{
	return run->pid;
}

int trigger_run_wait(struct trigger_run *run, const char **ret_step)
{
	int status = 0;

	*ret_step = run->report->step.text;
	while (waitpid(run->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	remove_owned(&run->report->step);
	return WIFEXITED(status) ? run->report->error : -EINTR;
}

struct trigger_run *trigger_run_free(struct trigger_run *run)
{
	if (!run)
		return NULL;
	munmap(run->report, sizeof(*run->report));
	free(run);
	return NULL;
}

const char *trigger_advice(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return getuid() ? "; run it as root" : "; the host forbids it here";
	case -EROFS:
		return "; the file system is read-only";
	default:
		return "";
	}
}

/* A control group with a container's id in its name. */
static bool is_in_container_cgroup(void)
{
	_cleanup_(close_fdp) int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char text[8192];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[MAX(n, (ssize_t)0)] = 0;
	for (const char *at = text; *at; at++)
		if (strspn(at, "0123456789abcdef") >= 64)
			return true;
	return false;
}

/* PROC_CGROUP_INIT_INO of include/linux/proc_ns.h. Elsewhere the names of control groups begin
 * below the container's own, and what runtimes leave behind for programs to find must do; machines
 * that were made of an image of a container have that, too. */
static bool is_in_container(void)
{
	struct stat status;

	if (stat("/proc/self/ns/cgroup", &status) == 0 && status.st_ino == 0xEFFFFFFB)
		return is_in_container_cgroup();
	return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
	       getenv("KUBERNETES_SERVICE_HOST");
}

const char *trigger_obstacle(const struct trigger_action *action)
{
	if (action->program && access(action->program, X_OK))
		return "the program that it starts is not installed";
	if (action->wants_container && !is_in_container())
		return "its rule is for containers only";
	return NULL;
}
