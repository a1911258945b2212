"""Generators of different days side by side: tables, one struct by each, and what became of the XXX_ fields."""

import html
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from labkit.model.generators import GeneratorOutcome, GeneratorSurvey, MessageStruct, OptionTrial
from labkit.present.table import PLAIN, Table, text_frame
from labkit.words import Language, say

#: The modules that generated code may need at run time; its other imports are Go's own library.
_RUNTIMES = ("github.com/golang/protobuf", "google.golang.org/protobuf", "google.golang.org/grpc")


@dataclass(frozen=True)
class Listings:
    """Pieces of source code beside each other, each under its head."""

    title: str
    heads: tuple[str, ...]
    texts: tuple[str, ...]

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads)
        cells = "".join(f'<td style="text-align: left"><pre>{html.escape(text)}</pre></td>' for text in self.texts)
        caption = f"<p>{html.escape(self.title)}</p>"
        rows = f"<thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody>"
        return f'{caption}<table class="labkit {PLAIN}">{rows}</table>'

    def __repr__(self) -> str:
        columns = [[head, "", *text.split("\n")] for head, text in zip(self.heads, self.texts, strict=True)]
        widths = [max(map(len, column)) for column in columns]
        lines = (
            "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in zip_longest(*columns, fillvalue="")
        )
        return "\n".join([self.title, "", *lines])


def generator_versions(survey: GeneratorSurvey, language: Language | None = None) -> Table:
    """Show which generators took part: version, date, package, stamps and runtime imports (all str)."""
    rows = []
    for generator in survey.generators:
        made = [each for each in survey.outcomes if each.generator == generator.version and each.made]
        stamps = sorted({f"{name} {version}" for each in made for name, version in each.stamps.items()})
        imported = [path for each in made for path in each.imports if "/types/known/" not in path]
        modules = [module for module in _RUNTIMES if any(path.startswith(module) for path in imported)]
        rows.append(
            {
                "version": generator.version,
                "released": generator.released,
                "package": generator.package,
                "own": say("generators.own.set" if generator.in_set else "generators.own.pinned", language),
                "stamps": ", ".join(stamps) or say("generators.stamps.none", language),
                "imports": ", ".join(modules) or say("generators.none", language),
            }
        )
    return _table(rows, ("version", "released", "package", "own", "stamps", "imports"), language)


def generator_matrix(survey: GeneratorSurvey, language: Language | None = None) -> Table:
    """Show one row an input and one column a generator: lines, exported names, XXX_ and hidden fields (all str)."""
    found = {(each.generator, each.input): each for each in survey.outcomes}
    versions = [generator.version for generator in survey.generators]
    rows = [
        {
            "input": each.name,
            **{version: _cell(found[version, each.name], language) for version in versions},
        }
        for each in survey.inputs
    ]
    frame = text_frame(rows, ("input", *versions), "generators.column", language)
    return Table(frame.set_axis([frame.columns[0], *versions], axis="columns"))


def generator_refusals(survey: GeneratorSurvey, language: Language | None = None) -> Table:
    """Show what was refused, by whom and in whose words; the same words stand once (all str)."""
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in survey.outcomes:
        if not each.made:
            grouped[each.input, each.said or ""].append(each.generator)
    order = [each.name for each in survey.inputs]
    rows = [
        {"input": name, "generators": ", ".join(versions), "said": said}
        for (name, said), versions in sorted(grouped.items(), key=lambda item: order.index(item[0][0]))
    ]
    return _table(rows, ("input", "generators", "said"), language)


def generator_builds(survey: GeneratorSurvey, language: Language | None = None) -> Table:
    """Show whether each generator's code compiles, a row a generator and runtime (all str)."""
    rows = []
    for generator in survey.generators:
        made = [each for each in survey.outcomes if each.generator == generator.version and each.made]
        for index in range(len(made[0].compiled) if made else 0):
            tried = [(each.input, each.compiled[index]) for each in made]
            good = sum(compiled.compiles for _, compiled in tried)
            count = "all" if good == len(tried) else "some"
            rows.append(
                {
                    "generator": generator.version,
                    "runtime": ", ".join(tried[0][1].modules),
                    "compiles": say(f"generators.count.{count}", language, good=good, n=len(tried)),
                    "fails": "; ".join(f"{name}: {each.said}" for name, each in tried if not each.compiles)
                    or say("generators.none", language),
                }
            )
    return _table(rows, ("generator", "runtime", "compiles", "fails"), language)


def message_structs(survey: GeneratorSurvey, language: Language | None = None) -> Listings:
    """Show the struct of one message by each generator; generators whose structs are equal share one."""
    grouped: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for struct in survey.structs:
        grouped[_pairs(struct)].append(struct.generator)
    known = list(grouped)
    texts = [_listing(survey.structs[0].message, fields, known) for fields in known]
    return Listings(
        title=say("generators.struct.title", language, message=survey.structs[0].message) if known else "",
        heads=tuple(", ".join(versions) for versions in grouped.values()),
        texts=tuple(texts),
    )


