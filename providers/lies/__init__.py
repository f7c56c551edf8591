"""How devices lie, one idea a file; `providers.cheats` has the table of them all."""
