"""Runs a server, and ends it with all that it started when whoever asked for it is gone: python guard.py WORD...

Standard input is a pipe that `driftline serve` holds: when it closes, for whatever reason, the server is ended. Needs
nothing but Python, and outlives signals to the terminal's processes, since it is in a session of its own.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 15.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(words):
    """Run `words`; returns the exit status that they end with."""
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    linux = sys.platform == "linux"
    if linux:  # what the server leaves behind becomes ours, and can be found
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=(lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)) if linux else None,
    )
    while server.poll() is None and not stopping:
        if select.select([sys.stdin], [], [], 0.2)[0] and not os.read(sys.stdin.fileno(), 1024):
            break
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    _kill_rest(server)
    return server.wait()


def _kill_rest(server):
    """Whatever is left of the server and of what it started."""
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except OSError:
        pass
    for _ in range(50):
        left = _children(os.getpid()) - {server.pid}
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                pass
        time.sleep(0.02)


def _children(parent):
    """Processes whose parent is `parent`; none where there is no /proc."""
    found = set()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.add(int(name))
    return found


def _prctl(option, value):
    try:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
    except (AttributeError, OSError):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
