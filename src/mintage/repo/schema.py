"""The JSON Schema of mintage.yaml. It is made from the types that a project is read with, so the two cannot differ.

>>> schema = project_schema()
>>> schema["$schema"], sorted(schema["properties"])[:3]
('https://json-schema.org/draft/2020-12/schema', ['environments', 'models', 'params'])
"""

from __future__ import annotations

from typing import Any

import msgspec

from mintage.repo.project import ProjectForm

__all__ = ["project_schema"]


def project_schema() -> dict[str, Any]:
    """The schema as plain JSON values; what it cannot say (one writer an output, safe paths) reading a project does."""
    (top,), definitions = msgspec.json.schema_components([ProjectForm], ref_template="#/$defs/{name}")
    own = definitions.pop(top["$ref"].rpartition("/")[2])
    own.pop("description", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **own,
        "title": "mintage.yaml",
        "$defs": definitions,
    }
