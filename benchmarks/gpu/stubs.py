"""Write stand-ins for NVIDIA libraries that Aer's GPU build loads and a state vector never calls.

The build is linked against cuSOLVER, cuSPARSE, cuStateVec and cuTensorNet, over 2 GB, which only
its method `tensor_network` and its option `cuStateVec_enable` use. A stub has the library's name,
the symbols that the extension asks for, under their versions, and fails when called. The CUDA
runtime stays the real one.

Run: python -m benchmarks.gpu.stubs DIR      (then LD_LIBRARY_PATH=DIR)

Assumes Linux, readelf and gcc. Blind spot: it is known to load; a run on a card has not been tried.
Source: the dynamic section of qiskit-aer-gpu 0.18.2.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

STEMS = ("cublas", "cusolver", "cusparse", "custatevec", "cutensornet")


def libraries(dynamic: str) -> list[str]:
    """Find the libraries to stand in for, in what `readelf -d` prints.

    Example:
        >>> libraries("0x01 (NEEDED)  Shared library: [libcusolver.so.11]")
        ['libcusolver.so.11']
    """
    return re.findall(rf"NEEDED.*\[(lib(?:{'|'.join(STEMS)})\.so[^\]]*)\]", dynamic)


def symbols(table: str, stem: str) -> dict[str, list[str]]:
    """Find a library's undefined symbols, in what `readelf -W --dyn-syms` prints.

    Args:
        table: The symbols of the extension.
        stem: The library's name, which its symbols begin with.

    Returns:
        Names by version, both sorted; the version is "" where a symbol has none.

    Example:
        >>> symbols(" 7: 0 0 FUNC GLOBAL DEFAULT UND cusparseCreate@libcusparse.so.12", "cusparse")
        {'libcusparse.so.12': ['cusparseCreate']}
    """
    pairs = set(re.findall(rf"UND ({stem}\w*)(?:@+(\S+))?", table))
    versions = sorted({version for _, version in pairs})
    return {v: sorted(name for name, version in pairs if version == v) for v in versions}


def write(extension: Path, folder: Path) -> list[Path]:
    """Write the stubs that an extension needs.

    Raises:
        subprocess.CalledProcessError: readelf or gcc failed.
        FileNotFoundError: One of them is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = _run("readelf", "-W", "--dyn-syms", str(extension))
    found = libraries(_run("readelf", "-W", "-d", str(extension)))
    return [_stub(folder, name, symbols(table, name[3:].split(".")[0])) for name in found]


def _stub(folder: Path, library: str, names: dict[str, list[str]]) -> Path:
    stub, script = folder / library, folder / f"{library}.map"
    flags = [f"-Wl,-soname,{library}"]
    if any(names):
        blocks = (
            f"{v} {{ global: {' '.join(f'{n};' for n in some)} }};"
            for v, some in names.items()
            if v
        )
        script.write_text("\n".join(blocks))
        flags.append(f"-Wl,--version-script={script}")
    source = folder / f"{library}.c"
    bodies = [f"int {name}(void) {{ return 1; }}" for some in names.values() for name in some]
    source.write_text("\n".join([*bodies, f"int stub_of_{library.partition('.')[0]};"]))
    _run("gcc", "-shared", "-fPIC", *flags, "-o", str(stub), str(source))
    source.unlink()
    script.unlink(missing_ok=True)
    return stub


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours


def main() -> None:
    """Write the stubs for the Aer of this environment into the folder that is named."""
    if len(sys.argv) != 2:
        sys.exit("need one argument: the folder to write to")
    package = importlib.util.find_spec("qiskit_aer")  # found, not loaded: loading is what fails
    if package is None or package.origin is None:
        sys.exit("Aer is not installed")
    (extension,) = (Path(package.origin).parent / "backends").glob("controller_wrappers*.so")
    for stub in write(extension, Path(sys.argv[1])):
        print(stub)


if __name__ == "__main__":
    main()
