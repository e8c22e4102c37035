"""Somebody in front of the product: what he does is counted, what goes wrong is remembered.

A step is a click, a key chord, a field filled or a page waited for; typing a text counts one (screens.md).
"""

from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.bank import PASSWORD

AXE = Path(__file__).resolve().parents[2] / ".local" / "assets" / "tests" / "axe.min.js"


class Reader:
    """A page and the person reading it. ``steps`` is how many steps the task has taken since ``start()``."""

    def __init__(self, page: Page, expects: tuple[int, ...] = ()) -> None:
        self.page = page
        self.steps = 0
        self.wrong: list[str] = []
        self._expects = expects
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("response", self._got)

    # --- what is watched ----------------------------------------------------------------------------
    def _heard(self, message) -> None:
        if message.type not in ("error", "warning"):
            return
        if any(
            f"status of {code}" in message.text or f"Code {code}" in message.text for code in self._expects
        ):
            return
        self.wrong.append(f"console: {message.text}")

    def _got(self, response) -> None:
        if response.status >= 400 and response.status not in self._expects:
            self.wrong.append(f"{response.status}: {response.url}")

    def saw_nothing_wrong(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)

    # --- what is counted ------------------------------------------------------------------------------
    def start(self) -> None:
        self.steps = 0

    def goto(self, path: str) -> None:
        self.steps += 1
        self.page.goto(path)

    def click(self, selector: str | Locator) -> None:
        self.steps += 1
        self._find(selector).click()

    def fill(self, selector: str | Locator, text: str) -> None:
        self.steps += 1
        self._find(selector).fill(text)

    def choose(self, selector: str | Locator, value: str) -> None:
        self.steps += 1
        self._find(selector).select_option(value)

    def press(self, key: str) -> None:
        self.steps += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.steps += 1
        self.page.keyboard.type(text)

    def took_at_most(self, steps: int) -> None:
        assert self.steps <= steps, f"{self.steps} steps; {steps} are allowed"

    def _find(self, selector: str | Locator) -> Locator:
        return self.page.locator(selector).first if isinstance(selector, str) else selector

    # --- what needs no count --------------------------------------------------------------------------
    def sign_in(self, username: str, *, language: str = "") -> None:
        """Sign in by the form; ``language`` is set afterwards by the switch, as a person would."""
        self.page.goto("/sign-in/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button.btn-primary")
        self.page.wait_for_selector(".shell")
        shown = (self.page.get_attribute("html", "lang") or "").lower()
        if language and shown != language:
            self.page.locator(f".languages button[value={language}]").first.evaluate(
                "button => button.click()"
            )
            self.page.wait_for_selector(f"html[lang='{language}']")
        self.start()

    def breaks_accessibility(self, within: str = "html") -> list[str]:
        """What axe finds by WCAG 2.2 AA, one line a rule with the first elements that break it.

        ``within`` narrows it to what matters where something open covers the rest of the page.
        """
        # The whole page at once: what a fixed bar covers for the moment is one scroll away, which axe does not know.
        window = self.page.viewport_size
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": window["width"], "height": max(window["height"], height)})
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = self.page.evaluate(
            "([within, tags]) => axe.run(within, {runOnly: {type: 'tag', values: tags}}).then(r => r.violations)",
            [within, tags],
        )
        self.page.set_viewport_size(window)
        return [
            f"{rule['id']}: {rule['help']}: " + " | ".join(node["html"][:140] for node in rule["nodes"][:3])
            for rule in found
        ]

    def overflows(self) -> bool:
        """Whether the page is wider than the window: it would move sideways under the thumb."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
