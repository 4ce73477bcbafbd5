"""How much memory is free: on a machine, and in containers, from files as kernels write them."""

import sys
from types import SimpleNamespace

import pytest

from nst_core.run import system_memory
from nst_core.run.system_memory import free_system_memory

GB = 10**9
FREE = 16 * GB // 1024 * 1024


def file(root, name, text):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(f"{text}\n")


def group(folder, **values):
    for name, value in values.items():
        file(folder, f"memory.{name}", value)


@pytest.fixture
def machine(tmp_path):
    """With 16 GB free."""
    file(tmp_path, "proc/meminfo", f"MemTotal: 32000000 kB\nMemAvailable:   {FREE // 1024} kB")
    return tmp_path


def within(machine, line):
    file(machine, "proc/self/cgroup", line)
    return machine / "sys/fs/cgroup"


def test_without_groups_it_is_what_the_machine_says(machine):
    assert free_system_memory(machine) == FREE


def test_a_container_has_its_limit_less_what_it_holds_and_its_cache_counts_as_free(machine):
    mount = within(machine, "0::/")
    group(mount, max=4 * GB, high="max", current=3 * GB, stat=f"anon 1\ninactive_file {GB}")
    assert free_system_memory(machine) == 2 * GB


def test_the_limit_of_a_group_around_counts_too(machine):
    mount = within(machine, "0::/pod/container")
    group(mount / "pod/container", max="max", high="max", current=GB, stat="inactive_file 0")
    group(mount / "pod", max=3 * GB, high="max", current=2 * GB, stat="inactive_file 0")
    assert free_system_memory(machine) == GB


def test_the_value_that_a_group_is_slowed_down_at_is_a_limit(machine):
    mount = within(machine, "0::/slow")
    group(mount / "slow", max=8 * GB, high=2 * GB, current=GB, stat="inactive_file 0")
    assert free_system_memory(machine) == GB


def test_no_limit_is_none_and_a_full_group_has_nothing(machine):
    mount = within(machine, "0::/a")
    group(mount / "a", max="max", high="max", current=GB, stat="inactive_file 0")
    assert free_system_memory(machine) == FREE
    group(mount / "a", max=GB, current=2 * GB)
    assert free_system_memory(machine) == 0


V1 = "11:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n1:name=systemd:/docker/1\n0::/"


@pytest.mark.parametrize("place", ["memory/docker/1", "memory/docker", "memory"])
def test_the_first_version_of_groups_is_read_wherever_the_limit_is(machine, place):
    mount = within(machine, V1)
    # Without a limit there is a number larger than any machine.
    for path in ("memory", "memory/docker", "memory/docker/1"):
        group(mount / path, limit_in_bytes=9223372036854771712, usage_in_bytes=9 * GB)
    assert free_system_memory(machine) == FREE
    group(mount / place, limit_in_bytes=10 * GB, stat=f"cache 5\ntotal_inactive_file {GB}")
    assert free_system_memory(machine) == 2 * GB


def test_a_container_that_sees_the_machines_path_finds_its_own_group_at_the_mount(machine):
    mount = within(machine, V1)
    group(mount / "memory", limit_in_bytes=2 * GB, usage_in_bytes=GB, stat="total_inactive_file 0")
    assert free_system_memory(machine) == GB


def test_a_group_whose_files_cannot_be_read_says_nothing(machine):
    mount = within(machine, "0::/a")
    (mount / "a/memory.current").mkdir(parents=True)
    assert free_system_memory(machine) == FREE


def test_a_group_that_a_container_does_not_see_is_known_from_its_own(machine):
    mount = within(machine, V1)
    stat = f"hierarchical_memory_limit {3 * GB}\ntotal_inactive_file 0"
    group(mount / "memory", limit_in_bytes=2**63 - 4096, usage_in_bytes=GB, stat=stat)
    assert free_system_memory(machine) == 2 * GB


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("Max address space         5000000000           unlimited            bytes", 2 * GB),
        ("Max data size             5000000000           6000000000           bytes", 4 * GB),
        ("Max address space         unlimited            unlimited            bytes", FREE),
        ("Max stack size            8388608              unlimited            bytes", FREE),
    ],
)
def test_a_limit_of_the_process_leaves_what_it_has_not_taken_yet(machine, limit, left):
    sizes = [f"{name}:\t {size * GB // 1000} kB" for name, size in (("VmSize", 3), ("VmData", 1))]
    file(machine, "proc/self/status", "\n".join(["Name:\tpython", *sizes, "Threads:\t2"]))
    file(machine, "proc/self/limits", f"Limit   Soft Limit   Hard Limit   Units\n{limit}")
    assert free_system_memory(machine) == pytest.approx(left, rel=0.05)


def test_where_there_is_no_proc_psutil_is_asked(tmp_path, monkeypatch):
    psutil = SimpleNamespace(virtual_memory=lambda: SimpleNamespace(available=5 * GB))
    monkeypatch.setattr(system_memory, "_psutil", lambda: psutil)
    assert free_system_memory(tmp_path) == 5 * GB


def test_without_psutil_it_is_not_known_and_that_is_said_once(tmp_path, monkeypatch, caplog):
    system_memory._psutil.cache_clear()
    monkeypatch.setitem(sys.modules, "psutil", None)  # Python then finds none
    assert free_system_memory(tmp_path) is None
    assert free_system_memory(tmp_path) is None
    assert len(caplog.messages) == 1
    assert "pip install psutil" in caplog.messages[0]
    system_memory._psutil.cache_clear()
