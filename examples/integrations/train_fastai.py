"""Fit a line with fastai, and log it: `python examples/integrations/train_fastai.py`."""

import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.metrics import mse
from torch.utils.data import TensorDataset

from deardiary.integrations.fastai import DearDiaryCallback


def main() -> None:
    torch.manual_seed(0)
    features = torch.randn(64, 4)
    data = TensorDataset(features, features[:, :1])
    loaders = DataLoaders.from_dsets(data, data, bs=16, device=torch.device("cpu"))
    callback = DearDiaryCallback("Examples", "fastai", log_model=True, tags=["demo"])
    learner = Learner(loaders, torch.nn.Linear(4, 1), loss_func=torch.nn.functional.mse_loss, metrics=mse, cbs=callback)
    learner.fit(3, lr=0.05)


if __name__ == "__main__":
    main()
