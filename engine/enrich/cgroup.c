/*
 * Which container the path of a control group names. Pure: owns nothing, asks nobody; any thread.
 *
 * A path is read from its root, segment by segment. Names count only where runtimes put them: in a
 * chain of systemd's units (slices and services), or in a folder that a runtime makes at the root
 * of the hierarchy, or in that of a service. The first container on the way is the one (decision
 * 25): what stands below it was made inside.
 */
#include "haetae/container.h"

/* What the path has been so far. */
enum chain {
	CHAIN_ROOT,    /* nothing */
	CHAIN_SLICE,   /* the last unit is a slice */
	CHAIN_SERVICE, /* … a service: a delegate's folders may follow */
	CHAIN_SCOPE,   /* … a scope that is no container's, such as a login session */
};

struct walk {
	struct str path;
	uint32_t at; /* end of the segment */
	struct str segment;
	enum chain chain;
	bool is_machine; /* the segment before is machine.slice */
	bool is_users;	 /* the first segment is user.slice */
	struct cgroup_identity *identity;
};

/* The next segment. False at the end, and where it is empty: the kernel writes no such paths. */
static bool step(struct walk *walk)
{
	const char *begin, *end, *slash;

	if (walk->at >= walk->path.n || walk->path.p[walk->at] != '/')
		return false;
	begin = walk->path.p + walk->at + 1;
	end = walk->path.p + walk->path.n;
	slash = memchr(begin, '/', (size_t)(end - begin));
	walk->segment = (struct str){ begin, (uint32_t)((slash ? slash : end) - begin) };
	walk->at += 1 + walk->segment.n;
	return walk->segment.n > 0;
}

/* ---- parts of names ---- */

static bool strip_prefix(struct str *s, const char *prefix)
{
	struct str head = str_from(prefix);

	if (!str_starts_with(*s, head))
		return false;
	s->p += head.n;
	s->n -= head.n;
	return true;
}

