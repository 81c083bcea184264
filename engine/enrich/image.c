/*
 * Program images. Each is one allocation with its strings behind it, charged to the table's bytes
 * and shared by reference; the history of a process is at most max_images of them, sorted by exec
 * id, so that an event that is applied after a later exec still gets its own (decision 15).
 * Called by proc.c on the engine thread.
 */
#include "image.h"

#include "haetae/clock.h"

/* Both exec events carry the same parameters at the same places. */
_Static_assert((int)PARAM_EXECVE_dirpath == (int)PARAM_EXECVEAT_dirpath &&
		       (int)PARAM_EXECVE_filename == (int)PARAM_EXECVEAT_filename &&
		       (int)PARAM_EXECVE_trusted_exepath == (int)PARAM_EXECVEAT_trusted_exepath,
	       "execve and execveat differ");

static struct str copy_string(char **at, struct str s)
{
	char *p = *at;

	if (!s.p)
		return STR_NONE;
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	*at += s.n + 1;
	return (struct str){ p, s.n };
}

/* A cut vector may lack its last NUL: the one that copy_string() adds then belongs to it. */
static struct str copy_vector(char **at, struct str s)
{
	struct str copy = copy_string(at, s);

	if (copy.n && copy.p[copy.n - 1] != '\0')
		copy.n++;
	return copy;
}

static size_t storage_bytes(const struct image_source *s)
{
	const struct str all[] = { s->exe, s->args,	s->env,	  s->exepath,
				   s->cwd, s->filename, s->interp };
	size_t bytes = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		bytes += all[i].p ? (size_t)all[i].n + 1 : 0;
	return bytes;
}

static uint32_t count_strings(struct str vector)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < vector.n; i++)
		cnt += vector.p[i] == '\0';
	return cnt;
}

struct proc_image *image_new(struct proc_table *table, const struct image_source *source)
{
	size_t bytes = sizeof(struct proc_image) + storage_bytes(source);
	struct proc_image *image = NULL;
	char *at;

	if (proc_table_make_room(table, bytes))
		image = calloc(1, bytes);
	if (!image) {
		table->stats.image_refused++;
		return NULL;
	}
	*image = (struct proc_image){ .exec_id = source->exec_id,
				      .exec_time_ns = source->exec_time_ns,
				      .procfs_ns = source->procfs_ns,
				      .procfs_key = source->procfs_key,
				      .refs = 1,
				      .bytes = (uint32_t)bytes,
				      .exe_ino = source->exe_ino,
				      .exe_ctime_ns = source->exe_ctime_ns,
				      .exe_mtime_ns = source->exe_mtime_ns,
				      .exe_bits = source->exe_bits,
				      .is_args_cut = source->is_args_cut,
				      .is_env_cut = source->is_env_cut,
				      .is_partial = source->is_partial,
				      .is_id_open = source->is_id_open };
	memcpy(image->comm, source->comm, WIRE_COMM_LEN);
	at = image->storage;
	image->exe = copy_string(&at, source->exe);
	image->args = copy_vector(&at, source->args);
	image->env = copy_vector(&at, source->env);
	image->exepath = copy_string(&at, source->exepath);
	image->cwd = copy_string(&at, source->cwd);
	image->filename = copy_string(&at, source->filename);
	image->interp = copy_string(&at, source->interp);
	image->argc = (image->exe.p ? 1 : 0) + count_strings(image->args);
	table->stats.images++;
	table->stats.bytes += bytes;
	return image;
}

struct proc_image *image_ref(struct proc_image *image)
{
	image->refs++;
	return image;
}

struct proc_image *image_unref(struct proc_table *table, struct proc_image *image)
{
	if (!image || --image->refs)
		return NULL;
	table->stats.images--;
	table->stats.bytes -= image->bytes;
	free(image);
	return NULL;
}

/* The raw bytes: a vector's NULs are part of it. */
static struct str vector_param(const struct event *event, unsigned param)
{
	return event->params[param];
}

static uint64_t number_param(const struct event *event, unsigned param)
{
	uint64_t value = 0;

	(void)event_number(event, param, &value);
	return value;
}

static bool is_cut(const struct event *event, unsigned param)
{
	return event->cut_mask >> param & 1;
}

