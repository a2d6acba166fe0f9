"""Messages of protobuf, declared by the fields that an importer reads.

The generated classes would need the whole tracker. Fields that are not declared are skipped, so that files of older and
newer versions of a tracker are read alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deardiary_exchange.origins.origin import OriginFailed

if TYPE_CHECKING:
    from collections.abc import Mapping


def classes(package: str, declared: Mapping[str, str]) -> dict[str, Any]:
    """Message classes by name.

    A declaration has a field in each line: number, name, type, ``*`` if it is repeated, and ``?NAME`` if it is one of
    the fields of which only one is set. OriginFailed if protobuf is not installed.
    """
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError:
        raise OriginFailed(f"Files of {package} need: pip install protobuf") from None
    file = descriptor_pb2.FileDescriptorProto(name=f"deardiary/{package}.proto", package=package, syntax="proto3")
    for name, fields in declared.items():
        message = file.message_type.add(name=name)
        choices: list[str] = []
        for line in filter(None, map(str.strip, fields.splitlines())):
            _declare(message.field.add(), line.split(), package, choices)
        for choice in choices:
            message.oneof_decl.add(name=choice)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in declared}


def _declare(field: Any, words: list[str], package: str, choices: list[str]) -> None:
    number, field.name, kind, *more = words
    field.number = int(number)
    field.label = field.LABEL_REPEATED if "*" in more else field.LABEL_OPTIONAL
    if kind[0].isupper():
        field.type, field.type_name = field.TYPE_MESSAGE, f".{package}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    for choice in (word[1:] for word in more if word.startswith("?")):
        if choice not in choices:
            choices.append(choice)
        field.oneof_index = choices.index(choice)
