#!/usr/bin/env python3
"""ficq plan and ficq sync --dry-run: what they foretell is what the provider counts afterwards, and nothing is sent for them; schedules,
zones and windows of a configuration are taken or refused with a reason; ficq wait --idle waits."""
import datetime
import json
import subprocess
import sys
import os

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

CONTACTS, COMPANIES, CONVERSATIONS = 700, 130, 220

report = Report(  # noqa: F405
    "before the first sync: unknown is said to be unknown, and nothing is sent",
    "a strict window: nothing is read until a client asks",
    "everything again: the plan is what it costs",
    "sync --dry-run starts nothing",
    "the table says what it costs",
    "wait --idle")


def ficq(daemon, *words, code=0):
    done = subprocess.run([program("ficq"), "-S", daemon.socket_path, *words],  # noqa: F405
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


# A day that neither is nor begins while this runs, whatever the zone.
closed = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")

with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--contacts", CONTACTS, "--companies", COMPANIES,  # noqa: F405
              "--conversations", CONVERSATIONS, "--rate", 0)
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="history = 3y\ntimezone = Europe/Berlin\nsync_window = %s 02:00-03:00\n"  # noqa: F405
                    "sync_window_strict = yes" % closed,
                    resource_sections="[resource acme/contacts]\nfull = cron \"30 2 * * mon-fri\"\n")
    started.append(daemon)
    wait_until("the provider knows us", lambda: daemon.call("status")["sources"][0]["state"] == "ok")  # noqa: F405
    before = sim.stats()["calls"]
    plan = json.loads(ficq(daemon, "plan", "--json"))
    kinds = {(p["resource"], p["kind"]): p for p in plan["plan"]}
    assert kinds["conversations", "backfill"]["calls"] is None and kinds["contacts", "snapshot"]["calls"] is None, plan
    assert kinds["tags", "snapshot"]["calls"] == 1 and kinds["conversations", "backfill"]["calls_least"] == 1, plan
    assert plan["calls"] is None and plan["calls_least"] >= len(plan["plan"]), plan
    assert "more is not known" in ficq(daemon, "plan"), "the table"
    assert sim.stats()["calls"] == before == 1, (before, sim.stats()["calls"])
    report.ok("before the first sync: unknown is said to be unknown, and nothing is sent")

    assert all(r["records"] == 0 for r in daemon.call("status")["sources"][0]["resources"])
    assert all(run["outcome"] == "ok" for run in daemon.sync())
    compare(daemon, sim)  # noqa: F405
    report.ok("a strict window: nothing is read until a client asks")

    # Runs that brought nothing: the plan knows that little changes.
    daemon.sync()
    daemon.sync()
    for resource in ("contacts", "companies", "conversations", "tags"):
        plan = daemon.call("sync", resource=resource, mode="full", dry_run=True)
        before = sim.stats()["calls"]
        assert all(run["outcome"] == "ok" for run in daemon.sync("full", resource=resource))
        counted = sim.stats()["calls"] - before
        assert abs(plan["calls"] - counted) <= 1 + 0.02 * counted, (resource, plan, counted)
        assert plan["calls_least"] <= counted, (resource, plan, counted)
    report.ok("everything again: the plan is what it costs")

    before, runs = sim.stats()["calls"], len(daemon.call("runs")["runs"])
    json.loads(ficq(daemon, "sync", "--dry-run", "--mode", "full", "--json"))
    assert sim.stats()["calls"] == before and len(daemon.call("runs")["runs"]) == runs
    report.ok("sync --dry-run starts nothing")

    table = ficq(daemon, "plan", "contacts", "--mode", "full", "--wide")
    # 700 contacts in pages of 150, then the changes run that makes coverage of it.
    assert "CALLS" in table and "what is held" in table and "in all 6 calls" in table, table
    report.ok("the table says what it costs")

    ficq(daemon, "wait", "--idle", "--timeout", "60s")
    sim.faults({"kind": "slow", "delay_ms": 400, "route": "/contacts"})
    started_runs = ficq(daemon, "sync", "contacts", "--mode", "full", "--no-wait").split()
    ficq(daemon, "wait", "--idle", "--timeout", "100ms", code=3)
    sim.no_faults()
    ficq(daemon, "wait", "--idle", "--timeout", "60s")
    assert started_runs[0] in [str(run["id"]) for run in daemon.call("runs")["runs"]]
    report.ok("wait --idle")
    daemon.stop()
    sim.stop()
