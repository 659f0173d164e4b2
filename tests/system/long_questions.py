#!/usr/bin/env python3
"""Who asks does not wait for the long questions of others: while these are under way the daemon looks after its sockets every 80 us of work.

Judged by processor time, which is the same on a machine that is busy with other things: what the daemon used, shared out among the turns of its loop."""
# run-tests: beside others
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

ASKERS, EACH, GETS = 3, 16, 150
TURN_MAX_US = 300 * (8 if SANITIZED else 1)  # noqa: F405  # a piece of 80 us and what ends it, a question that is answered, and the turn itself

# What is read in slices, by a question of which no answer was kept.
LONG = {
    "aggregate": {"group_by": ["author"]},
    "query": {"limit": 5},
    "query, as a stream": {"stream": True},
    "changes": {"since": 0},
}
NAMES = {kind: "a get beside %d of these: %s" % (ASKERS, kind) for kind in LONG}
report = Report(*NAMES.values())  # noqa: F405


def line(number, kind):
    params = dict(LONG[kind], resource="messages", where="body ~ zq%d" % number)
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": kind.partition(",")[0], "params": params}).encode() + b"\n"  # noqa: F405


def used_us(daemon):
    with open("/proc/%d/schedstat" % daemon.process.pid) as f:
        return int(f.read().split()[0]) / 1000


def turns(client):
    return client.call("status")["loop"]["turns"]


def is_over(asker):
    """All of its questions were answered; what it has to read is little."""
    while select.select([asker.socket], [], [], 0)[0]:
        if asker.line().get("id") == EACH:
            return True
    return False


def ask_beside(daemon, client, ids, kind):
    """Processor time of each turn while gets are asked beside long questions."""
    askers = [daemon.client() for _ in range(ASKERS)]
    for n, asker in enumerate(askers):
        asker.send(b"".join(line(i, kind).replace(b"zq", b"zq%d" % n) for i in range(1, EACH + 1)))
    client.call("hello")  # it comes behind them
    before, began_us = turns(client), used_us(daemon)
    for i in range(GETS):
        assert "record" in client.call("get", resource="messages", id=ids[i % len(ids)], fields=["id"])
    took_us, count = used_us(daemon) - began_us, turns(client) - before
    assert not any(is_over(asker) for asker in askers), "the long questions were over before the short ones"
    for asker in askers:
        asker.close()
    return took_us / count, count


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 12, "--contacts", 300, "--companies", 10, "--conversations", 1500, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled(240)
    client = daemon.client()
    ids = [row["id"] for row in client.call("query", resource="messages", limit=GETS, fields=["id"])["rows"]]
    for kind, name in NAMES.items():
        turn_us, count = ask_beside(daemon, client, ids, kind)
        assert turn_us <= TURN_MAX_US, (kind, turn_us, count)
        report.ok(name, "%.0f us a turn, %d turns" % (turn_us, count))
    client.close()
    daemon.stop()
    sim.stop()
