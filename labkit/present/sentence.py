"""A sentence of labkit's as HTML."""

from markupsafe import Markup


def ticked(text: str) -> Markup:
    """Return a sentence, escaped, with what stands in backticks as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # an odd backtick
        return Markup.escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if position % 2 else Markup.escape(piece)
        for position, piece in enumerate(pieces)
    )
