"""No dependency without a reason, and none without tests at its oldest and newest version."""

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from dependencies import ROOT, dependencies, for_users

DEPENDENCIES = dependencies()


def reasons():
    """{dependency: its range} in CONTRIBUTING.md: what stands before the colon of a line."""
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## Dependencies\n")[1].split("\n## ")[0]
    heads = [line.partition(":")[0] for line in section.splitlines() if line.startswith("- `")]
    named = [Requirement(name) for head in heads for name in re.findall("`([^`]+)`", head)]
    return {each.name: each.specifier for each in named}


def script(name):
    """A script without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def locked():
    """Requirements that requirements/demo.txt pins; of several, one is for this Python."""
    lines = (ROOT / "requirements/demo.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.lstrip().startswith("#")]


def test_contributing_says_why_of_every_dependency_and_of_nothing_else():
    assert reasons() == {d.name: SpecifierSet(d.range) for d in DEPENDENCIES}


def test_every_dependency_has_a_lower_bound_and_comes_with_one_extra():
    assert all(">=" in d.range for d in DEPENDENCIES)
    assert len({d.name for d in DEPENDENCIES}) == len(DEPENDENCIES)


def test_what_users_get_has_tests_at_its_oldest_and_newest_version():
    tests = script("supported").TESTS
    assert set(tests) == {d.name for d in DEPENDENCIES if for_users(d.extra)}
    assert all((ROOT / "tests" / file).is_file() for files in tests.values() for file in files)


@pytest.mark.parametrize(
    "found", [d for d in DEPENDENCIES if for_users(d.extra)], ids=lambda d: d.name
)
def test_the_demos_versions_are_within_the_bounds(found):
    pins = [pin for pin in locked() if pin.name == found.name]
    assert pins, "not in requirements/demo.txt: run ./scripts/lock"
    for pin in pins:
        assert SpecifierSet(found.range).contains(str(pin.specifier).removeprefix("=="))


def test_the_table_of_versions_has_a_line_for_each():
    command = [sys.executable, str(ROOT / "scripts/dependencies.py")]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for found in DEPENDENCIES:
        assert (f"\n{found.name} " in table) == for_users(found.extra)
