#!/usr/bin/env python3
"""A first sync that is killed (SIGKILL) at 20 random moments and started again ends in the truth; so does a changes run."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

KILLS = 20
SEED = int(os.environ.get("KILL_SEED", "20"))

report = Report("killed 20 times during the first sync", "the cache is the truth",  # noqa: F405
                "killed during changes runs", "the cache is the truth again", "coverage was never ahead of the records")

with workplace() as (folder, started):  # noqa: F405
    rng = random.Random(SEED)
    sim = Sim(folder, "--seed", 5, "--contacts", 1500, "--companies", 300, "--conversations", 1200, "--rate", 0,  # noqa: F405
              "--latency-ms", 1)
    started.append(sim)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    started.append(daemon)
    overclaims = []

    def check_claims():
        """What is claimed as held must be there: every conversation of the truth that was created in a held span."""
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
        time.sleep(rng.uniform(0.0, 0.35))
        if kill % 5 == 4:
            check_claims()
        daemon.kill()
    report.ok("killed 20 times during the first sync")
    sim.restarted()
    daemon.start()
    daemon.wait_settled()
    note = "%d records" % compare(daemon, sim)  # noqa: F405
    report.ok("the cache is the truth", note)

    for kill in range(8):
        sim.mutate(60, 100 + kill)
        client = daemon.client()
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"sync"}\n')
        time.sleep(rng.uniform(0.0, 0.12))
        daemon.kill()
        client.close()
        sim.restarted()
        daemon.start()
    report.ok("killed during changes runs")
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    report.ok("the cache is the truth again")
    assert not overclaims, overclaims[:5]
    report.ok("coverage was never ahead of the records")
    daemon.stop()
    sim.stop()
