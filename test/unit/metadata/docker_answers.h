/* Answers of Docker's Engine API as tests give them, after those of Docker 24 and Podman 4.3. */
#ifndef HAETAE_TEST_DOCKER_ANSWERS_H
#define HAETAE_TEST_DOCKER_ANSWERS_H

#define DOCKER_VERSION \
	"{\"Version\":\"24.0.5\",\"ApiVersion\":\"1.43\",\"Components\":[{\"Name\":\"Engine\"}]}"
#define PODMAN_VERSION                                                                       \
	"{\"Version\":\"4.3.1\",\"ApiVersion\":\"1.41\",\"Components\":[{\"Name\":\"Podman " \
	"Engine\"}]}"

/* %s: the id. */
#define DOCKER_CONTAINER                                                                           \
	"{\"Id\":\"%s\",\"Name\":\"/web\","                                                        \
	"\"Image\":\"sha256:1111111111111111111111111111111111111111111111111111111111111111\","   \
	"\"State\":{\"Running\":true,\"Pid\":42,\"StartedAt\":\"2024-05-01T10:20:30.5+02:00\"},"   \
	"\"Config\":{\"Image\":\"registry.test:5000/team/"                                         \
	"web:1.2\",\"Env\":[\"PASSWORD=hunter2\"],"                                                \
	"\"Labels\":{\"tier\":\"front\",\"empty\":\"\","                                           \
	"\"io.kubernetes.pod.name\":\"forged\",\"io.kubernetes.pod.namespace\":\"kube-system\","   \
	"\"io.kubernetes.pod.uid\":\"u\",\"number\":7}},"                                          \
	"\"HostConfig\":{\"Privileged\":true,\"NetworkMode\":\"bridge\",\"PidMode\":\"host\","     \
	"\"IpcMode\":\"private\",\"Runtime\":\"runc\"},"                                           \
	"\"NetworkSettings\":{\"IPAddress\":\"\",\"Networks\":{\"a\":{\"IPAddress\":\"\"},"        \
	"\"b\":{\"IPAddress\":\"172.17.0.2\"}}},"                                                  \
	"\"Mounts\":[{\"Source\":\"/srv\",\"Destination\":\"/data\",\"Mode\":\"ro\",\"RW\":false," \
	"\"Propagation\":\"rprivate\"},{\"Destination\":\"/b\"},\"junk\"]}"

#define DOCKER_IMAGE                                                    \
	"{\"Id\":\"sha256:1111\",\"RepoDigests\":[\"other@sha256:aa\"," \
	"\"registry.test:5000/team/web@sha256:bb\"]}"

#endif
