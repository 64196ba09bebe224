"""A Slurm for one test on loopback: munged, slurmctld and one slurmd, with their own ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.harness import environment, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=2
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
MinJobAge=600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=32000 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES PriorityTier=1 GraceTime=0 MaxTime=INFINITE State=UP
PartitionName=high Nodes={host} PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
"""


class Slurm:
    """Commands of a running Slurm.

    Args:
        folder: where jobs are submitted.
        environ: their environment.
    """

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder, self._environ = folder, environ

    def __call__(self, *words: object) -> str:
        """Run one of its commands; return its output."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def tasks(self, job: str) -> dict[str, dict[str, str]]:
        """Return the fields of each task of an array by number; of a single job, by ""."""
        lines = self("scontrol", "show", "job", "--oneliner", job).splitlines()
        fields = [
            dict(pair.split("=", 1) for pair in line.split() if "=" in pair) for line in lines
        ]
        return {task.get("ArrayTaskId", ""): task for task in fields}


def require_slurm() -> None:
    """Skip the test if no Slurm can be started."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("slurmd and munged are started as root")
    for tool in ("munged", "slurmctld", "slurmd"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: slurm-wlm, munge)")


@contextmanager
def slurm(folder: Path, cpus: int, environ: dict[str, str]) -> Iterator[Slurm]:
    """Run a Slurm with one node of `cpus` CPUs, whatever the machine has."""
    require_slurm()
    home = folder / "slurm"
    for name in ("munge", "state", "spool"):
        (home / name).mkdir(parents=True, mode=0o700)
    key, conf = home / "munge" / "key", home / "slurm.conf"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    host = socket.gethostname().split(".")[0]
    conf.write_text(_CONF.format(host=host, folder=home, ports=_free_ports(2), cpus=cpus))
    own = environment(**environ, SLURM_CONF=str(conf))
    munge = [f"--{name}={home}/munge/{name}" for name in ("socket", "pid-file", "log-file")]
    daemons = [
        ["munged", "--force", "--foreground", f"--key-file={key}", *munge,
         f"--seed-file={home}/munge/seed"],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf)],
    ]  # fmt: skip
    started: list[subprocess.Popen[bytes]] = []
    ctl = Slurm(folder, own)
    try:
        for daemon in daemons:
            with (home / f"{daemon[0]}.out").open("wb") as out:
                started.append(subprocess.Popen(daemon, stdout=out, stderr=out, env=own))
            if daemon[0] == "munged":
                wait_until((home / "munge" / "socket").exists, "munged listens")
        wait_until(lambda: "idle" in _said(own, "sinfo", "-h"), "the node is idle")
        yield ctl
    finally:
        _said(own, "scancel", "--user=root", "--signal=KILL", "--full")
        _said(own, "scancel", "--user=root")
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _said(environ: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        words, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
