"""What a set's Go makes of the statements about instructions: each experiment once, put together."""

from pathlib import Path

from labkit import codegen, gobuild
from labkit.errors import ImpossibleHereError
from labkit.gobuild.installing import judge_install
from labkit.gobuild.levels import levels
from labkit.gobuild.printed_cas import printed_cas
from labkit.model.experiments import InstructionExperiments, PrintedCas
from labkit.model.toolchain import Toolchain
from labkit.toolchain import find, gosource, program


def try_instructions(toolchain: Toolchain, generated: dict[str, Path]) -> InstructionExperiments:
    """Return what the printed routine does, what GOARM does, what Go's sources hold, and what a Mac would install.

    Args:
        toolchain: The set.
        generated: The helloworld code by its path in the server's module.

    Raises:
        BuildError: A program does not compile.
        ProvisionError: The set's Go came without sources.

    """
    tree = gosource.search_set(toolchain)
    module = codegen.MODULE
    overlay = generated | gobuild.module_files(toolchain, module, lambda: gobuild.files_of(module) | generated)
    judged = [
        judge_install(toolchain, module, package, name=name, overlay=overlay, tree=tree)
        for name, package in (("hello", "."), ("protoc-gen-go", "google.golang.org/protobuf/cmd/protoc-gen-go"))
    ]
    return InstructionExperiments(
        printed_cas=_printed(toolchain),
        levels=(levels(program(toolchain, "go"), f"go{find(toolchain, 'go').pinned_version}"),),
        sources=(tree,),
        installs=tuple(judgement for judgements in judged for judgement in judgements),
    )


def _printed(toolchain: Toolchain) -> PrintedCas | None:
    try:
        return printed_cas(toolchain)
    except ImpossibleHereError:
        return None
