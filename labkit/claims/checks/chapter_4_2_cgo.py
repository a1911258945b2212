"""Chapter 4.2, what the setting of cgo does: to a program's size and what is in it, and to files that import C."""

from collections.abc import Iterable
from typing import Final

from labkit.claims import ledgers
from labkit.claims.base import ClaimCheck, command, output, read_bytes, reckoned
from labkit.claims.builds import APPLE, SERVER, Build, built
from labkit.claims.facts import ClaimFacts
from labkit.claims.static_line import asks, either_way, left, native, stripped
from labkit.model.claims import PartVerdict

_SIZED: Final = (SERVER, "names")  # programs whose size is compared: the generated service, and one with package net
_RUNTIMES_SHARE: Final = 0.5  # of what is saved: a cause explains most of its effect


class Shrinks(ClaimCheck):
    """Build the generated service and a program with package net with cgo on and off, and compare size and contents.

    The size of the functions of Go's package runtime is summed by Go's own table of functions.
    """

    id = "4.2.07"
    turned_by = "the measured sizes of the programs with cgo on"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether each shrinks as stated, and most of that is the runtime's."""
        stated = ledgers.own().find(self.id)
        wanted, slack = stated.number("after_mb") / stated.number("before_mb"), stated.tolerance or 0.0
        evidence, holds, told = [], [], []
        for program, platform in ((program, platform) for platform in (native(facts), APPLE) for program in _SIZED):
            on, off = (facts.get(built(either_way(program, platform, cgo=cgo))) for cgo in (True, False))
            if on.piece is None or off.piece is None:
                evidence.append((on if on.piece is None else off).evidence())
                continue
            before, after = _bytes(on), _bytes(off)
            saved = before - after
            runtimes = on.runtime_bytes - off.runtime_bytes
            holds.append(abs(after / before - wanted) <= slack * wanted and runtimes >= saved * _RUNTIMES_SHARE)
            told.append((program, platform, before, after, runtimes))
            evidence.append(
                reckoned(
                    f"{before:,} to {after:,} bytes ({after / before - 1:+.1%}); package runtime "
                    f"{on.runtime_bytes:,} to {off.runtime_bytes:,} bytes; most in {_most(on, off)}",
                    f"{off.line} ({program}, {platform}) against CGO_ENABLED=1",
                )
            )
        bare = facts.get(built(stripped(native(facts))))
        evidence.append(read_bytes(f"{bare.line} ({bare.platform})", f"{_bytes(bare):,} bytes"))
        if not told:
            yield self.untested("untested", would_test="would_test", evidence=evidence)
            return
        _program, platform, before, after, runtimes = told[0]
        yield self.judged(
            all(holds),
            evidence,
            before=f"{before / 1e6:.2f}",
            after=f"{after / 1e6:.2f}",
            percent=f"{(after / before - 1) * 100:+.1f}",
            most=f"{max((1 - after / before) * 100 for _, _, before, after, _ in told):.1f}",
            runtime=f"{runtimes / 1e3:.1f}",
            saved=f"{(before - after) / 1e3:.0f}",
            wanted=f"{(wanted - 1) * 100:+.0f}",
            platform=platform,
            count=len(told),
            bare=f"{_bytes(bare) / 1e6:.2f}",
        )


def _bytes(seen: Build) -> int:
    return (seen.program.size_bytes if seen.program is not None else None) or 0


def _most(on: Build, off: Build) -> str:
    names = {*on.sections_bytes, *off.sections_bytes}
    change = {name: off.sections_bytes.get(name, 0) - on.sections_bytes.get(name, 0) for name in names}
    chosen = sorted(names, key=lambda name: (-abs(change[name]), name))[:3]
    return ", ".join(f"{name} ({change[name]:+,})" for name in chosen if change[name]) or "no section"


class SwitchedOff(ClaimCheck):
    """Build, with cgo off, a program that calls C and one that has a file for either setting; list Go's own packages.

    Go is asked which files of its standard library import C and would be compiled, with the setting on and off.
    """

    id = "4.2.11"
    turned_by = "another Go"

    def parts(self, facts: ClaimFacts) -> Iterable[PartVerdict]:
        """Judge by whether any file that imports C is compiled with the setting off."""
        seen = facts.get(left)
        here = native(facts)
        only = facts.get(built(either_way("c", here, cgo=False)))
        on, off = (facts.get(built(either_way("either", here, cgo=cgo))) for cgo in (True, False))
        evidence = [
            output("CGO_ENABLED=1 go list -f '{{.CgoFiles}}' std", ", ".join(seen.on) or "-"),
            output("CGO_ENABLED=0 go list -f '{{.CgoFiles}}' std", ", ".join(seen.off) or f"none of {seen.packages}"),
            command(only.line, f"{only.ended}: {only.first()}") if only.piece is None else only.evidence(),
            on.evidence(),
            off.evidence(),
        ]
        alone = off.piece is not None and not off.libraries
        yield self.judged(
            not seen.off and seen.packages > 0 and only.piece is None and alone,
            evidence,
            count=len(seen.on),
            packages=", ".join(seen.on) or "-",
            left=", ".join(seen.off) or "-",
            said=only.first(),
            on=asks(on),
            off=asks(off),
        )
