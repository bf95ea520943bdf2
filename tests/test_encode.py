"""Encoders: real models, loaded from disk, against what sentence-transformers computes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index import Index, encode, load_encoder
from index.encode import OpenVinoEncoder, TorchEncoder, batches_by_length, default_checkpoint
from index.errors import IndexMismatch, ModelError
from tests.conftest import HashingEncoder, meanwhile

TEXTS = [
    "The delegation was led by Murad Kunakbaev.",
    "a",
    "Vienna hosted the conference on February 11-12, 2020. " * 30,
    "Как называется эта встреча? 😀",
    "Bread needs flour, water and salt.",
    "The ambassadors attended the ceremony. " * 5,
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["the", "bread", "needs", "flour", "water", "salt", "query", "passage", ":", ".", ",", "!", "?"]


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))


@pytest.fixture
def without_cache(tmp_path, monkeypatch):
    """A home in which no converted model can be kept, so that models run on torch."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").write_text("a file is in the way")
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A random BERT of two layers, with prompts, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    tokens = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *WORDS,
        *LETTERS,
        *(f"##{letter}" for letter in LETTERS),
    ]
    (folder / "vocab.txt").write_text("\n".join(tokens), "utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,  # so that random weights tell texts apart
    )
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=48).save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"), max_seq_length=48)
    model = SentenceTransformer(
        modules=[transformer, modules.Pooling(32), modules.Normalize()],
        prompts={"query": "query: ", "document": "passage: "},
        device="cpu",
    )
    model.save(str(folder / "model"))
    return folder / "model"


def cosines(found, expected):
    return (found * expected).sum(axis=1)


# --- the default encoder -----------------------------------------------------------------------------------------


