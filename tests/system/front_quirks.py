#!/usr/bin/env python3
"""Habits of Front that its description leaves open, one way and the other: the cache is the truth all the same, and the same words ask it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403

WAYS = {
    "updated_at is missing, no ticketing": ["--updated-at", "absent", "--no-ticketing"],
    "updated_at moves with messages alone, a merge does not say into what": ["--updated-at", "messages", "--no-location"],
    "next pages on a foreign host, bounds that belong to the span": ["--next-host", "foreign", "--inclusive-bounds"],
}

report = Report(*WAYS, "the words of questions are those of other providers")  # noqa: F405

for name, options in WAYS.items():
    with workplace() as (folder, started):  # noqa: F405
        sim = Front(folder, "--seed", 41, "--contacts", 200, "--companies", 50, "--conversations", 150, "--rate", 0, *options)  # noqa: F405
        started.append(sim)
        daemon = front_daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 1000d")  # noqa: F405
        started.append(daemon)
        daemon.wait_settled()
        compare_front(daemon, sim)  # noqa: F405
        for seed in range(2):
            sim.control("POST", "clock", {"advance_s": 200})
            sim.mutate(100, seed)
            runs = daemon.sync()
            assert all(run["outcome"] == "ok" for run in runs), runs
            compare_front(daemon, sim)  # noqa: F405
        stats = sim.stats()
        assert stats["breach_total"] == 0, (stats["breaches"], stats["last_breaches"][:5])
        report.ok(name)
        if name != list(WAYS)[-1]:
            continue

        truth = {key: doc for key, (_, doc) in sim.truth("conversations").items()}

        def asked(resource, where):
            client = daemon.client()
            ids = {row["id"] for row in client.rows(resource, where=where)}
            client.close()
            return ids

        snoozed = {key for key, doc in truth.items() if doc["status"] != "deleted" and doc["status_category"] == "waiting"}
        assert asked("conversations", "state = snoozed") == snoozed and snoozed, "snoozed"
        tea = next(doc["assignee"]["id"] for doc in truth.values() if doc["assignee"])
        assert asked("conversations", "assignee = %s" % tea) == {
            key for key, doc in truth.items() if doc["assignee"] and doc["assignee"]["id"] == tea}
        tag = next(doc["tags"][0]["name"] for doc in truth.values() if doc["tags"])
        assert asked("conversations", 'tags contains "%s"' % tag) == {
            key for key, doc in truth.items() if tag in [t["name"] for t in doc["tags"]]}
        messages = {key: doc for key, (_, doc) in sim.truth("messages").items()}
        assert asked("messages", "kind = note") == {key for key in messages if key.startswith("com_")}
        assert asked("messages", "direction = inbound") == {key for key, doc in messages.items() if doc.get("is_inbound")}
        # Who has no contact is found by his handle.
        stranger = next(r["handle"] for doc in messages.values() for r in doc.get("recipients", [])
                        if not r["_links"]["related"]["contact"])
        assert asked("messages", 'recipients contains "%s"' % stranger) == {
            key for key, doc in messages.items() if stranger in [r["handle"] for r in doc.get("recipients", [])]}
        thread = daemon.call("thread", id=next(doc["_links"]["related"]["conversation"].rsplit("/", 1)[1]
                                               for doc in messages.values()))
        times = [message["created"] for message in thread["messages"]]
        assert times == sorted(times) and thread["conversation"]["state"], thread
        report.ok("the words of questions are those of other providers")
        daemon.stop()
        sim.stop()
