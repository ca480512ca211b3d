"""Results as a table that is readable as plain text, and is Markdown."""

from collections.abc import Sequence

Cell = str | int | float


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Columns as wide as their widest cell; the first is left-aligned, the others right-aligned."""
    cells = [[*head], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    rule = [f":{'-' * (width - 1)}" if column == 0 else f"{'-' * (width - 1)}:" for column, width in enumerate(widths)]
    first, *others = cells
    return "\n".join(_line(row, widths) for row in (first, rule, *others))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    padded = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
    return f"| {' | '.join(padded)} |"


def _text(cell: Cell) -> str:
    match cell:
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.1f}" if cell >= 10 else f"{cell:.3f}" if cell < 1 else f"{cell:.2f}"
        case _:
            return cell


def verdict(value: float, bar: float | None) -> str:
    """Whether a value is within its bar, in words; None means that there is no bar."""
    if bar is None:
        return "-"
    return "met" if value <= bar else "NOT MET"
