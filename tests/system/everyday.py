#!/usr/bin/env python3
"""Everyday questions on the demo workspace of tools/start: what the README and the help show works as it stands there, names are
understood, threads are whole, shells complete, and tables for other programs are read by them as they were meant."""
import csv
import io
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "every example of every help",
    "every question of the README",
    "names of admins and teams in conditions",
    "a name that nobody has, and one that nobody is called by alone",
    "tables show names, other formats ids",
    "the thread of a ticket is its parts, that of a conversation its messages",
    "bash completes commands, resources, fields and ids",
    "what is completed is never expanded, and ids cannot run",
    "fish completes them, too",
    "without a daemon completion is silent and quick",
    "csv is read back as it is, by csv and by SQLite",
    "csv for a spreadsheet has no formula")

COMPLETE = r"""
source <(ficq completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_ficq
printf '%s\n' "${COMPREPLY[@]}"
"""


def has_terminals():
    try:
        for end in pty.openpty():
            os.close(end)
        return True
    except OSError:
        return False


TERMINALS = has_terminals()


class Shell:
    """Commands as a person types them, with ficq in the path and the daemon's socket in the environment."""

    def __init__(self, folder, socket_path):
        tools = os.path.join(folder, "bin")
        os.mkdir(tools)
        os.symlink(os.path.realpath(program("ficq")), os.path.join(tools, "ficq"))  # noqa: F405
        self.folder = folder
        self.environment = dict(os.environ, FICD_SOCKET=socket_path, PATH=tools + ":" + os.environ["PATH"], TZ="UTC",
                                LC_ALL="C.UTF-8", HOME=folder)

    def run(self, command, *arguments, shell="bash", **more):
        return subprocess.run([shell, "-c", command, shell, *arguments], cwd=self.folder, capture_output=True, text=True,
                              timeout=120, env=dict(self.environment, **more), stdin=subprocess.DEVNULL)

    def out(self, command):
        run = self.run(command)
        assert run.returncode == 0, (command, run.stdout[-500:], run.stderr)
        return run.stdout

    def complete(self, *words, **more):
        run = self.run(COMPLETE, *words, **more)
        assert run.returncode == 0 and run.stderr == "", (words, run)
        return run.stdout.split()


def bounded(command):
    """What stays until somebody leaves, for a moment; what draws on a terminal gets one."""
    if command.startswith("ficq watch") and " -o " not in command:
        return "python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' " + command + " --count 1 --duration 20s"
    return command + " --duration 300ms" if " --follow" in command or command.startswith("ficq watch") else command


def works(shell, command):
    if not TERMINALS and " --count 1" in bounded(command):
        return
    if "| jq" in command and not shutil.which("jq"):
        command = command.split(" | jq")[0]
    run = shell.run("set -o pipefail; " + bounded(command))
    assert run.returncode == 0, (command, run.returncode, run.stdout[-500:], run.stderr)
    assert "error" not in run.stderr, (command, run.stderr)
    if " --count 1" in bounded(command):
        assert "STATE" in run.stdout, (command, run)


