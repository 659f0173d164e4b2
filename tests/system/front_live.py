#!/usr/bin/env python3
# run-tests: beside others
"""Live questions to Front: one conversation read now, what its search finds, contacts by their handles; within the limit of searches, and ahead of a first sync that takes hours."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403

report = Report("get --live: a conversation that no sync has seen yet", "query: what the search finds is stored and answered",  # noqa: F405
                "a contact by his handle, and nobody", "what cannot be searched for is answered by the cache, with a word",
                "nothing is claimed by it, and the next sync brings the rest", "searches keep to their own limit",
                "while the past is read for hours, a live question is answered in seconds")
QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in RESOURCES if r != "messages")  # noqa: F405
LIVE = dict(max_age=0, on_stale="live")


def made(sim, kind, count, seed, resource="conversations", **more):
    before = set(sim.truth(resource))
    sim.mutate(count, seed, kinds=[kind], **more)
    return {key: doc for key, (_, doc) in sim.truth(resource).items() if key not in before}


def searches(sim):
    return sum(n for route, n in sim.stats()["routes"].items() if "search" in route)


with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 71, "--contacts", 80, "--companies", 10, "--conversations", 60, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim, source_options="budget = 100%\nhistory = 1000d", resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()

    (new, doc), = made(sim, "new_conversation", 1, 1).items()
    answer = client.call("get", resource="conversations", id=new)
    assert answer["absence"]["reason"] == "not_covered" and answer["freshness"]["source"] == "cache", answer
    answer = client.call("get", resource="conversations", id=new, live=True)
    held = answer["record"]["doc"]
    held.pop("inboxes")
    assert same_json(held, doc) and answer["freshness"]["source"] == "live", answer["freshness"]  # noqa: F405
    messages = {key for key, (parent, _) in sim.truth("messages").items() if parent == new}
    assert {m["id"] for m in client.call("thread", id=new)["messages"]} == messages and messages
    report.ok("get --live: a conversation that no sync has seen yet")

    fresh = made(sim, "new_conversation", 3, 2)
    answer = client.call("query", resource="conversations", since="1h", limit=1000, **LIVE)
    assert set(fresh) <= {r["id"] for r in answer["rows"]} and answer["freshness"]["live"]["found"], answer["freshness"]
    assert searches(sim) == 0, "the newest are in the list"
    (talk, doc), = made(sim, "new_conversation", 1, 3).items()
    answer = client.call("query", resource="conversations", where="email = '%s' and status = %s" % (doc["recipient"]["handle"], doc["status"]), **LIVE)
    assert talk in {r["id"] for r in answer["rows"]} and answer["freshness"]["source"] == "live", answer["freshness"]
    assert not answer["freshness"]["live"]["limited"] and searches(sim) == 1, (answer["freshness"], searches(sim))
    (talk, doc), = made(sim, "new_conversation", 1, 4).items()
    words = " ".join(doc["body"] for key, (parent, doc) in sim.truth("messages").items() if parent == talk and key.startswith("msg_"))
    word = max(re.findall(r"\b[A-Za-z]{5,}\b", re.sub(r"<[^>]*>", " ", words)), key=len)
    answer = client.call("query", resource="conversations", text=word, limit=1000, **LIVE)
    assert answer["freshness"]["live"]["limited"] and "comments" in answer["freshness"]["live"]["message"], answer["freshness"]
    assert talk in {r["id"] for r in answer["rows"]} or answer["freshness"]["live"]["found"] == 25, (word, answer["freshness"])
    sim.mutate(2, 5, kinds=["trash"])
    trashed = {key for key, (_, doc) in sim.truth("conversations").items() if doc["status"] == "deleted"}
    answer = client.call("query", resource="conversations", where="state = trashed", limit=1000, **LIVE)
    assert {r["id"] for r in answer["rows"]} == trashed and trashed and answer["freshness"]["source"] == "live", answer["freshness"]
    report.ok("query: what the search finds is stored and answered")

    (person, doc), = made(sim, "new_contact", 1, 6, "contacts").items()
    handle = next(h["handle"] for h in doc["handles"] if h["source"] == "email")
    answer = client.call("query", resource="contacts", where="email = '%s'" % handle, fields=["doc"], **LIVE)
    assert [r["id"] for r in answer["rows"]] == [person] and same_json(answer["rows"][0]["doc"], doc)  # noqa: F405
    assert answer["freshness"]["source"] == "live"
    answer = client.call("query", resource="contacts", where="email = 'nobody@nowhere.test'", **LIVE)
    assert answer["rows"] == [] and answer["freshness"]["source"] == "live" and answer["freshness"]["live"]["found"] == 0, answer["freshness"]
    report.ok("a contact by his handle, and nobody")

    for resource, where in (("tags", None), ("conversations", "tags contains vip"), ("contacts", "name contains ann"),
                            ("conversations", "inbox_id contains 'inb_1 is:open'"), ("messages", "kind = note")):
        before = searches(sim)
        answer = client.call("query", resource=resource, **({"where": where} if where else {}), **LIVE)
        said = answer["freshness"]["live"]
        assert said["reason"] == "cannot" and said["message"] and searches(sim) == before, (resource, where, said)
    report.ok("what cannot be searched for is answered by the cache, with a word")
    client.close()
    assert sim.stats()["breach_total"] == 0, sim.stats()["last_breaches"][:5]
    daemon.sync()
    daemon.sync()
    compare_front(daemon, sim)  # noqa: F405
    report.ok("nothing is claimed by it, and the next sync brings the rest")
    daemon.stop()
    sim.stop()

# Fifty calls a minute: twenty of them searches, whatever is asked.
with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 72, "--contacts", 5, "--companies", 2, "--conversations", 5, "--rate", 50)  # noqa: F405
    started.append(sim)
    sections = "resources = conversations\nbudget = 100%\n"
    daemon = front_daemon(folder, sim, source_options=sections)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    ends = {}
    for i in range(24):
        said = daemon.call("query", resource="conversations", where="email = 'x%d@y.test'" % i, timeout_ms=200, **LIVE)["freshness"]["live"]
        ends[said["reason"]] = ends.get(said["reason"], 0) + 1
    assert ends.get(None, 0) > 5 and set(ends) - {None} and set(ends) <= {None, "timeout", "rate-limited", "busy"}, ends
    assert searches(sim) <= 20, searches(sim)
    assert sim.stats()["breach_total"] == 0, sim.stats()["last_breaches"][:5]
    report.ok("searches keep to their own limit", "%d searches, %s" % (searches(sim), ends))
    daemon.stop()
    sim.stop()

with workplace() as (folder, started):  # noqa: F405
    sim = Front(folder, "--seed", 73, "--contacts", 20, "--companies", 2, "--conversations", 400, "--rate", 50)  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim, source_options="history = 1000d\nresources = conversations")  # noqa: F405
    started.append(daemon)
    # What may be asked at once is used up.
    wait_until("the past is being read", lambda: sim.stats()["calls"] >= 20, 60)  # noqa: F405
    ids = sorted(sim.truth("conversations").items(), key=lambda item: item[1][1]["created_at"])
    took = []
    for old, (_, doc) in ids[:2]:
        began = time.monotonic()
        answer = daemon.call("get", resource="conversations", id=old, live=True, timeout_ms=60000)
        took.append(time.monotonic() - began)
        assert answer["freshness"]["source"] == "live" and answer["record"]["id"] == old, answer["freshness"]
    status = daemon.call("status")["sources"][0]["resources"][0]
    assert status["coverage_ratio"] < 0.9 and any(r["syncing"] for r in daemon.call("status")["sources"][0]["resources"]), status
    assert max(took) < 20, took
    assert sim.stats()["breach_total"] == 0, sim.stats()["last_breaches"][:5]
    report.ok("while the past is read for hours, a live question is answered in seconds", "%.1f and %.1f s" % tuple(took))
    daemon.stop()
    sim.stop()
