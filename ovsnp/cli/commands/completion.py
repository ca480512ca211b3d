"""``ovsnp completion``."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "ovsnp"
_VARIABLE = "_OVSNP_COMPLETE"
"""What tells ovsnp that a shell asks how a command line goes on (click derives the name from the program's)."""


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete the commands, options and files of ovsnp, and the names in its manifests.

    For this bash or zsh: eval "$(ovsnp completion bash)", or zsh; to keep it, write that into ~/.bashrc or ~/.zshrc,
    in zsh behind compinit. For fish: ovsnp completion fish > ~/.config/fish/completions/ovsnp.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click knows no {shell}")
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, _PROGRAM, _VARIABLE).source())
