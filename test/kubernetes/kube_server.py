"""A Kubernetes API server of pods as it is seen by one that lists and watches them, with every fault
that a healthy one won't show: for the tests beside it. Python's standard library only.

What it does exactly as the real one: bearer tokens (401), pages (limit, continue), resourceVersion
on lists and watches, field selectors of spec.nodeName, bookmarks, 410 as a status and as an event.
"""
import copy
import http.server
import json
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse


class Pods:
    """The cluster's pods, a resource version that counts changes, and the changes themselves."""

    def __init__(self):
        self.lock = threading.Condition()
        self.version = 100
        self.pods = {}
        self.log = []  # (version, type, pod)
        self.oldest = 100

    def put(self, pod):
        with self.lock:
            self.version += 1
            kind = "MODIFIED" if pod["metadata"]["uid"] in self.pods else "ADDED"
            pod = copy.deepcopy(pod)
            pod["metadata"]["resourceVersion"] = str(self.version)
            self.pods[pod["metadata"]["uid"]] = pod
            self.log.append((self.version, kind, pod))
            self.lock.notify_all()

    def delete(self, uid):
        with self.lock:
            self.version += 1
            pod = self.pods.pop(uid)
            pod = copy.deepcopy(pod)
            pod["metadata"]["resourceVersion"] = str(self.version)
            self.log.append((self.version, "DELETED", pod))
            self.lock.notify_all()

    def forget(self):
        """What the server has compacted away: older versions are gone."""
        with self.lock:
            self.log = []
            self.version += 1
            self.oldest = self.version
            self.lock.notify_all()


def make_pod(number, node="node-1", version="1", name=None, **status):
    uid = "%08x-0000-4000-8000-%012x" % (number, number)
    return {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name or "web-5d4f8-%05d" % number, "namespace": "shop", "uid": uid,
            "labels": {"app": "web", "version": version, "pod-template-hash": "5d4f8"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d4f8", "controller": True}],
        },
        "spec": {"nodeName": node, "serviceAccountName": "default",
                 "containers": [{"name": "c", "image": "nginx"}]},
        "status": dict({"phase": "Running", "podIP": "10.%d.%d.%d" % (number >> 16 & 255,
                        number >> 8 & 255, number & 255)}, **status),
    }


def expected(pods, node="node-1"):
    """What pods_view prints."""
    lines = []
    for uid, pod in pods.items():
        if node and pod["spec"]["nodeName"] != node:
            continue
        meta = pod["metadata"]
        lines.append("%s %s/%s %s %s web" % (uid, meta["namespace"], meta["name"],
                                             meta["labels"]["version"],
                                             pod["status"].get("podIP", "-")))
    return sorted(lines)


