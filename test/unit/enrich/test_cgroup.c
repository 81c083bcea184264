/*
 * What paths of control groups name: a table of those that runtimes make, and of those that only
 * look like it.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "haetae/container.h"

#define H64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define I64  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define H32  "0123456789abcdef0123456789abcdef"
#define UID  "5c8f0b1a-93a3-4d0e-8a1b-0123456789ab"
#define UID_ "5c8f0b1a_93a3_4d0e_8a1b_0123456789ab"
#define USER "/user.slice/user-1000.slice/user@1000.service"

struct path_case {
	const char *path;
	enum container_type type;
	const char *id, *pod_uid;
	const char *own; /* the container's own cgroup, where that is not the whole path */
};

/* clang-format off */
static const struct path_case containers[] = {
	/* Docker: cgroupfs, systemd, in a parent of the user's, rootless, in systemd's folder of a service */
	{ "/docker/" H64, CONTAINER_DOCKER, H64, "", NULL },
	{ "/docker/" H64 "/init.scope", CONTAINER_DOCKER, H64, "", "/docker/" H64 },
	{ "/system.slice/docker-" H64 ".scope", CONTAINER_DOCKER, H64, "", NULL },
	{ "/system.slice/docker-" H64 ".scope/system.slice/ssh.service", CONTAINER_DOCKER, H64, "", "/system.slice/docker-" H64 ".scope" },
	{ "/web.slice/web-front.slice/docker-" H64 ".scope", CONTAINER_DOCKER, H64, "", NULL },
	{ USER "/user.slice/docker-" H64 ".scope", CONTAINER_DOCKER, H64, "", NULL },
	{ "/system.slice/docker.service/docker/" H64, CONTAINER_DOCKER, H64, "", NULL },
	{ "/ecs/7f3a/" H64, CONTAINER_DOCKER, H64, "", NULL },
	{ "/ecs/main/7f3a/" H64, CONTAINER_DOCKER, H64, "", NULL },
	{ "/ecstasks.slice/ecstasks-7f3a.slice/docker-" H64 ".scope", CONTAINER_DOCKER, H64, "", NULL },
	/* runc, with a path that was meant for systemd */
	{ "/system.slice:docker:" H64, CONTAINER_DOCKER, H64, "", NULL },
	/* containerd: its namespaces, nerdctl */
	{ "/default/" H64, CONTAINER_CONTAINERD, H64, "", NULL },
	{ "/k8s.io/" H64, CONTAINER_CONTAINERD, H64, "", NULL },
	{ "/system.slice/nerdctl-" H64 ".scope", CONTAINER_CONTAINERD, H64, "", NULL },
	{ USER "/user.slice/nerdctl-" H64 ".scope", CONTAINER_CONTAINERD, H64, "", NULL },
	/* Podman */
	{ "/libpod_parent/libpod-" H64, CONTAINER_PODMAN, H64, "", NULL },
	{ "/libpod_parent/libpod-" H64 "/container", CONTAINER_PODMAN, H64, "", "/libpod_parent/libpod-" H64 },
	{ "/libpod_parent/" I64 "/libpod-" H64, CONTAINER_PODMAN, H64, "", NULL },
	{ "/machine.slice/libpod-" H64 ".scope", CONTAINER_PODMAN, H64, "", NULL },
	{ "/machine.slice/libpod-" H64 ".scope/container", CONTAINER_PODMAN, H64, "", "/machine.slice/libpod-" H64 ".scope" },
	{ "/machine.slice/machine-libpod_pod_" I64 ".slice/libpod-" H64 ".scope", CONTAINER_PODMAN, H64, "", NULL },
	{ USER "/user.slice/libpod-" H64 ".scope", CONTAINER_PODMAN, H64, "", NULL },
	{ USER "/user.slice/user-libpod_pod_" I64 ".slice/libpod-" H64 ".scope/container", CONTAINER_PODMAN, H64, "", USER "/user.slice/user-libpod_pod_" I64 ".slice/libpod-" H64 ".scope" },
	{ "/system.slice/web.service/libpod-payload-" H64, CONTAINER_PODMAN, H64, "", NULL },
	{ USER "/app.slice/web.service/libpod-payload-" H64, CONTAINER_PODMAN, H64, "", NULL },
	/* Kubernetes, cgroupfs: which runtime it is the path does not say, but for CRI-O */
	{ "/kubepods/burstable/pod" UID "/" H64, CONTAINER_CRI, H64, UID, NULL },
	{ "/kubepods/besteffort/pod" UID "/" H64, CONTAINER_CRI, H64, UID, NULL },
	{ "/kubepods/pod" UID "/" H64, CONTAINER_CRI, H64, UID, NULL },
	{ "/kubepods/pod" UID "/" H64 "/nested/deep", CONTAINER_CRI, H64, UID, "/kubepods/pod" UID "/" H64 },
	{ "/kubepods/burstable/pod" H32 "/" H64, CONTAINER_CRI, H64, H32, NULL },
	{ "/kubepods/burstable/pod" UID "/crio-" H64, CONTAINER_CRIO, H64, UID, NULL },
	{ "/kubelet/kubepods/burstable/pod" UID "/" H64, CONTAINER_CRI, H64, UID, NULL },
	/* systemd */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/cri-containerd-" H64 ".scope", CONTAINER_CONTAINERD, H64, UID, NULL },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" H64 ".scope", CONTAINER_CRIO, H64, UID, NULL },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" H64 ".scope/container", CONTAINER_CRIO, H64, UID, "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" H64 ".scope" },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/docker-" H64 ".scope", CONTAINER_DOCKER, H64, UID, NULL },
	{ "/kubepods.slice/kubepods-pod" H32 ".slice/cri-containerd-" H64 ".scope", CONTAINER_CONTAINERD, H64, H32, NULL },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/pouch-" H64 ".scope", CONTAINER_CRI, H64, UID, NULL },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" UID_ ".slice/cri-containerd-" H64 ".scope", CONTAINER_CONTAINERD, H64, UID, NULL },
	/* the kubelet uses systemd, containerd does not */
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" H64, CONTAINER_CONTAINERD, H64, UID, NULL },
	{ "/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" H64, CONTAINER_CONTAINERD, H64, UID, NULL },
	{ "/kubepods-pod" UID_ ".slice:crio:" H64, CONTAINER_CRIO, H64, UID, NULL },
	/* nested: kind's node, k3s in Docker, Docker in LXC, a container in a pod */
	{ "/docker/" H64 "/kubelet/kubepods/burstable/pod" UID "/" I64, CONTAINER_DOCKER, H64, "", "/docker/" H64 },
	{ "/system.slice/docker-" H64 ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/cri-containerd-" I64 ".scope", CONTAINER_DOCKER, H64, "", "/system.slice/docker-" H64 ".scope" },
	{ "/docker/" H64 "/docker/" I64, CONTAINER_DOCKER, H64, "", "/docker/" H64 },
	{ "/lxc.payload.node/system.slice/docker-" H64 ".scope", CONTAINER_LXC, "node", "", "/lxc.payload.node" },
	{ "/kubepods/pod" UID "/" H64 "/docker/" I64, CONTAINER_CRI, H64, UID, "/kubepods/pod" UID "/" H64 },
	/* a user's own folders: no pod of the host's */
	{ USER "/kubepods/pod" UID "/" H64, CONTAINER_CRI, H64, "", NULL },
	{ USER "/kubepods-pod" UID_ ".slice/cri-containerd-" H64 ".scope", CONTAINER_CONTAINERD, H64, "", NULL },
	{ USER "/kubepods-besteffort-pod" UID_ ".slice:crio:" H64, CONTAINER_CRIO, H64, "", NULL },
	{ USER "/app.slice/docker.service/docker/" H64, CONTAINER_DOCKER, H64, "", NULL },
	/* LXC */
	{ "/lxc/web", CONTAINER_LXC, "web", "", NULL },
	{ "/lxc/web/init.scope", CONTAINER_LXC, "web", "", "/lxc/web" },
	{ "/lxc.payload/web", CONTAINER_LXC, "web", "", NULL },
	{ "/lxc.payload.web", CONTAINER_LXC, "web", "", NULL },
	{ "/lxc.payload.a.b_c", CONTAINER_LXC, "a.b_c", "", NULL },
	{ "/user.slice/user-1000.slice/session-3.scope/lxc.payload.web", CONTAINER_LXC, "web", "", NULL },
	/* libvirt's LXC */
	{ "/machine.slice/machine-lxc\\x2d1234\\x2dweb.scope", CONTAINER_LIBVIRT_LXC, "web", "", NULL },
	{ "/machine/web.libvirt-lxc", CONTAINER_LIBVIRT_LXC, "web", "", NULL },
	{ "/machine/lxc-12-web.libvirt-lxc/emulator", CONTAINER_LIBVIRT_LXC, "web", "", "/machine/lxc-12-web.libvirt-lxc" },
	{ "/libvirt/lxc/web", CONTAINER_LIBVIRT_LXC, "web", "", NULL },
	/* nspawn */
	{ "/machine.slice/machine-deb\\x2d12.scope/payload", CONTAINER_NSPAWN, "deb-12", "", "/machine.slice/machine-deb\\x2d12.scope" },
	{ "/machine.slice/machine-debian.scope", CONTAINER_NSPAWN, "debian", "", NULL },
	{ "/machine.slice/systemd-nspawn@debian.service/payload/init.scope", CONTAINER_NSPAWN, "debian", "", "/machine.slice/systemd-nspawn@debian.service" },
	/* Cloud Foundry */
	{ "/bpm-mfxs4ylnmu", CONTAINER_BPM, "mfxs4ylnmu", "", NULL },
	{ "/system.slice/runc-bpm-nats.nats-tls.scope", CONTAINER_BPM, "nats.nats-tls", "", NULL },
	{ "/garden/7c9e6679-7425-40de-5d1e", CONTAINER_GARDEN, "7c9e6679-7425-40de-5d1e", "", NULL },
	{ "/system.slice/garden.service/garden/good/7c9e6679-7425-40de-5d1e", CONTAINER_GARDEN, "7c9e6679-7425-40de-5d1e", "", NULL },
};

