"""State folders of many conversations, made by the program fill and kept for the next run."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "system", "support"))
import harness  # noqa: E402

BASE = os.environ.get("BENCH_DIR", harness.program("bench/held"))


def state(count):
    """A state_dir with so many conversations in the source acme; made anew when the program that makes it is newer."""
    place, maker = os.path.join(BASE, str(count)), harness.program("bench/fill")
    done = os.path.join(place, "..", "%d.made" % count)
    if os.path.exists(done) and os.path.getmtime(done) > os.path.getmtime(maker):
        return place
    print("making %d conversations ..." % count, flush=True)
    subprocess.run(["rm", "-rf", place], check=True)
    os.makedirs(place, mode=0o700)
    subprocess.run([maker, os.path.join(place, "acme"), str(count), str(max(30, min(730, count // 137)))], stdout=subprocess.DEVNULL, check=True)
    open(done, "w").close()
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
    held = [busy()]

    def rests():
        held.append(busy())
        return held[-1] - held[-2] < 5e6
    harness.wait_until("the daemon rests", rests, 900, 1)
