"""Sheets and lines of text, for a terminal of 80 columns or as Markdown."""

from collections.abc import Iterable, Iterator
from shutil import get_terminal_size

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.tables.side_by_side import Sheet
from scripts.words.markdown import escaped
from scripts.words.shown import plain, plain_lines

ITEM = "- "  # how a line of a list begins


def marked(sheet: Sheet, mark: str) -> Iterator[list[str]]:
    """The rows of a sheet, what is fastest marked."""
    for index, row in enumerate(sheet.rows):
        yield [
            mark.format(cell) if (index, at) in sheet.marks else cell for at, cell in enumerate(row)
        ]


def console() -> Console:
    """Where it is printed; as wide as it says, and 80 columns where it says 0."""
    return Console(highlight=False, width=get_terminal_size().columns)


def terminal(parts: Iterable[Sheet | str]) -> None:
    out = console()
    for part in parts:
        if isinstance(part, str):
            text = Text(plain_lines(part.removeprefix(ITEM)))
            if part.startswith(ITEM):
                item = Table.grid()
                item.add_row(ITEM, text)
            out.print(item if part.startswith(ITEM) else text)
            continue
        # As the table's own, the title would be as narrow.
        out.print(Text(f"\n{plain(part.title)}", "italic"))
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for at, name in enumerate(part.header):
            table.add_column(Text(plain(name)), justify="right" if at else "left", no_wrap=True)
        for row in marked(part, "{}*"):
            table.add_row(*map(Text, map(plain, row)))
        out.print(table)


def markdown(part: Sheet | str) -> str:
    """A line of text, or a sheet with its title, as Markdown."""
    if isinstance(part, str):
        return ITEM * part.startswith(ITEM) + escaped(part.removeprefix(ITEM))
    safe = Sheet(
        escaped(part.title),
        [*map(escaped, part.header)],
        [[*map(escaped, row)] for row in part.rows],
        part.marks,
    )
    ruler = [":---", *("---:" for _ in part.header[1:])]
    rows = [safe.header, ruler, *marked(safe, "**{}**")]
    return "\n".join([f"**{safe.title}**", "", *(f"| {' | '.join(row)} |" for row in rows)])
