#!/usr/bin/env python3
"""Streamed answers: freshness first, rows as they are found, closing fields last; back-pressure, overlapping requests, cancel, deadlines, and memory that does not
depend on the size of a result."""
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

PRIVATE_MAX_KB = 16000
GROWTH_MAX_KB = 1500  # while one answer of any size goes out: its own megabyte, and what the allocator keeps

report = Report("freshness first, then rows, closing fields last: the same rows as page by page", "an order of values, a total, a limit and a cursor",  # noqa: F405
                "the same as MessagePack, by ficq", "requests of one connection are answered independently",
                "who does not read slows only himself, and reads on from the same snapshot", "cancel ends a stream with error 9",
                "a deadline ends it with an error, not with a short answer", "a question of little memory, whatever its result",
                "everything is exported in 16 MB of private memory", "ficq passes a deadline on, and exits with 75",
                "ficq says that an answer was cut off, and exits with 69")


def private_kb(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Clean:", "Private_Dirty:")))


def ask(client, request, method="query", **params):
    client.send(json.dumps({"jsonrpc": "2.0", "id": request, "method": method, "params": params}).encode() + b"\n")  # noqa: F405


def stream(client, id="s", **params):
    """All pieces and the end of one streamed question."""
    ask(client, id, stream=True, **params)
    pieces = []
    while True:
        message = client.line()
        if message.get("method") == "records":
            assert message["params"]["id"] == id
            pieces.append(message["params"])
        else:
            assert message["id"] == id
            return pieces, message


def rows_of(pieces):
    return [row for piece in pieces for row in piece["rows"]]


def ficq(daemon, *args, **more):
    return subprocess.Popen([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,  # noqa: F405
                            stdin=subprocess.DEVNULL, **more)


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 77, "--contacts", 3000, "--companies", 50, "--conversations", 200 if SANITIZED else 4000, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, source_options="budget = 100%\nconcurrency = 8\nhistory = 3650d")  # noqa: F405
    started.append(daemon)
    daemon.wait_settled(300)
    client = daemon.client()
    pid = daemon.process.pid

    pages = list(client.rows("messages", doc=True))
    pieces, end = stream(client, resource="messages", doc=True)
    assert pieces[0]["freshness"]["state"] == "fresh" and pieces[0]["rows"] == [] and all("freshness" not in p for p in pieces[1:])
    assert len(pieces) > 20 and all(p["rows"] and p["next_cursor"] for p in pieces[1:])
    assert max(len(json.dumps(p)) for p in pieces) < 400000  # noqa: F405
    assert rows_of(pieces) == pages
    result = end["result"]
    assert result["streamed"] == len(pages) and result["rows"] == [] and result["next_cursor"] is None, result
    assert result["freshness"]["state"] == "fresh" and result["total"] == len(pages) and result["stats"]["scanned"] == len(pages)
    report.ok("freshness first, then rows, closing fields last: the same rows as page by page", "%d rows in %d pieces" % (len(pages), len(pieces)))

    by_author = list(client.rows("messages", sort="author", fields=["author"]))
    pieces, end = stream(client, resource="messages", sort="author", fields=["author"])
    assert rows_of(pieces) == by_author and end["result"]["total"] == len(pages)
    pieces, end = stream(client, resource="messages", limit=2500 if len(pages) > 2500 else 50, total=True, doc=True)
    n = end["result"]["streamed"]
    assert rows_of(pieces) == pages[:n] and end["result"]["total"] == len(pages) and end["result"]["next_cursor"]
    rest, end = stream(client, resource="messages", doc=True, cursor=end["result"]["next_cursor"])
    assert rows_of(rest) == pages[n:]
    # The cursor of a piece leads to what follows it.
    rest, end = stream(client, resource="messages", doc=True, cursor=pieces[1]["next_cursor"])
    assert rows_of(rest) == pages[len(pieces[1]["rows"]):]
    words, end = stream(client, resource="conversations", text="refund")
    assert rows_of(words) == list(client.rows("conversations", text="refund"))
    try:
        client.send(b'{"jsonrpc":"2.0","method":"query","params":{"resource":"tags","stream":true}}\n')
        assert client.call("query", resource="tags", limit=1)["rows"]
        client.call("query", resource="tags", stream=True, limit=-1)
        raise AssertionError("taken")
    except RpcError as error:  # noqa: F405
        assert error.code == -32602, error
    report.ok("an order of values, a total, a limit and a cursor")

    out, err = ficq(daemon, "export", "messages").communicate(timeout=120)
    assert [json.loads(line) for line in out.splitlines()] == pages, err  # noqa: F405
    out, err = ficq(daemon, "query", "messages", "-n", "0", "--json", "--wire=json").communicate(timeout=120)
    whole = json.loads(out)  # noqa: F405
    assert whole["freshness"]["state"] == "fresh" and [r["id"] for r in whole["rows"]] == [r["id"] for r in pages] and whole["next_cursor"] is None
    assert "streamed" not in whole and whole["total"] == len(pages), whole.keys()
    report.ok("the same as MessagePack, by ficq")

    ask(client, "a", resource="messages", doc=True, stream=True)
    ask(client, "b", "status")
    ask(client, "c", resource="conversations", stream=True)
    seen, ends = {"a": [], "c": []}, []
    while len(ends) < 3:
        message = client.line()
        if "method" in message:
            seen[message["params"]["id"]].append(message["params"])
        else:
            ends.append(message["id"])
            assert "result" in message
    assert ends.index("b") < ends.index("a") and ends.index("c") < ends.index("a"), ends
    assert rows_of(seen["a"]) == pages and len(rows_of(seen["c"])) == len(sim.truth("conversations"))
    report.ok("requests of one connection are answered independently", " ".join(ends))

    slow = [daemon.client() for _ in range(4)]
    for i, one in enumerate(slow):
        ask(one, i, resource="messages", doc=True, stream=True)
    worst = 0
    for _ in range(30):
        began = time.monotonic()
        assert len(client.call("query", resource="contacts", limit=20)["rows"]) == 20
        worst = max(worst, time.monotonic() - began)
    assert worst < 2, worst
    sim.mutate(60, 5, kinds=["reply", "new_conversation", "delete_conversation"])
    daemon.sync("changes", resource=["conversations"])
    assert list(client.rows("messages", doc=True)) != pages
    for i, one in enumerate(slow):
        got = []
        while True:
            message = one.line()
            if "method" not in message:
                break
            got += message["params"]["rows"]
        assert message["result"]["streamed"] == len(pages) and got == pages, (i, len(got))
        one.close()
    report.ok("who does not read slows only himself, and reads on from the same snapshot", "the others waited %.0f ms at most" % (worst * 1e3))

    pages = list(client.rows("messages", doc=True))
    one = daemon.client()
    ask(one, 7, resource="messages", doc=True, stream=True)
    assert one.line()["params"]["freshness"]
    ask(one, 8, "cancel", id=7)
    rows, answers = 0, {}
    while len(answers) < 2:
        message = one.line()
        if "method" in message:
            assert 7 not in answers, "a piece behind the end"
            rows += len(message["params"]["rows"])
        else:
            answers[message["id"]] = message
    assert answers[7]["error"]["code"] == 9 and answers[8]["result"]["canceled"] is True and rows < len(pages), (answers, rows)
    assert one.call("query", resource="tags", limit=1)["rows"]
    report.ok("cancel ends a stream with error 9", "after %d rows" % rows)

    one = daemon.client()
    ask(one, 1, resource="messages", doc=True, stream=True, timeout_ms=300)
    time.sleep(1)
    rows = 0
    while True:
        message = one.line()
        if "method" not in message:
            break
        rows += len(message["params"]["rows"])
    assert message["error"]["code"] == 3 and message["error"]["data"]["reason"] == "timeout" and rows < len(pages), message
    one.close()
    report.ok("a deadline ends it with an error, not with a short answer", "after %d rows" % rows)

    def peak_while(work):
        """The daemon's private memory, at most, while something is done."""
        peak, over = [private_kb(pid)], threading.Event()

        def watch():
            while not over.wait(0.01):
                peak.append(private_kb(pid))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            over.set()
            watcher.join()
        return max(peak)

    stream(client, resource="messages", doc=True, limit=200)
    few = peak_while(lambda: stream(client, resource="messages", doc=True, limit=200))
    many = peak_while(lambda: stream(client, resource="messages", doc=True))
    assert SANITIZED or many < few + GROWTH_MAX_KB, (few, many)  # noqa: F405
    report.ok("a question of little memory, whatever its result", "%.1f MB for 200 rows, %.1f MB for %d" % (few / 1e3, many / 1e3, len(pages)))

    total, own = [0], [0]

    def export_all():
        for resource in RESOURCES:  # noqa: F405
            run = ficq(daemon, "export", resource)
            while True:
                data = run.stdout.read1(1 << 16)
                if not data:
                    break
                total[0] += data.count(b"\n")
                with contextlib.suppress(OSError):  # noqa: F405
                    own[0] = max(own[0], private_kb(run.pid))
            assert run.wait(60) == 0, run.stderr.read()
    peak = peak_while(export_all)
    assert SANITIZED or (peak < PRIVATE_MAX_KB and own[0] < PRIVATE_MAX_KB), (peak, own)  # noqa: F405
    report.ok("everything is exported in 16 MB of private memory", "%d records: ficd %.1f MB, ficq %.1f MB" % (total[0], peak / 1e3, own[0] / 1e3))

    run = ficq(daemon, "export", "messages", "--timeout=1s")
    time.sleep(2)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 75 and b"not complete" in err and 0 < out.count(b"\n") < len(pages), (run.returncode, err, len(out))
    report.ok("ficq passes a deadline on, and exits with 75")

    run = ficq(daemon, "export", "messages")
    run.stdout.read1(1)
    daemon.kill()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 69 and b"not complete" in err and out.count(b"\n") < len(pages), (run.returncode, err)
    report.ok("ficq says that an answer was cut off, and exits with 69")
    client.close()
    sim.stop()
