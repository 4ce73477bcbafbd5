"""No small file takes much memory or time: each is read in another process, which is measured."""

import pytest
from bombs import BOMBS

from nst_core.files.weights.pickle_check import check_pickle


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_read_or_refused_within_five_seconds_and_a_gigabyte(kind, child, tmp_path):
    path, harmful = tmp_path / "bomb", {}
    for name, data in BOMBS[kind]():
        path.write_bytes(data)
        reading = child.read(kind, path)
        if not reading.harmless:
            harmful[name] = reading
    assert not harmful


def test_pickles_of_torch_pass_the_check(sound, tmp_path):
    import io
    import pickle
    import zipfile
    from collections import Counter, OrderedDict

    with zipfile.ZipFile(io.BytesIO(sound["pickle"]["whole.pth"])) as archive:
        check_pickle(io.BytesIO(archive.read("archive/data.pkl")))
    content = OrderedDict(a=[1, 2.5, None, (True, "x", b"y" * 300)], b=Counter("ab"), c=10**30)
    content["again"] = content["a"]
    for protocol in range(2, 6):
        check_pickle(io.BytesIO(pickle.dumps(content, protocol)))
