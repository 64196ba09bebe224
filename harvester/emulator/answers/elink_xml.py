"""LinkSets as NCBI's XML, in the textual styles of recorded answers.

Plain neighbor answers have one style (blank lines, odd tabs: a recording of 2025), all others
have tabs. Clients must accept both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import orjson

from harvester.emulator.answers.prologs import prolog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.answers.linksets import LinkInfo, LinkSet, LinkSetDb, ObjUrl


def elink_xml(linksets: Sequence[LinkSet], error: str = "") -> bytes:
    """Return the body of an ELink answer with `retmode=xml`.

    Args:
        linksets: in the order of the answer.
        error: text of the ERROR beside the LinkSets; empty is none.
    """
    body = "".join(_linkset(linkset) for linkset in linksets)
    if error:
        body += f"  <ERROR>{escape(error)}</ERROR>\n"
    return f"{prolog('elink')}<eLinkResult>\n{body}</eLinkResult>\n".encode()


def _linkset(linkset: LinkSet) -> str:
    if linkset.dbfrom is None and linkset.ids is None and not linkset.dbs:
        # An ERROR for the whole request (llinkslib, recorded in 2026-09).
        errors = "".join(f"<ERROR>{escape(error)}</ERROR>" for error in linkset.errors)
        return f"<LinkSet>{errors}</LinkSet>\n"
    if linkset.infos or linkset.checks:
        return _checked(linkset)
    if linkset.urls:
        return _listed(linkset)
    odd = linkset.errors or linkset.webenv or any(db.info or db.error for db in linkset.dbs)
    return _tabbed(linkset) if odd or linkset.ids is None else _plain(linkset)


def _plain(linkset: LinkSet) -> str:
    ids = "".join(f"      <Id>{uid}</Id>\n" for uid in linkset.ids or ())
    dbs = "".join(map(_plain_db, linkset.dbs))
    return (
        f"\n  <LinkSet>\n    <DbFrom>{linkset.dbfrom}</DbFrom>\n"
        f"    <IdList>\n{ids}    </IdList>\n{dbs}    \n  </LinkSet>\n"
    )


def _plain_db(db: LinkSetDb) -> str:
    links = _links(db, "        <Link>", "\t\t\t\t", "\t\t\t</Link>")
    return (
        f"    <LinkSetDb>\n      <DbTo>{db.dbto}</DbTo>\n"
        f"      <LinkName>{db.linkname}</LinkName>\n      \n{links}      \n    </LinkSetDb>\n"
    )


def _links(db: LinkSetDb, start: str, indent: str, end: str) -> str:
    """Return all Link elements, by way of `[1,2]` or `[[1,5],[2,4]]`: no Python object per link."""
    if db.links is None or not len(db.links):
        return ""
    between = f"</Score>\n{end}\n{start}\n{indent}<Id>"
    score = f"</Id>\n{indent}<Score>"
    if db.scores is None:
        text = ",".join(db.links) if isinstance(db.links, list) else _numbers(db.links)[1:-1]
        inner = text.replace(",", between.replace("Score", "Id"))
    else:
        if isinstance(db.links, list):
            pairs = zip(db.links, db.scores.tolist(), strict=True)
            text = "],[".join(f"{uid},{points}" for uid, points in pairs)
        else:
            text = _numbers(np.column_stack((db.links, db.scores)))[2:-2]
        inner = text.replace("],[", ";").replace(",", score).replace(";", between)
    last = "</Id>" if db.scores is None else "</Score>"
    return f"{start}\n{indent}<Id>{inner}{last}\n{end}\n"


def _numbers(values: np.ndarray[Any, Any]) -> str:
    packed = np.ascontiguousarray(values)
    return orjson.dumps(packed, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _tabbed(linkset: LinkSet) -> str:
    lines = ["<LinkSet>\n"]
    if linkset.dbfrom is not None:
        lines.append(f"\t<DbFrom>{linkset.dbfrom}</DbFrom>\n")
    if linkset.ids is not None:
        ids = "".join(f"\t\t<Id>{uid}</Id>\n" for uid in linkset.ids)
        lines.append(f"\t<IdList>\n{ids}\t</IdList>\n")
    lines += [f"\t<ERROR>{escape(error)}</ERROR>\n" for error in linkset.errors[:1]]
    for db in linkset.dbs:
        lines.append(f"\t<LinkSetDb>\n\t\t<DbTo>{db.dbto}</DbTo>\n")
        lines.append(f"\t\t<LinkName>{db.linkname}</LinkName>\n")
        lines.append(_links(db, "\t\t<Link>", "\t\t\t", "\t\t</Link>"))
        if db.info:
            lines.append(f"\t\t<Info>{escape(db.info)}</Info>\n")
        if db.error:
            lines.append(f"\t\t<ERROR>{escape(db.error)}</ERROR>\n")
        lines.append("\t</LinkSetDb>\n")
    for history in linkset.histories:
        lines.append(f"\t<LinkSetDbHistory>\n\t\t<DbTo>{history.dbto}</DbTo>\n")
        lines.append(f"\t\t<LinkName>{history.linkname}</LinkName>\n")
        lines.append(f"\t\t<QueryKey>{history.query_key}</QueryKey>\n\t</LinkSetDbHistory>\n")
    if linkset.webenv:
        lines.append(f"\t<WebEnv>{linkset.webenv}</WebEnv>\n")
    return "".join(lines) + "</LinkSet>\n"


def _checked(linkset: LinkSet) -> str:
    checks = "".join(
        f'\t\t\t<Id {linkset.check}="{answer}">{uid}</Id>\n' for uid, answer in linkset.checks
    )
    infos = "".join(
        f"\t\t\t<IdLinkSet>\n\t\t\t\t<Id>{uid}</Id>\n{''.join(map(_linkinfo, kinds))}"
        "\t\t\t</IdLinkSet>\n"
        for uid, kinds in linkset.infos
    )
    return (
        f"\t<LinkSet>\n\t\t<DbFrom>{linkset.dbfrom}</DbFrom>\n"
        f"\t\t<IdCheckList>\n{checks}{infos}\t\t</IdCheckList>\n\t</LinkSet>\n"
    )


def _linkinfo(info: LinkInfo) -> str:
    url = f"\t\t\t\t\t<Url><![CDATA[{info.url}]]></Url>\n" if info.url else ""
    return (
        f"\t\t\t\t<LinkInfo>\n\t\t\t\t\t<DbTo>{info.dbto}</DbTo>\n"
        f"\t\t\t\t\t<LinkName>{info.linkname}</LinkName>\n"
        f"\t\t\t\t\t<MenuTag>{escape(info.menutag)}</MenuTag>\n"
        f"\t\t\t\t\t<HtmlTag>{escape(info.htmltag)}</HtmlTag>\n{url}"
        f"\t\t\t\t\t<Priority>{info.priority}</Priority>\n\t\t\t\t</LinkInfo>\n"
    )


def _listed(linkset: LinkSet) -> str:
    nothing = "\t<Info>No links</Info>\n"
    sets = "".join(
        f"<IdUrlSet>\n\t<Id>{uid}</Id>\n{''.join(map(_objurl, objurls)) or nothing}</IdUrlSet>\n"
        for uid, objurls in linkset.urls
    )
    return f"\n<LinkSet><DbFrom>{linkset.dbfrom}</DbFrom><IdUrlList>{sets}</IdUrlList></LinkSet>\n"


def _objurl(objurl: ObjUrl) -> str:
    provider = objurl.provider
    lines = [f"<Url>{escape(objurl.url)}</Url>"]
    if objurl.iconurl:
        lines.append(f"<IconUrl>{escape(objurl.iconurl)}</IconUrl>")
    if objurl.linkname:
        lines.append(f"<LinkName>{escape(objurl.linkname)}</LinkName>")
    lines += [f"<SubjectType>{escape(kind)}</SubjectType>" for kind in objurl.subject_types]
    lines += [f"<Category>{escape(category)}</Category>" for category in objurl.categories]
    lines += [f"<Attribute>{escape(attribute)}</Attribute>" for attribute in objurl.attributes]
    lines += ["<Provider>", f"\t<Name>{escape(provider.name)}</Name>"]
    lines += [f"\t<NameAbbr>{provider.abbreviation}</NameAbbr>", f"\t<Id>{provider.id}</Id>"]
    if provider.url:
        lines.append(f"\t<Url>{escape(provider.url)}</Url>")
    lines.append("</Provider>")
    return "\t<ObjUrl>\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t</ObjUrl>\n"
