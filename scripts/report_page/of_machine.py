"""What the report's page says of one machine, from its newest result."""

from pathlib import Path
from typing import Any

import pandas

from scripts.answers import choosing, doubts, sentences, ways
from scripts.change_points import what_changed
from scripts.reading.points import RUN
from scripts.recording import provenance
from scripts.words.vocabulary import MEMORY, TRANSFERS


def told(run: pandas.DataFrame, results: str | Path, left_out: list[str]) -> dict[str, Any]:
    """What the template takes, from the rows of the result; adds to `left_out` what is broken."""
    first = run.iloc[0]
    status = run["status"].value_counts()
    whose = (*map(str, first[RUN]),)
    facts = what_changed.facts(results, left_out, *whose)
    runs = provenance.beside(results, left_out, *whose)
    return {
        "name": str(first["machine"]),
        "gpu": first["gpu"],
        "link": first["pcie_link"],
        "commit": str(first["commit"])[:8],
        "date": f"{first['commit_date']:%Y-%m-%d}",
        "measured": f"{run['measured'].max():%Y-%m-%d}",
        "python": first["python"],
        "count": {name: int(status.get(name, 0)) for name in ("ok", "n/a", "failed")},
        "answers": [],
        "ways": ways.of(run, runs),
        "doubts": doubts.of(run, runs, left_out),
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
