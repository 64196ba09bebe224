"""`harvester verify`: every kind of damage is named, also without the state, and against OLD."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import rows, write_uids
from support.timing import BACKOFF

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Servers

    from harvester.emulator import Emulator

FAST = {BACKOFF: 0.02}


def harvest(
    servers: Servers, server: Emulator, out: Path, *options: str, uids: range = range(1, 61)
) -> Path:
    """Harvest related articles and PMC links of some UIDs."""
    ids = write_uids(out.with_name("ids"), uids)
    ended = servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc,pubmed",
        "--linkname=pubmed_pmc,pubmed_pubmed", "--base-url", server.base_url, "--rate=200",
        "--max-attempts=2", "-o", out, *options, patches=FAST,
    )  # fmt: skip
    assert ended.code in (0, 3), ended.output
    return out


def verify(servers: Servers, out: Path, *options: object, code: int = 0) -> dict[str, Any]:
    """Return what `verify --json` prints."""
    ended = servers.harvester("verify", out, "--json", "-q", *options)
    assert ended.code == code, ended.output
    said: dict[str, Any] = json.loads(ended.output)
    return said


def wrong(said: dict[str, Any]) -> dict[str, str]:
    """Return the files that `verify` reports, with the reasons."""
    return {one["name"]: one["why"] for one in said["files"] if not one["ok"]}


@pytest.fixture(scope="module")
def sound(all_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A harvest in which two UIDs are missing; tests use copies."""
    with all_servers.group() as servers:
        server = servers.start(faults=("short@7,11",))
        return harvest(servers, server, tmp_path_factory.mktemp("sound") / "out")


