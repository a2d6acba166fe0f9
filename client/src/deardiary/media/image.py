"""Images: files, bytes, Pillow images, arrays and tensors."""

import io
from typing import Any

from deardiary.media import png
from deardiary.media.encoded import Encoded, given

_KINDS = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"RIFF": ".webp",
    b"BM": ".bmp",
    b"<svg": ".svg",
    b"<?xml": ".svg",
}
_CHANNELS = (1, 2, 3, 4)


def encode(image: Any, form: str | None = None) -> Encoded:
    """The image as a file.

    Arrays and tensors have the shape (height, width) or with 1 to 4 channels, last or first: grey, grey and alpha,
    RGB, RGB and alpha. Floats are from 0 to 1, integers from 0 to 255, and values outside are cut to that. TypeError
    for other values, ValueError for other shapes.
    """
    found = given("image", image, form, _KINDS)
    if found is not None:
        return found
    if hasattr(image, "save") and hasattr(image, "tobytes") and hasattr(image, "mode"):
        return _of_pillow(image)
    if hasattr(image, "__array__") or hasattr(image, "detach"):
        return Encoded(_of_array(image), ".png")
    raise TypeError(f"An image is a path, bytes, a Pillow image, an array or a tensor, not {type(image).__name__}")


def _of_pillow(image: Any) -> Encoded:
    buffer = io.BytesIO()
    # PNG has no form for these modes, such as CMYK.
    fits = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I")
    (image if fits else image.convert("RGB")).save(buffer, format="PNG")
    return Encoded(buffer.getvalue(), ".png")


def _of_array(image: Any) -> bytes:
    is_tensor = hasattr(image, "detach")
    values = as_array(image)
    if values.ndim == 2:
        values, is_tensor = values[:, :, None], False
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(f"An image has the shape (height, width) or with 1 to 4 channels, not {values.shape}")
    first, last = values.shape[0] in _CHANNELS, values.shape[2] in _CHANNELS
    # PyTorch has channels first, NumPy and the rest have them last.
    if first and (is_tensor or not last):
        values = values.transpose(1, 2, 0)
    elif not last:
        raise ValueError(f"An image has 1 to 4 channels, first or last; its shape is {values.shape}")
    height, width, channels = values.shape
    return png.encode(_as_bytes(values), width, height, channels)


def as_array(values: Any) -> Any:
    """A NumPy array of an array or tensor on any device, without its gradient."""
    import numpy as np

    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has no such type
            values = values.float()
    return np.asarray(values)


def _as_bytes(values: Any) -> bytes:
    import numpy as np

    if values.dtype.kind in "fc":
        values = np.nan_to_num(np.real(values).astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0) * 255 + 0.5
    elif values.dtype.kind == "b":
        values = values.astype(np.uint8) * 255
    pixels: bytes = np.clip(values, 0, 255).astype(np.uint8).tobytes()
    return pixels
