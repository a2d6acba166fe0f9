"""Print the fields of the messages of W&B and TensorBoard: name, number and kind by message."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from tensorboardX.proto import event_pb2, plugin_hparams_pb2
from wandb.proto import wandb_internal_pb2

KINDS = {getattr(FieldDescriptor, name): name[5:].lower() for name in dir(FieldDescriptor) if name.startswith("TYPE_")}


def fields(message: Any, found: dict[str, dict[str, list[Any]]]) -> dict[str, dict[str, list[Any]]]:
    if message.name not in found:
        found[message.name] = {}
        for field in message.fields:
            kind = field.message_type.name if field.message_type else KINDS[field.type]
            found[message.name][field.name] = [field.number, "int32" if kind == "enum" else kind]
            if field.message_type:
                fields(field.message_type, found)
    return found


print(
    json.dumps(
        {
            "wandb": fields(wandb_internal_pb2.Record.DESCRIPTOR, {}),
            "events": fields(event_pb2.Event.DESCRIPTOR, {}),
            "hparams": fields(plugin_hparams_pb2.HParamsPluginData.DESCRIPTOR, {}),
        }
    )
)
