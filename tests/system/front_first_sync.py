#!/usr/bin/env python3
"""A company at Front: after the first sync, and after any changes and one changes run, the cache is the truth, for the calls that this takes and
without one breach of the provider's rules. What no event tells of is found by a verify run."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403

SCALE = 4 if SANITIZED else 1  # noqa: F405
CONVERSATIONS, CONTACTS = 800 // SCALE, 2000 // SCALE

report = Report(  # noqa: F405
    "first sync holds exactly the truth, though pages are short or empty",
    "recipients who are no contacts are held once each, and no list deletes them",
    "first sync costs three calls a thread",
    "changes of all kinds and one changes run: the truth again, six times",
    "a changes run costs pages of events and what its threads need",
    "nothing changes: one call, and nothing is written",
    "merged and trashed conversations",
    "what no event tells of is found by verify runs",
    "contacts that are deleted are found by a full run",
    "no breach of the provider's rules")


def run_of(runs, resource):
    return [run for run in runs if run["resource"] == resource][0]


def threads_of(sim, conversations):
    """Calls to read them whole: messages in pages of 100, comments, inboxes."""
    messages = {}
    for key, (parent, _) in sim.truth("messages").items():
        if key.startswith("msg_"):
            messages[parent] = messages.get(parent, 0) + 1
    return sum(max(1, -(-messages.get(c, 0) // 100)) + 2 for c in conversations)


with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 31, "--conversations", CONVERSATIONS, "--contacts", CONTACTS, "--companies", 150,  # noqa: F405
                "--rate", 0, "--short-pages", 100)
    started.append(sim)
    daemon = front_daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 1000d")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled(240)
    records = compare_front(daemon, sim)  # noqa: F405
    report.ok("first sync holds exactly the truth, though pages are short or empty",
              "%d records, %.2f s CPU" % (records, daemon.cpu_seconds()))
    count = check_strangers(daemon, sim, exactly=True)  # noqa: F405
    assert count > 3, count
    calls = sim.stats()["calls"]
    runs = daemon.sync("full", resource="contacts")
    assert all(run["outcome"] == "ok" and run["deleted"] == run["gone"] == 0 for run in runs), runs
    # No list shows them, and nobody is asked for them.
    assert check_strangers(daemon, sim, exactly=True) == count  # noqa: F405
    calls = sim.stats()["calls"] - calls
    assert calls <= CONTACTS // 100 * 1.5 + 10, calls
    stranger, handle = sorted(strangers(sim).items())[0]  # noqa: F405
    assert daemon.call("get", resource="contacts", id=stranger)["record"]["kind"] == "recipient"
    report.ok("recipients who are no contacts are held once each, and no list deletes them", "%d" % count)

    stats = sim.stats()
    least = threads_of(sim, sim.truth("conversations")) + CONVERSATIONS // 25 + CONTACTS // 100
    assert stats["calls"] <= least * 1.1 + 40, (stats["calls"], least)
    report.ok("first sync costs three calls a thread", "%d calls, %d at the least" % (stats["calls"], least))

    for seed in range(5):
        sim.control("POST", "clock", {"advance_s": 300})
        sim.mutate(150 // SCALE, seed, spread_s=60)
        runs = daemon.sync()
        assert all(run["outcome"] == "ok" for run in runs), runs
        compare_front(daemon, sim)  # noqa: F405
    # With many pages of events about few conversations.
    sim.control("POST", "clock", {"advance_s": 3600})
    daemon.sync()
    known, before = set(sim.truth("events")), sim.stats()["calls"]
    sim.mutate(120 // SCALE, 99, kinds=["tag", "untag", "assign", "comment", "inbound", "archive", "reopen", "custom_field"])
    run = run_of(daemon.sync(), "conversations")
    compare_front(daemon, sim)  # noqa: F405
    report.ok("changes of all kinds and one changes run: the truth again, six times")

    fresh = [doc for key, (_, doc) in sim.truth("events").items() if key not in known]
    touched = {event["conversation"]["id"] for event in fresh}
    needed = -(-len(fresh) // 15) + threads_of(sim, touched)
    # Some pages of this provider are short.
    assert run["calls"] <= needed * 1.1 + 4, (run["calls"], needed, len(fresh), len(touched))
    report.ok("a changes run costs pages of events and what its threads need",
              "%d calls for %d events about %d conversations, %d needed" % (run["calls"], len(fresh), len(touched), needed))

    sim.control("POST", "clock", {"advance_s": 3600})
    daemon.sync()
    sim.control("POST", "clock", {"advance_s": 3600})
    runs = daemon.sync()
    run = run_of(runs, "conversations")
    assert run["calls"] - run["retries"] <= 2, runs  # the page may be empty, with a next one
    assert all(run["created"] + run["updated"] + run["deleted"] == 0 for run in runs), runs
    report.ok("nothing changes: one call, and nothing is written")

    merged = sim.mutate(3, 7, kinds=["merge"])["changes"]
    sim.mutate(5, 8, kinds=["trash"])
    daemon.sync()
    compare_front(daemon, sim)  # noqa: F405
    trashed = daemon.call("query", resource="conversations", where="state = trashed", limit=0, total=True)["total"]
    assert trashed == sum(doc["status"] == "deleted" for _, doc in sim.truth("conversations").values()) > 0
    gone = merged[0]["id"]
    absence = daemon.call("get", resource="conversations", id=gone).get("absence")
    assert absence and absence["reason"] == "merged", (merged[0], absence)
    report.ok("merged and trashed conversations")

    sim.control("POST", "clock", {"advance_s": 2 * 86400})
    daemon.sync()
    for kind in SILENT:  # noqa: F405
        sim.mutate(2, 12, kinds=[kind])
    sim.mutate(2, 13, kinds=["delete_forever"])
    assert differences(daemon, sim)[0], "nothing to find"  # noqa: F405
    run = daemon.sync("verify", resource="conversations", since="2020-01-01", until="2035-01-01")[0]
    assert run["outcome"] == "ok", run
    daemon.sync(resource="conversations")  # who was said to be gone is asked once more
    compare_front(daemon, sim)  # noqa: F405
    report.ok("what no event tells of is found by verify runs", "%d calls" % run["calls"])

    sim.mutate(4, 21, kinds=["delete_contact", "merge_contacts"])
    runs = daemon.sync("full", resource="contacts")
    assert all(run["outcome"] == "ok" for run in runs), runs
    daemon.sync()
    compare_front(daemon, sim)  # noqa: F405
    report.ok("contacts that are deleted are found by a full run")

    stats = sim.stats()
    assert stats["breach_total"] == 0, (stats["breaches"], stats["last_breaches"][:5])
    report.ok("no breach of the provider's rules")
    daemon.stop()
    sim.stop()
