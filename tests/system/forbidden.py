#!/usr/bin/env python3
# run-tests: beside others
"""Who has no place in allow_write changes nothing: every writing method is refused, with words that say what to do, on the socket (JSON and MessagePack), over HTTP and through MCP;
reading goes on. Who has one is not refused."""
import contextlib
import http.client
import os
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from mcp import Server, ToolError  # noqa: E402

WRITING = {"sync", "verify", "prune", "dead_retry", "dead_drop", "reload", "live", "edit", "edit_resolve", "forget", "alerts_test"}
READING = {"hello", "status", "resources", "query", "aggregate", "get", "thread", "freshness", "coverage", "changes", "cancel", "runs", "dead", "config", "edits", "alerts"}
TOOLS = {"sync_now": {"resource": "tags"}, "edit_record": {"resource": "contacts", "id": "1", "set": {"name": "x"}}}
STRANGER = 65534

report = Report("each documented method is one that reads or one that writes", "the socket: JSON", "the socket: ficq, which speaks MessagePack", "HTTP without a token, and with a wrong one",  # noqa: F405
                "MCP: what writes is refused, or is not offered", "nothing was asked of the provider, and nothing changed", "who may write is not refused", "a reload gives and takes the right")


def documented():
    """The names of the methods in the manual's list of them."""
    manual = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "man", "ficd-protocol.7")
    with open(manual) as f:
        text = f.read()
    methods = text[text.index(".Sh METHODS"):]
    methods = methods[:methods.index("\n.Sh ", 5)]
    return {word for line in re.findall(r"^\.It Cm (.*)$", methods, re.M) for word in re.findall(r"\b[a-z_]+\b", re.split(r" (?:Ar|Op) ", line)[0]) if word != "Cm"}


@contextlib.contextmanager
def stranger():
    """As a user without rights; who is not root cannot be another one."""
    os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(0)


def code_of(call):
    try:
        call()
        return 0
    except RpcError as e:  # noqa: F405
        if e.code == 5:
            assert e.data["reason"] == "forbidden" and "allow_write" in e.data["hint"] and "may not call" in str(e), (e, e.data)
        return e.code


def post(port, body, token=None):
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
    web.request("POST", "/rpc", json.dumps(body), headers)  # noqa: F405
    answer = web.getresponse()
    data = answer.read()
    web.close()
    return answer.status, data


def allow(daemon, rule):
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(re.sub(r"allow_write = .*", "allow_write = " + rule, text))


methods = documented()
assert len(methods) > 15, methods
assert not methods - WRITING - READING, "neither here nor there: %s" % (methods - WRITING - READING)
writing = sorted(methods & WRITING)
assert {"sync", "verify", "prune", "dead_retry", "dead_drop", "reload", "live"} <= set(writing), writing
report.ok("each documented method is one that reads or one that writes", ", ".join(writing))

with workplace() as (folder, started):  # noqa: F405
    if os.geteuid() != 0:
        for name in report.names[1:]:
            report.skip(name, "root alone can be somebody else")
        sys.exit(0)
    sim = Sim(folder, "--seed", 6, "--contacts", 30, "--companies", 5, "--conversations", 20, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, start=False,  # noqa: F405
                    resource_sections="".join("[resource acme/%s]\nevery = 1d\n" % r for r in ("conversations", "contacts", "companies", "tickets", "tags")))
    started.append(daemon)
    secret = os.path.join(folder, "http-token")
    with open(secret, "w") as f:
        f.write("the-http-token-of-this-test\n")
    os.chmod(secret, 0o600)
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[ficd]\n", "[ficd]\nhttp = 127.0.0.1:0\nhttp_token = file:%s\nallow_write = none\n" % secret, 1))
    daemon.start()
    daemon.wait_settled()
    os.chmod(folder, 0o711)
    os.chmod(daemon.socket_path, 0o666)
    port = int(re.findall(r"127\.0\.0\.1:(\d+)", next(line for line in daemon.log_text().splitlines() if "127.0.0.1:" in line and ":%d" % sim.port not in line))[0])
    before, revision = sim.stats()["calls"], daemon.call("status")["sources"][0]

    with stranger():
        client = daemon.client()
    for method in writing:
        assert code_of(lambda: client.call(method)) == 5, method
        assert code_of(lambda: client.call(method, resource="contacts", id="1", set={"name": "x"}, path="/me")) == 5, method
    for method in sorted(methods & READING - {"changes"}):
        assert code_of(lambda: client.call(method)) != 5, method
    report.ok("the socket: JSON")

    binary = shutil.copy(program("ficq"), folder)  # the tree may be where strangers cannot go
    os.chmod(binary, 0o755)
    for method in writing:
        with stranger():
            ran = subprocess.run([binary, "-S", daemon.socket_path, "rpc", method], stdout=subprocess.PIPE, stderr=subprocess.PIPE,  # noqa: F405
                                 stdin=subprocess.DEVNULL, timeout=60, text=True)
        assert ran.returncode not in (0, 64) and not ran.stdout and "may not call '%s'" % method in ran.stderr and "allow_write" in ran.stderr, (method, ran)
    report.ok("the socket: ficq, which speaks MessagePack")

    for method in writing:
        for token in (None, "wrong", "the-http-token-of-this-tes"):
            status, data = post(port, {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}, token)
            assert status in (401, 403), (method, token, status, data)
            if status == 403:
                assert json.loads(data)["error"]["code"] == 5, data  # noqa: F405
    assert post(port, {"jsonrpc": "2.0", "id": 1, "method": "query", "params": {"resource": "tags"}})[0] == 200
    report.ok("HTTP without a token, and with a wrong one")

    with stranger():
        server = Server(binary, "-S", daemon.socket_path)  # noqa: F405
    offered = {t["name"] for t in server.result("tools/list")["tools"]}
    for tool, arguments in TOOLS.items():
        if tool not in offered:
            continue
        try:
            raise AssertionError((tool, server.tool(tool, **arguments)))
        except ToolError as e:
            assert "allow_write" in str(e), e
    assert "sync_now" in offered, offered
    assert server.tool("count_records", resource="contacts")
    assert server.close()[0] == 0
    report.ok("MCP: what writes is refused, or is not offered", "not offered: %s" % (", ".join(set(TOOLS) - offered) or "none"))

    assert sim.stats()["calls"] == before and not sim.control("GET", "writes")["writes"]
    after = daemon.call("status")["sources"][0]
    assert [r["last_sync"] for r in after["resources"]] == [r["last_sync"] for r in revision["resources"]]
    report.ok("nothing was asked of the provider, and nothing changed")

    own = daemon.client()
    for method in writing:
        assert code_of(lambda: own.call(method)) != 5, method
        assert post(port, {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}, "the-http-token-of-this-test")[0] not in (401, 403), method
    report.ok("who may write is not refused")

    allow(daemon, "uid:%d" % STRANGER)
    own.call("reload")
    assert code_of(lambda: client.call("sync", resource="tags")) == 0, "from the next request on, on the same connection"
    allow(daemon, "none")
    assert code_of(lambda: client.call("reload")) == 0
    assert code_of(lambda: client.call("reload")) == 5
    assert code_of(lambda: client.call("sync", resource="tags")) == 5 and code_of(lambda: client.call("hello")) == 0
    report.ok("a reload gives and takes the right")
    daemon.stop()
    sim.stop()
