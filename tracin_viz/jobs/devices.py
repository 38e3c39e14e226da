"""What a run may use of this machine: which devices, how many processes, how many threads each."""

from __future__ import annotations

from dataclasses import dataclass

from tracin_viz.config import SpeedSettings
from tracin_viz.errors import InputError
from tracin_viz.portable import available_memory, usable_cores

#: Memory of a process with torch and transformers loaded and a batch of a small model in it, in bytes.
PROCESS_BYTES = 900 << 20
#: Copies of the weights that a process holds: the model, its state to give back, a checkpoint, gradients.
COPIES = 4
#: Share of the free memory that a run may plan with.
SHARE = 0.75


@dataclass(frozen=True)
class Machine:
    """What there is.

    Attributes:
        cores: Processor cores that may be used.
        memory: Free bytes; ``None`` = unknown.
        gpus: Names of the CUDA devices.
        mps: Whether there is Apple's Metal.
    """

    cores: int
    memory: int | None
    gpus: tuple[str, ...] = ()
    mps: bool = False

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        import torch  # costs seconds, and a run answered from the store never needs it

        gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        available = torch.cuda.is_available()
        metal = torch.backends.mps.is_available()
        return cls(usable_cores(), available_memory(), tuple(gpus) if available else (), metal)

    def chosen(self, device: str) -> str:
        """The device that ``device`` means here: ``"cpu"``, ``"cuda"`` (all), ``"cuda:1"`` or ``"mps"``.

        Raises:
            InputError: There is no such device.
        """
        if device == "auto":
            return "cuda" if self.gpus else "mps" if self.mps else "cpu"
        kind = device.partition(":")[0]
        if not self.has(device):
            raise InputError(
                f"Device '{device}' was asked for, but this machine has {self.described()}.",
                remedy="Use --device auto"
                + (
                    ""
                    if self.gpus or kind != "cuda"
                    else ", or install the CUDA build of torch (README, GPU)"
                )
                + ".",
            )
        return device

    def has(self, device: str) -> bool:
        """Whether there is such a device."""
        kind, _, index = device.partition(":")
        there = {"cpu": True, "mps": self.mps, "cuda": len(self.gpus) > int(index or 0)}
        return there.get(kind, False)

    def described(self) -> str:
        """The devices in words."""
        gpus = [f"cuda:{index} ({name})" for index, name in enumerate(self.gpus)]
        return ", ".join([*gpus, *(["mps"] if self.mps else []), f"cpu with {self.cores} cores"])

    def devices(self, device: str, workers: int) -> list[str]:
        """The device of each of ``workers`` processes: GPUs in turn, otherwise all the same."""
        if device != "cuda":
            return [device] * workers
        return [f"cuda:{index % max(1, len(self.gpus))}" for index in range(workers)]

    def most_workers(self, device: str, *, model_bytes: int, units: int) -> int:
        """Processes that pay off: one per GPU; on the CPU one per core, as far as the memory goes."""
        if device != "cpu":
            return max(1, min(len(self.gpus) if device == "cuda" else 1, units))
        each = PROCESS_BYTES + COPIES * model_bytes
        fitting = self.cores if self.memory is None else 1 + int(SHARE * self.memory) // each
        return max(1, min(self.cores, fitting, units))

    def threads(self, workers: int) -> int:
        """CPU threads of each of ``workers`` processes.

        With more than one thread each, a core stays free for the app: small models pass many barriers a
        second, and where another process has one of the cores every barrier waits for it (two threads on two
        busy cores took ten times the processor time of one). Single threads have no barriers.
        """
        if self.cores // workers <= 1:
            return 1
        return max(1, (self.cores - 1) // workers)


def check_workers(speed: SpeedSettings, machine: Machine) -> None:
    """Refuse more processes than the asked device can take.

    Raises:
        InputError: Several processes for one GPU or Metal.
    """
    device = machine.chosen(speed.device)
    room = {"cuda": len(machine.gpus), "cpu": 4 * machine.cores}.get(device, 1)
    if speed.workers is not None and speed.workers > room:
        raise InputError(
            f"{speed.workers} processes were asked for, but '{device}' here takes at most {room}.",
            remedy=f"Use --workers {room} or fewer, or leave it out.",
        )
