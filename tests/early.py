"""What each process of pytest loads before its plugins (`-p tests.early`): it keeps one import of theirs short."""

import sys

# jsonschema, which nbval needs, would build a grammar of internationalised addresses for 0.7 s; no notebook has a use
# for it, and jsonschema does without what it cannot import
sys.modules.setdefault("rfc3987_syntax", None)
