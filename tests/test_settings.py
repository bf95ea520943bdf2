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
    assert 0 < settings.threshold < 1
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
    ],
)
def test_beyond_them_is_an_error_that_names_range_and_setting(name, value):
    with pytest.raises(SettingsError, match=rf"{name} is {value}: it must be from . to 1"):
        Settings(**{name: value})


def test_the_environment_takes_the_place_of_defaults():
    environment = {
        "VERBATIM_ENCODER": "/models/mine",
        "VERBATIM_PASSAGES": "12",
        "VERBATIM_CANDIDATES": " 5 ",
        "VERBATIM_THRESHOLD": "0.7",
        "OTHER": "x",
    }
    assert Settings.from_env(environment) == Settings("/models/mine", 12, 5, 0.7)


def test_what_is_not_set_or_empty_keeps_its_default():
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({"VERBATIM_PASSAGES": "", "VERBATIM_ENCODER": ""}) == Settings()


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
    ],
)
def test_a_bad_value_names_its_variable(variable, value):
    with pytest.raises(SettingsError, match=f"{variable}.*{value}"):
        Settings.from_env({variable: value})
