#!/usr/bin/env python3
"""The change feed: pages in the order of revisions, followers that miss nothing and see nothing twice whatever cuts them off, slow ones, and cancel."""
import os
import random
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("pages: every record once, in the order of revisions, all resources together",  # noqa: F405
                "where, fields and doc narrow and widen what is shown", "what cannot be asked is refused with words",
                "followers are told of commits; what was deleted is marked",
                "random commits, cuts and reconnects: nothing missed, nothing twice",
                "a restart of the daemon changes nothing", "who does not read is not waited for, and gets the latest states",
                "cancel ends a follower with its revision, and others with an error, even when all places are taken")


def held(daemon, resources):
    client = daemon.client()
    try:
        return {(r, row["id"]): row["revision"] for r in resources for row in client.rows(r, fields=["id", "revision"])}
    finally:
        client.close()


class Mirror:
    """What somebody knows who has only the feed."""

    def __init__(self):
        self.rows = {}
        self.seen = set()
        self.next = 0

    def take(self, page):
        for row in page["rows"]:
            key = (row["resource"], row["id"])
            assert row["revision"] > self.next, ("not in order", row["revision"], self.next)
            assert (key, row["revision"]) not in self.seen, ("twice", key, row["revision"])
            self.seen.add((key, row["revision"]))
            self.next = row["revision"]
            if row.get("deleted"):
                self.rows.pop(key, None)
            else:
                self.rows[key] = row["revision"]
        assert page["next"] >= self.next
        self.next = page["next"]


class Follower:
    """A connection that follows."""

    def __init__(self, daemon, mirror, **params):
        self.mirror = mirror
        self.client = daemon.client()
        self.caught_up = False
        self.client.send(json.dumps({"jsonrpc": "2.0", "id": "f", "method": "changes",  # noqa: F405
                                     "params": dict(since=mirror.next, follow=True, **params)}).encode() + b"\n")

    def read(self):
        message = self.client.line()
        assert message.get("method") == "changes", message
        assert message["params"]["id"] == "f"
        self.mirror.take(message["params"])
        self.caught_up = not message["params"]["more"]

    def ready(self, seconds):
        return b"\n" in self.client.buffer or bool(select.select([self.client.socket], [], [], seconds)[0])

    def until(self, revision, seconds=60):
        end = time.monotonic() + seconds  # noqa: F405
        while self.mirror.next < revision:
            assert self.ready(end - time.monotonic()), ("not told up to", revision, self.mirror.next)  # noqa: F405
            self.read()


