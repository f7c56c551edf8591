"""For every test: a home of its own, and none of the settings of whoever runs the tests.

Wallets, vendors' credentials and caches are looked up below HOME; the client looks for a gateway in
`QSUBNET_` variables. A test that found either would pass or fail by where it runs. Child processes
inherit the same environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

KEPT = "QSUBNET_REFERENCE_DATA"  # where measured data lies; tests skip without it


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.delenv(name, raising=False)
        for name in os.environ.keys() - {KEPT}:
            if name.startswith("QSUBNET_"):
                patch.delenv(name)
        yield
