/*
 * The process table against a model of it: lists that are searched from one end to the other, and
 * no limits. Records are random and contradict each other freely, for the table must stay exact
 * whatever it is given; times, pids and exec ids come from small ranges, so that they meet.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "records.h"

#define RECORD_CNT     100000
#define COMPARE_EVERY  50
#define MODEL_PROC_MAX 512
#define MODEL_IMAGES   4 /* the table's max_images */

struct model_image {
	uint64_t exec_id;
	char exe[24]; /* "?" where no exec record made it */
};

struct model_proc {
	struct proc_key key, parent, creator, reaper;
	uint64_t last, exit;
	bool is_inferred, is_partial;
	char comm[17];
	struct model_image images[MODEL_IMAGES + 1]; /* newest first */
	unsigned image_cnt;
};

struct model {
	struct model_proc procs[MODEL_PROC_MAX];
	unsigned proc_cnt;
	char event_image[64]; /* what the event that was applied last belongs to */
};

static bool same_key(struct proc_key a, struct proc_key b)
{
	return a.pid == b.pid && a.start_ns == b.start_ns;
}

static struct model_proc *model_find(struct model *m, struct proc_key key)
{
	for (unsigned i = 0; i < m->proc_cnt; i++)
		if (same_key(m->procs[i].key, key))
			return &m->procs[i];
	return NULL;
}

static struct model_proc *model_living(struct model *m, uint32_t pid)
{
	for (unsigned i = 0; i < m->proc_cnt; i++)
		if (m->procs[i].key.pid == pid && !m->procs[i].exit)
			return &m->procs[i];
	return NULL;
}

static struct model_image *model_image(struct model_proc *p, uint64_t exec_id)
{
	for (unsigned i = 0; i < p->image_cnt; i++)
		if (p->images[i].exec_id == exec_id)
			return &p->images[i];
	return NULL;
}

/* Keeps the newest; what is better stays. */
static void model_put_image(struct model_proc *p, struct model_image image)
{
	struct model_image *known = model_image(p, image.exec_id), swap;

	if (known) {
		if (known->exe[0] == '?')
			*known = image;
		return;
	}
	p->images[p->image_cnt++] = image;
	for (unsigned i = p->image_cnt - 1; i > 0; i--) {
		if (p->images[i].exec_id < p->images[i - 1].exec_id)
			break;
		swap = p->images[i];
		p->images[i] = p->images[i - 1];
		p->images[i - 1] = swap;
	}
	if (p->image_cnt > MODEL_IMAGES)
		p->image_cnt = MODEL_IMAGES;
}

static struct model_image image_named(uint64_t exec_id, const char *exe)
{
	struct model_image image = { .exec_id = exec_id };

	snprintf(image.exe, sizeof(image.exe), "%s", exe);
	return image;
}

static struct model_proc *model_add(struct model *m, struct proc_key key, struct model_image image,
				    const char *comm)
{
	struct model_proc *other = model_living(m, key.pid), *p = &m->procs[m->proc_cnt++];

	cr_assert(m->proc_cnt < MODEL_PROC_MAX);
	*p = (struct model_proc){ .key = key, .image_cnt = 1 };
	p->images[0] = image;
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	if (other) {
		struct model_proc *old = other->key.start_ns < key.start_ns ? other : p;

		old->exit = old == p ? other->key.start_ns : key.start_ns;
		old->is_inferred = true;
	}
	return p;
}

static struct model_proc *model_touch(struct model *m, const struct wire_header *h)
{
	struct proc_key key = { h->start_ns, h->pid };
	struct model_proc *p = model_find(m, key);
	struct model_image *image;

	if (!p) {
		p = model_add(m, key, image_named(h->exec_id, "?"), h->comm);
		p->is_partial = true;
	}
	if (p->is_inferred && h->time_ns > p->exit && !model_living(m, key.pid)) {
		p->exit = 0;
		p->is_inferred = false;
	}
	if (h->time_ns >= p->last) {
		p->last = h->time_ns;
		p->parent = (struct proc_key){ h->parent_start_ns, h->parent_pid };
		if (h->tid == h->pid)
			snprintf(p->comm, sizeof(p->comm), "%s", h->comm);
	}
	if (!model_image(p, h->exec_id))
		model_put_image(p, image_named(h->exec_id, "?"));
	image = model_image(p, h->exec_id);
	snprintf(m->event_image, sizeof(m->event_image), "%llu %s", (unsigned long long)h->exec_id,
		 image ? image->exe : "?");
	return p;
}

