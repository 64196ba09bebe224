"""What an answer settles of the question: which UIDs are answered whole, broken or left out.

Everything is matched by the id echoed in the answer, never by position: answers come sorted as
text, short, doubled, with an id of 0 or none at all (recorded 2008 to 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """Who the entries of an answer belong to.

    Attributes:
        uid_of: the UID of each entry; 0 for nobody's, and for those of broken UIDs.
        answered: UIDs answered whole, ascending.
        broken, left_out, unrequested: as in `Answer`.
    """

    uid_of: NDArray[np.int64]
    answered: UidArray
    broken: dict[int, str]
    left_out: UidArray
    unrequested: int

    def answer(
        self, rows: RunLengthRows, counts: NDArray[np.int64], owner: UidArray | None = None
    ) -> Answer:
        """The answer, with its rows, the links of each answered UID, and the UID of each list."""
        return Answer(
            rows, self.answered, counts, self.broken, self.left_out, self.unrequested, owner
        )


def owners(
    ids: Sequence[Sequence[str]], errors: Sequence[str | None], asked: UidArray, texts: list[str]
) -> Owners:
    """Match the entries of an answer with the UIDs asked for.

    Args:
        ids: those echoed in each entry.
        errors: the ERROR in each.
        asked: the UIDs of the question, distinct.
        texts: as they were written in it.
    """
    if len(ids) == len(asked) and not any(errors):  # as a rule: each once, and in their order
        if [one for echoed in ids for one in echoed] == texts and all(map(len, ids)):
            return Owners(asked, asked, {}, asked[:0], 0)
        wanted = dict(zip(texts, asked.tolist(), strict=True))
        owner = [wanted.pop(echoed[0], 0) if len(echoed) == 1 else 0 for echoed in ids]
        if all(owner):
            return Owners(np.array(owner, np.int64), asked, {}, asked[:0], 0)
    wanted = dict(zip(texts, asked.tolist(), strict=True))
    uid_of = np.zeros(len(ids), np.int64)
    broken: dict[int, str] = {}
    for index, (echoed, error) in enumerate(zip(ids, errors, strict=True)):
        if len(echoed) != 1:
            continue
        uid = wanted.get(echoed[0])
        if uid is None and "." in echoed[0]:  # asked for without its version
            uid = wanted.get(echoed[0].partition(".")[0])
        if uid is not None:
            uid_of[index] = uid
            if error is not None:
                broken.setdefault(uid, error)
    unrequested = int(np.count_nonzero(uid_of == 0))
    if broken:
        uid_of[np.isin(uid_of, list(broken))] = 0
    answered = np.unique(uid_of[uid_of != 0])
    seen = np.union1d(answered, np.fromiter(broken, np.int64, len(broken)))
    return Owners(uid_of, answered, broken, np.setdiff1d(asked, seen), unrequested)


def merged_owners(
    ids: Sequence[Sequence[str]], errors: Sequence[str | None], asked: UidArray, texts: list[str]
) -> Owners:
    """The same for a question by comma list, whose one LinkSet is about all its UIDs.

    Returns:
        `uid_of` is 1 for an entry that counts, 0 for one in which there is a stranger. An ERROR
        breaks all UIDs, since it is not known whose it is.
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
    nobody = asked[:0]
    return Owners(
        uid_of=np.array(mine, np.int64),
        answered=nobody if error else whole.answered,
        broken=dict.fromkeys(asked.tolist(), error) if error else {},
        left_out=nobody if error else whole.left_out,
        unrequested=mine.count(False),
    )
