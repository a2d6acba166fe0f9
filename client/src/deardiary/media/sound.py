"""Sound: files and bytes as they are, arrays as WAV of 16 bits."""

import io
import wave
from typing import Any

from deardiary.media.encoded import Encoded, given
from deardiary.media.image import as_array

_KINDS = {b"RIFF": ".wav", b"ID3": ".mp3", b"\xff\xfb": ".mp3", b"OggS": ".ogg", b"fLaC": ".flac"}
_SAMPLE_BYTES, _LOUDEST = 2, 32767


def encode(sound: Any, sample_rate: int | None = None, form: str | None = None) -> Encoded:
    """The sound as a file.

    Arrays and tensors have the shape (samples,) or (samples, channels), floats from -1 to 1 or 16-bit integers, and
    need their ``sample_rate`` in hertz. TypeError for other values, ValueError for other shapes.
    """
    found = given("sound", sound, form, _KINDS)
    if found is not None:
        return found
    if not (hasattr(sound, "__array__") or hasattr(sound, "detach")):
        raise TypeError(f"A sound is a path, bytes, an array or a tensor, not {type(sound).__name__}")
    if not sample_rate or sample_rate < 1:
        raise ValueError("An array needs the sample_rate of its sound, in hertz")
    return Encoded(_wav(as_array(sound), int(sample_rate)), ".wav")


def _wav(samples: Any, sample_rate: int) -> bytes:
    import numpy as np

    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or not 1 <= samples.shape[1] <= 16:
        raise ValueError(f"A sound has the shape (samples,) or (samples, channels), not {samples.shape}")
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(np.clip(samples, -1.0, 1.0)) * _LOUDEST
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(sample_rate)
        file.writeframes(np.clip(samples, -_LOUDEST - 1, _LOUDEST).astype("<i2").tobytes())
    return buffer.getvalue()
