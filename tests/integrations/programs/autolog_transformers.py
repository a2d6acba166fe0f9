"""Train a tiny BERT of random weights with the Trainer of Transformers, which reports to MLflow."""

import json

import mlflow
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

mlflow.set_experiment("autolog of transformers")


class Random(torch.utils.data.Dataset):
    def __len__(self):
        return 32

    def __getitem__(self, index):
        torch.manual_seed(index)
        return {"input_ids": torch.randint(0, 50, (8,)), "labels": torch.tensor(index % 2)}


sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
model = BertForSequenceClassification(BertConfig(vocab_size=50, **sizes))
given = {"num_train_epochs": 1, "logging_steps": 1, "save_strategy": "no", "report_to": "mlflow", "use_cpu": True}
Trainer(model, TrainingArguments("output", disable_tqdm=True, **given), train_dataset=Random()).train()
mlflow.end_run()

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
