"""Tables of medians in Markdown, and their places in documents."""

from __future__ import annotations

import re
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {
    "s": [(1, "s"), (1e-3, "ms"), (1e-6, "us"), (0, "ns")],
    "bytes": [(1e9, "GB"), (1e6, "MB"), (0, "KB")],
}
SCALES = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "GB": 1e9, "MB": 1e6, "KB": 1e3}


@dataclass
class Row:
    work: str
    threads: int
    unit: str = "s"
    runs: dict[str, list[float]] = field(default_factory=dict)  # by name, rill's first; one a round
    floors: list[float] = field(default_factory=list)  # what the hardware would take, where that is known

    def add(self, name: str, value: float) -> None:
        self.runs.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.runs[name])

    def ratio(self, name: str) -> float:
        """The median over the rounds, in each of which the two ran one after the other."""
        return statistics.median(theirs / ours for theirs, ours in zip(self.runs[name], self.runs["rill"]))

    def to_json(self) -> dict:
        ratios = {name: self.ratio(name) for name in self.runs if name != "rill"}
        return {"work": self.work, "threads": self.threads, "unit": self.unit, "runs": self.runs,
                "floors": self.floors, "medians": {name: self.median(name) for name in self.runs}, "ratios": ratios}


def quantity(value: float, unit: str) -> str:
    """Three digits and a unit: 81.5 us."""
    name = next(name for least, name in UNITS[unit] if value >= least)
    return f"{digits(value / SCALES[name])} {name}"


def digits(value: float) -> str:
    """At least three of them: 0.0815, 8.15, 81.5, 8150."""
    return f"{value:.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def comparison(rows: list[Row]) -> str:
    """A line for each work and number of threads, two columns for each peer that has any figure."""
    names = list(dict.fromkeys(name for row in rows for name in row.runs if name != "rill"))
    floors = any(row.floors for row in rows)
    header = ["work", "threads", *(["floor"] if floors else []), "rill"]
    for name in names:
        header += [name, "ratio"]

    def cell(row: Row, name: str) -> str:
        text = quantity(row.median(name), row.unit)
        return f"{text} ({digits(row.median(name) / statistics.median(row.floors))})" if row.floors else text

    lines = []
    for row in rows:
        line = [row.work.replace("_", " ").replace("/", ", "), str(row.threads)]
        if floors:
            line.append(quantity(statistics.median(row.floors), row.unit) if row.floors else "-")
        line.append(cell(row, "rill"))
        for name in names:
            line += [cell(row, name), digits(row.ratio(name))] if name in row.runs else ["-", "-"]
        lines.append(line)
    return table(header, lines)


def marker(command: str, section: str) -> str:
    return f"<!-- {command}: {section} -->"


def require_markers(document: Path, command: str, sections: list[str]) -> None:
    """Exits with a line that says what is missing when the document has no place for one of the sections."""
    text = document.read_text() if document.exists() else ""
    for section in sections:
        begin = marker(command, section)
        if not re.search(re.escape(begin) + r"\n.*?^<!-- end -->", text, re.DOTALL | re.MULTILINE):
            sys.exit(f"{command}: {document}: expected a line {begin} and, below it, a line <!-- end -->")


def update(document: Path, command: str, section: str, text: str) -> None:
    """Replaces what stands between `<!-- COMMAND: SECTION -->` and the next `<!-- end -->`."""
    begin = marker(command, section)
    old = re.compile(re.escape(begin) + r"\n.*?(?=^<!-- end -->)", re.DOTALL | re.MULTILINE)
    document.write_text(old.sub(lambda _: f"{begin}\n{text.strip()}\n", document.read_text(), count=1))
