#!/usr/bin/env python3
# run-tests: beside others
"""live: a GET of a client's is passed to the provider and its answer passed back: within the budget, to known paths of the account only, and nothing of it stays."""
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("what the provider says, with parameters, is the answer", "paths that lead elsewhere are refused before anything is asked",  # noqa: F405
                "the provider's refusals are told apart", "an answer that is too large", "the deadline holds, and a request can be canceled",
                "ficq live", "nothing is kept, and the token is nowhere to be read", "a budget that is used up", "a provider that is down",
                "the same with Front, whose searches are a class of their own")


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,  # noqa: F405
                          stdin=subprocess.DEVNULL, timeout=60, text=True)


def refused(client, code, reason, **params):
    try:
        answer = client.call("live", **params)
    except RpcError as e:  # noqa: F405
        assert (e.code, e.data.get("reason")) == (code, reason), (params, e.code, e.data, str(e))
        assert "sim-token" not in str(e) + str(e.data)
        return e
    raise AssertionError((params, answer))


def last_revision(client):
    at = 0
    while True:
        found = client.call("changes", since=at, limit=1000)["revision"]
        if found == at:
            return at
        at = found


QUIET = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags"))
HOSTILE = ["", "/", "//127.0.0.1/me", "http://127.0.0.1:1/me", "@127.0.0.1/me", "/../me", "/conversations/..", "/conversations/../me", "/conversations/%2e%2e/me",
           "/conversations/1%2F..%2F..%2Fme", "/conversations/1\\..\\me", "/me?x=1", "/me#x", "/me\r\nX-A: b", "/me HTTP/1.1", "/conversations/\u0000", "/companies/scroll",
           "/_sim/stats", "/../_sim/stats", "/conversations/1/parts", "/" + "a" * 3000, "/conversations/" + "1" * 400, "/contacts/\u00e9"]

