"""Small files that would take much memory or time if somebody believed them."""

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import odd_files
import seeds
import torch
from odd_files import SIGNATURE, chunk

DEEP = b"[" * 100_000 + b"]" * 100_000


def ihdr(width, height, depth=8, color=2):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))


def packed(data, times):
    """zlib of `data` repeated, without making it."""
    packer = zlib.compressobj(9)
    block = data * max(1, 2**20 // len(data))
    parts = [packer.compress(block) for _ in range(max(1, times * len(data) // len(block)))]
    return b"".join(parts) + packer.flush()


def png(width, height, data, before=b"", **kinds):
    return SIGNATURE + ihdr(width, height, **kinds) + before + chunk(b"IDAT", data) + chunk(b"IEND")


ONE = zlib.compress(b"\0\0\0\0")


def exif_bomb(entries, size):
    """Tags that all share the same long bytes."""
    body = b"II*\0\x08\0\0\0" + struct.pack("<H", entries)
    for tag in range(entries):
        body += struct.pack("<HHII", tag, 7, size, 8)
    return (body + bytes(4)).ljust(size + 8, b"\0")


def of_pictures():
    """Every bomb in a picture."""
    large = packed(b"\0", 2**27)
    flat = np.zeros((4, 4, 1), np.uint8)
    profile = bytearray(seeds.ADOBE[:128] + struct.pack(">I", 100))
    for number in range(100):
        profile += struct.pack(">4sII", b"t%03d" % number, 0, 48_000_000)
    long_curve = b"curv\0\0\0\0" + struct.pack(">I", 3_000_000)
    curves = bytearray(seeds.ADOBE)
    for number in range(struct.unpack_from(">I", curves, 128)[0]):
        at = 132 + 12 * number
        if curves[at + 1 : at + 4] == b"TRC":
            struct.pack_into(">II", curves, at + 4, len(seeds.ADOBE), 6_000_012)
    yield "png of a huge header", png(2**31 - 1, 2**31 - 1, ONE)
    yield "png of more pixels than its header says", png(4, 4, large)
    yield "png of zTXt", png(1, 1, ONE, chunk(b"zTXt", b"nst\0\0" + large))
    yield "png of many zTXt", png(1, 1, ONE, 20 * chunk(b"zTXt", b"nst\0\0" + packed(b"a", 2**24)))
    yield "png of iCCP", png(1, 1, ONE, chunk(b"iCCP", b"a\0\0" + large))
    profiles = zlib.compress(bytes(profile.ljust(48_000_000, b"\0")))
    yield "png of a profile whose tags overlap", png(1, 1, ONE, chunk(b"iCCP", b"a\0\0" + profiles))
    long = zlib.compress(bytes(curves) + long_curve.ljust(6_000_012, b"\1"))
    deep = np.zeros((4, 4, 3), np.uint16)
    yield (
        "png of a profile of long curves",
        odd_files.png(deep, 2, before=chunk(b"iCCP", b"a\0\0" + long)),
    )
    yield "png of EXIF whose tags overlap", png(1, 1, ONE, chunk(b"eXIf", exif_bomb(60_000, 10**6)))
    yield "png of many chunks", png(1, 1, ONE, 200_000 * chunk(b"tEXt", b"a\0"))
    yield "png of many empty IDAT", png(1, 1, ONE, 200_000 * chunk(b"IDAT"))
    yield "png of an animation", png(1, 1, ONE, chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    yield "tiff whose tags overlap", exif_bomb(60_000, 10**6)
    many = {273: (4, [8] * 300_000), 279: (4, [1] * 300_000)}
    yield "tiff of many strips", odd_files.tiff(flat, 1, tags=many, parts=1)
    tiles = {322: (4, [2**31]), 323: (4, [2**31]), 324: (4, [8]), 325: (4, [4])}
    yield "tiff of huge tiles", odd_files.tiff(flat.astype("f4"), 1, tags=tiles)
    small = {322: (3, [1]), 323: (3, [1]), 324: (4, [8] * 300_000), 325: (4, [1] * 300_000)}
    wide = {256: (4, [1000]), 257: (4, [300]), **small}
    yield "tiff of many tiles", odd_files.tiff(flat, 1, tags=wide)
    rows = {257: (4, [2**31 - 1]), 278: (4, [2**31 - 1])}
    yield "tiff of huge strips", odd_files.tiff(flat, 1, tags=rows)
    deflate = {256: (4, [1900]), 257: (4, [1900]), 259: (3, [8]), 278: (4, [1900])}
    for samples, kind in ((16, "f8"), (3, "f4")):
        pixels = np.zeros((1, 1, samples), kind)
        data = zlib.compress(bytes(1900 * 1900 * samples * pixels.itemsize), 9)
        sizes = {279: (4, [len(data)]), 258: (3, [8 * pixels.itemsize] * samples)}
        yield (
            f"tiff of {samples} deep channels",
            odd_files.tiff(pixels, 2, tags={**deflate, **sizes}, data=data),
        )
    loop = bytearray(odd_files.tiff(flat, 1))
    (count,) = struct.unpack_from("<H", loop, 8)
    struct.pack_into("<I", loop, 10 + 12 * count, 8)
    yield "tiff whose next page is itself", bytes(loop)
    pages = bytearray(b"II*\0\x08\0\0\0")
    for number in range(100_000):
        pages += struct.pack("<HI", 0, 8 + 6 * (number + 1))
    yield "tiff of many pages", bytes(pages)
    sub = {34665: (4, [8]), 34853: (4, [8]), 330: (4, [8])}
    yield "tiff whose folders are themselves", odd_files.tiff(flat, 1, tags=sub)
    yield from _others()


def _others():
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, 4, 4, 0) + b"\x02\x02\x84\x51\0"
    yield "gif of a huge canvas", head[:6] + b"\xff" * 4 + head[10:] + image + b";"
    yield "gif of a huge frame", head + image[:5] + b"\xff" * 4 + image[9:] + b";"
    yield "gif of many frames", head + image * 200_000 + b";"
    comment = b"\x21\xfe" + (b"\xff" + b"a" * 255) * 40_000 + b"\0"
    yield "gif of a long comment", head + comment + image + b";"
    yield "gif of many comments", head + b"\x21\xfe\x01a\0" * 300_000 + image + b";"
    size = (2**24 - 1).to_bytes(3, "little")
    body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0" + size + size
    yield "webp of a huge canvas", b"RIFF" + struct.pack("<I", len(body)) + body
    bmp = struct.pack("<IiiHHIIiiII", 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "bmp of a huge header", b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + bmp
    colors = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 0, 0, 0, 0, 2**31, 0)
    yield "bmp of a huge palette", b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + colors
    yield "ppm of a huge header", b"P6 999999999 999999999 255 "
    yield "ppm of many digits", b"P6 " + b"9" * 100_000
    yield "ppm of comments", b"P3 4 4 255\n" + b"# a\n" * 500_000
    yield "ppm of one long comment", b"P3 4 4 255\n#" + b"a" * 10**7
    yield "jpeg of a huge header", _jpeg(65535, 65535, b"")
    yield "jpeg of many scans", _progressive(1900, 5000)
    segments = b"\xff\xe1" + struct.pack(">H", 65535) + b"Exif\0\0".ljust(65533, b"a")
    yield "jpeg of many EXIF", b"\xff\xd8" + segments * 200 + _jpeg(8, 8, b"")[2:]


def _jpeg(width, height, more):
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8\xff\xc2" + struct.pack(">H", len(frame) + 2) + frame + more


def _progressive(side, scans):
    """Scans that each say of all blocks that nothing follows: T.81, G.1.2.2."""
    table = b"\xff\xdb\0\x43\0" + b"\1" * 64
    # One code of one bit for each: DC of no bits, and AC of a run of 32767 blocks' ends.
    dc = b"\xff\xc4\0\x14\0\1" + bytes(15) + b"\0"
    ac = b"\xff\xc4\0\x14\x10\1" + bytes(15) + b"\xe0"
    blocks = ((side + 7) // 8) ** 2
    first = b"\xff\xda\0\x08\x01\x01\0\0\0\0" + bytes(blocks // 8 + 1)
    bits = ("0" + "1" * 14) * (blocks // 32767 + 1)
    bits = bits.ljust(-(-len(bits) // 8) * 8, "1")
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda\0\x08\x01\x01\0\x01\x3f\0" + data
    return _jpeg(side, side, table + dc + ac + first + scan * scans + b"\xff\xd9")


def of_texts():
    """Every bomb in the settings of a picture: their JSON."""
    base = seeds.summary()

    def with_(settings=(), **more):
        whole = {**base, **more, "settings": {**base["settings"], **dict(settings)}}
        return json.dumps(whole).encode()

    yield "deep lists", DEEP
    yield "deep objects", b'{"a":' * 100_000
    yield "deep lists in settings", b'{"settings": {"size": ' + DEEP + b"}}"
    yield "many small lists", b'{"settings": [' + b"[]," * 5_000_000 + b"[]]}"
    yield (
        "a number beyond floats",
        with_(feather=1).replace(b'"feather": 0.02', b'"feather": 1e999'),
    )
    yield "no number", with_(shares=[float("nan")])
    yield "endless shares", with_(shares=[float("inf")])
    yield "negative shares", with_(shares=[-3.0])
    yield "a number of 4,000 digits", with_(settings={"style_weight": 10**4000})
    huge = b'{"settings": {"size": ' + b"9" * 10**6 + b"}}"
    yield "a number of a million digits", huge
    yield "long strings", with_(content="a" * 10**7, styles=["b" * 10**7])
    yield "a long word", with_(settings={"init": "x" * 10**7})
    yield "a long layer", with_(settings={"style_layers": "relu1_1" * 10**6})
    yield "a long name of a setting", with_(settings={"x" * 10**7: 1})
    yield "many styles", with_(styles=["b"] * 500_000)
    yield "many settings", with_(settings={str(n): 1 for n in range(300_000)})
    yield "many drawings", with_(drawn={"parts": [seeds.summary()["drawn"]["map"]] * 20_000})
    yield "keys twice", with_().replace(b'"size": 512', b'"size": 512, "size": -1')
    yield "half a character", with_(content="\ud800", styles=["\udfff"])
    yield "half a character in a setting", with_(settings={"\ud800": 1})
    yield "NUL in names", with_(content="a\0b", styles=["\0"])
    yield "no text", b"\xff\xfe\0"


def of_commands():
    """Every bomb in the document of a checkpoint."""
    base = json.dumps(seeds.document()).encode()
    yield "deep lists", base.replace(b'"stops": []', b'"stops": ' + DEEP)
    yield "many records", base.replace(b'"stops": []', b'"stops": [' + b'"",' * 300_000 + b'""]')
    yield "a number beyond floats", base.replace(b'"length": 0.5', b'"length": 1e999')
    yield "many digits", base.replace(b'"pairs": 1', b'"pairs": ' + b"9" * 4000)
    yield "many tiles", base.replace(b'"tiles": [0]', b'"tiles": [' + b"0," * 10**6 + b"0]")
    yield "half a character", base.replace(b"sample:harbor", b"\\\\ud800")
    yield "NUL", base.replace(b"sample:harbor", b"a\\u0000b")
    yield "a long name", base.replace(b"sample:harbor", b"a" * 10**6)


def of_checkpoints():
    """Every bomb in a checkpoint's own header."""
    yield "a header of 2^63 bytes", b"\xff" * 7 + b"\x7f{" + bytes(64)
    yield "a header of 99 MB that is not there", (99_000_000).to_bytes(8, "little") + b"{"
    yield "deep lists", len(DEEP).to_bytes(8, "little") + DEEP
    lists = b'{"a":[' + b"[]," * 20_000_000 + b"[]]}"
    yield "many small lists", len(lists).to_bytes(8, "little") + lists


def of_networks():
    """Every bomb in weights."""

    def header(entries, data=b""):
        text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        return len(text).to_bytes(8, "little") + text + data

    def tensor(shape, begin, end, dtype="F32"):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    yield "safetensors of a header of 2^63 bytes", b"\xff" * 7 + b"\x7f{" + bytes(64)
    yield "safetensors of deep lists", header(b'{"a":' + DEEP + b"}")
    yield (
        "safetensors that overlap",
        header({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12)),
    )
    yield "safetensors of 2^62 numbers", header({"a": tensor([2**62], 0, 2**64 - 1)})
    yield "safetensors whose size overflows", header({"a": tensor([2**32, 2**32, 4], 0, 0)})
    many = b"{" + b",".join(
        b'"%d.weight":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(60_000)
    )
    yield "safetensors of many tensors", header(many + b"}")
    words = {"__metadata__": {"a" * 10**7: "b" * 10**7}}
    yield "safetensors of long words", header(words)
    yield from _of_pickles()
    yield from _of_zips()
    yield from _of_hdf5()


def _of_pickles():
    made = b"\x80\x02cbuiltins\nbytearray\n"
    yield "a pickle that asks for 4 GB", b"\x80\x02}X\1\0\0\0a" + made[2:] + b"J\0\0\0\x7f\x85Rs."
    twice = b"\x80\x02}X\1\0\0\0aq\0" + b"h\0h\0\x86q\0" * 60 + b"K\1s."
    yield "a pickle of tuples in tuples", twice
    yield "a pickle of a long number as a key", b"\x80\x02}" + _long(10**6) + b"K\1s."
    yield "a pickle of deep lists", b"\x80\x02" + b"]" * 10**6 + b"a" * (10**6 - 1) + b"."


def _long(count):
    return b"\x8b" + struct.pack("<i", count) + b"\x7f" * count


def torch_zip(content):
    """An archive of torch.save with this pickle in place of its own."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in {"data.pkl": content, "byteorder": b"little", "version": b"3\n"}.items():
            archive.writestr(f"archive/{name}", data)
    return stream.getvalue()


def _of_zips():
    big = io.BytesIO()
    with zipfile.ZipFile(big, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/version", b"3\n")
        with archive.open("archive/data.pkl", "w", force_zip64=True) as member:
            for _ in range(100):
                member.write(bytes(2**20))
    yield "a torch zip whose pickle is 100 MB", big.getvalue()
    for name, content in _of_pickles():
        yield f"a torch zip: {name}", torch_zip(content)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"archive/data/{number}", b"")
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    yield "a torch zip of many members", stream.getvalue()
    stream = io.BytesIO()
    one = {"features.0.weight": torch.zeros(1).expand(64, 3, 3, 10**9)}
    torch.save(one, stream)
    yield "a torch zip of a tensor that repeats one number", stream.getvalue()
    stream = io.BytesIO()
    with torch.device("meta"):
        from nst_core.files.weights.names import SHAPES

        torch.save({name: torch.zeros(shape) for name, shape in SHAPES.items()}, stream)
    yield "a torch zip of tensors without values", stream.getvalue()


def _of_hdf5():
    import h5py

    def made(fill):
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            fill(file)
        return stream.getvalue()

    def huge(file):
        file.create_dataset("a/kernel:0", (3, 3, 2**20, 2**20), "f4")

    def chunked(file):
        data = file.create_dataset(
            "a/kernel:0", (3, 3, 8, 64), "f4", chunks=(3, 3, 8, 64), maxshape=(None,) * 4
        )
        data[...] = 0

    def large_chunk(file):
        shape, chunks = (3, 3, 16, 64), (3, 3, 2**12, 2**14)
        data = file.create_dataset(
            "a/kernel:0", shape, "i1", chunks=chunks, maxshape=(None,) * 4, compression="gzip"
        )
        # Stored as it is packed, or 600 MB would be made to write it.
        data.id.write_direct_chunk((0, 0, 0, 0), packed(b"\0", 9 * 2**26))

    def bytes_of(file):
        data = file.create_dataset(
            "a/kernel:0", (3, 3, 2**10, 2**17), "i1", chunks=(3, 3, 2**10, 2**12)
        )
        data[0, 0, 0, 0] = 1

    def groups(file):
        for number in range(5_000):
            file.create_group(str(number))

    def long_name(file):
        file.create_group("a").attrs["name"] = "x" * 60_000
        file["a/kernel:0"] = np.zeros((3, 3, 3, 64), "f4")

    for name, fill in (
        ("a huge dataset", huge),
        ("a chunk like its dataset", chunked),
        ("a chunk of 600 MB", large_chunk),
        ("bytes that become floats", bytes_of),
        ("many groups", groups),
        ("a long attribute", long_name),
    ):
        yield f"HDF5 of {name}", made(fill)


BOMBS = {
    "picture": of_pictures,
    "settings_text": of_texts,
    "command": of_commands,
    "checkpoint": of_checkpoints,
    "pickle": of_networks,
}
