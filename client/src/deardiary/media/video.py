"""Video: files and bytes as they are."""

from typing import Any

from deardiary.media.encoded import Encoded, given

_KINDS = {b"GIF8": ".gif", b"\x1aE\xdf\xa3": ".webm"}
_MP4_MARK = slice(4, 8)


def encode(video: Any, form: str | None = None) -> Encoded:
    """The video as a file. TypeError for other values: an encoder such as imageio makes a file of frames."""
    if isinstance(video, (bytes, bytearray)) and form is None and video[_MP4_MARK] == b"ftyp":
        form = "mp4"
    found = given("video", video, form, _KINDS)
    if found is None:
        raise TypeError(f"A video is a path or bytes, not {type(video).__name__}; imageio writes frames into a file")
    return found
