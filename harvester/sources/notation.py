"""Notations of UIDs and accessions in lists and tables, and the error for a word that is neither.

A word is accepted if it has one meaning: `123`, `0123`, `123.0` (as pandas and spreadsheets write
whole numbers), and the prefixes of its database, as in `PMID:123` and `PMID: 123`. Thousands
separators and scientific notation are rejected: `1,234` may be two UIDs, `12.000` twelve or
twelve thousand, and `1.23E+07` has lost digits.
"""

from __future__ import annotations

import re
import unicodedata

from harvester.errors import printable
from harvester.model.uids import MAX_UID
from harvester.sources import foreign

_PREFIXES = {"pubmed": "PMID", "pmc": "(?:PMCID\\s*:?\\s*)?PMC", "snp": "rs"}
"""Prefixes with one meaning each, before a colon, blanks or nothing. (A PMC UID is the digits of
its PMC id: https://www.ncbi.nlm.nih.gov/pmc/pmctopmid/; a dbSNP UID those of its rs number.)"""

_THOUSANDS = re.compile(
    r"[1-9]\d{0,2}(?:(?P<separator>[,.'\u2019_ \u00a0\u2007\u2009\u202f\u066c])\d{3})"
    r"(?:(?P=separator)\d{3})*"
    r"|[1-9]\d?(?:,\d\d)+,\d{3}",
    re.ASCII,
)
"""A number in groups of three digits, with one of the separators of the world's locales, or in
India's groups, as 1,23,45,678."""

_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE | re.ASCII)

_BLANKS = (
    " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Blanks of Unicode, and the byte order mark that joining two files leaves."""

_TO_SPACES = dict.fromkeys(map(ord, _BLANKS), " ")

_FORMULA_ERROR = re.compile(
    r"#(?:N/A|REF!|VALUE!|NAME\?|NUM!|DIV/0!|NULL!|SPILL!|CALC!)(?![^\s,])", re.IGNORECASE
)
"""What a spreadsheet shows for a formula without a value; no comment."""

_COMMENT = re.compile(rf"(?!{_FORMULA_ERROR.pattern})#.*", re.IGNORECASE | re.DOTALL)

MISSING = frozenset(("", "-", "na", "n/a", "#n/a", "nan", "<na>", "null", "none"))
"""Cells of a table, in lower case, that say that there is no value."""

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

_SHORT = 19
"""Digits of the smallest numbers that may be too large for a UID."""

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
        before = rf"(?:{prefix}\s*:?\s*)?" if prefix else ""
        self._form = re.compile(rf"{before}(\d+)(?:\.0+)?", re.IGNORECASE | re.ASCII)
        self._prefix = prefix and re.compile(
            rf"(?<![^\s,])(?:{prefix})\s*:?\s*(?=\d)", re.IGNORECASE | re.ASCII
        )

    def __call__(self, word: str) -> int:
        """Return the UID that a word means.

        Raises:
            ValueError: The word is not a UID; the message says so, and what a UID is.
        """
        if word.isdecimal() and word.isascii() and len(word) < _SHORT and int(word):
            return int(word)
        word = clean(word)
        found = self._form.fullmatch(word.translate(_TO_SPACES))
        if not found or _THOUSANDS.fullmatch(word):
            raise ValueError(f"'{display_word(word)}' is not a UID; {self._explain(word)}.")
        uid = int(found[1].lstrip("0")[:20] or "0")
        if not 1 <= uid <= MAX_UID:
            raise ValueError(
                f"'{display_word(found[1])}' is not a UID; UIDs run from 1 to {MAX_UID}."
            )
        return uid

    def join_prefixes(self, line: str) -> str:
        """Return a line without the blanks between prefixes and digits: PMID: 1 as PMID:1."""
        if not self._prefix:
            return line
        return self._prefix.sub(lambda found: "".join(found[0].split()), line)

    def _explain(self, word: str) -> str:
        if _THOUSANDS.fullmatch(word):
            return explain_thousands(word)
        if _SCIENTIFIC.fullmatch(word):
            return (
                "a spreadsheet may have dropped digits: format the column as a number without "
                "decimals, or as text, and export it again"
            )
        remedy = f"UIDs of {self.dbfrom} are positive whole numbers"
        if _FORMULA_ERROR.fullmatch(word):
            return f"{remedy}; the spreadsheet has a formula without a value there"
        for db, prefix in _PREFIXES.items():
            if db != self.dbfrom and re.fullmatch(
                rf"{prefix}\s*:?\s*\d+", word, re.IGNORECASE | re.ASCII
            ):
                return f"{remedy}; this is a UID of {db}, for --dbfrom {db}"
        if re.fullmatch(r"[\d\s,;|]+", word, re.ASCII) and re.search(r"\d\D+\d", word):
            return f"{remedy}; give one UID per line or cell"
        if described := foreign.describe(word, self.dbfrom):
            return f"{remedy}; {described}"
        return remedy


def parse_accession(word: str) -> str:
    """Return an accession in upper case, except for the chain of a PDB id.

    Raises:
        ValueError: The word is not an accession; the message says so, and what an accession is.
    """
    word = clean(word)
    kind = foreign.find_kind(word)
    if kind is not None and not kind.sequence:
        described = foreign.describe(word, "")
        raise ValueError(
            f"'{display_word(word)}' is not an accession of a sequence database; {described}."
        )
    if not _ACCESSION.fullmatch(word):
        raise ValueError(
            f"'{display_word(word)}' is not an accession; accessions are like NM_000546.6 "
            "and contain no blanks."
        )
    chain = _PDB_CHAIN.fullmatch(word)
    return f"{chain[1].upper()}_{chain[2]}" if chain else word.upper()


def without_comment(line: str) -> str:
    """Return a line of a list up to the `#` of its comment."""
    return _COMMENT.sub("", line) if "#" in line else line


def clean(word: str) -> str:
    """Return a word without blanks of any kind, or byte order marks, around it."""
    return word.strip(_BLANKS)


def is_grouped(text: str) -> bool:
    """Return whether a text may be one number with thousands separators."""
    return bool(_THOUSANDS.fullmatch(text)) and int(re.sub("[^0-9]", "", text)) <= MAX_UID


def explain_thousands(word: str) -> str:
    """Return the remedy for a number with thousands separators."""
    remedy = f"write {re.sub('[^0-9]', '', word)} for a number with thousands separators"
    return remedy + ("; write a list with one UID per line" if set(word) & set(", ") else "")


def display_word(word: str) -> str:
    """Return the beginning of a word of a list for an error message, invisible characters named."""
    shown = "".join(map(_visible, word[:_DISPLAYED]))
    return printable(shown, 4 * _DISPLAYED) + ("…" if len(word) > _DISPLAYED else "")


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return f"[U+{ord(char):04X} {unicodedata.name(char, 'control character').lower()}]"
