"""What the page's form about one array answers from: how each size's methods, or ways, stand."""

from typing import Any

from pandas import DataFrame

from scripts.reading import standing
from scripts.words.formats import as_percent
from scripts.words.vocabulary import DTYPE, MEMORY

# (direction, memory, into) as the form has them, None for any, and the operations that answer.
INTO_MEMORY = {
    ("there", "existing"): "existing_array",
    ("there", "new"): "new_array",
    ("back", "existing"): "existing_host_array",
    ("back", "new"): "new_host_array",
}
ORDINARY = {"often": "ordinary_warm", "once": "ordinary_cold"}


def cases(run: DataFrame) -> list[dict[str, Any]]:
    """The cases of the form that the result `run` has measured: what is asked, and `sizes`."""
    found = [
        {"direction": direction, "into": into, "memory": memory, "sizes": sizes(run, name, memory)}
        for (direction, into), name in INTO_MEMORY.items()
        for memory in MEMORY
    ]
    found += [
        {"direction": "there", "memory": "ordinary", "into": "existing", "sizes": sizes(run, name)}
        for name in ORDINARY.values()
    ]
    return [case for case in found if case["sizes"]]


def sizes(run: DataFrame, operation: str, memory: str | None = None) -> list[dict[str, Any]]:
    rows = run[run["operation"].eq(operation) & run["status"].eq("ok")]
    rows = rows[rows["dtype"].isna() | rows["dtype"].eq(DTYPE)]
    if memory:
        rows = rows[rows["memory"].eq(memory)]
    return [of_size(same) for _, same in rows.groupby("nbytes")]


def of_size(rows: DataFrame) -> dict[str, Any]:
    names = rows["way"] if rows["method"].isna().all() else rows["method"]
    told = standing.of_methods(rows.assign(name=names.astype(str)))
    margin = as_percent(told["margin"].max())
    apart = told[told["apart"]]
    return {
        "nbytes": int(told["nbytes"].iloc[0]),
        "best": told.loc[~told["apart"], "name"].sort_index().tolist(),
        "others": {
            name: float(f"{as_percent(cost):.3g}")
            for name, cost in zip(apart["name"], apart["cost"], strict=True)
        },
        "seconds": {
            name: float(f"{value:.5g}")
            for name, value in zip(told["name"], told["seconds"], strict=True)
        },
        "margin": None if margin != margin else float(f"{margin:.3g}"),
    }
