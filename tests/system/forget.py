#!/usr/bin/env python3
"""What is forgotten is in no file any more, whatever is unpacked to look for it; no sync brings it back; what is left stays as it was, and is claimed to be whole."""
# run-tests: beside others
import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
import bytesearch  # noqa: E402
from webclient import Web  # noqa: E402

report = Report("a dry run says what would go, and changes nothing",  # noqa: F405
                "without a yes nothing is forgotten; on a terminal it asks",
                "a contact is forgotten, and its bytes are nowhere", "it is said to be gone, and no sync brings it back",
                "everything else is there, and is claimed", "killed in the middle, the next process finishes it",
                "a conversation is forgotten by itself", "of an answer that was kept nothing is in memory, though who forgot it went away",
                "what is redacted or deleted upstream leaves the disk, too", "what is refused, and how")

RESOURCES = ["contacts", "conversations", "messages"]


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE,  # noqa: F405
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, text=True)


def on_terminal(daemon, answer, *args):
    """ficq on a terminal, with somebody who answers; the exit code and what was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(program("ficq"), ["ficq", "-S", daemon.socket_path, *args])  # noqa: F405
    shown, answered, until = b"", False, time.monotonic() + 60
    while time.monotonic() < until and select.select([fd], [], [], 60)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        if not answered and b"[y/N]" in shown:
            os.write(fd, answer)
            answered = True
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


def has_terminals():
    try:
        for end in pty.openpty():
            os.close(end)
        return True
    except OSError:
        return False


def agent_tools(daemon):
    """What an agent may call."""
    asked = [{"jsonrpc": "2.0", "id": 1, "method": "initialize",
              "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}},
             {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]
    ran = subprocess.run([program("ficq"), "-S", daemon.socket_path, "mcp"], timeout=60, text=True, capture_output=True,  # noqa: F405
                         input="".join(json.dumps(one) + "\n" for one in asked))
    return json.loads(ran.stdout.strip().splitlines()[-1])["result"]["tools"]


def held(daemon):
    client = daemon.client()
    rows = {r: {row["id"]: row for row in client.rows(r, doc=True)} for r in RESOURCES}
    client.close()
    return rows


def under(rows, contact):
    """What goes with a contact: [(resource, id)]."""
    threads = [i for i, row in rows["conversations"].items()
               if any(c["id"] == contact for c in row["doc"]["contacts"]["contacts"])]
    return [("contacts", contact)] + [("conversations", i) for i in threads] + \
        [("messages", i) for i, row in rows["messages"].items() if row["parent"] in threads]


def search(folder, texts):
    return bytesearch.find(os.path.join(folder, "state"), texts)


def pick(rows, than):
    """A contact with threads of its own."""
    best = [c for c in rows["contacts"] if c not in than and
            any(r == "conversations" for r, _ in under(rows, c))]
    return sorted(best)[0]


def in_memory(daemon, pattern):
    """How often it is in the daemon's memory."""
    count = 0
    with open("/proc/%d/maps" % daemon.process.pid) as maps, open("/proc/%d/mem" % daemon.process.pid, "rb", 0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            start, end = (int(part, 16) for part in where.split("-"))
            with contextlib.suppress(OSError):  # what was given back meanwhile
                memory.seek(start)
                count += len(re.findall(pattern, memory.read(end - start), re.DOTALL))
    return count


def ask_for(client, thread, mark, times):
    for _ in range(times):
        client.call("query", resource="conversations", where="id = %s and id != %s" % (thread, mark), fields=["id"], limit=5)


def forget_and_go(daemon, client, thread):
    """Whether the asker had gone before it was over. What was asked twice about it is kept."""
    mark = "kept-about-%s" % thread
    # What is kept stands behind the name of its source, and so does the key of a question that passes through.
    kept = b"acme.{0,200}" + mark.encode()
    ask_for(client, thread, mark, 3)
    assert in_memory(daemon, kept), "it is not in memory at all"
    over = daemon.log_text().count("gone from the disk")
    asker = daemon.client()
    asker.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "forget", "params": {"resource": "conversations", "id": thread}}).encode() + b"\n")
    wait_until("it is erased for readers", lambda: "absence" in client.call("get", resource="conversations", id=thread), 30, 0.0001)  # noqa: F405
    asker.close()
    client.call("hello")  # it comes behind the end of the other one
    in_time = daemon.log_text().count("gone from the disk") == over
    wait_until("what was begun goes on", lambda: daemon.log_text().count("gone from the disk") > over, 60)  # noqa: F405

    def only_scratch():
        """Others' questions take its place where it has passed through."""
        ask_for(client, thread, "x" * len(mark), 5)
        return not in_memory(daemon, kept)
    wait_until("nothing of the question is left", only_scratch, 30)  # noqa: F405
    return in_time


