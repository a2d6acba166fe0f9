"""Fit a line with Accelerate, and log it: `python examples/integrations/train_accelerate.py`."""

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset

from deardiary.integrations.accelerate import DearDiaryTracker


def main() -> None:
    torch.manual_seed(0)
    features = torch.randn(64, 4)
    loader = DataLoader(TensorDataset(features, features[:, :1]), batch_size=16)
    model = torch.nn.Linear(4, 1)
    settings = {"lr": 0.05, "epochs": 3}
    optimizer = torch.optim.SGD(model.parameters(), lr=settings["lr"])
    accelerator = Accelerator(cpu=True, log_with=DearDiaryTracker("Examples", "accelerate", tags=["demo"]))
    accelerator.init_trackers("Examples", config=settings)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    step = 0
    for _ in range(settings["epochs"]):
        for batch, target in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(batch), target)
            accelerator.backward(loss)
            optimizer.step()
            accelerator.log({"loss": loss}, step=step)
            step += 1
    accelerator.end_training()


if __name__ == "__main__":
    main()
