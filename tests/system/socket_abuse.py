#!/usr/bin/env python3
"""The socket under bad manners: each gets one clear error, nobody else notices."""
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "lines that are not JSON", "not a request", "unknown method, parameter, resource, field: did you mean",
    "bad expressions name the column", "a line of 10 MB", "a line that never ends", "deep nesting", "half closed: still answered",
    "a last line without an end, when no more is under way at once",
    "MessagePack on the same socket", "a reader that never reads", "more connections than there are places",
    "a sync's progress, then its end", "answers stay quick beside all that")

with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 4, "--contacts", 2000, "--companies", 20, "--conversations", 150, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()
    good = daemon.client()

    def expect_error(client, code, *words):
        answer = client.line()
        assert answer["error"]["code"] == code, answer
        text = json.dumps(answer["error"])  # noqa: F405
        assert all(word in text for word in words), (words, answer)
        return answer

    client = daemon.client()
    for junk in (b"hello\n", b"{\n", b'{"a":tru}\n', b"\xff\xfe\n", b'{"jsonrpc":"2.0"\n'):
        client.send(junk)
        expect_error(client, -32700)
    assert client.call("hello")["name"] == "ficd"
    report.ok("lines that are not JSON")

    for junk in (b"[]\n", b"1\n", b'{"jsonrpc":"2.0","id":7}\n', b'{"jsonrpc":"1.0","id":7,"method":"hello"}\n',
                 b'[{"jsonrpc":"2.0","id":1,"method":"hello"}]\n'):
        client.send(junk)
        expect_error(client, -32600)
    report.ok("not a request")

    def expect_refusal(code, hint, method, **params):
        try:
            client.call(method, **params)
        except RpcError as error:  # noqa: F405
            assert error.code == code and hint in (str(error) + str(error.data)), (error, error.code, error.data)
            return
        raise AssertionError("accepted: %s %s" % (method, params))

    expect_refusal(-32601, "status", "staus")
    expect_refusal(-32602, "limit", "query", resource="contacts", limt=3)
    expect_refusal(-32602, "conversations", "query", resource="conversation")
    for method in ("changes", "sync", "coverage"):
        expect_refusal(-32602, "did you mean 'contacts'?", method, resource="contcts")
    expect_refusal(-32602, "needs", "query")
    expect_refusal(-32602, "integer", "query", resource="contacts", limit="three")
    expect_refusal(-32602, "time", "query", resource="contacts", since="whenever")
    expect_refusal(-32602, "after", "query", resource="contacts", since="2026-01-02", until="2026-01-01T00:00:00Z")
    expect_refusal(-32602, "cursor", "query", resource="contacts", cursor="nonsense")
    expect_refusal(-32602, "email", "query", resource="contacts", fields=["emial"])
    for dry in (False, True):
        for mode in ("changes", "full"):
            expect_refusal(-32602, "backfill and verify", "sync", mode=mode, since="3d", dry_run=dry)
    expect_refusal(-32602, "id 2 of the list", "sync", ids=["123", 5])
    before = good.call("runs", limit=1)["runs"][0]["id"]
    expect_refusal(-32602, "'nosuch'", "sync", resource=["teams", "nosuch"])
    assert good.call("sync", resource="admins", wait=True)["runs"][0]["id"] == before + 1, "a run was begun all the same"
    report.ok("unknown method, parameter, resource, field: did you mean")
    expect_refusal(8, "column", "query", resource="conversations", where="state = ")
    expect_refusal(8, "state", "query", resource="conversations", where="staet = open")
    report.ok("bad expressions name the column")

    client.close()
    client = daemon.client()
    with contextlib.suppress(OSError):  # noqa: F405
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (10 << 20) + b'"}\n')
    expect_error(client, -32700, "longer than 1048576")
    with contextlib.suppress(OSError):  # noqa: F405
        assert client.socket.recv(1 << 20) == b""
    client.close()
    report.ok("a line of 10 MB")

    slow = daemon.client()
    slow.send(b'{"jsonrpc":"2.0",')
    report.ok("a line that never ends")

    client = daemon.client()
    client.send(b'{"jsonrpc":"2.0","id":1,"method":"query","params":{"resource":' + b"[" * 5000 + b"]" * 5000 + b"}}\n")
    expect_error(client, -32700)
    report.ok("deep nesting")

    client.send(b'{"jsonrpc":"2.0","id":9,"method":"status"}\n{"jsonrpc":"2.0","id":10,"method":"hello"}')
    client.socket.shutdown(socket.SHUT_WR)
    ids = {client.line()["id"], client.line()["id"]}
    assert ids == {9, 10}, ids
    assert client.socket.recv(10) == b""
    report.ok("half closed: still answered")

    client = daemon.client()
    wait = b'{"jsonrpc":"2.0","id":%d,"method":"sync","params":{"resource":"contacts","wait":true}}\n'
    client.send(b"".join(wait % i for i in range(4)) + b'{"jsonrpc":"2.0","id":4,"method":"hello"}')
    client.socket.shutdown(socket.SHUT_WR)
    lines = [json.loads(line) for line in client.socket.makefile("rb")]  # noqa: F405
    assert sorted(line["id"] for line in lines if "result" in line) == list(range(5)), lines
    report.ok("a last line without an end, when no more is under way at once")

    binary = socket.socket(socket.AF_UNIX)
    binary.settimeout(20)
    binary.connect(daemon.socket_path)
    binary.sendall(b"\x83\xa7jsonrpc\xa32.0\xa2id\x01\xa6method\xa5hello")
    data = b""
    while b"features" not in data:
        data += binary.recv(4096)
    assert data[0] & 0xf0 == 0x80 and b"\xa4ficd" in data, data[:60]
    binary.sendall(b"\x84\xa7jsonrpc\xa32.0\xa2id\x02\xa6method\xa6status\xa6params\x81\x07\x01")
    data = b""
    while b"is no text" not in data:
        data += binary.recv(4096)
    binary.close()
    binary = socket.socket(socket.AF_UNIX)
    binary.settimeout(20)
    binary.connect(daemon.socket_path)
    binary.sendall(b"\x93")
    data = b""
    while more := binary.recv(4096):
        data += more
    assert b"MessagePack array" in data, data
    binary.close()
    report.ok("MessagePack on the same socket")

    rude = daemon.client()
    rude.socket.settimeout(0.5)
    with contextlib.suppress(OSError):  # noqa: F405
        for i in range(2000):
            rude.send(b'{"jsonrpc":"2.0","id":%d,"method":"query","params":{"resource":"contacts","limit":1000,"fields":["doc"]}}\n' % i)
    assert good.call("hello")["name"] == "ficd"
    memory = daemon.call("status")["memory"]["rss_bytes"]
    assert SANITIZED or memory < 48 << 20, memory  # noqa: F405
    rude.close()
    report.ok("a reader that never reads", "%.1f MB resident" % (memory / 1e6))

    crowd = []
    refused = None
    for i in range(80):
        one = daemon.client(5)
        crowd.append(one)
        with contextlib.suppress(OSError):  # noqa: F405
            one.send(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
        with contextlib.suppress(OSError, EOFError):  # noqa: F405
            refused = one.line().get("error") or refused
    assert refused and refused["code"] == 7, refused
    assert good.call("hello")["name"] == "ficd"
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "status"], capture_output=True, text=True, timeout=60)  # noqa: F405
    assert ran.returncode == 75 and "too many connections" in ran.stderr and "--timeout" not in ran.stderr, ran
    for one in crowd:
        one.close()
    report.ok("more connections than there are places")

    def some_room():
        try:
            one = daemon.client()
            one.call("hello")
            return one
        except (OSError, EOFError, RpcError):  # noqa: F405
            return None
    notes = []
    client = wait_until("there is room again", some_room)  # noqa: F405
    runs = client.call("sync", notifications=notes, mode="full", resource="contacts", wait=True)["runs"]
    assert runs[0]["outcome"] == "ok" and runs[0]["calls"] >= 14, runs
    assert notes and all(note["method"] == "progress" for note in notes), notes[:2]
    report.ok("a sync's progress, then its end", "%d progress notes" % len(notes))

    ids = [row["id"] for row in good.call("query", resource="contacts", limit=50)["rows"]]
    times = []
    for i in range(1000):
        begin = time.perf_counter()
        assert good.call("get", resource="contacts", id=ids[i % 50])["record"]["id"] == ids[i % 50]
        times.append(time.perf_counter() - begin)
    times.sort()
    assert times[990] < (0.1 if SANITIZED else 0.02), times[990]  # noqa: F405
    loop = good.call("status")["loop"]
    report.ok("answers stay quick beside all that", "median %.0f us, p99 %.0f us, loop held %d us at most" % (
        times[500] * 1e6, times[990] * 1e6, loop["held_max_us"]))
    daemon.stop()
    sim.stop()