/* Path, and the pod that it is in the folder of. */
static const struct { const char *path, *pod_uid; } host[] = {
	{ "/", "" }, { "", "" }, { "docker/" H64, "" }, { "//docker/" H64, "" }, { "/docker//" H64, "" },
	{ "/init.scope", "" }, { "/user.slice/user-0.slice/session-1.scope", "" }, { "/system.slice/docker.service", "" },
	{ "/docker", "" }, { "/docker/", "" }, { "/libpod_parent", "" }, { "/kubepods", "" },
	/* 32 digits, or 63, or 65, or capitals */
	{ "/process_api/" H32, "" }, { "/docker/" H32, "" }, { "/docker/" H64 "0", "" }, { "/default/" H32 "0123456789abcdef0123456789abcde", "" },
	{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "" },
	{ "/system.slice/docker-" H32 ".scope", "" }, { "/system.slice/docker-" H64, "" }, { "/system.slice/docker-" H64 ".service", "" },
	/* names in folders that somebody made */
	{ "/evil/docker/" H64, "" }, { "/x/kubepods/pod" UID "/" H64, "" }, { "/evil/docker-" H64 ".scope", "" },
	{ "/tmp/system.slice/docker-" H64 ".scope", "" }, { "/user.slice/docker/" H64, "" }, { "/" H64, "" }, { "/x/" H64, "" },
	{ "/system.slice/evil-docker-" H64 ".scope", "" }, { "/user.slice/user-1.slice/session-1.scope/docker/" H64, "" },
	{ "/user.slice/user-1.slice/session-1.scope/docker-" H64 ".scope", "" }, { "/mykubepods/pod" UID "/" H64, "" },
	{ "/system.slice/garden/x", "" }, { "/evil/lxc/web", "" }, { "/evil/lxc.payload.web", "" },
	/* monitors, which are the host's */
	{ "/machine.slice/libpod-conmon-" H64 ".scope", "" }, { "/libpod_parent/conmon", "" }, { "/libpod_parent/libpod-conmon-" H64, "" },
	{ "/kubepods/burstable/pod" UID "/crio-conmon-" H64, UID },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" H64 ".scope", UID },
	{ "/lxc.monitor.web", "" }, { "/lxc.monitor/web", "" }, { "/lxc.payload.", "" },
	/* a pod's own folder, what else is in it, and what is no pod's */
	{ "/kubepods/burstable/pod" UID, UID }, { "/kubepods/pod" UID, UID }, { "/kubepods/pod" UID "/kata_overhead", UID },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice", UID },
	{ USER "/kubepods-pod" UID_ ".slice", "" }, { USER "/kubepods-pod" UID_ ".slice/x.service", "" },
	{ "/kubepods/burstable", "" }, { "/kubepods/burstable/" H64, "" }, { "/kubepods/burstable/pod/" H64, "" },
	{ "/kubepods/burstable/pod a/" H64, "" }, { "/kubepods.slice/kubepods-burstable.slice", "" },
	{ "/kubepods/burstable/besteffort/pod" UID "/" H64, "" }, { "/xkubepods-pod" UID_ ".slice", "" },
	/* virtual machines */
	{ "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope", "" }, { "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt", "" },
	{ "/machine/qemu-1-web.libvirt-qemu", "" }, { "/machine/.libvirt-lxc", "" }, { "/libvirt/qemu/web", "" },
	{ "/machine.slice/machine-a\\x2fb.scope", "" }, { "/machine.slice/machine-.scope", "" }, { "/machine-web.scope", "" },
	{ "/system.slice/machine-web.scope", "" }, { "/system.slice/systemd-nspawn@web.service", "" },
	/* a slice that is none, a runtime that nobody knows */
	{ "/system.slice/containerd.service/kubepods-pod" UID_ ":cri-containerd:" H64, "" },
	{ "/system.slice:evil:" H64, "" }, { "/a.slice:docker:" H32, "" }, { "/:" H64, "" },
	{ "/ecs/" H64, "" }, { "/bpm-", "" }, { "/bpm-a b", "" },
};

