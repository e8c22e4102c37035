"""Fail when a browser test was skipped: ``python -m crm.local.skipped <junit.xml>``.

A page without style or script passes every test that never opens it in a browser.
"""

import sys
from xml.etree import ElementTree


def skipped_browser_tests(report: str) -> list[str]:
    """Return name and reason of every skipped test of the report that drives the browser."""
    found = []
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  (our own pytest wrote it)
        skip = case.find("skipped")
        if skip is None:
            continue
        text = f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}"
        if "chromium" in text.lower() or "browser" in text.lower():
            found.append(text)
    return found


def main(report: str) -> int:
    found = skipped_browser_tests(report)
    for line in found:
        print(f"Skipped browser test: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
