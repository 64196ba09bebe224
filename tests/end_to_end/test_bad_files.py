"""Invalid job files, UID lists and folders: each is refused with its own error message."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from typing import TYPE_CHECKING

import pytest
import zstandard
from support.refusals import (
    GOOD,
    NCBI,
    SECRET,
    Bad,
    UnusedServer,
    assert_refused,
    job_file,
    option,
    table,
    uid_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Servers

NO_KEY = ("does not belong in a job file", "NCBI_API_KEY")

JOB_FILES = [
    Bad("run none.toml", ("The job file none.toml cannot be read", "No such file")),
    Bad("run a", ("a is a folder, not a job file", "resume a"), {"a/b": ""}),
    job_file("[link\n", "job.toml is not valid TOML", "line 1"),
    job_file(GOOD + "link.db = pmc\n", "job.toml is not valid TOML", "line 4"),
    job_file("link:\n  dbfrom: pubmed\n", "is not valid TOML", "line 1"),
    job_file('{"link": {"dbfrom": "pubmed"}}', "is not valid TOML", "line 1"),
    job_file("[link]\n[link]\n", "is not valid TOML", "line 2"),
    job_file(GOOD.encode("utf-16"), "job.toml cannot be read: it is not UTF-8 text"),
    job_file(GOOD.encode() + b"# caf\xe9\n", "it is not UTF-8 text"),
    job_file(b"\0", "is not valid TOML"),
    job_file("", "link.dbfrom is missing", "dbfrom under [link] in the job file"),
    job_file('[link]\ndbfrom = "pubmed"\n', "output.path is missing", "give --out"),
    job_file('[link]\ndbfrom = "pubmed"\n[output]\npath = "out"', "give a list with --ids"),
    job_file("[lnk]\n", "unknown group [lnk]", "did you mean 'link'?"),
    job_file("[limit]\nrate = 3\n", "unknown group [limit]", "did you mean 'limits'?"),
    job_file('dbfrom = "pubmed"\n', "unknown group [dbfrom]"),
    job_file('link = "pubmed"\n', "[link] is a group of keys"),
    job_file('[link]\ndbform = "x"\n', "unknown key link.dbform", "did you mean 'dbfrom'?"),
    job_file(GOOD + "limits.batchsize = 5", "limits.batchsize", "did you mean 'batch_size'?"),
    job_file(GOOD + "contact.token = 'x'", "unknown key contact.token"),
    job_file(GOOD + "link.term = 5", "link.term = 5: should be a valid string"),
    job_file(GOOD + "link.mindate = 2001-01-01\nlink.maxdate = 2002-01-01", "link.mindate: write"
             " it in quotes"),
    job_file(GOOD + "link.db = {pmc = 1}", "link.db: should be a valid list"),
    job_file(GOOD + "limits.rate = true", "limits.rate: true or false is given where"),
    job_file(GOOD + "limits.rate = 'fast'", "limits.rate = 'fast': should be a valid number"),
    job_file(GOOD + "limits.batch_size = [1]", "limits.batch_size: should be 'auto' or"),
    job_file(GOOD + "limits.window = 'off peak'", "did you mean 'off-peak'?"),
    job_file(GOOD + "limits.rate = 3", "harvester: limits.rate = 'x'", words="--rate=x"),
    job_file("link.dbfrom = 'pubmed'\nsource.ids = 'ids'\noutput.path = 5", "output.path = 5"),
    job_file(GOOD.replace('"out"', '"a\\u0000b"'), "output.path: a name holds control characters"),
    job_file(GOOD.replace('"out"', '"a\\nb"'), "output.path: a name holds control characters"),
    job_file(GOOD.replace('"out"', '"~nobody-at-all/x"'), "~nobody-at-all/x", "home directory in"),
    job_file(GOOD.replace('"ids"', '["-", "-"]'), "standard input (-) can be read only once"),
    job_file(GOOD + f'contact.api_key = "{SECRET}"', *NO_KEY),
    job_file(GOOD + f'contact.NCBI-API-KEY = "{SECRET}"', *NO_KEY),
    job_file(GOOD + f'contact.my_apikey2 = "{SECRET}"', *NO_KEY),
    job_file(GOOD + f'contact.ncbi.api_key = "{SECRET}"', *NO_KEY),
    job_file(GOOD + f'server.base_url = {{api.key = "{SECRET}"}}', *NO_KEY),
    job_file(GOOD + f'link.db = [{{key = "{SECRET}"}}]', *NO_KEY),
    job_file(GOOD + f'server.base_url = "{NCBI}?api_key={SECRET}"', *NO_KEY),
    job_file(f'NCBI_API_KEY = "{SECRET}"', *NO_KEY),
]  # fmt: skip

WHOLE = b"".join(b"%d\n" % uid for uid in range(1, 3000, 7))
DAMAGED = ("list is damaged or cut short", "cannot be decompressed to its end")

UID_LISTS = [
    uid_list("1\n2\nabc\n", "list, line 3: 'abc' is not a UID", "positive whole numbers"),
    uid_list("# ok\r\n1, 2,x7y\r\n", "list, line 2: 'x7y' is not a UID"),
    uid_list("1\n-5\n", "list, line 2: '-5' is not a UID"),
    uid_list("1\n0\n", "list, line 2: '0' is not a UID", "from 1 to 9223372036854775807"),
    uid_list("9223372036854775808\n", "line 1: '9223372036854775808' is not a UID", "from 1 to"),
    uid_list("2.5\n", "'2.5' is not a UID"),
    uid_list("1;2\n", "'1;2' is not a UID"),
    uid_list("１２\n", "'１２' is not a UID"),
    uid_list("pmid,title\n1,Cancer\n", "line 1: 'pmid' is not a UID"),
    uid_list("PMC123\n", "'PMC123' is not a UID", "a UID of pmc", "--dbfrom pmc"),
    uid_list("PMID:123\n", "'PMID:123' is not", "UID of pubmed", "--dbfrom pubmed", dbfrom="pmc"),
    uid_list("PMID:123\n", "'PMID:123' is not a UID", "--dbfrom pubmed", dbfrom="gene"),
    uid_list("NC_000001.11\n", "NC_000001.11", "an accession: add --idtype acc", dbfrom="nuccore"),
    uid_list("https://pubmed.ncbi.nlm.nih.gov/123/", "line 1: 'https://pubmed."),
    uid_list("\x1b[31m7\n", "'[U+001B control character][31m7' is not a UID"),
    uid_list(b"\x00\x01\x02", "list is not a text file", "one UID per line"),
    uid_list("1\n2\n".encode("utf-16-le"), "list is not a text file, or UTF-16 without a byte"),
    uid_list(b"PK\x03\x04\x14\0\0\0", "list is a zip archive or a workbook", "save the sheet"),
    uid_list(b"PK\x03\x04\x14\0[Content_Types].xml", "an Excel workbook", "save the sheet"),
    uid_list("12,345,678\n31,452,104\n", "line 1: '12,345,678' is not", "In all, 2 entries"),
    uid_list("12 345 678\n", "line 1: '12 345 678' is not a UID", "thousands separators"),
    uid_list("12\u202f345\n", "line 1: '12[U+202F narrow no-break space]345' is not a UID"),
    uid_list("10.1000/xyz\n", "this is a DOI", "--query '10.1000/xyz[doi]'"),
    uid_list("PRJNA257197\n", "--query 'PRJNA257197[accn]'", dbfrom="bioproject"),
    uid_list("#tax_id\tGeneID\tPubMed_ID\n9606\t1\t2\n", "looks like a table", "--ids-column"),
    table("#tax_id\tPubMed_ID\n9606\t2\n", "list has no column called 'pmid'", "PubMed_ID"),
    table('pmid,title\n1,"a\n2,b\n', "list, line 2: a quotation mark", "never closed"),
    table("pmid;title\n1;a\nx;b\n", "list, line 3: 'x' is not a UID"),
    table("pmid\ttitle\n1\n", "list, line 2: the row has 1 of the 2 cells"),
    uid_list(b"\x89PNG\r\n\x1a\n\0", "is not a"),
    uid_list("", "There is no UID in ", "/list"),
    uid_list("# nothing yet\n\n", "There is no UID in ", "/list"),
    uid_list(gzip.compress(b""), "There is no UID in ", "/list", name="nothing-gz"),
    uid_list(gzip.compress(b"1\nx 2\n"), "list, line 2: 'x' is not a UID", name="x-gz"),
    uid_list(gzip.compress(WHOLE)[:-9], *DAMAGED, name="cut-gz"),
    uid_list(lzma.compress(WHOLE)[:-9], *DAMAGED, name="cut-xz"),
    uid_list(bz2.compress(WHOLE)[:-9], *DAMAGED, name="cut-bz2"),
    uid_list(zstandard.compress(WHOLE)[:-9], *DAMAGED, name="cut-zst"),
    Bad("run --dbfrom=pubmed -o out", ("no input UIDs", "--ids FILE")),
    Bad("run --dbfrom=pubmed -o out --ids=none", ("UID list", "none", "No such file")),
    Bad("run --dbfrom=pubmed -o out --ids=a", ("UID list", "/a cannot", "Is a"), {"a/b": ""}),
    Bad("run --dbfrom=pubmed -o out --ids=", ("source.ids: a name is empty",)),
    Bad("run --dbfrom=pubmed -o out --ids=~nobody-at-all/x", ("home directory", "nobody-at-all")),
    Bad("run --dbfrom=pubmed -o out --ids=/proc/self/mem", ("/proc/self/mem cannot be read",)),
    Bad("run --dbfrom=pubmed -o out --ids=-", ("There is no UID in standard input",)),
    Bad("run --dbfrom=pubmed -o out --ids=-", ("standard input, line 1: 'uid'",),
        stdin=b"uid\n7\n"),
    option("--ids=- --ids=-", "standard input (-) can be read only once"),
    option("--skip-bad -o -", "source.skip_bad", "give one (-o DIR)"),
    option("--idtype=acc", "ELink accepts no accessions of pubmed", "[accn]"),
    option("--db=gene --linkname=pubmed_pmc", "lead to pmc, and db is gene"),
    option("--linkname=gene_pubmed", "start from gene, and dbfrom is pubmed"),
    option("--ids=none", "none cannot be read: No such file"),
]  # fmt: skip

FOLDERS = [
    option("-o ''", "output.path: a name is empty"),
    Bad("run --dbfrom=pubmed --ids=ids", ("output.path is missing: give --out",), {"ids": "1"}),
    Bad("run --dbfrom=pubmed --ids=ids -o a", ("a is not empty and holds no harvest", "thesis.doc",
        "choose another"), {"ids": "1", "a/thesis.doc": "mine"}),
    # A linkname that EInfo would be asked about: the folder is looked at before.
    Bad(
        "run --dbfrom=pubmed --ids=ids -o a --linkname=pubmed_pubmed_citedin",
        ("a is not empty and holds no harvest", "thesis.doc"),
        {"ids": "1", "a/thesis.doc": "mine"},
    ),
    option("-o ids", "ids is a file", "choose another"),
    option("-o ids/out", "ids", "choose another"),
    Bad("plan a", ("a is a folder, not a job file", "resume a"), {"a/thesis.doc": "mine"}),
    Bad("resume none", ("none holds no harvest", "there is no such folder")),
    Bad("resume a", ("a holds no harvest",), {"a/thesis.doc": "mine"}),
    Bad("resume ids", ("ids holds no harvest: it is a file",), {"ids": "1"}),
    Bad("status none", ("none holds no harvest", "there is no such folder")),
    Bad("status a", ("a holds no harvest",), {"a/thesis.doc": "mine"}),
    Bad("status ids --json", ("ids holds no harvest: it is a file",), {"ids": "1"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def unused() -> Iterator[UnusedServer]:
    """A server that counts connections; none may arrive."""
    with UnusedServer() as server:
        yield server


@pytest.mark.parametrize("bad", [*JOB_FILES, *UID_LISTS, *FOLDERS], ids=str)
def test_bad_input_is_refused(
    bad: Bad, tmp_path: Path, all_servers: Servers, unused: UnusedServer
) -> None:
    with all_servers.fork_server() as fork_server:
        assert_refused(bad, tmp_path, fork_server, unused)


def test_a_list_that_may_not_be_read(
    tmp_path: Path, all_servers: Servers, unused: UnusedServer
) -> None:
    (tmp_path / "list").write_text("1\n")
    (tmp_path / "list").chmod(0)
    somebody = 65534 if os.getuid() == 0 else -1  # root may read everything
    bad = Bad(
        "run --dbfrom=pubmed -o /nowhere/out --ids=list",  # `out` could not be looked into
        ("list cannot be read: Permission denied",),
        user=somebody,
    )
    with all_servers.fork_server() as fork_server:
        assert_refused(bad, tmp_path, fork_server, unused)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can run a command as another user")
def test_a_folder_that_may_not_be_looked_into(tmp_path: Path, all_servers: Servers) -> None:
    (tmp_path / "closed").mkdir(0o700)
    words = ["run", "--dbfrom=pubmed", "--ids=-", "-o", str(tmp_path / "closed" / "out")]
    env = {"HARVESTER_BASE_URL": "http://127.0.0.1:9/"}
    with all_servers.fork_server() as fork_server:
        ended = fork_server.run(words, env=env, cwd=str(tmp_path), user=65534)
    assert ended.code == 1, ended.output
    assert ended.output == (
        f"harvester: {tmp_path}/closed/out cannot be read: Permission denied.\n"
    )