static const struct { const char *path, *namespace, *id, *own; } candidates[] = {
	{ "/default/t1", "default", "t1", "/default/t1" }, { "/my-ns/web.1/sub", "my-ns", "web.1", "/my-ns/web.1" },
	{ "/process_api/" H32, "process_api", H32, "/process_api/" H32 },
	{ "/a", NULL, NULL, NULL }, { "/", NULL, NULL, NULL }, { "", NULL, NULL, NULL }, { "/-a/b", NULL, NULL, NULL },
	{ "/a/b-", NULL, NULL, NULL }, { "/a/b..c", NULL, NULL, NULL }, { "/a/../b", NULL, NULL, NULL }, { "/a/b c", NULL, NULL, NULL },
	{ "/system.slice/x", NULL, NULL, NULL }, { "/a/b.scope", NULL, NULL, NULL }, { "/a//b", NULL, NULL, NULL },
	{ "/a/" H64 "0123456789abc", NULL, NULL, NULL },
};
/* clang-format on */

Test(cgroup, containers)
{
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		const struct path_case *one = &containers[i];
		struct cgroup_identity identity;
		bool is_container = cgroup_identify(str_from(one->path), &identity);

		cr_expect(is_container, "%s: is none", one->path);
		cr_expect(identity.type == one->type, "%s: type %s", one->path,
			  container_type_name(identity.type));
		cr_expect_str_eq(identity.id, one->id, "%s: id %s", one->path, identity.id);
		cr_expect_str_eq(identity.pod_uid, one->pod_uid, "%s: pod %s", one->path,
				 identity.pod_uid);
		cr_expect(identity.is_users ==
				  str_starts_with(str_from(one->path), STR("/user.slice/")),
			  "%s: a user's", one->path);
		cr_expect(identity.depth == strlen(one->own ? one->own : one->path), "%s: depth %u",
			  one->path, identity.depth);
	}
}

