"""The events of TensorBoard's files. TensorBoard's own reader brings gRPC and a web server, so this reads the format.

A file is a row of records: length, checksum of the length, content, checksum of the content. Lengths and contents are
checked by what they are: a whole message of an event.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from deardiary_exchange.origins.messages import classes

MESSAGES = {
    "Event": """
        1 wall_time double
        2 step int64
        3 file_version string ?what
        4 graph_def bytes ?what
        5 summary Summary ?what
    """,
    "Summary": "1 value Value *",
    "Value": """
        1 tag string
        2 simple_value float ?value
        4 image Image ?value
        5 histo HistogramProto ?value
        6 audio Audio ?value
        8 tensor TensorProto ?value
        9 metadata SummaryMetadata
    """,
    "SummaryMetadata": """
        1 plugin_data PluginData
        3 summary_description string
    """,
    "PluginData": """
        1 plugin_name string
        2 content bytes
    """,
    "Image": "4 encoded_image_string bytes",
    "Audio": "4 encoded_audio_string bytes",
    "HistogramProto": """
        1 min double
        2 max double
        6 bucket_limit double *
        7 bucket double *
    """,
    "TensorProto": """
        1 dtype int32
        2 tensor_shape TensorShapeProto
        4 tensor_content bytes
        5 float_val float *
        6 double_val double *
        7 int_val int32 *
        8 string_val bytes *
        10 int64_val int64 *
        11 bool_val bool *
    """,
    "TensorShapeProto": "2 dim Dim *",
    "Dim": "1 size int64",
}
# Of the plugin "hparams".
HPARAMS = {
    "HParamsPluginData": """
        3 session_start_info SessionStartInfo ?data
        4 session_end_info SessionEndInfo ?data
    """,
    "SessionStartInfo": """
        1 hparams HparamsEntry *
        4 group_name string
    """,
    "HparamsEntry": """
        1 key string
        2 value Value
    """,
    "SessionEndInfo": "1 status int32",
    "Value": """
        1 null_value int32 ?kind
        2 number_value double ?kind
        3 string_value string ?kind
        4 bool_value bool ?kind
    """,
}
_LENGTH, _CHECKSUM = struct.Struct("<QI"), 4
# A length beyond this is no length: the limit of a message of protobuf.
_LONGEST = 2**31


class Position(NamedTuple):
    """Where a value is, to be read again: the offset of its event in a file, and its number in the event."""

    path: Path
    offset: int
    number: int


class Damaged(Exception):
    def __init__(self, path: Path, offset: int) -> None:
        super().__init__(f"{path.name} is damaged after byte {offset}: the events after it")


def events(path: Path, offset: int = 0) -> Iterator[tuple[int, Any]]:
    """Each event with its offset. They end where the writer was interrupted; Damaged if there is more."""
    message = event_class()
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset)
        while True:
            offset = file.tell()
            head = file.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return
            length, _ = _LENGTH.unpack(head)
            if length >= _LONGEST:
                raise Damaged(path, offset)
            if file.tell() + length + _CHECKSUM > size:
                return
            content = file.read(length)
            file.seek(_CHECKSUM, 1)
            try:
                yield offset, message.FromString(content)
            except Exception as error:
                raise Damaged(path, offset) from error


def value_at(position: Position) -> Any:
    _, event = next(events(position.path, position.offset))
    return event.summary.value[position.number]


@cache
def event_class() -> Any:
    return classes("tensorboard", MESSAGES)["Event"]


@cache
def hparams_class() -> Any:
    return classes("tensorboard_hparams", HPARAMS)["HParamsPluginData"]
