#!/usr/bin/env python3
"""ficq export, changes and watch: whole resources for other programs, what changed since, and what changes now."""
import csv
import gzip
import io
import os
import pty
import re
import select
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("export: every record, whole, and the revision to resume from", "csv, msgpack, gzip and a question",  # noqa: F405
                "resumed again and again while records change, nothing is missed; deletions are marked",
                "what makes no sense is refused, a reader that leaves is no error, one that cannot write is",
                "changes: lines for programs, and the revision to continue from", "changes --follow: told as it is stored, ends when told to",
                "watch streams without a terminal", "watch draws again on a terminal, and Ctrl-C ends it with 130")


def ficq(daemon, *args, code=0, **more):
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, *map(str, args)], stdout=subprocess.PIPE,  # noqa: F405
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, **more)
    assert ran.returncode == code, (args, ran.returncode, ran.stderr)
    return ran.stdout, ran.stderr.decode()


def lines(data):
    return [json.loads(line) for line in data.splitlines()]  # noqa: F405


def revision(stderr, option="since-revision"):
    last = stderr.strip().splitlines()[-1]
    found = re.search(r"--%s=(\d+)$" % option, last)
    assert found, stderr
    return int(found.group(1))


def watched(pid, terminal, daemon, sim):
    seen = b""

    def drawn(times, seconds=60):
        nonlocal seen
        end = time.monotonic() + seconds  # noqa: F405
        while seen.count(b"\033[2J") < times:
            assert select.select([terminal], [], [], max(0, end - time.monotonic()))[0], (times, seen)  # noqa: F405
            seen += os.read(terminal, 65536)

    drawn(1)
    sim.mutate(3, 500, kinds=["new_contact"])
    daemon.sync("changes", resource=["contacts"])
    drawn(2)
    os.write(terminal, b"\003")
    end = time.monotonic() + 30  # noqa: F405
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        assert time.monotonic() < end  # noqa: F405
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                pass
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 130, (status, seen)


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 41, "--contacts", 80, "--companies", 10, "--conversations", 700, "--rate", 0, "--days", 60)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    daemon.sync("changes")

    out, err = ficq(daemon, "export", "conversations")
    rows = lines(out)
    truth = sim.truth("conversations")
    assert len(rows) == len(truth) and {r["id"] for r in rows} == set(truth), (len(rows), len(truth))
    assert all(same_json(r["doc"], truth[r["id"]][1]) for r in rows)  # noqa: F405
    assert "%d records" % len(rows) in err.strip().splitlines()[-1]
    at = revision(err)
    report.ok("export: every record, whole, and the revision to resume from", "%d records, %s" % (len(rows), at))

    out, _ = ficq(daemon, "export", "conversations", "-o", "csv", "--fields", "id,state", "--gzip")
    table = list(csv.reader(io.StringIO(gzip.decompress(out).decode())))
    assert table[0] == ["id", "state"] and len(table) == len(truth) + 1
    some, err = ficq(daemon, "export", "conversations", "--where", "state = open", "-q")
    assert not err and {r["id"] for r in lines(some)} == {k for k, (_, d) in truth.items() if d["state"] == "open"}
    packed, _ = ficq(daemon, "export", "conversations", "-o", "msgpack", "-n", "5")
    assert packed[0] & 0xf0 == 0x80 or packed[0] in (0xde, 0xdf)
    one, err = ficq(daemon, "export", "conversations", "-n", "5")
    assert len(lines(one)) == 5 and "more than --limit" in err
    report.ok("csv, msgpack, gzip and a question")

    mirror = {r["id"]: r["doc"] for r in rows}
    changed = 0
    for turn in range(4):
        sim.mutate(40, 50 + turn)
        sim.mutate(2, 60 + turn, kinds=["delete_conversation"])
        daemon.sync("changes")
        if turn == 2:
            daemon.sync("verify", resource=["conversations"])
        out, err = ficq(daemon, "export", "conversations", "--since-revision", at)
        for row in lines(out):
            changed += 1
            assert row["revision"] > at
            if row.get("deleted"):
                mirror.pop(row["id"], None)
            else:
                mirror[row["id"]] = row["doc"]
        at = revision(err)
        held = {r["id"]: r["doc"] for r in lines(ficq(daemon, "export", "conversations", "-q")[0])}
        assert held.keys() == mirror.keys() and all(same_json(held[k], mirror[k]) for k in held), turn  # noqa: F405
    out, _ = ficq(daemon, "export", "conversations", "--since-revision", 0, "-o", "csv")
    marks = [r["deleted"] for r in csv.DictReader(io.StringIO(out.decode()))]
    assert marks.count("true") == len(marks) - len(mirror) > 0, (marks.count("true"), len(marks), len(mirror))
    report.ok("resumed again and again while records change, nothing is missed; deletions are marked", "%d changes" % changed)

    for args, words in ((["-o", "table"], "ndjson, csv"), (["--since-revision", "x"], "no revision"),
                        (["--since-revision", "1", "--since", "2h"], "does not go with"), (["--since-revision", "99999999"], "not reached")):
        _, err = ficq(daemon, "export", "conversations", *args, code=64)
        assert words in err, (args, err)
    ran = subprocess.run("%s -S %s export conversations --gzip | head -c 10 >/dev/null; exit ${PIPESTATUS[0]}" % (program("ficq"), daemon.socket_path),  # noqa: F405
                         shell=True, executable="/bin/bash", stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode in (0, 141) and b"error" not in ran.stderr, (ran.returncode, ran.stderr)
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "export", "conversations", "--gzip"], stdout=full,  # noqa: F405
                             stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode == 74, (ran.returncode, ran.stderr)
    report.ok("what makes no sense is refused, a reader that leaves is no error, one that cannot write is")

    out, err = ficq(daemon, "changes", "tags", "admins")
    rows = lines(out)
    revisions = [r["revision"] for r in rows]
    assert rows and revisions == sorted(revisions) and {r["resource"] for r in rows} == {"tags", "admins"}
    since = revision(err, "since")
    assert not ficq(daemon, "changes", "tags", "--since", since)[0]
    out, err = ficq(daemon, "changes", "tags", "admins", "-n", 3)
    assert len(lines(out)) == 3 and revision(err, "since") == lines(out)[-1]["revision"]
    ficq(daemon, "changes", "--since", "2h", code=64)
    report.ok("changes: lines for programs, and the revision to continue from")

    def start(*args):
        process = subprocess.Popen([program("ficq"), "-S", daemon.socket_path, *map(str, args)], stdout=subprocess.PIPE,  # noqa: F405
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        process_list.append(process)
        return process

    process_list = []

    class Ended:
        """For the workplace, which ends what is left."""

        def __init__(self, process):
            self.process = process

    at = daemon.call("changes", limit=0)["revision"]
    follower = start("changes", "contacts", "--follow", "--since", at)
    started.append(Ended(follower))
    sim.mutate(5, 91, kinds=["new_contact"])
    daemon.sync("changes", resource=["contacts"])
    got = [json.loads(follower.stdout.readline()) for _ in range(5)]  # noqa: F405
    assert all(r["revision"] > at and r["resource"] == "contacts" for r in got)
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=30)
    assert follower.returncode == 130 and revision(err.decode(), "since") >= got[-1]["revision"], (follower.returncode, err)
    began = time.monotonic()  # noqa: F405
    out, _ = ficq(daemon, "changes", "--follow", "--duration", "1s")
    assert not out and 0.9 < time.monotonic() - began < 20  # noqa: F405
    out, err = ficq(daemon, "changes", "contacts", "--follow", "--since", at, "-n", 2)
    assert len(lines(out)) == 2 and revision(err, "since") == lines(out)[-1]["revision"]
    report.ok("changes --follow: told as it is stored, ends when told to")

    watcher = start("watch", "contacts", "--where", "role = user or role = lead", "--count", 3, "-v")
    started.append(Ended(watcher))
    turn = 0
    while watcher.poll() is None and turn < 40:
        turn += 1
        sim.mutate(3, 300 + turn, kinds=["new_contact", "update_contact"])
        daemon.sync("changes", resource=["contacts"])
    out, err = watcher.communicate(timeout=30)
    assert watcher.returncode == 0 and len(lines(out)) == 3, (watcher.returncode, out, err)
    _, err = ficq(daemon, "watch", "contacts", "--since", "2h", code=64)
    assert "--where" in err
    report.ok("watch streams without a terminal")

    last = "watch draws again on a terminal, and Ctrl-C ends it with 130"
    try:
        pid, terminal = pty.fork()
    except OSError as error:  # no such devices here
        report.skip(last, "there are no terminals to be had: %s" % error)
    else:
        if pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", NO_COLOR="1")
            os.execv(program("ficq"), ["ficq", "-S", daemon.socket_path, "watch", "contacts", "-n", "3"])  # noqa: F405
        watched(pid, terminal, daemon, sim)
        report.ok(last)
    daemon.stop()
    sim.stop()
