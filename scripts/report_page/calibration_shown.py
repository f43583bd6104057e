"""What the report says of a machine's calibration: its noise, and what a comparison finds there."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.gate import pairs, recording, verdict
from scripts.gate.recording import Broken
from scripts.report_page.chart_data import in_percent
from scripts.words.vocabulary import KINDS


def shown(path: Path) -> dict[str, Any]:
    """What the page says of the calibration at `path`; Broken, a sentence's end, if it cannot.

    In its `kinds` a dict a kind of transfer, with medians in per cent: `sizes`, (nbytes, noise,
    least slowdown found in one series) each, and `family`, that of a whole family, NaN without one.
    """
    try:
        first, runs, lines = recording.read(path)
        return told(first["sides"][0][:8], runs[-1]["facts"], lines)
    except OSError:
        raise Broken("cannot be read") from None
    except Broken as error:
        raise Broken(str(error).removeprefix(f"{path} ")) from None
    except LookupError:
        raise Broken("says nothing of the run that made it") from None


def told(commit: str, facts: Mapping[str, Any], lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    visits = pairs.of(lines)
    if visits.empty:
        raise Broken("has nothing that was measured on both sides")
    few = visits.groupby(pairs.SERIES, sort=False).head(pairs.FEWEST)  # as compare begins
    found = verdict.judge(few, visits)
    return {
        "kinds": list(kinds(found)),
        "processes": pairs.FEWEST,
        "pairs": len(visits),
        "commit": commit,
        "date": f"{datetime.fromtimestamp(lines[-1]['ended'] / 1000, UTC):%Y-%m-%d}",
        "driver": facts.get("driver"),
    }


def kinds(found: Any) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        series, families = (rows[rows["kind"].eq(kind)] for rows in (found.series, found.families))
        if len(series):
            series = series.assign(least=verdict.promise(series))
            medians = in_percent(series.groupby("nbytes")[["own", "least"]].median())
            yield {
                "name": kind,
                "sizes": [(int(nbytes), *row) for nbytes, *row in medians.itertuples()],
                "family": in_percent(verdict.promise(families).median()),
            }
