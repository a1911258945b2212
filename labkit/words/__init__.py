"""Every text that a reader sees, by id, in English and Chinese.

Records hold an id and its values (:class:`labkit.model.base.Text`); the sentence is made here, when it is shown. The
catalogues, one TOML file a topic under ``en/`` and ``zh/``, hold the same ids with the same slots.
"""

import contextlib
import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources

from labkit.model.base import Text


class Language(StrEnum):
    """The languages of labkit's texts."""

    ENGLISH = "en"
    CHINESE = "zh"


def _flatten(prefix: str, table: Mapping[str, object]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping):
            flat |= _flatten(name, value)
        else:
            flat[name] = str(value)
    return flat


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return all texts of a language: id to sentence, slots in braces. An id is ``topic.name``, by its file."""
    folder = resources.files(__name__).joinpath(str(language))
    return {
        id_: sentence
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if file.name.endswith(".toml")
        for id_, sentence in _flatten(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8"))).items()
    }


def preferred_language(environ: Mapping[str, str] | None = None) -> Language:
    """Return the reader's language: ``LABKIT_LANG``, else English. The locale does not decide, for logs are shared."""
    named = (os.environ if environ is None else environ).get("LABKIT_LANG", "en").lower()
    return Language.CHINESE if named.startswith("zh") else Language.ENGLISH


def render(text: Text, language: Language | None = None) -> str:
    """Return the sentence of a text in a language."""
    return say(text.id, language, **text.values)


def say(id_: str, language: Language | None = None, /, **values: str | float) -> str:
    """Return the sentence of an id in a language, its slots filled.

    An id that this labkit does not know, or values that do not fill its slots (a record of another version), are shown
    as they are, so that nothing is lost.
    """
    sentence = catalogue(language or preferred_language()).get(id_)
    if sentence is not None:
        with contextlib.suppress(KeyError, ValueError, IndexError, AttributeError):  # slots of another version
            return sentence.format_map(values)
    return f"{id_} {values}" if values else id_
