"""The environment of an iteration: capture it, store it as a snapshot, restore it. Parts are imported when used."""