static bool strip_suffix(struct str *s, const char *suffix)
{
	struct str tail = str_from(suffix);

	if (!str_ends_with(*s, tail))
		return false;
	s->n -= tail.n;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What joins words in names that programs gave. */
static bool is_joint(char c)
{
	return c == '.' || c == '_' || c == '-';
}

/* The id that Docker, containerd's CRI plugin, CRI-O and Podman give: 32 random bytes. */
static bool is_hex_id(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n == 64;
}

/* A name that a person gave: no control character, no space. */
static bool is_name(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= CONTAINER_ID_MAX;
}

/* containerd's names of namespaces and containers (pkg/identifiers): words of letters and digits,
 * one of "._-" between two. A name that systemd gives its units is none. */
static bool is_containerd_name(struct str s)
{
	bool is_word = false;

	for (uint32_t i = 0; i < s.n; i++) {
		if (!is_letter_or_digit(s.p[i]) && (!is_word || !is_joint(s.p[i])))
			return false;
		is_word = is_letter_or_digit(s.p[i]);
	}
	return is_word && s.n <= CONTAINERD_NAMESPACE_MAX && !str_ends_with(s, STR(".slice")) &&
	       !str_ends_with(s, STR(".service")) && !str_ends_with(s, STR(".scope"));
}

static bool accept(const struct walk *walk, enum container_type type, struct str id)
{
	struct cgroup_identity *identity = walk->identity;

	if (id.n > CONTAINER_ID_MAX)
		return false;
	identity->type = type;
	memcpy(identity->id, id.p, id.n);
	identity->id[id.n] = '\0';
	identity->depth = walk->at;
	identity->is_users = walk->is_users;
	if (walk->is_users)
		identity->pod_uid[0] = '\0';
	return true;
}

/* ---- Kubernetes ---- */

/* "pod<UID>": a UUID, the 32 digits of a static pod's hash, or what a manifest gave. The systemd
 * driver writes _ for - (pkg/kubelet/cm/cgroup_manager_linux.go). */
static bool take_pod_uid(struct str name, bool is_escaped, struct cgroup_identity *identity)
{
	if (!strip_prefix(&name, "pod") || name.n == 0 || name.n > POD_UID_MAX)
		return false;
	for (uint32_t i = 0; i < name.n; i++) {
		char c = is_escaped && name.p[i] == '_' ? '-' : name.p[i];

		if (!is_letter_or_digit(c) && !is_joint(c))
			return false;
		identity->pod_uid[i] = c;
	}
	identity->pod_uid[name.n] = '\0';
	return true;
}

static bool is_qos_class(struct str s)
{
	/* Guaranteed pods have no folder of their own (cgroup-hierarchy of the kubelet). */
	return str_eq(s, STR("burstable")) || str_eq(s, STR("besteffort"));
}

/* "kubepods-burstable-pod<UID>.slice", and before it what --cgroup-root gave: "kubelet-kubepods-…"
 * (slices bear the names of those above them: systemd.slice(5)). */
static bool take_pod_slice(struct str name, struct cgroup_identity *identity)
{
	const char *at;

	if (!strip_suffix(&name, ".slice"))
		return false;
	at = memmem(name.p, name.n, "kubepods-", 9);
	if (!at || (at > name.p && at[-1] != '-'))
		return false;
	name = (struct str){ at + 9, name.n - (uint32_t)(at - name.p) - 9 };
	if (!strip_prefix(&name, "burstable-"))
		(void)strip_prefix(&name, "besteffort-");
	return take_pod_uid(name, true, identity);
}

/* What is in a pod's folder with the cgroupfs driver. */
static bool match_in_pod(struct walk *walk)
{
	struct str id;

	if (!step(walk))
		return false;
	id = walk->segment;
	if (is_hex_id(id))
		return accept(walk, CONTAINER_CRI, id);
	return strip_prefix(&id, "crio-") && is_hex_id(id) && accept(walk, CONTAINER_CRIO, id);
}

/* Below /kubepods. */
static bool match_kubepods(struct walk *walk)
{
	if (!step(walk) || (is_qos_class(walk->segment) && !step(walk)))
		return false;
	return take_pod_uid(walk->segment, false, walk->identity) && match_in_pod(walk);
}

/* ---- systemd's units ---- */

static const struct {
	const char *prefix; /* of the scope: "docker-<id>.scope"; of a path "slice:docker:<id>" */
	enum container_type type;
} runtimes[] = {
	{ "docker", CONTAINER_DOCKER },	     { "cri-containerd", CONTAINER_CONTAINERD },
	{ "crio", CONTAINER_CRIO },	     { "libpod", CONTAINER_PODMAN },
	{ "nerdctl", CONTAINER_CONTAINERD },
};

/* "<runtime><separator><64 digits>". Monitors (libpod-conmon-…, crio-conmon-…) are the host's. */
static bool match_runtime(struct walk *walk, struct str name, char separator)
{
	struct str id;
	size_t n;

	if (name.n <= 64 || name.p[name.n - 65] != separator)
		return false;
	id = (struct str){ name.p + name.n - 64, 64 };
	if (!is_hex_id(id))
		return false;
	n = name.n - 65;
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		if (n == strlen(runtimes[i].prefix) && memcmp(name.p, runtimes[i].prefix, n) == 0)
			return accept(walk, runtimes[i].type, id);
	return false;
}

/* "[SLICE]:RUNTIME:ID": what runc makes of a path meant for systemd when it uses cgroupfs (the
 * kubelet and containerd disagree). */
static bool match_colons(struct walk *walk)
{
	const char *colon = memchr(walk->segment.p, ':', walk->segment.n);
	struct str slice, rest;

	if (!colon)
		return false;
	slice = (struct str){ walk->segment.p, (uint32_t)(colon - walk->segment.p) };
	rest = (struct str){ colon + 1, walk->segment.n - slice.n - 1 };
	if (slice.n && !str_ends_with(slice, STR(".slice")))
		return false;
	(void)take_pod_slice(slice, walk->identity);
	return match_runtime(walk, rest, ':');
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes systemd-escape(1): \x2d is -. False where it is no name. */
static bool unescape(struct str s, char ret[CONTAINER_ID_MAX + 1], struct str *ret_name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		if (n == CONTAINER_ID_MAX)
			return false;
		if (s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] == 'x' &&
		    hex_value(s.p[i + 2]) >= 0 && hex_value(s.p[i + 3]) >= 0) {
			ret[n++] = (char)(hex_value(s.p[i + 2]) << 4 | hex_value(s.p[i + 3]));
			i += 3;
		} else {
			ret[n++] = s.p[i];
		}
	}
	*ret_name = (struct str){ ret, n };
	return is_name(*ret_name) && !memchr(ret, '/', n);
}

