"""Tells what one line of a web page is to a visitor: a menu entry, a breadcrumb trail, a share bar.

Only the generic vocabulary of web sites is known here, never that of a certain site, and never where on
the page the line stands: that is weighed by whoever marks it.
"""

from __future__ import annotations

import re
from enum import Enum, auto

# No line of navigation is longer; a copyright notice may be.
_LONGEST = 160


class Kind(Enum):
    """What a line is. All kinds but the first two are unmistakable by their words alone."""

    MENU = auto()
    """One entry of a menu ("About us"): nothing by itself, telling in company."""
    RELATED = auto()
    """The heading of a list of links ("Related articles")."""
    TRAIL = auto()
    """A breadcrumb trail, or a menu on one line ("Home | News | Contact")."""
    BACK = auto()
    """A link back to a part of the site ("Back to top")."""
    TOOL = auto()
    """A thing to do with the page ("Share on Facebook", "Print this page")."""
    PAGES = auto()
    """Links to further pages ("1 2 3 ... Next", "Page 2 of 7")."""
    BANNER = auto()
    """What is shown on any page ("Advertisement", "Skip to content", "Accept all cookies")."""
    RIGHTS = auto()
    """A copyright notice."""


def _phrases(block: str) -> frozenset[str]:
    """Return the phrases that bars divide in ``block``, which may run over lines between them."""
    return frozenset(" ".join(phrase.split()) for phrase in block.split("|"))