class Faults:
    """Changed by the tests while the server runs; None or False: healthy."""

    def __init__(self):
        self.token = "token-1"
        self.list_status = None     # answer lists so
        self.watch_status = None    # answer watches so
        self.retry_after = None
        self.gone_events = 0        # so many watches end at once with an ERROR event 410
        self.error_events = 0       # … with an ERROR event 500
        self.cut_after = None       # bytes of a watch, then the connection is reset
        self.cut_list_after = None
        self.silent = False         # watches send nothing, not even bookmarks
        self.bookmark_period = 0.2
        self.content = None         # send this instead of JSON, as text/html
        self.redirect = False
        self.drip = None            # seconds between bytes
        self.end_at_once = False    # watches end right after they began
        self.endless = False        # lists have no end
        self.expire_continue = 0    # so many continue tokens are answered with 410


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def status(self, code, headers=(), reason=""):
        body = json.dumps({"kind": "Status", "code": code, "message": reason}).encode()
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, OSError):
            self.close_connection = True

    def answer(self):
        server, faults = self.server, self.server.faults
        url = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        is_watch = query.get("watch") == "1"
        with server.counts_lock:
            server.requests.append((time.monotonic(), "watch" if is_watch else "list", query))
        if faults.redirect:
            self.send_response(302)
            self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.headers.get("Authorization") != "Bearer " + faults.token:
            return self.status(401, reason="Unauthorized")
        if url.path not in ("/api/v1/pods", "/pods"):
            return self.status(404)
        code = faults.watch_status if is_watch else faults.list_status
        if code:
            headers = [("Retry-After", str(faults.retry_after))] if faults.retry_after else []
            return self.status(code, headers)
        if faults.content is not None:
            return self.send_content(faults.content)
        if is_watch:
            self.watch(query)
        else:
            self.list(query)

    def send_content(self, content):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def selected(self, query):
        node = query.get("fieldSelector", "")
        node = node[len("spec.nodeName="):] if node.startswith("spec.nodeName=") else None
        return lambda pod: node is None or pod["spec"]["nodeName"] == node

    def list(self, query):
        pods, faults, wanted = self.server.pods, self.server.faults, self.selected(query)
        limit, start = int(query.get("limit", "0")), 0
        if query.get("continue"):
            if faults.expire_continue:
                faults.expire_continue -= 1
                return self.status(410, reason="The provided continue parameter is too old")
            version, start = json.loads(query["continue"])
            items = self.server.snapshots[version]  # all pages are of one moment
        else:
            with pods.lock:
                version = pods.version
                items = [p for _, p in sorted(pods.pods.items()) if wanted(p)]
            self.server.snapshots[version] = items
        page = items[start:start + limit] if limit else items
        metadata = {"resourceVersion": str(version)}
        if limit and start + limit < len(items):
            metadata["continue"] = json.dumps([version, start + limit])
        if faults.endless:
            page = []
            metadata["continue"] = json.dumps([version, len(self.server.requests)])
        body = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": metadata,
                           "items": page}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if faults.cut_list_after is not None:
            self.wfile.write(body[:faults.cut_list_after])
            return self.reset()
        if faults.drip:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(faults.drip)
            return
        self.wfile.write(body)

    def reset(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()

    def chunk(self, data):
        faults = self.server.faults
        if faults.cut_after is not None:
            self.sent += len(data)
            if self.sent > faults.cut_after:
                keep = len(data) - (self.sent - faults.cut_after)
                data = data[:max(keep, 0)]
                if data:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.reset()
                raise BrokenPipeError
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, kind, obj):
        self.chunk(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    def watch(self, query):
        server, pods, faults = self.server, self.server.pods, self.server.faults
        wanted, version, self.sent = self.selected(query), int(query["resourceVersion"]), 0
        generation = server.generation
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        ends = time.monotonic() + float(query.get("timeoutSeconds", "300"))
        bookmark = time.monotonic() + faults.bookmark_period
        while time.monotonic() < ends and generation == server.generation:
            with pods.lock:
                gone = version < pods.oldest
                events = [e for e in pods.log if e[0] > version] if not gone else []
            if faults.gone_events or gone:
                faults.gone_events = max(faults.gone_events - 1, 0)
                self.event("ERROR", {"kind": "Status", "code": 410, "message": "too old"})
                break
            if faults.error_events:
                faults.error_events -= 1
                self.event("ERROR", {"kind": "Status", "code": 500, "message": "etcd"})
                break
            if faults.end_at_once:
                break
            for version, kind, pod in [] if faults.silent else events:
                if wanted(pod):
                    self.event(kind, pod)
            if not faults.silent and time.monotonic() >= bookmark:
                bookmark = time.monotonic() + faults.bookmark_period
                with pods.lock:
                    version = max(version, pods.version if not [
                        e for e in pods.log if e[0] > version] else version)
                self.event("BOOKMARK", {"kind": "Pod", "metadata":
                                        {"resourceVersion": str(version)}})
            with pods.lock:
                if not [e for e in pods.log if e[0] > version]:
                    pods.lock.wait(0.05)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, certificate=None, key=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pods, self.faults = Pods(), Faults()
        self.counts_lock = threading.Lock()
        self.requests = []
        self.snapshots = {}
        self.generation = 0
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
            self.scheme = "https"
        self.url = "%s://127.0.0.1:%d" % (self.scheme, self.server_address[1])
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def handle_error(self, *_):
        pass

    def end_watches(self):
        self.generation += 1

    def count(self, kind, since=0.0):
        with self.counts_lock:
            return len([r for r in self.requests if r[1] == kind and r[0] >= since])
