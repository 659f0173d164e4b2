#!/usr/bin/env python3
"""What no feed tells of is found by reading again: silent redactions and deletions; single records; threads that grow beyond what is shown."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

CONVERSATIONS = 60 if SANITIZED else 200  # noqa: F405
ALL = {"since": "2000-01-01", "until": "2100-01-01"}

report = Report(  # noqa: F405
    "silent redactions are found by a verify run",
    "without a feed deletions are found by a verify run",
    "a ticket that is gone is found by a verify run",
    "a search that hides most of it is not believed",
    "single records, by ficq",
    "ids that cannot be are refused",
    "a thread of more than 500 parts grows")


def resource(daemon, name):
    return [r for r in daemon.call("status")["sources"][0]["resources"] if r["name"] == name][0]


def settle(sim, daemon):
    """The second of a change is over, and the next reading is not held against the client."""
    sim.control("POST", "clock", {"advance_s": 10})
    daemon.sync(resource="conversations")
    sim.restarted()


def differs(daemon, sim):
    try:
        compare(daemon, sim)  # noqa: F405
    except AssertionError:
        return True
    return False


def verify(sim, daemon):
    sim.restarted()
    runs = daemon.sync("verify", resource="conversations", **ALL)
    assert [run["kind"] for run in runs if run["kind"] == "verify"], runs
    return runs[0]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--contacts", 50, "--companies", 20, "--conversations", CONVERSATIONS,  # noqa: F405
              "--tickets", 40, "--long-threads", 2, "--redact-silent", "--rate", 0)
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 50y")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled(120)
    settle(sim, daemon)
    compare(daemon, sim)  # noqa: F405
    coverage = daemon.call("coverage", resource="messages")["resources"]

    sim.mutate(30, 3, kinds=["redact"])
    settle(sim, daemon)
    assert differs(daemon, sim), "the redactions were not silent"
    run = verify(sim, daemon)
    assert run["outcome"] == "ok" and run["differences"] > 0, run
    compare(daemon, sim)  # noqa: F405
    again = verify(sim, daemon)
    assert again["outcome"] == "ok" and again["differences"] == 0, again
    report.ok("silent redactions are found by a verify run", "%d, %d calls" % (run["differences"], run["calls"]))

    sim.faults({"kind": "status", "status": 404, "code": "not_found", "route": "/conversations/deleted", "count": 1000})
    sim.mutate(5, 4, kinds=["delete_conversation"])
    settle(sim, daemon)
    conversations = resource(daemon, "conversations")
    assert conversations["last_error"] is None and "verify" in conversations["note"], conversations
    assert differs(daemon, sim)
    run = verify(sim, daemon)
    assert run["outcome"] == "ok" and run["deleted"] == 5, run
    compare(daemon, sim)  # noqa: F405
    sim.no_faults()
    settle(sim, daemon)
    assert resource(daemon, "conversations")["note"] is None
    report.ok("without a feed deletions are found by a verify run")

    sim.mutate(3, 5, kinds=["delete_ticket"])
    settle(sim, daemon)
    daemon.sync(resource="tickets")
    assert differs(daemon, sim)
    calls = sim.stats()["calls"]
    runs = daemon.sync("verify", resource="tickets", **ALL)
    assert runs[0]["kind"] == "verify" and runs[0]["outcome"] == "ok" and runs[0]["deleted"] == 3, runs
    # A search shows tickets whole: one page, and each that is not on it.
    assert sim.stats()["calls"] - calls <= 1 + 3 + 2, runs
    compare(daemon, sim)  # noqa: F405
    report.ok("a ticket that is gone is found by a verify run")

    held = resource(daemon, "conversations")["records"]
    sim.mutate(CONVERSATIONS // 2, 6, kinds=["delete_conversation"])
    sim.faults({"kind": "status", "status": 404, "code": "not_found", "route": "/conversations/deleted", "count": 1000})
    gone = held - len(sim.truth("conversations"))
    run = verify(sim, daemon)
    assert gone > 20 and run["outcome"] == "failed" and run["deleted"] == 0, (gone, run)
    assert "%d of %d" % (gone, held) in run["error"] and "not believed" in run["error"], run
    assert resource(daemon, "conversations")["records"] == held
    status = subprocess.run([program("ficq"), "-S", daemon.socket_path, "status"], capture_output=True, text=True, timeout=30)  # noqa: F405
    assert "not believed" in status.stdout, status.stdout
    # They are gone indeed, and somebody says so.
    run = verify(sim, daemon)
    assert run["outcome"] == "ok" and run["deleted"] == gone, run
    sim.no_faults()
    settle(sim, daemon)
    assert resource(daemon, "conversations")["note"] is None
    compare(daemon, sim)  # noqa: F405
    report.ok("a search that hides most of it is not believed", "%d of %d" % (gone, held))

    ids = sorted(sim.truth("conversations"), key=int)[:3]
    for id in ids:
        sim.mutate(1, 9, kinds=["reply"], conversation=id)
    sim.restarted()
    asked = subprocess.run([program("ficq"), "-S", daemon.socket_path, "sync", "conversations", *ids, "999999999", "--wait"],  # noqa: F405
                           capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, (asked.stdout, asked.stderr)
    assert "one ok, 0 new, 3 changed" in asked.stdout and "1 said not to exist" in asked.stdout, asked.stdout
    truth = sim.truth("messages")
    for id in ids:
        thread = daemon.call("thread", id=id)
        shown = {key for key, (parent, _) in truth.items() if parent == id}
        assert shown <= {message["id"] for message in thread["messages"]}, id
    assert daemon.call("coverage", resource="messages")["resources"][0]["gaps"] == coverage[0]["gaps"]
    report.ok("single records, by ficq", asked.stdout.strip())

    for ids in ("1,,2", "1,2,", ",1"):
        asked = subprocess.run([program("ficq"), "-S", daemon.socket_path, "sync", "conversations", "--ids", ids],  # noqa: F405
                               capture_output=True, text=True, timeout=60)
        assert asked.returncode and "of the list is empty" in asked.stderr, (ids, asked)
    client = daemon.client()
    for params, words in (({"ids": ["../me"]}, "id"), ({"ids": []}, "1 to 100"), ({"ids": ["1", "", "2"]}, "id 2 of the list is empty"), ({"ids": ["1"], "mode": "full"}, "mode"),
                          ({"ids": ["1"], "resource": "messages"}, "conversations"),
                          ({"ids": ["1"], "resource": ["contacts"]}, "one resource"),
                          ({"ids": ["1"], "resource": "tags"}, "one by one"),
                          ({"ids": [str(i) for i in range(101)]}, "1 to 100"),
                          ({"mode": "full", "since": "2024-01-01"}, "span"), ({"mode": "deep"}, "verify")):
        try:
            client.call("sync", **params)
            raise AssertionError(params)
        except RpcError as error:  # noqa: F405
            assert words in str(error), (params, str(error))
    client.close()
    report.ok("ids that cannot be are refused")

    parts = {}
    for key, (parent, _) in sim.truth("messages").items():
        parts.setdefault(parent, set()).add(key)
    longest = max(parts, key=lambda parent: len(parts[parent]))
    assert len(parts[longest]) > 500, len(parts[longest])
    seen = set(parts[longest])
    for seed in range(3):
        sim.mutate(7, 20 + seed, kinds=["reply"], conversation=longest)
        settle(sim, daemon)
        seen |= {key for key, (parent, _) in sim.truth("messages").items() if parent == longest}
    run = verify(sim, daemon)
    assert run["outcome"] == "ok" and run["differences"] == 0, run
    thread = daemon.call("thread", id=longest)
    assert thread["truncated"], "not marked as cut"
    client = daemon.client()
    held = {row["id"] for row in client.rows("messages", fields=["parent"]) if row["parent"] == longest}
    client.close()
    assert seen <= held and len(held) >= 521, (len(seen), len(held), len(seen - held))
    compare(daemon, sim)  # noqa: F405
    report.ok("a thread of more than 500 parts grows", "%d held, 500 shown" % len(held))
    daemon.stop()
    sim.stop()
