"""Content of generated records, computed from database and UID."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harvester.emulator.graph.mixing import key_of, mix

if TYPE_CHECKING:
    from collections.abc import Sequence

JOURNAL = "Example J"
FULL_JOURNAL = "Example journal"

PAGES = 10_000
"""Pages per volume, one per article."""

FIRST_YEAR, YEARS = 1960, 66
"""Years of publication."""

_BASES = "ACGT"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True, slots=True)
class Record:
    """One record to write.

    Attributes:
        db: canonical database.
        uid: its UID.
        accession: accession.version; empty outside the sequence databases.
        region: first and last letter of the part of the sequence that is wanted, from 1; None: all.
        minus: whether the part is on the minus strand.
    """

    db: str
    uid: int
    accession: str = ""
    region: tuple[int, int] | None = None
    minus: bool = False

    @property
    def title(self) -> str:
        """Title of the record."""
        return f"Record {self.uid} of {self.db}."

    @property
    def year(self) -> int:
        """Year of publication."""
        return year_of(self.uid)

    @property
    def author(self) -> str:
        """Last name of the only author."""
        return f"Author{self.uid % 1000}"

    @property
    def species(self) -> Species:
        """Organism of the record."""
        return SPECIES[key_of("species", self.db, self.uid) % len(SPECIES)]

    @property
    def symbol(self) -> str:
        """Symbol of a gene."""
        return f"GENE{self.uid}"

    @property
    def chromosome(self) -> str:
        """Chromosome of a gene."""
        return str(key_of("chromosome", self.uid) % 22 + 1)

    @property
    def is_protein(self) -> bool:
        """True if the sequence is one of residues."""
        return self.db == "protein"

    def part(self, start: int, stop: int, *, minus: bool) -> Record:
        """Return the record of a part of the sequence; 0 stands for its first or last letter."""
        length = len(self.whole_sequence)
        last = min(stop or length, length)
        return replace(self, region=(min(max(start, 1), last), last), minus=minus)

    @property
    def place(self) -> str:
        """Suffix of the accession of a part in FASTA: `:3-9`, on the minus strand `:c9-3`."""
        if self.region is None:
            return ""
        start, stop = self.region
        return f":c{stop}-{start}" if self.minus else f":{start}-{stop}"

    @property
    def region_text(self) -> str:
        """Suffix of the accession of a part in flat files."""
        if self.region is None:
            return ""
        bounds = "{}..{}".format(*self.region)
        return f" REGION: complement({bounds})" if self.minus else f" REGION: {bounds}"

    @property
    def sequence(self) -> str:
        """The sequence, or the part that is wanted."""
        if self.region is None:
            return self.whole_sequence
        start, stop = self.region
        letters = self.whole_sequence[start - 1 : stop]
        return letters[::-1].translate(_COMPLEMENT) if self.minus else letters

    @property
    def whole_sequence(self) -> str:
        """A short sequence of bases or residues in capital letters."""
        letters = _RESIDUES if self.is_protein else _BASES
        key = key_of("sequence", self.db, self.uid)
        picked = []
        for _ in range(60 + key % 90):
            key = mix(key + 1)
            picked.append(letters[key % len(letters)])
        return "".join(picked)


@dataclass(frozen=True, slots=True)
class Species:
    """An organism.

    Attributes:
        taxid: UID in taxonomy.
        name: scientific name.
        common: common name.
        division: division of GenBank.
        lineage: names of its higher taxa.
    """

    taxid: int
    name: str
    common: str
    division: str
    lineage: tuple[str, ...]


SPECIES = (
    Species(9606, "Homo sapiens", "human", "PRI", ("Eukaryota", "Metazoa", "Chordata", "Homo")),
    Species(
        10090, "Mus musculus", "house mouse", "ROD", ("Eukaryota", "Metazoa", "Chordata", "Mus")
    ),
    Species(
        7227,
        "Drosophila melanogaster",
        "fruit fly",
        "INV",
        ("Eukaryota", "Metazoa", "Arthropoda", "Drosophila"),
    ),
    Species(
        3702,
        "Arabidopsis thaliana",
        "thale cress",
        "PLN",
        ("Eukaryota", "Viridiplantae", "Streptophyta", "Arabidopsis"),
    ),
)


def taxon(uid: int) -> Species:
    """Return the organism of a UID in taxonomy."""
    for species in SPECIES:
        if species.taxid == uid:
            return species
    return Species(uid, f"Exemplaria species{uid}", f"example {uid}", "INV", ("Eukaryota",))


def year_of(uid: int) -> int:
    """Return the year of publication of an article."""
    return FIRST_YEAR + uid % YEARS


def place_of(uid: int) -> tuple[str, str]:
    """Return volume and first page of an article."""
    return str(uid // PAGES), str(uid % PAGES)


def records_of(db: str, uids: Sequence[int], accessions: Sequence[str] | None) -> list[Record]:
    """Return the records of some UIDs, with their accessions if they have any."""
    if accessions is None:
        return [Record(db, uid) for uid in uids]
    return [Record(db, uid, text) for uid, text in zip(uids, accessions, strict=True)]
