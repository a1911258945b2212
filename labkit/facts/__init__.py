"""What is known of this machine now: gathered when first asked for, and shared by notebooks, doctor and claims.

What can be reused (tools, builds) comes from the store by its digest (:mod:`labkit.facts.made`); what is tried and
measured, here, is anew with every :class:`Facts`. Nothing here judges.
"""

import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from labkit import bench, codegen, gobuild, toolchain
from labkit.codegen import collection, side_by_side
from labkit.codegen.generators import survey
from labkit.facts.abi import try_instructions
from labkit.facts.made import PLATFORMS, Made
from labkit.gobuild import matrix, resolution
from labkit.model.bench import Sample
from labkit.model.codegen import Served
from labkit.model.collection import CollectionRun
from labkit.model.experiments import InstructionExperiments
from labkit.model.generators import GeneratorSurvey
from labkit.model.instructions import Listing
from labkit.model.matrix import Matrix
from labkit.model.resolution import Experiment
from labkit.model.side_by_side import SideBySide
from labkit.toolchain import compat

__all__ = ["PLATFORMS", "Facts"]


class Facts(Made):
    """Facts of this machine with one toolchain: what is made, and what trying and measuring it shows.

    Args:
        toolchain: The name of the pinned set.
        progress: Called with one line before each step that may take long, not for what is in the store.

    """

    @cached_property
    def fit(self) -> compat.Answer:
        """Which versions fit the go.mod of the helloworld service as this set builds it, on this machine.

        Raises:
            BuildError: No go.mod has the set's runtime modules.

        """
        go_mod = gobuild.module_files(self.toolchain, codegen.MODULE, self._server_sources)["go.mod"]
        return compat.setup_for(go_mod, machine=self.machine, go=toolchain.program(self.toolchain, "go"))

    def by_module(self, wanted: bool) -> SideBySide | None:
        """Return what holding versions by module does, tried anew with gopls; None when that is not wanted.

        Raises:
            ProvisionError: gopls cannot be had.
            NetworkError: A module is not here and could not be fetched.

        """
        if not wanted:
            return None
        given = toolchain.provision(
            self.toolchain_name, self.toolchain.platform, optional=["gopls"], progress=self._progress
        )
        self._progress("versions by module")
        with tempfile.TemporaryDirectory(prefix="labkit-") as scratch:
            return side_by_side.run(given, Path(scratch).resolve() / "by module")

    def resolution(self, wanted: bool) -> tuple[Experiment, ...]:
        """Return what replace, commit pins and go.sum do, tried anew; nothing when that is not wanted."""
        return resolution.run(self.toolchain, progress=self._progress) if wanted else ()

    @cached_property
    def generators(self) -> GeneratorSurvey:
        """The same .proto through generators of different days.

        Raises:
            ProvisionError: A generator cannot be had.

        """
        return survey(self.toolchain, progress=self._progress)

    def collection(self, name: str) -> CollectionRun:
        """Generate from a whole collection of .proto files now and return what it cost; never cached.

        Raises:
            UsageError: There is no collection of this name.

        """
        return collection.measure(self.toolchain, name, progress=self._progress)

    @cached_property
    def served(self) -> Served:
        """A call to :attr:`server`.

        Raises:
            BuildError: It does not answer.

        """
        return codegen.call_server(self.server)

    def matrix(self, part: str) -> Matrix:
        """Return a part of the build matrix: none, quick, or full.

        Raises:
            UsageError: There is no such part.
            NetworkError: A module, or a C compiler for the full part, could not be fetched.

        """
        code = codegen.generated_code(self.generated, self.generated_folder)
        server = matrix.Given(
            module=codegen.MODULE,
            package=".",
            overlay=code | gobuild.module_files(self.toolchain, codegen.MODULE, self._server_sources),
            work=lambda words: codegen.call_program(words).reply,
        )
        return matrix.run(self.toolchain, {"server": server}, matrix.selection(part), progress=self._progress)

    def instructions(self, wanted: bool) -> InstructionExperiments | None:
        """Return the experiments about instructions, tried anew; None when they are not wanted.

        Raises:
            BuildError: A program does not compile.

        """
        if not wanted:
            return None
        self._progress("the experiments about instructions")
        return try_instructions(self.toolchain, codegen.generated_code(self.generated, self.generated_folder))

    @cached_property
    def listings(self) -> tuple[Listing, ...]:
        """What the set's Go makes of atomics, barriers, prologues and safe points, decoded, for each target.

        Raises:
            BuildError: The sample does not compile.

        """
        from labkit.gobuild.listings import listings  # loads capstone, which nothing else here wants

        self._progress("the sample program for arm64 and amd64")
        return listings(self.toolchain)

    def measure(
        self, plan: bench.Plan, *, progress: Callable[[int, int, str], None] | None = None
    ) -> tuple[Sample, ...]:
        """Run a benchmark plan now and return its samples; never cached."""
        return bench.run(
            Path(self.worker.path),
            plan,
            toolchain_digest=self.toolchain.digest,
            worker_digest=self.worker.digest,
            plugin=toolchain.program(self.toolchain, "protoc-gen-go"),
            progress=progress,
        )
