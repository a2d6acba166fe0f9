"""Train with Lightning, which MLflow logs by itself."""

import json

import lightning
import mlflow
import torch
from torch.utils.data import DataLoader, TensorDataset

mlflow.set_experiment("autolog of lightning")


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, _index):
        features, target = batch
        loss = torch.nn.functional.mse_loss(self.layer(features), target)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


mlflow.pytorch.autolog()
torch.manual_seed(0)
features = torch.randn(64, 4)
loader = DataLoader(TensorDataset(features, features[:, :1]), batch_size=16)
quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
lightning.Trainer(max_epochs=2, accelerator="cpu", **quiet).fit(Line(), loader)

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
