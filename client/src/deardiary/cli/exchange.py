"""The commands of the package ``deardiary-exchange``, which is imported only for these."""

from collections.abc import Callable, Collection

from deardiary.cli.command import Subparsers
from deardiary.cli.failure import CommandFailed

# The extra of the package that each needs, and its help.
COMMANDS = {
    "export": ("", "write a project as Parquet and files"),
    "import": ("", "bring in an exported project, or runs of another tracker"),
    "replicate": ("", "copy what is new in a project to another server"),
    "mcp": ("[mcp]", "serve language-model agents"),
    "sql": ("[sql]", "query an export or a project in SQL"),
}


def add(commands: Subparsers, wanted: Collection[str]) -> None:
    """Add the wanted commands from their package. The others only have help."""
    for name, (_, about) in COMMANDS.items():
        found = _find(name) if name in wanted else None
        if found:
            found(commands)
        elif [*wanted] == [name]:
            raise CommandFailed(
                f'`deardiary {name}` needs: pip install "./exchange{COMMANDS[name][0]}" in a clone (docs/install.md)'
            )
        else:
            commands.add_parser(name, help=about)


def _find(name: str) -> Callable[[Subparsers], None] | None:
    from importlib.metadata import entry_points

    try:
        return next((each.load() for each in entry_points(group="deardiary.commands", name=name)), None)
    except ImportError:
        return None  # without the extra
