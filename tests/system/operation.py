#!/usr/bin/env python3
"""What the manual promises who runs it: a copy of the folder is a backup, even one that was made while the daemon wrote, and it can be restored and moved."""
# run-tests: beside others
import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("a backup of last week, in another folder", "a copy that was made while the daemon wrote", "a part of it that is lost")  # noqa: F405


def use(daemon, folder):
    """Another state folder in its configuration."""
    with open(daemon.config_path) as f:
        lines = f.read().splitlines()
    with open(daemon.config_path, "w") as f:
        f.write("\n".join("state_dir = " + folder if line.startswith("state_dir") else line for line in lines) + "\n")


def check_store(daemon):
    done = subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-store"], capture_output=True, text=True, timeout=120)  # noqa: F405
    return done.returncode, done.stdout + done.stderr


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 21, "--contacts", 400, "--companies", 60, "--conversations", 700, "--rate", 0, "--latency-ms", 1)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="history = 800d")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    daemon.stop()
    state, backup = os.path.join(folder, "state"), os.path.join(folder, "backup")
    shutil.copytree(state, backup)

    sim.restarted()
    daemon.start()
    sim.mutate(300, 5)
    sim.control("POST", "clock", {"advance_s": 6 * 86400})
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    daemon.stop()
    use(daemon, backup)
    assert check_store(daemon)[0] == 0, check_store(daemon)
    sim.restarted()
    daemon.start()
    daemon.wait_settled()
    daemon.sync()
    note = "%d records equal" % compare(daemon, sim)  # noqa: F405
    first_read = [r for r in daemon.call("runs", limit=1000, resource="conversations")["runs"] if r["kind"] == "backfill"]
    assert len(first_read) == 1, "the past was read again: %s" % first_read
    report.ok("a backup of last week, in another folder", note)

    copies, stop = [], threading.Event()

    def copy():
        while not stop.is_set():
            to = os.path.join(folder, "hot%d" % len(copies))
            with contextlib.suppress(shutil.Error, OSError):  # noqa: F405
                shutil.copytree(backup, to)  # files come and go meanwhile
            copies.append(to)

    copier = threading.Thread(target=copy)
    copier.start()
    for seed in range(4):
        sim.mutate(150, 30 + seed)
        daemon.sync()
        daemon.call("prune")
    daemon.sync("full", resource="contacts")
    stop.set()
    copier.join()
    daemon.stop()
    claims = []
    for hot in [c for c in copies if os.path.isdir(c)][::max(1, len(copies) // 5)]:
        use(daemon, hot)
        code, words = check_store(daemon)
        claims.append(code)
        sim.restarted()
        daemon.start()
        daemon.wait_settled(240)
        daemon.sync()
        compare(daemon, sim)  # noqa: F405
        daemon.stop()
    report.ok("a copy that was made while the daemon wrote", "%d copies of %d, --check-store: %s" % (len(claims), len(copies), claims))

    segments = [os.path.join(at, name) for at, _, names in os.walk(backup) for name in names if name.endswith(".seg")]
    for path in segments[::3]:
        os.unlink(path)
    use(daemon, backup)
    sim.restarted()
    daemon.start()
    daemon.wait_settled(240)
    daemon.sync()
    report.ok("a part of it that is lost", "%d of %d files, %d records equal" % (len(segments[::3]), len(segments), compare(daemon, sim)))  # noqa: F405
    daemon.stop()
