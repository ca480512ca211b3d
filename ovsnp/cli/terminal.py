"""What is printed for people."""

from rich.console import Console


class Terminal(Console):
    """Standard output, in colour where it is a terminal."""

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: rich would make 1 of that, which is an answer here."""
        raise BrokenPipeError