@pytest.fixture
def out(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound harvest."""
    return shutil.copytree(sound, tmp_path / "out")


def without_state(out: Path) -> Path:
    """The data set as it is handed over: links, UIDs and manifest."""
    for path in out.iterdir():
        if path.name not in ("links", "uids", "manifest.json"):
            path.unlink()
    return out


def test_json_has_the_published_form(servers: Servers, out: Path) -> None:
    said = verify(servers, out)
    assert said.keys() == {"ok", "files", "resampled"}
    assert (said["ok"], said["resampled"]) == (True, {"uids": 0, "lost": 0, "gained": 0})
    assert all(file.keys() == {"name", "ok", "why"} for file in said["files"])
    assert all((file["ok"], file["why"]) == (True, None) for file in said["files"])
    recorded = [entry["name"] for entry in json.loads((out / "manifest.json").read_text())["files"]]
    assert {file["name"] for file in said["files"]} == {*recorded, "manifest.json"}


def part_of(out: Path, kind: str) -> Path:
    """Return the first file of links or UIDs."""
    return min((out / kind).iterdir())


def flip(path: Path) -> Path:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def remove(path: Path) -> Path:
    path.unlink()
    return path


def edit_manifest(out: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    return path


def copied(out: Path, name: str) -> Path:
    """Copy a part to another name."""
    return Path(shutil.copy(part_of(out, "links"), out / name))


DAMAGES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "flipped bit": (lambda out: flip(part_of(out, "links")), "checksum differs"),
    "lost file": (lambda out: remove(part_of(out, "uids")), "missing"),
    "forged count": (
        lambda out: edit_manifest(out, lambda m: m["by_linkname"].update(pubmed_pmc=1)),
        "says 1 rows of the linkname pubmed_pmc",
    ),
    "forged outcomes": (
        lambda out: edit_manifest(out, lambda m: m["uids"].update(empty=m["uids"]["empty"] + 1)),
        "of the outcome empty",
    ),
    "torn manifest": (lambda out: copied(out, "manifest.json"), "is damaged"),
    "stray file": (lambda out: copied(out, "links/part-99999.parquet"), "not of this harvest"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("state", [True, False], ids=["with state", "manifest alone"])
def test_damage_is_named(servers: Servers, out: Path, damage: str, state: bool) -> None:
    damaging, why = DAMAGES[damage]
    if not state:
        without_state(out)
    path = damaging(out)
    name = str(path.relative_to(out))
    if damage == "torn manifest" and not state:
        ended = servers.harvester("verify", out)
        assert ended.code == 1
        assert f"{path} is damaged" in ended.err
        return
    said = verify(servers, out, code=1)
    assert not said["ok"]
    assert list(wrong(said)) == [name]
    assert why in wrong(said)[name]
    told = servers.harvester("verify", out)
    assert told.code == 1
    assert str(path) in told.output


@pytest.mark.parametrize("name", ["job.toml", "unanswered.txt"])
def test_files_beside_the_parts_are_checked_by_the_manifest(
    servers: Servers, out: Path, name: str
) -> None:
    with (out / name).open("a") as stream:
        stream.write("\n")
    assert list(wrong(verify(servers, out, code=1))) == [name]


def test_data_set_without_state_is_checked_by_its_manifest(servers: Servers, out: Path) -> None:
    without_state(out)
    said = verify(servers, out)
    assert said["ok"]
    notes = {one["name"]: one["why"] for one in said["files"] if one["why"]}
    assert notes == dict.fromkeys(["job.toml", "unanswered.txt"], "was not handed over")
    told = servers.harvester("verify", out)
    assert "compared with manifest.json alone" in told.output
    resampled = servers.harvester("verify", out, "--resample=1%")
    assert resampled.code == 2
    assert "state.sqlite" in resampled.err


def test_names_in_a_manifest_never_lead_out_of_the_folder(servers: Servers, out: Path) -> None:
    without_state(out)
    (out.parent / "other").write_text("")
    edit_manifest(out, lambda m: m["files"][0].update(name="../other"))
    refused = servers.harvester("verify", out)
    assert refused.code == 1
    assert "manifest.json is damaged" in refused.err


def test_folder_without_a_manifest_is_checked_by_its_state(servers: Servers, out: Path) -> None:
    (out / "manifest.json").unlink()
    assert verify(servers, out)["ok"]
    told = servers.harvester("verify", out)
    assert told.code == 0
    assert "There is no manifest.json" in told.output
    flip(part_of(out, "links"))
    assert list(wrong(verify(servers, out, code=1))) == [f"links/{part_of(out, 'links').name}"]


def test_chain_handed_over_without_states(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    job = tmp_path / "job.toml"
    job.write_text(
        f"[source]\nids = '{write_uids(tmp_path / 'ids', range(1, 8))}'\n"
        f"[output]\npath = '{out}'\n[limits]\nrate = 200\n"
        f"[server]\nbase_url = '{server.base_url}'\n[[hop]]\ndbfrom = 'gene'\ndb = 'protein'\n"
        "[[hop]]\ndbfrom = 'protein'\ndb = 'structure'\n"
    )
    assert servers.harvester("run", job).code == 0
    other = shutil.copytree(out, tmp_path / "other")
    said = verify(servers, out)
    assert said["ok"]
    names = [one["name"] for one in said["files"]]
    assert sorted(names) == sorted(set(names))
    text = servers.harvester("verify", out).output
    told = [line.partition(":")[0] for line in text.splitlines() if "committed" in line]
    assert told == ["hop-1", "hop-2", "chain"]
    assert text.splitlines()[-1].endswith(" files: all as they were committed"), "it has no rows"
    for path in other.rglob("state.sqlite*"):
        path.unlink()
    assert verify(servers, other)["ok"]
    for folder in (out, other):
        part = flip(part_of(folder / "hop-2", "links"))
        assert list(wrong(verify(servers, folder, code=1))) == [f"hop-2/links/{part.name}"]


def keys(out: Path) -> set[tuple[int, str, int]]:
    """Return the links of a harvest."""
    table = rows(out, "links")
    names = ("from_uid", "linkname", "to_uid")
    return set(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_against_an_earlier_harvest(servers: Servers, sound: Path, tmp_path: Path) -> None:
    """Lost and gained links and UIDs per linkname, for UIDs answered in both."""
    old = sound
    new = harvest(servers, servers.start(seed=9), tmp_path / "new", uids=range(31, 91))
    said = verify(servers, new, "--against", old)
    both = range(31, 61)
    before, now = ({key for key in keys(one) if key[0] in both} for one in (old, new))
    expected = {}
    for name in ("pubmed_pmc", "pubmed_pubmed"):
        lost, gained = ({k for k in one if k[1] == name} for one in (before - now, now - before))
        expected[name] = {
            "links_lost": len(lost),
            "links_gained": len(gained),
            "uids_lost": len({k[0] for k in lost}),
            "uids_gained": len({k[0] for k in gained}),
        }
        assert lost
        assert gained
    assert said["against"]["by_linkname"] == expected
    assert said["against"]["links_lost"] == len(before - now)
    assert said["against"]["uids"] == len(both)
    told = servers.harvester("verify", new, "--against", old)
    assert f"{len(before - now):,}" in told.output
    nowhere = servers.harvester("verify", new, "--against", tmp_path / "nowhere")
    assert nowhere.code == 2
    assert "nowhere holds no harvest" in nowhere.err