def generator_options(survey: GeneratorSurvey, language: Language | None = None) -> Table:
    """Show what an option changes: a row a generator and option (all str)."""
    rows = [
        {
            "generator": trial.generator,
            "option": trial.option or say("generators.option_name.none", language),
            "path": trial.path or f"{say('generators.refused', language)}: {trial.said}",
            "same": _same(trial, _trial(survey, trial.generator, ""), language),
            "xxx": str(len(trial.xxx_fields)) if trial.made else say("generators.none", language),
        }
        for trial in survey.options
    ]
    return _table(rows, ("generator", "option", "path", "same", "xxx"), language)


def xxx_answer(survey: GeneratorSurvey, version: str, language: Language | None = None) -> Table:
    """Show what became of the XXX_ fields, and whether ``module=`` has to do with it in one version (all str)."""
    made = [each for each in survey.outcomes if each.made and each.message_count]
    old = _versions(each for each in made if each.xxx_fields)
    new = [each for each in _versions(made) if each not in old]
    fields = sorted({name.rsplit(".", 1)[1] for each in made if each.generator in new for name in each.state_fields})
    methods = {name: sum(each.xxx_method_count for each in made if each.generator == name) for name in _versions(made)}
    counted = [say("generators.answer.methods", language, version=name, n=n) for name, n in methods.items()]
    nobody = say("generators.answer.nobody", language)
    unknown = [name for name in fields if "unknown" in name.lower()]
    answers = [
        (say("generators.answer.with", language), ", ".join(old) or nobody),
        (say("generators.answer.without", language), ", ".join(new) or nobody),
        (
            say("generators.answer.where", language),
            say("generators.answer.where_in", language, fields=", ".join(unknown)) if unknown else nobody,
        ),
        (say("generators.answer.method", language), ", ".join(counted)),
        (say("generators.answer.default", language, version=version), _default(survey, version, language)),
        (say("generators.answer.changes", language, version=version), _changes(survey, version, language)),
        (say("generators.answer.ignored", language), ", ".join(_ignoring(survey)) or nobody),
    ]
    rows = [{"question": question, "answer": answer} for question, answer in answers]
    return _table(rows, ("question", "answer"), language)


def _table(rows: Sequence[dict[str, str]], heads: Sequence[str], language: Language | None) -> Table:
    return Table(text_frame(rows, heads, "generators.column", language))


def _cell(outcome: GeneratorOutcome, language: Language | None) -> str:
    if not outcome.made:
        return say("generators.refused", language)
    return say(
        "generators.made",
        language,
        lines=outcome.line_count,
        exported=outcome.exported_count,
        xxx=len(outcome.xxx_fields),
        state=len(outcome.state_fields),
    )


def _pairs(struct: MessageStruct) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.type) for field in struct.fields)


def _listing(message: str, fields: Sequence[tuple[str, str]], every: Sequence[Sequence[tuple[str, str]]]) -> str:
    # A field that the newest struct has not is marked -, one that the oldest has not is marked +.
    width = max(len(name) for name, _ in fields)
    lines = [f"  type {message} struct {{"]
    for field in fields:
        sign = "-" if field not in every[-1] else "+" if field not in every[0] else " "
        lines.append(f"{sign}     {field[0].ljust(width)} {field[1]}")
    return "\n".join([*lines, "  }"])


def _trial(survey: GeneratorSurvey, version: str, option: str) -> OptionTrial | None:
    return next((each for each in survey.options if each.generator == version and each.option == option), None)


def _same(trial: OptionTrial, plain: OptionTrial | None, language: Language | None) -> str:
    if plain is None or not trial.made or not plain.made:
        return say("generators.same.unknown", language)
    return say("generators.same.yes" if trial.sha256 == plain.sha256 else "generators.same.no", language)


def _module_option(survey: GeneratorSurvey) -> str:
    # The first module= that was tried is the one that fits.
    return next((each.option for each in survey.options if each.option.startswith("module=")), "")


def _default(survey: GeneratorSurvey, version: str, language: Language | None) -> str:
    plain, module = (_trial(survey, version, option) for option in ("", _module_option(survey)))
    if plain is None or module is None or plain.path is None or module.path is None:
        return say("generators.answer.default_unknown", language, version=version)
    if version in _ignoring(survey):
        return say("generators.answer.default_ignored", language)
    name = "default_yes" if plain.path == module.path else "default_no"
    return say(f"generators.answer.{name}", language, **{"without": plain.path, "with": module.path})


def _changes(survey: GeneratorSurvey, version: str, language: Language | None) -> str:
    digests = {each.sha256 for each in survey.options if each.generator == version and each.made}
    if not digests:
        return say("generators.answer.default_unknown", language, version=version)
    return say(f"generators.answer.{'changes_no' if len(digests) == 1 else 'changes_yes'}", language)


def _ignoring(survey: GeneratorSurvey) -> list[str]:
    # Whoever looks at a module that does not fit refuses it.
    fits = _module_option(survey)
    wrong = [each for each in survey.options if each.option.startswith("module=") and each.option != fits]
    return [each.generator for each in wrong if each.made]


def _versions(outcomes: Iterable[GeneratorOutcome]) -> list[str]:
    return list(dict.fromkeys(each.generator for each in outcomes))
