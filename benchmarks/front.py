"""Write the timings and the printed plan of README.md, from the pages that `make bench` wrote.

python benchmarks/front.py .
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean

import jaxconv

OURS = "jaxconv"
ROWS = (  # name of the row, page, heading on the page
    ("one channel, {count} sizes in 1-D to 3-D", "benchmarks", "One channel, forward"),
    ("the same, value and both gradients", "benchmarks", "One channel, value and both gradients"),
    ("{count} layers of networks, some depthwise", "benchmarks", "Channels, forward"),
    ("the same, value and both gradients", "benchmarks", "Channels, value and both gradients"),
    ("template matching, {count} sizes", "finding-benchmarks", "Matching"),
)
NOT_PEERS = (OURS, "case", "method", "error", "memory", "difference", "fastest peer / ours", "copy")


def main(root: Path) -> None:
    """Write both parts of README.md, and leave the rest unchanged."""
    text = (root / "README.md").read_text()
    text = put(text, "timings", "\n".join(timings(root / "docs")))
    plan = f"```\n{jaxconv.plan((1024, 1024), (31, 31), 'same')}\n```"
    (root / "README.md").write_text(put(text, "plan", plan))


def put(text: str, name: str, part: str) -> str:
    """Return a text with the part between the marks of this name replaced."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (start and end):
        raise SystemExit(f"README.md has no {first} ... {last}")
    return f"{before}{first}\n{part}\n{last}{after}"


def timings(docs: Path) -> Iterator[str]:
    """Yield the table: times of others relative to ours, as geometric means."""
    head = "time relative to jaxconv, geometric means", "fastest peer", "JAX"
    yield f"| {' | '.join(head)} | jaxconv is fastest in | machine, date |"
    yield "|---|---|---|---|---|"
    for what, page, heading in ROWS:
        text = (docs / f"{page}.md").read_text()
        rows = list(table(text, heading))
        ratios = [min(peers(row).values()) / row[OURS] for row in rows]
        best, ahead = geometric_mean(ratios), f"{sum(r >= 1 for r in ratios)} of {len(rows)}"
        jaxs = [row["JAX"] / row[OURS] for row in rows if "JAX" in row]
        against = number(geometric_mean(jaxs)) if jaxs else ""
        where = f"[{machine(text)}](docs/{page}.md)"
        yield f"| {what.format(count=len(rows))} | {number(best)} | {against} | {ahead} | {where} |"
    text = (docs / "learning-benchmarks.md").read_text()
    for row in table(text, "Learning, compared with other libraries", keys=("case", "library")):
        if row["library"] == "jaxconv":
            others = {}
        others[row["library"]] = row["time / ours"]
        if row["library"] == "PyTorch":
            where = f"[{machine(text)}](docs/learning-benchmarks.md)"
            best = min(others["PyTorch"], others["JAX"])
            cells = number(best), number(others["JAX"]), f"{int(best >= 1)} of 1", where
            yield f"| learning: {row['case']} | {' | '.join(cells)} |"


def table(text: str, heading: str, keys: tuple[str, ...] = ("case",)) -> Iterator[dict]:
    """Yield the rows of the table below a heading, by column, with numbers as floats."""
    (part,) = re.findall(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
    names, _, *rows = lines
    for cells in rows:
        row = dict(zip(names, (cell.strip("* ") for cell in cells)))
        yield {
            name: cell if name in (*keys, "method") else float(cell)
            for name, cell in row.items()
            if cell
        }


def peers(row: dict) -> dict[str, float]:
    """Return the times of the peers."""
    return {name: value for name, value in row.items() if name not in NOT_PEERS}


def machine(text: str) -> str:
    """Return the processor and the date given on a page."""
    processor, day = re.findall(r"^(.+?), \d+ cores; .*\n(\d{4}-\d\d-\d\d)\.", text, re.MULTILINE)[0]
    return f"{processor.replace('(R)', '').replace(' Processor', '')}, {day}"


def number(value: float) -> str:
    """Format a number with two digits."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
