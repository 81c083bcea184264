"""A runtime's socket that lies: grpc_liar.py SOCKET BEHAVIOUR CONTAINER. It speaks plain HTTP/2 (RFC
9113), answers Version as containerd does (an empty request), and everything else as BEHAVIOUR says."""
import socket
import struct
import sys
import threading
import time

path, behaviour, container = sys.argv[1:]
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def field(number, content):
    """protobuf: a text or message."""
    size, varint = len(content), b""
    while size > 127:
        varint += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + varint + bytes([size]) + content


def message(content, flag=0, length=None):
    return struct.pack(">BI", flag, len(content) if length is None else length) + content


def header_block(pairs):
    """HPACK's literals without indexing (RFC 7541, 6.2.2), no Huffman codes."""
    block = b""
    for name, value in pairs:
        name, value = name.encode(), value.encode()
        block += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return block


class Connection:
    def __init__(self, stream):
        self.stream = stream

    def frame(self, kind, flags, number, content=b""):
        self.stream.sendall(
            struct.pack(">I", len(content))[1:]
            + bytes([kind, flags])
            + struct.pack(">I", number)
            + content
        )

    def headers(self, number, status="200", kind="application/grpc", more=(), last=False):
        block = header_block([(":status", status), ("content-type", kind), *more])
        self.frame(HEADERS, END_HEADERS | (END_STREAM if last else 0), number, block)

    def trailers(self, number, status, text=""):
        block = header_block([("grpc-status", status), ("grpc-message", text)])
        self.frame(HEADERS, END_HEADERS | END_STREAM, number, block)

    def body(self, number, content, status="0"):
        self.headers(number)
        self.frame(DATA, 0, number, content)
        if status is not None:
            self.trailers(number, status)
        else:
            self.frame(DATA, END_STREAM, number)

    def right(self):
        """The answer that the question deserves, of ContainerStatus."""
        return field(1, field(1, container.encode()) + field(2, field(1, b"liar")))

    def lie(self, number):  # noqa: C901
        good = message(self.right())
        if behaviour == "honest":
            self.body(number, good)
        elif behaviour == "garbage":
            self.body(number, message(b"\xff" * 300))
        elif behaviour == "other":
            self.body(number, message(field(1, field(1, b"f" * 64))))
        elif behaviour == "cut":
            self.body(number, good[:-4])
        elif behaviour == "longer":
            self.body(number, message(self.right(), length=0x7FFFFFFF))
        elif behaviour == "compressed":
            self.body(number, message(self.right(), flag=1))
        elif behaviour == "two":
            self.body(number, good + good)
        elif behaviour == "no-trailers":
            self.body(number, good, None)
        elif behaviour == "error":
            self.body(number, good, "2")
        elif behaviour == "odd-status":
            self.body(number, good, "x" * 20)
        elif behaviour == "web":
            self.headers(number, kind="text/html")
            self.frame(DATA, END_STREAM, number, b"<html>")
        elif behaviour == "redirect":
            self.headers(number, "302", more=[("location", "http://localhost/")], last=True)
        elif behaviour == "many-headers":
            for _ in range(4000):
                self.headers(number, "100", more=[("x", "y" * 120)])
        elif behaviour == "endless":
            self.headers(number)
            while True:
                self.frame(DATA, 0, number, b"\0" * 16000)
        elif behaviour == "slow":
            self.headers(number)
            for byte in good:
                self.frame(DATA, 0, number, bytes([byte]))
                time.sleep(0.4)
        elif behaviour == "silent":
            time.sleep(60)
        elif behaviour == "closed":
            self.headers(number)
            self.frame(DATA, 0, number, good[:6])
            self.stream.shutdown(socket.SHUT_RDWR)
        elif behaviour == "noise":
            self.stream.sendall(bytes(range(256)) * 64)
            self.stream.shutdown(socket.SHUT_RDWR)
        else:
            sys.exit("no such behaviour")

    def read(self, size):
        content = b""
        while len(content) < size:
            piece = self.stream.recv(size - len(content))
            if not piece:
                raise ConnectionError
            content += piece
        return content

    def serve(self):
        self.read(24)  # the preface
        self.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 30))
        while True:
            head = self.read(9)
            content = self.read(int.from_bytes(head[:3], "big"))
            kind, flags, number = head[3], head[4], struct.unpack(">I", head[5:])[0]
            if kind == SETTINGS and not flags & ACK:
                self.frame(SETTINGS, ACK, 0)
            elif kind == DATA and len(content) == 5:
                self.body(number, message(field(2, b"containerd")))
            elif kind == DATA:
                self.lie(number)


def serve(stream):
    try:
        Connection(stream).serve()
    except OSError:
        pass
    stream.close()


listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(16)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
