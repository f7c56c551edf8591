from __future__ import annotations

from typing import Any

from qsubnet.chain.registrations import registrations


def test_a_coldkeys_registrations_are_counted_and_a_new_hotkey_is_no_fresh_start(
    bench: Any, key: Any
) -> None:
    chain = bench.chain()
    cold, other = chain.registrar(key("cold")), chain.registrar(key("other"))
    for registrar, hotkey in ((cold, "m1"), (other, "m2"), (cold, "m3")):
        bench.run(registrar.register(hotkey))
        bench.run(chain.produce(1))
    bench.run(cold.deregister("m1"))
    bench.run(chain.produce(1))
    again = bench.run(cold.register("m1")).block
    events = bench.run(chain.events())
    assert registrations(events, before_block=again + 1) == {"m1": 3, "m2": 1, "m3": 2}
    # A block that is not over yet is left out, so that all validators of an epoch count the same.
    assert registrations(events, before_block=again) == {"m1": 1, "m2": 1, "m3": 2}


def test_an_empty_history_has_none(bench: Any) -> None:
    assert registrations(bench.run(bench.chain().events()), before_block=10**9) == {}
