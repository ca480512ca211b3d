"""``ovsnp completion``."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "ovsnp"
_VARIABLE = "_OVSNP_COMPLETE"
"""The variable with which a shell asks ovsnp to complete a command line; click derives it from the program's name."""


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print a script with which a shell completes ovsnp's commands, options and files, and the names in its manifests.

    For the running bash: eval "$(ovsnp completion bash)"; for zsh, write zsh for bash. To keep it, add this line to
    ~/.bashrc or ~/.zshrc, in zsh after compinit. For fish: ovsnp completion fish >
    ~/.config/fish/completions/ovsnp.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click knows no {shell}")
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, _PROGRAM, _VARIABLE).source())
