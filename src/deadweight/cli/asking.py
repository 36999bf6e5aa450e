"""What an image is to be asked: from the settings file, and the options of a command."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.errors import UsageError
from deadweight.probe.spec import Probe, Script, parse_probe
from deadweight.probe.workload import Workload, read_workloads
from deadweight.settings_file import load_settings, nearest_settings, section


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked; scripts are relative to `folder`."""

    workloads: tuple[Workload, ...]
    folder: Path


def asked_of(options: argparse.Namespace) -> Asked:
    """What the options of `add_asked` say: the workloads of the file, or one with nothing but what is asked unasked; changed by the options."""
    path = options.config or nearest_settings(Path.cwd())
    declared: tuple[Workload, ...] = ()
    if path is not None:
        declared = read_workloads(section(load_settings(path), "slim", str(path)), str(path))
    workloads = _chosen(declared or (Workload(),), options.workload)
    folder = path.parent.absolute() if path is not None else Path.cwd()
    if options.probe:
        probes = tuple(_from_here(parse_probe(text), folder) for text in options.probe)
        workloads = tuple(replace(one, probes=probes) for one in workloads)
    if options.timeout is not None:
        workloads = tuple(replace(one, timeout=options.timeout) for one in workloads)
    for probe in (one for workload in workloads for one in workload.probes):
        if isinstance(probe, Script):
            probe.program(folder)  # a mistake is told before anything runs
    return Asked(workloads, folder)


def _chosen(workloads: tuple[Workload, ...], name: str | None) -> tuple[Workload, ...]:
    if name is None:
        return workloads
    found = tuple(one for one in workloads if one.name == name)
    if not found:
        names = ", ".join(one.name for one in workloads)
        raise UsageError(f"--workload {name}", "is not in the settings", f"there are: {names}")
    return found


def _from_here(probe: Probe, folder: Path) -> Probe:
    """A script on the command line is meant from the current folder, as every argument is."""
    if isinstance(probe, Script):
        return Script(os.path.relpath(Path(probe.path).absolute(), folder))
    return probe
