#!/usr/bin/env python3
# run-tests: beside others
"""Live questions: what the provider knows now comes into the cache and the answer, within the budget and the time there is; else the cache answers, with the reason."""
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("get --live: a record that no sync has seen yet", "get --live of what is not there, and of what is gone",  # noqa: F405
                "query: what the provider's search finds is stored and answered", "contacts by their address, and words",
                "an answer says how far it was asked for", "equal live questions are one search",
                "nothing is claimed by it, and the next sync brings the rest", "what cannot be searched for is answered by the cache, with a word",
                "a stream is live as well, and a live question can be canceled", "budget used up: the cache answers, and says so",
                "provider down: the cache answers, and says so; it is left alone for a while", "the configuration's on_stale = live; ficq tells")

QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags"))
SEARCH = "POST /conversations/search"


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,  # noqa: F405
                          stdin=subprocess.DEVNULL, timeout=60, text=True)


def made(sim, kind, count, seed, resource="conversations"):
    """What a change of the provider's has made: id -> doc."""
    before = set(sim.truth(resource))
    sim.mutate(count, seed, kinds=[kind])
    return {key: doc for key, (_, doc) in sim.truth(resource).items() if key not in before}


def calls(sim, route=None):
    stats = sim.stats()
    return stats["routes"].get(route, 0) if route else stats["calls"]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 57, "--contacts", 80, "--companies", 10, "--conversations", 150, "--rate", 0, "--days", 60)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()
    live = dict(max_age=0, on_stale="live")

    (new, doc), = made(sim, "new_conversation", 1, 1).items()
    answer = client.call("get", resource="conversations", id=new)
    assert answer["absence"]["reason"] == "not_covered" and answer["freshness"]["source"] == "cache" and "live" not in answer["freshness"]
    answer = client.call("get", resource="conversations", id=new, live=True)
    assert same_json(answer["record"]["doc"], doc) and answer["freshness"]["source"] == "live", answer["freshness"]  # noqa: F405
    assert answer["freshness"]["live"]["asked"] and answer["freshness"]["live"]["reason"] is None and "found" not in answer["freshness"]["live"]
    assert client.call("get", resource="conversations", id=new)["freshness"]["source"] == "cache"
    messages = [key for key, (parent, _) in sim.truth("messages").items() if parent == new]
    assert [m["id"] for m in client.call("thread", id=new)["messages"]] and len(client.call("thread", id=new)["messages"]) == len(messages)
    sim.mutate(1, 2, kinds=["reply"], conversation=new)
    ran = ficq(daemon, "thread", new, "--live", "--json")
    assert ran.returncode == 0 and len(json.loads(ran.stdout)["messages"]) == len(messages) + 1, ran  # noqa: F405
    report.ok("get --live: a record that no sync has seen yet")

    answer = client.call("get", resource="conversations", id="999999999999", live=True)
    assert answer["absence"]["reason"] == "covered_absent" and "just now" in answer["absence"]["detail"], answer
    before = set(sim.truth("conversations"))
    sim.mutate(1, 3, kinds=["delete_conversation"])
    gone, = before - set(sim.truth("conversations"))
    answer = client.call("get", resource="conversations", id=gone, live=True)
    assert answer["record"]["id"] == gone and answer["freshness"]["source"] == "cache" and answer["freshness"]["live"]["reason"] == "gone", answer["freshness"]
    report.ok("get --live of what is not there, and of what is gone")

    coverage = client.call("coverage")["resources"]
    fresh = made(sim, "new_conversation", 3, 4)
    ids = "id in (%s)" % ", ".join(fresh)
    assert not client.call("query", resource="conversations", where=ids)["rows"]
    answer = client.call("query", resource="conversations", where=ids, fields=["doc"], **live)
    assert {r["id"] for r in answer["rows"]} == set(fresh) and answer["freshness"]["source"] == "live", answer["freshness"]
    assert answer["freshness"]["live"]["found"] == 3 and not answer["freshness"]["live"]["limited"]
    assert all(same_json(r["doc"], fresh[r["id"]]) for r in answer["rows"])  # noqa: F405
    states = {doc["state"] for doc in made(sim, "new_conversation", 2, 5).values()}
    for state in states:
        answer = client.call("query", resource="conversations", where="state = %s and not team = 1" % state, since="1h", limit=1000, **live)
        truth = {key for key, (_, doc) in sim.truth("conversations").items() if doc["state"] == state and doc["created_at"] >= time.time() - 3600}  # noqa: F405
        assert truth and {r["id"] for r in answer["rows"]} >= truth and answer["freshness"]["source"] in ("live", "mixed"), answer["freshness"]
    report.ok("query: what the provider's search finds is stored and answered")

    (person, doc), = made(sim, "new_contact", 1, 6, "contacts").items()
    assert not client.call("query", resource="contacts", where="email = '%s'" % doc["email"])["rows"]
    answer = client.call("query", resource="contacts", where="email = '%s'" % doc["email"], fields=["doc"], **live)
    assert [r["id"] for r in answer["rows"]] == [person] and same_json(answer["rows"][0]["doc"], sim.truth("contacts")[person][1])  # noqa: F405
    assert answer["freshness"]["source"] == "live"
    (talk, doc), = made(sim, "new_conversation", 1, 7).items()
    word = max(re.findall(r"\b[A-Za-z]{5,}\b", re.sub(r"<[^>]*>", " ", doc["source"]["body"])), key=len)
    answer = client.call("query", resource="conversations", text=word, limit=1000, **live)
    assert talk in {r["id"] for r in answer["rows"]}, word
    assert answer["freshness"]["live"]["limited"] and "replies" in answer["freshness"]["live"]["message"]
    report.ok("contacts by their address, and words")

    # More than one page of the provider's fits: that is said, and the rows are not all the provider's.
    answer = client.call("query", resource="conversations", limit=1000, **live)
    assert answer["freshness"]["source"] == "mixed" and answer["freshness"]["live"]["limited"] and answer["freshness"]["live"]["found"] == 50
    time.sleep(2.2)  # noqa: F405 -- what was read within two seconds of its change is read again
    client.call("query", resource="conversations", limit=10, **live)
    before = calls(sim)
    answer = client.call("query", resource="conversations", limit=10, **live)
    # Nothing has changed: the list, and no record of it again.
    assert calls(sim) == before + 1 and answer["freshness"]["source"] == "live", (before, calls(sim), answer["freshness"])
    assert client.call("query", resource="conversations", limit=10, max_age="1d", on_stale="live")["freshness"]["source"] == "cache"
    # A number says nothing of the records that it counts.
    answer = client.call("query", resource="conversations", where=ids, limit=0, total=True, **live)
    assert answer["total"] == 3 and answer["freshness"]["source"] == "mixed", answer
    report.ok("an answer says how far it was asked for")

    sim.faults({"kind": "slow", "delay_ms": 800, "route": "/conversations/search"})
    before, answers = calls(sim, SEARCH), []
    other = "state = open"
    threads = [threading.Thread(target=lambda: answers.append(daemon.call("query", resource="conversations", where=ids, **live))) for _ in range(12)]
    threads += [threading.Thread(target=lambda: answers.append(daemon.call("query", resource="conversations", where=other, **live)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sim.no_faults()
    assert len(answers) == 13 and all(a["freshness"]["live"]["asked"] for a in answers), answers
    assert calls(sim, SEARCH) == before + 2, (before, calls(sim, SEARCH), sim.stats()["routes"])
    report.ok("equal live questions are one search", "12 and another one: 2 searches")

    def claims(resources):
        return [(r["resource"], r["intervals"], r["chain"]) for r in resources if r["resource"] in ("conversations", "contacts", "messages")]
    assert claims(client.call("coverage")["resources"]) == claims(coverage)
    daemon.sync("changes")
    daemon.sync("changes")
    compare(daemon, sim, ["conversations", "messages", "contacts"])  # noqa: F405
    report.ok("nothing is claimed by it, and the next sync brings the rest")

    for method, params in (("query", dict(resource="tags")), ("query", dict(resource="conversations", where="tags contains vip")),
                           ("query", dict(resource="conversations", where="state = open or state = closed")),
                           ("query", dict(resource="messages", text="refund")), ("aggregate", dict(resource="conversations", group_by="state")),
                           ("get", dict(resource="messages", id=messages[0]))):
        before = calls(sim)
        answer = client.call(method, **params, **live)
        said = answer["freshness"]["live"]
        assert said["reason"] == "cannot" and said["message"] and not said["asked"] and answer["freshness"]["source"] == "cache", (params, said)
    report.ok("what cannot be searched for is answered by the cache, with a word")

    more = made(sim, "new_conversation", 2, 8)
    ids = "id in (%s)" % ", ".join(more)
    pieces = []
    answer = client.call("query", notifications=pieces, resource="conversations", where=ids, stream=True, **live)
    assert {r["id"] for p in pieces for r in p["params"]["rows"]} == set(more) and answer["freshness"]["source"] == "live", answer["freshness"]
    assert pieces[0]["params"]["freshness"]["source"] == "mixed"
    sim.faults({"kind": "slow", "delay_ms": 1500, "route": "/conversations/search"})
    client.send(b'{"jsonrpc":"2.0","id":"x","method":"query","params":{"resource":"conversations","max_age":0,"on_stale":"live","where":"open = true"}}\n'
                b'{"jsonrpc":"2.0","id":"y","method":"cancel","params":{"id":"x"}}\n')
    ended = {a["id"]: a for a in (client.line(), client.line())}
    assert ended["x"]["error"]["code"] == 9 and ended["y"]["result"]["canceled"], ended
    answer = client.call("query", resource="conversations", where="open = true", timeout_ms=200, **live)
    assert answer["freshness"]["live"]["reason"] == "timeout" and answer["rows"] and answer["freshness"]["source"] == "cache", answer["freshness"]
    sim.no_faults()
    wait_until("the search that nobody waits for ends", lambda: not any(  # noqa: F405
        r["syncing"] or r["waiting"] for r in daemon.call("status")["sources"][0]["resources"]))
    report.ok("a stream is live as well, and a live question can be canceled")

    sim.faults({"kind": "rate429", "retry_after": 6, "route": "/conversations/search"})
    began = time.monotonic()  # noqa: F405
    answer = client.call("query", resource="conversations", where="open = true", timeout_ms=1500, **live)
    assert answer["freshness"]["live"]["reason"] == "rate-limited" and answer["rows"], answer["freshness"]
    assert time.monotonic() - began < 10  # noqa: F405
    before = calls(sim)
    answer = client.call("query", resource="contacts", where="role = user", timeout_ms=300, **live)
    assert answer["freshness"]["live"]["reason"] == "rate-limited" and answer["rows"] and calls(sim) == before, answer["freshness"]
    sim.no_faults()
    wait_until("the budget is there again", lambda: daemon.call("query", resource="contacts", where="role = user", **live)["freshness"]["live"]["asked"], 60)  # noqa: F405
    report.ok("budget used up: the cache answers, and says so")

    wait_until("the search that nobody waits for ends", lambda: not any(  # noqa: F405
        r["syncing"] or r["waiting"] for r in daemon.call("status")["sources"][0]["resources"]), 60)
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    answer = client.call("query", resource="conversations", where="open = true", timeout_ms=60000, **live)
    assert answer["freshness"]["live"]["reason"] == "failed" and answer["freshness"]["live"]["message"] and answer["rows"], answer["freshness"]
    assert answer["freshness"]["source"] == "cache"
    for resource, id in (("conversations", new), ("contacts", person)):
        before = time.monotonic()  # noqa: F405
        answer = client.call("get", resource=resource, id=id, live=True)
        assert answer["record"]["id"] == id and answer["freshness"]["live"]["reason"] in ("source-error", "backoff"), answer["freshness"]
        assert time.monotonic() - before < 5  # noqa: F405
    ran = ficq(daemon, "get", "contacts", person, "--live", "-o", "ndjson")
    assert ran.returncode == 0 and json.loads(ran.stdout)["id"] == person and "the cache answers, not the provider" in ran.stderr, ran  # noqa: F405
    sim.no_faults()
    daemon.sync("changes", resource=["contacts"])
    wait_until("it is asked again", lambda: client.call("get", resource="contacts", id=person, live=True)["freshness"]["source"] == "live", 60)  # noqa: F405
    report.ok("provider down: the cache answers, and says so; it is left alone for a while")

    client.close()
    daemon.stop()
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[source acme]\n", "[source acme]\non_stale = live\nmax_staleness = 1s\n"))
    daemon.start()
    wait_until("it is old", lambda: daemon.call("freshness", resource="conversations")["freshness"]["age_s"] >= 2)  # noqa: F405
    (last, _), = made(sim, "new_conversation", 1, 9).items()
    ran = ficq(daemon, "query", "conversations", "--where=id = %s" % last, "-o", "ndjson")
    assert ran.returncode == 0 and [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [last], ran  # noqa: F405
    ran = ficq(daemon, "query", "tags", "--on-stale=live", "--max-age=0", "-o", "ndjson")
    assert ran.returncode == 0 and ran.stdout and "no search for tags" in ran.stderr, ran
    report.ok("the configuration's on_stale = live; ficq tells")
    assert not any(sim.breaches().values()), sim.breaches()
    daemon.stop()
    sim.stop()
