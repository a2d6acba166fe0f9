"""Classify squares by colour with a small YOLO, and log it: `python examples/integrations/train_ultralytics.py`."""

from pathlib import Path

import numpy as np
from PIL import Image
from ultralytics import YOLO

from deardiary.integrations.ultralytics import add_callbacks

DATA = Path("squares").absolute()


def draw() -> None:
    """Write a few noisy red and blue images of 32 by 32 pixels."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for name, channel in (("red", 0), ("blue", 2)):
            folder = DATA / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(8):
                pixels = random.integers(0, 60, (32, 32, 3), dtype=np.uint8)
                pixels[..., channel] += 180
                Image.fromarray(pixels).save(folder / f"{index}.png")


def main() -> None:
    draw()
    model = YOLO("yolo11n-cls.yaml")
    add_callbacks(model, "Examples", "ultralytics", log_checkpoints=True, tags=["demo"])
    model.train(data=str(DATA), epochs=2, imgsz=32, batch=8, workers=0, device="cpu", plots=False, project="yolo-runs")


if __name__ == "__main__":
    main()
