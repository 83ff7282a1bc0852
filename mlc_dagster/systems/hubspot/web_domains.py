"""The web domain that an address tells of its company. Pure."""

from __future__ import annotations

_ANYWHERE = (
    "gmail",
    "googlemail",
    "gmx",
    "hotmail",
    "icloud",
    "live",
    "outlook",
    "proton",
    "protonmail",
    "yahoo",
    "yandex",
)
"""Names under which providers of free mail stand in many countries: hotmail.se, yahoo.co.jp."""

_ELSEWHERE = frozenset(
    {
        *("126.com", "163.com", "aol.com", "bluewin.ch", "comcast.net", "docomo.ne.jp", "free.fr", "freenet.de"),
        *("laposte.net", "libero.it", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr"),
        *("qq.com", "rediffmail.com", "seznam.cz", "spray.se", "sunrise.ch", "swipnet.se", "t-online.de", "tele2.se"),
        *("telia.com", "tiscali.it", "ukr.net", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl", "ymail.com"),
    }
)
"""Domains of mail that anybody may have: two companies there have nothing in common."""


def domain_of(address: str) -> str:
    """The web domain of an e-mail or web address: "https://www.acme.se/x" is acme.se; empty for free mail."""
    bare = address.strip().casefold().rsplit("@", 1)[-1].split("://")[-1].split("/")[0].split(":")[0]
    domain = bare.removeprefix("www.").strip(".")
    return domain if "." in domain and " " not in domain and not is_free_mail(domain) else ""


def is_free_mail(domain: str) -> bool:
    return domain in _ELSEWHERE or domain.split(".")[0] in _ANYWHERE
