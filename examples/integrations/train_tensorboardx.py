"""Log what tensorboardX's SummaryWriter writes: `python examples/integrations/train_tensorboardx.py`."""

import numpy as np
from tensorboardX import SummaryWriter

from deardiary.integrations import tensorboard as diary


def main() -> None:
    diary.autolog("Examples", "tensorboardx", tags=["demo"])
    with SummaryWriter("tensorboardx-runs") as writer:
        for step in range(10):
            writer.add_scalar("loss", 1 / (step + 1), step)
            writer.add_scalars("accuracy", {"train": step / 10, "valid": step / 20}, step)
        noise = np.random.default_rng(0).random((3, 8, 12))
        writer.add_image("noise", noise, 9)
        writer.add_histogram("values", noise, 9)
        writer.add_hparams({"lr": 0.1, "layers": 2}, {"final/loss": 0.1})


if __name__ == "__main__":
    main()
