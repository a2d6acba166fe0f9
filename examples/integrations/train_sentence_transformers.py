"""Train tiny embeddings, and log them: `python examples/integrations/train_sentence_transformers.py`."""

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    losses,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from deardiary.integrations.transformers import DearDiaryCallback

WORDS = ["<pad>", "<eos>", "<unk>", *(f"word{number}" for number in range(40))]


def write_model(folder: str) -> None:
    """A BERT of random weights with a token for each word, without a download."""
    split = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    split.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=split, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(WORDS), **sizes)).save_pretrained(folder)


def main() -> None:
    write_model("tiny-bert")
    model = SentenceTransformer("tiny-bert")
    texts = [f"word{number} word{number + 1}" for number in range(16)]
    pairs = Dataset.from_dict({"anchor": texts, "positive": texts[1:] + texts[:1]})
    arguments = SentenceTransformerTrainingArguments(
        "embeddings-output",
        max_steps=3,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    )
    SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=pairs,
        loss=losses.MultipleNegativesRankingLoss(model),
        callbacks=[DearDiaryCallback("Examples", "sentence_transformers", tags=["demo"])],
    ).train()


if __name__ == "__main__":
    main()
