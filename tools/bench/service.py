"""What both rivals stand on: a server of JSON lines on a UNIX socket, one process, as quick as Python's own library allows.

A service has `answer(method, params)`, which gives the result as JSON text.
"""
import contextlib
import json
import os
import selectors
import socket
import sys


class Connection:
    def __init__(self, server, peer):
        self.server, self.peer, self.waiting = server, peer, b""
        peer.setblocking(False)
        server.selector.register(peer, selectors.EVENT_READ, self)

    def ready(self):
        try:
            data = self.peer.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.server.selector.unregister(self.peer)
            self.peer.close()
            return
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if lines:
            self.send(b"".join(map(self.server.reply, lines)))

    def send(self, data):
        try:
            sent = self.peer.send(data)
        except (BrokenPipeError, BlockingIOError):
            sent = 0
        if sent < len(data):  # the rest waits for the client, and everybody with it, as in any server without threads or buffers
            self.peer.setblocking(True)
            with contextlib.suppress(BrokenPipeError):
                self.peer.sendall(memoryview(data)[sent:])
            self.peer.setblocking(False)


class Server:
    def __init__(self, path, service):
        self.selector, self.service = selectors.DefaultSelector(), service
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path + ".new")
        self.listener.listen(64)
        os.rename(path + ".new", path)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def reply(self, line):
        request = json.loads(line)
        result = self.service.answer(request["method"], request.get("params") or {})
        return ('{"jsonrpc":"2.0","id":%d,"result":%s}\n' % (request["id"], result)).encode()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data:
                    key.data.ready()
                else:
                    Connection(self, self.listener.accept()[0])


def main(kind):
    """serve DATABASE SOCKET; fill DATABASE, with conversations as lines of JSON on standard input."""
    if len(sys.argv) == 4 and sys.argv[1] == "serve":
        Server(sys.argv[3], kind(sys.argv[2])).run()
    elif len(sys.argv) == 3 and sys.argv[1] == "fill":
        kind.fill(sys.argv[2], sys.stdin.buffer)
    else:
        sys.exit("usage: %s serve DATABASE SOCKET | fill DATABASE" % sys.argv[0])
