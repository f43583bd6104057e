"""The series of a visit. What one of them cannot do is its own trouble, and nobody else's."""

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping

from . import device
from .series import Series


class Group:
    """`series` by name, and `troubles`: with what exception the others of them have left it."""

    def __init__(self, makers: Mapping[str, Callable[[], Series]]) -> None:
        self.series: dict[str, Series] = {}
        self.troubles: dict[str, Exception] = {}
        for name, make in makers.items():
            with self.own_trouble(name):
                self.series[name] = make()

    @contextlib.contextmanager
    def own_trouble(self, name: str) -> Iterator[None]:
        """If the block raises, the series `name` leaves.

        Not so where CUDA's context is broken, in which nothing more can be measured: that ends
        the process, and the plugin measures the series one by one.
        """
        try:
            yield
        except Exception as error:
            if device.broken():
                raise
            traceback.clear_frames(error.__traceback__)  # they hold memory that the others need
            self.series.pop(name, None)
            self.troubles[name] = error

    def each(self, action: Callable[[Series], object]) -> None:
        for name, series in list(self.series.items()):
            with self.own_trouble(name):
                action(series)
