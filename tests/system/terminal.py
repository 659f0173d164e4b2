#!/usr/bin/env python3
"""ficq on a terminal: a pager that cannot start loses nothing, a watched table is never longer than the screen and outlives a daemon, and no time or
number is cut; in a pipe nothing is cut."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

ON_TERMINALS = (
    "without its pager everything is printed",
    "a pager that is left early is no error",
    "a watched table is as long as the screen, with its heading and the newest rows",
    "a watched table waits for a daemon that has gone, and says so once",
    "who finds nothing is told of values that no record has")
report = Report(  # noqa: F405
    *ON_TERMINALS,
    "times and numbers are whole or left out, ids are never cut",
    "in a pipe nothing is cut",
    "a watched stream says what goes on with it",
    "a TZ that is no zone is told once",
    "a stream ends with 69 when the daemon goes, and says where to go on")
TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d [+-]\d{4})?")
ENVIRONMENT = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", NO_COLOR="1", TZ="UTC")
ENVIRONMENT.pop("COLUMNS", None)


class Terminal:
    """A program on a screen of its own."""

    def __init__(self, daemon, arguments, rows, columns=100, **environment):
        self.seen = b""
        # It looks at the size once this is known.
        go, self.go = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.read(go, 1)
            os.execve(program("ficq"), ["ficq", "-S", daemon.socket_path, *arguments], dict(ENVIRONMENT, **environment))  # noqa: F405
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.write(self.go, b"x")
        os.close(go)
        os.close(self.go)

    def read(self, enough, seconds=60):
        """Until `enough` of what was seen, or the end."""
        end = time.monotonic() + seconds
        while not enough(self.seen):
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], self.seen
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # Linux's way of saying that nobody is left
                data = b""
            if not data:
                break
            self.seen += data

    def end(self):
        self.read(lambda seen: False)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def text(self):
        return self.seen.decode().replace("\r", "")

    def screens(self):
        return self.text().split("\033[H\033[2J")[1:]


def piped(daemon, *arguments, code=0, **environment):
    run = subprocess.run([program("ficq"), "-S", daemon.socket_path, *arguments], capture_output=True, text=True, timeout=60,  # noqa: F405
                         stdin=subprocess.DEVNULL, env=dict(ENVIRONMENT, **environment))
    assert run.returncode == code, (arguments, run)
    return run.stdout, run.stderr


def has_terminals():
    try:
        for end in pty.openpty():
            os.close(end)
        return True
    except OSError:
        return False


def paged(daemon):
    for pager in ("/nonexistent/pager", "/dev/null"):
        t = Terminal(daemon, ["query", "conversations", "-n", "0"], 10, FICQ_PAGER=pager)
        assert t.end() == 0, t.text()
        assert len(re.findall(r"^\d{10,} ", t.text(), re.M)) == 300, t.text()[:2000]
    report.ok(ON_TERMINALS[0])
    t = Terminal(daemon, ["query", "conversations", "-n", "0"], 10, FICQ_PAGER="head -n 3")
    assert t.end() == 0, t.text()
    assert len(re.findall(r"^\d{10,} ", t.text(), re.M)) == 2, t.text()
    report.ok(ON_TERMINALS[1])


def watched(daemon):
    newest = piped(daemon, "query", "conversations", "-n", "6", "--fields", "id", "-o", "csv", "--no-header")[0].split()
    t = Terminal(daemon, ["watch", "conversations", "-n", "0", "--count", "1"], 8)
    assert t.end() == 0, t.text()
    shown = t.screens()[0].strip("\n").split("\n")
    assert shown[0].startswith("ID ") and [line.split()[0] for line in shown[1:7]] == newest and len(shown) == 7, shown
    months = piped(daemon, "count", "conversations", "--by", "month")[0].splitlines()
    t = Terminal(daemon, ["watch", "conversations", "--by", "month", "--count", "1"], 5)
    assert t.end() == 0, t.text()
    shown = t.screens()[0].strip("\n").split("\n")
    assert len(months) > 6 and shown == months[:1] + months[-3:], (shown, months)
    report.ok(ON_TERMINALS[2])

    t = Terminal(daemon, ["watch", "contacts", "-n", "3"], 12)
    t.read(lambda seen: seen.count(b"\033[2J") >= 1 and seen.count(b"\n") >= 4)
    daemon.kill()
    t.read(lambda seen: b"it is back" in seen)
    time.sleep(1)  # looks more than once
    daemon.start()
    t.read(lambda seen: seen.count(b"\033[2J") >= 2)
    os.kill(t.pid, signal.SIGINT)
    assert t.end() == 130, t.text()
    assert t.text().count("ficd has gone") == 1 and "ficq: " not in t.text(), t.text()
    report.ok(ON_TERMINALS[3])


def misspelt(daemon):
    lacks = "is the state of none of the conversations that are held: "
    for arguments, told in (
            (["query", "conversations", "--where", "state = opne"], "'opne' " + lacks + "did you mean 'open'?"),
            (["count", "conversations", "--where", "state = resolved"], "'resolved' " + lacks + "there are closed, open and snoozed"),
            (["count", "conversations", "--by", "team", "--where", "state in (done, open) and parts > 100000"], "'done' " + lacks),
            (["search", "refund", "--where", "tags contains nosuchtag"], "'nosuchtag' is in the tags of none of the conversations that are held: 'ficq count conversations --by tags' tells"),
            (["query", "contacts", "--where", "role = usr", "--where", "email ~ x"], "'usr' is the role of none of the contacts that are held: did you mean 'user'?")):
        t = Terminal(daemon, arguments, 10, columns=200)
        assert t.end() == 0 and told in t.text(), t.text()
        assert " of none of " not in piped(daemon, *arguments)[1]
    for where in ("state = Open and parts > 100000", "assignee = 1", "subject = nothing", "state != opne and parts > 100000", "state = null and parts > 100000"):
        t = Terminal(daemon, ["query", "conversations", "--where", where], 10, columns=200)
        assert t.end() == 0 and "nothing was found" in t.text() and " of none of " not in t.text(), t.text()
    report.ok(ON_TERMINALS[4])


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 43, "--contacts", 100, "--companies", 10, "--conversations", 300, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()

    if has_terminals():
        paged(daemon)
        watched(daemon)
        misspelt(daemon)
    else:
        for name in ON_TERMINALS:
            report.skip(name, "there are no terminals to be had")

    ids = set(piped(daemon, "query", "conversations", "-n", "0", "--fields", "id", "-o", "csv", "--no-header")[0].split())
    fields = "id,created,updated,state,waiting_since,parts,tags,subject"
    for width in (20, 30, 45, 60, 80, 100):
        out, err = piped(daemon, "query", "conversations", "-n", "9", "--fields", fields, COLUMNS=str(width))
        rows = out.splitlines()[1:]
        assert len(rows) == 9 and all(row.split()[0] in ids and len(row) <= width for row in rows), (width, out)
        for row in rows:
            for cell in re.split(r"  +", row):
                assert not cell.startswith("20") or len(cell) >= 15 or TIME.fullmatch(cell), (width, cell, row)
        assert width > 80 or "fit: --wide shows" in err, (width, err)
    out, err = piped(daemon, "count", "conversations", "--by", "assignee,state", "--metric", "avg:parts", "-n", "2", COLUMNS="30")
    assert "COUNT" in out, out
    report.ok("times and numbers are whole or left out, ids are never cut")

    out, _ = piped(daemon, "fields", "conversations")
    assert "…" not in out and max(map(len, out.splitlines())) > 85, out
    assert re.search(r"^truncated +boolean", out, re.M) and re.search(r"^state +text +yes", out, re.M), out
    report.ok("in a pipe nothing is cut")

    _, err = piped(daemon, "watch", "contacts", "--duration", "200ms")
    found = re.search(r"continue with: ficq (changes contacts --follow --since=\d+)$", err.strip())
    assert found, err
    piped(daemon, *found.group(1).split(), "--duration", "200ms")
    report.ok("a watched stream says what goes on with it")

    _, err = piped(daemon, "query", "tags", TZ="garbage")
    assert err.count("garbage") == 1 and "UTC" in err, err
    assert piped(daemon, "query", "tags", "-n", "1", TZ="Europe/Paris")[1].count("warning") == 0
    report.ok("a TZ that is no zone is told once")

    follower = subprocess.Popen([program("ficq"), "-S", daemon.socket_path, "changes", "contacts", "--follow", "--since", "0"],  # noqa: F405
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
    assert select.select([follower.stdout], [], [], 60)[0]
    daemon.stop()
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 69 and re.search(rb"continue with --since=\d+$", err.strip()), (follower.returncode, err)
    report.ok("a stream ends with 69 when the daemon goes, and says where to go on")
    sim.stop()
