#!/usr/bin/env python3
"""Failures as users meet them: records that cannot be read, tokens that are mended, answers that stand still or crawl, pages that point elsewhere,
and a rate that is used and never passed."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "a record that cannot be read: a dead letter that says why, and the others go on",
    "its time is not called complete, nor that of its messages",
    "dropped: still a hole, over a restart too",
    "retried: read, and complete again",
    "a token file that is missing, then wrong, then right: no restart",
    "the token never goes to another host",
    "an answer that crawls is read to its end",
    "an answer that stands still is given up",
    "the allowed rate is used, and never passed")


class Witness:
    """Counts who connects to it: as proxy for all that is not this host."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            connection.settimeout(5)
            try:
                self.seen.append(connection.recv(4096))
            finally:
                connection.close()


def ficq(daemon, *words):
    run = subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True, timeout=60)  # noqa: F405
    return run


def source(daemon):
    return daemon.call("status")["sources"][0]


def complete(daemon, resource, **span):
    return daemon.call("freshness", resource=resource, **span)["freshness"]["complete"]


def later(sim):
    sim.restarted()
    sim.control("POST", "clock", {"advance_s": 10})


def ok(runs):
    assert all(run["outcome"] == "ok" for run in runs), runs
    return runs


def dead_letters(folder, started):
    sim = Sim(folder, "--seed", 5, "--contacts", 60, "--companies", 20, "--conversations", 80, "--rate", 0, "--long-threads", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    rows = daemon.call("query", resource="conversations", limit=80, fields=["id", "created"])["rows"]
    bad = sorted(rows, key=lambda row: row["created"])[5]
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    assert bad["created"] < after
    assert complete(daemon, "conversations") and complete(daemon, "messages", since=after)
    route = "/conversations/" + bad["id"]
    sim.faults({"kind": "status", "status": 500, "route": route, "exact": True})
    later(sim)
    sim.mutate(3, 1, kinds=["reply"], conversation=bad["id"])
    sim.mutate(20, 2, kinds=["reply", "tag"])
    later(sim)
    run = ok(daemon.sync(resource="conversations"))[0]
    assert run["failed"] == 1 and bad["id"] in run["error"], run
    name = "conversations/" + bad["id"]
    told = json.loads(ficq(daemon, "dead", "--json").stdout)["letters"]
    assert len(told) == 1, told
    letter = told[0]
    assert (letter["id"], letter["status"], letter["class"], letter["state"]) == (name, 500, "now", "waiting"), letter
    assert letter["asked"].startswith("GET " + route) and letter["answer"] and letter["attempts"] == 1, letter
    assert letter["next"] > letter["last"], letter
    table = ficq(daemon, "dead")
    assert name in table.stdout and "500" in table.stdout, table
    assert name in ficq(daemon, "dead", bad["id"]).stdout
    assert "cannot be read: ficq dead" in ficq(daemon, "status").stdout
    assert source(daemon)["dead_letters"] == 1 and source(daemon)["breaker"]["state"] == "closed"
    others = {key: doc for key, doc in sim.truth("conversations").items() if key != bad["id"]}
    held = {row["id"]: row["doc"] for row in daemon.client().rows("conversations", fields=["doc"])}
    assert all(same_json(doc, held[key]) for key, (_, doc) in others.items())  # noqa: F405
    report.ok(report.names[0], letter["reason"])

    assert not complete(daemon, "conversations")
    assert not complete(daemon, "messages")
    assert not complete(daemon, "messages", since=after), "its messages may be newer than the conversation"
    assert complete(daemon, "conversations", since=after)
    report.ok(report.names[1])

    for words in (["dead", "drop"], ["dead", "drop", "--all", bad["id"]], ["dead", "retry"], ["dead", "x", "y"]):
        assert ficq(daemon, *words).returncode == 64, words
    assert ficq(daemon, "dead", "drop", "conversations/nix").returncode == 1
    assert ficq(daemon, "dead", "drop", name).stdout == "1 dropped\n"
    daemon.stop()
    sim.restarted()
    daemon.start()
    wait_until("it is there again", lambda: source(daemon)["state"] in ("ok", "syncing"))  # noqa: F405
    assert json.loads(ficq(daemon, "dead", "--json").stdout)["letters"] == []
    assert json.loads(ficq(daemon, "dead", "--all", "--json").stdout)["letters"][0]["state"] == "dropped"
    calls = sim.stats()["calls"]
    ok(daemon.sync(resource="conversations"))
    assert not complete(daemon, "conversations") and not complete(daemon, "messages", since=after)
    assert sim.stats()["calls"] - calls < 10
    report.ok(report.names[2])

    sim.no_faults()
    later(sim)
    sim.faults({"kind": "slow", "delay_ms": 1500, "route": "/conversations"})
    assert ficq(daemon, "dead", "retry", name).stdout == "1 retried\n"
    assert ficq(daemon, "dead", "retry", name).stdout == "1 queued already\n"
    again = daemon.call("dead_retry")
    assert again == {"retried": 0, "queued": 1, "runs": []}, again
    sim.no_faults()
    wait_until("it is read", lambda: not json.loads(ficq(daemon, "dead", "--all", "--json").stdout)["letters"])  # noqa: F405
    ok(daemon.sync())
    assert complete(daemon, "conversations") and complete(daemon, "messages", since=after)
    compare(daemon, sim)  # noqa: F405
    report.ok(report.names[3])
    daemon.stop()
    return sim


def tokens(folder, sim, started):
    token_path = os.path.join(folder, "token")
    sim.restarted()
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    started.append(daemon)
    os.unlink(token_path)
    daemon.start()
    assert source(daemon)["state"] == "error"

    def write(text):
        with open(token_path + ".new", "w") as f:
            f.write(text)
        os.chmod(token_path + ".new", 0o600)
        os.rename(token_path + ".new", token_path)

    write("of-somebody-else\n")
    daemon.process.send_signal(signal.SIGHUP)
    state = wait_until("it is refused", lambda: (lambda s: s["error"] and "refused" in s["error"] and s)(source(daemon)))  # noqa: F405
    assert "token file" in state["error"], state
    assert state["breaker"]["state"] == "open" and state["breaker"]["next_probe"], state["breaker"]
    assert "not asked since" in ficq(daemon, "status").stdout
    write("sim-token\n")
    sim.restarted()
    wait_until("the right one is found", lambda: source(daemon)["error"] is None, 20)  # noqa: F405
    assert source(daemon)["breaker"]["state"] == "closed"
    assert "sim-token" not in daemon.log_text() and "of-somebody-else" not in daemon.log_text()
    report.ok(report.names[4])
    return daemon


def elsewhere(folder, sim, started, daemon, witness):
    for route, resource in (("/contacts", "contacts"), ("/companies/list", "companies"),
                            ("/conversations/search", "conversations")):
        later(sim)
        sim.mutate(10, 3)
        sim.faults({"kind": "foreign_next_host", "route": route})
        daemon.sync("full", resource=resource)
        sim.no_faults()
    later(sim)
    ok(daemon.sync("full"))
    ok(daemon.sync())
    compare(daemon, sim)  # noqa: F405
    assert not witness.seen, witness.seen
    assert "evil" not in daemon.log_text()
    report.ok(report.names[5])
    daemon.stop()


def standing_still(folder, sim, started):
    sim.restarted()
    daemon = Daemon(folder, sim, source_options="stall_timeout = 400ms")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    later(sim)
    thread = max(daemon.client().rows("conversations", fields=["doc"]),
                 key=lambda row: row["doc"].get("statistics", {}).get("count_conversation_parts", 0)
                 if row["doc"].get("statistics") else 0)["id"]
    route = "/conversations/" + thread
    for seed in range(4, 8):  # a run of the schedule may read it first
        sim.faults({"kind": "drip", "route": route, "exact": True, "bytes_per_s": 1500, "count": 1})
        sim.mutate(1, seed, kinds=["reply"], conversation=thread)
        later(sim)
        begin = time.monotonic()
        run = ok(daemon.sync(resource="conversations"))[0]
        took = time.monotonic() - begin
        if took > 1.2:
            break
        sim.no_faults()
    assert took > 1.2, "it did not crawl: %.2f s" % took
    assert run["retries"] == 0 and run["failed"] == 0, run
    sim.no_faults()
    compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    report.ok(report.names[6], "%.1f s, three times as long as it may stand still" % took)

    later(sim)
    sim.mutate(1, 5, kinds=["reply"], conversation=thread)
    later(sim)
    sim.faults({"kind": "slow", "route": route, "exact": True, "delay_ms": 60000, "count": 1})
    begin = time.monotonic()
    run = ok(daemon.sync(resource="conversations"))[0]
    took = time.monotonic() - begin
    assert 0.3 < took < 20 and run["retries"] == 1, (took, run)
    sim.no_faults()
    compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    report.ok(report.names[7], "after %.1f s of at most 0.5" % took)
    daemon.stop()


def rate(folder, started):
    """A limit of 120 in ten seconds, of which 80 % are ours, and a backlog of minutes."""
    shutil.rmtree(os.path.join(folder, "state"))  # noqa: F405
    sim = Sim(folder, "--seed", 6, "--contacts", 60, "--companies", 20, "--conversations", 1200, "--rate", 720)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="concurrency = 8\nroute_budget = search 79%")  # noqa: F405
    started.append(daemon)

    def next_window():
        """To the middle of it: at its beginning calls come in a rush."""
        time.sleep(10 - (time.time() - 5) % 10)

    # The first one was shorter, for the daemon began in it.
    next_window()
    next_window()
    before = sim.stats()["calls"]
    for _ in range(3):
        next_window()
    stats = sim.stats()
    used = (stats["calls"] - before) / 3
    assert source(daemon)["state"] == "syncing", "the backlog was too small"
    assert stats["rate_limited"] == 0 and stats["status"].get("429", 0) == 0, stats
    if not SANITIZED:  # noqa: F405
        assert used >= 0.95 * 96, used
    assert used <= 97, used
    assert not stats["breach_total"], stats["last_breaches"][:5]
    route, = source(daemon)["budget"]["routes"]
    assert (route["name"], route["limit"], route["window_ms"], route["wait_ms"]) == ("search", 94, 10000, 0), route
    assert 0 <= route["used"] <= 94, route
    report.ok(report.names[8], "%.1f of 96 calls in ten seconds, no 429" % used)
    daemon.stop()
    sim.stop()


with workplace() as (folder, started):  # noqa: F405
    sim = dead_letters(folder, started)
    witness = Witness()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = "http://127.0.0.1:%d" % witness.port
    daemon = tokens(folder, sim, started)
    elsewhere(folder, sim, started, daemon, witness)
    standing_still(folder, sim, started)
    sim.stop()
    rate(folder, started)
