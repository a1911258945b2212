"""What is here and what is made of it: this machine, its set, generated code, servers, workers. Nothing is measured."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Final

from labkit import bench, binary, codegen, gobuild, machine, toolchain
from labkit.model.binary import Binary
from labkit.model.codegen import Built, Generated
from labkit.model.machine import Condition, Machine
from labkit.model.toolchain import Newer, Toolchain
from labkit.system import logs
from labkit.toolchain import pins

#: The platforms that the generated server is built for.
PLATFORMS: Final = ("darwin/arm64", "darwin/amd64", "linux/arm64", "linux/amd64")

Progress = Callable[[str], None]


class Made:
    """The part of :class:`labkit.facts.Facts` that is there to be looked at; every property is gathered once."""

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
    def newer(self) -> tuple[Newer, ...]:
        """What is known of versions newer than the pinned ones."""
        return toolchain.newer(self.toolchain)

    @cached_property
    def tool_binaries(self) -> tuple[Binary, ...]:
        """The bytes of the set's tools, in the order of the toolchain's."""
        return tuple(binary.inspect(Path(tool.path)) for tool in self.toolchain.tools)

    def proto_source(self, name: str) -> str:
        """Return the text of a .proto file that is generated from."""
        return (codegen.PROTO_FOLDER / name).read_text("utf-8")

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

    def generated_source(self, path: str) -> str:
        """Return the text of a generated file, by its path in :attr:`generated`."""
        known = {file.path: self.generated_folder / file.path for file in self.generated.files}
        return known[path].read_text("utf-8")

    def _server_sources(self) -> dict[str, Path]:
        return gobuild.files_of(codegen.MODULE) | codegen.generated_code(self.generated, self.generated_folder)

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
    def servers(self) -> tuple[Built, ...]:
        """The server for each of :data:`PLATFORMS`."""
        return tuple(self.server_for(platform) for platform in PLATFORMS)

    @cached_property
    def server_binaries(self) -> tuple[Binary, ...]:
        """The bytes of those servers, in the same order."""
        return tuple(binary.inspect(Path(server.path)) for server in self.servers)

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

    def worker_for(self, platform: str) -> Built:
        """Return the benchmark worker, built for a platform with what the set generates.

        Raises:
            GenerateError: protoc or a plugin refused.
            BuildError: It does not compile.

        """
        return self._of_kernels(bench.PACKAGE, "worker", platform, what="the benchmark worker")

    def plugin_for(self, platform: str) -> Built:
        """Return protoc-gen-go for a platform, of the version that the set's runtime has, as the worker is built.

        Raises:
            GenerateError: protoc or a plugin refused.
            BuildError: It does not compile.

        """
        package = "google.golang.org/protobuf/cmd/protoc-gen-go"
        return self._of_kernels(package, "protoc-gen-go", platform, what="protoc-gen-go")

    def _of_kernels(self, package: str, name: str, platform: str, *, what: str) -> Built:
        generated, folder = self.kernels_generated, self._kernels_folder
        return gobuild.build_own(
            self.toolchain,
            bench.MODULE,
            package,
            name=name,
            generated={f"pb/{file.path}": folder / file.path for file in generated.files},
            platform=platform,
            begin=lambda: self._progress(f"{what} for {platform}"),
        )

    @cached_property
    def kernels(self) -> bench.Listed:
        """What the worker for this machine has and lacks.

        Raises:
            ProcessError: It could not be started, or did not answer.
            WorkerError: What it printed is not a list of kernels.

        """
        return bench.list_all(Path(self.worker.path), plugin=toolchain.program(self.toolchain, "protoc-gen-go"))

    @cached_property
    def worker(self) -> Built:
        """The benchmark worker for this machine.

        Raises:
            BuildError: It does not compile.

        """
        return self.worker_for(self.toolchain.platform)
