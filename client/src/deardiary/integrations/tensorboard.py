"""Log what TensorBoard's SummaryWriter writes, that of PyTorch and that of tensorboardX.

After ``autolog("Iris", "sweep")`` every writer logs here, and still writes its files.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from deardiary.integrations._run import Run
from deardiary.media.image import as_array
from deardiary.tracking.iteration import ActiveIteration

# Receives the run, and the arguments of a writer's method by their names.
Log = Callable[[Run, dict[str, Any]], object]

_log = logging.getLogger(__name__)
_state: dict[str, Any] = {"run": None}
_open: weakref.WeakSet[Any] = weakref.WeakSet()  # the writers that have logged and are not closed


def autolog(
    project: str | None = None,
    experiment: str | None = None,
    *,
    iteration: ActiveIteration | None = None,
    **options: Any,
) -> None:
    """From now on log the scalars, hyperparameters, images, figures, histograms and texts of each SummaryWriter.

    The iteration begins with the first value, and ends when the last open writer is closed: FAILED if a ``with`` block
    of a writer raises. ``options`` are those of `deardiary.start`. ImportError if neither package has a writer.
    """
    writers = list(_writers())
    if not writers:
        raise ImportError("Neither torch with tensorboard nor tensorboardX is installed")
    _state["run"] = Run(project, experiment, iteration=iteration, **options)
    for writer in writers:
        for name, log in _LOGS.items():
            _wrap(writer, name, log)


def stop() -> None:
    """Log nothing more of any writer."""
    _state["run"] = None


def _writers() -> Iterator[type]:
    for name in ("torch.utils.tensorboard", "tensorboardX"):
        try:
            yield importlib.import_module(name).SummaryWriter
        except ImportError:
            continue


def _wrap(writer: type, name: str, log: Log) -> None:
    original = getattr(writer, name)
    if hasattr(original, "logs_here"):
        return
    signature = inspect.signature(original)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _state["run"] is not None:
            try:
                log(_state["run"], signature.bind(*args, **kwargs).arguments)
            except (TypeError, ValueError) as error:
                _log.warning("A value of %s is not logged: %s", name, error)
        return original(*args, **kwargs)

    call.logs_here = True  # type: ignore[attr-defined]
    setattr(writer, name, call)


def _enter(run: Run, given: dict[str, Any]) -> int | None:
    """Begin the iteration if no writer is open. Return the step."""
    if not _open:
        run.begin()
    _open.add(given["self"])
    step = given.get("global_step")
    return None if step is None else int(step)


def _scalar(run: Run, given: dict[str, Any]) -> None:
    step = _enter(run, given)
    run.log({given["tag"]: given["scalar_value"]}, step)


def _scalars(run: Run, given: dict[str, Any]) -> None:
    step = _enter(run, given)
    run.log({f"{given['main_tag']}/{tag}": value for tag, value in given["tag_scalar_dict"].items()}, step)


def _hyperparameters(run: Run, given: dict[str, Any]) -> None:
    # The writer logs the metrics by a writer of their own.
    _enter(run, given)
    run.parameters(given["hparam_dict"])


def _images(run: Run, given: dict[str, Any]) -> None:
    form = given.get("dataformats", "NCHW")
    each = form.replace("N", "")
    images = given["img_tensor"] if "N" in form else [given["img_tensor"]]
    _media(run, given, "log_image", [_channels_last(image, each) for image in images])


def _image(run: Run, given: dict[str, Any]) -> None:
    _media(run, given, "log_image", _channels_last(given["img_tensor"], given.get("dataformats", "CHW")))


def _channels_last(image: Any, form: str) -> Any:
    """Return the image as (height, width, channels); both kinds of writers need NumPy."""
    return as_array(image).transpose([form.index(axis) for axis in "HWC" if axis in form])


def _media(run: Run, given: dict[str, Any], method: str, value: Any) -> None:
    step = _enter(run, given)
    getattr(run.active, method)(given["tag"], value, step)


def _leave(run: Run, given: dict[str, Any]) -> None:
    error = given["exc_val"]
    if error is not None:
        run.finish(error)
        _open.clear()


def _close(run: Run, given: dict[str, Any]) -> None:
    if given["self"] in _open:
        _open.discard(given["self"])
        if not _open:
            run.finish()


_LOGS: dict[str, Log] = {
    "add_scalar": _scalar,
    "add_scalars": _scalars,
    "add_hparams": _hyperparameters,
    "add_image": _image,
    "add_images": _images,
    "add_figure": lambda run, given: _media(run, given, "log_figure", given["figure"]),
    "add_histogram": lambda run, given: _media(run, given, "log_histogram", given["values"]),
    "add_text": lambda run, given: _media(run, given, "log_text", given["text_string"]),
    "__exit__": _leave,
    "close": _close,
}
