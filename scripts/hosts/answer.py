"""A ranking in words: for a terminal, as Markdown, as a list of hosts to drain."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.hosts import expected, schema
from scripts.hosts.fleet import FALSE_ALARMS
from scripts.hosts.kinds import ALONE, AT_ONCE, SIZES, TRANSFERS, Transfer
from scripts.hosts.ranking import CANNOT_SAY, Place, Ranking
from scripts.hosts.ranking import rank as ranked
from scripts.hosts.schema import Line
from scripts.words.formats import as_percent, change, count, percent, rate, size
from scripts.words.markdown import escaped
from scripts.words.shown import plain, say

WIDE = 200  # columns, where nobody looks but a file
LEAST = 1e-6  # of a probability: how likely less is, no spread is known well enough to say
SHOWN = 5  # of the GPUs that are not named, the slowest
HEADER = "host", "GPU", "against the fleet", "in", "by chance", "probable cause"


def row(place: Place) -> list[str]:
    aged = f" aged: {place.aged}" if place.aged else ""
    return [
        place.line.host,
        place.line.pci or "",
        change(place.change),
        place.kind,
        f"{place.chance:.2g}" if place.chance > LEAST else f"< {LEAST:g}",
        (place.cause + aged).strip() if place.named else "-",
    ]


def rows(ranking: Ranking) -> list[list[str]]:
    """All that is named, and the slowest of the others."""
    others = sorted(
        (place for place in ranking.places if not place.named), key=lambda place: -place.score
    )
    return [*map(row, ranking.named), *map(row, others[:SHOWN])]


def sentences(ranking: Ranking) -> Iterable[str]:
    for model in ranking.models:
        if model.places:
            least, most = (-as_percent(pick(model.sees.values())) for pick in (max, min))
            yield (
                f"{model.name}: {count(model.gpus, 'GPU', 'GPUs')}; what is slower than the fleet "
                f"by {percent(least)} in the steadiest kind of transfer, {percent(most)} in the "
                "least steady one, is named"
            )
    if ranking.named:
        yield (
            f"{len(ranking.drain)} of {count(ranking.hosts, 'host', 'hosts')} named; in a healthy "
            f"fleet so many would be with a probability of {ranking.chance:.1g}"
        )
    elif ranking.places:
        yield f"None of {count(ranking.hosts, 'host', 'hosts')} is slow"
    yield f"Of healthy hosts, at most {FALSE_ALARMS:.1%} are named".replace("%", " %")


def rank(
    files: Iterable[Path], wanted: Path | None, into: Path | None, drained: Path | None
) -> int:
    """Rank the lines of `files`, say so and write it `into` Markdown; the exit code. OSError."""
    lines, left_out = schema.read(files)
    found = ranked(lines, left_out, wanted.read_text().split() if wanted else [])
    if into:  # before what may end in a closed pipe
        into.write_text(markdown(found))
    if drained:
        drained.write_text("".join(f"{plain(host)}\n" for host in found.drain))
    terminal(found)
    return found.code


def check(lines: Sequence[Line], into: Path | None) -> int:
    """Show the lines of a host, and write them `into` a file; the exit code. OSError."""
    if into:  # before what may end in a closed pipe
        into.write_bytes(schema.written(lines))
    if any(line.gpu for line in lines):
        large = [one for one in TRANSFERS if one.nbytes == SIZES[-1]]
        told = [f"{one.direction}, {one.memory}" for one in large]
        each = [
            [line.pci or "", str(line.link or ""), *cells(line, large), line.verdict]
            for line in lines
        ]
        table(["GPU", "link", *told, "verdict"], each)
        say(f"GB/s of {size(SIZES[-1])}, alone / all GPUs at once")
    code = expected.code(lines)
    say(plain(expected.reason(lines)), sys.stderr if code == CANNOT_SAY else sys.stdout)
    return code


def cells(line: Line, transfers: Iterable[Transfer]) -> Iterator[str]:
    """'54.8 / 50.1', or the one number where there is but one GPU."""
    for transfer in transfers:
        kinds = [transfer.kind(when) for when in (ALONE, AT_ONCE)]
        yield " / ".join(
            rate(line.measured[kind].gb_per_s) for kind in kinds if kind in line.measured
        )


def terminal(ranking: Ranking) -> None:
    if ranking.places:
        table(HEADER, rows(ranking))
        say("\n".join(sentences(ranking)))
    for line in [*ranking.notes, *ranking.unsaid]:
        say(plain(line), sys.stderr)
    if not ranking.places:
        say("Cannot say: no fleet was measured", sys.stderr)


def table(header: Sequence[str], found: Iterable[Sequence[str]]) -> None:
    """Print a table; a pipe gets lines that are as long as they have to be."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in header:
        shown.add_column(Text(plain(name)), overflow="fold")
    for cells in found:
        shown.add_row(*(Text(plain(cell)) for cell in cells))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(shown)


def markdown(ranking: Ranking) -> str:
    said = [*sentences(ranking), *ranking.notes, *ranking.unsaid]
    text = [f"{escaped(plain(line))}\n" for line in said]
    if ranking.places:
        cells = [[escaped(plain(cell)) for cell in line] for line in rows(ranking)]
        lines = [HEADER, ["---"] * len(HEADER), *cells]
        text = [*(f"| {' | '.join(line)} |" for line in lines), "", *text]
    return "\n".join(text)