static void model_fork(struct model *m, const struct step *s, const struct wire_header *h)
{
	struct model_proc *creator = model_touch(m, h), *child;
	struct proc_key creator_key = creator->key, key = { s->child_start, s->child };
	struct model_image *known = model_image(creator, s->child_exec_id);
	struct model_image image = known ? *known : image_named(s->child_exec_id, "?");

	if (same_key(key, creator->key))
		return;
	child = model_find(m, key);
	if (child) {
		model_put_image(child, image);
	} else {
		child = model_add(m, key, image, h->comm);
		child->last = h->time_ns;
		child->parent = (struct proc_key){ s->child_parent_start, s->child_parent };
	}
	child->is_partial = false;
	if (!child->creator.start_ns)
		child->creator = creator_key;
}

static void model_exit(struct model *m, const struct step *s, const struct wire_header *h)
{
	struct model_proc *p = model_touch(m, h), *reaper;

	if (p->exit && !p->is_inferred)
		return;
	p->exit = h->time_ns;
	p->is_inferred = false;
	reaper = model_living(m, s->reaper);
	if (reaper)
		p->reaper = reaper->key;
}

static void model_apply(struct model *m, const struct step *s, const struct wire_header *h)
{
	struct proc_key key = { h->start_ns, h->pid };
	struct model_proc *p = model_find(m, key);
	char exe[64];

	if (s->kind == STEP_FORK) {
		model_fork(m, s, h);
	} else if (s->kind == STEP_EXIT) {
		model_exit(m, s, h);
	} else if (s->kind == STEP_SEED || s->kind == STEP_EXEC) {
		snprintf(exe, sizeof(exe), "/bin/%s", h->comm);
		if (s->kind == STEP_SEED)
			strcpy(exe, "?");
		if (p)
			model_put_image(p, image_named(h->exec_id, exe));
		else
			p = model_add(m, key, image_named(h->exec_id, exe), h->comm);
		p->is_partial = false;
		model_touch(m, h);
	} else {
		model_touch(m, h);
	}
}

/* ---- ancestry ---- */

static struct model_proc *above(struct model *m, struct model_proc *p, struct proc_key key)
{
	struct model_proc *q = model_find(m, key);

	return q && q != p && q->key.start_ns <= p->key.start_ns ? q : NULL;
}

static struct model_proc *model_parent(struct model *m, struct model_proc *p)
{
	struct model_proc *parent = above(m, p, p->parent);

	for (int i = 0; i < PROC_ANCESTRY_MAX && parent && parent->exit; i++) {
		struct model_proc *reaper = above(m, p, parent->reaper);

		if (!reaper)
			break;
		parent = reaper;
	}
	return parent;
}

static void model_ancestry_text(struct model *m, struct model_proc *p, char *text, size_t max)
{
	struct model_proc *line[MODEL_PROC_MAX] = { p };
	unsigned cnt = 1;
	size_t n = 0;

	for (unsigned i = 0; i < cnt; i++) {
		struct model_proc *both[2] = { model_parent(m, line[i]),
					       above(m, line[i], line[i]->creator) };

		for (unsigned j = 0; j < 2; j++) {
			bool is_new = both[j] != NULL;

			for (unsigned k = 0; k < cnt; k++)
				is_new = is_new && line[k] != both[j];
			if (is_new)
				line[cnt++] = both[j];
		}
	}
	text[0] = '\0';
	for (unsigned i = 1; i < cnt && i <= PROC_ANCESTRY_MAX && n < max; i++)
		n += (size_t)snprintf(text + n, max - n, " %u/%llu", line[i]->key.pid,
				      (unsigned long long)line[i]->key.start_ns);
}

static void table_ancestry_text(const struct proc_table *table, const struct proc *p, char *text,
				size_t max)
{
	const struct proc *line[PROC_ANCESTRY_MAX];
	unsigned cnt = proc_ancestry(table, p, line, PROC_ANCESTRY_MAX);
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < cnt && n < max; i++)
		n += (size_t)snprintf(text + n, max - n, " %u/%llu", line[i]->key.pid,
				      (unsigned long long)line[i]->key.start_ns);
}

/* ---- comparison ---- */

