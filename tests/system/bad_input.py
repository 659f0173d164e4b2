#!/usr/bin/env python3
# run-tests: beside others
"""What goes wrong outside gives one clear message, the daemon goes on, and coverage does not grow by it."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

# kind of fault -> a word that the message must have
ANSWERS = {
    "html200": "cannot be read",
    "empty200": "cannot be read",
    "bad_json": "cannot be read",
    "truncate": "ended after",
    "wrong_length": "",
    "error_list_200": "status 200",
    "wrong_resource": "",
    "reset": "",
    "huge": "",
    "repeat_cursor": "circles",
    "foreign_cursor": "",
    "endless_next": "empty pages in a row",
}

report = Report(  # noqa: F405
    "every mistake of a configuration at once, exit 78",
    "no token: said in status, the socket answers",
    "connection refused: said in status, the socket answers",
    "401: says how to mend it",
    *("%s: fails clearly, claims nothing, recovers" % kind for kind in ANSWERS),
    "status 500: tried again until it passes",
    "429: waits and goes on",
    "a full disk: said, nothing lost, goes on",
    "another workspace's token is refused",
    "one daemon a state folder, exit 75")


def source(daemon):
    return daemon.call("status")["sources"][0]


def coverage_total(daemon):
    return {r["resource"]: (len(r["intervals"]), r["ratio"]) for r in daemon.call("coverage")["resources"]}


with workplace() as (folder, started):  # noqa: F405
    path = os.path.join(folder, "bad.conf")
    with open(path, "w") as f:
        f.write("[ficd]\nmemroy = 16M\nlog_level = loud\n[source acme]\nprovider = intercon\nhistory = long\n")
    run = subprocess.run([program("ficd"), "--check-config", "--config", path], capture_output=True, text=True, timeout=60)  # noqa: F405
    lines = [line for line in run.stderr.splitlines() if ": error: " in line]
    assert run.returncode == 78 and len(lines) == 5, (run.returncode, run.stderr)
    assert lines[0].startswith(path + ":2: error: ") and "memory" in lines[0], lines
    report.ok("every mistake of a configuration at once, exit 78")

    sim = Sim(folder, "--seed", 9, "--contacts", 300, "--companies", 60, "--conversations", 320, "--rate", 0)  # noqa: F405
    started.append(sim)

    def fresh_daemon(**more):
        shutil.rmtree(os.path.join(folder, "state"), ignore_errors=True)  # noqa: F405
        sim.restarted()
        daemon = Daemon(folder, sim, **more)  # noqa: F405
        started.append(daemon)
        return daemon

    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    started.append(daemon)
    os.unlink(os.path.join(folder, "token"))
    daemon.start()
    state = source(daemon)
    assert state["state"] == "error" and "token" in state["error"], state
    assert daemon.call("query", resource="contacts")["freshness"]["state"] == "stale"
    daemon.stop()
    report.ok("no token: said in status, the socket answers")

    real, sim.url = sim.url, "http://127.0.0.1:9"
    daemon = fresh_daemon()
    sim.url = real
    state = wait_until("the refusal shows", lambda: source(daemon)["error"] and source(daemon), 60)  # noqa: F405
    assert "127.0.0.1" in state["error"] and "refused" in state["error"].lower(), state["error"]
    answer = daemon.call("query", resource="contacts")
    assert answer["freshness"]["state"] == "stale" and answer["freshness"]["reason"], answer
    daemon.stop()
    report.ok("connection refused: said in status, the socket answers")

    daemon = fresh_daemon(token="wrong")
    state = wait_until("the 401 shows", lambda: source(daemon)["error"] and source(daemon), 60)  # noqa: F405
    assert "token" in state["error"] and "ficq sync" in state["error"], state["error"]
    assert "wrong" not in daemon.log_text(), "the token is in the log"
    daemon.stop()
    report.ok("401: says how to mend it")

    daemon = fresh_daemon()
    daemon.wait_settled()
    compare(daemon, sim)  # noqa: F405
    for kind, word in ANSWERS.items():
        sim.mutate(20, len(kind))
        before = coverage_total(daemon)
        sim.faults({"route": "/conversations/search", "kind": kind, "probability": 1.0})
        runs = daemon.sync(resource="conversations")
        failed = [r for r in runs if r["outcome"] == "failed"]
        assert failed and failed[0]["error"] and word in failed[0]["error"], (kind, runs)
        after = coverage_total(daemon)
        assert after["conversations"][0] == before["conversations"][0], (kind, before, after)
        assert after["conversations"][1] <= before["conversations"][1] + 1e-9, (kind, before, after)
        sim.no_faults()
        sim.restarted()
        runs = daemon.sync()
        assert all(r["outcome"] == "ok" for r in runs), (kind, runs)
        compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
        report.ok("%s: fails clearly, claims nothing, recovers" % kind, failed[0]["error"][:100])

    sim.mutate(20, 500)
    sim.faults({"route": "/conversations", "kind": "status", "status": 500, "count": 3})
    runs = daemon.sync(resource="conversations")
    assert runs[0]["outcome"] == "ok" and runs[0]["retries"] >= 3, runs
    report.ok("status 500: tried again until it passes")

    sim.mutate(20, 429)
    sim.faults({"route": "/conversations", "kind": "rate429", "count": 2, "retry_after": 1})
    runs = daemon.sync(resource="conversations")
    assert runs[0]["outcome"] == "ok", runs
    sim.no_faults()
    compare(daemon, sim, ["conversations", "messages"])  # noqa: F405
    report.ok("429: waits and goes on")
    daemon.stop()

    disk = os.path.join(folder, "state")
    shutil.rmtree(disk, ignore_errors=True)  # noqa: F405
    os.mkdir(disk, 0o700)
    note = ""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", disk], stderr=subprocess.DEVNULL).returncode == 0:
        try:
            sim.restarted()
            daemon = Daemon(folder, sim)  # noqa: F405
            started.append(daemon)
            wait_until("the full disk shows", lambda: "space" in daemon.log_text(), 60)  # noqa: F405
            before = daemon.call("status")
            assert daemon.call("query", resource="contacts", limit=1)["freshness"], "no answer"
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            wait_until("it goes on when there is room", lambda: all(  # noqa: F405
                r["outcome"] == "ok" for r in daemon.sync()) or None, 60)
            daemon.wait_settled()
            compare(daemon, sim)  # noqa: F405
            daemon.stop()
        finally:
            daemon.stop()
            subprocess.run(["umount", disk], check=True)
    else:
        note = "SKIP no right to mount a small disk here"
    report.ok("a full disk: said, nothing lost, goes on", note)

    daemon = fresh_daemon()
    daemon.wait_settled()
    daemon.stop()
    sim.stop()
    sim = Sim(folder, "--seed", 10, "--contacts", 10, "--companies", 3, "--conversations", 5, "--app-id", "otherapp")  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    state = wait_until("the refusal shows", lambda: source(daemon)["error"] and source(daemon), 60)  # noqa: F405
    assert "otherapp" in state["error"], state
    assert daemon.call("query", resource="contacts", limit=0, total=True)["total"] >= 300
    report.ok("another workspace's token is refused")

    second = subprocess.run([program("ficd"), "--config", daemon.config_path], capture_output=True, text=True, timeout=60)  # noqa: F405
    assert second.returncode == 75 and str(daemon.process.pid) in second.stderr, (second.returncode, second.stderr)
    report.ok("one daemon a state folder, exit 75")
    daemon.stop()
    sim.stop()
