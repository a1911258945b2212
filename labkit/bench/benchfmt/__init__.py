"""The Go benchmark format, in and out.

https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md: what ``go test -bench`` prints and
benchstat reads. :func:`read` takes anyone's file, :func:`write` gives labkit's samples.
"""

from labkit.bench.benchfmt.reader import parse, read
from labkit.bench.benchfmt.writer import write

__all__ = ["parse", "read", "write"]
