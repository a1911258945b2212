"""Real records of trap runs with one thing altered, for checks of what a run shows."""

import msgspec

_FIELDS = ("status", "output", "command")


def with_step(run, kind, **altered):
    """Return a run in which one step saw something else: ``output``, or facts by their names."""
    return msgspec.structs.replace(
        run, steps=tuple(_altered(each, altered) if each.kind is kind else each for each in run.steps)
    )


def with_case(run, id_, **altered):
    """Return a run in which one case ended otherwise: ``status``, ``output``, or facts by their names."""
    assert any(each.id == id_ for each in run.cases)
    return msgspec.structs.replace(
        run, cases=tuple(_altered(each, altered) if each.id == id_ else each for each in run.cases)
    )


def _altered(seen, altered):
    own = {key: value for key, value in altered.items() if key in _FIELDS}
    facts = {key: value for key, value in altered.items() if key not in _FIELDS}
    assert set(facts) <= set(seen.facts)
    return msgspec.structs.replace(seen, facts={**seen.facts, **facts}, **own)
