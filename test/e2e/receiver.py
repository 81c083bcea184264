#!/usr/bin/env python3
"""A receiver that does what it is told, request by request: ACT... for the first, the second, the last
for all others. Each request is a line of JSON in LOG: the ids in its body, its key, what was answered.

usage: receiver.py PORT LOG [--tls CERT KEY] ACT...
ACT: a status; 429:SECONDS; bad (400 where the body has "bad", else 200); hang; reset; big (200, 10 MiB)
"""
import gzip
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time

arguments = sys.argv[1:]
port, log_path = int(arguments.pop(0)), arguments.pop(0)
tls = None
if arguments[0] == "--tls":
    tls = arguments[1:3]
    arguments = arguments[3:]
acts = arguments
lock = threading.Lock()
count = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for the delayed acknowledgement

    def log_message(self, *_):
        pass

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        text = body.decode()
        with lock:
            act = acts[min(count, len(acts) - 1)]
            count += 1
            entry = {
                "ids": re.findall(r'"uuid":"([^"]*)"', text),
                "key": self.headers.get("Idempotency-Key"),
                "path": self.path,
                "type": self.headers.get("Content-Type"),
                "authorization": self.headers.get("Authorization"),
                "signature": self.headers.get("X-Haetae-Signature"),
                "client": self.headers.get("X-Client"),
                "act": act,
                "at": time.monotonic(),
                "taken": act in ("200", "big") or (act == "bad" and "bad" not in text),
            }
            with open(log_path, "a") as log:
                log.write(json.dumps(entry) + "\n")
        self.answer(act, text)

    def answer(self, act, text):
        if act == "hang":
            time.sleep(30)
            self.close_connection = True
        elif act == "reset":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif act == "big":
            try:
                self.reply(200, b"x" * (10 << 20))
            except OSError:
                self.close_connection = True
        elif act == "bad":
            self.reply(400 if "bad" in text else 200, b"no bad ones here")
        elif act.startswith("429:"):
            self.reply(429, b"", {"Retry-After": act[4:]})
        else:
            self.reply(int(act), b"{}")

    def reply(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


# One that was killed may have left half a line; its alert was not acknowledged.
if os.path.exists(log_path):
    with open(log_path, "rb+") as log:
        if log.read()[-1:] not in (b"", b"\n"):
            log.write(b"\n")
server = Server(("127.0.0.1", port), Handler)
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening", flush=True)
server.serve_forever()
