"""Invalid command lines and environments: each is refused with its own error message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import write_uids
from support.refusals import NCBI, SECRET, Bad, UnusedServer, assert_refused, option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Servers

MISSPELT = [
    Bad("rn", ("no command 'rn'", "did you mean 'run'?")),
    Bad("staus out", ("no command 'staus'", "did you mean 'status'?")),
    Bad("Resume out", ("no command 'Resume'", "did you mean 'resume'?")),
    Bad("zzz", ("no command 'zzz'", "run, resume, status")),
    Bad("--colour", ("'--colour'",)),
    Bad("resume", ("Missing argument 'OUT'",)),
    Bad("status", ("Missing argument 'OUT'",)),
    Bad("status out --jsn", ("'--jsn'", "'--json'")),
    Bad("resume out --dbfrom=pubmed", ("no option --dbfrom: what a harvest asks for stays",)),
    Bad("resume out --ids=ids", ("no option --ids: what a harvest asks for stays",)),
    Bad("resume out --ratee=1", ("no option --ratee (did you mean --rate?)",)),
    Bad("resume out other", ("(other)",)),
    Bad("run a.toml b.toml", ("(b.toml)",)),
    option("--dbfrm=pubmed", "no option --dbfrm", "did you mean --dbfrom?"),
    option("--lnkname=x", "no option --lnkname", "did you mean --linkname?"),
    option("--batchsize=5", "no option --batchsize", "did you mean --batch-size?"),
    option("--retry-faild", "no option --retry-faild", "did you mean --retry-failed?"),
    option("-q -v --quite", "no option --quite", "did you mean --quiet?"),
    option("--zzz", "no option --zzz"),
    option(f"--api-key={SECRET}", "no option --api-key", "NCBI_API_KEY"),
    option("-x", "no option -x"),
    option("--dbfrom", "'--dbfrom' requires an argument"),
    option("-o", "'-o' requires an argument"),
    option("--rate-granted=yes", "'--rate-granted' does not take a value"),
    option("--stop-at-window-end=1", "'--stop-at-window-end' does not take a value"),
]

LINKS = [
    Bad("run --ids=ids -o out", ("link.dbfrom is missing", "give --dbfrom"), {"ids": "1"}),
    option("--dbfrom=", "link.dbfrom: '' is not a name", "like pubmed_pmc"),
    option("--dbfrom='pub med'", "link.dbfrom: 'pub med' is not a name"),
    option("--dbfrom=pubmed,pmc", "link.dbfrom: 'pubmed,pmc' is not a name"),
    option("--db=,", "link.db: it holds no name; leave it out to ask for all (option --db)"),
    option("--linkname=", "link.linkname: it holds no name", "(option --linkname)"),
    option("--db='pmc gene'", "link.db: 'pmc gene' is not a name"),
    option("--linkname=pubmed-pmc", "link.linkname: 'pubmed-pmc' is not a name"),
    option("--cmd=neighbour", "link.cmd = 'neighbour'", "did you mean 'neighbor'?", "--cmd"),
    option("--cmd=", "link.cmd = ''", "should be 'neighbor'"),
    option("--retmode=jason", "link.retmode = 'jason'", "did you mean 'json'?", "--retmode"),
    option("--term=", "link.term", "leave it out"),
    option("--datetype=' '", "link.datetype", "leave it out"),
    option("--datetype=pdat", "datetype alone", "give reldate, or mindate and maxdate"),
    option("--mindate=2001", "mindate and maxdate go together"),
    option("--maxdate=2001", "mindate and maxdate go together"),
    option("--mindate= --maxdate=", "link.mindate: '' is not a date", "YYYY/MM/DD"),
    option("--mindate=2001/02/30 --maxdate=2002", "'2001/02/30' is not a date", "YYYY/MM/DD"),
    option("--mindate=2001-02-03 --maxdate=2002", "'2001-02-03' is not a date", "YYYY/MM/DD"),
    option("--mindate=yesterday --maxdate=2002", "'yesterday' is not a date", "YYYY/MM/DD"),
    option("--mindate=2003 --maxdate=2002/12", "link.maxdate: 2002/12 is before mindate, 2003"),
    option("--reldate=0", "link.reldate = '0'", "greater than or equal to 1", "--reldate"),
    option("--reldate=soon", "link.reldate = 'soon'", "a valid integer (option --reldate)"),
    option("--dbfrom=gene --reldate=3", "filters by date only where dbfrom is pubmed"),
]

LIMITS = [
    option("--rate=0", "limits.rate = '0'", "greater than 0 (option --rate)"),
    option("--rate=-1", "limits.rate = '-1'", "greater than 0 (option --rate)"),
    option("--rate=fast", "limits.rate = 'fast': should be a valid number (option --rate)"),
    option("--rate=", "limits.rate = ''", "a valid number"),
    option("--rate=nan", "limits.rate = 'nan'", "10000"),
    option("--rate=1e9", "limits.rate = '1e9'", "less than or equal to 10000"),
    option("--concurrency=0", "limits.concurrency = '0'", "'auto' or greater than or equal to 1"),
    option("--concurrency=atuo", "limits.concurrency = 'atuo'", "did you mean 'auto'?"),
    option("--batch-size=many", "limits.batch_size = 'many'", "'auto' or a valid integer"),
    option("--batch-size=5001", "limits.batch_size = '5001'", "less than or equal to 5000"),
    option("--batch-size=1.5", "limits.batch_size = '1.5'", "'auto' or a valid integer"),
    option("--timeout=0", "limits.timeout = '0'", "greater than 0 (option --timeout)"),
    option("--timeout=1d", "limits.timeout = '1d'", "a valid number"),
    option("--timeout=7200", "limits.timeout = '7200'", "less than or equal to 3600"),
    option("--max-attempts=0", "limits.max_attempts = '0'", "greater than or equal to 1"),
    option("--max-attempts=x", "limits.max_attempts = 'x'", "a valid integer"),
    option("--confirm-empty=-1", "limits.confirm_empty = '-1'", "greater than or equal to 0"),
    option("--passes=0", "limits.passes = '0'", "greater than or equal to 1"),
    option("--window=offpeak", "limits.window = 'offpeak'", "did you mean 'off-peak'?"),
    option("--window=night", "'auto', 'off-peak' or 'always' (option --window)"),
    option("--shard=3", "source.shard: '3' is not a share", "like 2/8"),
    option("--shard=0/3", "source.shard: '0/3' is not a share", "I from 1 to N"),
    option("--shard=4/3", "source.shard: '4/3' is not a share", "I from 1 to N"),
    option("--format=parqet", "output.format = 'parqet'", "did you mean 'parquet'?"),
    option("--format=csv", "should be 'parquet' or 'jsonl' (option --format)"),
    option("--compression=zst", "output.compression = 'zst'", "did you mean 'zstd'?"),
    option("--compression=lz4", "should be 'zstd', 'gzip' or 'none' (option --compression)"),
]

WHO = [
    option("--email=nobody", "contact.email: 'nobody' is not an email", "like you@example.org"),
    option("--email=", "contact.email: '' is not an email address"),
    option("--tool='my tool'", "contact.tool: 'my tool'", "without spaces"),
    option("--base-url=eutils", "server.base_url: 'eutils' is not an address", "like http://"),
    option("--base-url=ftp://x/", "'ftp://x/' is not an address", "like http://"),
    option("--base-url=http://h:99999/", "'http://h:99999/' is not an address"),
    option(f"--base-url=http://me:{SECRET}@h/", "server.base_url", "no user"),
    option(f"--base-url='http://h/?api_key={SECRET}'", "server.base_url", "no user, query"),
    option("", "HARVESTER_BASE_URL: server.base_url: 'h'", env={"HARVESTER_BASE_URL": "h"}),
    option("", "NCBI_EMAIL: contact.email: 'me' is not an email", env={"NCBI_EMAIL": "me"}),
    option("", "NCBI_API_KEY holds blanks", env={"NCBI_API_KEY": f"{SECRET} {SECRET}"}),
    option("", "NCBI_API_KEY holds", env={"NCBI_API_KEY": f"{SECRET}\n{SECRET}"}),
    option("", "NCBI_API_KEY holds", env={"NCBI_API_KEY": f"{SECRET}é"}),
    option(f"--base-url={NCBI}", "NCBI requires a contact email", "--email", "NCBI_EMAIL"),
    option(f"--base-url={NCBI.replace('https', 'http')}", "server.base_url", f"give {NCBI}"),
    option("--email=a@b.c --rate=4", "permits 3", "NCBI_API_KEY", "not 4", "add --rate-granted",
           env={"HARVESTER_BASE_URL": NCBI}),
    option("--email=a@b.c --rate=11", "permits 10", "not 11", "add --rate-granted",
           env={"HARVESTER_BASE_URL": NCBI, "NCBI_API_KEY": SECRET}),
]  # fmt: skip

UNKNOWN = [
    ("--dbfrom=pumbed", ("link.dbfrom: there is no database 'pumbed'", "did you mean 'pubmed'?")),
    ("--dbfrom=PMID", ("link.dbfrom: there is no database 'PMID'",)),
    ("--db=pmc,gnee", ("link.db: there is no database 'gnee'", "did you mean 'gene'?")),
    ("--linkname=pubmed_pcm", ("'pubmed_pcm'", "did you mean 'pubmed_pmc'?")),
]
"""Names that only the server can tell to be wrong."""

EMULATOR = [
    Bad("emulate --port=x", ("'--port'", "'x'")),
    Bad("emulate --port=70000", ("'--port'", "70000", "65535")),
    Bad("emulate --prot=1", ("'--prot'", "'--port'")),
    Bad("emulate --port=0 --rate=0", ("'--rate'", "x>=1")),
    Bad("emulate --port=0 --rate=3 --no-limit", ("--rate and --no-limit exclude each other",)),
    Bad("emulate --port=0 --fault=hnag", ("Unknown fault 'hnag'", "Did you mean hang?")),
    Bad("emulate --port=0 --fault=hang:2", ("'hang:2'", "must be from 0 to 1")),
    Bad("emulate --port=0 --latency=slow", ("'--latency'", "'slow'", "such as 0.8")),
    Bad("emulate --port=0 --outage=60-10", ("'--outage'", "'60-10'", "such as 10-60")),
    Bad("emulate --port=0 --links=none.csv", ("'--links'", "'none.csv' does not exist")),
    Bad("emulate --port=0 --links=a.csv", ("no column dbfrom",), {"a.csv": "a,b\n1,2\n"}),
    Bad("emulate --port=0 --api-key=k", ("'--api-key'", "'--api-key-accepted'")),
    Bad("emulate --port=0 --log=none/log", ("none/log",)),
]


@pytest.fixture(scope="module")
def unused() -> Iterator[UnusedServer]:
    """A server that counts connections; none may arrive."""
    with UnusedServer() as server:
        yield server


@pytest.mark.parametrize("bad", [*MISSPELT, *LINKS, *LIMITS, *WHO, *EMULATOR], ids=str)
def test_bad_input_is_refused(
    bad: Bad, tmp_path: Path, all_servers: Servers, unused: UnusedServer
) -> None:
    with all_servers.fork_server() as fork_server:
        assert_refused(bad, tmp_path, fork_server, unused)


@pytest.mark.parametrize(("words", "says"), UNKNOWN)
def test_a_name_unknown_to_the_server_is_refused(
    words: str, says: tuple[str, ...], tmp_path: Path, servers: Servers
) -> None:
    """Only EInfo is requested, so a misspelt name costs no night of requests."""
    server, ids = servers.start(), write_uids(tmp_path / "ids", (1, 2))
    refused = servers.harvester(
        "run", "--dbfrom=pubmed", "--db=pmc", "--ids", ids, "-o", tmp_path / "out",
        "--base-url", server.base_url, words,
    )  # fmt: skip
    assert refused.code == 2, refused.err
    assert refused.err.startswith("harvester: ")
    assert refused.err.count("\n") == 1, refused.err
    for part in says:
        assert part in refused.err, refused.err
    assert {entry.utility for entry in server.log} == {"einfo"}
    assert not (tmp_path / "out").exists()
