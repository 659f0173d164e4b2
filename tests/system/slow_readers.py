#!/usr/bin/env python3
"""Clients that ask for much and do not read: memory stays small, others get their answers, and all is given back."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

LIMIT = 64 << 10  # kB resident, with memory = 16M
BIG = b'{"jsonrpc":"2.0","id":1,"method":"query","params":{"resource":"messages","limit":1000,"fields":["doc"]}}\n'
report = Report(  # noqa: F405
    "60 clients that do not read", "others are answered meanwhile, in smaller pages", "what is not small is told to come again", "who reads late gets all answers",
    "memory is given back", "short pages were for that time")


def resident(pid, what):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what))


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--contacts", 600, "--companies", 60, "--conversations", 300, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    parts = [parent for key, (parent, _) in sim.truth("messages").items() if parent]
    largest = max(set(parts), key=parts.count)
    sim.mutate(400, 1, kinds=["reply"], conversation=largest)
    sim.control("POST", "clock", {"advance_s": 30})
    daemon.wait_settled()
    daemon.sync()
    good = daemon.client()
    whole = good.call("query", resource="messages", limit=1000, fields=["doc"])
    # Pages of documents that end at different bytes, so that some are small enough to be kept.
    times = [row["created"] for row in good.call("query", resource="conversations", limit=120, fields=["created"])["rows"]]
    later = [dict(resource="conversations", limit=1000, fields=["doc"], where='created < "%s"' % at) for at in times[::10]]
    pages = [good.call("query", **question)["rows"] for question in later]
    before = resident(daemon.process.pid, "VmRSS")

    slow = []
    for _ in range(60):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(2)
        one.connect(daemon.socket_path)
        with contextlib.suppress(OSError):  # noqa: F405
            one.sendall(BIG * 20)
        slow.append(one)
    time.sleep(1)
    peak = resident(daemon.process.pid, "VmHWM")
    assert SANITIZED or peak < LIMIT, peak  # noqa: F405
    report.ok("60 clients that do not read", "%.1f MB at most" % (peak / 1e3))

    small = good.call("query", resource="messages", limit=1000, fields=["doc"])
    assert 0 < len(small["rows"]) < len(whole["rows"]) and small["next_cursor"], len(small["rows"])
    assert small["rows"] == whole["rows"][:len(small["rows"])]
    for question, page in zip(later * 2, pages * 2):
        assert 0 < len(good.call("query", **question)["rows"]) < len(page), question
    held = sum(1 for _ in good.rows("messages", fields=["doc"]))
    assert held == len(sim.truth("messages")), held
    assert len(good.call("query", resource="contacts", limit=100)["rows"]) == 100
    report.ok("others are answered meanwhile, in smaller pages", "%d rows, not %d" % (len(small["rows"]), len(whole["rows"])))

    try:
        raise AssertionError(len(good.call("thread", id=largest)["messages"]))
    except RpcError as error:  # noqa: F405
        assert error.code == 7 and "read" in error.data["hint"], (error, error.data)
    report.ok("what is not small is told to come again")

    data, answers = b"", 0
    while answers < 20:
        piece = slow[0].recv(1 << 16)
        assert piece, "cut off"
        data += piece
        while b"\n" in data:
            line, data = data.split(b"\n", 1)
            answer = json.loads(line)  # noqa: F405
            answers += 1
            assert answer.get("result", {}).get("rows") or answer["error"]["code"] == 7, answer
    report.ok("who reads late gets all answers")

    for one in slow:
        one.close()

    def small_again():
        now = resident(daemon.process.pid, "VmRSS")
        return SANITIZED or now < before + 8192  # noqa: F405
    wait_until("memory is given back", small_again, 10)  # noqa: F405
    assert len(good.call("query", resource="messages", limit=1000, fields=["doc"])["rows"]) == len(whole["rows"])
    assert len(good.call("thread", id=largest)["messages"]) > 400
    report.ok("memory is given back", "%.1f MB" % (resident(daemon.process.pid, "VmRSS") / 1e3))
    assert [good.call("query", **question)["rows"] for question in later] == pages
    report.ok("short pages were for that time")
    daemon.stop()
    sim.stop()
