#!/usr/bin/env python3
"""A first sync of Front that is killed (SIGKILL) at random moments, and answers that fail: it ends in the truth, reads no thread again that was committed, and never
claims what it does not hold; so do changes runs."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from front import *  # noqa: E402,F403

KILLS = 12
SEED = int(os.environ.get("KILL_SEED", "20"))
CONVERSATIONS = 500

report = Report(  # noqa: F405
    "killed during the first sync: the cache is the truth",
    "threads that were committed are not read again",
    "killed during changes runs: the cache is the truth again",
    "answers that fail cost retries, and nothing else",
    "coverage was never ahead of the records",
    "a token of one company is refused where another's records are")

with workplace() as (folder, started):  # noqa: F405
    rng = random.Random(SEED)
    sim = Front(folder, "--seed", 5, "--contacts", 300, "--companies", 60, "--conversations", CONVERSATIONS,  # noqa: F405
                "--rate", 0, "--latency-ms", 2)
    started.append(sim)
    daemon = front_daemon(folder, sim, start=False, source_options="budget = 100%\nhistory = 1000d")  # noqa: F405
    started.append(daemon)
    overclaims = []

    def check_claims():
        client = daemon.client()
        cover = client.call("coverage", resource="conversations")["resources"][0]
        held = {row["id"] for row in client.rows("conversations", fields=["id"])}
        client.close()
        spans = [(i["start"], i["end"]) for i in cover["intervals"]]
        for key, (_, doc) in sim.truth("conversations").items():
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(doc["created_at"]))
            if key not in held and any((a or "") <= created < (b or "9999") for a, b in spans):
                overclaims.append(key)

    for kill in range(KILLS):
        sim.restarted()
        daemon.start()
        time.sleep(rng.uniform(0.05, 0.5))
        if kill % 3 == 2:
            check_claims()
        daemon.kill()
    sim.restarted()
    daemon.start()
    daemon.wait_settled()
    note = "%d records" % compare_front(daemon, sim)  # noqa: F405
    report.ok("killed during the first sync: the cache is the truth", note)

    routes = sim.stats()["routes"]
    read = routes["GET /conversations/{}/comments"]
    # Of each kill the page of 25 at work, at most.
    assert read <= CONVERSATIONS + KILLS * 25 + 60, read
    assert routes["GET /conversations"] <= CONVERSATIONS // 25 + 2 * KILLS + 5, routes["GET /conversations"]
    report.ok("threads that were committed are not read again",
              "%d reads of %d threads, %d pages" % (read, CONVERSATIONS, routes["GET /conversations"]))

    for kill in range(6):
        sim.mutate(50, 100 + kill)
        client = daemon.client()
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"sync"}\n')
        time.sleep(rng.uniform(0.0, 0.2))
        check_claims()
        daemon.kill()
        client.close()
        sim.restarted()
        daemon.start()
    daemon.sync()
    compare_front(daemon, sim)  # noqa: F405
    report.ok("killed during changes runs: the cache is the truth again")

    sim.mutate(60, 300)
    sim.faults({"kind": "status", "status": 500, "route": "/events", "count": 2},
               {"kind": "status", "status": 503, "route": "/conversations", "count": 3})
    runs = daemon.sync()
    assert all(run["outcome"] == "ok" for run in runs), runs
    assert sum(run["retries"] for run in runs) >= 3, runs
    sim.no_faults()
    compare_front(daemon, sim)  # noqa: F405
    report.ok("answers that fail cost retries, and nothing else")

    assert not overclaims, overclaims[:5]
    report.ok("coverage was never ahead of the records")

    daemon.stop()
    sim.stop()
    sim = Front(folder, "--seed", 6, "--app-id", "cmp_zz9")  # noqa: F405
    started.append(sim)
    daemon = front_daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    wait_until("the company is refused", lambda: "belongs to" in (daemon.call("status")["sources"][0].get("error") or ""), 30)  # noqa: F405
    report.ok("a token of one company is refused where another's records are")
    daemon.stop()
    sim.stop()
