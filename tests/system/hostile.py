#!/usr/bin/env python3
"""A thousand hostile HTTP requests and webhooks, and a thousand hostile lines to ficq mcp: each gets the answer that it deserves, nothing leaks, and questions on
the socket do not wait for them."""
import contextlib
import gc
import hashlib
import hmac
import json
import os
import random
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import TOKEN, start  # noqa: E402

COUNT = int(os.environ.get("HOSTILE", "1000"))
SECRET = "webhook-secret-of-this-test"
JSON = "Content-Type: application/json"


def signed(body):
    return "X-Hub-Signature: sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()


def request(method, path, body=b"", *headers, host="localhost"):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, "Connection: close", *headers]
    if body or method == "POST":
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def webhook(body, *headers, path="/webhooks/acme"):
    return request("POST", path, body, JSON, *headers)


REPLAYED = json.dumps({"type": "notification_event", "topic": "conversation.user.replied", "id": "notif_replayed", "created_at": 1,
                       "data": {"item": {"type": "conversation", "id": "1"}}}).encode()


def hostile(dice):
    """(what it is, bytes, the statuses that are right; 0: the connection ends without an answer)."""
    noise = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 400)))
    word = "".join(dice.choice("abcdefghij%./\\<>'\"") for _ in range(dice.randrange(1, 60)))
    good = b'{"jsonrpc":"2.0","id":1,"method":"status"}'
    return dice.choice((
        ("another host", lambda: request("GET", "/status", host=dice.choice(("evil.example", "localhost.evil.example", "a b", "", "1:2:3"))), (400, 421)),
        ("another site", lambda: request("GET", "/status", b"", "Sec-Fetch-Site: cross-site"), (403,)),
        ("no such path", lambda: request("GET", "/x" + word.replace(" ", ""), b""), (400, 404)),
        ("out of the folder", lambda: request("GET", "/" + "../" * dice.randrange(1, 30) + "etc/passwd"), (400, 404)),
        ("another method", lambda: request(dice.choice(("DELETE", "PUT", "TRACE", "PATCH", "OPTIONS", "BREW")), "/status"), (400, 405)),
        ("a form", lambda: request("POST", "/rpc", good, "Content-Type: text/plain"), (415,)),
        ("no JSON", lambda: request("POST", "/rpc", noise, JSON), (400,)),
        ("deep JSON", lambda: request("POST", "/rpc", b"[" * dice.randrange(100, 90000), JSON), (400,)),
        ("a wrong token", lambda: request("POST", "/rpc", good, JSON, "Authorization: Bearer " + TOKEN[:dice.randrange(len(TOKEN))] + "!"), (401,)),
        ("writing without a token", lambda: request("POST", "/rpc", b'{"jsonrpc":"2.0","id":1,"method":"sync"}', JSON), (403,)),
        ("too long", lambda: request("POST", "/rpc", b" " * (1024 * 1024 + dice.randrange(1, 5000)), JSON), (413, 0)),
        ("a length that lies", lambda: request("POST", "/rpc", b"", JSON).replace(b"Length: 0", b"Length: %s" % dice.choice((b"-1", b"1e9", b"9" * 30, b"x"))), (400, 413, 0)),
        ("two lengths", lambda: request("POST", "/rpc", good, JSON, "Content-Length: 3"), (400, 0)),
        ("long headers", lambda: request("GET", "/status", b"", "X: " + "a" * dice.randrange(40000, 80000)), (413, 414, 431, 0)),
        ("noise", lambda: noise + b"\r\n\r\n", (400, 505, 0)),
        ("an unsigned webhook", lambda: webhook(REPLAYED), (401,)),
        ("a forged webhook", lambda: webhook(REPLAYED, "X-Hub-Signature: sha1=%040x" % dice.getrandbits(160)), (401,)),
        ("a webhook signed for another body", lambda: webhook(REPLAYED + b" ", signed(REPLAYED)), (401,)),
        ("a webhook to nobody", lambda: webhook(REPLAYED, signed(REPLAYED), path="/webhooks/" + dice.choice(("other", "acme/x", "..", "a" * 300))), (401, 404)),
        ("a replayed webhook", lambda: webhook(REPLAYED, signed(REPLAYED)), (200,)),
        ("a signed webhook of noise", lambda: webhook(noise, signed(noise)), (400,)),
        ("a webhook that is too long", lambda: webhook(b"1" * (1024 * 1024 + 9)), (413, 0)),
    ))


def talk(port, data):
    got = b""
    with socket.create_connection(("127.0.0.1", port), 30) as s, contextlib.suppress(OSError):
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    return got


