"""Prints the glossary: `python -m t3lib.metrics.glossary > docs/kpis.md`."""

from t3lib.metrics.glossary import markdown

print(markdown(), end="")