def pages(client, since=0, **params):
    while True:
        page = client.call("changes", since=since, **params)
        yield page
        if not page["more"]:
            assert page["next"] == page["revision"]
            return
        assert page["next"] > since
        since = page["next"]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 21, "--contacts", 60, "--companies", 10, "--conversations", 120, "--rate", 0, "--days", 60)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    daemon.sync("changes")
    client = daemon.client()

    def state():
        return held(daemon, RESOURCES)  # noqa: F405

    for limit in (7, 1000):
        mirror = Mirror()
        for page in pages(client, limit=limit):
            assert len(page["rows"]) <= limit
            mirror.take(page)
        assert mirror.rows == state(), limit
    report.ok("pages: every record once, in the order of revisions, all resources together", "%d records" % len(mirror.rows))

    found = [row for page in pages(client, resource="conversations", where="state = open", fields=["state"]) for row in page["rows"]]
    truth = list(client.rows("conversations", where="state = open", fields=["id"]))
    assert found and sorted(r["id"] for r in found) == sorted(r["id"] for r in truth) and all(r["state"] == "open" for r in found)
    row = client.call("changes", resource=["tags", "admins"], limit=1, doc=True)["rows"][0]
    assert row["doc"]["type"] in ("tag", "admin") and row["revision"] > 0, row
    assert "doc" not in client.call("changes", limit=1)["rows"][0]
    report.ok("where, fields and doc narrow and widen what is shown")

    for wrong, reason in ((dict(since=10 ** 9), "since"), (dict(since=-1), "since"), (dict(resource="cows"), "resource"),
                          (dict(where="state = open"), "where"), (dict(limit=2000), "limit"),
                          (dict(fields=["nosuchfield"]), "not_found")):
        try:
            client.call("changes", **wrong)
            raise AssertionError(wrong)
        except RpcError as error:  # noqa: F405
            assert error.code == -32602 and error.data["reason"] == reason, (wrong, error.code, error.data, str(error))
    report.ok("what cannot be asked is refused with words")

    follower = Follower(daemon, mirror)
    follower.read()
    assert follower.caught_up
    before = len(mirror.seen)
    sim.mutate(1, 5, kinds=["delete_tag"])
    sim.mutate(20, 6)
    daemon.sync("full", resource=["tags"])
    daemon.sync("changes")
    follower.until(max(state().values()))
    assert mirror.rows == state() and len(mirror.seen) > before
    gone = [row for page in pages(client, resource="tags") for row in page["rows"] if row.get("deleted")]
    assert gone and all(row["revision"] > 0 for row in gone), gone
    follower.client.close()
    report.ok("followers are told of commits; what was deleted is marked", "%d changes" % (len(mirror.seen) - before))

    dice = random.Random(4)
    follower, cuts = None, 0
    for turn in range(25):
        if follower and dice.random() < 0.4:
            follower.client.close()
            follower, cuts = None, cuts + 1
        if not follower and dice.random() < 0.7:
            follower = Follower(daemon, mirror, limit=dice.choice([1, 3, 1000]))
        if dice.random() < 0.7:
            sim.mutate(dice.randrange(1, 15), 100 + turn)
            client.call("sync", wait=dice.random() < 0.6)
        while follower and dice.random() < 0.8 and follower.ready(0.02):
            follower.read()
    if follower:
        follower.client.close()
    client.call("sync", wait=True)
    follower = Follower(daemon, mirror)
    follower.until(max(state().values()))
    assert mirror.rows == state()
    report.ok("random commits, cuts and reconnects: nothing missed, nothing twice", "%d cuts, %d changes" % (cuts, len(mirror.seen)))

    follower.client.close()
    client.close()
    daemon.stop()
    sim.mutate(15, 77)
    sim.restarted()
    daemon.start()
    follower = Follower(daemon, mirror)
    daemon.sync("changes")
    for _ in range(50):  # runs of the start may store more meanwhile, and a deletion leaves no row to wait for
        follower.until(max(state().values()))
        while follower.ready(0.05):
            follower.read()
        if mirror.rows == state():
            break
    assert mirror.rows == state()
    follower.client.close()
    report.ok("a restart of the daemon changes nothing")

    crowd = []
    for number in range(40):
        crowd.append(daemon.client())
        for one in range(4):
            crowd[-1].send(b'{"jsonrpc":"2.0","id":%d,"method":"changes","params":{"follow":true,"since":0,"doc":true}}\n' % one)
    slow = Mirror()
    follower = Follower(daemon, slow, doc=True)
    client = daemon.client()
    for turn in range(4):
        sim.mutate(15, 200 + turn)
        client.call("sync", wait=True)
    # Nobody read: of what changed since, the feed gives the latest state alone, and what the socket holds already.
    final = state()
    follower.until(max(final.values()))
    assert slow.rows == final
    follower.client.close()
    with open("/proc/%d/status" % daemon.process.pid) as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
    assert SANITIZED or peak < 64 << 10, peak  # noqa: F405
    for one in crowd:
        one.close()
    report.ok("who does not read is not waited for, and gets the latest states", "%d rows for %d records, %.1f MB at most" % (len(slow.seen), len(final), peak / 1e3))

    line = Client(daemon.socket_path)  # noqa: F405
    for number in range(4):
        line.send(b'{"jsonrpc":"2.0","id":%d,"method":"changes","params":{"follow":true}}\n' % number)
    told = [line.line()["params"] for number in range(4)]
    assert sorted(p["id"] for p in told) == [0, 1, 2, 3] and all(p["rows"] == [] for p in told), told
    # A fifth waits; what makes room does not wait behind it when it comes first.
    line.send(b'{"jsonrpc":"2.0","method":"cancel","params":{"id":2}}\n{"jsonrpc":"2.0","id":"hello","method":"hello"}\n')
    ended, hello = line.line(), line.line()
    assert ended["id"] == 2 and ended["result"]["next"] == told[0]["next"] and ended["result"]["rows"] == [], ended
    assert hello["id"] == "hello", hello
    line.send(b'{"jsonrpc":"2.0","id":9,"method":"cancel","params":{"id":77}}\n')
    assert line.line()["result"] == {"canceled": False}
    line.close()
    sim.faults({"kind": "slow", "delay_ms": 3000, "route": "/"})
    line = Client(daemon.socket_path)  # noqa: F405
    line.send(b'{"jsonrpc":"2.0","id":"s","method":"sync","params":{"wait":true}}\n{"jsonrpc":"2.0","id":9,"method":"cancel","params":{"id":"s"}}\n')
    answers = {}
    while len(answers) < 2:
        message = line.line()
        if "method" not in message:
            answers[message["id"]] = message
    assert answers["s"]["error"]["code"] == 9 and answers[9]["result"]["canceled"] is True, answers
    line.close()
    sim.no_faults()
    client.close()
    report.ok("cancel ends a follower with its revision, and others with an error, even when all places are taken")
    daemon.stop()
    sim.stop()