def attack(port, seed, count):
    """Prints each kind with how often it was sent; the first wrong answer ends it."""
    dice, kinds = random.Random(seed), {}
    slow = []
    for _ in range(20):  # who begins and never goes on, all the while
        s = socket.create_connection(("127.0.0.1", port), 30)
        s.sendall(dice.choice((b"GET /sta", b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", b"\r\n")))
        slow.append(s)
    for _ in range(count):
        name, make, right = hostile(dice)
        answer = talk(port, make())
        words = answer.split(b"\r\n")[0].split()
        status = int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0
        assert status in right, (name, status, right, answer[:300])
        for leak in (SECRET.encode(), TOKEN.encode(), b"root:"):
            assert leak not in answer, (name, answer[:300])
        kinds[name] = kinds.get(name, 0) + 1
    print(json.dumps(kinds))


def attack_mcp(socket_path, seed, count):
    """The same by way of an agent's tools: each line is answered, with an error or with what it asks for."""
    dice, kinds = random.Random(seed), {}
    server = subprocess.Popen([program("ficq"), "--socket", socket_path, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: F405
    for i in range(count):
        words = dice.choice(("\u0000", "%s%n", "a" * 5000, '"(((((', "<script>", "\u202e", "-" * 300, "../../etc/passwd", "", "\x1b[2J"))
        name = dice.choice(("search_conversations", "get_conversation", "query_records", "count_records", "sync_now", "no_such_tool", words))
        arguments = {dice.choice(("query", "id", "resource", "where", "cursor", "limit")): dice.choice((words, -1, None, [], {"a": words}))}
        call = {"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        line = json.dumps(call).encode()
        kind = dice.choice(("a call", "a call", "cut", "deep", "no object"))
        if kind == "cut":
            line = line[:dice.randrange(1, len(line))]
        elif kind == "deep":
            line = b'{"jsonrpc":"2.0","id":1,"method":' + b"[" * dice.randrange(100, 50000)
        elif kind == "no object":
            line = dice.choice((b"null", b"-", b'"' * 3000, b"[1]", b"\x00" * 9))
        server.stdin.write(line + b"\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        assert ("result" in answer) != ("error" in answer), answer
        assert kind == "a call" or "error" in answer, (kind, line[:80], answer)
        assert "root:" not in json.dumps(answer)
        kinds[kind] = kinds.get(kind, 0) + 1
    server.stdin.close()
    assert server.wait(20) == 0
    print(json.dumps(kinds))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def ask(client, ids, goes_on):
    took = []
    while goes_on(len(took)):
        begin = time.perf_counter_ns()
        client.call("get", resource="conversations", id=ids[(len(took) * 7919) % len(ids)], fields=["id", "state"])
        took.append((time.perf_counter_ns() - begin) / 1000)
        time.sleep(0.0005)
    return took


def is_socket(pid, fd):
    with contextlib.suppress(OSError):
        return os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")
    return False


def first_at_the_cpu(pid):
    """The daemon and this client before all others, the attackers among them: who else is at work here is not what is measured."""
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(10))
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(20))
    except OSError:
        return False
    return True


def main():
    report = Report("each gets the status that it deserves", "p99 of get on the socket at most doubles", "nothing is left of it")  # noqa: F405
    with workplace() as (folder, started):  # noqa: F405
        sim = Sim(folder, "--seed", 5, "--conversations", 300, "--contacts", 100, "--rate", 0)  # noqa: F405
        started.append(sim)
        with open(os.path.join(folder, "secret"), "w") as f:
            f.write(SECRET + "\n")
        os.chmod(f.name, 0o600)
        daemon, web = start(folder, sim, "127.0.0.1:0", source_options="webhook_secret = file:%s\n" % f.name)
        started.append(daemon)
        daemon.wait_settled()
        client = daemon.client()
        ids = [row["id"] for row in client.rows("conversations", fields=["id"])]
        opened = lambda: len([fd for fd in os.listdir("/proc/%d/fd" % daemon.process.pid) if is_socket(daemon.process.pid, fd)])  # noqa: E731
        first = opened()
        gc.disable()
        alone = first_at_the_cpu(daemon.process.pid)
        idle, busy, kinds = [], [], {}
        for turn in range(8):
            idle += ask(client, ids, lambda n: n < 350)
            target = ["attack", str(web.address)] if turn % 2 else ["attack_mcp", daemon.socket_path]
            attacker = subprocess.Popen([sys.executable, os.path.abspath(__file__), *target, str(turn), str(COUNT // 4)],
                                        stdout=subprocess.PIPE, text=True)
            busy += ask(client, ids, lambda n: n % 20 or attacker.poll() is None)
            out = attacker.communicate()[0]
            assert attacker.returncode == 0, "an attack got a wrong answer"
            for name, n in json.loads(out).items():
                kinds[name] = kinds.get(name, 0) + n
        report.ok("each gets the status that it deserves", "%d requests and lines of %d kinds, and 80 that never go on" % (sum(kinds.values()), len(kinds)))
        before, beside = percentile(idle, 0.99), percentile(busy, 0.99)
        note = "idle %.0f us, beside them %.0f us (p50 %.0f and %.0f; %d and %d questions)%s" % (
            before, beside, percentile(idle, 0.5), percentile(busy, 0.5), len(idle), len(busy),
            "" if alone else "; not judged: what waits for a CPU here is not told from what the daemon does")
        assert len(busy) >= 300, note
        assert not alone or SANITIZED or beside <= 2 * before + 100, note  # noqa: F405
        report.ok("p99 of get on the socket at most doubles", note)
        for secret in (SECRET, TOKEN):
            assert secret not in daemon.log_text()
        runs = [r for r in daemon.call("runs", limit=1000)["runs"] if r["kind"] == "one"]
        assert len(runs) <= 1, "%d runs for one replayed webhook" % len(runs)
        wait_until("what never went on is cut off", lambda: opened() <= first + 1, 60, 0.2)  # noqa: F405
        assert daemon.call("status")["sources"][0]["state"] in ("ok", "syncing")
        report.ok("nothing is left of it", "%d sockets before and after" % first)
        daemon.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["attack"]:
        attack(*map(int, sys.argv[2:5]))
    elif sys.argv[1:2] == ["attack_mcp"]:
        attack_mcp(sys.argv[2], *map(int, sys.argv[3:5]))
    else:
        main()
