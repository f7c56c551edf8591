"""Banks on disk: made, killed half way, made on; each entry handed out once, whoever is killed."""

from __future__ import annotations

import hashlib
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from circuits.errors import CircuitError
from circuits.program import Program
from qsubnet.bank_spec import BankSpec, bytes_needed, seconds_each
from qsubnet.banks import Bank, create
from qsubnet.errors import BadInput, Busy, ConfigurationError, NotFound
from qsubnet.lock import sole
from validator.references.bank import bank_exactness, bank_fidelity, sorted_answer
from validator.references.engines import DenseEngine
from validator.references.reference import Reference

if TYPE_CHECKING:
    from validator.references.engines import State

SECRET = b"a secret of a test bank"
SPEC = BankSpec(
    id="test",
    qubits=10,
    depth=16,
    gates=("cx", "u"),
    entries=3,
    kept_bits=10,
    deadline_s=30.0,
    secret_digest=hashlib.sha256(SECRET).hexdigest(),
)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    made = create(tmp_path / "bank", SPEC, secret=SECRET)
    assert list(made.make(DenseEngine())) == [0, 1, 2]
    return made


class Dies:
    """An engine that gives some states and is then killed."""

    name = "dense"

    def __init__(self, after: int) -> None:
        self.left = after

    def states(self, programs: Sequence[Program]) -> Iterator[State]:
        """Simulate, or die."""
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return DenseEngine().states(programs)


def contents(bank: Bank) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (bank.path / "entries").iterdir()}


def test_an_honest_simulator_passes_an_entry_and_chance_does_not(bank: Bank) -> None:
    entry = bank.take(to="hotkey")
    levels = bank.levels(entry)
    law = Reference(DenseEngine()).probabilities(entry.case().program)
    for truth, expected in ((law, 1.0), (np.full(1024, 1 / 1024), 0.0)):
        seen = np.random.default_rng(1).multinomial(20_000, truth / truth.sum())
        counts = {f"{k:010b}": int(seen[k]) for k in np.flatnonzero(seen)}
        answer = sorted_answer(entry, levels, counts)
        found = bank_fidelity(entry, answer)
        assert found.low - 0.03 <= expected <= found.high + 0.03
        assert (bank_exactness(entry, answer).low > 0.97) == (expected == 1.0)


def test_a_maker_killed_half_way_is_taken_up_where_it_stopped(tmp_path: Path, bank: Bank) -> None:
    other = create(tmp_path / "other", SPEC, secret=SECRET)
    with pytest.raises(KeyboardInterrupt):
        list(other.make(Dies(after=1)))
    assert (other.made(), other.missing()) == ([0], [1, 2])
    (other.path / "entries" / "0001.levels.part").write_bytes(b"half a fi")
    again = create(tmp_path / "other", SPEC, secret=SECRET)
    assert list(again.make(DenseEngine())) == [1, 2]
    made, expected = contents(again), contents(bank)
    assert {name: made[name] for name in expected} == expected


def test_levels_without_their_entry_are_made_again(bank: Bank) -> None:
    before = contents(bank)
    (bank.path / "entries" / "0001.json").unlink()
    assert bank.missing() == [1]
    assert list(bank.make(DenseEngine())) == [1]
    assert contents(bank) == before


def test_entries_share_nothing(bank: Bank) -> None:
    digests = {bank.entry(index).program_digest for index in range(3)}
    keys = {bank.entry(index).key for index in range(3)}
    assert len(digests) == len(keys) == 3


def test_two_banks_with_one_secret_share_no_circuit(tmp_path: Path, bank: Bank) -> None:
    other = create(tmp_path / "other", replace(SPEC, id="other", entries=1), secret=SECRET)
    list(other.make(DenseEngine()))
    assert other.entry(0).program_digest != bank.entry(0).program_digest


def test_every_entry_is_handed_out_once(bank: Bank) -> None:
    taken = [bank.take(to=f"hotkey {k}").index for k in range(3)]
    assert taken == [0, 1, 2]
    assert Bank(bank.path).used() == {0: "hotkey 0", 1: "hotkey 1", 2: "hotkey 2"}
    with pytest.raises(NotFound, match=r"no entry .* is left"):
        Bank(bank.path).take(to="hotkey 3")


