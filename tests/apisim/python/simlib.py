"""Starts the API simulator and talks to it; used by the tests.

Standard library only. A simulator is stopped by its process id, and ends by
itself when the test that started it does.
"""

import gzip
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

NOW = 1_760_000_000  # a Thursday, 08:53:20 UTC, 01:53:20 in Los Angeles
TOKEN = "sim-token"


def binary():
    """The program under test: the argument, or where the build puts it."""
    args = [a for a in sys.argv[1:] if not a.startswith("-")]
    path = args[0] if args else os.path.join(os.environ.get("BUILD", "build"), "apisim")
    if not os.path.exists(path):
        root = os.path.abspath(__file__)
        for _ in range(4):
            root = os.path.dirname(root)
        path = os.path.join(root, path)
    return os.path.abspath(path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["errors"][0]["code"]


class Sim:
    """One simulator. `with Sim("--contacts", 5) as s: s.get("/me")`"""

    def __init__(self, *options, frozen=True, now=NOW):
        self.folder = tempfile.mkdtemp(prefix="apisim-")
        self.port_file = os.path.join(self.folder, "port")
        args = [binary(), "--port-file", self.port_file, "--exit-with-parent"]
        if now:
            args += ["--now", str(now)]
        if frozen:
            args += ["--clock", "frozen"]
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        started = time.monotonic()
        self.process = subprocess.Popen(args + [str(o) for o in options],
                                        stdout=self.log, stderr=self.log)
        while not os.path.exists(self.port_file):
            if self.process.poll() is not None or time.monotonic() - started > 60:
                raise RuntimeError("the simulator did not start: " + self.output())
            time.sleep(0.003)
        self.start_seconds = time.monotonic() - started
        with open(self.port_file) as f:
            self.port = int(f.read())
        self.connection = None
        self.headers = {"Authorization": "Bearer " + TOKEN, "Intercom-Version": "2.16",
                        "Accept": "application/json", "User-Agent": "apisim-check/1"}

    def output(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.connection:
            self.connection.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        output, status = self.output(), self.process.returncode
        self.log.close()
        shutil.rmtree(self.folder)
        if not any(error) and (status != 0 or "ERROR" in output or "runtime error" in output):
            raise AssertionError("the simulator ended with %d: %s" % (status, output))
        return False

    def resident_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def request(self, method, path, body=None, headers=None, drop=(), timeout=30):
        """One call over the kept connection. body: JSON or bytes."""
        h = {k: v for k, v in {**self.headers, **(headers or {})}.items() if k not in drop}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and "Content-Type" not in drop:
            h.setdefault("Content-Type", "application/json")
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self.connection.timeout = timeout
        if self.connection.sock:
            self.connection.sock.settimeout(timeout)
        try:
            self.connection.putrequest(method, path, skip_accept_encoding=True)
            if body is not None:
                h["Content-Length"] = str(len(body))
            for k, v in h.items():
                self.connection.putheader(k, v)
            self.connection.endheaders(body)
            r = self.connection.getresponse()
            data = r.read()
        except Exception:
            self.connection.close()
            self.connection = None
            raise
        if r.will_close:
            self.connection.close()
            self.connection = None
        if r.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        return Answer(r.status, r.headers, data)

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def control(self, path, body=None, method=None):
        """A control on a connection of its own."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            c.request(method or ("GET" if body is None else "POST"), "/_sim/" + path,
                      None if body is None else json.dumps(body))
            r = c.getresponse()
            return r.status, json.loads(r.read())
        finally:
            c.close()

    def truth(self, resource, since=None):
        """{id: doc}, in the order of the lines; ids must be unique."""
        docs = {}
        for line in self.truth_bytes(resource, since).splitlines():
            row = json.loads(line)
            assert row["id"] not in docs, row["id"]
            docs[row["id"]] = row["doc"]
        return docs

    def parents(self, resource):
        """{id: the id of the thread that it belongs to}"""
        rows = [json.loads(line) for line in self.truth_bytes(resource).splitlines()]
        return {row["id"]: row["parent"] for row in rows}

    def truth_bytes(self, resource, since=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            c.request("GET", "/_sim/truth/" + resource + ("?since=%d" % since if since else ""))
            return c.getresponse().read()
        finally:
            c.close()

    def stats(self):
        return self.control("stats")[1]

    def breaches(self):
        return {k: n for k, n in self.stats()["breaches"].items() if n}

    def reset(self):
        self.control("stats/reset", {})

    def restarted(self):
        self.control("client/restarted", {})

    def now(self):
        return self.control("clock")[1]["now"]

    def advance(self, seconds):
        self.control("clock", {"advance_s": seconds})

    def mutate(self, **request):
        status, done = self.control("mutate", request)
        assert status == 200, done
        return done

    def fault(self, *faults):
        status, words = self.control("faults", list(faults))
        assert status == 200, words

    def no_faults(self):
        self.control("faults", method="DELETE")

    def walk(self, path, key, per_page=None, query=None, sort=None, limit=100000):
        """All records of a cursor listing; also checks what every page says."""
        records, cursor, page = [], None, 0
        while True:
            page += 1
            if query is None:
                args = ["per_page=%d" % per_page] if per_page else []
                args += ["starting_after=" + cursor] if cursor else []
                a = self.get(path + ("?" + "&".join(args) if args else ""))
            else:
                body = {"query": query}
                pagination = {"per_page": per_page} if per_page else {}
                if cursor:
                    pagination["starting_after"] = cursor
                if pagination:
                    body["pagination"] = pagination
                if sort:
                    body["sort"] = {"field": sort[0], "order": sort[1]}
                a = self.post(path, body)
            assert a.status == 200, (a.status, a.body[:300])
            d = a.json
            assert d["pages"]["page"] == page, d["pages"]
            assert d["pages"]["type"] == "pages"
            size = d["pages"]["per_page"]
            assert d["pages"]["total_pages"] == (d["total_count"] + size - 1) // size
            records += d[key]
            if not d["pages"].get("next"):
                assert len(d[key]) <= size
                assert len(records) == d["total_count"], (len(records), d["total_count"])
                return records
            assert len(d[key]) == size
            assert d["pages"]["next"]["page"] == page + 1
            cursor = d["pages"]["next"]["starting_after"]
            assert len(records) < limit

    def raw(self, data, timeout=5):
        """Bytes out, all bytes back until the other side closes."""
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        try:
            s.sendall(data)
            out = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    return out
                out += piece
        finally:
            s.close()

    def raw_get(self, path):
        lines = ["GET %s HTTP/1.1" % path, "Host: x", "Connection: close"]
        lines += ["%s: %s" % h for h in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def run(tests):
    """Runs the functions, in TAP, with the counts as the last line."""
    failed = 0
    only = [a[2:] for a in sys.argv[1:] if a.startswith("--")]
    tests = [t for t in tests if not only or any(o in t.__name__ for o in only)]
    print("1..%d" % len(tests))
    for i, test in enumerate(tests, 1):
        started = time.monotonic()
        try:
            test()
            word = "ok"
        except Exception:
            import traceback
            word = "not ok"
            failed += 1
            print("# " + traceback.format_exc().replace("\n", "\n# "))
        print("%s %d - %s (%.1f s)" % (word, i, test.__name__, time.monotonic() - started))
        sys.stdout.flush()
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    sys.exit(1 if failed else 0)
