"""The axis of results, oldest first: what stands below each of them, and at its marks."""

import altair
import pandas

from scripts.reading.points import RUN

RUN_OF = "run", "label", "name", "date", "rule", "changed", "doubtful"
LABEL, TURNED, ASIDE = 120, 30, 60  # pixels of a label, of one on its side, of what is no axis


def told(rows: pandas.DataFrame, results: pandas.DataFrame) -> pandas.DataFrame:
    """What the axis and the marks say of each result of `rows`: the columns RUN_OF."""
    runs = rows.drop_duplicates("run")[[*RUN, "run", "name", "commit_date"]]
    beside = results[[*RUN, "versions", "rule", "doubts"]]
    runs = runs.astype({name: str for name in RUN}).merge(beside, on=RUN, how="left")
    labels, changed = [], []
    for row in runs.itertuples():
        notes = [*([row.rule] if row.rule else []), *["doubtful"] * bool(row.doubts)]
        lines = [f"{row.commit_date:%Y-%m-%d}", row.name, *row.versions]
        labels.append("|".join(lines) + "||" + "|".join(notes))
        changed.append(", ".join([*row.versions, *notes[: bool(row.rule)]]) or "nothing recorded")
    return runs.assign(
        label=labels,
        changed=changed,
        doubtful=[" ".join(found) or "no" for found in runs["doubts"]],
        date=runs["commit_date"].dt.strftime("%Y-%m-%d %H:%M"),
    )


def axis() -> altair.Axis:
    """A label for every result. Where there is no room they lie on their side, without versions."""
    room = f"width >= {LABEL} * length(domain('x'))"
    parts = "split(datum.label, '||')"
    whole = "split(replace(datum.label, '||', '|'), '|')"
    short = f"[join(slice(split({parts}[0], '|'), 0, 2), ' '), replace({parts}[1], '|', ', ')]"
    return altair.Axis(
        labelAngle=altair.expr(f"{room} ? 0 : 270"),
        labelAlign=altair.expr(f"{room} ? 'center' : 'right'"),
        labelBaseline=altair.expr(f"{room} ? 'top' : 'middle'"),
        labelExpr=f"{room} ? {whole} : {short}",
        labelOverlap=False,
        labelLimit=0,
    )
