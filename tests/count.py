"""Adds up test results, lists why some were skipped, and prints "N passed, N failed".

    python3 tests/count.py BUILD-OR-LOG...

BUILD is a Meson build folder after `meson test`. A GoogleTest program counts as its test cases, any other test as one;
a program that this machine cannot run (an instruction set that its CPU lacks) counts as one skipped.
LOG is what a script printed, with its exit status as the last line: the GoogleTest cases in it, or the script as one.
Exits with 1 if a test failed or none passed.
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

# An outcome is "passed", "failed", or a tuple: why it was skipped.


def skipped(reason):
    """GoogleTest puts FILE:LINE before the reason, and Skipped into what it prints."""
    lines = [line.strip() for line in reason.splitlines() if not re.match(r".*:\d+(: Skipped)?$", line.strip())]
    return (" ".join(filter(None, lines)) or "no reason given",)


def of_program(cases, outcome):
    """The outcomes of a program: those of its cases, and its own where they do not tell (a crash, a time-out)."""
    if not cases or (outcome == "failed" and outcome not in cases):
        return cases + [outcome]
    return cases


def of_case(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skip = case.find("skipped")
    return "passed" if skip is None else skipped(skip.get("message") or skip.text or "")


def of_build(build):
    logs = build / "meson-logs"
    suites = ElementTree.parse(logs / "testlog.junit.xml").getroot().findall("testsuite")
    for line in (logs / "testlog.json").read_text().splitlines():
        program = json.loads(line)
        # Meson names the suites of a GoogleTest program PROJECT.PROGRAM.SUITE.
        cases = [of_case(case) for suite in suites if f".{program['name']}." in suite.get("name")
                 for case in suite.findall("testcase") if case.get("status") != "notrun"]
        if program["result"] == "SKIP":
            outcome = skipped(program.get("stdout", ""))
        else:
            outcome = "passed" if program["result"] == "OK" else "failed"
        yield from of_program(cases, outcome)


def of_log(log):
    *lines, status = log.read_text(errors="replace").splitlines()
    cases, since = [], []  # what the present case has printed
    for line in lines:
        if line.startswith("[ RUN      ]"):
            since = []
        elif match := re.match(r"\[ (      OK| FAILED | SKIPPED) \] .* \(\d+ ms\)$", line):
            cases.append({"      OK": "passed", " FAILED ": "failed"}.get(match[1]) or skipped("\n".join(since)))
        else:
            since.append(line)
    yield from of_program(cases, "passed" if status == "0" else "failed")


total = collections.Counter()
for path in map(pathlib.Path, sys.argv[1:]):
    total.update(of_build(path) if path.is_dir() else of_log(path))
reasons = {outcome[0]: count for outcome, count in total.items() if isinstance(outcome, tuple)}
for reason, count in sorted(reasons.items()):
    print(f"skipped {count}: {reason}")
skips = sum(reasons.values())
print(f"{total['passed']} passed, {total['failed']} failed" + (f", {skips} skipped" if skips else ""))
sys.exit(0 if total["passed"] and not total["failed"] else 1)