def claims(daemon):
    return {r: daemon.call("freshness", resource=r)["freshness"]["complete"] for r in RESOURCES}


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 21, "--contacts", 60, "--companies", 10, "--conversations", 220, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    started.append(daemon)
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[ficd]\n", "[ficd]\nhttp = %s/http.sock\n" % folder))
    daemon.start()
    daemon.wait_settled()
    for seed in (1, 2):
        sim.mutate(60, seed)
        daemon.sync()
    claimed = claims(daemon)  # not all is complete: a thread is longer than the provider shows
    rows = held(daemon)
    contact = pick(rows, [])
    going = under(rows, contact)
    texts = bytesearch.own_texts(rows, going)
    before, streams = search(folder, texts)
    assert len(texts) > 10 and len(before) == len(texts) and streams > 500, (len(texts), len(before), streams)

    dry = json.loads(ficq(daemon, "forget", "contacts", contact, "--dry-run", "--json").stdout)
    counts = {row["resource"]: row["records"] for row in dry["erased"]}
    for resource in RESOURCES:
        assert counts[resource] == sum(r == resource for r, _ in going), (resource, counts, going)
    assert dry["dry_run"] and dry["files"] > 0 and held(daemon) == rows
    report.ok("a dry run says what would go, and changes nothing", str(counts))

    ran = ficq(daemon, "forget", "contacts", contact)
    assert ran.returncode == 64 and "--yes" in ran.stderr, ran
    if has_terminals():
        code, shown = on_terminal(daemon, b"n\n", "forget", "contacts", contact)
        assert code == 1 and "would be erased" in shown and "nothing was forgotten" in shown, (code, shown)
    assert held(daemon) == rows
    report.ok("without a yes nothing is forgotten; on a terminal it asks", "" if has_terminals() else "this machine has no terminals to ask on")

    sim.faults({"route": "/contacts/" + contact, "kind": "status", "status": 503})
    daemon.call("edit", resource="contacts", id=contact, set={"name": "Zanzibar Underhill"})  # it waits for the provider
    written = b"Zanzibar Underhill"
    assert any("outbox" in path for path in search(folder, [written])[0][written]), search(folder, [written])
    if has_terminals():
        code, shown = on_terminal(daemon, b"yes\n", "forget", "contacts", contact)
    else:
        ran = ficq(daemon, "forget", "contacts", contact, "--yes")
        code, shown = ran.returncode, ran.stdout + ran.stderr
    assert code == 0 and "no sync brings it back" in shown, (code, shown)
    found, streams = search(folder, texts + [written])
    assert not found and streams > 400, (dict(list(found.items())[:5]), streams)
    assert daemon.call("edits")["edits"] == []
    sim.no_faults()
    report.ok("a contact is forgotten, and its bytes are nowhere", "%d texts, %d streams" % (len(texts), streams))

    answer = daemon.call("get", resource="contacts", id=contact)
    assert answer["absence"]["reason"] == "deleted" and answer["absence"]["detail"] == "forgotten", answer
    thread = next(i for r, i in going if r == "conversations")
    daemon.sync("full")
    daemon.sync("verify")
    sim.mutate(60, 3)
    daemon.sync()
    daemon.call("sync", resource="contacts", ids=[contact], wait=True)
    daemon.call("sync", resource="conversations", ids=[thread], wait=True)
    for resource, i in going:
        live = {"live": True} if resource != "messages" else {}
        assert daemon.call("get", resource=resource, id=i, **live)["absence"]["detail"] == "forgotten", (resource, i)
    found = bytesearch.strays(os.path.join(folder, "state"), texts, held(daemon))
    assert not found, found
    report.ok("it is said to be gone, and no sync brings it back")

    client = daemon.client()
    now = held(daemon)
    for resource in RESOURCES:
        truth = sim.truth(resource)
        away = {i for r, i in going if r == resource}
        extra = {i for i in truth if i not in now[resource]} - away
        # New threads of somebody who is forgotten stay away as well.
        for i in extra:
            thread = truth[i][0] if resource == "messages" else i
            thread_doc = sim.truth("conversations").get(thread)
            assert resource != "contacts" and any(c["id"] == contact for c in thread_doc[1]["contacts"]["contacts"]), (resource, i)
        more = {i for i in now[resource] if i not in truth and
                not (resource == "messages" and outgrown(client, "conversations", (now[resource][i]["parent"], now[resource][i]["doc"]), truth))}  # noqa: F405
        assert not more and not set(now[resource]) & away, (resource, more, set(now[resource]) & away)
    client.close()
    daemon.wait_settled(30)
    assert claims(daemon) == claimed and claimed["contacts"], (claims(daemon), claimed)
    report.ok("everything else is there, and is claimed")

    rows = held(daemon)
    second = pick(rows, [contact])
    going = under(rows, second)
    texts = bytesearch.own_texts(rows, going)
    assert len(search(folder, texts)[0]) == len(texts) > 5
    client = daemon.client()
    client.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "forget",
                            "params": {"resource": "contacts", "id": second}}).encode() + b"\n")
    erased = wait_until("it is erased for readers",  # noqa: F405
                        lambda: "absence" in daemon.call("get", resource="contacts", id=second), 30, 0.001)
    daemon.kill()
    client.close()
    daemon.start()
    wait_until("the next process finishes it", lambda: not search(folder, texts)[0], 60, 0.1)  # noqa: F405
    assert daemon.call("get", resource="contacts", id=second)["absence"]["detail"] == "forgotten"
    report.ok("killed in the middle, the next process finishes it")

    rows = held(daemon)
    thread = sorted(rows["conversations"])[len(rows["conversations"]) // 2]
    going = [("conversations", thread)] + [("messages", i) for i, row in rows["messages"].items() if row["parent"] == thread]
    texts = bytesearch.own_texts(rows, going)
    people = len(rows["contacts"])
    ran = ficq(daemon, "forget", "conversations", thread, "--yes", "--json")
    assert ran.returncode == 0 and {row["resource"]: row["records"] for row in json.loads(ran.stdout)["erased"]} == \
        {"conversations": 1, "messages": len(going) - 1}, ran
    found, _ = search(folder, texts)
    assert not found and len(held(daemon)["contacts"]) == people, found
    assert "absence" in daemon.call("thread", id=thread)
    report.ok("a conversation is forgotten by itself")

    name = "of an answer that was kept nothing is in memory, though who forgot it went away"
    if SANITIZED:  # noqa: F405
        report.skip(name, "sanitizers hold back memory that was freed")
    elif not os.access("/proc/%d/mem" % daemon.process.pid, os.R_OK):
        report.skip(name, "another process's memory cannot be read here")
    else:
        client = daemon.client()
        threads = sorted(held(daemon)["conversations"])
        assert any(forget_and_go(daemon, client, thread) for thread in threads[:5]), "each was over before its asker had gone"
        client.close()
        report.ok(name)

    rows = held(daemon)
    sim.mutate(6, 5, kinds=["redact"])
    sim.mutate(3, 6, kinds=["delete_conversation"])
    daemon.sync()
    now = held(daemon)
    changed = [(r, i) for r in RESOURCES for i, row in rows[r].items() if row["doc"] != now[r].get(i, {}).get("doc")]
    kept = json.dumps([row for r in RESOURCES for row in now[r].values()], ensure_ascii=False)
    texts = [t for t in bytesearch.own_texts(rows, changed) if t.decode() not in kept and json.dumps(t.decode(), ensure_ascii=False)[1:-1] not in kept]
    texts = [t for t in texts if not t.split(b":")[-1].isdigit()]  # of what is deleted the id stays, as a tombstone
    redacted = sum(r == "messages" and i in now[r] for r, i in changed)
    deleted = sum(i not in now[r] for r, i in changed)
    assert len(texts) > 10 and redacted > 2 and deleted > 2, (len(texts), redacted, deleted)
    daemon.call("prune")  # what is done every quarter of an hour
    wait_until("it has left the disk",  # noqa: F405
               lambda: daemon.call("status")["sources"][0]["erasing"] is None and not search(folder, texts)[0], 60, 0.1)
    assert held(daemon) == now
    report.ok("what is redacted or deleted upstream leaves the disk, too", "%d texts" % len(texts))

    for params, words in (({"resource": "messages", "id": "1"}, "conversations"), ({"resource": "conversations", "id": ""}, "id"),
                          ({"resource": "nothing", "id": "1"}, "nothing")):
        try:
            daemon.call("forget", **params)
            raise AssertionError(params)
        except RpcError as error:  # noqa: F405
            assert words in str(error), (params, error)
    status, answer = Web(os.path.join(folder, "http.sock")).rpc("forget", resource="conversations", id=sorted(held(daemon)["conversations"])[0])
    assert status == 403 and answer["error"]["code"] == 5 and "allow_write" in answer["error"]["data"]["hint"], answer
    names = {tool["name"] for tool in agent_tools(daemon)}
    assert len(names) > 5 and not any("forget" in name or "erase" in name for name in names), names
    report.ok("what is refused, and how")
    daemon.stop()
