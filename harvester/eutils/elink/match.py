"""Match an answer with its request: the UIDs that it answers, breaks or leaves out.

UIDs are matched by the id that the answer repeats, never by position: NCBI's answers are sorted as
text, lack LinkSets, repeat them, or name an id of 0 or none at all (recorded 2008 to 2026).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harvester.model.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harvester.model.rows import RunLengthRows
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class Owners:
    """The UIDs that the entries of an answer belong to.

    Attributes:
        uid_of: UID of each entry; 0 if it belongs to none, or to a broken UID.
        answered: UIDs answered in full, ascending.
        broken, left_out, unrequested, renamed: as in `Answer`.
    """

    uid_of: NDArray[np.int64]
    answered: UidArray
    broken: dict[int, str]
    left_out: UidArray
    unrequested: int
    renamed: dict[int, str] = field(default_factory=dict)

    def answer(
        self, rows: RunLengthRows, counts: NDArray[np.int64], owner: UidArray | None = None
    ) -> Answer:
        """Return the answer.

        Args:
            rows: its rows.
            counts: links per answered UID.
            owner: UID of each list of rows.
        """
        return Answer(
            rows=rows,
            answered=self.answered,
            counts=counts,
            broken=self.broken,
            left_out=self.left_out,
            unrequested=self.unrequested,
            owner=owner,
            renamed=self.renamed,
        )


def owners(
    ids: Sequence[Sequence[str]], errors: Sequence[str | None], asked: UidArray, texts: list[str]
) -> Owners:
    """Match the entries of an answer with the requested UIDs.

    Args:
        ids: ids that each entry names.
        errors: ERROR in each entry.
        asked: UIDs of the request, distinct.
        texts: the same as written in the request.
    """
    # The usual case: each once, in the order of the request.
    if len(ids) == len(asked) and not any(errors):
        if [one for named in ids for one in named] == texts and all(map(len, ids)):
            return Owners(asked, asked, {}, asked[:0], 0)
        wanted = dict(zip(texts, asked.tolist(), strict=True))
        owner = [wanted.pop(named[0], 0) if len(named) == 1 else 0 for named in ids]
        if all(owner):
            return Owners(np.array(owner, np.int64), asked, {}, asked[:0], 0)
    wanted = dict(zip(texts, asked.tolist(), strict=True))
    uid_of = np.zeros(len(ids), np.int64)
    broken: dict[int, str] = {}
    strange: list[str] = []
    for index, (named, error) in enumerate(zip(ids, errors, strict=True)):
        if len(named) != 1:
            continue
        uid = wanted.get(named[0])
        if uid is None and "." in named[0]:  # requested without its version
            uid = wanted.get(named[0].partition(".")[0])
        if uid is not None:
            uid_of[index] = uid
            if error is not None:
                broken.setdefault(uid, error)
        else:
            strange.append(named[0])
    unrequested = int(np.count_nonzero(uid_of == 0))
    if broken:
        uid_of[np.isin(uid_of, list(broken))] = 0
    answered = np.unique(uid_of[uid_of != 0])
    seen = np.union1d(answered, np.fromiter(broken, np.int64, len(broken)))
    left_out = np.setdiff1d(asked, seen)
    renamed = _other_versions(strange, wanted, left_out) if strange and len(left_out) else {}
    if renamed:
        left_out = np.setdiff1d(left_out, np.fromiter(renamed, np.int64, len(renamed)))
    return Owners(uid_of, answered, broken, left_out, unrequested, renamed)


def merged_owners(
    ids: Sequence[Sequence[str]], errors: Sequence[str | None], asked: UidArray, texts: list[str]
) -> Owners:
    """Match the entries of a request by comma list, whose one LinkSet is about all its UIDs.

    Returns:
        `uid_of` is 1 for an entry that counts, 0 for one that names an id not requested. An ERROR
        breaks all UIDs, since it does not say which one it concerns.
    """
    whole = owners(
        [[one] for entry in ids for one in entry], [None] * sum(map(len, ids)), asked, texts
    )
    known = {*texts, *(text.partition(".")[0] for text in texts)}
    mine = [
        bool(entry) and all(i in known or i.partition(".")[0] in known for i in entry)
        for entry in ids
    ]
    error = next((error for error in errors if error is not None), None)
    none = asked[:0]
    return Owners(
        uid_of=np.array(mine, np.int64),
        answered=none if error else whole.answered,
        broken=dict.fromkeys(asked.tolist(), error) if error else {},
        left_out=none if error else whole.left_out,
        unrequested=mine.count(False),
        renamed={} if error else whole.renamed,
    )


def _other_versions(
    strange: list[str], wanted: dict[str, int], left_out: UidArray
) -> dict[int, str]:
    """Return the UIDs left out whose accession is in the answer with another version.

    NCBI answers an old version of some accessions with the current one (users' report, 2022-10).

    Args:
        strange: ids in the answer that were not requested.
        wanted: UID of each text in the request.
        left_out: UIDs that the answer does not name.
    """
    missing = set(left_out.tolist())
    stems = {
        text.partition(".")[0]: uid
        for text, uid in wanted.items()
        if "." in text and uid in missing
    }
    found = ((stems.get(one.partition(".")[0]), one) for one in strange if "." in one)
    return {uid: one for uid, one in found if uid is not None}
