"""What is known of this machine now: gathered when first asked for, and shared by notebooks, doctor and claims.

What can be reused (tools, builds) comes from the store by its digest; what is measured is measured anew by every
:class:`Facts`. Nothing here judges.
"""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Final

from labkit import bench, binary, codegen, gobuild, machine, toolchain
from labkit.codegen import collection, side_by_side
from labkit.codegen.generators import survey
from labkit.facts.abi import try_instructions
from labkit.gobuild import matrix, resolution
from labkit.model.bench import Sample
from labkit.model.binary import Binary
from labkit.model.codegen import Built, Generated, Served
from labkit.model.collection import CollectionRun
from labkit.model.experiments import InstructionExperiments
from labkit.model.generators import GeneratorSurvey
from labkit.model.instructions import Listing
from labkit.model.machine import Condition, Machine
from labkit.model.matrix import Matrix
from labkit.model.resolution import Experiment
from labkit.model.side_by_side import SideBySide
from labkit.model.toolchain import Newer, Toolchain
from labkit.system import logs
from labkit.toolchain import compat, pins

#: The platforms that the generated server is built for.
PLATFORMS: Final = ("darwin/arm64", "darwin/amd64", "linux/arm64", "linux/amd64")

Progress = Callable[[str], None]


class Facts:
    """Facts of this machine with one toolchain; every property is gathered once, on first use.

    Args:
        toolchain: The name of the pinned set.
        progress: Called with one line before each step that may take long, not for what is in the store.

    """

    def __init__(self, toolchain: str = "current", *, progress: Progress | None = None) -> None:
        self.toolchain_name = toolchain
        self._progress = progress or (lambda _line: None)
        logs.from_environment()

    @cached_property
    def machine(self) -> Machine:
        """Who this machine is."""
        return machine.read()

    def condition(self) -> Condition:
        """Return the machine's condition at this moment."""
        return machine.condition()

    @cached_property
    def toolchain(self) -> Toolchain:
        """The pinned set, provisioned.

        Raises:
            ProvisionError: A tool cannot be had.

        """
        platform = toolchain.host_platform(self.machine)
        return toolchain.provision(self.toolchain_name, platform, progress=self._progress)

    @cached_property
    def sets(self) -> tuple[pins.PinnedSet, ...]:
        """The sets of labkit and those of the user's own that were provisioned on this machine.

        Raises:
            ProvisionError: What was kept of a user's set is damaged.

        """
        return tuple(pins.named(name) for name in (*pins.names(), *pins.remembered()))

    @cached_property
    def fit(self) -> compat.Answer:
        """Which versions fit the go.mod of the helloworld service as this set builds it, on this machine.

        Raises:
            BuildError: No go.mod has the set's runtime modules.

        """
        go_mod = gobuild.module_files(self.toolchain, codegen.MODULE, self._server_sources)["go.mod"]
        return compat.setup_for(go_mod, machine=self.machine, go=toolchain.program(self.toolchain, "go"))

    def _server_sources(self) -> dict[str, Path]:
        return gobuild.files_of(codegen.MODULE) | codegen.generated_code(self.generated, self.generated_folder)

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
    def newer(self) -> tuple[Newer, ...]:
        """What is known of versions newer than the pinned ones."""
        return toolchain.newer(self.toolchain)

    @cached_property
    def tool_binaries(self) -> tuple[Binary, ...]:
        """The bytes of the set's tools, in the order of the toolchain's."""
        return tuple(binary.inspect(Path(tool.path)) for tool in self.toolchain.tools)

    @cached_property
    def generated_folder(self) -> Path:
        """The folder of the generated helloworld code; it goes with these facts."""
        scratch = tempfile.mkdtemp(prefix="labkit-")
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        return Path(scratch) / "pb"

    @cached_property
    def generated(self) -> Generated:
        """The helloworld service, generated.

        Raises:
            GenerateError: protoc or a plugin refused.

        """
        return codegen.generate_helloworld(self.toolchain, self.generated_folder)

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

    def proto_source(self, name: str) -> str:
        """Return the text of a .proto file that is generated from."""
        return (codegen.PROTO_FOLDER / name).read_text("utf-8")

    def generated_source(self, path: str) -> str:
        """Return the text of a generated file, by its path in :attr:`generated`."""
        known = {file.path: self.generated_folder / file.path for file in self.generated.files}
        return known[path].read_text("utf-8")

    def server_for(self, platform: str) -> Built:
        """Return the generated service's server, built for a platform.

        Raises:
            BuildError: It does not compile.

        """
        return codegen.build_server(
            self.toolchain,
            self.generated,
            self.generated_folder,
            platform,
            begin=lambda: self._progress(f"the generated server for {platform}"),
        )

    @cached_property
    def server(self) -> Built:
        """The server for this machine."""
        return self.server_for(self.toolchain.platform)

    @cached_property
    def served(self) -> Served:
        """A call to that server.

        Raises:
            BuildError: It does not answer.

        """
        return codegen.call_server(self.server)

    @cached_property
    def servers(self) -> tuple[Built, ...]:
        """The server for each of :data:`PLATFORMS`."""
        return tuple(self.server_for(platform) for platform in PLATFORMS)

    @cached_property
    def server_binaries(self) -> tuple[Binary, ...]:
        """The bytes of those servers, in the same order."""
        return tuple(binary.inspect(Path(server.path)) for server in self.servers)

    def worker_for(self, platform: str) -> Built:
        """Return the benchmark worker, built for a platform with what the set generates.

        Raises:
            GenerateError: protoc or a plugin refused.
            BuildError: It does not compile.

        """
        generated, folder = self.kernels_generated, self._kernels_folder
        code = {f"pb/{file.path}": folder / file.path for file in generated.files}
        return gobuild.build_own(
            self.toolchain,
            bench.MODULE,
            bench.PACKAGE,
            name="worker",
            generated=code,
            platform=platform,
            begin=lambda: self._progress(f"the benchmark worker for {platform}"),
        )

    @cached_property
    def _kernels_folder(self) -> Path:
        return self.generated_folder.with_name("kernels")

    @cached_property
    def kernels_generated(self) -> Generated:
        """The messages and the service of the benchmark kernels, generated.

        Raises:
            GenerateError: protoc or a plugin refused.

        """
        return codegen.generate(self.toolchain, [bench.PROTO], proto_path=bench.PROTO_FOLDER, out=self._kernels_folder)

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

    @cached_property
    def worker(self) -> Built:
        """The benchmark worker for this machine.

        Raises:
            BuildError: It does not compile.

        """
        return self.worker_for(self.toolchain.platform)

    def measure(
        self, plan: bench.Plan, *, progress: Callable[[int, int, str], None] | None = None
    ) -> tuple[Sample, ...]:
        """Run a benchmark plan now and return its samples; never cached."""
        return bench.run(
            Path(self.worker.path),
            plan,
            toolchain_digest=self.toolchain.digest,
            worker_digest=self.worker.digest,
            progress=progress,
        )
