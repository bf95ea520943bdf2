"""Models that score spans: tiny checkpoints of three families, against what transformers computes."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from index.home import cache_directory
from index.runtime import checkpoint_hash, load_runtime
from qa.span_models import OpenVinoSpanModel, TorchSpanModel, load_span_model
from qa.windows import windows
from tests.readers import FAMILIES, MAX_TOKENS, save_reader, tokenizer_of

# Of many lengths, also longer than a window, and not sorted by length.
PAIRS = [
    ("Who is the captain?", "The captain of the Aurora is John Carter."),
    ("a?", "b"),
    ("What is the bread made of?", "The bread is made of flour, salt and a cafe\u0301 😀. " * 12),
    ("Who?", "The bread of the captain, is the"),
]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    return {family: save_reader(family, folder / family) for family in FAMILIES}


@pytest.fixture
def at_home(tmp_path, models, monkeypatch):
    """A home in which converted models are kept."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(models)
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))


@pytest.fixture
def without_cache(tmp_path, monkeypatch):
    """A home in which no converted model can be kept, so that models run on torch."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").write_text("a file is in the way")
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))


def read(tokenizer, pairs=PAIRS):
    return [
        window
        for question, text in pairs
        for window in windows(tokenizer, question, text, MAX_TOKENS, stride=8)
    ]


def of_transformers(folder, windows):
    """The logits of windows as transformers computes them: each alone, without padding."""
    import torch
    from transformers import AutoModelForQuestionAnswering

    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    for window in windows:
        inputs = {"input_ids": torch.tensor([window.ids])}
        if getattr(model.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = torch.tensor([window.types])
        with torch.no_grad():
            output = model(**inputs)
        yield np.concatenate([output.start_logits.numpy(), output.end_logits.numpy()])


def scored(model, folder, found):
    """The logits of windows, and what transformers computes."""
    scores = model.logits(found)
    assert len(scores) == len(found)
    assert all(one.shape[0] == 2 and one.dtype == np.float32 for one in scores)
    cut = [one[:, : len(window.ids)] for one, window in zip(scores, found, strict=True)]
    expected = list(of_transformers(folder, found))
    # They tell tokens apart, and so where which logit belongs.
    assert min(wanted.std() for wanted in expected) > 0.3
    return cut, expected


def agree(model, folder, within):
    found = read(model.tokenizer)
    assert len(found) > len(PAIRS)
    assert max(len(window.ids) for window in found) == MAX_TOKENS
    for scores, wanted in zip(*scored(model, folder, found), strict=True):
        assert np.abs(scores - wanted).max() < within


# --- any family --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_on_openvino_it_computes_what_transformers_computes(family, checkpoints, at_home):
    folder = checkpoints[family]
    cache = cache_directory()
    runtime = load_runtime("reader", folder, checkpoint_hash(folder, cache), cache, "f32")
    agree(OpenVinoSpanModel(runtime), folder, within=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_loaded_it_runs_on_openvino(family, checkpoints, at_home, caplog):
    model = load_span_model(str(checkpoints[family]))
    assert isinstance(model, OpenVinoSpanModel)
    assert "torch" not in caplog.text
    assert model.max_tokens == MAX_TOKENS
    # In half precision, where the processor has it and the model bears it.
    for scores, wanted in zip(*scored(model, checkpoints[family], read(model.tokenizer)), strict=True):
        assert np.corrcoef(scores.ravel(), wanted.ravel())[0, 1] > 0.99


def test_distances_of_500_tokens_are_not_rounded(checkpoints, at_home):
    model = load_span_model(checkpoints["deberta"])
    [window, *_] = windows(model.tokenizer, "Who?", "The captain of the bread is here. " * 50, 500, stride=8)
    assert len(window.ids) == 500
    [[found], [expected]] = scored(model, checkpoints["deberta"], [window])
    assert np.abs(found - expected).max() < 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_cache_it_runs_on_torch_and_says_so(family, checkpoints, without_cache, caplog):
    model = load_span_model(checkpoints[family])
    assert isinstance(model, TorchSpanModel)
    assert f"{checkpoints[family]}" in caplog.text
    assert "Running it on torch instead" in caplog.text
    assert model.max_tokens == MAX_TOKENS
    agree(model, checkpoints[family], within=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_its_tokenizer_is_the_checkpoints_and_neither_pads_nor_cuts(family, checkpoints, without_cache):
    tokenizer = load_span_model(checkpoints[family]).tokenizer
    long = "The captain of the Aurora. " * 100
    assert tokenizer.encode(long).ids == tokenizer_of(family).encode(long).ids
    assert (tokenizer.padding, tokenizer.truncation) == (None, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_company_changes_nothing(family, checkpoints):
    model = TorchSpanModel(checkpoints[family])
    found = read(model.tokenizer)
    together = model.logits(found)
    for window, scores in zip(found, together, strict=True):
        [alone] = model.logits([window])
        length = len(window.ids)
        assert np.abs(alone[:, :length] - scores[:, :length]).max() < 1e-4
    assert model.logits([]) == []


def test_no_windows_no_logits(checkpoints, at_home):
    assert load_span_model(checkpoints["bert"]).logits([]) == []


def test_half_precision_weights_are_read_as_such(checkpoints, tmp_path):
    import torch
    from transformers import AutoModelForQuestionAnswering

    shutil.copytree(checkpoints["bert"], tmp_path / "half")
    model = AutoModelForQuestionAnswering.from_pretrained(checkpoints["bert"])
    model.to(torch.float16).save_pretrained(tmp_path / "half")
    whole, half = TorchSpanModel(checkpoints["bert"]), TorchSpanModel(tmp_path / "half")
    found = read(whole.tokenizer)
    differences = [
        np.abs(one - other).max() for one, other in zip(whole.logits(found), half.logits(found), strict=True)
    ]
    assert 0 < max(differences) < 0.05


# --- what can be wrong with a checkpoint -------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_answers_nothing_is_refused(family, tmp_path, without_cache):
    folder = save_reader(family, tmp_path / "model", head=False)
    with pytest.raises(
        ModelError, match=rf"{re.escape(str(folder))}: not a question answering model: .*qa_outputs\.weight"
    ):
        load_span_model(folder)


def test_it_is_refused_where_models_are_converted_as_well(tmp_path, at_home):
    folder = save_reader("bert", tmp_path / "model", head=False)
    with pytest.raises(ModelError, match="not a question answering model: its weights lack"):
        load_span_model(folder)
    cache = cache_directory()
    assert not list(cache.glob(f"reader-{checkpoint_hash(folder, cache)[:16]}*"))
    assert not list(cache_directory().glob("converting-*"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"garbage",
        lambda content: b'\x10\0\0\0\0\0\0\0{"a": 1}........',
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
    ],
)
def test_damaged_weights_are_refused(tmp_path, checkpoints, without_cache, damage):
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["bert"], folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(ModelError, match=rf"{re.escape(str(folder))}: not a question answering model that"):
        load_span_model(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", "{"), ("config.json", "{}"), ("tokenizer.json", "{"), ("config.json", None)],
)
def test_other_damaged_files_are_refused(tmp_path, checkpoints, without_cache, name, content):
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["bert"], folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(ModelError, match=re.escape(str(folder))):
        load_span_model(folder)


def test_pickled_weights_are_refused(tmp_path, checkpoints, without_cache):
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "model"
    shutil.copytree(checkpoints["bert"], folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=rf"{re.escape(str(folder))}: no \.safetensors .*safe_serialization"):
        load_span_model(folder)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "a/b/c", Path("nowhere")])
def test_a_folder_that_is_not_there_is_named(name, without_cache):
    with pytest.raises(ModelError, match=rf"{re.escape(str(name))}: there is no such folder\. Name"):
        load_span_model(name)


def test_a_damaged_conversion_is_made_again(checkpoints, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    folder = checkpoints["bert"]
    model = load_span_model(folder)
    [expected, *_] = model.logits(read(model.tokenizer))
    [kept] = cache_directory().glob("reader-*")
    (kept / "facts.json").write_text("{}")
    again = load_span_model(folder)
    assert isinstance(again, OpenVinoSpanModel)
    assert "facts.json lacks" in caplog.text
    assert np.array_equal(again.logits(read(again.tokenizer))[0], expected)
