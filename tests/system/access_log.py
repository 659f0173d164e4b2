#!/usr/bin/env python3
# run-tests: beside others
"""access_log: a line a request, with who asked and never what was in it; on every road; rotated, and opened anew by a reload."""
import http.client
import os
import re
import socket
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("off unless asked for", "a line a request, with the peer and what came of it", "nothing that a client wrote is in it", "over HTTP",  # noqa: F405
                "who hangs up", "a file that is moved away is opened anew by a reload", "it is rotated at its size", "what cannot be written holds nobody up")

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z uid=(\d+|-) gid=(\d+|-) pid=(\d+|-) via=(socket|http) method=(\S+) source=(\S+) resource=(\S+) "
                  r"rows=(\d+|-) ms=\d+ code=(-?\d+|-)$")


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        text = f.read()
    found = [LINE.match(line) for line in text.splitlines()]
    assert all(found), text
    return [dict(zip(("uid", "gid", "pid", "via", "method", "source", "resource", "rows", "code"), m.groups())) for m in found]


def wait_lines(path, count):
    return wait_until("%d lines" % count, lambda: len(lines(path)) >= count and lines(path), 15, 0.05)  # noqa: F405


def configure(daemon, text):
    with open(daemon.config_path) as f:
        old = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(old.replace("[ficd]\n", "[ficd]\n" + text, 1))