Test(cgroup, host)
{
	for (size_t i = 0; i < ARRAY_LEN(host); i++) {
		struct cgroup_identity identity;

		cr_expect(!cgroup_identify(str_from(host[i].path), &identity), "%s: is %s",
			  host[i].path, identity.id);
		cr_expect_str_eq(identity.pod_uid, host[i].pod_uid, "%s: pod %s", host[i].path,
				 identity.pod_uid);
	}
}

Test(cgroup, candidates)
{
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		struct cgroup_identity identity;
		bool is_one = cgroup_candidate(str_from(candidates[i].path), &identity);

		cr_expect(is_one == (candidates[i].id != NULL), "%s", candidates[i].path);
		if (!is_one || !candidates[i].id)
			continue;
		cr_expect_str_eq(identity.runtime_namespace, candidates[i].namespace);
		cr_expect_str_eq(identity.id, candidates[i].id);
		cr_expect(identity.depth == strlen(candidates[i].own), "%s", candidates[i].path);
	}
}

/* Names at their limits, and one byte beyond. */
Test(cgroup, limits)
{
	char path[512], name[CONTAINER_ID_MAX + 2] = { 0 };
	struct cgroup_identity identity;

	memset(name, 'n', CONTAINER_ID_MAX);
	snprintf(path, sizeof(path), "/lxc/%s", name);
	cr_expect(cgroup_identify(str_from(path), &identity));
	cr_expect_str_eq(identity.id, name);
	snprintf(path, sizeof(path), "/machine.slice/machine-%s.scope", name);
	cr_expect(cgroup_identify(str_from(path), &identity));
	memset(name, 'n', CONTAINER_ID_MAX + 1);
	snprintf(path, sizeof(path), "/lxc/%s", name);
	cr_expect(!cgroup_identify(str_from(path), &identity));
	snprintf(path, sizeof(path), "/machine.slice/machine-%s.scope", name);
	cr_expect(!cgroup_identify(str_from(path), &identity));
	snprintf(path, sizeof(path), "/system.slice/bpm-%s.scope", name);
	cr_expect(!cgroup_identify(str_from(path), &identity));
	name[POD_UID_MAX] = '\0';
	snprintf(path, sizeof(path), "/kubepods/pod%s/" H64, name);
	cr_expect(cgroup_identify(str_from(path), &identity));
	cr_expect_str_eq(identity.pod_uid, name);
	name[POD_UID_MAX] = 'n';
	name[POD_UID_MAX + 1] = '\0';
	snprintf(path, sizeof(path), "/kubepods/pod%s/" H64, name);
	cr_expect(!cgroup_identify(str_from(path), &identity));
	cr_expect(!cgroup_identify(STR_NONE, &identity));
	cr_expect(!cgroup_candidate(STR_NONE, &identity));
}
