"""Makes pasted terminal text comparable: no colours, prompts or timestamps, English system messages, plain punctuation.

Not a judge: it knows no rule. Reads text, returns the lines and two readings of them with hard wraps undone.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

#: Only so many lines at the start and at the end of a paste are looked at: a build's first fault and its last words.
FIRST_LINES: Final = 400
LAST_LINES: Final = 1200
#: A line is cut here; what identifies a fault stands well before it.
LINE_CHARACTERS: Final = 600
#: A pasted text of which not even the lines are counted beyond this: half from its start, half from its end.
TEXT_CHARACTERS: Final = 2 * (FIRST_LINES + LAST_LINES) * LINE_CHARACTERS
#: A line shorter than this was ended by its program, not by the width of a terminal.
WRAPPED_AT_LEAST: Final = 16

# ECMA-48: CSI sequences, OSC strings (titles, links), and the two-character escapes; bounded, so that a lone ESC costs
# little. The last alternatives are colours whose ESC was lost on the way through a web form.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]{0,32}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|\x1b[@-Z\\^_=>78]"
    r"|(?:\^\[|␛|\\033|\\x1b|\\e|\\u001b)\[[0-9;]{0,16}[mK]|(?<![\w\]])\[(?:[0-9]{1,3};){0,3}[0-9]{1,3}m"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff]")
_STAMPS: Final = re.compile(
    r"^\s{0,8}(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?|#\d{1,3} \d{1,5}\.\d{1,4})\s{1,4}"
)
_PROMPTS: Final = re.compile(
    r"^\s{0,8}(?:[\u279c\u276f]\s{1,3}(?:~|\S{1,60})\s{1,3}"
    r"|\(?[\w.-]{0,30}\)?\s?[\w.-]{1,40}@[\w.-]{1,60}[: ][^$#%]{0,80}[$#%] "
    r"|[$%\u276f\u00bb] |> |\| {1,3})"
)
_SPACES: Final = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u3000]{1,400}")
_QUOTED: Final = re.compile(r"^(?: {0,3}>){1,4} ?")


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """A text made comparable, three times: its lines, and the lines with hard wraps undone in two ways."""

    lines: str  # one logical line each, as pasted
    spaced: str  # a wrap became a space, or nothing where that makes a word of the vocabulary
    joined: str  # a wrap became nothing
    cut: bool  # the middle of the paste was not looked at

    @property
    def readings(self) -> tuple[str, ...]:
        """The distinct readings, the plainest first."""
        return tuple(dict.fromkeys((self.lines, self.spaced, self.joined)))


@cache
def punctuation() -> Mapping[int, str]:
    """Return typographic and full-width punctuation with its plain form (data in ``locale.toml``)."""
    read = tomllib.loads(resources.files(__package__).joinpath("locale.toml").read_text("utf-8"))
    return str.maketrans({mark: plain for plain, marks in read["punctuation"].items() for mark in marks})


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Return the system's messages in Chinese with their English, longest first (data in ``locale.toml``)."""
    read = tomllib.loads(resources.files(__package__).joinpath("locale.toml").read_text("utf-8"))
    pairs = [(_plain(row["zh"]), row["en"]) for row in read["message"]]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def _translations() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compile the messages: a slot ``{x}`` of the Chinese keeps what stands there in the English."""
    rows = []
    for chinese, english in messages():
        spaced = re.sub(r"([,:])(?:\\ )?", r"\1 ?", re.escape(chinese)).replace("\\ ", " ?")
        pattern = re.sub(r"\\\{(\w{1,12})\\\}", r"(?P<\1>[^\\n\"]{1,120}?)", spaced)
        rows.append((re.compile(pattern), re.sub(r"\{(\w{1,12})\}", r"\\g<\1>", english)))
    return tuple(rows)


def normalise(text: str, vocabulary: frozenset[str] = frozenset()) -> Normalised:
    """Return the readings of a text.

    Of a long paste only the first ``FIRST_LINES`` and the last ``LAST_LINES`` lines are kept, each cut after
    ``LINE_CHARACTERS`` characters. ``vocabulary`` (lower-case words) decides which wraps fell inside a word.
    """
    cut = len(text) > TEXT_CHARACTERS
    if cut:
        text = text[: TEXT_CHARACTERS // 2] + "\n" + text[-TEXT_CHARACTERS // 2 :]
    raw = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(raw) > FIRST_LINES + LAST_LINES:
        cut = True
        raw = raw[:FIRST_LINES] + raw[-LAST_LINES:]
    lines: list[str] = []
    seen: set[str] = set()
    for line in raw:
        plain = _line(line[: 2 * LINE_CHARACTERS])[:LINE_CHARACTERS]
        if plain and plain not in seen:  # a line that repeats tells nothing new
            seen.add(plain)
            lines.append(plain)
    return Normalised(
        lines=translate("\n".join(lines)),
        spaced=translate(_unwrap(lines, vocabulary, glue=False)),
        joined=translate(_unwrap(lines, vocabulary, glue=True)),
        cut=cut,
    )


def translate(text: str) -> str:
    """Return the text with the Chinese messages of system, shell and macOS in English."""
    if not re.search(r"[\u4e00-\u9fff]", text):
        return text
    for pattern, english in _translations():
        text = pattern.sub(english, text)
    return text


def _plain(text: str) -> str:
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text.translate(punctuation())).translate(punctuation()))


def _line(line: str) -> str:
    line = _CONTROLS.sub("", _ESCAPES.sub("", line))
    line = _PROMPTS.sub("", _STAMPS.sub("", _QUOTED.sub("", line)))
    return _plain(line).strip()


def _unwrap(lines: list[str], vocabulary: frozenset[str], *, glue: bool) -> str:
    """Return the lines as one text in which each newline that a terminal's width may have made is undone."""
    pieces: list[str] = []
    for index, line in enumerate(lines):
        pieces.append(line)
        if index + 1 == len(lines):
            break
        if _one_word(line, lines[index + 1], vocabulary):
            pieces.append("")  # a word cut in two was cut by a width, however narrow
        elif len(line) < WRAPPED_AT_LEAST:
            pieces.append("\n")
        else:
            pieces.append("" if glue else " ")
    return "".join(pieces)


def _one_word(line: str, following: str, vocabulary: frozenset[str]) -> bool:
    """Say whether the end of a line and the start of the next make a known word, and not each one of its own."""
    before, after = re.search(r"[\w-]{1,30}$", line), re.match(r"[\w-]{1,30}", following)
    if before is None or after is None:
        return False
    left, right = before.group().lower(), after.group().lower()
    return left + right in vocabulary and not (left in vocabulary and right in vocabulary)
