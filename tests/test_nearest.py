"""Nearest vectors: exact while few, nearly so in inverted lists; removal in both."""

import io

import numpy as np
import pytest

from index.nearest import Nearest, sample_size

DIMENSION = 16


def unit(count, seed=0):
    """Unit vectors in clusters, as those of texts are."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(200, DIMENSION))
    vectors = centres[random.integers(0, len(centres), count)] + 0.5 * random.normal(size=(count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = unit(20_000)
IDS = np.arange(len(VECTORS), dtype=np.int64) * 3 + 1
QUESTIONS = unit(50, seed=1)


def filled(kind):
    nearest = Nearest.flat(DIMENSION) if kind == "flat" else Nearest.lists(VECTORS[:8_000], len(VECTORS))
    nearest.add(IDS, VECTORS)
    return nearest


def truth(question, k, ids=IDS, vectors=VECTORS):
    order = np.argsort(-(vectors @ question), kind="stable")[:k]
    return ids[order].tolist()


@pytest.fixture(params=["flat", "lists"])
def nearest(request):
    return filled(request.param)


def recall(nearest, k=10, **options):
    found = [{one for one, _ in nearest.search(question, k)} for question in QUESTIONS]
    return np.mean(
        [len(got.intersection(truth(q, k, **options))) / k for got, q in zip(found, QUESTIONS, strict=True)]
    )


def test_flat_is_exact_and_lists_are_nearly():
    assert recall(filled("flat")) == 1.0
    assert recall(filled("lists")) >= 0.9  # of quantised vectors: those who rank them again find 0.99
    assert (filled("flat").exact, filled("lists").exact) == (True, False)


def test_cosines_are_true_or_nearly(nearest):
    for question in QUESTIONS[:5]:
        for found, cosine in nearest.search(question, 10):
            true = float(VECTORS[(found - 1) // 3] @ question)
            assert cosine == pytest.approx(true, abs=1e-5 if nearest.exact else 0.02)


def test_what_is_removed_is_gone(nearest):
    gone = IDS[::2]
    nearest.remove(gone)
    assert len(nearest) == len(IDS) - len(gone)
    assert nearest.ids().tolist() == IDS[1::2].tolist()
    assert not {one for question in QUESTIONS for one, _ in nearest.search(question, 50)}.intersection(gone)
    assert recall(nearest, ids=IDS[1::2], vectors=VECTORS[1::2]) >= 0.9
    nearest.add(gone, VECTORS[::2])
    assert nearest.ids().tolist() == IDS.tolist()


def test_among_few_chosen_ones_none_is_missed(nearest):
    chosen = IDS[5::997]
    for question in QUESTIONS[:10]:
        found = [one for one, _ in nearest.search(question, 100, chosen)]
        assert sorted(found) == chosen.tolist()


def test_it_comes_back_from_its_file_as_it_was(nearest, tmp_path):
    path = tmp_path / "näme"
    with path.open("wb") as file:
        nearest.write(file.write)
    again = Nearest.read(path)
    assert (again.exact, again.ids().tolist()) == (nearest.exact, nearest.ids().tolist())
    for question in QUESTIONS[:5]:
        assert again.search(question, 10) == nearest.search(question, 10)


def test_an_error_of_the_writer_is_raised():
    def write(part):
        raise OSError("no space")

    with pytest.raises((RuntimeError, OSError)):
        filled("flat").write(write)


def test_training_is_deterministic():
    def written():
        out = io.BytesIO()
        filled("lists").write(out.write)
        return out.getvalue()

    assert written() == written()


def test_a_few_of_a_few(nearest):
    empty = Nearest.flat(DIMENSION)
    assert (len(empty), empty.search(QUESTIONS[0], 5), empty.ids().tolist()) == (0, [], [])
    assert len(nearest.search(QUESTIONS[0], 10**6)) <= len(nearest)


def test_each_kind_suits_its_size():
    flat, lists = Nearest.flat(DIMENSION), Nearest.lists(VECTORS, 200_000)
    assert flat.suits(0)
    assert flat.suits(100_000)
    assert not flat.suits(100_001)
    # Not so near the border that an index goes back and forth; trained again when it has doubled.
    assert [lists.suits(total) for total in (0, 50_000, 60_000, 200_000, 390_000, 410_000)] == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]
    assert sample_size(10) == 10
    assert sample_size(1_000_000) < 200_000
