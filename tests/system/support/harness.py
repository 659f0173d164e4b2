"""What the system tests share: the simulator, the daemon and a client of its socket, each in a folder of its own.

Everything is started by this module, ended by process id, and bounded in time. Nothing talks to anything but 127.0.0.1 and
UNIX sockets.
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
SANITIZED = bool(os.environ.get("SANITIZE"))
RESOURCES = ["conversations", "messages", "contacts", "companies", "admins", "teams", "tags", "segments", "tickets",
             "ticket_parts", "ticket_types", "ticket_states", "data_attributes", "conversation_attributes", "articles",
             "collections"]


def program(name):
    return os.path.join(BUILD, name)


def wait_until(what, condition, seconds=30.0, pause=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError("not within %.0f s: %s" % (seconds, what))


class Sim:
    """The API simulator."""

    def __init__(self, folder, *options):
        self.folder = folder
        port_file = os.path.join(folder, "port")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(port_file)
        self.log = open(os.path.join(folder, "apisim.log"), "ab")
        self.process = subprocess.Popen(
            [program("apisim"), "--port", "0", "--port-file", port_file, "--max-seconds", "900", *map(str, options)],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        wait_until("apisim listens", lambda: os.path.exists(port_file) or self.process.poll() is not None, 60)
        assert self.process.poll() is None, "apisim ended at once"
        self.port = int(open(port_file).read())
        self.url = "http://127.0.0.1:%d" % self.port

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"} if body is not None else {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status == 200, (method, path, answer.status, data[:300])
        return data

    def control(self, method, path, body=None):
        data = self.request(method, "/_sim/" + path, body)
        return json.loads(data) if data.strip() else None

    def truth(self, resource, version="2.16"):
        """id -> (parent, doc) of all that a right mirror holds, in a version of the API."""
        held = {}
        for line in self.request("GET", "/_sim/truth/%s?lists=whole&version=%s" % (resource, version)).splitlines():
            row = json.loads(line)
            assert row["id"] not in held, ("the truth lists it twice", resource, row["id"])
            held[row["id"]] = (row.get("parent"), row["doc"])
        return held

    def stats(self):
        return self.control("GET", "stats")

    def mutate(self, count, seed, **more):
        return self.control("POST", "mutate", dict(count=count, seed=seed, **more))

    def faults(self, *faults):
        return self.control("POST", "faults", list(faults))

    def no_faults(self):
        self.control("DELETE", "faults")

    def restarted(self):
        self.control("POST", "client/restarted", {})

    def breaches(self):
        breaches = self.stats()["breaches"]
        return breaches

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.log.close()


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]
        self.data = error.get("data") or {}


class Client:
    """One connection to the daemon's socket, one JSON object a line."""

    def __init__(self, path, timeout=120):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.buffer = b""
        self.next_id = 0

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError("the daemon closed the connection")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def call(self, method, notifications=None, **params):
        self.next_id += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).encode() + b"\n")
        while True:
            answer = self.line()
            if "method" in answer:
                if notifications is not None:
                    notifications.append(answer)
                continue
            assert answer["id"] in (self.next_id, None), answer
            if "error" in answer:
                raise RpcError(answer["error"])
            return answer["result"]

    def rows(self, resource, **params):
        """All rows, page by page."""
        cursor = {}
        while True:
            page = self.call("query", resource=resource, limit=1000, **params, **cursor)
            yield from page["rows"]
            if not page.get("next_cursor"):
                return
            cursor = {"cursor": page["next_cursor"]}

    def close(self):
        self.socket.close()


