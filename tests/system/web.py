#!/usr/bin/env python3
"""ficd over HTTP: health, status and methods, who may what, and requests that are none."""
# run-tests: beside others
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import TOKEN, Web, start  # noqa: E402

report = Report(  # noqa: F405
    "health, readiness, status",
    "methods over POST /rpc, and their errors",
    "writing with the token alone",
    "reading only where everybody may",
    "other hosts, other sites, other methods",
    "requests that are none, too long, too slow",
    "many at once, and who goes away",
    "over a UNIX socket",
    "configurations that are refused")


def plain(daemon, web):
    answer, data = web.request("GET", "/healthz")
    assert answer.status == 200 and data == b"ok\n" and answer.getheader("Cache-Control") == "no-store"
    assert web.request("GET", "/readyz")[0].status == 200
    answer, data = web.request("GET", "/status")
    assert answer.status == 200 and answer.getheader("Content-Type") == "application/json"
    status = json.loads(data)
    assert status["pid"] == daemon.process.pid and status["sources"][0]["name"] == "acme"
    answer, data = web.request("HEAD", "/status")
    assert answer.status == 200 and data == b""
    assert not any(name.lower().startswith("access-control") for name, _ in answer.getheaders())


def methods(daemon, web):
    status, answer = web.rpc("query", resource="conversations", limit=5)
    want = daemon.call("query", resource="conversations", limit=5)
    assert status == 200 and answer["id"] == 7 and answer["result"]["rows"] == want["rows"], answer
    for method, params, http_status, code in (
            ("qeury", {}, 404, -32601), ("query", {"resource": "conversation"}, 400, -32602), ("query", {}, 400, -32602),
            ("query", {"resource": "tags", "where": "x ="}, 400, 8), ("get", {"resource": "tags", "id": "0", "fields": 3}, 400, -32602)):
        status, answer = web.rpc(method, **params)
        assert status == http_status and answer["error"]["code"] == code, (method, params, status, answer)
    assert web.rpc("changes", follow=True)[0] == 400
    for body in ("", "{", "[]", "7", '{"jsonrpc":"2.0","method":"status"}', '{"a":' * 40 + "1" + "}" * 40, '{"id":1}'):
        answer, data = web.request("POST", "/rpc", body, Content_Type="application/json")
        assert answer.status == 400, (body, answer.status, data)
    answer, data = web.request("POST", "/rpc", '{\n "jsonrpc": "2.0",\n "id": 1,\n "method": "hello"\n}\n', Content_Type="application/json; charset=utf-8")
    assert answer.status == 200 and json.loads(data)["result"]["name"] == "ficd"


def writing(web):
    status, answer = web.rpc("sync", resource="tags")
    assert status == 403 and answer["error"]["code"] == 5, answer
    for wrong in ("no", TOKEN[:-1], TOKEN + "x", ""):
        answer, data = web.request("POST", "/rpc", "{}", Content_Type="application/json", Authorization="Bearer " + wrong)
        assert answer.status == 401 and answer.getheader("WWW-Authenticate") == "Bearer", (wrong, answer.status)
    status, answer = web.rpc("sync", TOKEN, resource="tags", wait=True)
    assert status == 200 and answer["result"]["runs"][0]["outcome"] == "ok", answer


def strangers(web):
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", "127.0.0.1:1:2"):
        answer, _ = web.request("GET", "/status", Host=host)
        assert answer.status in (400, 421), (host, answer.status)
    for host in ("localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:7"):
        assert web.request("GET", "/status", Host=host)[0].status == 200, host
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert web.request("GET", "/status", Sec_Fetch_Site=site)[0].status == status, site
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", None):
        body = '{"jsonrpc":"2.0","id":1,"method":"status"}'
        headers = {"Content_Type": kind} if kind else {}
        assert web.request("POST", "/rpc", body, **headers)[0].status == 415, kind
    answer, _ = web.request("GET", "/rpc")
    assert answer.status == 405 and answer.getheader("Allow") == "POST"
    answer, _ = web.request("DELETE", "/status")
    assert answer.status == 405 and answer.getheader("Allow") == "GET, HEAD"
    for path in ("/nothing", "/status/", "//status", "/%2e%2e/etc/passwd", "/healthz%00"):
        assert web.request("GET", path)[0].status == 404, path


def raw(web, data, wait=True):
    """What is answered; nothing when the connection was reset, as it may be when more was sent than is read."""
    got = b""
    with socket.create_connection(("127.0.0.1", web.address), 30) as s:
        s.sendall(data)
        with contextlib.suppress(ConnectionError, OSError):
            if wait:
                s.shutdown(socket.SHUT_WR)
            while wait:
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
    return got


