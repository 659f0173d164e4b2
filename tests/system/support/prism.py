"""Prism, which knows a published description of an API, as what the system tests that use it share: how it is found, started, and what it says."""
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from harness import wait_until

PRISM = "@stoplight/prism-cli@5.12.0"
INSTALL_SECONDS = 150
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def described(variable, name):
    """The path of a description; without it, or without what runs prism, the test is skipped."""
    path = os.environ.get(variable) or os.path.join(ROOT, "..", "shared", "api", name)
    if not os.path.exists(path):
        skip("the description of the API is not here (%s)" % variable)
    if not shutil.which("node") or not (os.environ.get("FIC_PRISM") or shutil.which("npm")):
        skip("node and npm are not installed")
    return path


def skip(words):
    print("skipped: " + words)
    sys.exit(77)


def install(folder):
    """The path of prism."""
    if os.environ.get("FIC_PRISM"):
        return os.environ["FIC_PRISM"]
    npm = subprocess.Popen(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, PRISM],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                           start_new_session=True)
    try:
        npm.wait(INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(npm.pid, signal.SIGKILL)
        npm.wait()
    path = os.path.join(folder, "node_modules", ".bin", "prism")
    if npm.returncode != 0 or not os.path.exists(path):
        skip("npm cannot install " + PRISM)
    return path


class Prism:
    def __init__(self, folder, prism, *args):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % port
        self.log_path = os.path.join(folder, "prism.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["node", prism, *args, "-p", str(port), "-h", "127.0.0.1"],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until("prism listens", lambda: "is listening" in self.log() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log()[-2000:]

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return re.sub("\x1b\\[[0-9;]*m", "", f.read())

    def violations(self):
        """The distinct ones, without numbers of items."""
        found = re.findall(r"Violation: (.*)", self.log())
        return sorted({re.sub(r"(\.|\[)\d+(\]|\b)", "[]", v) for v in found})

    def answers(self):
        return self.log().count("Request received")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Relay:
    """Before prism: says who the token belongs to, since random names would be another company each time, and counts. `mend` may change an answer."""

    def __init__(self, target, me, mend=lambda data: data, headers=None):
        relay, more = self, headers
        self.count = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                if self.path == "/me":
                    status, data = 200, json.dumps(me).encode()
                else:
                    relay.count += 1
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
                    request = urllib.request.Request(target + self.path, body, headers, method=self.command)
                    try:
                        with urllib.request.urlopen(request, timeout=30) as answer:
                            status, data = answer.status, mend(answer.read())
                    except urllib.error.HTTPError as error:
                        status, data = error.code, error.read()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                for name, value in (more or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
