"""examples/encoder: a TensorFlow checkpoint that is written here becomes a model folder; damaged ones are refused, and
the script leaves nothing behind where it fails. TAP; standard library only."""

import array
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "examples" / "encoder"))
sys.dont_write_bytecode = True
import convert
from checkpoint import Checkpoint, Damaged

FLOAT, DOUBLE = 1, 2


# ---- A writer of checkpoints ----

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def bundle_entry(shape, offset, size, dtype=FLOAT):
    dims = b"".join(field(2, field(1, n)) for n in shape)
    return field(1, dtype) + field(2, dims) + field(4, offset) + field(5, size) + varint(6 << 3 | 5) + bytes(4)


def block(rows, interval=4):
    """Keys share prefixes with the one before, except at restart points."""
    out, restarts, last = bytearray(), [], b""
    for i, (key, value) in enumerate(rows):
        shared = 0
        if i % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(out) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(rows, per_block=7, compression=0):
    out, index = bytearray(), []

    def add(data):
        handle = varint(len(out)) + varint(len(data))
        out.extend(data + bytes([compression]) + bytes(4))
        return handle

    rows = sorted(rows)
    for i in range(0, len(rows), per_block):
        index.append((rows[min(i + per_block, len(rows)) - 1][0], add(block(rows[i : i + per_block]))))
    footer = add(block([])) + add(block(index, 1))
    return bytes(out) + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_checkpoint(prefix, tensors, header=field(1, 1) + field(3, field(1, 1)), **options):
    """tensors: {name: (shape, array)}."""
    rows, data = [(b"", header)], bytearray()
    for name, (shape, values) in tensors.items():
        rows.append((name.encode(), bundle_entry(shape, len(data), 4 * len(values))))
        data += values.tobytes()
    Path(f"{prefix}.index").write_bytes(table(rows, **options))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)


# ---- A small checkpoint, for the reader ----

SMALL = {"a/kernel": ((2, 3), array.array("f", [1, 2, 3, 4, 5, -6.5])), "a/bias": ((3,), array.array("f", [7, 8, 9])),
         "step": ((), array.array("f", [10]))}


def refused(action, says=""):
    try:
        action()
    except Damaged as problem:
        assert says in str(problem), problem
    else:
        raise AssertionError(f"accepted, expected: {says}")


def read_all(prefix):
    checkpoint = Checkpoint(str(prefix))
    return {name: checkpoint.read(name, SMALL[name][0]) for name in SMALL}


def test_reader(work):
    for per_block in (1, 2, 50):
        write_checkpoint(work / "x", SMALL, per_block=per_block)
        assert read_all(work / "x") == {name: values for name, (_, values) in SMALL.items()}
        assert Checkpoint(str(work / "x")).names == set(SMALL)


def test_reader_refusals(work):
    prefix, name = work / "x", "a/kernel"
    write_checkpoint(prefix, SMALL)
    refused(lambda: Checkpoint(str(prefix)).read("b", (1,)), "no tensor")
    refused(lambda: Checkpoint(str(prefix)).read(name, (3, 2)), "shape [2, 3], not [3, 2]")
    for value in (math.nan, math.inf):
        write_checkpoint(prefix, {name: ((1,), array.array("f", [value]))})
        refused(lambda: Checkpoint(str(prefix)).read(name, (1,)), "not finite")
    write_checkpoint(prefix, SMALL, header=field(1, 2))
    refused(lambda: Checkpoint(str(prefix)), "several data files")
    write_checkpoint(prefix, SMALL, header=field(1, 1) + field(2, 1))
    refused(lambda: Checkpoint(str(prefix)), "big-endian")
    write_checkpoint(prefix, SMALL, compression=1)
    refused(lambda: Checkpoint(str(prefix)), "compressed")
    for entry, says in ((bundle_entry((1,), 0, 4, DOUBLE), "float32"), (bundle_entry((1,), 0, 8), "wrong size"),
                        (bundle_entry((1,), 1 << 62, 4), "truncated"), (field(1, 1) + field(2, 5), "form")):
        Path(f"{prefix}.index").write_bytes(table([(b"t", entry)]))
        refused(lambda: Checkpoint(str(prefix)).read("t", (1,)), says)


