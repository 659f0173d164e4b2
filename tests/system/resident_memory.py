#!/usr/bin/env python3
"""The memory that is the daemon's own, with memory = 16M: while everything is read for the first time and clients ask, and at rest after it."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

PEAK_MAX_KB = 10000  # while a commit is written and large answers are made
REST_MAX_KB = 8000
START_MAX_KB = 5000  # before anything is held

report = Report("after the start", "while everything is read and clients ask", "at rest")  # noqa: F405


def private_kb(pid):
    """What would be free if it were gone: pages that no other process has."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Clean:", "Private_Dirty:")))


def check(name, kb, limit):
    assert SANITIZED or kb <= limit, "%s: %d kB of private memory, %d at most" % (name, kb, limit)  # noqa: F405
    report.ok(name, "%.1f MB" % (kb / 1e3))


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 31, "--contacts", 2000, "--companies", 200, "--conversations", 300 if SANITIZED else 2500,  # noqa: F405
              "--rate", 0)
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 3650d")  # noqa: F405
    started.append(daemon)
    client = daemon.client()
    check("after the start", private_kb(daemon.process.pid), START_MAX_KB)
    peak, end = 0, time.monotonic() + 240
    while True:
        assert time.monotonic() < end, "the first sync does not end"
        rows = client.call("query", resource="messages", limit=200, fields=["parent", "doc"])["rows"]
        client.call("query", resource="conversations", limit=200, fields=["doc"])
        client.call("query", resource="messages", where="body~refund", limit=50)
        if rows:
            client.call("thread", id=rows[-1]["parent"])
        peak = max(peak, private_kb(daemon.process.pid))
        resources = client.call("status")["sources"][0]["resources"]
        if not any(r["syncing"] for r in resources) and all(
                r["coverage_ratio"] > 0.999999 or r["state"] == "fresh" for r in resources):
            break
    check("while everything is read and clients ask", peak, PEAK_MAX_KB)
    best = [peak]

    def rests():
        best.append(private_kb(daemon.process.pid))
        return best[-1] <= REST_MAX_KB

    with contextlib.suppress(AssertionError):  # noqa: F405
        wait_until("at rest", rests, 10, 0.1)  # noqa: F405
    check("at rest", best[-1], REST_MAX_KB)
    client.close()
    daemon.stop()
    sim.stop()
