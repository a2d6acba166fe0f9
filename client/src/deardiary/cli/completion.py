"""``deardiary completion``: a script by which a shell completes commands, options, and names on the server."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import TYPE_CHECKING

from deardiary.cli.command import Call
from deardiary.cli.failure import USAGE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deardiary.cli.command import Subparsers
    from deardiary.client import Client

SHELLS = ("bash", "zsh", "fish")
KINDS = ("project", "experiment", "model")
_MOST_NAMES, _NAMES_WITHIN_SECONDS = 500, 2.0

_BASH = """\
_deardiary() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" seen="" word at words options kind
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        case "$seen $word" in
            {paths}) seen="$seen $word" ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    if [[ -n "$kind" && "$cur" != -* ]]; then
        local IFS=$'\\n'
        COMPREPLY=($(compgen -W "$(deardiary completion --names "$kind" 2>/dev/null)" -- "$cur"))
        COMPREPLY=("${{COMPREPLY[@]// /\\\\ }}")
        return
    fi
    [[ "$cur" == -* ]] && words="$options"
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _deardiary deardiary
"""
_BASH_CASE = '        "{path}") words="{words}" options="{options}" kind="{kind}" ;;'

_ZSH = """\
#compdef deardiary
_deardiary() {{
    local seen="" word kind=""
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
    elif [[ -n "$kind" ]]; then
        compadd -- "${{(@f)$(deardiary completion --names "$kind" 2>/dev/null)}}"
    elif (( $#words_ )); then
        compadd -- $words_
    else
        _files
    fi
}}
compdef _deardiary deardiary
"""
_ZSH_CASE = '        ("{path}") words_=({words}) options=({options}) kind="{kind}" ;;'

_FISH = """\
function __deardiary_path
    set -l seen
    for word in (commandline -opc)[2..-1]
        if contains -- (string join -- ' ' $seen $word) {paths}
            set seen $seen $word
        end
    end
    string join -- ' ' $seen
end
function __deardiary_option
    string match -q -- '-*' (commandline -ct)
end
{cases}
"""
_FISH_WORDS = """\
complete -c deardiary -f -n 'not __deardiary_option; and test "$(__deardiary_path)" = "{path}"' -a '{words}'\
"""
_FISH_NAMES = """\
complete -c deardiary -f -n 'not __deardiary_option; and test "$(__deardiary_path)" = "{path}"' \
    -a '(deardiary completion --names {kind} 2>/dev/null)'\
"""
_FISH_OPTIONS = """\
complete -c deardiary -n '__deardiary_option; and test "$(__deardiary_path)" = "{path}"' -a '{options}'\
"""


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("completion", help="print a script that completes commands in your shell")
    parser.add_argument("shell", nargs="?", choices=SHELLS, help="the shell that is to read the script")
    parser.add_argument("--names", choices=KINDS, help="print the names that may follow, for the script itself")
    parser.set_defaults(handler=completion, json=False, url=None)


def completion(call: Call) -> None:
    if call.given.names:
        for name in islice(_names(call.client.with_deadline(_NAMES_WITHIN_SECONDS), call.given.names), _MOST_NAMES):
            call.output.say(name)
    elif call.given.shell:
        print(script(call.given.shell, call.parser), end="")
    else:
        raise CommandFailed(f"Name a shell: {', '.join(SHELLS)}", USAGE)


def _names(client: Client, kind: str) -> Iterator[str]:
    """Projects by name, experiments and models as PROJECT/NAME."""
    for project in client.projects.list():
        if kind == "project":
            yield project.name
        else:
            owned = client.experiments.list(project.id) if kind == "experiment" else client.models.list(project.id)
            yield from (f"{project.name}/{each.name}" for each in owned)


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    words = dict(_words(parser, ""))
    paths = [path for path in words if path]
    if shell == "bash":
        return _BASH.format(paths=_either(paths), cases=_cases(_BASH_CASE, words))
    if shell == "zsh":
        return _ZSH.format(paths=_either(paths), cases=_cases(_ZSH_CASE, words))
    bare = {path.strip(): each for path, each in words.items()}
    followed = {path: each for path, each in bare.items() if each[0]}
    named = {path: each for path, each in bare.items() if each[2] and not each[0]}
    parts = ((_FISH_WORDS, followed), (_FISH_NAMES, named), (_FISH_OPTIONS, bare))
    cases = "\n".join(_cases(template, each) for template, each in parts)
    return _FISH.format(paths=" ".join(f"'{path}'" for path in bare if path), cases=cases)


def commands(parser: argparse.ArgumentParser) -> list[str]:
    """What can be done, as "noun verb"."""
    paths = [path for path, _ in _words(parser, "")]
    return [path.strip() for path in paths if path and not any(each.startswith(f"{path} ") for each in paths)]


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """For each command, as " noun verb", what may follow: its commands and fixed choices, its options, a kind of name.

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
    yield path, (" ".join(found), " ".join(dict.fromkeys(options)), "" if below else _kind(parser))
    for name, each in below.items():
        yield from _words(each, f"{path} {name}")


def _kind(parser: argparse.ArgumentParser) -> str:
    """The kind of the first name that can be completed among those that the command takes, "" if there is none."""
    positional = (each for each in parser._actions if not each.option_strings)  # noqa: SLF001
    kinds = (str(each.metavar).lower() for each in positional)
    return next((kind for kind in kinds if kind in KINDS), "")


def _either(paths: list[str]) -> str:
    return " | ".join(f'"{path}"' for path in paths)


def _cases(template: str, words: Mapping[str, tuple[str, str, str]]) -> str:
    return "\n".join(
        template.format(path=path, words=found, options=options, kind=kind)
        for path, (found, options, kind) in words.items()
    )