def test_damage(work):
    """Cut anywhere, it is refused; with any byte changed, there is never another error than that."""
    prefix = work / "x"
    write_checkpoint(prefix, SMALL, per_block=2)
    path = Path(f"{prefix}.index")
    index = path.read_bytes()
    for length in range(len(index)):
        path.write_bytes(index[:length])
        refused(lambda: read_all(prefix))
    for at in range(len(index)):
        for change in (0x01, 0x80, 0xFF):
            path.write_bytes(index[:at] + bytes([index[at] ^ change]) + index[at + 1 :])
            try:
                read_all(prefix)
            except Damaged:
                pass
    path.write_bytes(index)
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    refused(lambda: read_all(prefix), "truncated")


# ---- The package, as large as it is ----

def make_package(work):
    """Tensor number n has the values n + i / size, whose places can be recognised."""
    norms = [1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200]
    kernels = [(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51), (7, 561, 1, 64),
               (7, 64, 1, 64), (7, 64, 1, 64)]
    shapes = {}
    for i, n in enumerate(norms):
        for member in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"batch_normalization{'_%d' % i if i else ''}/{member}"] = (n,)
    for i, shape in enumerate(kernels):
        shapes[f"conv2d{'_%d' % i if i else ''}/kernel"] = shape
        shapes[f"conv2d{'_%d' % i if i else ''}/bias"] = shape[-1:]
    shapes.update({"dense/kernel": (1506, 200), "dense/bias": (200,), "dense_1/kernel": (200, 50),
                   "dense_1/bias": (50,)})
    tensors = {}
    for number, (name, shape) in enumerate(shapes.items()):
        size = math.prod(shape)
        tensors[name] = (shape, array.array("f", (number + i / size for i in range(size))))
    tensors["dense/kernel/Adam"] = ((1,), array.array("f", [0]))
    package = work / "package"
    (package / "musicnn" / "MSD_musicnn").mkdir(parents=True)
    (package / "musicnn-0.1.0.dist-info").mkdir()
    (package / "musicnn-0.1.0.dist-info" / "LICENSE.md").write_text("the notice\n")
    labels = [f"tag {i}" for i in range(50)]
    (package / "musicnn" / "configuration.py").write_text(f"import os\nMSD_LABELS = {labels!r}\n")
    write_checkpoint(f"{package}/musicnn/MSD_musicnn/", tensors)
    return package, tensors, labels


def read_safetensors(path):
    data = path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    assert (8 + length) % 8 == 0
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            assert entry["dtype"] == "F32"
            tensors[name] = (tuple(entry["shape"]), array.array("f", data[8 + length + begin : 8 + length + end]))
    return tensors


def at(tensor, *place):
    shape, values = tensor
    index = 0
    for size, i in zip(shape, place, strict=True):
        index = index * size + i
    return values[index]


