"""A real kube-apiserver with etcd, on 127.0.0.1 and in a folder of the test's own, and a relay before
it that can cut all connections. There is no kubelet: a pod runs where somebody says so."""
import ctypes
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

CACHES = ("/var/cache/haetae", os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "haetae"))


def find_apiserver():
    """What ./dev kube-apiserver has built; None where it has not."""
    found = [os.environ.get("HAETAE_KUBE_APISERVER") or ""]
    for cache in CACHES:
        found += sorted(glob.glob(cache + "/kube-apiserver/*/kube-apiserver"))
    return next((path for path in found if path and os.access(path, os.X_OK)), None)


def missing():
    """The program that a cluster lacks; None: nothing."""
    for program in ("etcd", "openssl"):
        if not shutil.which(program):
            return program + " is not installed"
    return None if find_apiserver() else "no kube-apiserver: './dev kube-apiserver' builds it"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Relay:
    """Bytes between a port of its own and another; TLS goes through as it is."""

    def __init__(self, port):
        self.target, self.pairs, self.is_open = port, [], True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if not self.is_open:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    @staticmethod
    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.is_open = False
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def open(self):
        self.is_open = True


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.children = []
        self.local = threading.local()
        self.make_certificates()
        self.port, self.etcd_port = free_port(), free_port()
        self.etcd = self.start_etcd()
        self.apiserver = self.start_apiserver()

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- programs ------------------------------------------------------------------------------

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)

    def make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ("ca", "other"):
            self.openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=" + name, "-keyout",
                         name + ".key", "-out", name + ".crt")
        self.openssl("req", *key, "-subj", "/CN=kube-apiserver", "-keyout", "server.key", "-out",
                     "server.csr")
        with open(self.path("names"), "w") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.crt")
        self.openssl("genrsa", "-out", "account.key", "2048")
        with open(self.path("tokens.csv"), "w") as file:
            file.write("admin-token,admin,admin,system:masters\n")

    def start(self, name, *arguments):
        log = open(self.path(name + ".log"), "ab")
        child = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                 cwd=self.folder, preexec_fn=die_with_parent)
        self.children.append(child)
        return child

    def start_etcd(self):
        client = "http://127.0.0.1:%d" % self.etcd_port
        peer = "http://127.0.0.1:%d" % free_port()
        return self.start("etcd", "etcd", "--data-dir", self.path("etcd"), "--listen-client-urls",
                          client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                          "--initial-advertise-peer-urls", peer, "--initial-cluster",
                          "default=" + peer)

    def start_apiserver(self):
        path = self.path
        return self.start(
            "apiserver", find_apiserver(), "--etcd-servers=http://127.0.0.1:%d" % self.etcd_port,
            "--bind-address=127.0.0.1", "--secure-port=%d" % self.port, "--cert-dir=" + path("run"),
            "--service-cluster-ip-range=10.96.0.0/24", "--endpoint-reconciler-type=none",
            "--tls-cert-file=" + path("server.crt"), "--tls-private-key-file=" + path("server.key"),
            "--client-ca-file=" + path("ca.crt"), "--token-auth-file=" + path("tokens.csv"),
            "--authorization-mode=RBAC", "--service-account-issuer=https://haetae.test",
            "--service-account-key-file=" + path("account.key"),
            "--service-account-signing-key-file=" + path("account.key"),
            # There is no controller that would give each namespace its service account.
            "--disable-admission-plugins=ServiceAccount")

    def is_ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def restart_apiserver(self):
        self.apiserver.kill()
        self.apiserver.wait()
        self.local = threading.local()
        self.apiserver = self.start_apiserver()

    def stop(self):
        for child in reversed(self.children):
            child.kill()
            child.wait()

    # ---- the administrator ---------------------------------------------------------------------

    def call(self, method, path, body=None, token="admin-token", kind="application/json"):
        """(status, object); a connection a thread."""
        connection = getattr(self.local, "connection", None)
        if not connection:
            context = ssl.create_default_context(cafile=self.path("ca.crt"))
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context,
                                                     timeout=20)
            self.local.connection = connection
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, {"Authorization": "Bearer " + token,
                                                    "Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.local.connection = None
            raise OSError(str(error)) from error
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def apply(self, text):
        """The objects of a YAML file as shipped; the statuses that they were answered with."""
        folders = {"Namespace": "/api/v1/namespaces",
                   "ServiceAccount": "/api/v1/namespaces/haetae/serviceaccounts",
                   "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
                   "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"}
        statuses = []
        for document in text.split("\n---\n"):
            kind = [line[6:] for line in document.splitlines() if line.startswith("kind: ")][0]
            statuses.append(self.call("POST", folders[kind], document, kind="application/yaml")[0])
        return statuses

    def token_of(self, account):
        path = "/api/v1/namespaces/haetae/serviceaccounts/%s/token" % account
        _, answer = self.call("POST", path, {"apiVersion": "authentication.k8s.io/v1",
                                             "kind": "TokenRequest",
                                             "spec": {"expirationSeconds": 600}})
        return answer["status"]["token"]

    def pods(self):
        return self.call("GET", "/api/v1/pods")[1]["items"]
