#!/usr/bin/env python3
"""The daemon on stores of many conversations: the time from its start to the first answer, and the memory that is its own, idle, serving and
while a sync flushes.

SCALE_BENCH says how many ("3000 10000"); each is made by the bench program scale_bench, below SCALE_DIR (/tmp): a million takes a quarter of an hour of
processor time, and 2.3 GB. A store that is there is used again.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system", "support"))
from harness import *  # noqa: E402,F403

GETS = 2000
STARTS = 5
MERGING_S = 5


def say(what, value, unit):
    print("%-52s %10.2f %s" % (what, value, unit), flush=True)


def private_mb(daemon):
    with open("/proc/%d/smaps_rollup" % daemon.process.pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Clean:", "Private_Dirty:"))) / 1e3


def get(client, number):
    answer = client.call("get", resource="conversations", id=str(1000000 + number))
    assert answer["record"]["id"] == str(1000000 + number), answer


def start(daemon):
    """Milliseconds until a record was answered, and of the daemon's processor time."""
    begin = time.monotonic()
    log = open(daemon.log_path, "ab")
    daemon.process = subprocess.Popen([program("ficd"), "--config", daemon.config_path], stdout=log, stderr=log)  # noqa: F405
    log.close()
    while True:
        try:
            client = daemon.client()
            break
        except OSError:
            assert daemon.process.poll() is None and time.monotonic() - begin < 60, daemon.log_tail()
            time.sleep(0.0005)
    get(client, 0)
    took = time.monotonic() - begin
    with open("/proc/%d/schedstat" % daemon.process.pid) as f:
        cpu = int(f.read().split()[0]) / 1e9
    return client, took * 1e3, cpu * 1e3


def serve(client, count):
    for i in range(GETS):
        get(client, i * 104729 % count)
    for i in range(50):
        client.call("query", resource="conversations", limit=100)
        client.call("query", resource="messages", where="body~refund", limit=20)
        client.call("thread", id=str(1000000 + i * 7919 % count))


def flush(daemon, sim, client):
    """The most while everything of a workspace is read into the store, and what came is merged."""
    most, wanted = 0, len(sim.truth("conversations"))
    before = client.call("query", resource="messages", limit=0, total=True)["total"]
    end = time.monotonic() + 120
    while time.monotonic() < end:
        most = max(most, private_mb(daemon))
        client.call("query", resource="conversations", limit=100)
        client.call("query", resource="messages", where="body~refund", limit=20)
        status = client.call("status")["sources"][0]["resources"]
        if not any(r["syncing"] for r in status) and all(r["last_sync"] for r in status if r["name"] != "messages"):
            break
    end = time.monotonic() + MERGING_S
    while time.monotonic() < end:
        most = max(most, private_mb(daemon))
        time.sleep(0.02)
    after = client.call("query", resource="messages", limit=0, total=True)["total"]
    return most, wanted, after - before


def bench(folder, started, state, count):
    if not os.path.exists(os.path.join(state, "acme")):
        subprocess.run([program("bench/scale_bench"), os.path.join(state, "acme"), str(count)], check=True)  # noqa: F405
    os.symlink(state, os.path.join(folder, "state"))
    print("\nficd with %d conversations" % count)
    daemon = Daemon(folder, None, start=False)  # noqa: F405
    started.append(daemon)
    best = []
    for _ in range(STARTS):
        client, took, cpu = start(daemon)
        best.append((took, cpu))
        client.close()
        daemon.stop()
    say("start to the first record, at best", min(best)[0], "ms")
    say("of it processor time", min(b[1] for b in best), "ms")
    client = start(daemon)[0]
    time.sleep(2)  # filters are read
    say("memory, idle", private_mb(daemon), "MB")
    serve(client, count)
    say("memory, serving", private_mb(daemon), "MB")
    loop = client.call("status")["loop"]
    say("longest turn of the loop", loop["worked_max_us"] / 1e3, "ms of processor time")
    client.close()
    daemon.stop()
    sim = Sim(folder, "--seed", 3, "--contacts", 3000, "--companies", 100, "--conversations", 1000, "--rate", 0)  # noqa: F405
    try:
        started.append(sim)
        daemon = Daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 3650d")  # noqa: F405
        started.append(daemon)
        client = daemon.client()
        most, listed, messages = flush(daemon, sim, client)
        say("memory, at most while %d are read" % listed, most, "MB")
        say("messages that came with them", messages, "")
        say("longest turn of the loop meanwhile", client.call("status")["loop"]["worked_max_us"] / 1e3, "ms of processor time")
        client.close()
        daemon.stop()
    finally:
        sim.stop()


def main():
    base = os.environ.get("SCALE_DIR")
    for count in map(int, os.environ.get("SCALE_BENCH", "3000 10000").split()):
        with workplace() as (folder, started):  # noqa: F405
            state = os.path.join(base, str(count)) if base else os.path.join(folder, "held")
            os.makedirs(state, exist_ok=True)
            bench(folder, started, state, count)


main()
