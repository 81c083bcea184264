/*
 * What the Engine API says of containers and images, as container_info. Owns nothing. The runtime
 * speaks for its containers, and a container's maker chose most of the words: every type is
 * checked, every list bounded.
 */
#include "docker_parse.h"

#include <stdio.h>
#include <time.h>

#include "haetae/clock.h"
#include "info.h"
#include "json.h"

bool docker_is_id(struct str id)
{
	for (uint32_t i = 0; i < id.n; i++)
		if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
			return false;
	return id.n >= 12 && id.n <= 64;
}

enum docker_engine docker_parse_version(struct str body)
{
	_cleanup_(json_freep) struct json_object *version = json_parse(body);
	struct json_object *components = json_get(version, "Components");

	if (!json_get_text(version, "ApiVersion").p)
		return DOCKER_ENGINE_NONE;
	for (size_t i = 0; i < json_length(components); i++)
		if (str_eq_text(json_get_text(json_at(components, i), "Name"), "Podman Engine"))
			return DOCKER_ENGINE_PODMAN;
	return DOCKER_ENGINE_DOCKER;
}

static enum tristate tristate_of(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);

	if (!json_object_is_type(value, json_type_boolean))
		return TRI_UNKNOWN;
	return json_object_get_boolean(value) ? TRI_TRUE : TRI_FALSE;
}

/* "NetworkMode": "host" */
static enum tristate is_host_mode(struct json_object *host_config, const char *key)
{
	struct str mode = json_get_text(host_config, key);

	if (!mode.p)
		return TRI_UNKNOWN;
	return str_eq_text(mode, "host") ? TRI_TRUE : TRI_FALSE;
}

/* "2024-05-01T10:20:30.123456789Z", or with an offset; year 1 where it never ran. */
static uint64_t parse_time(struct str text)
{
	struct tm tm = { 0 };
	char copy[40];
	const char *rest;
	time_t seconds;

	if (!text.p || text.n >= sizeof(copy))
		return 0;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	seconds = timegm(&tm);
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') && strlen(rest) == 6) {
		int offset = (atoi(rest + 1) * 60 + atoi(rest + 4)) * 60;

		seconds -= *rest == '+' ? offset : -offset;
	}
	return seconds > 0 ? (uint64_t)seconds * NS_PER_SEC : 0;
}

static void set_mounts(struct container_info *info, struct json_object *array)
{
	struct info_mounts mounts = { 0 };

	info->is_cut |= json_length(array) > METADATA_MOUNTS_MAX;
	for (size_t i = 0; i < MIN(json_length(array), (size_t)METADATA_MOUNTS_MAX); i++) {
		struct json_object *mount = json_at(array, i);

		info_mounts_put(info, &mounts,
				&(struct container_mount){
					.source = json_get_text(mount, "Source"),
					.dest = json_get_text(mount, "Destination"),
					.mode = json_get_text(mount, "Mode"),
					.propagation = json_get_text(mount, "Propagation"),
					.is_writable = json_get_bool(mount, "RW", true),
				});
	}
	info->mounts = mounts.items;
	info->mount_cnt = mounts.cnt;
}

/* The bridge's address, or that of the first network that has one. */
static void set_ip(struct container_info *info, struct json_object *container)
{
	struct json_object *settings = json_get(container, "NetworkSettings");
	struct json_object *networks = json_get(settings, "Networks");
	struct str ip = json_get_text(settings, "IPAddress");

	if (!ip.n && json_object_is_type(networks, json_type_object)) {
		json_object_object_foreach(networks, name, network)
		{
			(void)name;
			ip = json_get_text(network, "IPAddress");
			if (ip.n)
				break;
		}
	}
	if (ip.n)
		info_set(info, &info->ip, ip);
}

static void set_names(struct container_info *info, struct json_object *container)
{
	struct str name = json_get_text(container, "Name");
	struct str image = json_get_text(json_get(container, "Config"), "Image");

	/* "/name": the slash is of the time of linked containers. */
	if (name.n && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	if (name.n)
		info_set(info, &info->name, name);
	if (image.n) {
		info_set(info, &info->image, image);
		container_info_set_image(info, image);
	}
	info_set(info, &info->image_id, json_get_text(container, "Image"));
}

static void set_modes(struct container_info *info, struct json_object *container)
{
	struct json_object *host_config = json_get(container, "HostConfig");

	info->privileged = tristate_of(host_config, "Privileged");
	info->host_network = is_host_mode(host_config, "NetworkMode");
	info->host_pid = is_host_mode(host_config, "PidMode");
	info->host_ipc = is_host_mode(host_config, "IpcMode");
}

static void set_all(struct container_info *info, struct json_object *container)
{
	struct json_object *config = json_get(container, "Config");
	struct info_labels labels = { 0 };
	struct str runtime = json_get_text(json_get(container, "HostConfig"), "Runtime");

	set_names(info, container);
	set_modes(info, container);
	set_ip(info, container);
	set_mounts(info, json_get(container, "Mounts"));
	info_labels_put_json(info, &labels, json_get(config, "Labels"));
	info->labels = labels.items;
	info->label_cnt = labels.cnt;
	if (runtime.n)
		info_set(info, &info->runtime_handler, runtime);
	info->started_ns = parse_time(json_get_text(json_get(container, "State"), "StartedAt"));
}

struct container_info *docker_parse_container(struct str body, enum container_type type,
					      struct str full_id)
{
	_cleanup_(json_freep) struct json_object *container = json_parse(body);
	struct container_info *info;

	if (!str_eq(json_get_text(container, "Id"), full_id))
		return NULL;
	info = container_info_new();
	if (!info)
		return NULL;
	info->type = type;
	info_set(info, &info->full_id, full_id);
	set_all(info, container);
	return info;
}

/* "docker.io/library/nginx" and Docker's own short "nginx" are one. */
static bool is_repository(struct str a, struct str b)
{
	static const struct str prefixes[] = { STR("docker.io/"), STR("library/") };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_starts_with(a, prefixes[i]))
			a = (struct str){ a.p + prefixes[i].n, a.n - prefixes[i].n };
		if (str_starts_with(b, prefixes[i]))
			b = (struct str){ b.p + prefixes[i].n, b.n - prefixes[i].n };
	}
	return str_eq(a, b);
}

void docker_parse_image(struct str body, struct str repository, char *ret, size_t size)
{
	_cleanup_(json_freep) struct json_object *image = json_parse(body);
	struct json_object *digests = json_get(image, "RepoDigests");

	ret[0] = '\0';
	for (size_t i = 0; i < json_length(digests); i++) {
		struct str one = json_text(json_at(digests, i));
		const char *at = one.n ? memchr(one.p, '@', one.n) : NULL;
		struct str name, digest;

		if (!at)
			continue;
		name = (struct str){ one.p, (uint32_t)(at - one.p) };
		digest = (struct str){ at + 1, one.n - name.n - 1 };
		if (digest.n >= size)
			continue;
		if (!ret[0] || is_repository(name, repository))
			snprintf(ret, size, "%.*s", STR_ARG(digest));
		if (is_repository(name, repository))
			return;
	}
}
