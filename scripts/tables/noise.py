"""How noisy a result is, in words."""

import numpy
import pandas

from scripts.words.vocabulary import KINDS, kind


def said_of(result: pandas.DataFrame) -> str:
    """In words: how noisy a result is, above all how far the processes of a point lie apart."""
    if not result["processes"].sum():
        return "Nothing was recorded of the noise"
    rows = result[result["processes"].gt(1)]
    rows, copies = (rows[rows["operation"].eq(name)] for name in ("existing_array", "copy"))
    of = [kind(*row) for row in zip(rows["memory"], rows["nbytes"], strict=True)]
    kinds = {name: rows[numpy.array(of, object) == name] for name in KINDS}
    if rows.empty:  # no GPU
        kinds = {"NumPy to NumPy": copies}
    spreads = {name: rows["process_spread"] for name, rows in kinds.items() if len(rows)}
    apart = [
        f"{found.median():.1%} ({found.quantile(0.95):.0%}) {name}"
        for name, found in spreads.items()
    ]
    if not apart:
        return "one process a point: nothing is known of the noise"
    said = (
        f"{result['processes_quiet'].sum()} of {result['processes'].sum()} processes all the time "
        f"on a quiet core; the processes of a point differ by (median, 95th percentile) "
        f"{'; '.join(apart)}"
    )
    known = {name: rows["relative_sd"].dropna() for name, rows in kinds.items()}
    ratios = [f"{sds.iloc[0]:.1%} {name}" for name, sds in known.items() if len(sds)]
    if ratios:
        said += f"; the ratios of a method by (standard deviation) {'; '.join(ratios)}"
    return said