def nonsense(web):
    head = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer, _ = web.request("POST", "/rpc", b" " * (1024 * 1024 + 1), Content_Type="application/json")
    assert answer.status == 413, answer.status
    first = raw(web, b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60000 + b"\r\n\r\n").split(b"\r\n")[0]
    assert first == b"" or b" 431 " in first, first
    for data in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / SPDY/9\r\n\r\n", head + b"Content-Length: -5\r\n\r\n",
                 head + b"Content-Length: 99999999999999999999\r\n\r\n", head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                 b"GET /status HTTP/1.1\r\n\r\n", b"\r\n" * 2000):
        start = time.monotonic()
        first = raw(web, data).split(b"\r\n")[0]
        assert time.monotonic() - start < 28, data[:40]  # what is no request yet is waited for, for 15 s
        assert first == b"" or b" 4" in first or b" 505" in first, (data[:40], first)
    for _ in range(30):
        raw(web, head + b"Content-Length: 10\r\n\r\n{", wait=False)
    assert web.request("GET", "/healthz")[0].status == 200


def many(daemon, web):
    failed = []

    def ask():
        for _ in range(15):
            status, answer = web.rpc("query", resource="conversations", limit=20)
            if status != 200 or len(answer["result"]["rows"]) != 20:
                failed.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed, failed[0]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync", "params": {"wait": True}}).encode()
    for _ in range(8):
        raw(web, b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body), wait=False)
    assert web.rpc("status")[0] == 200
    assert daemon.call("status")["sources"]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 3, "--conversations", 60, "--contacts", 30, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon, web = start(folder, sim, "127.0.0.1:0")
    started.append(daemon)
    daemon.wait_settled()
    for check, name in ((lambda: plain(daemon, web), "health, readiness, status"),
                        (lambda: methods(daemon, web), "methods over POST /rpc, and their errors"),
                        (lambda: writing(web), "writing with the token alone")):
        check()
        report.ok(name)
    daemon.stop()
    daemon, closed = start(folder, sim, "127.0.0.1:0", "allow_read = uid:0\n")
    started.append(daemon)
    assert closed.request("GET", "/healthz")[0].status == 200
    assert closed.request("GET", "/status")[0].status == 401 and closed.rpc("status")[0] == 401
    assert closed.request("GET", "/status", Authorization="Bearer " + TOKEN)[0].status == 200
    daemon.stop()
    report.ok("reading only where everybody may")
    daemon, web = start(folder, sim, "127.0.0.1:0")
    started.append(daemon)
    strangers(web)
    report.ok("other hosts, other sites, other methods")
    nonsense(web)
    report.ok("requests that are none, too long, too slow")
    many(daemon, web)
    report.ok("many at once, and who goes away")
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync", "params": {"mode": "full", "wait": True}}).encode()
    sim.faults({"kind": "slow", "delay_ms": 2000, "route": "/"})
    late = socket.create_connection(("127.0.0.1", web.address), 30)
    late.sendall(b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                 % (TOKEN.encode(), len(body), body))
    wait_until("a sync is under way", lambda: any(  # noqa: F405
        r["syncing"] for r in daemon.call("status")["sources"][0]["resources"]))
    daemon.stop()  # while a request waits for its answer
    sim.no_faults()
    late.close()
    path = os.path.join(folder, "http.sock")
    daemon, local = start(folder, sim, path)
    started.append(daemon)
    assert local.request("GET", "/status", Host="anything")[0].status == 200
    assert os.stat(path).st_mode & 0o777 == 0o660
    daemon.stop()
    assert not os.path.exists(path)
    report.ok("over a UNIX socket")
    for http, words in (("0.0.0.0:80", "loopback"), ("192.168.1.1:80", "loopback"), ("localhost:80", "loopback"), ("8080", "PORT"),
                        ("127.0.0.1:99999", "PORT"), ("on", "PORT"), ("127.0.0.1", "PORT")):
        bad = Daemon(folder, sim, start=False)  # noqa: F405
        with open(bad.config_path) as f:
            text = f.read()
        with open(bad.config_path, "w") as f:
            f.write(text.replace("[ficd]\n", "[ficd]\nhttp = %s\n" % http, 1))
        done = subprocess.run([program("ficd"), "--config", bad.config_path, "--check-config"], capture_output=True, text=True)  # noqa: F405
        assert done.returncode == 78 and words in done.stderr, (http, done)
    report.ok("configurations that are refused")
    sim.stop()