_HOME = _phrases(
    """
    home | homepage | home page | main | main page | start | start page | startpage | front page |
    index | you are here | startseite | accueil | inicio | inizio | главная | головна | галоўная
    """
)
_MENU = _HOME | _phrases(
    """
    news | all news | latest news | breaking news | news archive | newsroom | press | press room |
    press releases | media | media center | media centre | about | about us | about the site |
    who we are | contact | contacts | contact us | archive | archives | search | search site |
    site search | advanced search | login | log in | sign in | sign up | log out | logout | sign out |
    register | registration | my account | account | sitemap | site map | share | print | email |
    e-mail | tweet | subscribe | unsubscribe | newsletter | newsletters | rss | rss feed | rss feeds |
    feed | menu | main menu | navigation | close menu | open menu | toggle navigation | privacy |
    privacy policy | privacy notice | cookie policy | cookies | terms | terms of use |
    terms of service | terms and conditions | terms & conditions | legal | legal notice | disclaimer |
    imprint | impressum | accessibility | help | faq | faqs | support | feedback | advertise |
    advertise with us | advertising | careers | jobs | vacancies | donate | gallery | photo gallery |
    photos | video | videos | multimedia | podcasts | blog | blogs | forum | forums | events |
    calendar | articles | publications | opinion | opinions | interviews |
    features | editorial | services | products |
    shop | store | cart | checkout | wishlist | downloads | documents | links | useful links |
    resources | partners | categories | tags | topics | sections | language | languages | english |
    deutsch | français | español | русский | українська | беларуская | 中文 | en | ru | fr | de | es |
    previous | prev | next | older posts | newer posts | previous article | next article |
    previous post | next post | previous page | next page | first | last | view all | see all |
    show all | all rights reserved | follow us | find us | mobile version | full version |
    print version | printable version | text version | top | go to top | up | facebook | twitter |
    instagram | youtube | linkedin | telegram | whatsapp | vkontakte | vk | pinterest | reddit |
    tiktok | новости | контакты | архив | поиск | карта сайта | nachrichten | kontakt | suche |
    über uns | datenschutz | contacto | noticias | actualités | contactez-nous
    """
)
_MENU_OPENERS = frozenset(entry.split()[0] for entry in _MENU)
# Words that a list of anything may hold: they are taken along with a menu, and are no sign of one.
_COMMON = _phrases(
    """
    first | last | up | top | links | jobs | video | videos | photos | press | media | support | help |
    shop | store | cart | products | services | resources | partners | english | deutsch | français |
    español | русский | en | ru | fr | de | es | facebook | twitter | instagram | youtube | linkedin |
    telegram | whatsapp | pinterest | reddit | tiktok | email | e-mail | documents | legal |
    publications | features | languages | language | opinion | main | start | index | calendar |
    gallery | topics | sections | articles | categories | events | interviews | newsletter |
    newsletters | vk | vkontakte | accessibility | forum
    """
)
_RELATED = _phrases(
    """
    related | related articles | related news | related posts | related stories | related links |
    related content | related materials | related topics | more news | more articles | more stories |
    more on this topic | more on this story | more from this section | latest news | latest articles |
    latest posts | latest stories | recent news | recent posts | recent articles | recent comments |
    other news | other articles | popular posts | popular articles | popular news | most popular |
    most read | most viewed | most commented | most shared | trending | trending now | top stories |
    top news | read also | read next | you may also like | you might also like |
    you may be interested in | recommended for you | recommended articles | editor's picks |
    news feed | news in pictures | similar articles | similar posts | also read | don't miss |
    читайте также
    """
)
_BANNER = _phrases(
    """
    advertisement | advertisements | advertisement - continue reading below | sponsored |
    sponsored content | skip to content | skip to main content | skip to navigation | skip navigation |
    jump to navigation | jump to content | jump to search | read more | continue reading | learn more |
    load more | show more | view more | back to top | accept cookies | accept all cookies |
    accept all | reject all | allow all cookies | cookie settings | manage cookies |
    cookie preferences | manage preferences | leave a comment | add a comment | post a comment |
    add comment | write a comment | leave a reply | no comments | no comments yet | comments off |
    please enable javascript | loading... | subscribe to our newsletter | sign up for our newsletter |
    join our newsletter | реклама | читать далее
    """
)
_CONSENT = _phrases(
    """
    ok | okay | got it | got it! | i agree | agree | accept | i accept | dismiss | decline | reject
    """
)
_TOOL = _phrases(
    """
    share this | share this article | share this page | share this post | share this story |
    print this page | print this article | print article | print page | email this | email this page |
    email this article | email to a friend | send to a friend | send by email | send by e-mail |
    tweet this | save as pdf | download pdf | add to favorites | add to favourites | add to bookmarks |
    bookmark this page | copy link | report an error | report a mistake | follow us on
    """
)
_NETWORKS = _phrases(
    """
    facebook | twitter | x | instagram | youtube | linkedin | telegram | whatsapp | vk | vkontakte |
    pinterest | reddit | tumblr | email | e-mail | print | tiktok | viber | messenger | skype |
    odnoklassniki | ok | flipboard | pocket | mastodon | bluesky | threads | share | tweet | save |
    copy link | link | more
    """
)
_SHARING = _phrases("share | tweet | post | pin | send | follow | like | find | join")
_PARTS_OF_A_SITE = _phrases(
    """
    top | section | news | list | home | homepage | page | pages | main | start | beginning | index |
    menu | search | results | articles | article | archive | archives | blog | contents | content |
    overview | site | website | category | categories | events | posts | post | press | releases |
    publications | map | previous | gallery | all | stories | topics | forum | products | shop |
    listing | navigation | portal | calendar | topic | interviews | opinions
    """
)

