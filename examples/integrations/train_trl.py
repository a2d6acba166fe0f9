"""Fine-tune a tiny GPT of random weights with TRL, and log it: `python examples/integrations/train_trl.py`."""

from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from deardiary.integrations.transformers import DearDiaryCallback

WORDS = ["<pad>", "<eos>", "<unk>", *(f"word{number}" for number in range(40))]


def tokenizer() -> PreTrainedTokenizerFast:
    """One token for each word, without a download."""
    split = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    split.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=split, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def main() -> None:
    callback = DearDiaryCallback("Examples", "trl", log_checkpoints=True, tags=["demo"])
    texts = [" ".join(f"word{(start + index) % 40}" for index in range(8)) for start in range(16)]
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(WORDS), n_embd=16, n_layer=1, n_head=2, n_positions=64))
    arguments = SFTConfig(
        "trl-output",
        max_steps=3,
        logging_steps=1,
        save_steps=3,
        report_to="none",
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
    )
    SFTTrainer(
        model,
        args=arguments,
        train_dataset=Dataset.from_dict({"text": texts}),
        processing_class=tokenizer(),
        callbacks=[callback],
    ).train()


if __name__ == "__main__":
    main()
