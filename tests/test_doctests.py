"""The examples in docstrings are true."""

import doctest
import importlib

import pytest

MODULES = """settings.layers settings.presets gatys.functions control.pyramid control.tiles
run.plan run.stylize cli.folders files.film""".split()


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    found = doctest.testmod(importlib.import_module(f"nst_core.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