struct proc_image *image_from_exec(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	struct image_source source = {
		.exec_id = header->exec_id,
		.exec_time_ns = header->time_ns,
		.comm = header->comm,
		.exe = event_string(event, PARAM_EXECVE_exe),
		.args = vector_param(event, PARAM_EXECVE_args),
		.env = vector_param(event, PARAM_EXECVE_env),
		.exepath = event_kpath(event, PARAM_EXECVE_trusted_exepath, PARAM_EXECVE_exe_ino,
				       false),
		.cwd = event_kpath(event, PARAM_EXECVE_cwd, -1, false),
		.filename = event_string(event, PARAM_EXECVE_filename),
		.interp = event_string(event, PARAM_EXECVE_interp),
		.exe_ino = number_param(event, PARAM_EXECVE_exe_ino),
		.exe_ctime_ns = number_param(event, PARAM_EXECVE_exe_ino_ctime),
		.exe_mtime_ns = number_param(event, PARAM_EXECVE_exe_ino_mtime),
		.exe_bits = (uint32_t)number_param(event, PARAM_EXECVE_flags),
		.is_args_cut = header->flags & WIRE_ARGV_SHORT || is_cut(event, PARAM_EXECVE_exe) ||
			       is_cut(event, PARAM_EXECVE_args),
		.is_env_cut = header->flags & WIRE_ENV_DROPPED || is_cut(event, PARAM_EXECVE_env),
	};

	/* On the wire a vector without strings looks like one that could not be read. The program
	 * was called with a name and nothing else unless the argument area was unreadable. */
	if (!source.args.p && source.exe.p && !(header->flags & WIRE_FAULT))
		source.args = STR("");
	return image_new(table, &source);
}

/* Counts a read outside seeding against this second's share. */
static bool may_read(struct proc_table *table)
{
	uint64_t now_ns = clock_boot_ns();

	if (now_ns - table->reads_since_ns >= NS_PER_SEC) {
		table->reads_since_ns = now_ns;
		table->read_cnt = 0;
	}
	return table->read_cnt++ < table->config.max_reads;
}

static void source_take(struct image_source *source, struct proc_key key,
			const struct proc_strings *strings)
{
	source->exe = strings->exe;
	source->args = strings->args;
	source->env = strings->env;
	source->exepath = strings->exepath;
	source->cwd = strings->cwd;
	source->is_args_cut = strings->is_args_cut;
	source->is_env_cut = strings->is_env_cut;
	source->is_partial = false;
	source->procfs_ns = strings->read_ns;
	source->procfs_key = key;
}

/* A process that is to be read from /proc. */
struct wanted {
	struct proc_key key;
	uint32_t reader_pid; /* its number there; 0: it has none, or none that is known */
	const char *comm;    /* that its name must begin with; NULL: any */
	bool is_seed;	     /* not limited by max_reads */
};

/* Its number where events name it, but no seed did. */
static uint32_t shared_pid(const struct proc_table *table, uint32_t pid)
{
	return table->is_pid_shared && !table->is_pid_translated ? pid : 0;
}

/* The one place where strings come in that no record brought: from /proc where it is still the same
 * process and, as far as can be told, the same image, or from the recording. */
static bool read_strings(struct proc_table *table, const struct wanted *wanted,
			 struct proc_strings *ret)
{
	const struct proc_inputs *inputs = &table->config.inputs;

	if (inputs->recall)
		return inputs->recall(wanted->key, ret, inputs->data);
	if (!table->procfs)
		return false;
	if (!wanted->reader_pid || (!wanted->is_seed && !may_read(table))) {
		table->stats.procfs_skipped++;
		return false;
	}
	if (procfs_read(table->procfs, wanted->reader_pid, wanted->key.start_ns, wanted->comm,
			ret) != 0) {
		table->stats.procfs_failed++;
		return false;
	}
	table->stats.procfs_read++;
	if (inputs->on_strings)
		inputs->on_strings(wanted->key, ret, inputs->data);
	return true;
}

struct proc_image *image_from_seed(struct proc_table *table, struct event *event)
{
	const struct wire_header *header = event->header;
	uint64_t pid = table->config.is_host_proc ? header->pid
						  : number_param(event, PARAM_TASK_SEED_reader_pid);
	const struct wanted wanted = { .key = { header->start_ns, header->pid },
				       .reader_pid = pid > INT32_MAX ? 0 : (uint32_t)pid,
				       .is_seed = true };
	struct proc_strings strings;
	struct image_source source = {
		.exec_id = header->exec_id,
		.comm = header->comm,
		.exe_ino = number_param(event, PARAM_TASK_SEED_exe_ino),
		.exe_ctime_ns = number_param(event, PARAM_TASK_SEED_exe_ino_ctime),
		.exe_mtime_ns = number_param(event, PARAM_TASK_SEED_exe_ino_mtime),
		.exe_bits = (uint32_t)number_param(event, PARAM_TASK_SEED_exe_bits),
		.is_partial = true,
	};