static void compare_proc(struct model *m, const struct proc_table *table, struct model_proc *p)
{
	const struct proc *proc = proc_table_find(table, p->key);
	const struct proc *parent;
	struct model_proc *model_above = model_parent(m, p);
	char expected[8192], got[8192];

	cr_assert_not_null(proc);
	cr_assert_str_eq(proc->comm, p->comm);
	cr_assert_eq(proc->exit_ns, p->exit);
	cr_assert_eq(proc->is_partial, p->is_partial);
	cr_assert_eq(proc->is_exit_inferred, p->is_inferred);
	cr_assert(same_key(proc->parent_key, p->parent));
	cr_assert(same_key(proc->creator_key, p->creator));
	for (unsigned i = 0; i < MODEL_IMAGES; i++) {
		const struct proc_image *image = i ? proc->older[i - 1] : proc->image;

		cr_assert_eq(image != NULL, i < p->image_cnt);
		snprintf(expected, sizeof(expected), "%llu %s",
			 (unsigned long long)p->images[i].exec_id, p->images[i].exe);
		if (image)
			cr_assert_str_eq(record_image_text(image), expected);
	}
	parent = proc_ancestor(table, proc, 1);
	cr_assert_eq(parent != NULL, model_above != NULL);
	cr_assert(!parent || same_key(parent->key, model_above->key));
	model_ancestry_text(m, p, expected, sizeof(expected));
	table_ancestry_text(table, proc, got, sizeof(got));
	cr_assert_str_eq(got, expected);
}

static void compare_all(struct model *m, const struct proc_table *table)
{
	struct proc_table_stats stats;

	for (unsigned i = 0; i < m->proc_cnt; i++)
		compare_proc(m, table, &m->procs[i]);
	for (uint32_t pid = 1; pid < 30; pid++) {
		const struct proc *proc = proc_table_find_pid(table, pid);
		struct model_proc *p = model_living(m, pid);

		cr_assert_eq(proc != NULL, p != NULL);
		cr_assert(!proc || same_key(proc->key, p->key));
	}
	proc_table_stats(table, &stats);
	cr_assert_eq(stats.processes, m->proc_cnt);
}

static uint64_t random_state;

/* xorshift64 (Marsaglia 2003): the same on every machine. */
static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

static void random_step(struct step *s, char comm[16])
{
	static const enum step_kind kinds[] = { STEP_SEED,  STEP_FORK,	STEP_FORK,
						STEP_EXEC,  STEP_EXEC,	STEP_EXEC_FAILED,
						STEP_EVENT, STEP_EVENT, STEP_EXIT };

	snprintf(comm, 16, "c%u", random_below(8));
	*s = (struct step){ .kind = kinds[random_below(ARRAY_LEN(kinds))],
			    .at = 1 + random_below(1000),
			    .pid = 1 + random_below(24),
			    .start = 1 + random_below(4) * 200,
			    .parent = 1 + random_below(24),
			    .parent_start = 1 + random_below(4) * 200,
			    .exec_id = 1 + random_below(7),
			    .comm = comm,
			    .child = 1 + random_below(24),
			    .child_start = 1 + random_below(4) * 200,
			    .child_parent = 1 + random_below(24),
			    .child_parent_start = 1 + random_below(4) * 200,
			    .child_exec_id = 1 + random_below(7),
			    .reaper = 1 + random_below(24) };
	if (random_below(4) == 0)
		s->tid = 1000 + random_below(10);
	if (random_below(2) == 0)
		s->child_exec_id = s->exec_id;
}

static void run_model(uint64_t seed, unsigned record_cnt)
{
	static struct model model;
	struct proc_table_config config;
	struct proc_table *table = NULL;
	struct record record;
	struct step step;
	char comm[16];

	memset(&model, 0, sizeof(model));
	random_state = seed;
	proc_table_config_default(&config);
	config.proc_root = NULL;
	cr_assert_eq(proc_table_new(&config, &table), 0);
	record_init(&record);
	for (unsigned i = 0; i < record_cnt; i++) {
		random_step(&step, comm);
		record_apply(&record, table, &step);
		model_apply(&model, &step, &record.header);
		cr_assert_not_null(record.event.proc);
		cr_assert_str_eq(record_image_text(record.event.image), model.event_image,
				 "seed %llu, record %u: %s instead of %s", (unsigned long long)seed,
				 i, record_image_text(record.event.image), model.event_image);
		if (i % COMPARE_EVERY == 0)
			compare_all(&model, table);
	}
	compare_all(&model, table);
	record_done(&record);
	proc_table_free(table);
}

/* Many short runs: what is rare when all is known already happens while it is not. */
Test(model, short_runs)
{
	for (uint64_t seed = 1; seed <= 500; seed++)
		run_model(seed * 0x9e3779b97f4a7c15ULL, 100);
}

Test(model, long_run)
{
	run_model(20261123, RECORD_CNT);
}
