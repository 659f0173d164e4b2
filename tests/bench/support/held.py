"""State folders of many conversations, made by the program fill and kept for the next run."""
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "system", "support"))
import harness  # noqa: E402

SOURCES = [os.path.join(HERE, name) for name in ("../fill.c", "fill.c", "page.c")]
BASE = os.environ.get("BENCH_DIR", harness.program("bench/held"))


def digest():
    return hashlib.sha256(b"".join(open(path, "rb").read() for path in SOURCES)).hexdigest()


def state(count):
    """A state_dir with so many conversations in the source acme; made anew when what makes them was changed."""
    place = os.path.join(BASE, str(count))
    made = place + ".made"
    if os.path.exists(made) and open(made).read() == digest():
        return place
    print("making %d conversations ..." % count, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place, mode=0o700)
    subprocess.run([harness.program("bench/fill"), os.path.join(place, "acme"), str(count), str(max(30, min(730, count // 137)))],
                   stdout=subprocess.DEVNULL, check=True)
    with open(made, "w") as f:
        f.write(digest())
    return place


def daemon(folder, count):
    """ficd on such a state, not started; its provider cannot be reached."""
    os.symlink(os.path.abspath(state(count)), os.path.join(folder, "state"))
    return harness.Daemon(folder, None, start=False, retry="60s")


def settle(process):
    """Until a daemon has nothing more to do for itself."""
    def busy():
        with open("/proc/%d/schedstat" % process.pid) as f:
            return int(f.read().split()[0])
    held = [float("-inf")]

    def rests():
        held.append(busy())
        return held[-1] - held[-2] < 5e6  # since the look before it, a second ago
    harness.wait_until("the daemon rests", rests, 900, 1)