	if (read_strings(table, &wanted, &strings))
		source_take(&source, wanted.key, &strings);
	return image_new(table, &source);
}

struct proc_image *image_from_header(struct proc_table *table, const struct wire_header *header,
				     bool is_readable)
{
	struct image_source source = {
		.exec_id = header->exec_id,
		.comm = header->comm,
		.is_partial = true,
	};
	char comm[WIRE_COMM_LEN + 1] = { 0 };
	const struct wanted wanted = { .key = { header->start_ns, header->pid },
				       .reader_pid = shared_pid(table, header->pid),
				       .comm = header->tid == header->pid ? comm : NULL };
	struct proc_strings strings;

	memcpy(comm, header->comm, WIRE_COMM_LEN);
	if (is_readable && read_strings(table, &wanted, &strings))
		source_take(&source, wanted.key, &strings);
	return image_new(table, &source);
}

struct proc_image *image_from_procfs(struct proc_table *table, struct proc_key key,
				     struct proc_strings *ret)
{
	struct image_source source = { .comm = ret->comm, .is_id_open = true };
	const struct wanted wanted = { .key = key, .reader_pid = shared_pid(table, key.pid) };

	/* Where /proc has other numbers there is no use in asking each second. */
	if ((!wanted.reader_pid && !table->config.inputs.recall) ||
	    !read_strings(table, &wanted, ret))
		return NULL;
	source_take(&source, key, ret);
	return image_new(table, &source);
}

struct proc_image *image_find(const struct proc *proc, uint64_t exec_id)
{
	if (proc->image->exec_id == exec_id)
		return proc->image;
	for (unsigned i = 0; i < ARRAY_LEN(proc->older) && proc->older[i]; i++)
		if (proc->older[i]->exec_id == exec_id)
			return proc->older[i];
	return NULL;
}

const struct proc_image *proc_image_at(const struct proc *proc, uint64_t exec_id)
{
	if (proc->image->exec_id <= exec_id)
		return proc->image;
	for (unsigned i = 0; i < ARRAY_LEN(proc->older) && proc->older[i]; i++)
		if (proc->older[i]->exec_id <= exec_id)
			return proc->older[i];
	return NULL;
}

bool image_fits(const struct proc_table *table, const struct proc *proc, uint64_t exec_id)
{
	unsigned last = table->config.max_images - 1;

	if (last == 0)
		return exec_id >= proc->image->exec_id;
	return !proc->older[last - 1] || exec_id >= proc->older[last - 1]->exec_id;
}

void image_put(struct proc_table *table, struct proc *proc, struct proc_image *image)
{
	struct proc_image *sorted[PROC_IMAGES_MAX + 2] = { proc->image };
	unsigned cnt = 1, at = 0;

	for (unsigned i = 0; i < ARRAY_LEN(proc->older) && proc->older[i]; i++)
		sorted[cnt++] = proc->older[i];
	while (at < cnt && sorted[at]->exec_id > image->exec_id)
		at++;
	if (at < cnt && sorted[at]->exec_id == image->exec_id) {
		image_unref(table, sorted[at]);
		sorted[at] = image;
	} else {
		memmove(&sorted[at + 1], &sorted[at], (cnt - at) * sizeof(*sorted));
		sorted[at] = image;
		cnt++;
	}
	while (cnt > table->config.max_images) {
		cnt--;
		sorted[cnt] = image_unref(table, sorted[cnt]);
	}
	proc->image = sorted[0];
	memcpy(proc->older, &sorted[1], sizeof(proc->older));
}

static void withdraw_one(struct proc_table *table, struct proc_image *image)
{
	image->exe = image->args = image->env = image->exepath = image->cwd = STR_NONE;
	image->argc = 0;
	image->is_args_cut = image->is_env_cut = false;
	image->procfs_ns = 0;
	image->is_partial = true;
	table->stats.procfs_withdrawn++;
}

void image_withdraw(struct proc_table *table, struct proc *proc, uint64_t exec_id,
		    uint64_t exec_time_ns)
{
	struct proc_image *image = proc->image;

	for (unsigned i = 0; image; i++) {
		if (image->exec_id < exec_id && image->procfs_ns >= exec_time_ns &&
		    image->procfs_ns && proc_key_equal(image->procfs_key, proc->key))
			withdraw_one(table, image);
		image = i < ARRAY_LEN(proc->older) ? proc->older[i] : NULL;
	}
}
