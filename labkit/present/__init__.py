"""Shows records in notebooks: frames for reckoning, tables and figures for reading, bars for long work.

    >>> from labkit import machine, present
    >>> table = present.machine(machine.read())  # as the last line of a cell it shows itself
    >>> frame = table.frame  # what it shows, as a pandas frame

A name without a suffix (``present.findings``) returns a :class:`Table` ready to be shown; the frame functions beside it
document their columns and dtypes. The only room that imports pandas and, but for the site, plotly.
"""

from labkit.present.claims import claim, claims, claims_counts, claims_evidence, claims_facts, claims_frame
from labkit.present.claims_figures import (
    claims_arrows,
    claims_by_chapter,
    claims_diagrams,
    claims_figure,
    claims_verdict,
)
from labkit.present.claims_whole import claims_chapter
from labkit.present.collection import collection_figure, collection_refusals, collection_table
from labkit.present.debugging import registers, stack, stops, trials, variables
from labkit.present.experiments import goarm, installs, printed_cas, sources
from labkit.present.findings import findings_frame
from labkit.present.generators import (
    generator_builds,
    generator_matrix,
    generator_options,
    generator_refusals,
    generator_versions,
    message_structs,
    xxx_answer,
)
from labkit.present.host import causes_frame, host_tools_frame
from labkit.present.instructions import listings, listings_frame
from labkit.present.machines import condition_frame, levels_frame, machine_frame
from labkit.present.matrix import linkage_figure, matrix, matrix_frame, sections
from labkit.present.parameters import parameters
from labkit.present.resolution import resolution, resolution_frame
from labkit.present.samples import samples_figure, samples_frame, samples_table
from labkit.present.sets import fit_frame, sets_frame, switching_frame
from labkit.present.side_by_side import experiments_frame, halves, halves_frame, side_by_side
from labkit.present.structure import latency_figure, tlb_figure
from labkit.present.structure_tables import beside, curve_points, doubts, fields, knees, layouts, quiet
from labkit.present.table import Source, Table
from labkit.present.toolchains import builds_frame, generated_frame, tools_frame
from labkit.present.translated import translated, translated_figure
from labkit.present.traps import (
    about_frame,
    cases_frame,
    error_log_tree,
    trap,
    traps,
    traps_frame,
    traps_verdict,
)
from labkit.present.views import (
    binaries,
    builds,
    causes,
    condition,
    findings,
    fit,
    generated,
    host,
    levels,
    machine,
    measured,
    samples,
    served,
    sets,
    source,
    switching,
    tools,
    tried,
    verdict,
    verdicts,
)
from labkit.system.progress import bar, steps

__all__ = [
    "Source",
    "Table",
    "about_frame",
    "bar",
    "beside",
    "binaries",
    "builds",
    "builds_frame",
    "cases_frame",
    "causes",
    "causes_frame",
    "claim",
    "claims",
    "claims_arrows",
    "claims_by_chapter",
    "claims_chapter",
    "claims_counts",
    "claims_diagrams",
    "claims_evidence",
    "claims_facts",
    "claims_figure",
    "claims_frame",
    "claims_verdict",
    "collection_figure",
    "collection_refusals",
    "collection_table",
    "condition",
    "condition_frame",
    "curve_points",
    "doubts",
    "error_log_tree",
    "experiments_frame",
    "fields",
    "findings",
    "findings_frame",
    "fit",
    "fit_frame",
    "generated",
    "generated_frame",
    "generator_builds",
    "generator_matrix",
    "generator_options",
    "generator_refusals",
    "generator_versions",
    "goarm",
    "halves",
    "halves_frame",
    "host",
    "host_tools_frame",
    "installs",
    "knees",
    "latency_figure",
    "layouts",
    "levels",
    "levels_frame",
    "linkage_figure",
    "listings",
    "listings_frame",
    "machine",
    "machine_frame",
    "matrix",
    "matrix_frame",
    "measured",
    "message_structs",
    "parameters",
    "printed_cas",
    "quiet",
    "registers",
    "resolution",
    "resolution_frame",
    "samples",
    "samples_figure",
    "samples_frame",
    "samples_table",
    "sections",
    "served",
    "sets",
    "sets_frame",
    "side_by_side",
    "source",
    "sources",
    "stack",
    "steps",
    "stops",
    "switching",
    "switching_frame",
    "tlb_figure",
    "tools",
    "tools_frame",
    "translated",
    "translated_figure",
    "trap",
    "traps",
    "traps_frame",
    "traps_verdict",
    "trials",
    "tried",
    "variables",
    "verdict",
    "verdicts",
    "xxx_answer",
]


def __dir__() -> list[str]:
    return list(__all__)
