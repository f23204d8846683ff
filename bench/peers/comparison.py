"""Rounds of the same work in rill and its peers."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import report
from peers import environment, ours
from peers.client import PEERS, PeerError, Worker, surroundings
from peers.sections import Section

PROCESS_ROUNDS = 3  # of whole processes, which take long and whose memory hardly varies
STEPS = 2000  # of the training of points whose memory is measured
IMAGE_STEPS = 3  # and of that of images
LIBRARIES = {"bench_products": ("oneDNN", "OpenBLAS"), "bench_convolutions": ("oneDNN",)}


class Comparison:
    def __init__(self, build: Path, venv: Path, pairs: int, seconds: float):
        self.build, self.venv, self.pairs, self.seconds = build, venv, pairs, seconds
        self.threads = sorted({1, len(os.sched_getaffinity(0))})
        self.left_out: list[str] = []
        self.context: dict = {}  # what our programs say of themselves
        self.workers: list[Worker] = []

    def start_peers(self) -> None:
        environment.create(self.venv)
        failures = environment.install(self.venv, list(dict.fromkeys(peer.package for peer in PEERS)))
        for failure in failures.values():
            self.leave_out(failure)
        for peer in PEERS:
            try:
                if peer.package not in failures:
                    self.workers += [Worker(self.venv, peer, threads) for threads in self.threads]
            except PeerError as error:
                self.leave_out(f"{peer.name}: {error}")

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.stop()

    def leave_out(self, what: str) -> None:
        print(f"left out: {what}", file=sys.stderr)
        self.left_out.append(what)

    def workers_for(self, work: str, threads: int) -> list[Worker]:
        return [worker for worker in self.workers if worker.threads == threads and worker.does(work)]

    def rows(self, section: Section) -> list[report.Row]:
        return [self.row(section, work, threads) for work in section.works for threads in self.threads]

    def row(self, section: Section, work: str, threads: int) -> report.Row:
        print(f"{section.name}: {work}, threads: {threads}", file=sys.stderr)
        per = int(work.rsplit("/", 1)[1]) if section.per_number else 1
        row = report.Row(work, threads)
        workers = self.workers_for(work, threads)
        for turn in range(-1, self.pairs):
            if turn >= 0:
                program = self.build / "bench" / section.program
                measured, self.context = ours.benchmark(program, work, threads, self.seconds)
                row.add("rill", measured.seconds / per)
                if measured.floor:
                    row.floors.append(measured.floor / per)
            for worker in list(workers):
                try:
                    seconds = worker.seconds_per_call(work, self.seconds)
                    if turn >= 0:  # before that it was prepared
                        row.add(worker.peer.name, seconds / per)
                except PeerError as error:
                    self.leave_out(f"{worker.peer.name}, {work}, threads: {threads}: {error}")
                    workers.remove(worker)
                    row.runs.pop(worker.peer.name, None)
        return row

    def processes(self) -> list[report.Row]:
        """Whole processes: from the start to the end of the first step, and the memory of a training."""
        rows, work = [], "training_step/annulus"
        with tempfile.TemporaryDirectory() as folder:
            train = [self.build / "tools" / "train", "--preset", "annulus", "--steps", STEPS, "--overwrite", "--out",
                     Path(folder) / "run", "--threads"]
            for threads in self.threads:
                print(f"process: threads: {threads}", file=sys.stderr)
                start = report.Row("start, one training step of annulus, end", threads)
                memory = report.Row(f"memory of {STEPS} training steps of annulus", threads, "bytes")
                programs = {"rill": ([self.build / "bench" / "bench_steps", "annulus", 1], [*train, threads])}
                for worker in self.workers_for(work, threads):
                    programs[worker.peer.name] = ([*worker.command, work, 1], [*worker.command, work, STEPS])
                for name, (one_step, training) in [*programs.items()] * PROCESS_ROUNDS:
                    try:
                        start.add(name, ours.process(one_step, threads)[0])
                        memory.add(name, ours.process(training, threads)[1])
                    except PeerError as error:
                        self.leave_out(f"{name}, whole processes, threads: {threads}: {error}")
                rows += [start, memory]
        return rows + [self.image_memory(threads) for threads in self.threads]

    def image_memory(self, threads: int) -> report.Row:
        work = "training_step/mnist-unet"
        row = report.Row(f"memory of {IMAGE_STEPS} training steps of mnist-unet", threads, "bytes")
        row.add("rill", ours.process([self.build / "bench" / "bench_steps", "mnist-unet", IMAGE_STEPS], threads)[1])
        for worker in self.workers_for(work, threads):
            try:
                row.add(worker.peer.name, ours.process([*worker.command, work, IMAGE_STEPS], threads)[1])
            except PeerError as error:
                self.leave_out(f"{worker.peer.name}, memory of {work}, threads: {threads}: {error}")
        return row

    def beside_libraries(self, name: str, program: str, *arguments: str) -> str:
        """A table of a program that calls other libraries in its own process."""
        print(f"beside libraries: {name}", file=sys.stderr)
        text = subprocess.run([self.build / "bench" / program, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE, **surroundings(1)).stdout
        for library in LIBRARIES[program]:
            if library not in text:
                self.leave_out(f"{library}, {name}: not there when the build was configured "
                               "(`tools/install-packages.sh peers`)")
        return text

    def facts(self) -> dict[str, str]:
        """The machine, the versions and the settings."""
        versions = {worker.peer.name: worker.version for worker in self.workers}
        return {**machine.describe(self.build), "kernels": self.context.get("kernels", "unknown"), **versions,
                "date": datetime.date.today().isoformat(), "rounds": f"{self.pairs} of {self.seconds} s each"}
