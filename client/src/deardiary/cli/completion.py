"""``deardiary completion``: a script by which a shell completes commands and options."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deardiary.cli.command import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deardiary.cli.command import Subparsers

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
_deardiary() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" seen="" word at
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        case "$seen $word" in
            {paths}) seen="$seen $word" ;;
        esac
    done
    case "$seen" in
{cases}
    esac
}}
complete -o default -F _deardiary deardiary
"""
_BASH_CASE = '        "{path}") COMPREPLY=($(compgen -W "{words}" -- "$cur")) ;;'

_ZSH = """\
#compdef deardiary
_deardiary() {{
    local seen="" word
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$seen $word" in
            ({paths}) seen="$seen $word" ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    _files
}}
compdef _deardiary deardiary
"""
_ZSH_CASE = '        ("{path}") compadd -- {words} ;;'

_FISH = """\
function __deardiary_path
    set -l seen
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' $seen $word) {paths}
            set seen $seen $word
        end
    end
    string join ' ' $seen
end
{cases}
"""
_FISH_CASE = "complete -c deardiary -n 'test (__deardiary_path | string collect -a) = \"{path}\"' -a '{words}'"


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("completion", help="print a script that completes commands in your shell")
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(handler=completion, json=False, url=None)


def completion(call: Call) -> None:
    from deardiary.cli.main import parser

    print(script(call.given.shell, parser()), end="")


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    words = dict(_words(parser, ""))
    paths = [path for path in words if path]
    if shell == "bash":
        return _BASH.format(paths=_either(paths), cases=_cases(_BASH_CASE, words))
    if shell == "zsh":
        return _ZSH.format(paths=_either(paths), cases=_cases(_ZSH_CASE, words))
    bare = {path.strip(): each for path, each in words.items()}
    return _FISH.format(paths=" ".join(f"'{path}'" for path in bare if path), cases=_cases(_FISH_CASE, bare))


def commands(parser: argparse.ArgumentParser) -> list[str]:
    """What can be done, as "noun verb"."""
    paths = [path for path, _ in _words(parser, "")]
    return [path.strip() for path in paths if path and not any(each.startswith(f"{path} ") for each in paths)]


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, str]]:
    """For each command, as " noun verb", the words that may follow: its commands, its options, and fixed choices."""
    found: list[str] = []
    below: Mapping[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        found += action.option_strings
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            below = action.choices
            found += below
        elif action.choices and not action.option_strings:
            found += [str(each) for each in action.choices if each]
    yield path, " ".join(found)
    for name, each in below.items():
        yield from _words(each, f"{path} {name}")


def _either(paths: list[str]) -> str:
    return " | ".join(f'"{path}"' for path in paths)


def _cases(template: str, words: Mapping[str, str]) -> str:
    return "\n".join(template.format(path=path, words=each) for path, each in words.items())
