"""Writes the batches: a folder a business date, files streamed with their sha256, row counts and control
totals."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from crm.demo.horizon import Horizon
from crm.demo.sheets import CONTROLLED, HEADERS, money

SOURCE = "core"


@dataclass
class _File:
    handle: object
    digest: object
    rows: int = 0
    control: dict[str, int] = field(default_factory=dict)


class FeedWriter:
    """Takes packed sheets in order and appends them to the batches below ``folder``."""

    def __init__(self, folder: Path, horizon: Horizon):
        self.horizon = horizon
        self.folders = [folder / horizon.text(day) for day in horizon.told]
        for path in self.folders:
            path.mkdir(parents=True)
        self.files: dict[tuple[int, str], _File] = {}
        self.rows: dict[str, int] = dict.fromkeys(HEADERS, 0)

    def append(self, packed) -> None:
        for name, batch, text, rows, totals in packed:
            file = self.files.get((batch, name)) or self._open(batch, name)
            file.handle.write(text)
            file.digest.update(text)
            file.rows += rows
            self.rows[name] += rows
            for currency, cents in totals.items():
                file.control[currency] = file.control.get(currency, 0) + cents

    def _open(self, batch: int, name: str) -> _File:
        file = _File((self.folders[batch] / name).open("wb"), hashlib.sha256())
        header = f"{HEADERS[name]}\n".encode()
        file.handle.write(header)
        file.digest.update(header)
        self.files[batch, name] = file
        return file

    def close(self) -> list[Path]:
        """Close every file, write the manifests, return the folders in order of date."""
        for file in self.files.values():
            file.handle.close()
        for batch, folder in enumerate(self.folders):
            manifest = {
                "format": 1,
                "source": SOURCE,
                "business_date": folder.name,
                "mode": "delta" if batch else "full",
                "files": [
                    self._entry(name, self.files[batch, name])
                    for name in HEADERS
                    if (batch, name) in self.files
                ],
            }
            text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
            (folder / "manifest.json").write_text(text, encoding="utf-8")
        return self.folders

    @staticmethod
    def _entry(name: str, file: _File) -> dict:
        entry = {"name": name, "rows": file.rows, "sha256": file.digest.hexdigest()}
        if name in CONTROLLED:
            totals = {currency: money(cents) for currency, cents in sorted(file.control.items())}
            entry["control"] = {CONTROLLED[name]: totals}
        return entry