def test_convert(work):
    package, theirs, labels = make_package(work)
    folder = work / "model"
    assert convert.convert(str(package), "msd", str(folder)) == 792_079
    ours = read_safetensors(folder / "model.safetensors")
    assert sum(math.prod(shape) for shape, _ in ours.values()) == 792_079 and len(ours) == 64
    for t, f, o in ((0, 0, 0), (6, 37, 203), (3, 5, 70)):
        assert at(ours["timbre.0.conv.weight"], o, 0, t, f) == at(theirs["conv2d/kernel"], t, f, 0, o)
    assert at(ours["tempo.2.conv.weight"], 50, 0, 31, 0) == at(theirs["conv2d_4/kernel"], 31, 0, 0, 50)
    for t, c, o in ((0, 0, 0), (6, 560, 63), (2, 100, 3)):
        assert at(ours["middle.0.conv.weight"], o, c, t) == at(theirs["conv2d_5/kernel"], t, c, 0, o)
    assert at(ours["penultimate.weight"], 7, 1000) == at(theirs["dense/kernel"], 1000, 7)
    assert at(ours["tags.weight"], 49, 3) == at(theirs["dense_1/kernel"], 3, 49)
    for name, number in (("norm", 0), ("timbre.1.norm", 2), ("tempo.0.norm", 3), ("middle.2.norm", 8),
                         ("pooled.norm", 9), ("penultimate.norm", 10)):
        prefix = f"batch_normalization{'_%d' % number if number else ''}"
        for mine, other in (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
                            ("running_var", "moving_variance")):
            assert ours[f"{name}.{mine}"] == theirs[f"{prefix}/{other}"], (name, mine)
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "musicnn" and config["id2label"]["49"] == "tag 49"
    assert (folder / "LICENSE").read_text() == "the notice\n"


def test_convert_refusals(work):
    package, tensors, _ = make_package(work)
    folder = work / "model"
    prefix = f"{package}/musicnn/MSD_musicnn/"
    refused(lambda: convert.convert(str(package), "mtt", str(folder)), "MTT_LABELS")
    shape, values = tensors.pop("dense_1/bias")
    write_checkpoint(prefix, tensors)
    refused(lambda: convert.convert(str(package), "msd", str(folder)), "no tensor ‘dense_1/bias’")
    tensors["dense_1/bias"] = ((49,), values[:49])
    write_checkpoint(prefix, tensors)
    refused(lambda: convert.convert(str(package), "msd", str(folder)), "[49], not [50]")
    assert not folder.exists()
    (package / "musicnn-0.1.0.dist-info" / "LICENSE.md").unlink()
    refused(lambda: convert.convert(str(package), "msd", str(folder)), "licence")


# ---- The script ----

def run_script(work, *words, **environment):
    """Exit status and messages, without the network."""
    env = {**os.environ, "XDG_DATA_HOME": str(work / "data"), "PIP_NO_INDEX": "1", **environment}
    result = subprocess.run(["sh", SOURCE / "examples" / "encoder.sh", *words], env=env, text=True,
                            stdin=subprocess.DEVNULL, capture_output=True)
    return result.returncode, result.stdout + result.stderr


def test_script(work):
    status, text = run_script(work, "--help")
    assert status == 0 and "--force" in text and "licence" in text, text
    assert run_script(work, "--other")[0] == 64
    models = work / "data" / "segue" / "models"
    status, text = run_script(work)
    assert status == 69 and ("could not be downloaded" in text or "is missing" in text), (status, text)
    assert not models.exists() or list(models.iterdir()) == []

    # Another package of that name is refused by its hash.
    with zipfile.ZipFile(work / "musicnn-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("musicnn-0.1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: musicnn\nVersion: 0.1.0\n")
        wheel.writestr("musicnn-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("musicnn-0.1.0.dist-info/RECORD", "")
    status, text = run_script(work, PIP_FIND_LINKS=str(work))
    assert status == 69 and ("HASH" in text.upper() or "is missing" in text), (status, text)
    assert not models.exists() or list(models.iterdir()) == []

    for name in ("msd-musicnn", "mtt-musicnn"):
        (models / name).mkdir(parents=True)
        (models / name / "model.safetensors").write_bytes(b"kept")
    status, text = run_script(work)
    assert status == 0 and "already installed" in text, (status, text)
    assert run_script(work, "--force")[0] == 69
    assert (models / "msd-musicnn" / "model.safetensors").read_bytes() == b"kept"


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for i, (name, test) in enumerate(tests):
        with tempfile.TemporaryDirectory(prefix="segue-test-") as work:
            test(Path(work))
        print(f"ok {i + 1} {name}")


main()
