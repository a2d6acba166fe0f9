"""Write event files with an unmodified tensorboardX, for `deardiary import tensorboard`."""

from __future__ import annotations

import math

import numpy
from tensorboardX import SummaryWriter

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def main() -> None:
    with SummaryWriter("runs/first") as writer:
        for step in (0, 1, 2, 5):
            writer.add_scalar("loss", 1.5 / (step + 1), step, START + step)
        for step, value in ((-3, 1.0), (0, math.nan), (1, math.inf), (2, -math.inf)):
            writer.add_scalar("odd", value, step, START + 10)
        writer.add_image("samples", numpy.zeros((3, 2, 2), numpy.uint8), 7, START + 11)
        writer.add_histogram("weights", numpy.array([1.0, 2.0, 2.0, 3.0]), 7, bins=3, walltime=START + 11)
        writer.add_text("notes", "seven", 7, START + 12)
        writer.add_scalars("both", {"train": 1.0, "test": 2.0}, 3, START + 13)
        writer.add_hparams({"rate": 0.1, "model": "deep", "on": True}, {"best": 0.5}, "trial", 14)
        writer.add_pr_curve("curve", numpy.array([0, 1, 1]), numpy.array([0.1, 0.8, 0.6]), 7, 127, None, START + 15)
    with SummaryWriter("runs/second") as writer:
        writer.add_scalar("loss", 0.1, 0, START + 20)
    print("{}")


main()
