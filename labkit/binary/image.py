"""Where a program's bytes lie once loaded: segments by address, for readers of data that addresses point at."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of memory that the file fills; offsets count from the slice's start."""

    address: int
    memory_size: int
    offset: int
    file_size: int
    writable_data: bool  # readable and writable, never executable: where Go's linker puts data
    name: str = ""


@dataclass(kw_only=True)
class Image:
    """All segments, and the section of Go's build information as (address, size) when there is one."""

    segments: list[Segment] = field(default_factory=list)
    go_section: tuple[int, ...] | None = None
