"""Makes tiny readers of three families: their tokenizers with a vocabulary of letters, and random weights.

Everything is made at run time, and always the same, so that converted models can be kept between runs.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

FAMILIES = ("bert", "roberta", "deberta")
WORDS = ("the", "bread", "captain", "of", "is")
# Of one window of the tiny models, special tokens included.
MAX_TOKENS = 64


def bert_tokenizer() -> Tokenizer:
    """Return WordPiece without case and accents."""
    letters = string.ascii_lowercase + string.digits
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *WORDS, *string.punctuation, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(models.WordPiece(_numbered(vocabulary), unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = _pairs(vocabulary)
    return tokenizer


def roberta_tokenizer() -> Tokenizer:
    """Return byte pairs, with the space before a word part of it."""
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("Ġ", "b"), ("i", "s"), ("Ġ", "is"), ("Ġ", "Ġ")]
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = _numbered([*special, *bytes_, *("".join(merge) for merge in merges)])
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def deberta_tokenizer() -> Tokenizer:
    """Return SentencePiece's unigrams, with the space before a word part of it or a token of its own."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    letters = string.ascii_letters + string.digits + string.punctuation
    pieces = [*((f"▁{word}", -2.0) for word in WORDS), ("▁", -3.0), *((letter, -5.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram([*((name, 0.0) for name in special), *pieces], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "),
            normalizers.NFC(),
            normalizers.Strip(left=False, right=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = _pairs(special)
    return tokenizer


def tokenizer_of(family: str) -> Tokenizer:
    """Return a family's tokenizer, which neither pads nor truncates."""
    makers = {"bert": bert_tokenizer, "roberta": roberta_tokenizer, "deberta": deberta_tokenizer}
    return makers[family]()


def save_reader(family: str, folder: Path, *, head: bool = True, hidden_size: int = 16) -> Path:
    """Write a random checkpoint as transformers does; without ``head`` it knows nothing of answers."""
    import torch
    import transformers

    tokenizer = tokenizer_of(family)
    kind = {"bert": "Bert", "roberta": "Roberta", "deberta": "DebertaV2"}[family]
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=hidden_size,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden_size,
        initializer_range=0.5,  # so that random weights tell tokens apart
        **_CONFIGS[family],
    )
    torch.manual_seed(0)
    made = getattr(transformers, f"{kind}ForQuestionAnswering" if head else f"{kind}Model")
    made(config).save_pretrained(folder)
    names = dict(zip(("cls_token", "sep_token", "pad_token"), _SPECIAL[family], strict=True))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=MAX_TOKENS, **names
    ).save_pretrained(folder)
    return folder


_SPECIAL = {
    "bert": ("[CLS]", "[SEP]", "[PAD]"),
    "roberta": ("<s>", "</s>", "<pad>"),
    "deberta": ("[CLS]", "[SEP]", "[PAD]"),
}
_CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {"max_position_embeddings": MAX_TOKENS},
    "roberta": {
        "max_position_embeddings": MAX_TOKENS + 2,
        "type_vocab_size": 1,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
    },
    # As DeBERTa v3: what stands where is told by distances alone, those far apart in buckets.
    "deberta": {
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_biased_input": False,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 256,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pad_token_id": 0,
    },
}


def _numbered(vocabulary: list[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(vocabulary)}


def _pairs(vocabulary: list[str]) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary.index(token)) for token in ("[CLS]", "[SEP]")],
    )
