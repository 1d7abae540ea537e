"""Real processes of the command line that start at once: copies of one that has imported everything already.

A server imports the package and forks for each command, so that a process costs a fraction of a second instead of the
seconds that torch takes to import. Everything else is as in a process of its own: signals, limits, exit code, output.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = "import sys\nfrom deepcluster_pl.cli.main import main\nmain(sys.argv[1:])"
_NEVER_S = 300


class CommandProcess:
    """One command line in a process of its own; the part of `subprocess.Popen` that tests use.

    Args:
        words: the command line.
        cwd: folder to run in.
        program: Python source that takes the place of the command, and finds the words in `sys.argv`.
        environment: variables to set.
        file_limit: size in bytes that no file may exceed, as on a full disk.
        new_session: make the process the leader of a session of its own.
    """

    def __init__(
        self,
        words: Sequence[object],
        cwd: Path,
        program: str = _COMMAND,
        environment: Mapping[str, str] | None = None,
        file_limit: int | None = None,
        new_session: bool = False,
    ) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as out, tempfile.NamedTemporaryFile(delete=False) as err:
            self._out, self._err = Path(out.name), Path(err.name)
        request = {
            "words": [os.fspath(word) if isinstance(word, Path) else str(word) for word in words],
            "cwd": str(cwd), "program": program, "environment": dict(environment or {}), "file_limit": file_limit,
            "new_session": new_session, "out": str(self._out), "err": str(self._err),
        }  # fmt: skip
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(_server())
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._socket.makefile("r")
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        if self.returncode is None and select.select([self._socket], [], [], 0)[0]:
            self.returncode = int(self._answers.readline())
        return self.returncode

    def wait(self, timeout: float = _NEVER_S) -> int:
        """Wait for the end, and return the exit code."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("deepcluster", timeout)
            select.select([self._socket], [], [], 0.05)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float = _NEVER_S) -> tuple[str, str]:
        """Wait for the end, and return what was printed and what was printed as errors."""
        self.wait(timeout)
        return self.out, self.err

    def wait_for_line(self, text: str, timeout: float = 120) -> None:
        """Wait until a text was printed; fail where the process ends without it."""
        deadline = time.monotonic() + timeout
        while text not in self.out:
            assert self.poll() is None, (self.out, self.err)
            assert time.monotonic() < deadline, (self.out, self.err)
            time.sleep(0.01)

    @property
    def out(self) -> str:
        """Everything printed so far."""
        return self._out.read_text(encoding="utf-8", errors="surrogateescape")

    @property
    def err(self) -> str:
        """Everything printed as errors so far."""
        return self._err.read_text(encoding="utf-8", errors="surrogateescape")

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process."""
        self.send_signal(signal.SIGKILL)


def run_command(words: Sequence[object], cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end; see `CommandProcess` for the options, `timeout` is in seconds."""
    timeout = options.pop("timeout", _NEVER_S)
    process = CommandProcess(words, cwd, **options)
    try:
        out, err = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(list(words), process.returncode, out, err)


_address: list[str] = []


def _server() -> str:
    """Return the server's address; start the server at the first call."""
    if not _address:
        address = f"{tempfile.mkdtemp()}/socket"
        code = f"import sys; sys.path[:0] = {[str(_ROOT), str(_ROOT / 'tests')]}\n"
        code += f"from helpers.processes import serve\nserve({address!r})"
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        start = [sys.executable, "-c", code]
        server = subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        atexit.register(server.kill)
        _address.append(address)
    return _address[0]


def serve(address: str) -> None:
    """Fork for every request, and report exit codes, until standard input is closed."""
    _import_everything()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [], 0.02)
        if sys.stdin in ready:
            return
        if listening in ready:
            connection, _ = listening.accept()
            request = json.loads(connection.makefile("r").readline())
            pid = os.fork()
            if pid == 0:
                for inherited in (listening, connection, *running.values()):
                    inherited.close()
                _become(request)
            connection.sendall(f"{pid}\n".encode())
            running[pid] = connection
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with contextlib.suppress(OSError):  # a test that has not waited
                    running[pid].sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                running.pop(pid).close()


def _import_everything() -> None:
    """Import what a run imports."""
    import matplotlib.pyplot  # noqa: F401
    import sklearn.mixture  # noqa: F401
    import torch.utils.tensorboard  # noqa: F401

    import deepcluster_pl.cli.run
    import deepcluster_pl.cli.sweep_jobs
    import deepcluster_pl.config.validation
    import deepcluster_pl.estimator
    import deepcluster_pl.runs.worker  # noqa: F401


def _become(request: dict[str, Any]) -> NoReturn:
    """Turn this fork into the process that was asked for; it never returns."""
    if request["new_session"]:
        os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["file_limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_limit"],) * 2)
    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_APPEND), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["deepcluster", *request["words"]]
    code: Any = 0
    try:
        exec(compile(request["program"], "<command>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    # What the interpreter does at its end, but for taking itself apart, which is slow
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0))
