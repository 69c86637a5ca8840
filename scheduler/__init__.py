"""When and where the notebooks run."""

import sys

# jsonschema, which nbformat needs, would build a grammar of internationalised addresses at every start (0.8 s);
# no notebook is checked for those. It goes on without when the import fails.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None blocks the import
