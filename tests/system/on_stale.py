#!/usr/bin/env python3
# run-tests: beside others
"""What a question gets when the data is older than it asks for: served with a refresh behind, waited for, or refused. However many ask, one refresh of a resource."""
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("wait: what is missing is read first, and the answer is fresh", "many that wait share one refresh, and it is not repeated at once",  # noqa: F405
                "get and thread wait likewise", "a deadline ends the wait: the answer as it is, with its verdict",
                "serve answers now and refreshes behind, once", "error refuses with code 6; nonsense is refused with words",
                "a source in trouble is not waited for", "the configuration's on_stale counts where a question has none; ficq exits with 3")

ELSEWHERE = "".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags", "articles", "data_attributes"))


def age(daemon, resource):
    return daemon.call("freshness", resource=resource)["freshness"]["age_s"]


def grow_old(daemon, resource):
    wait_until("%s is six seconds old" % resource, lambda: age(daemon, resource) >= 6, 30)  # noqa: F405


def runs(daemon, resource):
    return len(daemon.call("runs", resource=resource, limit=1000)["runs"])


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 31, "--contacts", 60, "--companies", 10, "--conversations", 80, "--rate", 0, "--days", 60)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections=ELSEWHERE)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    ask = dict(max_age=5, on_stale="wait", limit=1000)

    grow_old(daemon, "contacts")
    sim.mutate(12, 3, kinds=["new_contact"])
    before = runs(daemon, "contacts")
    old = daemon.call("query", resource="contacts", max_age="1d", limit=1000)
    assert len(old["rows"]) < len(sim.truth("contacts"))
    answer = daemon.call("query", resource="contacts", require="fresh", **ask)
    assert answer["freshness"]["state"] == "fresh", answer["freshness"]
    assert {r["id"] for r in answer["rows"]} == set(sim.truth("contacts"))
    assert runs(daemon, "contacts") == before + 1
    report.ok("wait: what is missing is read first, and the answer is fresh")

    grow_old(daemon, "companies")
    sim.mutate(3, 4, kinds=["new_company"])
    sim.faults({"kind": "slow", "delay_ms": 700, "route": "/companies"})
    before, answers = runs(daemon, "companies"), []
    threads = [threading.Thread(target=lambda: answers.append(daemon.call("query", resource="companies", **ask))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sim.no_faults()
    truth = set(sim.truth("companies"))
    assert len(answers) == 12 and all({r["id"] for r in a["rows"]} == truth for a in answers), [len(a["rows"]) for a in answers]
    assert runs(daemon, "companies") == before + 1
    grow_old(daemon, "companies")
    again = daemon.call("query", resource="companies", max_age=600, on_stale="wait", limit=1000)
    assert runs(daemon, "companies") == before + 1
    # Who accepts no more than five seconds is not put off with what a refresh of six seconds ago has brought.
    sim.mutate(1, 44, kinds=["new_company"])
    again = daemon.call("query", resource="companies", **ask)
    assert again["freshness"]["state"] == "fresh" and {r["id"] for r in again["rows"]} == set(sim.truth("companies")), again["freshness"]
    assert runs(daemon, "companies") == before + 2
    report.ok("many that wait share one refresh, and it is not repeated at once")

    some = daemon.call("query", resource="conversations", limit=1)["rows"][0]["id"]
    grow_old(daemon, "conversations")
    sim.mutate(1, 5, kinds=["reply"], conversation=some)
    answer = daemon.call("thread", id=some, max_age=5, on_stale="wait")
    truth = [key for key, (parent, _) in sim.truth("messages").items() if parent == some]
    assert answer["freshness"]["state"] == "fresh" and len(answer["messages"]) == len(truth), (answer["freshness"], len(truth))
    tag = daemon.call("query", resource="tags", limit=1)["rows"][0]["id"]
    grow_old(daemon, "tags")
    sim.mutate(6, 6, kinds=["rename_tag"])
    answer = daemon.call("get", resource="tags", id=tag, max_age=5, on_stale="wait")
    assert answer["freshness"]["state"] == "fresh" and same_json(answer["record"]["doc"], sim.truth("tags")[tag][1])  # noqa: F405
    grow_old(daemon, "data_attributes")
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "count", "data_attributes", "--max-age=5", "--on-stale=wait",  # noqa: F405
                          "--require=fresh", "--timeout=50s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                         timeout=60, text=True)
    assert ran.returncode == 0 and int(ran.stdout) == len(sim.truth("data_attributes")), (ran.returncode, ran.stdout, ran.stderr)
    report.ok("get and thread wait likewise")

    grow_old(daemon, "articles")
    sim.mutate(1, 7, kinds=["new_article"])
    sim.faults({"kind": "slow", "delay_ms": 6000, "route": "/articles"})
    before, began = daemon.call("query", resource="articles", limit=0, total=True)["total"], time.monotonic()  # noqa: F405
    answer = daemon.call("query", resource="articles", timeout_ms=300, total=True, **ask)
    took = time.monotonic() - began  # noqa: F405
    assert 0.25 < took < 4 and answer["freshness"]["state"] != "fresh" and answer["total"] == before, (took, answer["freshness"])
    sim.no_faults()
    report.ok("a deadline ends the wait: the answer as it is, with its verdict", "%.1f s" % took)

    grow_old(daemon, "tickets")
    sim.mutate(2, 8, kinds=["new_ticket"])
    before = runs(daemon, "tickets")
    answer = daemon.call("query", resource="tickets", max_age=5, on_stale="serve", limit=1000)
    assert answer["freshness"]["state"] != "fresh" and len(answer["rows"]) < len(sim.truth("tickets"))
    wait_until("it was refreshed behind", lambda: runs(daemon, "tickets") == before + 1, 30)  # noqa: F405
    wait_until("it is all there", lambda: len(daemon.call("query", resource="tickets", limit=1000)["rows"]) == len(sim.truth("tickets")), 30)  # noqa: F405
    grow_old(daemon, "tickets")
    for _ in range(5):
        daemon.call("query", resource="tickets", max_age=5)
    status = {r["name"]: r for r in daemon.call("status")["sources"][0]["resources"]}
    assert runs(daemon, "tickets") == before + 1 and not status["tickets"]["syncing"]
    report.ok("serve answers now and refreshes behind, once")

    for params, code, word in ((dict(max_age=5, on_stale="error"), 6, ""), (dict(on_stale="soon"), -32602, "serve, wait, live or error"), (dict(timeout_ms=-1), -32602, "timeout_ms")):
        try:
            daemon.call("query", resource="tickets", **params)
            raise AssertionError(params)
        except RpcError as error:  # noqa: F405
            assert error.code == code and word in str(error), (params, error.code, str(error))
    assert daemon.call("query", resource="tickets", on_stale="error", max_age="1d")["rows"]
    report.ok("error refuses with code 6; nonsense is refused with words")

    sim.faults({"kind": "status", "status": 503, "route": "/"})
    daemon.sync("changes", resource=["contacts"])
    calls, began = daemon.call("status")["sources"][0]["calls"], time.monotonic()  # noqa: F405
    answer = daemon.call("query", resource="conversations", **ask)
    assert answer["freshness"]["state"] != "fresh" and time.monotonic() - began < 5, answer["freshness"]  # noqa: F405
    sim.no_faults()
    report.ok("a source in trouble is not waited for")

    daemon.stop()
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[source acme]\n", "[source acme]\non_stale = error\nmax_staleness = 5s\n"))
    sim.faults({"kind": "slow", "delay_ms": 3000, "route": "/"})
    sim.restarted()
    daemon.start()
    grow_old(daemon, "contacts")
    try:
        daemon.call("query", resource="contacts")
        raise AssertionError("answered")
    except RpcError as error:  # noqa: F405
        assert error.code == 6, error.code
    assert daemon.call("query", resource="contacts", on_stale="serve")["rows"]
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "query", "contacts"], stdout=subprocess.PIPE,  # noqa: F405
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, text=True)
    assert ran.returncode == 3 and not ran.stdout, (ran.returncode, ran.stdout, ran.stderr)
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "query", "contacts", "--on-stale=serve", "-o", "ndjson"],  # noqa: F405
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, text=True)
    assert ran.returncode == 0 and ran.stdout, (ran.returncode, ran.stderr)
    report.ok("the configuration's on_stale counts where a question has none; ficq exits with 3")
    sim.no_faults()
    daemon.stop()
    sim.stop()
