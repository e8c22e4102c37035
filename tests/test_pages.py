"""What holds for every page as everybody who may open it: both languages, no cache, nothing inline, nothing personal.

The untranslated text of pages is looked for in ``tests/ui/test_no_untranslated_text.py``, accessibility in
``tests/browser/test_every_page.py``.
"""

from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from django.urls import reverse

from crm.core.models import User
from tests.bank import ACCOUNTS, CUSTOMERS
from tests.test_urls import every_name, row_parameters

# One of each post.
READERS = ["ann", "cai", "han", "tess", "lou", "clara", "petra", "mira", "audi", "adam", "sean"]
OWNERS = ["C001", "C101", "C005"]
# They see whether it is the one who stands there, not his whole name.
COUNTER = {"tess", "lou"}
SEES_NAMES = {"ann", "cai", "han", "clara", "petra", "mira"}

# As the feed brought them: a page shows them masked, or after an audited reveal, never of itself.
PERSONAL = {
    str(row[fact]) for row in CUSTOMERS for fact in ("mobile", "email", "address", "id_no") if row.get(fact)
}
NAMES = {row["name"] for row in CUSTOMERS}
PRIVATE_NAMES = {row["name"] for row in CUSTOMERS if row["kind"] == "individual"}
NUMBERS = {row["customer_no"] for row in CUSTOMERS} | {row["account_no"] for row in ACCOUNTS}

ADDRESSES = {"href", "src", "action", "formaction", "hx-get", "hx-post", "hx-push-url"}


class Markup(HTMLParser):
    """Collects what the content policy would refuse (``inline``) and every address of a page (``links``)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inline: list[str] = []
        self.links: list[str] = []
        self.language = ""

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = (given.get("lang") or "").lower()
        if tag == "style" or "style" in given or any(name.startswith(("on", "hx-on")) for name in given):
            self.inline.append(self.get_starttag_text() or tag)
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline.append(self.get_starttag_text() or tag)
        for name, value in given.items():
            if name in ADDRESSES or name.endswith(("-url", "-href")):
                self.links.append(unquote(value or ""))
        self.inline += [link for link in self.links[-4:] if link.strip().lower().startswith("javascript:")]


def answers(bank, client, username: str, owners: list[str]):
    """Yield (URL, answer) of each URL that answers this person with 200, for a row of each of the owners."""
    client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
    for name in every_name():
        if name in ("welcome", "health"):
            continue
        asked = []
        for owner in owners:
            parameters = row_parameters(bank, name, owner)
            if parameters is None or parameters in asked:
                continue
            asked.append(parameters)
            url = reverse(name, kwargs=parameters)
            answer = client.get(url)
            if answer.status_code == 200:
                yield url, answer


def markup_of(answer) -> Markup:
    found = Markup()
    if answer["Content-Type"].startswith("text/html"):
        found.feed(answer.text)
        found.close()
    return found


def faults_of_policy(answer, markup: Markup, language: str) -> list[str]:
    """What lets a page be kept by a cache, run something inline, or speak another language than its reader's."""
    policy = answer["Content-Security-Policy"]
    found = [f"inline: {text}" for text in markup.inline]
    if "no-store" not in answer["Cache-Control"]:
        found.append(f"may be kept: {answer['Cache-Control']}")
    if "unsafe" in policy or "script-src 'self'" not in policy or "style-src 'self'" not in policy:
        found.append(policy)
    # A fragment stands in a page that says its language.
    if markup.language not in ("", language):
        found.append(f"speaks {markup.language}")
    return found


def faults_of_privacy(username: str, url: str, answer, markup: Markup) -> list[str]:
    """Personal facts shown unasked, and addresses that name a person or his account."""
    hidden = PERSONAL | (PRIVATE_NAMES if username in COUNTER else set())
    content = answer.getvalue().decode()
    found = [f"shows {value}" for value in sorted(hidden) if value in content]
    links = [unquote(url), *markup.links]
    return found + [
        f"links to {link}" for link in links if any(v in link for v in PERSONAL | NAMES | NUMBERS)
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("username", READERS)
def test_every_page_keeps_what_it_shows_to_itself(bank, client, username, language):
    User.objects.filter(username=username).update(language=language)
    owners = OWNERS if language == "zh-hans" else OWNERS[:1]
    wrong, seen, names_seen = [], 0, False
    for url, answer in answers(bank, client, username, owners):
        markup = markup_of(answer)
        faults = faults_of_policy(answer, markup, language) + faults_of_privacy(username, url, answer, markup)
        wrong += [f"{url}: {fault}" for fault in faults]
        names_seen = names_seen or "张伟" in answer.getvalue().decode()
        seen += 1
    assert not wrong, "\n".join(wrong)
    # The control: customers' pages were among them, for those whom they are shown to.
    assert seen >= 5 and names_seen == (username in SEES_NAMES)


def test_what_is_looked_for_would_be_found():
    """The positive control of the markup reader."""
    found = Markup()
    found.feed(
        '<html lang="zh-hans"><a href="/?q=%E5%BC%A0%E4%BC%9F" onclick="x()"></a><script>1</script><style></style>'
    )
    assert len(found.inline) == 3 and found.links == ["/?q=张伟"] and found.language == "zh-hans"
