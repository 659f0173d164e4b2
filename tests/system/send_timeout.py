#!/usr/bin/env python3
"""Who takes nothing of his answers is cut off after send_timeout: counted, logged once, his memory given back. Who reads slowly, or has nothing to
read, stays; ficq goes on where it was cut off."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

DEAF, TIMEOUT = 8, "2s"
BIG = b'{"jsonrpc":"2.0","id":1,"method":"query","params":{"resource":"messages","limit":1000,"fields":["doc"]}}\n'
FEED = b'{"jsonrpc":"2.0","id":1,"method":"changes","params":{"since":0,"follow":true,"doc":true}}\n'
SLOW_BYTES = 65536  # each quarter of a second

report = Report("who reads nothing is cut off, whoever reads slowly is not", "each is logged once, and counted",  # noqa: F405
                "what was not read is cut short", "a slow subscriber misses nothing", "a subscriber with nothing to read stays",
                "ficq behind a pager that stands goes on from where it was")


def private_kb(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Clean:", "Private_Dirty:")))


def connect(daemon, request):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(60)
    one.connect(daemon.socket_path)
    one.sendall(request)
    return one


class Subscriber:
    """Follows all changes from the first, and reads little at a time."""

    def __init__(self, daemon):
        self.one, self.data, self.ids = connect(daemon, FEED), b"", []

    def read(self):
        piece = self.one.recv(SLOW_BYTES)
        assert piece, "a subscriber that reads was cut off"
        *lines, self.data = (self.data + piece).split(b"\n")
        for line in lines:
            self.ids += [(row["resource"], row["id"]) for row in json.loads(line)["params"]["rows"]]  # noqa: F405


def cut(daemon):
    return daemon.call("status")["connections_cut"]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 8, "--contacts", 800, "--companies", 20, "--conversations", 500, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    with open(daemon.config_path) as f:
        config = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(config.replace("[ficd]\n", "[ficd]\nsend_timeout = %s\n" % TIMEOUT, 1))
    started.append(daemon)
    daemon.start()
    daemon.wait_settled()
    good = daemon.client()
    total = good.call("changes", since=0, limit=0)["revision"]
    waits = daemon.client()
    # Its first line says that nothing is new.
    waits.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "changes", "params": {"since": total, "follow": True}}).encode() + b"\n")  # noqa: F405
    assert waits.line()["params"]["rows"] == []
    everything = {(resource, row["id"]) for resource in RESOURCES for row in good.rows(resource, fields=["id"])}  # noqa: F405
    rest = private_kb(daemon.process.pid)

    slow = Subscriber(daemon)
    deaf = [connect(daemon, BIG * 10) for _ in range(DEAF)]

    def all_are_cut():
        slow.read()
        return cut(daemon) >= DEAF
    wait_until("those who do not read are cut off", all_are_cut, 60, 0.25)  # noqa: F405
    assert good.call("status")["connections"] <= 4
    report.ok("who reads nothing is cut off, whoever reads slowly is not", "%d of %d" % (cut(daemon), DEAF))

    words = [line for line in daemon.log_text().splitlines() if "send_timeout" in line]
    assert len(words) == DEAF and all("process %d" % os.getpid() in line for line in words), words
    report.ok("each is logged once, and counted", words[0])

    for one in deaf:
        with contextlib.suppress(ConnectionResetError):  # noqa: F405
            while one.recv(1 << 20):
                pass
        one.close()
    wait_until("memory is given back", lambda: SANITIZED or private_kb(daemon.process.pid) <= rest + 4096, 20)  # noqa: F405
    report.ok("what was not read is cut short", "%.1f MB" % (private_kb(daemon.process.pid) / 1e3))

    while len(set(slow.ids)) < len(everything):
        slow.read()
    assert set(slow.ids) == everything and len(slow.ids) == len(everything)
    slow.one.close()
    report.ok("a slow subscriber misses nothing", "%d records" % len(slow.ids))

    sim.mutate(1, 3, kinds=["reply"])
    sim.control("POST", "clock", {"advance_s": 30})
    daemon.sync()
    assert waits.line()["params"]["rows"]
    report.ok("a subscriber with nothing to read stays")

    held = [row["id"] for row in good.rows("messages", fields=["id"])]
    ficq = subprocess.Popen([program("ficq"), "-S", daemon.socket_path, "query", "messages", "-n", "0", "--fields", "id,doc", "-o", "ndjson"],  # noqa: F405
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until("it is cut off", lambda: cut(daemon) > DEAF, 60, 0.1)  # noqa: F405
    out, err = ficq.communicate(timeout=120)
    assert ficq.returncode == 0, err
    got = [json.loads(line)["id"] for line in out.splitlines()]  # noqa: F405
    assert got == held, (len(got), len(held))
    report.ok("ficq behind a pager that stands goes on from where it was", "%d records, %.1f MB" % (len(got), len(out) / 1e6))
    assert cut(daemon) == DEAF + 1
    good.close()
    waits.close()
    daemon.stop()
    sim.stop()
