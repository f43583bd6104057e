"""The lines of many hosts: who is slow, who has aged, of whom nothing can be said."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy
import pandas

from scripts.hosts import causes, fleet
from scripts.hosts.schema import Line
from scripts.words.formats import change, count, listed, some

FINE, SLOW, CANNOT_SAY = 0, 1, 2  # exit codes
NO_GPU = "no GPU: the host's own copy"
MEAN, BESIDE = "on average", "against its siblings"
FLEET = 3  # hosts: two do not tell which of them is slow
History = dict[str, list[Line]]  # of each GPU, by its key, oldest first


@dataclass(frozen=True)
class Place:
    """A GPU among those of its model."""

    line: Line
    score: float  # the greatest distance below the centre, of any kind, over its threshold
    kind: str  # where that is
    change: float  # there: the logarithm of its rate over the fleet's
    chance: float  # that a healthy GPU is as slow
    slow: list[str]  # the kinds in which it is
    aged: str  # in which kind, by how much, against its own earlier lines; '' if it has not
    cause: str  # if it is named

    @property
    def named(self) -> bool:
        return bool(self.slow or self.aged)


@dataclass(frozen=True)
class Model:
    """The GPUs of one name; either `places`, the slowest first, or why nothing can be said."""

    name: str
    gpus: int
    places: list[Place]
    sees: dict[str, float]  # by kind: what is found from on, the logarithm of a change
    unsaid: str = ""


@dataclass(frozen=True)
class Ranking:
    """`notes` and `unsaid` are a line each; with one of the latter, not all are well."""

    models: list[Model]
    notes: list[str]
    unsaid: list[str]

    @property
    def places(self) -> list[Place]:
        return [place for model in self.models for place in model.places]

    @property
    def named(self) -> list[Place]:
        return [place for place in self.places if place.named]

    @property
    def hosts(self) -> int:
        return len({place.line.host for place in self.places})

    @property
    def drain(self) -> list[str]:
        """The hosts of what is named, each once."""
        return list(dict.fromkeys(place.line.host for place in self.named))

    @property
    def chance(self) -> float:
        """That so many hosts are named in a fleet like this one that is healthy."""
        return fleet.so_many(len(self.drain), self.hosts)

    @property
    def code(self) -> int:
        return SLOW if self.named else CANNOT_SAY if self.unsaid else FINE


def rank(lines: Iterable[Line], left_out: Iterable[str], expected: Collection[str]) -> Ranking:
    """`left_out` are lines that could not be read; `expected` the hosts that had to answer."""
    history, notes = by_gpu(lines)
    unsaid = list(left_out)
    missing = sorted(set(expected) - {line.host for taken in history.values() for line in taken})
    if missing:
        unsaid.append(f"{count(len(missing), 'host', 'hosts')} did not answer: {some(missing)}")
    by_name: dict[str, list[list[Line]]] = defaultdict(list)
    for taken in history.values():
        if taken[-1].measured:
            by_name[taken[-1].gpu or NO_GPU].append(taken)
        else:
            unsaid.append(f"{taken[-1]}: {taken[-1].reason}")
    if len(by_name) > 1:
        each = [f"{len(found)} of {name}" for name, found in by_name.items()]
        notes.append(f"Several models, each ranked apart: {listed(each)}")
    if NO_GPU in by_name:
        unsaid.append(f"No GPU was measured on {some(one[-1].host for one in by_name[NO_GPU])}")
    models = [among(name, found) for name, found in by_name.items()]
    return Ranking(models, notes, unsaid + [model.unsaid for model in models if model.unsaid])


def by_gpu(lines: Iterable[Line]) -> tuple[History, list[str]]:
    """The lines of each GPU, of one time only the first; and which are not the only ones."""
    history: History = defaultdict(list)
    notes = []
    for line in sorted(lines, key=lambda line: line.time):
        before = history[line.key]
        if before and before[-1].time == line.time:
            notes.append(f"{line}: the same GPU twice at one time; the first line counts")
            continue
        if before and before[-1].host != line.host:
            notes.append(f"{line}: the GPU was in {before[-1].host} before")
        before.append(line)
    return history, notes


def among(name: str, found: Sequence[list[Line]]) -> Model:
    """The GPUs of one model, each with its history, ranked by its newest line."""
    newest = [taken[-1] for taken in found]
    of_host = Counter(line.host for line in newest)
    if len(of_host) < FLEET:
        number = count(len(of_host), "host is", "hosts are")
        return Model(name, len(newest), [], {}, f"{name}: {number} no fleet, {FLEET} are the least")
    measured = sorted({kind for line in newest for kind in line.measured})
    rows, kinds, parts = with_more(
        logarithms(newest, measured), measured, [line.host for line in newest]
    )
    learned = fleet.learn(rows, max(of_host.values()), parts)
    sees = dict(zip(kinds, map(float, -learned.threshold), strict=True))
    if not numpy.isfinite(learned.threshold).any():
        told = f"{name}: {len(newest)} GPUs are too few, or differ too much, to say"
        return Model(name, len(newest), [], sees, told)
    ages = aged(found, measured, max(of_host.values()))
    links = [line.link for line in newest if line.link]
    usual = max(links, key=links.count, default=None)
    below = learned.below(rows)
    scores = numpy.nan_to_num(below / learned.threshold, nan=-numpy.inf)
    places = []
    for at, likely in enumerate(learned.chance(rows)):
        line, worst = newest[at], int(scores[at].argmax())
        slow = [kinds[one] for one in numpy.argsort(-scores[at]) if scores[at, one] > 1]
        age = ages.get(line.key, "")
        found_causes = causes.probable(line, usual, slow) or [causes.NONE]
        cause = "; ".join(found_causes) if slow or age else ""
        distance = float(scores[at, worst]), kinds[worst], -float(below[at, worst])
        places.append(Place(line, *distance, float(likely), slow, age, cause))
    places.sort(key=lambda place: (not place.named, -place.score))
    return Model(name, len(newest), places, sees)


def logarithms(lines: Iterable[Line], kinds: Sequence[str]) -> fleet.Values:
    """A row a line, a column a kind; NaN where a line has none."""
    rates = [
        [line.measured[kind].gb_per_s if kind in line.measured else numpy.nan for kind in kinds]
        for line in lines
    ]
    return numpy.log(rates)


def with_more(
    rows: fleet.Values, kinds: Sequence[str], hosts: Sequence[str]
) -> tuple[fleet.Values, list[str], list[int]]:
    """`rows` and `kinds`; behind them the mean of all kinds of a memory and size; behind these the
    same against all GPUs of the host; and the columns where they begin.

    What slows a GPU slows all kinds, and what disturbs one of them disturbs no other; what slows a
    host slows all its GPUs. So these show less, on fleets whose single numbers are now and then
    far off, and on those whose hosts differ.
    """
    same = defaultdict(list)
    for at, kind in enumerate(kinds):
        _, *what, _ = [*kind.split(", "), ""]
        same[", ".join(what[:2])].append(at)
    means = {name: columns for name, columns in same.items() if len(columns) > 1}
    if not means:
        return rows, list(kinds), []
    more = numpy.column_stack([rows[:, columns].mean(axis=1) for columns in means.values()])
    of_host = pandas.DataFrame(more).groupby(numpy.asarray(hosts))
    number = of_host.transform("count").to_numpy()
    beside = (more - of_host.transform("median").to_numpy()) * numpy.where(number == 2, 2, 1)
    beside[number < 2] = numpy.nan
    names = [*kinds, *(f"{name}, {what}" for what in (MEAN, BESIDE) for name in means)]
    return numpy.column_stack([rows, more, beside]), names, [len(kinds), len(kinds) + len(means)]


def aged(found: Sequence[list[Line]], measured: Sequence[str], gpus: int) -> dict[str, str]:
    """In which kind, and by how much, the GPUs changed that changed as no other did, by key.

    What changed for all, as with a new driver, is the centre of the changes, and no age.
    """
    several = [taken for taken in found if len(taken) > 1]
    if len(several) < FLEET:
        return {}
    earlier = [fleet.nanmedian(logarithms(taken[:-1], measured)) for taken in several]
    changes = logarithms([taken[-1] for taken in several], measured) - numpy.array(earlier)
    rows, kinds, parts = with_more(changes, measured, [taken[-1].host for taken in several])
    learned = fleet.learn(rows, gpus, parts)
    below = numpy.nan_to_num(learned.below(rows) - learned.threshold, nan=-numpy.inf)
    return {
        several[at][-1].key: f"{change(rows[at, worst])} ({kinds[worst]})"
        for at, worst in enumerate(below.argmax(axis=1))
        if below[at, worst] > 0
    }
