#!/usr/bin/env python3
# run-tests: beside others
"""A judge from outside for Front: prism answers as the published description says. Its examples name a next page on another host for ever.

front_prism.py needs the description (FIC_OPENAPI_FRONT, else ../shared/api/front-core-api.json) and node with npm, which installs prism into a
temporary folder (FIC_PRISM: the path of one that is installed). Without them it is skipped.
"""
import http.server
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403
from prism import *  # noqa: E402,F403

DESCRIPTION = described("FIC_OPENAPI_FRONT", "front-core-api.json")  # noqa: F405
ME = {"_links": {"self": "https://yourCompany.api.frontapp.com/me"}, "id": "cmp_1", "name": "Random"}
TOKEN = "front-token-of-this-test"
RATE = {"X-RateLimit-Limit": "6000", "X-RateLimit-Remaining": "5999"}
RANDOM_ANSWERS, RANDOM_LEAST = int(os.environ.get("PRISM_ANSWERS", "120")), 100  # on a machine that has time, and on one that has none
NAMES = ["no request that the description does not know", "no endless loop: lists whose next never ends are given up",
         "the token never leaves for the host that is named", "random answers: no circle, no crash, no false claim"]


class Elsewhere:
    """The host that the answers name: whoever comes is noted."""

    def __init__(self):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                seen.append((self.path, self.headers.get("Authorization")))
                self.send_error(404)

            do_POST = do_HEAD = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.named = b"http://127.0.0.1:%d" % self.server.server_address[1]
        self.count = 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def name(self, data):
        """The answer with this host in the place of the company's."""
        data, n = re.subn(rb"https://[a-zA-Z]+\.api\.frontapp\.com", self.named, data)
        self.count += n
        return data

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def connections(daemon):
    """The ports of this machine that the daemon has a connection to, and whether it has any to another."""
    sockets = {os.readlink("/proc/%d/fd/%s" % (daemon.process.pid, fd)) for fd in os.listdir("/proc/%d/fd" % daemon.process.pid)}
    ports, away = set(), False
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name) as f:
            for fields in (line.split() for line in f.readlines()[1:]):
                if "socket:[%s]" % fields[9] in sockets:
                    host, port = fields[2].split(":")
                    ports.add(int(port, 16))
                    away |= host != "0100007F"
    return ports, away


def examples(prism, report):
    with workplace() as (folder, started):  # noqa: F405
        mock = Prism(folder, prism, "mock", DESCRIPTION)  # noqa: F405
        started.append(mock)
        elsewhere = Elsewhere()
        relay = Relay(mock.url, ME, elsewhere.name, RATE)  # noqa: F405
        daemon = front_daemon(folder, relay, token=TOKEN, source_options="budget = 100%\nconcurrency = 8\nhistory = 3000d", retry="10ms")  # noqa: F405
        started.append(daemon)
        runs, away = [], False
        # The examples are not one world, and their lists do not end: runs fail. That the requests are good, and few, is what counts.
        for mode in ("full", "changes", "changes"):
            runs += daemon.sync(mode)
            away |= connections(daemon)[1]
        for where in ("status = unassigned and inbox_id contains inb_1", "subject contains 'a / b'", "email = 'a+b@x.test'"):
            daemon.call("query", resource="conversations", where=where, max_age=0, on_stale="live")
        daemon.call("query", resource="contacts", where="email = 'a@x.test'", max_age=0, on_stale="live")
        for resource, id in (("contacts", "crd_2njtoem"), ("conversations", "cnv_yo1kg5q")):
            # After a failure the provider is left alone for a moment.
            wait_until(id + " is asked for", lambda: daemon.call("get", resource=resource, id=id, live=True)["freshness"]["live"]["reason"]  # noqa: F405
                       in (None, "failed", "gone"), 60)
        # The description's own examples break its rules, so those of answers say nothing of us.
        violations, log = [v for v in mock.violations() if v.startswith("request")], mock.log()
        routes = {re.sub(r"(cnv|crd)_\w+", r"\1_", path.split("?")[0]) for path in re.findall(r"\[HTTP SERVER\] get (/\S+)", log)}
        assert not violations, violations
        assert "NO_PATH_MATCHED" not in log and "terminated with error" not in log, log[-3000:]
        wanted = {"/accounts", "/channels", "/contact_lists", "/contacts", "/conversations", "/inboxes", "/links", "/tags", "/teammates", "/teams",
                  "/conversations/cnv_", "/conversations/cnv_/messages", "/contacts/crd_"}
        assert not wanted - routes and any("/search/" in route for route in routes), (wanted - routes, routes)
        report.ok(NAMES[0], "%d requests, %d routes" % (mock.answers(), len(routes)))

        circles = [run for run in runs if "circle" in (run["error"] or "")]
        assert circles and all(run["outcome"] == "failed" for run in circles), runs
        assert all(run["calls"] < 200 for run in runs) and relay.count < 1000, (relay.count, runs)
        report.ok(NAMES[1], "%d calls, %d of %d runs met a circle" % (relay.count, len(circles), len(runs)))

        assert elsewhere.count > 20 and elsewhere.seen == [] and not away, (elsewhere.count, elsewhere.seen, away)
        assert connections(daemon)[0] <= {int(relay.url.rsplit(":", 1)[1])}, connections(daemon)
        report.ok(NAMES[2], "named %d times" % elsewhere.count)
        daemon.stop()
        relay.stop()
        elsewhere.stop()
        mock.stop()


def random_answers(prism, report):
    with workplace() as (folder, started):  # noqa: F405
        mock = Prism(folder, prism, "mock", "-d", "--seed", "20", DESCRIPTION)  # noqa: F405
        started.append(mock)
        relay = Relay(mock.url, ME, headers=RATE)  # noqa: F405
        daemon = front_daemon(folder, relay, source_options="budget = 100%\nconcurrency = 8\nhistory = 3000d", retry="10ms")  # noqa: F405
        started.append(daemon)
        end, rounds = time.monotonic() + 100, 0
        while relay.count < RANDOM_ANSWERS and time.monotonic() < end:
            for run in daemon.sync("full" if rounds % 2 else "changes"):
                assert run["calls"] < 400, run
            rounds += 1
            for r in daemon.call("status")["sources"][0]["resources"]:
                if r["last_sync"] is None:
                    assert r["coverage_ratio"] == 0 and r["state"] == "stale", r
        assert relay.count >= RANDOM_LEAST and rounds > 3, (relay.count, rounds)
        cpu = daemon.cpu_seconds()
        daemon.stop()
        check = subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-store"], capture_output=True, timeout=60)  # noqa: F405
        assert check.returncode == 0, check.stderr
        relay.stop()
        mock.stop()
        report.ok(NAMES[3], "%d answers, %.1f s CPU" % (relay.count, cpu))


def main():
    folder = tempfile.mkdtemp(prefix="fic-prism-", dir="/tmp")
    try:
        prism = install(folder)  # noqa: F405
        report = Report(*NAMES)  # noqa: F405
        examples(prism, report)
        random_answers(prism, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