def commands_of_readme():
    with open("README.md") as f:
        text = f.read()
    section = text[text.index("\n## Ask it"):text.index("\n### What an answer is worth")]
    for row in re.findall(r"^\|.*\| (.*) \|$", section, re.M):
        yield from (c for c in re.findall(r"`(ficq [^`]*)`", row) if not re.search(r"\b[A-Z]{3,}\b", c))


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 42, "--contacts", 2000, "--companies", 300, "--conversations", 600)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, resource_sections="[alert ops]\nwhen = no_success > 2h\ncommand = /bin/true\n")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    shell = Shell(folder, daemon.socket_path)

    names = re.findall(r"^  ([a-z]+) ", shell.out("ficq help").split("Options of every")[0], re.M)
    examples = []
    for name in names:
        shown = shell.out("ficq help " + name).split("\nExamples\n")[1].split("\n\n")[0]
        examples += [line[2:] for line in shown.split("\n") if re.match("  [^ ]", line)]
    assert len(examples) > 40, examples
    for command in examples:
        works(shell, command)
    report.ok("every example of every help", "%d of %d commands" % (len(examples), len(names)))
    questions = list(commands_of_readme())
    assert len(questions) > 25, questions
    for command in questions:
        works(shell, command)
    report.ok("every question of the README", "%d" % len(questions))

    def count(where):
        return int(shell.out("ficq count conversations --where '%s'" % where))
    client = daemon.client()
    teams = {row["name"]: row["id"] for row in client.rows("teams", fields=["name"])}
    admins = list(client.rows("admins", fields=["name", "email"]))
    for name, key in teams.items():
        assert count("team = %s" % name) == count("team = %s" % key.upper()) == count("team in (%s)" % name.lower()), name
    assert sum(count("team = %s" % name) for name in teams) == count("team in (%s)" % ", ".join(teams.values())) > 100
    for admin in admins:
        assert count("assignee = %s" % admin["email"]) == count('assignee = "%s"' % admin["name"]) == \
            count("assignee = %s" % admin["id"])
    assert count("team != Billing") == count("not team = Billing") == count("id exists") - count("team = Billing")
    report.ok("names of admins and teams in conditions", "%d admins, %d teams" % (len(admins), len(teams)))
    run = shell.run("ficq count conversations --where 'open and team = Biling'")
    assert run.returncode == 65 and "column 17: none of the teams is called 'Biling'; did you mean 'Billing'?" in run.stderr, run
    run = shell.run("ficq count conversations --where 'assignee = zzzzzzzzz'")
    assert run.returncode == 65 and "'ficq query admins' lists them" in run.stderr, run
    assert count("assignee = 77") == 0
    report.ok("a name that nobody has, and one that nobody is called by alone")
    table = shell.out("ficq count conversations --by team")
    assert all(name in table for name in teams) and not any(key in table for key in teams.values()), table
    table = shell.out("ficq count conversations --by team -o csv")
    assert all(key in table for key in teams.values()) and "Billing" not in table, table
    report.ok("tables show names, other formats ids")

    parts = {}
    for row in client.rows("ticket_parts", fields=["parent"]):
        parts.setdefault(row["parent"], set()).add(row["id"])
    ticket = max(parts, key=lambda key: len(parts[key]))
    answer = client.call("thread", id=ticket)
    assert answer["conversation"]["resource"] == "tickets" and answer["conversation"]["id"] == ticket
    assert {m["id"] for m in answer["messages"]} == parts[ticket]
    assert client.call("thread", id=ticket, resource="tickets")["messages"] == answer["messages"]
    assert "absence" in client.call("thread", id=ticket, resource="conversations")
    named = client.call("thread", id=ticket, fields=["doc", "title", "author_name", "id"])
    always = {"source", "resource", "id", "doc"}
    assert {key: answer["conversation"][key] for key in always | {"title"}} == named["conversation"], named
    assert [{key: m[key] for key in always | {"author_name"}} for m in answer["messages"]] == named["messages"], named
    try:
        raise AssertionError(client.call("thread", id=ticket, fields=["doc", "titel"]))
    except RpcError as error:  # noqa: F405
        assert "unknown field 'titel'" in str(error), error
    conversation = client.call("query", resource="conversations", limit=1)["rows"][0]["id"]
    assert client.call("thread", id=conversation)["conversation"]["resource"] == "conversations"
    try:
        raise AssertionError(client.call("thread", id=ticket, resource="contacts"))
    except RpcError as error:  # noqa: F405
        assert "contacts have no threads" in str(error) and "tickets" in error.data["hint"], error
    text = shell.out("ficq thread " + ticket)
    assert "ticket #" in text and answer["conversation"]["title"] in text, text
    report.ok("the thread of a ticket is its parts, that of a conversation its messages")

    newest = [row["id"] for row in client.call("query", resource="conversations", limit=20)["rows"]]
    oldest = client.call("query", resource="conversations", limit=1, sort="created")["rows"][0]["id"]
    complete = shell.complete
    assert complete("ficq", "thr") == ["thread"]
    assert complete("ficq", "query", "conv") == ["conversation_attributes", "conversations"]
    assert complete("ficq", "query", "conversations", "--sort", "wai") == ["waiting_since"]
    assert complete("ficq", "query", "conversations", "--sort", "=", "-wai") == ["-waiting_since"]
    assert complete("ficq", "query", "tickets", "--fields", "=", "id,tit") == ["id,title"]
    assert complete("ficq", "search", "--fields", "subj") == ["subject"]
    assert complete("ficq", "count", "conversations", "--metric", "p50", ":", "time_to_fi") == \
        ["time_to_first_response", "time_to_first_close"]
    assert complete("ficq", "query", "conversations", "--where", "'open and assi") == ["open", "and", "assignee"]
    assert set(newest) >= set(complete("ficq", "thread", newest[0][:-1])) >= {newest[0]}
    assert complete("ficq", "thread", oldest[:-1])[:1], "an old id is found by its beginning"
    assert all(key.startswith("52000") for key in complete("ficq", "thread", "52000"))
    assert complete("ficq", "get", "teams", "50170") == list(teams.values())
    assert complete("ficq", "-S", "/nowhere", "get", "teams", "50170") == []
    assert complete("ficq", "--output", "=", "c") == ["csv"]
    report.ok("bash completes commands, resources, fields and ids")
    false = os.path.join(folder, "bin2")
    os.mkdir(false)
    with open(os.path.join(false, "ficq"), "w") as f:
        f.write("#!/bin/sh\nif [ \"$2\" = bash ]; then exec %s \"$@\"; fi\n"
                "printf '%%s\\tx\\n' '$(touch %s/ran)' '`touch %s/ran`'\n" % (os.path.realpath(program("ficq")), folder, folder))  # noqa: F405
    os.chmod(os.path.join(false, "ficq"), 0o755)
    run = shell.run(COMPLETE, "ficq", "thread", "", PATH=false + ":" + shell.environment["PATH"])
    assert "touch" in run.stdout and not os.path.exists(folder + "/ran"), run
    for word in ("'", "$(x)", "a b", "%", "é"):
        run = shell.run('ficq completion ids conversations "$1"', word)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), run
    report.ok("what is completed is never expanded, and ids cannot run")
    if shutil.which("fish"):
        def fish(line):
            run = shell.run("ficq completion fish | source; complete -C \"$argv[2]\"", line, shell="fish")
            return [row.split("\t")[0] for row in run.stdout.splitlines()]
        assert fish("ficq query conversations --sort=wai") == ["--sort=waiting_since"]
        assert fish("ficq query tickets --fields id,tit") == ["id,title"]
        assert fish("ficq thread " + newest[0]) == [newest[0]]
        assert sorted(fish("ficq get teams 50170")) == sorted(teams.values())
        report.ok("fish completes them, too")
    else:
        report.skip("fish completes them, too", "fish is not installed")
    before = time.monotonic()
    for words in (("ficq", "thread", "2"), ("ficq", "query", "con"), ("ficq", "query", "conversations", "--sort", "u")):
        assert complete(*words, FICD_SOCKET=folder + "/nobody") == []
    assert time.monotonic() - before < 15
    report.ok("without a daemon completion is silent and quick")

    rows = [json.loads(line) for line in shell.out("ficq export messages --fields id,parent,created,author,body,redacted").splitlines()]
    table = subprocess.run(["ficq", "export", "messages", "--fields", "id,parent,created,author,body,redacted", "-o", "csv"],
                           capture_output=True, env=shell.environment, timeout=60,
                           executable=os.path.join(folder, "bin", "ficq"), check=True).stdout.decode()
    read = list(csv.DictReader(io.StringIO(table, newline="")))
    assert len(read) == len(rows) > 5000

    def plain(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else value
    for row, back in zip(rows, read):
        assert all(plain(row.get(key)) == back[key] for key in back), (row, back)
    base = sqlite3.connect(":memory:")
    base.execute("create table messages (id text primary key, parent text, created text, author text, body text, redacted text)")
    base.executemany("insert into messages values (?, ?, ?, ?, ?, ?)", (list(row.values()) for row in read))
    day = base.execute("select date(created), count(*) from messages group by 1 order by 2 desc limit 1").fetchone()
    assert day == (day[0], sum(row["created"].startswith(day[0]) for row in rows)), day
    report.ok("csv is read back as it is, by csv and by SQLite", "%d rows" % len(read))
    sim.control("POST", "mutate", {"count": 1, "seed": 1})
    raw = subprocess.run(["ficq", "query", "contacts", "--fields", "name,phone,email", "-n", "0", "--spreadsheet"], capture_output=True,
                         env=shell.environment, timeout=60, executable=os.path.join(folder, "bin", "ficq"), check=True).stdout
    assert raw.startswith(b"\xef\xbb\xbfname,phone,email\r\n")
    cells = [cell for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")) for cell in row]
    phones = [row.get("phone") for row in client.rows("contacts", fields=["phone"]) if (row.get("phone") or "").startswith("+")]
    assert phones and sum(cell.startswith("'+") for cell in cells) == len(phones), len(phones)
    assert not any(cell[:1] in ("=", "+", "-", "@") for cell in cells)
    report.ok("csv for a spreadsheet has no formula", "%d cells guarded" % len(phones))
    client.close()
    daemon.stop()
    sim.stop()
