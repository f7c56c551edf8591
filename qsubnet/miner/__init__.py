"""The miner service: one hotkey, one provider adapter, its devices behind signed HTTP."""
