#!/usr/bin/env python3
"""What the first 20 rows cost must grow with the answer, not with the cache: the daemon's instructions for the same questions on stores of several
sizes, within 1.5 times of each other. No question is asked twice, for answers are kept. Without valgrind its processor time is taken instead, which others at work on the machine disturb.

COST_BENCH says how many conversations ("10000 100000"; the goal also speaks of 1000000), BENCH_DIR where the stores are kept. Exits with 1 when a question grows.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import held  # noqa: E402
from held import harness  # noqa: E402

SIZES = [int(size) for size in os.environ.get("COST_BENCH", "10000 100000").split()]
TIMES_MORE = 1.5
WARM, ASKED, TIMES = 5, 20, 3
VALGRIND = shutil.which("valgrind") and shutil.which("callgrind_control")
QUESTIONS = {
    "newest 20": {"fields": ["id", "state", "subject"]},
    "newest 20, records": {"fields": ["doc"]},
    "20 of a state": {"where": "state = open"},
    "20 updated last": {"axis": "updated"},
    "20 with a common word": {"text": "customer", "fields": ["doc"]},
    "20 with two words": {"text": "customer team", "fields": ["doc"]},
    "20 with a prefix": {"text": "custo*"},
    "20 of an assignee": {"where": "assignee = 991267003"},
    "oldest 20": {"sort": "created"},
    "20 with a phrase": {"text": '"to the"'},
    "20 without a word": {"text": "customer -refund"},
    "20 with one of two": {"text": "refund OR invoice"},
    "20 whose subject has": {"where": "subject ~ order"}}


class Counted:
    """A daemon whose instructions (or nanoseconds) are counted."""

    def __init__(self, folder, count):
        self.daemon, self.folder = held.daemon(folder, count), folder
        log = open(self.daemon.log_path, "ab")
        command = [harness.program("ficd"), "--config", self.daemon.config_path]
        if VALGRIND:
            command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=%s/out.%%p" % folder] + command
        self.daemon.process = self.process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        harness.wait_until("ficd listens", self.daemon.connectable, 300, 0.05)
        held.settle(self.process)
        self.client, self.dumps, self.asked = self.daemon.client(600), 0, 0
        # Filters and vocabularies are loaded when somebody asks, a piece with each turn: whole before anything is counted.
        for params in QUESTIONS.values():
            self.ask(WARM, **params)
        held.settle(self.process)

    def control(self, option):
        subprocess.run(["callgrind_control", option, str(self.process.pid)], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def spent(self, work):
        if not VALGRIND:
            before = self.nanoseconds()
            work()
            return self.nanoseconds() - before
        self.control("-z")
        work()
        self.control("-d")
        self.dumps += 1
        path = "%s/out.%d.%d" % (self.folder, self.process.pid, self.dumps)
        harness.wait_until("the counts are written", lambda: os.path.exists(path) and "totals:" in open(path).read()[-4096:], 30)
        with open(path) as f:
            return int(re.search(r"^totals: (\d+)", f.read(), re.M).group(1))

    def nanoseconds(self):
        with open("/proc/%d/schedstat" % self.process.pid) as f:
            return int(f.read().split()[0])

    def ask(self, times, **params):
        for _ in range(times):
            self.asked += 1
            rows = self.client.call("query", resource="conversations", limit=20, **dict({"since": self.asked}, **params))["rows"]
            assert len(rows) == 20, (params, len(rows))

    def cost(self, **params):
        """The least of a few times: what the daemon does for itself now and then is no cost of a question."""
        self.ask(WARM, **params)
        return min(self.spent(lambda: self.ask(ASKED, **params)) for _ in range(TIMES)) / ASKED

    def stop(self):
        self.client.close()
        self.daemon.stop()


def measure(count):
    with harness.workplace() as (folder, started):
        counted = Counted(folder, count)
        started.append(counted)
        costs = {name: counted.cost(**params) for name, params in QUESTIONS.items()}
        counted.stop()
        return costs


def main():
    costs = [measure(count) for count in SIZES]
    print("%-24s %s   most to least" % ("instructions" if VALGRIND else "ns of processor time", " ".join("%12d" % size for size in SIZES)))
    grown = []
    for name in QUESTIONS:
        values = [one[name] for one in costs]
        ratio = max(values) / min(values)
        grown += [name] if ratio > TIMES_MORE else []
        print("%-24s %s   %.2f%s" % (name, " ".join("%12.0f" % value for value in values), ratio, "  GROWS" if ratio > TIMES_MORE else ""))
    if grown:
        print("more than %.1f times between sizes: %s" % (TIMES_MORE, ", ".join(grown)))
    return 1 if grown else 0


sys.exit(main())
