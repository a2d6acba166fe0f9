"""Train a tiny BERT of random weights, and log it: `python examples/integrations/train_transformers.py`."""

import os

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

import deardiary.integrations.transformers  # noqa: F401 - it makes report_to="deardiary" known

os.environ.setdefault("DEARDIARY_PROJECT", "Examples")
os.environ.setdefault("DEARDIARY_EXPERIMENT", "transformers")


class Tokens(torch.utils.data.Dataset):
    """Random tokens: the label says whether the first one is large."""

    def __len__(self):
        return 32

    def __getitem__(self, index):
        tokens = torch.randint(0, 50, (8,), generator=torch.Generator().manual_seed(index))
        return {"input_ids": tokens, "labels": (tokens[0] > 25).long()}


def main() -> None:
    config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    arguments = TrainingArguments(
        "trainer-output",
        num_train_epochs=2,
        logging_steps=1,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="deardiary",
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(BertForSequenceClassification(config), arguments, train_dataset=Tokens(), eval_dataset=Tokens())
    trainer.train()
    trainer.evaluate(metric_key_prefix="final")


if __name__ == "__main__":
    main()
