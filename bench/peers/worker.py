"""A peer's side of bench/compare, run by the Python of the virtual environment in the folder bench/.

    python -m peers.worker MODULE THREADS              answers requests
    python -m peers.worker MODULE THREADS WORK CALLS   does a work that often and ends

MODULE is the name of a module here without its ending _works. It has
    version          the peer's own version
    start(threads)   called once
    WORKS            for each kind of work a function that prepares it, given the rest of the work's name, and returns
                     what to call: "matmul/256x64x64" is prepared by WORKS["matmul"]("256x64x64")
    finish(result)   waits for what a call has begun

The first line on stdout is {"version": ..., "kinds": [...]}. A request is a line of JSON on stdin, the answer a line:
    {"work": NAME, "seconds": S}    ->   {"seconds": time per call, in calls that take S in all}
A work is prepared, and called once, when it is first asked for. {"error": TEXT} answers what went wrong.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time


def prepare(peer, name: str):
    kind, *rest = name.split("/")
    call = peer.WORKS[kind](*rest)
    peer.finish(call())
    return call


def seconds_per_call(peer, call, at_least: float) -> float:
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < at_least:
        result = call()
        calls += 1
    peer.finish(result)
    return (time.perf_counter() - start) / calls


def answer_requests(peer) -> None:
    # What libraries print must not get among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(message: dict) -> None:
        print(json.dumps(message), file=answers, flush=True)

    send({"version": peer.version, "kinds": list(peer.WORKS)})
    current, call = None, None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["work"] != current:
                call = None  # gives its memory back first
                current, call = request["work"], prepare(peer, request["work"])
            send({"seconds": seconds_per_call(peer, call, request["seconds"])})
        except Exception as error:  # whatever a peer raises leaves out this work only
            current = None
            send({"error": f"{type(error).__name__}: {error}"})


def main() -> None:
    module, threads, *once = sys.argv[1:]
    peer = importlib.import_module(f"peers.{module}_works")
    peer.start(int(threads))
    if not once:
        return answer_requests(peer)
    name, calls = once
    call = prepare(peer, name)
    for _ in range(int(calls) - 1):
        result = call()
        peer.finish(result)


if __name__ == "__main__":
    main()
