"""`python -m tools.documents`: write the documents that are made from the code."""

from pathlib import Path

from tools.documents import DOCUMENTS

for name, make in DOCUMENTS.items():
    (Path(__file__).parents[2] / name).write_text(make())