def test_vectors_have_unit_length_and_the_order_of_their_texts(encoder):
    assert isinstance(encoder, OpenVinoEncoder)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension) == (6, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert cosines(vectors, alone).min() > 0.999
    backwards = encoder.encode(TEXTS[::-1])[::-1]
    assert cosines(vectors, backwards).min() > 0.999
    between = vectors @ vectors.T - np.eye(len(TEXTS))
    assert between.max() < 0.9


def test_order_holds_over_many_batches(encoder):
    texts = [f"Number {number}. " + "word " * (number * 37 % 90) for number in range(150)]
    lengths = encoder.count_tokens(texts)
    assert len(list(batches_by_length(lengths))) > 2
    vectors = encoder.encode(texts)
    for row in (0, 7, 74, 149):
        assert vectors[row] @ encoder.encode([texts[row]])[0] > 0.999


def test_batches_hold_every_row_once_and_are_bounded():
    lengths = [row * 31 % 257 for row in range(500)] + [9_000]
    batches = list(batches_by_length(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(501))
    assert all(len(batch) == 1 or len(batch) * lengths[batch[0]] <= 4096 for batch in batches)
    assert batches[0] == [500]


def test_no_texts_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.count_tokens([]) == []
    assert encoder.encode_tokens([]) == []


def test_empty_and_strange_texts_have_vectors(encoder):
    vectors = encoder.encode(["", " ", "\x00", "\u200b\ufeff", "x" * 5_000, "!" * 2_000])
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_question_is_encoded_alike(encoder):
    vector = encoder.encode_question(TEXTS[0])
    assert vector.shape == (384,)
    assert vector @ encoder.encode([TEXTS[0]])[0] > 0.999


def test_tokens_are_counted_without_any_cut(encoder):
    assert encoder.max_tokens == 254
    assert encoder.count_tokens(["", "bread", "bread " * 1_000, "!" * 300]) == [0, 1, 1000, 300]


def test_tokens_have_vectors_and_places(encoder):
    [first, second] = encoder.encode_tokens(["Bread needs flour.", "😀 Да, bread!"])
    assert first.vectors.shape == (4, 384)
    assert np.allclose(np.linalg.norm(first.vectors, axis=1), 1, atol=1e-4)
    assert list(zip(first.starts.tolist(), first.ends.tolist(), strict=True)) == [
        (0, 5),
        (6, 11),
        (12, 17),
        (17, 18),
    ]
    assert (second.starts[-2], second.ends[-2]) == (6, 11)
    # The same word in another context is near, and not the same.
    assert 0.2 < first.vectors[0] @ second.vectors[-2] < 0.999


def test_it_computes_what_sentence_transformers_computes(encoder):
    from index.convert import load_sentence_transformer

    model = load_sentence_transformer(default_checkpoint())
    expected = model.encode(TEXTS, normalize_embeddings=True)
    assert cosines(encoder.encode(TEXTS), expected).min() > 0.999


def test_threads_share_one_encoder(encoder):
    from concurrent.futures import ThreadPoolExecutor

    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: encoder.encode(TEXTS), range(8)):
            assert cosines(vectors, expected).min() > 0.999


# --- what can be wrong with a checkpoint -------------------------------------------------------------------------


def flip_a_byte(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def test_damaged_weights_are_refused_by_name(tmp_path, monkeypatch, at_home):
    folder = tmp_path / "model"
    shutil.copytree(default_checkpoint(), folder)
    weights = folder / "model.safetensors"
    monkeypatch.setattr(encode, "default_checkpoint", lambda: folder)
    whole = load_encoder()
    assert whole.identity == load_encoder(folder).identity
    flip_a_byte(weights)
    with pytest.raises(ModelError, match=rf"{re.escape(str(weights))}: .*damaged.*Reinstall"):
        load_encoder()


def test_other_weights_are_another_identity(tmp_path, tiny):
    from index.runtime import checkpoint_hash

    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    before = checkpoint_hash(folder, tmp_path)
    assert before == checkpoint_hash(tiny, tmp_path)
    flip_a_byte(folder / "model.safetensors")
    changed = checkpoint_hash(folder, tmp_path)
    assert changed != before
    (folder / "1_Pooling" / "config.json").write_text("{}")
    assert checkpoint_hash(folder, tmp_path) not in {changed, before}


def test_a_folder_without_safetensors_is_refused(tmp_path, at_home):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(
        ModelError, match=rf"{re.escape(str(tmp_path))}: no \.safetensors .*safe_serialization"
    ):
        load_encoder(tmp_path)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "a/b/c", Path("nowhere")])
def test_a_folder_that_is_not_there_is_named(name, at_home):
    with pytest.raises(ModelError, match=rf"{re.escape(str(name))}: there is no such folder\. Name"):
        load_encoder(name)


def test_a_name_that_cannot_be_had_offline_is_named(home):
    script = (
        "from index import load_encoder\nfrom index.errors import ModelError\n"
        "try: load_encoder('no-such-model-anywhere')\nexcept ModelError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "hub"), "VERBATIM_HOME": str(home)},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.match(r"no-such-model-anywhere: neither a folder nor .*Save the model to a folder", done.stdout)


@pytest.mark.parametrize("content", [b"", b"garbage", b'\x10\0\0\0\0\0\0\0{"a": 1}........'])
def test_weights_that_are_none_are_refused(tmp_path, tiny, without_cache, content):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=rf"{re.escape(str(folder))}: not a sentence-transformers model"):
        load_encoder(folder)


# --- any other encoder -------------------------------------------------------------------------------------------

SHORT = ["bread needs flour", "salt", "the water, the bread!", "zebra " * 5, "bread " * 200]