class Daemon:
    """ficd on the simulator, with its state in a folder."""

    def __init__(self, folder, sim, token="sim-token", source_options="", resource_sections="", start=True, once=False,
                 retry="50ms", provider="intercom"):
        self.folder = folder
        self.sim = sim
        self.socket_path = os.path.join(folder, "ficd.sock")
        self.config_path = os.path.join(folder, "ficd.conf")
        self.log_path = os.path.join(folder, "ficd.log")
        token_path = os.path.join(folder, "token")
        with open(token_path, "w") as f:
            f.write(token + "\n")
        os.chmod(token_path, 0o600)
        with open(self.config_path, "w") as f:
            f.write("[ficd]\nstate_dir = %s/state\nsocket = %s\nlog_level = debug\n\n"
                    "[source acme]\nprovider = %s\nbase_url = %s\ntoken = file:%s\nretry = %s\n%s\n%s\n"
                    % (folder, self.socket_path, provider, sim.url if sim else "http://127.0.0.1:9", token_path, retry, source_options,
                       resource_sections))
        self.process = None
        if start:
            self.start()

    def start(self, **environment):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([program("ficd"), "--config", self.config_path], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))
        log.close()
        wait_until("ficd listens", lambda: self.connectable() or self.process.poll() is not None, 60, 0.005)
        assert self.process.poll() is None, "ficd ended at once:\n" + self.log_tail()

    def connectable(self):
        try:
            Client(self.socket_path, 5).close()
            return True
        except OSError:
            return False

    def log_tail(self, lines=30):
        with open(self.log_path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])

    def log_text(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def client(self, timeout=120):
        return Client(self.socket_path, timeout)

    def call(self, method, **params):
        client = self.client()
        try:
            return client.call(method, **params)
        finally:
            client.close()

    def sync(self, mode="changes", **params):
        """A sync to its end; the runs."""
        client = self.client(600)
        try:
            return client.call("sync", mode=mode, wait=True, **params)["runs"]
        finally:
            client.close()

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_settled(self, seconds=120, unproven=()):
        """Until everything wanted was read and the claims are coverage: no gap in any resource, but for those of which it cannot be known, and a note says so."""
        def settled():
            status = self.call("status")["sources"][0]
            return all(r["coverage_ratio"] > 0.999999 or r["state"] == "fresh" or r["name"] in unproven and r.get("note")
                       for r in status["resources"]) and \
                not any(r["syncing"] for r in status["resources"]) and status
        return wait_until("the first sync is complete", settled, seconds, 0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("ficd did not stop in 30 s:\n" + self.log_tail())
        assert code == 0, "ficd ended with %d:\n%s" % (code, self.log_tail())


def same_json(a, b):
    """Equality as JSON values: 1 equals 1.0, true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_json(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_json, a, b))
    return type(a) in (int, float) and type(b) in (int, float) and a == b or type(a) is type(b) and a == b


def outgrown(client, threads, part, truth):
    """A thread of more than 500 parts: the provider shows the newest 500 only, the cache rightly keeps what it saw before, and what is older."""
    record = client.call("get", resource=threads, id=part[0]).get("record") or {}
    shown = [doc["created_at"] for parent, doc in truth.values() if parent == part[0] and "created_at" in doc]
    return record.get("truncated") and len(shown) >= 500 and part[1]["created_at"] <= min(shown)


def compare(daemon, sim, resources=RESOURCES, version="2.16"):
    """Cache against truth: every record, equal, none too many. Returns how many."""
    total = 0
    client = daemon.client()
    for resource in resources:
        truth = sim.truth(resource, version)
        held = {}
        for row in client.rows(resource, fields=["parent", "doc"]):
            assert row["id"] not in held, ("twice in an answer", resource, row["id"])
            held[row["id"]] = (row.get("parent"), row["doc"])
        missing = sorted(truth.keys() - held.keys())
        extra = sorted(held.keys() - truth.keys())
        threads = {"messages": "conversations", "ticket_parts": "tickets"}.get(resource)
        if threads and extra:
            extra = [key for key in extra if not outgrown(client, threads, held[key], truth)]
        assert not missing, "%s: %d of %d missing, such as %s" % (resource, len(missing), len(truth), missing[:5])
        assert not extra, "%s: %d too many, such as %s" % (resource, len(extra), extra[:5])
        for key, (parent, doc) in truth.items():
            assert parent == held[key][0], (resource, key, "parent", parent, held[key][0])
            assert same_json(doc, held[key][1]), "%s %s differs:\n truth %s\n held  %s" % (
                resource, key, json.dumps(doc, sort_keys=True)[:3000], json.dumps(held[key][1], sort_keys=True)[:3000])
        count = client.call("query", resource=resource, limit=0, total=True)["total"]
        assert count == len(held), (resource, "count", count, len(held))
        total += len(truth)
    client.close()
    return total


@contextlib.contextmanager
def workplace():
    folder = tempfile.mkdtemp(prefix="fic-", dir="/tmp")
    started = []
    try:
        yield folder, started
    except BaseException:
        for name in ("ficd.log", "apisim.log"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    sys.stdout.write("---- %s\n%s" % (name, "".join(f.readlines()[-40:])))
        raise
    finally:
        for thing in reversed(started):
            with contextlib.suppress(Exception):
                if thing.process and thing.process.poll() is None:
                    thing.process.kill()
                    thing.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Report:
    """TAP: one line a check, so that each counts."""

    def __init__(self, *names):
        self.names = names
        self.at = 0
        print("1..%d" % len(names), flush=True)

    def ok(self, name, note=""):
        assert name == self.names[self.at], (name, self.names[self.at])
        self.at += 1
        print("ok %d - %s%s" % (self.at, name, " # " + note if note else ""), flush=True)

    def skip(self, name, reason):
        self.ok(name, "SKIP " + reason)