with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 58, "--contacts", 60, "--companies", 10, "--conversations", 60, "--days", 60)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections=QUIET)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    client = daemon.client()

    answer = client.call("live", path="/me")
    assert answer["source"] == "live" and answer["status"] == 200 and answer["answer"]["app"]["id_code"] == "simapp01", answer
    assert answer["as_of"].endswith("Z")
    sim.mutate(1, 1, kinds=["new_conversation"])
    truth = sim.truth("conversations")
    new = max(truth, key=int)
    assert not client.call("query", resource="conversations", where="id = " + new)["rows"]
    assert same_json({k: v for k, v in client.call("live", path="/conversations/" + new)["answer"].items() if k != "conversation_parts"}, truth[new][1])  # noqa: F405
    answer = client.call("live", path="contacts", params={"per_page": 3, "include_merge_history": True})["answer"]
    assert len(answer["data"]) == 3 and answer["pages"]["next"]
    answer = client.call("live", path="/contacts", params={"per_page": "3", "starting_after": answer["pages"]["next"]["starting_after"]})["answer"]
    assert len(answer["data"]) == 3 and answer["pages"]["page"] == 2
    report.ok("what the provider says, with parameters, is the answer")

    before = sim.stats()["calls"]
    for path in HOSTILE:
        refused(client, -32602, "path", path=path)
    assert "'/conversations/*'" in refused(client, -32602, "path", path="/conversation/*").data["hint"]
    for params in ({"a": {}}, {"a": [[]]}, {"a": None}, {"": 1}, {"a": 1.5}, {"a": [1] * 65}, {"a": "x" * 3000}):
        refused(client, -32602, "path" if "x" in str(params) else "params", path="/me", params=params)
    refused(client, -32602, "parameter_type", path="/me", params=[1])
    refused(client, -32602, "parameter_missing")
    refused(client, -32602, "timeout_ms", path="/me", timeout_ms=-1)
    assert sim.stats()["calls"] == before, "nothing of it was asked"
    report.ok("paths that lead elsewhere are refused before anything is asked")

    sim.restarted()
    refused(client, 1, "not_found", path="/conversations/1")
    assert "status 404" in str(refused(client, 1, "not_found", path="/contacts/ffff"))
    refused(client, -32602, "refused", path="/contacts", params={"per_page": 1000})
    refused(client, -32602, "refused", path="/contacts", params={"starting_after": "nonsense"})
    sim.faults({"kind": "status", "status": 403, "route": "/teams", "count": 1}, {"kind": "status", "status": 500, "route": "/teams", "count": 1},
               {"kind": "html200", "route": "/teams", "count": 1}, {"kind": "reset", "route": "/teams"})
    refused(client, 5, "denied", path="/teams")
    for _ in range(3):
        refused(client, 3, "source-error", path="/teams")
    sim.no_faults()
    sim.faults({"kind": "rate429", "retry_after": 1, "route": "/teams", "count": 1})
    assert client.call("live", path="/teams", timeout_ms=20000)["status"] == 200, "told to wait, and waited"
    assert daemon.call("status")["sources"][0]["state"] in ("ok", "syncing"), "nothing of it is the source's trouble"
    report.ok("the provider's refusals are told apart")

    sim.faults({"kind": "huge", "size_mb": 200, "route": "/tags", "count": 1})
    e = refused(client, -32602, "refused", path="/tags")
    assert "larger" in str(e), e
    report.ok("an answer that is too large")

    sim.faults({"kind": "slow", "delay_ms": 5000, "route": "/segments", "count": 2})
    started_at = time.monotonic()  # noqa: F405
    refused(client, 3, "timeout", path="/segments", timeout_ms=300)
    assert time.monotonic() - started_at < 4  # noqa: F405
    failed = []

    def ask():
        other = daemon.client()
        other.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "live", "params": {"path": "/segments"}}).encode() + b"\n")  # noqa: F405
        other.send(json.dumps({"jsonrpc": "2.0", "id": 8, "method": "cancel", "params": {"id": 7}}).encode() + b"\n")  # noqa: F405
        failed.extend([other.line(), other.line()])
        other.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(30)
    assert len(failed) == 2 and {a["id"] for a in failed} == {7, 8} and any(a.get("error", {}).get("code") == 9 for a in failed), failed
    other = daemon.client()
    other.send(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "live", "params": {"path": "/segments"}}).encode() + b"\n")  # noqa: F405
    other.close()
    assert client.call("live", path="/me")["status"] == 200, "who hangs up takes nothing along"
    report.ok("the deadline holds, and a request can be canceled")

    ran = ficq(daemon, "live", "/me")
    assert ran.returncode == 0 and json.loads(ran.stdout)["app"]["id_code"] == "simapp01", ran  # noqa: F405
    ran = ficq(daemon, "live", "/contacts", "per_page=2", "--json")
    assert json.loads(ran.stdout)["source"] == "live" and len(json.loads(ran.stdout)["answer"]["data"]) == 2, ran  # noqa: F405
    ran = ficq(daemon, "live", "/data_attributes", "model=contact", "model=contact")
    assert ran.returncode == 0 and all(a["model"] == "contact" for a in json.loads(ran.stdout)["data"]), ran  # noqa: F405
    for args in (["live"], ["live", "/me", "nonsense"], ["live", "/me", "=x"]):
        assert ficq(daemon, *args).returncode == 64, args
    ran = ficq(daemon, "live", "/../me")
    assert ran.returncode == 64 and "is no path of intercom that is read through" in ran.stderr, ran
    ran = ficq(daemon, "live", "/conversations/1")
    assert ran.returncode != 0 and "404" in ran.stderr and not ran.stdout, ran
    report.ok("ficq live")

    before = last_revision(client)
    client.call("live", path="/conversations", params={"per_page": 50})
    assert last_revision(client) == before
    assert not client.call("query", resource="conversations", where="id = " + new)["rows"]
    for name in os.listdir(folder):
        if name not in ("token", "state") and os.path.isfile(os.path.join(folder, name)):
            with open(os.path.join(folder, name), "rb") as f:
                assert b"sim-token" not in f.read(), name
    report.ok("nothing is kept, and the token is nowhere to be read")

    sim.faults({"kind": "rate429", "retry_after": 60, "route": "/me", "count": 1})
    refused(client, 3, "timeout", path="/me", timeout_ms=200)
    assert wait_until("the budget is blocked", lambda: "budget" in str(refused(client, 4, "rate-limited", path="/me", timeout_ms=200)), 20)  # noqa: F405
    report.ok("a budget that is used up")

    sim.no_faults()
    sim.stop()
    daemon.stop()
    daemon.start()
    client = daemon.client()
    e = wait_until("it is known that nobody answers", lambda: refused(client, 3, "source-error", path="/me", timeout_ms=500)  # noqa: F405
                   if daemon.call("status")["sources"][0]["state"] == "error" else None, 30)
    daemon.stop()
    report.ok("a provider that is down")

with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--provider", "front", "--seed", 3, "--contacts", 40, "--conversations", 40, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, provider="front")  # noqa: F405
    started.append(daemon)
    wait_until("the source is known", lambda: daemon.call("status")["sources"][0]["state"] in ("ok", "syncing"), 30)  # noqa: F405
    client = daemon.client()
    contact = next(doc for _, doc in sim.truth("contacts").values() if any(h["source"] == "email" for h in doc["handles"]))
    handle = next(h["handle"] for h in contact["handles"] if h["source"] == "email")
    assert client.call("live", path="/contacts/alt:email:" + handle)["answer"]["id"] == contact["id"]
    answer = client.call("live", path="/conversations/search/is:open", params={"limit": 5})["answer"]
    assert len(answer["_results"]) <= 5 and "_pagination" in answer
    answer = client.call("live", path="/conversations", params={"q[statuses][]": ["archived", "trashed"], "limit": 50})["answer"]
    assert {c["status"] for c in answer["_results"]} <= {"archived", "deleted"}
    answer = client.call("live", path="/contacts/%s/notes" % contact["id"])
    assert answer["status"] == 202 and "_results" in answer["answer"]
    refused(client, 1, "not_found", path="/conversations/cnv_zzz")
    refused(client, -32602, "path", path="/conversations/search/a%2F..")
    report.ok("the same with Front, whose searches are a class of their own")
    daemon.stop()
    sim.stop()
