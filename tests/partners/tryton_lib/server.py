"""`tryton.py start`: a copy of the template in WORKDIR and a real trytond on it, until somebody ends it."""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from .places import DATABASE, Prepared, Problem, Work, environment, say, write_configuration

STARTS_WITHIN = 60.0  # seconds; 3 are usual
ENDS_WITHIN = 10.0


def start(folder, workdir, port, keep):
    """Serves until SIGTERM or SIGINT; gives the exit code."""
    place, work = Prepared(folder).check(), Work(workdir)
    _need_free(port)
    _lay_out(place, work, port, keep)
    asked_to_end = _listen_for_signals()
    server = _launch(place, work)
    try:
        _wait_until_ready(server, work, port, asked_to_end)
        if not asked_to_end.is_set():
            print(json.dumps(_greeting(work, port, server.pid)), flush=True)
        return _stay(server, work, asked_to_end)
    finally:
        _end(server)


def _need_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Problem(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from None


def _lay_out(place, work, port, keep):
    if keep:
        if not work.database.exists():
            raise Problem(f"--keep, but {work.database} is missing. Start once without --keep.")
    else:
        work.folder.mkdir(parents=True, exist_ok=True)
        for leftover in work.folder.glob(f"{DATABASE}.sqlite*"):  # also the write-ahead log of a killed server
            leftover.unlink()
        shutil.copyfile(place.template, work.database)
        shutil.copyfile(place.facts, work.facts)
        work.log.unlink(missing_ok=True)
    write_configuration(work.configuration, work.folder, port)


def _listen_for_signals():
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked


def _launch(place, work):
    command = [place.python, "-m", "trytond.cli", "-c", work.configuration, "-d", DATABASE]
    with open(work.log, "ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
            start_new_session=True, preexec_fn=_die_with_parent,
        )


def _die_with_parent():
    """If this harness is killed, the kernel ends the server too: no test leaves one behind."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_ready(server, work, port, asked_to_end):
    until = time.monotonic() + STARTS_WITHIN
    while not asked_to_end.is_set() and not _answers(port):
        if server.poll() is not None:
            raise Problem(f"trytond ended with {server.returncode} while starting. Its words:\n{_last_words(work)}")
        if time.monotonic() > until:
            raise Problem(f"trytond did not answer within {STARTS_WITHIN:.0f} s. See {work.log}")
        time.sleep(0.05)


def _answers(port):
    body = json.dumps({"id": 0, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/rpc/", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _greeting(work, port, pid):
    url = f"http://127.0.0.1:{port}"
    return {
        "url": url,
        "key": work.read_facts()["key"],
        "pid": pid,
        "rest": f"{url}/{DATABASE}/rest",
        "rpc": f"{url}/{DATABASE}/rpc/",
        "facts": str(work.facts),
    }


def _stay(server, work, asked_to_end):
    while not asked_to_end.wait(0.1):
        if server.poll() is not None:
            say(f"trytond was ended from outside ({server.returncode}). Its data is still in {work.folder}: --keep.")
            return 1
    return 0


def _end(server):
    if server.poll() is not None:
        return
    server.terminate()
    try:
        server.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _last_words(work):
    return "\n".join(work.log.read_text("utf-8", "replace").splitlines()[-15:])
