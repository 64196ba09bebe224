"""Notations of UIDs and accessions in lists, and the error for a word that is neither."""

from __future__ import annotations

import re

from harvester.errors import printable
from harvester.model.uids import MAX_UID

_PREFIXES = {"pubmed": "PMID:?", "pmc": "(?:PMCID:)?PMC:?", "snp": "rs"}
"""Prefixes with one meaning each. (A PMC UID is the digits of its PMC id:
https://www.ncbi.nlm.nih.gov/pmc/pmctopmid/; a dbSNP UID is the digits of its rs number.)"""

_LETTERS_AND_DIGITS = re.compile(r"[A-Z]{1,6}_?\d+(\.\d+)?", re.IGNORECASE | re.ASCII)

_ACCESSION = re.compile(
    r"""\d+                                     # a GI, which may stand among accessions (NBK25499)
    |   [A-Z]{1,6} _? [A-Z]{0,6} \d+ (\.\d+)?   # U12345.1, NM_000546.6, NZ_CP012345, AAAA01000001
    |   (?:[OPQ]\d[A-Z\d]{3}\d | [A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2}) (\.\d+)?  # UniProt's
    |   \d[A-Z\d]{3} (_[A-Z\d]{1,4})?           # PDB: 1TUP, 1TUP_A; its chains in either case
    |   \d{5,7}[A-Z]                            # PRF: 1909257A
    """,
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_PDB_CHAIN = re.compile(r"(\d[A-Z\d]{3})_([A-Z\d]{1,4})", re.IGNORECASE | re.ASCII)

_DISPLAYED = 40
"""Characters of a bad word that an error shows."""


class UidParser:
    """Parser of the words of a list as UIDs of one database.

    Args:
        dbfrom: database; decides which prefixes are accepted.
    """

    def __init__(self, dbfrom: str) -> None:
        self.dbfrom = dbfrom
        prefix = _PREFIXES.get(dbfrom)
        form = rf"(?:{prefix})?(\d+)" if prefix else r"(\d+)"
        self._form = re.compile(form, re.IGNORECASE | re.ASCII)

    def __call__(self, word: str) -> int:
        """Return the UID that a word stands for.

        Raises:
            ValueError: The word is not a UID; the message says so, and what a UID is.
        """
        found = self._form.fullmatch(word)
        if not found:
            raise ValueError(self._not_a_uid(word))
        uid = int(found[1].lstrip("0")[:20] or "0")
        if not 1 <= uid <= MAX_UID:
            raise ValueError(
                f"'{display_word(found[1])}' is not a UID; UIDs run from 1 to {MAX_UID}."
            )
        return uid

    def _not_a_uid(self, word: str) -> str:
        remedy = f"UIDs of {self.dbfrom} are positive whole numbers"
        for db, prefix in _PREFIXES.items():
            if db != self.dbfrom and re.fullmatch(rf"{prefix}\d+", word, re.IGNORECASE | re.ASCII):
                remedy += f"; this is a UID of {db}, for --dbfrom {db}"
                return f"'{display_word(word)}' is not a UID; {remedy}."
        if _LETTERS_AND_DIGITS.fullmatch(word):
            remedy += "; this looks like an accession"
        return f"'{display_word(word)}' is not a UID; {remedy}."


def parse_accession(word: str) -> str:
    """Return an accession in upper case, except for the chain of a PDB id.

    Raises:
        ValueError: The word is not an accession; the message says so, and what an accession is.
    """
    if not _ACCESSION.fullmatch(word):
        raise ValueError(
            f"'{display_word(word)}' is not an accession; accessions are like NM_000546.6 "
            "and contain no blanks."
        )
    chain = _PDB_CHAIN.fullmatch(word)
    return f"{chain[1].upper()}_{chain[2]}" if chain else word.upper()


def display_word(word: str) -> str:
    """Return the beginning of a word of a list, printable, for an error message."""
    return printable(word[:_DISPLAYED]) + ("…" if len(word) > _DISPLAYED else "")
