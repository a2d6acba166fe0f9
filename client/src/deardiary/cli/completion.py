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
    local cur="${{COMP_WORDS[COMP_CWORD]}}" seen="" word at words options
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        case "$seen $word" in
            {paths}) seen="$seen $word" ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    [[ "$cur" == -* ]] && words="$options"
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _deardiary deardiary
"""
_BASH_CASE = '        "{path}") words="{words}" options="{options}" ;;'

_ZSH = """\
#compdef deardiary
_deardiary() {{
    local seen="" word
    local -a words_ options
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$seen $word" in
            ({paths}) seen="$seen $word" ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    if [[ "$PREFIX" == -* ]]; then
        compadd -- $options
    elif (( $#words_ )); then
        compadd -- $words_
    else
        _files
    fi
}}
compdef _deardiary deardiary
"""
_ZSH_CASE = '        ("{path}") words_=({words}) options=({options}) ;;'

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
function __deardiary_option
    string match -q -- '-*' (commandline -ct)
end
{cases}
"""
_FISH_WORDS = """\
complete -c deardiary -f -n 'not __deardiary_option; and test "$(__deardiary_path)" = "{path}"' -a '{words}'\
"""
_FISH_OPTIONS = """\
complete -c deardiary -n '__deardiary_option; and test "$(__deardiary_path)" = "{path}"' -a '{options}'\
"""


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
    followed = {path: each for path, each in bare.items() if each[0]}
    cases = f"{_cases(_FISH_WORDS, followed)}\n{_cases(_FISH_OPTIONS, bare)}"
    return _FISH.format(paths=" ".join(f"'{path}'" for path in bare if path), cases=cases)


def commands(parser: argparse.ArgumentParser) -> list[str]:
    """What can be done, as "noun verb"."""
    paths = [path for path, _ in _words(parser, "")]
    return [path.strip() for path in paths if path and not any(each.startswith(f"{path} ") for each in paths)]


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """For each command, as " noun verb", what may follow: its commands and fixed choices, and its options.

    Files are left to the shell, where no word may follow. A noun alone is its `ls`.
    """
    found: list[str] = []
    options: list[str] = []
    below: Mapping[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        options += action.option_strings
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            below = action.choices
            found += below
        elif action.choices and not action.option_strings:
            found += [str(each) for each in action.choices if each]
    if "ls" in below:
        options += [each for action in below["ls"]._actions for each in action.option_strings]  # noqa: SLF001
    yield path, (" ".join(found), " ".join(dict.fromkeys(options)))
    for name, each in below.items():
        yield from _words(each, f"{path} {name}")


def _either(paths: list[str]) -> str:
    return " | ".join(f'"{path}"' for path in paths)


def _cases(template: str, words: Mapping[str, tuple[str, str]]) -> str:
    return "\n".join(
        template.format(path=path, words=found, options=options) for path, (found, options) in words.items()
    )
