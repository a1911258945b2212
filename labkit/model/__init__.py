"""Record types: frozen, keyword-only msgspec structs, with units in the names and no behaviour.

Every type that reaches a record derives from :class:`labkit.model.base.Record`, which refuses unknown fields, so that a
record is validated whole when it is read. Values that were not obtained are ``None`` beside a stated reason.
"""