def test_any_checkpoint_by_its_path(tiny, at_home, tmp_path, monkeypatch):
    from index.convert import load_sentence_transformer

    monkeypatch.setenv("HOME", str(tmp_path))
    loaded = load_encoder(str(tiny))
    # OpenVINO keeps there what it reports over the network: converting and running must not begin that.
    assert not (tmp_path / "intel").exists()
    assert isinstance(loaded, OpenVinoEncoder)
    assert (loaded.dimension, loaded.max_tokens) == (32, 44)
    model = load_sentence_transformer(tiny)
    vectors = loaded.encode(SHORT)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Also of the text that is longer than the model reads.
    assert cosines(vectors, model.encode_document(SHORT)).min() > 0.999
    questions = np.stack([loaded.encode_question(text) for text in SHORT])
    assert cosines(questions, model.encode_query(SHORT)).min() > 0.999
    # The two prompts are not the same.
    assert cosines(questions, vectors).min() < 0.999
    assert loaded.count_tokens(["bread", "the water", "zebra"]) == [1, 2, 5]


def test_without_a_cache_it_runs_on_torch_and_gives_the_same(tiny, without_cache, caplog):
    on_torch = load_encoder(tiny)
    assert isinstance(on_torch, TorchEncoder)
    assert "Running it on torch instead" in caplog.text
    model = on_torch._model
    assert cosines(on_torch.encode(SHORT), model.encode_document(SHORT)).min() > 0.9999
    assert on_torch.encode([]).shape == (0, 32)
    assert on_torch.encode_tokens([]) == []
    assert on_torch.count_tokens(["bread", "the water", "zebra"]) == [1, 2, 5]


def test_both_ways_to_run_a_model_agree(tiny, at_home, tmp_path):
    fast = load_encoder(tiny)
    slow = TorchEncoder(tiny, fast.identity)
    assert (fast.dimension, fast.max_tokens) == (slow.dimension, slow.max_tokens)
    assert cosines(fast.encode(SHORT), slow.encode(SHORT)).min() > 0.999
    for text in SHORT:
        assert fast.encode_question(text) @ slow.encode_question(text) > 0.999
    assert fast.count_tokens(SHORT) == slow.count_tokens(SHORT)
    for one, other in zip(fast.encode_tokens(SHORT), slow.encode_tokens(SHORT), strict=True):
        assert one.starts.tolist() == other.starts.tolist()
        assert one.ends.tolist() == other.ends.tolist()
        assert cosines(one.vectors, other.vectors).min() > 0.99


def test_vectors_of_another_encoder_are_refused(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder("one")) as index:
        index.add_texts([("a", "Bread needs flour.")])
    with pytest.raises(
        IndexMismatch, match=rf"{re.escape(str(tmp_path / 'index'))}: .*another encoder.*Open it with"
    ):
        Index.open(tmp_path / "index", encoder=HashingEncoder("other"))
    with Index.open(tmp_path / "index", encoder=HashingEncoder("one")) as index:
        assert index.search("flour")


def test_on_torch_texts_are_counted_while_others_are_encoded(tiny):
    encoder = TorchEncoder(tiny, "tiny")
    long = "bread needs water . " * 200
    with meanwhile(lambda: encoder.encode([long] * 8), lambda: encoder.encode_question(long)):
        counts = {tuple(encoder.count_tokens([long, "bread"])) for _ in range(50)}
    assert counts == {(800, 1)}


def test_a_model_reached_by_another_link_is_not_compiled_again(tiny, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    compiled = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cache").symlink_to(tmp_path / "models")
        monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / name))
        assert isinstance(load_encoder(tiny), OpenVinoEncoder)
        compiled.append(sorted(path.name for path in (tmp_path / "models").glob("*/compiled-*/*")))
    assert len(compiled[0]) == 1
    assert compiled[1] == compiled[0]


def test_openvino_is_imported_without_what_only_conversion_needs():
    script = """
import sys
from index.quiet import load_openvino
openvino = load_openvino()
assert openvino.Core and "openvino.tools.ovc" not in sys.modules
from openvino import convert_model
assert callable(convert_model) and sys.modules["openvino_telemetry"] is None
assert not hasattr(openvino, "no_such_name")
"""
    subprocess.run([sys.executable, "-c", script], check=True)
