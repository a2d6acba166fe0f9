"""``deardiary completion``: a shell script that completes commands, options, and names on the server."""

import argparse
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from deardiary.cli.command import Call, Subparsers
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.client import Client

SHELLS = ("bash", "zsh", "fish")
KINDS = ("project", "experiment", "model")
_MOST_NAMES, _NAMES_WITHIN_SECONDS = 500, 2.0

# The scripts count the names after the command, without the values of options.
_BASH = """\
_deardiary() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" seen="" word valued="" given=0 at words options kind position
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        [[ "$word" == "=" ]] && continue
        if [[ -n "$valued" ]]; then
            valued=""
            continue
        fi
        case "$seen $word" in
            {paths}) seen="$seen $word"; given=0; continue ;;
        esac
        case "$word" in
            {valued}) valued="$word" ;;
            -*) ;;
            *) given=$((given + 1)) ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    [[ -n "$valued" || "$given" != "$position" ]] && words="" kind=""
    case "$valued" in
{values}
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
_BASH_CASE = '        "{path}") words="{words}" options="{options}" kind="{kind}" position={position} ;;'
_BASH_VALUE = '        {option}) kind="{kind}" ;;'

_ZSH = """\
#compdef deardiary
_deardiary() {{
    local seen="" word kind="" valued="" given=0 position=0
    local -a words_ options
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        if [[ -n "$valued" ]]; then
            valued=""
            continue
        fi
        case "$seen $word" in
            ({paths}) seen="$seen $word"; given=0; continue ;;
        esac
        case "$word" in
            ({valued}) valued="$word" ;;
            (-*) ;;
            (*) given=$((given + 1)) ;;
        esac
    done
    case "$seen" in
{cases}
    esac
    if [[ -n "$valued" || "$given" != "$position" ]]; then
        words_=() kind=""
    fi
    case "$valued" in
{values}
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
_ZSH_CASE = '        ("{path}") words_=({words}) options=({options}) kind="{kind}" position={position} ;;'
_ZSH_VALUE = '        ({option}) kind="{kind}" ;;'

_FISH = """\
function __deardiary_at
    set -l seen
    set -l given 0
    set -l valued
    for word in (commandline -opc)[2..-1]
        if test -n "$valued"
            set valued
        else if contains -- (string join -- ' ' $seen $word) {paths}
            set seen $seen $word
            set given 0
        else if contains -- $word {valued}
            set valued $word
        else if not string match -q -- '-*' $word
            set given (math $given + 1)
        end
    end
    if test -n "$valued"
        echo "$valued/"
    else
        echo "$seen/$given"
    end
end
function __deardiary_option
    string match -q -- '-*' (commandline -ct)
end
{cases}
"""
_FISH_WORDS = """\
complete -c deardiary -f -n 'not __deardiary_option; and test "$(__deardiary_at)" = "{path}/{position}"' -a '{words}'\
"""
_FISH_NAMES = """\
complete -c deardiary -f -n 'not __deardiary_option; and test "$(__deardiary_at)" = "{path}/{position}"' \
    -a '(deardiary completion --names {kind} 2>/dev/null)'\
"""
_FISH_VALUE = """\
complete -c deardiary -f -n 'test "$(__deardiary_at)" = "{option}/"' \
    -a '(deardiary completion --names {kind} 2>/dev/null)'\
"""
_FISH_OPTIONS = """\
complete -c deardiary -n '__deardiary_option; and string match -q -- "{path}/*" "$(__deardiary_at)"' -a '{options}'\
"""


class _Follows(NamedTuple):
    """The words that may follow a command, its options, or a kind of name; ``position`` counts the names before."""

    words: str
    options: str
    kind: str
    position: int


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("completion", help="print a script that completes commands in your shell")
    parser.add_argument("shell", nargs="?", choices=SHELLS, help="the shell for the script")
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
    follows = dict(_words(parser, ""))
    paths, valued = [path for path in follows if path], _valued(parser)
    if shell == "fish":
        return _FISH.format(
            paths=" ".join(f"'{path.strip()}'" for path in paths), valued=" ".join(valued), cases=_fish_cases(follows)
        )
    template, case, value = (_BASH, _BASH_CASE, _BASH_VALUE) if shell == "bash" else (_ZSH, _ZSH_CASE, _ZSH_VALUE)
    return template.format(
        paths=" | ".join(f'"{path}"' for path in paths),
        valued=" | ".join(valued),
        cases=_cases(case, follows),
        values=_values(value),
    )


def _fish_cases(follows: Mapping[str, _Follows]) -> str:
    bare = {path.strip(): each for path, each in follows.items()}
    words = _cases(_FISH_WORDS, {path: each for path, each in bare.items() if each.words})
    names = _cases(_FISH_NAMES, {path: each for path, each in bare.items() if each.kind and not each.words})
    return "\n".join((words, names, _values(_FISH_VALUE), _cases(_FISH_OPTIONS, bare)))


def commands(parser: argparse.ArgumentParser) -> list[str]:
    paths = [path for path, _ in _words(parser, "")]
    return [path.strip() for path in paths if path and not any(each.startswith(f"{path} ") for each in paths)]


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, _Follows]]:
    """For each command, as " noun verb", what may follow. The shell completes files where no word may follow.

    A noun alone is its `ls`.
    """
    below = next((each.choices for each in _actions(parser) if isinstance(each, argparse._SubParsersAction)), {})  # noqa: SLF001
    listed = _actions(below["ls"]) if "ls" in below else []
    options = [option for action in [*_actions(parser), *listed] for option in action.option_strings]
    words, kind, position = (" ".join(below), "", 0) if below else _named(parser)
    yield path, _Follows(words, " ".join(dict.fromkeys(options)), kind, position)
    for name, each in below.items():
        yield from _words(each, f"{path} {name}")


def _named(parser: argparse.ArgumentParser) -> tuple[str, str, int]:
    """The choices or the kind of the first positional argument that can be completed, and its position."""
    for position, action in enumerate(each for each in _actions(parser) if not each.option_strings):
        kind = str(action.metavar).lower()
        if action.choices or kind in KINDS:
            return " ".join(str(each) for each in action.choices or () if each), kind if kind in KINDS else "", position
    return "", "", 0


def _valued(parser: argparse.ArgumentParser) -> list[str]:
    found: dict[str, None] = {}
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            found.update((option, None) for each in action.choices.values() for option in _valued(each))
        elif action.nargs != 0:
            found.update(dict.fromkeys(action.option_strings))
    return list(found)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public name for them


def _cases(template: str, follows: Mapping[str, _Follows]) -> str:
    return "\n".join(template.format(path=path, **each._asdict()) for path, each in follows.items())


def _values(template: str) -> str:
    """Options whose value is a name: --project, --experiment, --model."""
    return "\n".join(template.format(option=f"--{kind}", kind=kind) for kind in KINDS)
