#!/usr/bin/env python3
"""A daemon with nothing to do sleeps, with HTTP and alerts on, and is small."""
# run-tests: beside others
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import start  # noqa: E402

SECONDS = 30
WAKES_MAX = 4  # one a minute may fall into it, and the questions of the test are in it
CPU_MAX_S = 0.02
RESIDENT_MAX_KB = 16 * 1024
report = Report("wake-ups and CPU of a daemon at rest", "resident, in all")  # noqa: F405

with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--conversations", 300, "--contacts", 100, "--rate", 0)  # noqa: F405
    started.append(sim)
    rare = "".join("[resource acme/%s]\nevery = 1h\n" % r for r in RESOURCES if r not in ("messages", "ticket_parts"))  # noqa: F405
    rare += "[alert ops]\nwhen = no_success > 2h\ncommand = /bin/true\n"
    daemon, _ = start(folder, sim, "127.0.0.1:0", source_options=rare)
    started.append(daemon)
    daemon.wait_settled()

    def turns():
        return daemon.call("status")["loop"]["turns"]

    def quiet():
        before = turns()
        time.sleep(2)  # that nothing happens is what is waited for
        return turns() - before <= 3

    wait_until("it rests", quiet, 60)  # noqa: F405
    begun, cpu = turns(), daemon.cpu_seconds()
    time.sleep(SECONDS)
    cpu, wakes = daemon.cpu_seconds() - cpu, turns() - begun
    note = "%d turns and %.2f s of CPU in %d s" % (wakes, cpu, SECONDS)
    assert wakes <= WAKES_MAX and (SANITIZED or cpu <= CPU_MAX_S), note  # noqa: F405
    report.ok("wake-ups and CPU of a daemon at rest", note)
    with open("/proc/%d/status" % daemon.process.pid) as f:
        resident = int(next(line.split()[1] for line in f if line.startswith("VmRSS:")))
    assert SANITIZED or resident <= RESIDENT_MAX_KB, resident  # noqa: F405
    report.ok("resident, in all", "%d kB" % resident)
    daemon.stop()
