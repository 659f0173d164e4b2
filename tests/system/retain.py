#!/usr/bin/env python3
"""What is older than it is kept goes, whole threads, and is said to be gone; nothing of it is fetched again. And a disk that is nearly full stops syncing, not answering."""
import datetime
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("everything is kept for ever: prune says so", "a dry run counts what would go, and changes nothing",  # noqa: F405
                "at the start it goes: whole threads, and no others", "what is left is the truth, and is claimed; what went is not",
                "nothing of it is fetched again", "pruned again nothing goes",
                "less free than the reserve: syncing stops and says so, questions are answered")


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE,  # noqa: F405
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, text=True)


def add(daemon, section, line):
    with open(daemon.config_path) as f:
        text = f.read()
    lines = [one for one in text.split("\n") if not one.startswith(line.split(" ")[0] + " ")]
    at = lines.index(section)
    lines.insert(at + 1, line)
    with open(daemon.config_path, "w") as f:
        f.write("\n".join(lines))


def seconds(text):
    return datetime.datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 11, "--contacts", 50, "--companies", 10, "--conversations", 300, "--rate", 0, "--days", 300)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    ran = ficq(daemon, "prune")
    assert ran.returncode == 0 and "kept for ever" in ran.stdout, (ran.stdout, ran.stderr)
    status = daemon.call("status")["sources"][0]["resources"]
    assert all(r["retain_s"] == 0 for r in status)
    report.ok("everything is kept for ever: prune says so")
    daemon.stop()

    # The provider is away, so that the daemon does not begin by itself.
    add(daemon, "[source acme]", "retain = 100d")
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    sim.restarted()
    daemon.start()
    client = daemon.client()
    before = {row["id"] for row in client.rows("conversations", fields=["id"])}
    messages = list(client.rows("messages", fields=["id", "parent"]))
    dry = client.call("prune", dry_run=True)
    counted = {row["resource"]: row["records"] for row in dry["dropped"]}
    kept_from = seconds(dry["dropped"][0]["kept_from"])
    assert kept_from % 86400 == 0 and 0 < counted["conversations"] < len(before) and counted["messages"] > 0, dry
    assert dry["dry_run"] is True and {row["id"] for row in client.rows("conversations", fields=["id"])} == before
    ran = ficq(daemon, "prune", "--dry-run")
    assert ran.returncode == 0 and "would be dropped" in ran.stdout, ran.stdout
    client.close()
    report.ok("a dry run counts what would go, and changes nothing", str(counted))
    daemon.stop()

    sim.no_faults()
    sim.restarted()
    daemon.start()

    def pruned():
        now = {row["id"] for row in daemon_rows("conversations")}
        return now if len(now) == len(before) - counted["conversations"] else None

    def daemon_rows(resource):
        client = daemon.client()
        try:
            return list(client.rows(resource, fields=["id", "parent"]))
        finally:
            client.close()

    after = wait_until("what is old is dropped", pruned, 30)  # noqa: F405
    truth = sim.truth("conversations")
    told = sim.truth("messages")
    newest = {}
    for key, (parent, doc) in told.items():
        newest[parent] = max(newest.get(parent, 0), doc.get("created_at") or 0)
    for key, (_, doc) in truth.items():
        old = doc["created_at"] < kept_from and doc["updated_at"] < kept_from and newest.get(key, 0) < kept_from
        assert (key in after) == (key in before and not old), (key, doc["created_at"], doc["updated_at"], old)
    left = daemon_rows("messages")
    assert {row["id"] for row in left} == {row["id"] for row in messages if row["parent"] in after}
    assert len(messages) - len(left) == counted["messages"]
    report.ok("at the start it goes: whole threads, and no others", "%d of %d left" % (len(after), len(before)))

    daemon.wait_settled()
    cover = daemon.call("coverage", resource="messages")["resources"][0]
    assert seconds(cover["kept_from"]) == kept_from and seconds(cover["wanted"][0]) == kept_from, cover
    assert all(seconds(i["start"]) >= kept_from for i in cover["intervals"]) and not cover["gaps"], cover
    gone = next(iter(before - after))
    absence = daemon.call("get", resource="conversations", id=gone)["absence"]
    assert absence["reason"] == "not_covered" and "older" in absence["detail"], absence
    status = {r["name"]: r for r in daemon.call("status")["sources"][0]["resources"]}
    assert status["messages"]["retain_s"] == 100 * 86400 and status["contacts"]["retain_s"] == 0
    assert status["conversations"]["state"] == "fresh", status["conversations"]
    report.ok("what is left is the truth, and is claimed; what went is not")

    calls = daemon.call("status")["sources"][0]["calls"]
    daemon.sync("backfill")
    daemon.sync("changes")
    assert {row["id"] for row in daemon_rows("conversations")} == after
    runs = daemon.call("runs", resource="conversations", limit=5)["runs"]
    spent = daemon.call("status")["sources"][0]["calls"] - calls
    assert spent < 40 and runs[0]["created"] == 0, (spent, runs[0])
    daemon.stop()
    sim.restarted()
    daemon.start()
    daemon.sync("changes")
    assert {row["id"] for row in daemon_rows("conversations")} == after
    report.ok("nothing of it is fetched again", "%d calls" % spent)

    result = daemon.call("prune")
    assert all(row["records"] == 0 for row in result["dropped"]) and len(result["dropped"]) == 2, result
    ran = ficq(daemon, "prune", "-o", "json")
    assert ran.returncode == 0 and '"dropped"' in ran.stdout
    report.ok("pruned again nothing goes")
    daemon.stop()

    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    if free < 1 << 40:
        add(daemon, "[ficd]", "disk_reserve = %dM" % ((free >> 20) + 4096))
        sim.mutate(20, 5)
        sim.restarted()
        daemon.start()
        client = daemon.client()
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"sync"}\n')

        def stopped():
            source = daemon.call("status")["sources"][0]
            return source["state"] == "error" and source["error"]

        words = wait_until("it says that there is no space", stopped, 30)  # noqa: F405
        assert re.search(r"space .*: \d+ MiB are free, \d+ MiB are to stay free \(disk_reserve\), and this may take \d+ MiB", words), words
        store = daemon.call("status")["store"]
        assert store["reserve_bytes"] > store["free_bytes"]
        assert len(daemon_rows("conversations")) == len(after)
        client.close()
        daemon.stop()
    report.ok("less free than the reserve: syncing stops and says so, questions are answered")
    sim.stop()
