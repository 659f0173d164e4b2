#!/usr/bin/env python3
"""A provider that lies: passing 404s, a clock that runs ahead and is set back, listings that never end. Nothing is lost for good, nothing is
called fresh that is not."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("two passing 404s delete nothing", "every read says 404: not believed",  # noqa: F405
                "what is really deleted goes", "a clock that ran ahead and was set back",
                "a listing that never ends is left")


def outcomes(runs):
    return {r["resource"]: (r["outcome"], r["error"]) for r in runs}


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 3, "--contacts", 160, "--companies", 40, "--conversations", 170, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()

    def later():
        sim.restarted()
        sim.control("POST", "clock", {"advance_s": 10})

    for count, name in ((2, report.names[0]), (None, report.names[1])):
        later()
        sim.mutate(30, 9, kinds=["reply", "state", "new_conversation"])
        later()
        fault = {"kind": "status", "status": 404, "route": "/conversations/2"}
        sim.faults(dict(fault, count=count) if count else fault)
        before = daemon.call("query", resource="conversations", limit=0, total=True)["total"]
        runs = daemon.sync(resource="conversations")
        # A later reading would bring it back: what counts is that it never went.
        assert runs[0]["deleted"] == 0, runs
        assert daemon.call("query", resource="conversations", limit=0, total=True)["total"] >= before
        runs = outcomes(runs)
        assert count or "not believed" in runs["conversations"][1], runs
        sim.no_faults()
        for _ in range(3):
            later()
            daemon.sync()
        compare(daemon, sim)  # noqa: F405
        report.ok(name, str(runs["conversations"][1])[:100])

    sim.mutate(12, 10, kinds=["delete_conversation"])
    later()
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    report.ok("what is really deleted goes")

    sim.control("POST", "clock", {"advance_s": 3 * 86400})
    daemon.sync()
    sim.control("POST", "clock", {"set": int(time.time()) + 60})
    sim.restarted()
    sim.mutate(60, 9, kinds=["new_contact", "new_conversation", "rename_tag", "new_tag"])
    later()
    daemon.sync()
    for resource in ("contacts", "conversations", "tags"):
        freshness = daemon.call("freshness", resource=resource)["freshness"]
        assert not freshness["as_of"] or freshness["as_of"] < time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600)), (resource, freshness)
    daemon.wait_settled()
    later()
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    report.ok("a clock that ran ahead and was set back")

    sim.control("POST", "stats/reset", {})
    sim.faults({"kind": "unsorted", "route": "/contacts", "exact": True})
    runs = daemon.sync("full", resource="contacts")
    calls = sim.stats()["calls"]
    assert calls < 100, calls
    sim.no_faults()
    later()
    daemon.sync("full", resource="contacts")
    compare(daemon, sim, ["contacts"])  # noqa: F405
    report.ok("a listing that never ends is left", "%d calls: %s" % (calls, runs[0]["error"]))
    daemon.stop()
    sim.stop()