_DECORATION = " \t\u00a0|»«\u203a\u2039<>→←↑↓▲▼►◄▸▾^•·*#[]()…_=~"
_LINK = re.compile(r"!?\[([^\]\n]{1,120})\]\([^)\n]{0,200}\)")
_BULLET = re.compile(r"\A[-*+\u2013—•‣▪◦]\s+")
_SEPARATOR = re.compile(r"\s*(?:\||»|\u203a|→|·|•|>{1,2}|::)\s*|\s+[/\\]\s+|\s+[-\u2013—]\s+")
_FIRM_SEPARATOR = re.compile(r"[|»\u203a→·•>]|::")
_BAR_SIGN = re.compile(r"[|»\u203a→·•>/\\\u2013\u2014-]|::")
_DIGIT = re.compile(r"[0-9]")
_NAMES = re.compile(r"[\s,.|/·•:]+|\band\b")
_HERE = re.compile(r"\Ayou are here\s*:?\s*", re.IGNORECASE)
_BACK = re.compile(
    r"\A\W{0,3}(?:go\s|click\s|<\s?)?(?:back|return)\sto\s(?:the\s|our\s|all\s|list\sof\s|main\s){0,3}(.{1,40})\Z",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"\A(?:share|tweet|post|pin|send|follow\sus|like\sus|find\sus|join\sus|follow)"
    r"(?:\s(?:this|it|us|article|page|post|story|on|via|by|to|in|with)){0,4}\W{0,3}(.{0,80})\Z",
    re.IGNORECASE,
)
_COUNTER = re.compile(
    r"\A(?:\d[\d,. ]{0,8}\s(?:comments?|replies|shares|likes|retweets)"
    r"|(?:comments?|shares|likes|views|hits)\s?(?:\(\d{1,7}\)|:\s?\d{1,7}))\Z",
    re.IGNORECASE,
)
_PAGE_OF = re.compile(r"\A\W{0,3}page\s\d{1,5}\s(?:of|/)\s\d{1,5}\W{0,3}\Z", re.IGNORECASE)
_PAGER_WORD = re.compile(
    r"\A(?:next|prev|previous|last|first|older|newer|page|pages|posts|«|»|\u2039|\u203a|<|>|<<|>>|←|→)\Z"
)
_RIGHTS = re.compile(
    r"\A\W{0,3}(?:©|\(c\)\s|copyright\b)(?=.{0,140}(?:\b(?:19|20)\d\d\b|rights reserved))", re.IGNORECASE
)
_COOKIES = re.compile(
    r"\b(?:we|site|website|page)\b.{0,60}\buses?\b.{0,20}\bcookies\b|\baccept\b.{0,40}\bcookies\b",
    re.IGNORECASE,
)


def kind_of(text: str) -> Kind | None:
    """Return what the line ``text`` is, or ``None`` where it is none of a page's furniture."""
    if len(text) > _LONGEST:
        return None
    plain = label_of(text)
    return _kind_of_label(plain) or _kind_of_bar(text, plain)


def label_of(text: str) -> str:
    """Return the words of a link in lower case: without bullet, arrows, brackets and target."""
    bare = _BULLET.sub("", _LINK.sub(r"\1", text) if "](" in text else text)
    return " ".join(bare.strip(_DECORATION).split()).lower()


def parts_of(text: str) -> list[str]:
    """Return the labels of a line of links that separators divide, in order; one label where none do."""
    bare = _HERE.sub("", text)
    labels = (label_of(part) for part in _SEPARATOR.split(_LINK.sub(r"\1", bare) if "](" in bare else bare))
    return [label for label in labels if label]


def is_telling(text: str) -> bool:
    """Whether a menu entry is a word of web sites only, not one that any list may hold."""
    return label_of(text) not in _COMMON


def is_consent(text: str) -> bool:
    """Whether the line is a button that closes a cookie banner."""
    label = label_of(text)
    return label in _CONSENT or ("cookie" in label and label in _BANNER)


def asks_consent(text: str) -> bool:
    """Whether the line tells of cookies as a banner does; a privacy policy does so too."""
    return len(text) <= 400 and bool(_COOKIES.search(text))


def is_section_label(text: str) -> bool:
    """Whether the line can name a part of a site ("News", "Events & Videos")."""
    parts = [part for part in re.split(r"\s(?:&|and)\s|,\s", label_of(text)) if part]
    return bool(parts) and all(part in _MENU for part in parts)