/* "lxc-<number>-" of "lxc-1234-web" (virDomainDriverGenerateMachineName() of libvirt). */
static bool strip_libvirt(struct str *name, const char *driver)
{
	struct str rest = *name;
	uint32_t digits = 0;

	if (!strip_prefix(&rest, driver))
		return false;
	while (digits < rest.n && is_digit(rest.p[digits]))
		digits++;
	if (!digits || digits + 1 >= rest.n || rest.p[digits] != '-')
		return false;
	*name = (struct str){ rest.p + digits + 1, rest.n - digits - 1 };
	return true;
}

/* A machine of systemd-machined; virtual machines are none of ours. */
static bool match_machine(struct walk *walk, struct str escaped)
{
	char storage[CONTAINER_ID_MAX + 1];
	struct str name;

	if (!unescape(escaped, storage, &name) || strip_libvirt(&name, "qemu-"))
		return false;
	if (strip_libvirt(&name, "lxc-"))
		return accept(walk, CONTAINER_LIBVIRT_LXC, name);
	return accept(walk, CONTAINER_NSPAWN, name);
}

/* A job of bpm (src/bpm/jobid): letters, digits and "._-". */
static bool match_bpm(struct walk *walk, struct str name)
{
	(void)strip_prefix(&name, "runc-");
	if (!strip_prefix(&name, "bpm-") || name.n == 0)
		return false;
	for (uint32_t i = 0; i < name.n; i++)
		if (!is_letter_or_digit(name.p[i]) && !is_joint(name.p[i]))
			return false;
	return accept(walk, CONTAINER_BPM, name);
}

static bool match_scope(struct walk *walk)
{
	struct str name = walk->segment;

	if (!strip_suffix(&name, ".scope"))
		return false;
	if (walk->is_machine && str_starts_with(name, STR("machine-"))) {
		(void)strip_prefix(&name, "machine-");
		return match_machine(walk, name);
	}
	if (match_runtime(walk, name, '-') || match_bpm(walk, name))
		return true;
	/* A runtime that we don't know, in a pod. */
	return walk->identity->pod_uid[0] && name.n > 64 && name.p[name.n - 65] == '-' &&
	       !str_contains(name, STR("conmon")) &&
	       is_hex_id((struct str){ name.p + name.n - 64, 64 }) &&
	       accept(walk, CONTAINER_CRI, (struct str){ name.p + name.n - 64, 64 });
}

static bool match_nspawn_service(struct walk *walk)
{
	struct str name = walk->segment;

	return walk->is_machine && strip_prefix(&name, "systemd-nspawn@") &&
	       strip_suffix(&name, ".service") && match_machine(walk, name);
}

/* ---- folders of runtimes ---- */

static bool match_lxc(struct walk *walk, struct str name)
{
	return is_name(name) && accept(walk, CONTAINER_LXC, name);
}

static bool match_next_hex(struct walk *walk, enum container_type type)
{
	return step(walk) && is_hex_id(walk->segment) && accept(walk, type, walk->segment);
}

static bool match_docker(struct walk *walk)
{
	return match_next_hex(walk, CONTAINER_DOCKER);
}

/* "libpod-<id>", in a pod's folder too. */
static bool match_libpod_parent(struct walk *walk)
{
	if (!step(walk) || (is_hex_id(walk->segment) && !step(walk)))
		return false;
	return match_runtime(walk, walk->segment, '-');
}

static bool match_kubelet(struct walk *walk)
{
	return step(walk) && str_eq(walk->segment, STR("kubepods")) && match_kubepods(walk);
}

static bool match_lxc_folder(struct walk *walk)
{
	return step(walk) && match_lxc(walk, walk->segment);
}

/* libvirt without systemd: "/machine/web.libvirt-lxc", older ones "/libvirt/lxc/web"
 * (docs/cgroups.rst of libvirt). */
static bool match_libvirt_machine(struct walk *walk)
{
	struct str name;

	if (!step(walk))
		return false;
	name = walk->segment;
	if (!strip_suffix(&name, ".libvirt-lxc") || !is_name(name))
		return false;
	(void)strip_libvirt(&name, "lxc-");
	return accept(walk, CONTAINER_LIBVIRT_LXC, name);
}

static bool match_libvirt_old(struct walk *walk)
{
	return step(walk) && str_eq(walk->segment, STR("lxc")) && step(walk) &&
	       is_name(walk->segment) && accept(walk, CONTAINER_LIBVIRT_LXC, walk->segment);
}

