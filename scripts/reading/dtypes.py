"""What the dtypes of the same bytes are compared by: they are measured in different visits."""

import numpy
import pandas

from scripts.reading.own_part import own, shared
from scripts.words.vocabulary import ALL

SIZE = ["machine", "memory", "operation", "nbytes"]


def comparable(rows: pandas.DataFrame) -> pandas.DataFrame:
    """`rows` of points.py, measured transfers of a result of each machine, with `log`, by which a
    method's dtypes are compared, and for how sure that is `sd`, `replicates` and `free`.

    It is the method's own part (own_part.py), which does not see what the host drifted by from one
    visit to the next. For all methods together, in rows of the method ALL that are added, it is
    the logarithm of their seconds, which do; and also for what was not measured in turn. `sd` is
    the standard deviation of one replicate's, a visit's or a process's, with `free` degrees of
    freedom.
    """
    rows = rows.astype(dict.fromkeys([*SIZE[:3], "method", "dtype"], object))
    rows = rows.assign(
        log=numpy.log(rows["seconds"]),
        sd=rows["log_sd"],
        replicates=rows["processes"].astype(float),
        free=rows["degrees_of_freedom"],
    ).set_index([*SIZE, "method", "dtype"])
    known = rows[rows["relative_sd"].notna()]
    parts = own(known["relative"].unstack("dtype"), SIZE).stack().dropna()
    if parts.empty:
        return rows.reset_index()
    in_turn = rows.loc[parts.index]
    together = shared(in_turn["log"].unstack("dtype"), SIZE).stack().dropna().to_frame("log")
    about = in_turn.groupby(level=[*SIZE, "dtype"]).agg(
        {"sd": "max", "replicates": "min", "free": "min"}
    )
    together = together.join(about).assign(method=ALL).reset_index()
    rows.loc[parts.index, "log"] = parts
    rows.loc[parts.index, "sd"] = in_turn["relative_sd"]
    rows.loc[parts.index, "replicates"] = in_turn["visits"].astype(float)
    rows.loc[parts.index, "free"] = in_turn["relative_df"]
    return pandas.concat([rows.reset_index(), together], ignore_index=True)
