"""Settings: their ranges, and the environment."""

import dataclasses
import os

import pytest

from index.errors import SettingsError
from qa import Settings


def test_defaults_are_within_their_ranges():
    settings = Settings()
    assert settings.encoder is None
    assert settings.candidates <= settings.passages
    # What suits the reader is chosen once the reader is known.
    assert (settings.reader, settings.threshold, settings.strict) == (None, None, False)
    assert dataclasses.replace(settings) == settings


def test_they_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().passages = 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("passages", 1),
        ("passages", 100),
        ("candidates", 1),
        ("candidates", 100),
        ("threshold", 0),
        ("threshold", 0.0),
        ("threshold", 1.0),
        ("dense_weight", 0.0),
        ("dense_weight", 1.0),
    ],
)
def test_bounds_are_included(name, value):
    assert getattr(Settings(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("passages", 0),
        ("passages", 101),
        ("candidates", 0),
        ("candidates", -1),
        ("candidates", 101),
        ("threshold", -0.01),
        ("threshold", 1.01),
        ("threshold", float("nan")),
        ("threshold", float("inf")),
        ("dense_weight", -0.01),
        ("dense_weight", 1.01),
        ("dense_weight", float("nan")),
    ],
)
def test_beyond_them_is_an_error_that_names_range_and_setting(name, value):
    with pytest.raises(SettingsError, match=rf"{name} is {value}: it must be from .*to 1"):
        Settings(**{name: value})


def test_the_environment_takes_the_place_of_defaults():
    environment = {
        "VERBATIM_ENCODER": "/models/mine",
        "VERBATIM_PASSAGES": "12",
        "VERBATIM_CANDIDATES": " 5 ",
        "VERBATIM_READER": "sentences",
        "VERBATIM_THRESHOLD": "0.7",
        "VERBATIM_DENSE_WEIGHT": "0.25",
        "OTHER": "x",
    }
    assert Settings.from_env(environment) == Settings(
        "/models/mine", 12, 5, "sentences", 0.7, dense_weight=0.25
    )
    assert Settings.from_env({"VERBATIM_STRICT": "yes"}) == Settings(strict=True)


@pytest.mark.parametrize(
    ("value", "strict"),
    [
        ("yes", True),
        ("True", True),
        ("1", True),
        ("YES", True),
        ("no", False),
        ("false", False),
        ("0", False),
        ("", False),
    ],
)
def test_yes_and_no_in_the_environment(value, strict):
    assert Settings.from_env({"VERBATIM_STRICT": value}).strict is strict


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_threshold_and_strict_exclude_each_other(threshold):
    with pytest.raises(SettingsError, match=f"threshold is {threshold} and strict is set: choose one"):
        Settings(threshold=threshold, strict=True)
    environment = {"VERBATIM_THRESHOLD": str(threshold), "VERBATIM_STRICT": "1"}
    with pytest.raises(SettingsError, match=r"VERBATIM_\w+: threshold is .* and strict is set: choose one"):
        Settings.from_env(environment)
    assert Settings.from_env(environment | {"VERBATIM_STRICT": "0"}) == Settings(threshold=threshold)
    # A threshold of none is no threshold.
    assert Settings(threshold=None, strict=True).strict


def test_what_is_not_set_or_empty_keeps_its_default():
    assert Settings.from_env({}) == Settings()
    empty = {"VERBATIM_PASSAGES": "", "VERBATIM_ENCODER": "", "VERBATIM_READER": "", "VERBATIM_THRESHOLD": ""}
    assert Settings.from_env(empty) == Settings()


def test_the_environment_of_the_process_is_read_each_time(monkeypatch):
    monkeypatch.setitem(os.environ, "VERBATIM_CANDIDATES", "7")
    assert Settings.from_env().candidates == 7
    monkeypatch.setitem(os.environ, "VERBATIM_CANDIDATES", "8")
    assert Settings.from_env().candidates == 8


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VERBATIM_PASSAGES", "many"),
        ("VERBATIM_PASSAGES", "2.5"),
        ("VERBATIM_THRESHOLD", "half"),
        ("VERBATIM_PASSAGES", "0"),
        ("VERBATIM_CANDIDATES", "1000"),
        ("VERBATIM_THRESHOLD", "2"),
        ("VERBATIM_THRESHOLD", "nan"),
        ("VERBATIM_CANDIDATES", "-3"),
        ("VERBATIM_STRICT", "very"),
        ("VERBATIM_STRICT", "2"),
        ("VERBATIM_DENSE_WEIGHT", "heavy"),
        ("VERBATIM_DENSE_WEIGHT", "1.5"),
    ],
)
def test_a_bad_value_names_its_variable(variable, value):
    with pytest.raises(SettingsError, match=f"{variable}.*{value}"):
        Settings.from_env({variable: value})
