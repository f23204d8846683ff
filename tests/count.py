"""Adds up test results and prints "N passed, N failed": python3 tests/count.py BUILD-OR-LOG...

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


def of_program(cases, outcome):
    """The outcomes of a program: those of its cases, and its own where they do not tell (a crash, a time-out)."""
    if not cases or (outcome == "failed" and outcome not in cases):
        return cases + [outcome]
    return cases


def of_case(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def of_build(build):
    logs = build / "meson-logs"
    suites = ElementTree.parse(logs / "testlog.junit.xml").getroot().findall("testsuite")
    for line in (logs / "testlog.json").read_text().splitlines():
        program = json.loads(line)
        # Meson names the suites of a GoogleTest program PROJECT.PROGRAM.SUITE.
        cases = [of_case(case) for suite in suites if f".{program['name']}." in suite.get("name")
                 for case in suite.findall("testcase") if case.get("status") != "notrun"]
        yield from of_program(cases, {"OK": "passed", "SKIP": "skipped"}.get(program["result"], "failed"))


def of_log(log):
    *lines, status = log.read_text(errors="replace").splitlines()
    names = {"      OK": "passed", " FAILED ": "failed", " SKIPPED": "skipped"}
    cases = [names[match[1]] for match in (re.match(r"\[ (      OK| FAILED | SKIPPED) \] .* \(\d+ ms\)$", line)
                                           for line in lines) if match]
    yield from of_program(cases, "passed" if status == "0" else "failed")


total = collections.Counter()
for path in map(pathlib.Path, sys.argv[1:]):
    total.update(of_build(path) if path.is_dir() else of_log(path))
print(f"{total['passed']} passed, {total['failed']} failed" + (f", {total['skipped']} skipped" if total["skipped"] else ""))
sys.exit(0 if total["passed"] and not total["failed"] else 1)
