#!/usr/bin/env python3
"""ficd under a service manager: what it is told and gives, and reading the configuration again while it runs."""
# run-tests: beside others
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

report = Report(  # noqa: F405
    "ready, status, watchdog, stopping",
    "a socket that was opened for it, and survives it",
    "reload: what is wrong is said, and nothing changes",
    "reload: what it may change is in force, nobody is cut off",
    "SIGHUP does the same",
    "what waits for a restart, other sources",
    "--once")


class Manager:
    """Receives what sd_notify(3) sends."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        self.said = []

    def until(self, word):
        """The next message that begins so."""
        while True:
            for i, text in enumerate(self.said):
                if text.startswith(word):
                    del self.said[:i + 1]
                    return text
            self.said.append(self.socket.recv(4096).decode())


def told(folder, sim):
    manager = Manager(folder)
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    daemon.start(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="200000")
    manager.until("READY=1")
    status = manager.until("STATUS=")
    assert status.startswith("STATUS=acme "), status
    start = time.monotonic()
    for _ in range(5):
        manager.until("WATCHDOG=1")
    assert 0.2 < time.monotonic() - start < 10
    # A loop that stands still does not feed the watchdog.
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)  # what was on its way
    manager.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            manager.socket.recv(4096)
    manager.socket.settimeout(0.6)
    try:
        assert not manager.socket.recv(4096), "it was fed while it stood still"
    except socket.timeout:
        pass
    manager.socket.settimeout(20)
    daemon.process.send_signal(signal.SIGCONT)
    daemon.call("reload")
    manager.until("RELOADING=1\nMONOTONIC_USEC=")
    manager.until("READY=1")
    daemon.process.send_signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    assert daemon.process.wait(30) == 0
    manager.socket.close()


def passed(folder, sim):
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    with contextlib.suppress(FileNotFoundError):
        os.unlink(daemon.socket_path)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(daemon.socket_path)
    listening.listen(16)
    for names in ("control", "", "http:control"):
        count = len(names.split(":"))
        fds = [os.dup(listening.fileno()) for _ in range(count)]
        script = "LISTEN_PID=$$ exec \"$0\" --config \"$1\""
        pass_to = {3 + i: fd for i, fd in enumerate(fds)}

        def place(pass_to=pass_to):
            kept = {to: os.dup2(fd, 50 + to) for to, fd in pass_to.items()}
            for to, fd in kept.items():
                os.dup2(fd, to)

        log = open(daemon.log_path, "ab")
        environment = dict(os.environ, LISTEN_FDS=str(count), **({"LISTEN_FDNAMES": names} if names else {}))
        daemon.process = subprocess.Popen(["sh", "-c", script, program("ficd"), daemon.config_path], stdout=log, stderr=log,  # noqa: F405
                                          stdin=subprocess.DEVNULL, env=environment, preexec_fn=place,
                                          pass_fds=[3 + i for i in range(count)])
        log.close()
        for fd in fds:
            os.close(fd)
        client = daemon.client(30)  # asked before it is ready: the socket waits
        assert client.call("hello")["name"] == "ficd"
        client.close()
        daemon.stop()
        assert os.path.exists(daemon.socket_path), "the socket of somebody else was removed"
    early = socket.socket(socket.AF_UNIX)
    early.connect(daemon.socket_path)  # nobody is there, and nobody is refused
    early.close()
    listening.close()
    os.unlink(daemon.socket_path)


def rewrite(daemon, old, new):
    with open(daemon.config_path) as f:
        text = f.read()
    assert old in text, (old, text)
    with open(daemon.config_path, "w") as f:
        f.write(text.replace(old, new, 1))


def ficq(daemon, *words):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True)  # noqa: F405


def reloads(folder, sim):
    """In a folder of its own: nothing of the longer history may be held."""
    folder = os.path.join(folder, "reload")
    os.mkdir(folder)
    daemon = Daemon(folder, sim, source_options="history = 30d\nmax_staleness = 1h\n")  # noqa: F405
    try:
        daemon.wait_settled()
        before = daemon.call("config")
        assert before["path"] == daemon.config_path and "max_staleness" in before["text"]
        assert "sim-token" not in before["text"]
        rewrite(daemon, "max_staleness = 1h", "max_stalenes = 5m")
        wrong = ficq(daemon, "reload")
        assert wrong.returncode != 0 and "max_stalenes" in wrong.stderr and "max_staleness" in wrong.stderr, wrong
        assert daemon.call("config") == before
        report.ok("reload: what is wrong is said, and nothing changes")

        client = daemon.client()
        held = client.call("query", resource="conversations", limit=1)
        rewrite(daemon, "max_stalenes = 5m\n", "max_staleness = 10s\nbudget = 55%\n")
        rewrite(daemon, "history = 30d", "history = 400d")
        with open(daemon.config_path, "a") as f:
            f.write("\n[resource acme/tags]\nevery = 10s\n")
        done = ficq(daemon, "reload")
        assert done.returncode == 0 and "in force" in done.stdout, done
        text = daemon.call("config")["text"]
        assert "max_staleness = 10s" in text and "budget = 55%" in text and "every = 10s" in text, text
        runs = wait_until("the longer history is read", lambda: [  # noqa: F405
            r for r in daemon.call("runs", limit=1000)["runs"] if r["kind"] == "backfill" and r["outcome"] == "ok"
            and r["started"] > held["freshness"]["last_sync"]], 60)
        assert runs
        assert client.call("query", resource="conversations", limit=1)["rows"]
        tags = next(r for r in daemon.call("status")["sources"][0]["resources"] if r["name"] == "tags")
        assert tags["every_s"] == 10, tags
        client.close()
        report.ok("reload: what it may change is in force, nobody is cut off")

        rewrite(daemon, "budget = 55%", "budget = 60%")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until("it was read again", lambda: "budget = 60%" in daemon.call("config")["text"])  # noqa: F405
        report.ok("SIGHUP does the same")

        rewrite(daemon, "[ficd]\n", "[ficd]\nmemory = 20M\n")
        waits = ficq(daemon, "reload", "--json")
        assert json.loads(waits.stdout)["restart_needed"] == "[ficd] memory", waits
        rewrite(daemon, "[source acme]", "[source acne]")
        rewrite(daemon, "[resource acme/tags]", "[resource acne/tags]")
        other = ficq(daemon, "reload")
        assert other.returncode != 0 and "source acme is gone" in other.stderr and "restart" in other.stderr, other
        assert daemon.call("query", resource="conversations", limit=1)["rows"]
        report.ok("what waits for a restart, other sources")
    finally:
        if daemon.process.poll() is None:
            daemon.stop()


def once(folder, sim):
    daemon = Daemon(folder, sim, start=False)  # noqa: F405
    done = subprocess.run([program("ficd"), "--config", daemon.config_path, "--once"], capture_output=True, timeout=120)  # noqa: F405
    assert done.returncode == 0, done


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 3, "--conversations", 60, "--contacts", 30, "--rate", 0)  # noqa: F405
    started.append(sim)
    told(folder, sim)
    report.ok("ready, status, watchdog, stopping")
    passed(folder, sim)
    report.ok("a socket that was opened for it, and survives it")
    reloads(folder, sim)
    once(folder, sim)
    report.ok("--once")
    sim.stop()
