"""A Docker engine that takes its time: `late_docker.py SOCKET IMAGE SECONDS_FILE`. A container's answer
waits as many seconds as the file SECONDS_FILE says when it is asked; any id is a container of IMAGE."""
import http.server
import json
import socketserver
import sys
import time

path, image, seconds_file = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path.endswith("/version"):
            self.answer({"ApiVersion": "1.43", "Components": [{"Name": "Engine"}]})
        elif "/containers/" in self.path:
            identity = self.path.split("/")[-2]
            with open(seconds_file) as file:
                time.sleep(float(file.read()))
            self.answer({
                "Id": identity,
                "Name": "/late-" + identity[:4],
                "Created": "2024-05-01T10:20:30.123456789Z",
                "State": {"StartedAt": "2024-05-01T10:20:31Z"},
                "Image": "sha256:" + "ab" * 32,
                "Config": {"Image": image, "Labels": {"a": "b"}},
                "HostConfig": {"Privileged": False},
                "Mounts": [],
                "NetworkSettings": {"IPAddress": "10.1.2.3", "Networks": {}},
            })
        else:
            self.answer({"RepoDigests": []})

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("local", 0)


with Server(path, Handler) as server:
    server.serve_forever()