def test_takers_at_the_same_time_never_get_the_same_entry(bank: Bank) -> None:
    got: list[int] = []
    start = threading.Barrier(3)

    def take() -> None:
        own = Bank(bank.path)
        start.wait()
        got.append(own.take(to="somebody").index)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [0, 1, 2]


def test_an_entry_whose_taker_was_killed_stays_used(bank: Bank) -> None:
    # Killed after the file was created and before anything was written into it.
    (bank.path / "used" / "0000").touch()
    assert bank.take(to="hotkey").index == 1
    assert bank.used() == {0: "", 1: "hotkey"}


def test_looking_at_an_entry_does_not_use_it(bank: Bank) -> None:
    bank.entry(0)
    assert bank.used() == {}


def test_two_makers_do_not_work_on_one_bank(tmp_path: Path) -> None:
    bank = create(tmp_path / "bank", SPEC, secret=SECRET)
    with (
        sole(bank.path / "lock", role="maker of this bank"),
        pytest.raises(Busy, match="another maker of this bank"),
    ):
        list(bank.make(DenseEngine()))


def test_a_bank_is_for_its_owner_alone(bank: Bank) -> None:
    for place in (bank.path, bank.path / "entries", bank.path / "secret", bank.path / "used"):
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0
    for file in (bank.path / "entries").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_damaged_levels_are_noticed(bank: Bank) -> None:
    file = bank.path / "entries" / "0000.levels"
    content = bytearray(file.read_bytes())
    content[7] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(ConfigurationError, match="its digest is not its entry's"):
        bank.levels(bank.entry(0))
    file.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        bank.levels(bank.entry(0))


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("bank.json", "{", "is damaged"),
        ("bank.json", '{"format": "other"}', "is no qsubnet-bank/1"),
        ("secret", "00", "is not the secret of this bank"),
        ("secret", "no hex", "cannot be read"),
    ],
)
def test_a_damaged_bank_is_refused(bank: Bank, file: str, content: str, sentence: str) -> None:
    (bank.path / file).write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        Bank(bank.path)


def test_a_damaged_entry_is_refused(bank: Bank) -> None:
    (bank.path / "entries" / "0000.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="is damaged"):
        bank.entry(0)


def test_no_bank_is_found_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no bank"):
        Bank(tmp_path)


def test_another_bank_in_the_same_place_is_named(bank: Bank) -> None:
    with pytest.raises(BadInput, match="depth is 16 there, asked was 20"):
        create(bank.path, replace(SPEC, depth=20), secret=SECRET)
    fresh = replace(SPEC, id="fresh", secret_digest="0" * 64)
    assert asdict(create(bank.path, fresh, secret=b"other").spec) == asdict(SPEC)


@pytest.mark.parametrize(
    "change",
    [
        {"qubits": 9, "kept_bits": 9},
        {"qubits": 35},
        {"depth": 15},
        {"entries": 0},
        {"kept_bits": 11},
        {"kept_bits": 9},
        {"deadline_s": 0.0},
        {"gates": ("cx", "warp")},
    ],
)
def test_a_bank_that_makes_no_sense_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="need"):
        replace(SPEC, **change)  # type: ignore[arg-type]


def test_the_guess_of_time_grows_with_the_number_of_amplitudes() -> None:
    wide = replace(SPEC, qubits=30, kept_bits=10)
    guesses = [seconds_each(spec, DenseEngine(), probe=14) for spec in (SPEC, wide)]
    # 2**30 amplitudes against at most 2**14 that were tried: at least a few thousand times more.
    assert guesses[1] > 1000 * guesses[0] > 0


def test_memory_doubles_with_every_qubit() -> None:
    narrow, wide = (replace(SPEC, qubits=n, kept_bits=10) for n in (29, 30))
    (small, large) = (bytes_needed(spec, DenseEngine()) for spec in (narrow, wide))
    assert large - small == 32 << 29


def test_a_bank_that_cannot_be_drawn_leaves_nothing_behind(tmp_path: Path) -> None:
    spec = replace(SPEC, gates=("cz", "h"))
    with pytest.raises(CircuitError):
        create(tmp_path / "bank", spec, secret=b"s" * 32)
    assert not (tmp_path / "bank").exists()
