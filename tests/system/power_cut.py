#!/usr/bin/env python3
"""The power goes on a real file system: ext4 in an image, shut down without its journal being flushed (the way xfstests does it), mounted again. What the
daemon had said is held is there, and a record that it claims is there; in the end the cache is the truth. Needs root and loop devices."""
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403

CUTS = 10
EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = 2


def skip(why):
    print(why)
    sys.exit(77)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60, text=True)


class Disk:
    """An ext4 file system in an image, whose power can be cut."""

    def __init__(self, folder):
        self.image = os.path.join(folder, "image")
        self.path = os.path.join(folder, "disk")
        self.mounted = False
        os.mkdir(self.path)
        with open(self.image, "wb") as f:
            f.truncate(96 << 20)

    def format(self):
        return run("mkfs.ext4", "-q", "-F", self.image)

    def mount(self):
        made = run("mount", "-o", "loop", self.image, self.path)
        self.mounted = made.returncode == 0
        return made

    def cut(self):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(fd)

    def unmount(self):
        # The daemon's helper, which does its fsyncs, ends a moment after it.
        if self.mounted:
            wait_until("the disk is unmounted", lambda: run("umount", self.path).returncode == 0, 20)  # noqa: F405
            self.mounted = False


if os.geteuid() != 0:
    skip("only root can mount an image")
if not shutil.which("mkfs.ext4") or not shutil.which("mount"):
    skip("there is no mkfs.ext4 or mount")

with workplace() as (folder, started):  # noqa: F405
    disk = Disk(folder)
    try:
        made = disk.format()
        if made.returncode == 0:
            made = disk.mount()
        if made.returncode != 0:
            skip("cannot mount an image: " + made.stdout.strip().replace("\n", " "))
        try:
            disk.cut()
        except OSError as error:
            skip("this kernel cannot shut a file system down: %s" % error)
        disk.unmount()
        disk.format()
        disk.mount()
        report = Report("the power went %d times during the first sync" % CUTS,  # noqa: F405
                        "what was said to be held is there each time", "what is claimed is there each time",
                        "in the end the cache is the truth, and sound")
        rng = random.Random(int(os.environ.get("POWER_CUT_SEED", "7")))
        sim = Sim(folder, "--seed", 5, "--contacts", 700, "--companies", 80, "--conversations", 900, "--rate", 0, "--latency-ms", 1)  # noqa: F405
        started.append(sim)
        daemon = Daemon(folder, sim, start=False)  # noqa: F405
        started.append(daemon)
        with open(daemon.config_path) as f:
            text = f.read()
        with open(daemon.config_path, "w") as f:
            f.write(text.replace(folder + "/state", disk.path + "/state").replace("[ficd]", "[ficd]\ndisk_reserve = 1M"))
        lost, overclaims, quarantined = [], [], 0

        def spans(client, resource):
            cover = client.call("coverage", resource=resource)["resources"][0]
            return [((i["start"] or ""), (i["end"] or "9999")) for i in cover["intervals"]]

        def look():
            """All that is durable, as the daemon says: an answer shows only what was committed."""
            client = daemon.client()
            try:
                return {resource: (spans(client, resource), {row["id"] for row in client.rows(resource, fields=["id"])})
                        for resource in ("conversations", "contacts")}
            finally:
                client.close()

        for cut in range(CUTS):
            sim.restarted()
            daemon.start()
            end = time.monotonic() + rng.uniform(0.05, 0.5)
            seen = look()
            while time.monotonic() < end:
                seen = look()
            disk.cut()
            daemon.kill()
            disk.unmount()
            assert disk.mount().returncode == 0
            sim.faults({"kind": "status", "status": 503, "route": "/"})
            sim.restarted()
            daemon.start()
            found = look()
            quarantined += daemon.call("status")["store"]["quarantined"]
            for resource, (held, ids) in seen.items():
                lost += [(cut, resource, key) for key in ids - found[resource][1]][:3]
                lost += [(cut, resource, span) for span in held
                         if not any(a <= span[0] and span[1] <= b for a, b in found[resource][0])]
            for key, (_, doc) in sim.truth("conversations").items():
                created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(doc["created_at"]))
                if key not in found["conversations"][1] and any(a <= created < b for a, b in found["conversations"][0]):
                    overclaims.append((cut, key))
            daemon.kill()
            sim.no_faults()
        report.ok("the power went %d times during the first sync" % CUTS)
        assert not lost and quarantined == 0, (lost[:5], quarantined)
        report.ok("what was said to be held is there each time")
        assert not overclaims, overclaims[:5]
        report.ok("what is claimed is there each time")
        sim.restarted()
        daemon.start()
        daemon.wait_settled()
        note = "%d records" % compare(daemon, sim)  # noqa: F405
        # Of the audit trail, which nobody waits for, the end may be torn.
        damaged = daemon.call("verify")["damaged"]
        assert all(one["file"].startswith("runs/") for one in damaged), damaged
        daemon.stop()
        report.ok("in the end the cache is the truth, and sound", note)
        sim.stop()
    finally:
        for thing in started:
            if thing.process and thing.process.poll() is None:
                thing.process.kill()
                thing.process.wait()
        disk.unmount()
