"""Fit a line with Lightning, and log it: `python examples/integrations/train_lightning.py`."""

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from deardiary.integrations.lightning import DearDiaryLogger


class Line(lightning.LightningModule):
    def __init__(self, lr: float = 0.05) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, index):
        features, target = batch
        loss = torch.nn.functional.mse_loss(self.layer(features), target)
        self.log("train_loss", loss)
        return loss

    def test_step(self, batch, index):
        features, target = batch
        self.log("test_loss", torch.nn.functional.mse_loss(self.layer(features), target))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


def main() -> None:
    torch.manual_seed(0)
    features = torch.randn(64, 4)
    loader = DataLoader(TensorDataset(features, features[:, :1]), batch_size=16)
    logger = DearDiaryLogger("Examples", "lightning", log_checkpoints=True, tags=["demo"])
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=logger, log_every_n_steps=1, enable_progress_bar=False
    )
    model = Line()
    trainer.fit(model, loader)
    trainer.test(model, loader)


if __name__ == "__main__":
    main()
