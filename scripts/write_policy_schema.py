"""Print docs/spec/policy.schema.json: the JSON Schema of policies with the built-in checks, and no others.

python scripts/write_policy_schema.py > docs/spec/policy.schema.json
"""

from __future__ import annotations

import sys

from mintage.certify.policy_schema import encode_schema, policy_schema
from mintage.certify.registry import find_checks

sys.stdout.write(encode_schema(policy_schema(find_checks(points=()))))