def failing(client, method, **params):
    try:
        client.call(method, **params)
    except RpcError as e:  # noqa: F405
        return e.code
    raise AssertionError(method)


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--contacts", 40, "--companies", 5, "--conversations", 40, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    started.append(daemon)
    path = os.path.join(folder, "access.log")
    configure(daemon, "http = 127.0.0.1:0\n")
    daemon.start()
    daemon.wait_settled()
    assert not [n for n in os.listdir(folder) if "access" in n]
    report.ok("off unless asked for")

    configure(daemon, "access_log = %s\n" % path)
    client = daemon.client()
    client.call("reload")
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o037 == 0
    client.call("status")
    some = client.call("query", resource="contacts", limit=7, where="email exists")["rows"]
    client.call("get", resource="contacts", id=some[0]["id"], source="acme")
    client.call("get", resource="contacts", id="c0ffee")
    client.call("thread", id=next(iter(sim.truth("conversations"))))
    assert failing(client, "query", resource="contacts", where="email = ") == 8
    assert failing(client, "nonsense") == -32601
    assert failing(client, "query", resource="secret-name") != 0
    got = wait_lines(path, 9)
    me = {"uid": str(os.getuid()), "gid": str(os.getgid()), "pid": str(os.getpid()), "via": "socket"}
    assert all(me.items() <= line.items() for line in got), got
    assert [(g["method"], g["resource"], g["rows"], g["code"]) for g in got] == [
        ("reload", "-", "-", "0"), ("status", "-", "1", "0"), ("query", "contacts", "7", "0"), ("get", "contacts", "1", "0"),
        ("get", "contacts", "-", "0"), ("thread", "-", str(len([1 for p, _ in sim.truth("messages").values() if p == next(iter(sim.truth("conversations")))])), "0"),
        ("query", "contacts", "-", "8"), ("-", "-", "-", "-32601"), ("query", "-", "-", got[-1]["code"])], got
    assert all(g["source"] == "acme" for g in got if g["method"] != "-")
    report.ok("a line a request, with the peer and what came of it")

    with open(path) as f:
        text = f.read()
    for secret in ("secret-name", "nonsense", "email", "c0ffee", some[0]["id"], "sim-token", "exists"):
        assert secret not in text, secret
    client.send(b'{"jsonrpc":"2.0","id":1,"method":"a\\nb uid=0 method=query","params":{"source":"x\\ny","resource":"z z"}}\n')
    client.line()
    assert wait_lines(path, len(got) + 1)[-1]["method"] == "-"
    report.ok("nothing that a client wrote is in it")

    address = re.findall(r"http://127\.0\.0\.1:(\d+)", daemon.log_text())
    port = int(address[-1]) if address else int(re.findall(r"127\.0\.0\.1:(\d+)", daemon.log_text())[-1])
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    web.request("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "query", "params": {"resource": "tags", "limit": 2}}),  # noqa: F405
                {"Content-Type": "application/json"})
    assert web.getresponse().read()
    web.request("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync"}), {"Content-Type": "application/json"})  # noqa: F405
    answer = web.getresponse()
    assert answer.status == 403 and answer.read()
    web.close()
    at = len(got) + 1
    got = wait_lines(path, at + 2)[at:]
    assert [(g["uid"], g["pid"], g["via"], g["method"], g["rows"], g["code"]) for g in got] == [("-", "-", "http", "query", "2", "0"),
                                                                                               ("-", "-", "http", "sync", "-", "5")], got
    report.ok("over HTTP")

    sim.faults({"kind": "slow", "delay_ms": 5000, "route": "/me"})
    other = daemon.client()
    other.send(b'{"jsonrpc":"2.0","id":1,"method":"live","params":{"path":"/me"}}\n{"jsonrpc":"2.0","id":2,"method":"hello"}\n')
    other.line()
    other.close()
    assert wait_until("it is noted", lambda: [g for g in lines(path) if g["method"] == "live"], 15)[0]["code"] == "-"  # noqa: F405
    sim.no_faults()
    report.ok("who hangs up")

    count = len(lines(path))
    os.rename(path, path + ".moved")
    client.call("hello")
    client.call("reload")
    client.call("hello")
    got = wait_lines(path, 1)
    wait_until("nothing is lost", lambda: len(lines(path)) + len(lines(path + ".moved")) == count + 3, 10)  # noqa: F405
    report.ok("a file that is moved away is opened anew by a reload")

    configure(daemon, "access_log_size = 1M\n")
    client.call("reload")
    fill = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"hello"}\n' % i for i in range(500))
    sent = 0
    while not os.path.exists(path + ".1"):
        client.send(fill)
        for _ in range(500):
            client.line()
        sent += 500
        assert sent < 20000
    wait_until("the new one is there", lambda: os.path.exists(path), 10)  # noqa: F405
    assert os.path.getsize(path + ".1") <= 1 << 20 and os.path.getsize(path) < 1 << 20
    assert len(lines(path + ".1")) > 5000
    assert sorted(n for n in os.listdir(folder) if n.startswith("access.log")) == ["access.log", "access.log.1", "access.log.moved"]
    report.ok("it is rotated at its size")

    # A pipe that nobody reads, a folder that is not there, somebody's link.
    pipe, link = os.path.join(folder, "pipe"), os.path.join(folder, "link")
    os.mkfifo(pipe)
    os.symlink(daemon.config_path, link)
    for bad in (pipe, link, os.path.join(folder, "none", "access.log"), folder):
        with open(daemon.config_path) as f:
            conf = f.read()
        with open(daemon.config_path, "w") as f:
            f.write(re.sub(r"access_log = .*", "access_log = " + bad, conf))
        before = os.path.getsize(daemon.config_path)
        client.call("reload")
        for _ in range(5):
            client.call("hello")
        wait_until("it is said", lambda: "the access log %s cannot be opened" % bad in daemon.log_text(), 10)  # noqa: F405
        assert os.path.getsize(daemon.config_path) == before
    os.mkdir(os.path.join(folder, "none"))
    with open(daemon.config_path) as f:
        conf = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(re.sub(r"access_log = .*", "access_log = %s" % os.path.join(folder, "none", "access.log"), conf))
    client.call("reload")
    client.call("hello")
    wait_lines(os.path.join(folder, "none", "access.log"), 2)
    daemon.stop()
    assert lines(os.path.join(folder, "none", "access.log"))[-1]["method"] == "hello"
    report.ok("what cannot be written holds nobody up")
    sim.stop()
