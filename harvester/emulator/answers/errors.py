"""Errors inside answers of status 200: their texts, as recorded or quoted, and their envelopes."""

from __future__ import annotations

from xml.sax.saxutils import escape

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.elink_json import raw_string
from harvester.emulator.answers.prologs import ROOTS, prolog

ADDRESS_TABLE = "Couldn't resolve #exLinkSrv2, the address table is empty."
"""For hours in 2025 and 2026, and whenever `db` is misspelt."""

READ_ALL = (
    'NCBI C++ Exception:\n    Error: TXCLIENT(CException::eUnknown) "/pubmed_gen/rbuild/version/'
    '20240724/entrez/2.19/src/internal/txclient/TxClient.cpp", line 1045: ncbi::CTxRawClientImpl::'
    "readAll() --- Read failed: EOF (the other side has unexpectedly closed connection), "
    "peer: 130.14.22.29:8064"
)
UNKNOWN_ID = (
    'NCBI C++ Exception:\n    Error: UNK_MODULE(CException::eInvalid) "UNK_FILE", '
    "line 18446744073709551615: UNK_FUNC --- \n"
)
BLOB_ID = "BLOB ID IS NOT IMPLEMENTED"
EXLINK_SERVER = "Error calling ExLink server."
BACKEND = "Search Backend failed: Unable to open connection to #PMQuerySrv?dbaf=taxonomy"
NO_QUERY = "Unable to obtain query #{}"
NO_HISTORY = "Empty history ID list - nothing todo"
NO_IDS = "Empty id list - nothing todo"
NO_ID_PARAMETER = "Neither query_key nor id specified"
INVALID_UID = "Invalid uid {} at position= 0"
TOO_MANY_UIDS = "Too many UIDs in request. Maximum number of UIDs is 500 for JSON format output."
UNSUPPORTED_CMD = "Exception:\n{} command not supported"
"""For llinkslib since 2026-09 (rentrez#215)."""

EMPTY_ID_LIST = "ID list is empty! Possibly it has no correct IDs."
BAD_DB = "Invalid db name specified: {}"


def efetch_error(text: str) -> Answer:
    """Return an error of EFetch in XML: status 400, a space before the text (recorded in 2024)."""
    start, _, rest = prolog("efetch").partition("eFetchResult")
    body = f"{start}eEfetchResult{rest}<eFetchResult>\n\t<ERROR> {escape(text)}</ERROR>\n"
    return Answer(f"{body}</eFetchResult>\n".encode(), status=400)


def error_200(utility: str, text: str, *, json: bool) -> Answer:
    """Return an ERROR with status 200, in the envelope of the utility."""
    if json:
        start = b'{"header":{"type":"%b","version":"0.3"},' % utility.encode()
        if utility == "elink":
            return Answer(start + b'"linksets":[],"ERROR":' + raw_string(text) + b"}\n", JSON_TYPE)
        if utility == "esummary":
            return Answer(start + b'"esummaryresult":[' + raw_string(text) + b"]}\n", JSON_TYPE)
        member = b'"%bresult":{"ERROR":' % utility.encode()
        return Answer(start + member + raw_string(text) + b"}}\n", JSON_TYPE)
    root = ROOTS[utility][0]
    indent = "  " if utility == "elink" else "\t"
    body = f"{prolog(utility)}<{root}>\n{indent}<ERROR>{escape(text)}</ERROR>\n</{root}>\n"
    return Answer(body.encode())
