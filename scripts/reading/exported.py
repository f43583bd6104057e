"""The table of points.py as it is written to a file, with what was recorded beside the results.

It adds columns to those of scripts/reading/points.py, and changes three things, as who reads the
file does not know how it came about:

driver, cuda_driver, kernel     the NVIDIA driver, the newest CUDA it supports, Linux's release
gpu_id                          which GPU of its kind it was: a hash of its UUID
numpy_version, cuda_python_version, torch_version, cupy_version, pycuda_version     as they ran
python and these versions       begin with v, as v3.10, so that no reader takes them for numbers
status                          n/a with a reason alone; not measured in the place of one without:
                                nobody asked for it, or it is of a run that noted no reasons
driver and so on                empty where nothing was recorded; several runs' that differ stand
                                behind each other, with ; between them
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from scripts.reading.points import RESULTS, RUN
from scripts.recording import provenance

# The column, the name of the fact in provenance, and how a value begins.
FACTS = [
    ("driver", "driver", "v"),
    ("cuda_driver", "cuda driver", "v"),
    ("kernel", "kernel", "v"),
    ("gpu_id", "gpu uuid hash", "gpu-"),
    *(
        (f"{name.replace('-', '_')}_version", name, "v")
        for name in ("numpy", "cuda-python", "torch", "cupy", "pycuda")
    ),
]


def of(
    table: pandas.DataFrame, left_out: list[str], results: str | Path = RESULTS
) -> pandas.DataFrame:
    """`table` as it is written; what is broken beside the results is named in `left_out`."""
    known = [
        {**dict(zip(RUN, run, strict=True)), **columns(provenance.beside(results, left_out, *run))}
        for run in table[RUN].drop_duplicates().itertuples(index=False, name=None)
    ]
    facts = pandas.DataFrame(known, columns=[*RUN, *(name for name, *_ in FACTS)], dtype=object)
    text = table.astype({"python": object, "status": object, **dict.fromkeys(RUN, object)})
    text["python"] = "v" + text["python"]
    nobody_said = text["status"].eq("n/a") & text["reason"].isna()
    text["status"] = text["status"].mask(nobody_said, "not measured")
    return text.merge(facts, how="left", on=RUN)


def columns(runs: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """The columns that the runs of one result have."""
    found = {}
    for column, fact, begin in FACTS:
        values = dict.fromkeys(
            provenance.text(value) for run in runs if (value := run["facts"].get(fact))
        )
        found[column] = "; ".join(f"{begin}{value}" for value in values) or None
    return found
