#!/usr/bin/env python3
"""Exporting very many records: the private memory of ficd and of ficq at most while it runs, which must stay below 16 MB each, and records a
second.

EXPORT_BENCH says how many records (100000; the goal speaks of 1000000), BENCH_DIR where the store is kept. Exits with 1 when memory is not enough.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import held  # noqa: E402
from held import harness  # noqa: E402

RECORDS = int(os.environ.get("EXPORT_BENCH", "100000"))
MEMORY_KB = 16000
LOOK_S = 0.005
MESSAGES = 4.5  # of a conversation, on average


def private_kb(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Clean:", "Private_Dirty:")))
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Peak(threading.Thread):
    """The most private memory of processes, looked at all the time until they are done."""

    def __init__(self, *pids):
        super().__init__(daemon=True)
        self.most, self.looks, self.over = dict.fromkeys(pids, 0), 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(LOOK_S):
            self.looks += 1
            for pid in self.most:
                self.most[pid] = max(self.most[pid], private_kb(pid))

    def end(self):
        self.over.set()
        self.join()
        return self.most.values()


def export(daemon, *options):
    """(records, bytes, seconds, most kB of ficd, most kB of ficq)"""
    begin = time.monotonic()
    ficq = subprocess.Popen([harness.program("ficq"), "-S", daemon.socket_path, "export", "messages", "--timeout", "1h", *options],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peak = Peak(daemon.process.pid, ficq.pid)
    records = size = 0
    for chunk in iter(lambda: ficq.stdout.read1(1 << 20), b""):
        records += chunk.count(b"\n")
        size += len(chunk)
    took = time.monotonic() - begin
    most_ficd, most_ficq = peak.end()
    words = ficq.stderr.read().decode()
    assert ficq.wait() == 0, words
    assert peak.looks > 10, "memory was looked at %d times only" % peak.looks
    return records, size, took, most_ficd, most_ficq


def main():
    with harness.workplace() as (folder, started):
        daemon = held.daemon(folder, int(RECORDS / MESSAGES) + 1)
        started.append(daemon)
        daemon.start()
        held.settle(daemon.process)
        total = daemon.call("query", resource="messages", limit=0, total=True)["total"]
        records, size, seconds, ficd, ficq = export(daemon)
        assert records == total, (records, total)
        print("%-52s %10d of %.2f KB" % ("records", records, size / records / 1e3))
        print("%-52s %10.0f a second" % ("exported", records / seconds))
        print("%-52s %10.2f MB" % ("private memory of ficd, at most", ficd / 1e3))
        print("%-52s %10.2f MB" % ("private memory of ficq, at most", ficq / 1e3))
        daemon.stop()
    too_much = [name for name, kb in (("ficd", ficd), ("ficq", ficq)) if kb > MEMORY_KB]
    if too_much:
        print("more than 16 MB: " + ", ".join(too_much))
    return 1 if too_much else 0


sys.exit(main())
