"""What the report's page says of one machine, from its newest result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas

from scripts.answers import choosing, doubts, first, sentences, ways
from scripts.change_points import in_words, what_changed
from scripts.change_points.change import Change
from scripts.reading.points import RUN
from scripts.recording import provenance
from scripts.words.formats import day
from scripts.words.vocabulary import MEMORY, TRANSFERS


def told(
    run: pandas.DataFrame,
    latest: pandas.DataFrame,
    past: tuple[Sequence[Change], Sequence[str]] | None,
    results: str | Path,
    left_out: list[str],
) -> dict[str, Any]:
    """What the template takes, from the rows of the result; adds to `left_out` what is broken.

    `latest` has other machines' rows, too, `past` are the changes of its history, if it has one,
    and what was said of it.
    """
    about = run.iloc[0]
    status = run["status"].value_counts()
    whose = (*map(str, about[RUN]),)
    facts = what_changed.facts(results, left_out, *whose)
    runs = provenance.beside(results, left_out, *whose)
    doubtful = doubts.of(run, runs, left_out)
    said = first.of(run, latest, runs, in_words.last(*past) if past else [], left_out)
    return {
        "name": str(about["machine"]),
        "gpu": about["gpu"],
        "link": about["pcie_link"],
        "commit": str(about["commit"])[:8],
        "date": f"{about['commit_date']:%Y-%m-%d}",
        "measured": day(run["measured"].max()),
        "python": about["python"],
        "count": {name: int(status.get(name, 0)) for name in ("ok", "n/a", "failed")},
        "answers": said[len(doubtful) :],  # the doubts at its head have a frame of their own
        "ways": ways.of(run, runs),
        "doubts": doubtful,
        "ranges": [
            (memory, does.into, found)
            for operation, does in TRANSFERS.items()
            for memory in MEMORY
            if (found := choosing.fastest(run, memory, operation))
        ],
        "pinned": sentences.pinned_or_pageable(run),
        "pays": {
            does.into: uses
            for operation, does in TRANSFERS.items()
            if (uses := choosing.transfers_to_pay(run, operation))
        },
        "cold": choosing.cold_start(run),
        "dtypes": sentences.dtypes(run, facts.get(what_changed.PARTS)),
        "noise": sentences.noise(run),
        "provenance": facts,
    }