/* Cloud Foundry's: a handle, in one of two folders where it limits bursts of CPU. */
static bool match_garden(struct walk *walk)
{
	if (!step(walk))
		return false;
	if ((str_eq(walk->segment, STR("good")) || str_eq(walk->segment, STR("bad"))) &&
	    !step(walk))
		return false;
	return is_name(walk->segment) && accept(walk, CONTAINER_GARDEN, walk->segment);
}

/* Amazon's agent: "/ecs/TASK/<id>", "/ecs/CLUSTER/TASK/<id>", of Docker. */
static bool match_ecs(struct walk *walk)
{
	for (unsigned i = 0; i < 3 && step(walk); i++)
		if (i && is_hex_id(walk->segment))
			return accept(walk, CONTAINER_DOCKER, walk->segment);
	return false;
}

/* containerd's default namespace, as nerdctl and `ctr` fill it, and that of its CRI plugin. */
static bool match_containerd_namespace(struct walk *walk)
{
	struct str namespace = walk->segment;

	if (!match_next_hex(walk, CONTAINER_CONTAINERD))
		return false;
	memcpy(walk->identity->runtime_namespace, namespace.p, namespace.n);
	return true;
}

static const struct {
	const char *name;
	bool (*match)(struct walk *walk);
} folders[] = {
	{ "docker", match_docker },
	{ "kubepods", match_kubepods },
	{ "kubelet", match_kubelet },
	{ "libpod_parent", match_libpod_parent },
	{ "lxc", match_lxc_folder },
	{ "lxc.payload", match_lxc_folder },
	{ "machine", match_libvirt_machine },
	{ "libvirt", match_libvirt_old },
	{ "garden", match_garden },
	{ "ecs", match_ecs },
	{ "default", match_containerd_namespace },
	{ "k8s.io", match_containerd_namespace },
};

static bool match_folder(struct walk *walk)
{
	struct str name = walk->segment;

	/* LXC starts containers of users in their session's scope. */
	if (strip_prefix(&name, "lxc.payload."))
		return match_lxc(walk, name);
	if (walk->chain != CHAIN_ROOT && walk->chain != CHAIN_SERVICE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (str_eq_text(walk->segment, folders[i].name))
			return folders[i].match(walk);
	/* Podman in a service's own cgroup (--cgroups=split). */
	if (strip_prefix(&name, "libpod-payload-"))
		return is_hex_id(name) && accept(walk, CONTAINER_PODMAN, name);
	return match_runtime(walk, name, '-') || match_bpm(walk, name);
}

/* ---- the way down ---- */

/* Whether the segment is a unit, so that the way goes on below it. */
static bool enter_unit(struct walk *walk)
{
	if (str_ends_with(walk->segment, STR(".slice")))
		walk->chain = CHAIN_SLICE;
	else if (str_ends_with(walk->segment, STR(".service")))
		walk->chain = CHAIN_SERVICE;
	else if (str_ends_with(walk->segment, STR(".scope")))
		walk->chain = CHAIN_SCOPE;
	else
		return false;
	walk->is_machine = str_eq(walk->segment, STR("machine.slice"));
	if (walk->chain == CHAIN_SLICE && !walk->is_users)
		(void)take_pod_slice(walk->segment, walk->identity);
	return true;
}

bool cgroup_identify(struct str path, struct cgroup_identity *ret)
{
	struct walk walk = { .path = path, .identity = ret };

	memset(ret, 0, sizeof(*ret));
	while (step(&walk)) {
		walk.is_users |=
			walk.chain == CHAIN_ROOT && str_eq(walk.segment, STR("user.slice"));
		if (walk.chain != CHAIN_SCOPE &&
		    (match_scope(&walk) || match_nspawn_service(&walk) || match_colons(&walk)))
			return true;
		if (!enter_unit(&walk))
			return match_folder(&walk);
	}
	return false;
}

bool cgroup_candidate(struct str path, struct cgroup_identity *ret)
{
	struct walk walk = { .path = path, .identity = ret };
	struct str namespace;

	memset(ret, 0, sizeof(*ret));
	if (!step(&walk) || !is_containerd_name(walk.segment))
		return false;
	namespace = walk.segment;
	if (!step(&walk) || !is_containerd_name(walk.segment))
		return false;
	memcpy(ret->runtime_namespace, namespace.p, namespace.n);
	return accept(&walk, CONTAINER_CONTAINERD, walk.segment);
}
