"""What a command costs, and what many measurements of it say."""

import glob
import os
import statistics
import subprocess
import threading
import time


class Cost:
    """Of one command: seconds, KiB, and how many nodes answered."""

    def __init__(self, line, output, answered):
        wall, user, system, rss, status = line.split()
        self.wall, self.cpu = float(wall), float(user) + float(system)
        self.rss_kib, self.status = int(rss), int(status)
        self.output, self.answered = output, answered


def measure(cost_program, command, folder, env, count, limit_s=600):
    """Runs it once.  None when it did not end within the limit."""
    line, out = os.path.join(folder, "cost"), os.path.join(folder, "out")
    with open(out, "wb") as stdout, open(out + ".err", "wb") as stderr:
        try:
            subprocess.run([cost_program, line] + command, stdin=subprocess.DEVNULL,
                           stdout=stdout, stderr=stderr, env=env, check=False,
                           timeout=limit_s, cwd=folder)
        except subprocess.TimeoutExpired:
            return None
    with open(out, "rb") as stdout, open(line, encoding="utf-8") as text:
        output = stdout.read()
        return Cost(text.read(), output, count(output))


def median(values):
    return statistics.median(values) if values else None


def children(pid):
    """Also of its threads: pdsh starts its ssh from those."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path, encoding="utf-8") as text:
                found += [int(p) for p in text.read().split()]
        except OSError:
            pass
    return found


def resident_kib(pid):
    """Of a process and its descendants; memory that several share counts once (Pss)."""
    total = 0
    try:
        with open("/proc/%d/smaps_rollup" % pid, encoding="utf-8") as text:
            total = sum(int(l.split()[1]) for l in text if l.startswith("Pss:"))
    except OSError:
        pass
    return total + sum(resident_kib(child) for child in children(pid))


def peak_kib(command, folder, env, limit_s=600):
    """The most memory that a command and its descendants held at once: looked at ten
    times a second, so it is a run of its own."""
    with open(os.devnull, "r+b") as null:
        process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=env,
                                   cwd=folder)
    peak, ended = 0, threading.Timer(limit_s, process.kill)
    ended.start()
    while process.poll() is None:
        peak = max(peak, resident_kib(process.pid))
        time.sleep(0.1)
    ended.cancel()
    return peak
