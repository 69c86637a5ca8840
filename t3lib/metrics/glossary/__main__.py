"""Prints the glossary: `python -m t3lib.metrics.glossary > docs/kpis.md`."""

from t3lib.metrics.glossary import markdown

if __name__ == "__main__":  # a warm kernel process imports every module
    print(markdown(), end="")
