#!/usr/bin/env python3
"""Everything on disk is checked, online and offline: damage is found, said, set aside and fetched again; nothing else changes."""
import glob
import hashlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report("a sound store is verified, with progress", "one at a time, and a client may leave",  # noqa: F405
                "damage is set aside, said, and fetched again", "a question that meets damage is answered at once",
                "ficq verify says it in words and exits with 1", "the offline check waits for nobody",
                "the offline check finds every kind of damage and changes nothing",
                "the loop stayed free, and a stop in the middle of a check is a stop",
                "messages go with a conversation that was lost before it was deleted")


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x10]))


def ficq(daemon, *args):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *args], stdout=subprocess.PIPE,  # noqa: F405
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, text=True)


def check_store(daemon):
    return subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-store"],  # noqa: F405
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)


def digest(folder):
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(root, name)
            found[path] = hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else "folder"
    return found


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 7, "--contacts", 900, "--companies", 150, "--conversations", 700, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    with open(daemon.config_path) as f:
        config = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(config.replace("[ficd]\n", "[ficd]\nmemory = 4M\n", 1))  # so little is held in the journal that there are files of every kind
    started.append(daemon)
    daemon.start()
    daemon.wait_settled()
    state = os.path.join(folder, "state", "acme")
    segments = lambda: sorted(glob.glob(state + "/conversations/*/*.seg"), key=os.path.getsize)  # noqa: E731

    def live():
        """How many of them are of the store now: those that were merged stay for a while."""
        named = subprocess.run([program("segdump"), os.path.join(state, "MANIFEST")], stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: F405
        return len(re.findall("^segment conversations/", named, re.M))

    def used():
        with open("/proc/%d/schedstat" % daemon.process.pid) as f:
            return int(f.read().split()[0])

    held = [used()]

    def rests():
        held.append(used())
        return held[-1] - held[-2] < 1e6

    client = daemon.client()
    notes = []
    result = client.call("verify", notifications=notes)
    named = [path for path in glob.glob(state + "/**/*", recursive=True) if os.path.isfile(path)]
    assert result["damage"] == 0 and result["damaged"] == [], result
    assert 0 < result["files"] <= len(named) and result["bytes"] > 100000, (result, len(named))
    assert result["sources"][0]["settled"] is True
    assert notes
    for n in notes:
        assert n["method"] == "progress" and n["params"]["phase"] == "verify", n
    report.ok("a sound store is verified, with progress", "%d files, %d bytes, %d ms, %d notes" % (
        result["files"], result["bytes"], result["duration_ms"], len(notes)))

    other = daemon.client()
    client.send(b'{"jsonrpc":"2.0","id":77,"method":"verify"}\n{"jsonrpc":"2.0","id":78,"method":"verify"}\n')
    first = client.line()
    while "method" in first:
        first = client.line()
    assert first["id"] == 78 and first["error"]["code"] == 7 and first["error"]["data"]["reason"] == "verifying", first
    client.close()  # in the middle of it

    def verified():
        try:
            return other.call("verify")
        except RpcError as error:  # noqa: F405
            assert error.code == 7, error
            return None

    assert wait_until("another may verify", verified)["damage"] == 0  # noqa: F405
    report.ok("one at a time, and a client may leave")

    wait_until("no file is merged any more", rests, 20, 0.1)  # noqa: F405
    flip(segments()[-1], 4096 + 40)
    result = other.call("verify")
    assert result["damage"] == 1, result
    one = result["damaged"][0]
    assert one["file"].endswith(".seg") and one["resource"] == "conversations" and one["records"] > 0, one
    assert one["action"] == "quarantined" and one["start"] < one["end"], one
    assert result["sources"][0]["settled"] is True and result["sources"][0]["refetch"] is True, result
    assert glob.glob(state + "/conversations/*/*.seg.bad")
    assert daemon.call("status")["store"]["quarantined"] == 1
    daemon.wait_settled()
    compare(daemon, sim)  # noqa: F405
    assert other.call("verify")["damage"] == 0
    report.ok("damage is set aside, said, and fetched again")
    other.close()
    daemon.stop()

    # The last page of a segment is one of its indexes; nothing of it is in the cache of a daemon that was just started, and no sync reads it.
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    victim, alone = segments()[-1], live() == 1
    with open(victim, "rb") as f:
        data_end = int.from_bytes(f.read(32)[24:], "little")
    for page in range((data_end + 4095) // 4096, os.path.getsize(victim) // 4096):
        flip(victim, page * 4096 + 5)
    sim.restarted()
    daemon.start()
    client = daemon.client()
    answer = client.call("query", resource="conversations", limit=1000)
    assert answer["freshness"]["state"] == "partial" and answer["freshness"]["gaps"], answer["freshness"]
    assert len(answer["rows"]) > 0 or alone
    client.close()
    sim.no_faults()
    daemon.stop()
    sim.restarted()
    daemon.start()
    daemon.sync("backfill")
    daemon.wait_settled()
    compare(daemon, sim)  # noqa: F405
    report.ok("a question that meets damage is answered at once")

    ran = ficq(daemon, "verify")
    assert ran.returncode == 0 and "no damage" in ran.stdout, (ran.returncode, ran.stdout, ran.stderr)
    flip(segments()[-1], 4096 + 40)
    ran = ficq(daemon, "verify")
    assert ran.returncode == 1 and "1 damaged" in ran.stdout and "quarantined" in ran.stdout, (ran.stdout, ran.stderr)
    assert "fetched again" in ran.stdout, ran.stdout
    ran = ficq(daemon, "verify", "-o", "csv")
    assert ran.returncode == 0 and len(ran.stdout.splitlines()) <= 1, ran.stdout
    report.ok("ficq verify says it in words and exits with 1")

    ran = check_store(daemon)
    assert ran.returncode == 75 and "stop it first" in ran.stderr and str(daemon.process.pid) in ran.stderr, (ran.returncode, ran.stderr)
    report.ok("the offline check waits for nobody")
    daemon.wait_settled()
    for turn in range(4):
        sim.mutate(5, 3 + turn)
        daemon.sync()
    daemon.kill()  # so that there is a journal, of several transactions
    ran = check_store(daemon)
    assert ran.returncode == 0 and " 0 damaged" in ran.stdout, (ran.returncode, ran.stdout, ran.stderr)
    kinds = {"segment": segments()[-1], "manifest": state + "/MANIFEST", "previous manifest": state + "/MANIFEST.prev",
             "journal": max(glob.glob(state + "/journal/*.log"), key=os.path.getsize),
             "dictionary": glob.glob(state + "/conversations/*.dict")[0], "trail": glob.glob(state + "/runs/*.log")[0]}
    # What no record is concerned by is told apart: an entry of the audit trail, and ends that were never finished.
    harmless = {"trail"}
    for kind, path in kinds.items():
        flip(path, 30 if os.path.getsize(path) < 4096 or kind != "segment" else 4096 + 40)
        before = digest(folder + "/state")
        ran = check_store(daemon)
        assert ran.returncode == (2 if kind in harmless else 1), (kind, ran.returncode, ran.stdout, ran.stderr)
        assert os.path.relpath(path, state) in ran.stdout, (kind, ran.stdout)
        assert digest(folder + "/state") == before, kind
        flip(path, 30 if os.path.getsize(path) < 4096 or kind != "segment" else 4096 + 40)
    for kind, words in (("journal", "the last transaction was never finished"), ("trail", "the last entry was never finished")):
        with open(kinds[kind], "ab") as f:
            f.write(b"\x20\x01\x00\x00half of")
        ran = check_store(daemon)
        assert ran.returncode == 2 and words + ": the next start removes it" in ran.stdout, (kind, ran.returncode, ran.stdout)
    sim.restarted()
    daemon.start()
    daemon.sync()
    daemon.kill()
    ran = check_store(daemon)
    assert ran.returncode == 0 and " 0 damaged" in ran.stdout, (ran.returncode, ran.stdout)
    missing = max(segments(), key=os.path.getsize)
    os.rename(missing, missing + ".away")
    ran = check_store(daemon)
    assert ran.returncode == 1 and "it is missing" in ran.stdout, ran.stdout
    os.rename(missing + ".away", missing)
    ran = check_store(daemon)
    assert ran.returncode == 0, ran.stdout
    report.ok("the offline check finds every kind of damage and changes nothing", "%d kinds" % len(kinds))

    sim.restarted()
    daemon.start()
    client = daemon.client()
    client.call("verify")
    held = client.call("status")["loop"]["held_max_us"]
    assert SANITIZED or held < 50000, held  # noqa: F405
    client.send(b'{"jsonrpc":"2.0","id":1,"method":"verify"}\n')
    daemon.stop()
    client.close()
    report.ok("the loop stayed free, and a stop in the middle of a check is a stop", "held at most %d us" % held)

    for path in segments():
        flip(path, 4096 + 40)
    deleted = sim.mutate(5, 3, kinds=["delete_conversation"])["changes"]
    sim.control("POST", "clock", {"advance_s": 600})
    sim.restarted()
    sim.faults({"kind": "status", "status": 503, "route": "/"})
    daemon.start()
    assert daemon.call("verify")["damage"] > 0
    sim.no_faults()
    daemon.sync()
    daemon.wait_settled()
    compare(daemon, sim)  # noqa: F405
    report.ok("messages go with a conversation that was lost before it was deleted", "%d deleted" % len(deleted))
    daemon.stop()
    sim.stop()
