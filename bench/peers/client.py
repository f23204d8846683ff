"""Clients of the peers: processes that stay alive, so that their compiled code and caches stay warm."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from peers.environment import last_line, python_of

BENCH = Path(__file__).resolve().parent.parent
FIRST_CALL_LIMIT = 180  # seconds that preparing a work may take: imports, compilation, the first call


@dataclass(frozen=True)
class Peer:
    name: str  # in tables
    module: str  # peers/MODULE_works.py
    package: str  # what pip installs, by its name in lower case


PEERS = [
    Peer("PyTorch", "torch", "torch"),
    Peer("torch.compile", "torch_compile", "torch"),
    Peer("JAX", "jax", "jax"),
    Peer("NumPy", "numpy", "numpy"),
    Peer("SciPy", "scipy", "scipy"),
    Peer("POT", "pot", "pot"),
    Peer("torchcfm", "torchcfm", "torchcfm"),
    Peer("zuko", "zuko", "zuko"),
    Peer("torchdiffeq", "torchdiffeq", "torchdiffeq"),
]


class PeerError(Exception):
    """A peer that cannot do a work; the message says why."""


def cores(threads: int) -> list[int]:
    """The cores for that many threads, out of those this process may use: the last ones, which interrupts use least."""
    return sorted(os.sched_getaffinity(0))[-threads:]


def surroundings(threads: int) -> dict:
    """Arguments of subprocess functions that keep a process, ours or a peer's, to that many threads."""
    here = cores(threads)
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {"env": {**os.environ, **counts}, "preexec_fn": lambda: os.sched_setaffinity(0, here)}


def command(venv: Path, peer: Peer, threads: int) -> list[str]:
    return [str(python_of(venv)), "-B", "-m", "peers.worker", peer.module, str(threads)]


class Worker:
    """A peer with a given number of threads."""

    def __init__(self, venv: Path, peer: Peer, threads: int):
        """Throws PeerError when the peer cannot be started."""
        self.peer, self.threads = peer, threads
        self.command = command(venv, peer, threads)
        self.process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, cwd=BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, bufsize=1, **surroundings(self.threads))
        hello = self.answer()
        self.version, self.kinds = hello["version"], hello["kinds"]

    def does(self, work: str) -> bool:
        return work.split("/")[0] in self.kinds

    def seconds_per_call(self, work: str, at_least: float) -> float:
        """Throws PeerError. The worker can then still be given other work: it is restarted if necessary."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps({"work": work, "seconds": at_least}) + "\n")
        except BrokenPipeError:
            pass  # the missing answer tells why
        return self.answer()["seconds"]

    def answer(self) -> dict:
        if not select.select([self.process.stdout], [], [], FIRST_CALL_LIMIT)[0]:
            self.stop()
            raise PeerError(f"no answer within {FIRST_CALL_LIMIT} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            reason = last_line(self.errors.read())
            self.stop()
            raise PeerError(f"the process ended: {reason}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"].strip().splitlines()[0])
        return answer

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for file in (self.process.stdin, self.process.stdout, self.errors):
                with contextlib.suppress(BrokenPipeError):  # from a request that was not read
                    file.close()
            self.process = None