def _kind_of_label(label: str) -> Kind | None:
    if label in _BANNER or _COUNTER.match(label):
        return Kind.BANNER
    if label in _RELATED or label.rstrip(":") in _RELATED:
        return Kind.RELATED
    if label in _TOOL:
        return Kind.TOOL
    return Kind.MENU if label in _MENU else None


def _kind_of_bar(text: str, label: str) -> Kind | None:
    """Return the kind of a line that its words' order tells.

    Each rule is asked only where a word or a sign of it is there: most lines of a long text have none.
    """
    lower = text.lower()
    if ("back" in lower or "return" in lower) and _is_back_link(text):
        return Kind.BACK
    if _DIGIT.search(text) and (_PAGE_OF.match(text) or _is_pager(text)):
        return Kind.PAGES
    if ("c" in lower or "©" in lower) and _RIGHTS.match(text):
        return Kind.RIGHTS
    if _is_share_bar(label):
        return Kind.TOOL
    if _BAR_SIGN.search(text):
        return Kind.TRAIL if _is_trail(text) or _is_menu_bar(text) else None
    return Kind.TRAIL if _is_menu_in_words(text) else None


def _is_back_link(text: str) -> bool:
    match = _BACK.match(_LINK.sub(r"\1", _BULLET.sub("", text)).rstrip(_DECORATION))
    if match is None or match[1][-1] in ".!?,;:":
        return False
    target = match[1].lower().split()
    return len(target) <= 4 and any(word in _PARTS_OF_A_SITE for word in (target[0], target[-1]))


def _is_pager(text: str) -> bool:
    words = text.replace("...", " ").replace("…", " ").replace("|", " ").lower().split()
    numbers = [word for word in words if word.strip("[]()").isdigit()]
    others = [word for word in words if word not in numbers]
    if len(numbers) < 2 or not others:
        return False
    values = [int(number.strip("[]()")) for number in numbers if number.strip("[]()").isdecimal()]
    return all(_PAGER_WORD.match(word) for word in others) and values == sorted(values) and len(values) > 1


def _is_share_bar(label: str) -> bool:
    first = label.partition(" ")[0].rstrip(":,|")
    if first not in _SHARING and first not in _NETWORKS:
        return False
    match = _SHARE.match(label)
    names = [name for name in _NAMES.split(match[1] if match else label) if name]
    return all(name in _NETWORKS for name in names) and len(names) >= (1 if match else 3)


def _is_trail(text: str) -> bool:
    if not _SEPARATOR.search(text):
        return False
    parts = parts_of(text)
    if len(parts) < 2 or parts[0] not in _HOME or parts[-1][-1] in ".!?;,":
        return False
    telling = any(part in _MENU for part in parts[1:])
    firm = bool(_FIRM_SEPARATOR.search(text)) and parts[0] not in ("main", "start", "index")
    return telling or (firm and not any(part in ("away", "visitors", "work", "mobile") for part in parts))


def _is_menu_bar(text: str) -> bool:
    parts = parts_of(text)
    known = sum(part in _MENU or part in _TOOL or part in _BANNER for part in parts)
    return len(parts) >= 3 and known >= 2 and known * 2 >= len(parts) and any(map(is_telling, parts))


def _is_menu_in_words(text: str) -> bool:
    """Whether the line is nothing but entries of a menu, one after the other: "Home News About us"."""
    words = text.split()
    if not 3 <= len(words) <= 24 or not words[0][0].isupper() or words[0].lower() not in _MENU_OPENERS:
        return False
    position, entries, telling = 0, 0, 0
    while position < len(words):
        for size in (3, 2, 1):
            entry = " ".join(words[position : position + size])
            if entry[0].isupper() and entry.lower() in _MENU:
                break
        else:
            return False
        position, entries, telling = position + size, entries + 1, telling + is_telling(entry)
    return entries >= 3 and telling >= 2
