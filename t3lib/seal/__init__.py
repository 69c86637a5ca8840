"""Sealed packs: a month's report with everything that its figures are made of, signed, to be proven without a database.

A pack is a folder. Its parts stand on levels, and the hash of each level takes in the one before it: source files,
sales, daily totals, figures, documents. `manifest.json` names every part with its hash, `manifest.sig` signs the
manifest. `verify` recomputes all of it: the hashes, the signature, and every figure from the sealed rows, by code of
its own that shares no query with `t3lib.metrics`. Sealing is `t3lib.seal.writing.seal`; who only verifies imports
nothing of it."""

from t3lib.seal.verification import Finding, Verdict, verify

__all__ = ["Finding", "Verdict", "verify"]
