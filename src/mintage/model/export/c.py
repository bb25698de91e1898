"""The export for a C developer: the model as C99, an example, and a test over the golden rows.

It holds for C++ too, and for whatever calls C. What it promises: docs/spec/export-c.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mintage.model.compile.c.face import Face, face
from mintage.model.compile.c.literal import encode, number, text
from mintage.model.compile.c.program import compile_c
from mintage.model.export.golden_json import resource, template_text
from mintage.model.package import Package
from mintage.model.program import read_program
from mintage.model.signature import Input, Output, Signature

__all__ = ["EXPORT", "C"]

_FOLDER = "c_files"


class C:
    """The export ``c``."""

    name = "c"
    about = "a C or C++ developer: C99 that needs a compiler and libm, and nothing else"

    def files(self, package: Package) -> Mapping[str, bytes]:
        signature, onnx = package.signature, package.files["model.onnx"]
        names = face(read_program(onnx), signature, signature.model)
        prefixes = {"prefix": names.prefix, "PREFIX": names.prefix.upper()}
        row = _row_to_show(package)
        readme = template_text(
            resource(_FOLDER, "README.md.txt").decode(),
            model=signature.model,
            root=package.root,
            call=_call(signature, names, row),
            inputs="".join(_input_line(item, names) for item in signature.inputs),
            outputs="".join(_output_line(item, names) for item in signature.outputs),
            **prefixes,
        )
        return {
            **compile_c(onnx, signature, signature.model),
            "CARD.md": package.files["CARD.md"],
            "Makefile": resource(_FOLDER, "Makefile.txt"),
            "README.md": readme.encode(),
            "example.c": _example(signature, names, row).encode(),
            "golden_data.h": _golden_data(package, names).encode(),
            "golden_test.c": template_text(resource(_FOLDER, "golden_test.c.txt").decode(), **prefixes).encode(),
        }


def _row_to_show(package: Package) -> Mapping[str, Any]:
    """The golden row with the fewest missing values, the first of them."""
    columns = package.golden.columns
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    best = min(rows, key=lambda row: sum(value is None or value != value for value in row))  # noqa: PLR0124 NaN
    return dict(zip(columns, best, strict=True))


def _value(value: Any) -> str:
    """A value as an initializer; a double is the same to the bit."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return text(encode(value))
    return number(value, "double").strip("()")


def _call(signature: Signature, names: Face, row: Mapping[str, Any]) -> str:
    prefix = names.prefix
    members = "".join(f"    .{names.inputs[item.name]} = {_value(row[item.name])},\n" for item in signature.inputs)
    return f"""struct {prefix}_input row = {{
{members}}};
struct {prefix}_output answer;
int input, code = {prefix}_check(&row, &input);
if (code == {prefix.upper()}_OK)
    code = {prefix}_predict(&row, &answer);
"""


def _example(signature: Signature, names: Face, row: Mapping[str, Any]) -> str:
    """example.c: the row, its check, its answer, printed."""
    prefix = names.prefix
    call = "".join(f"    {line}\n" if line else "\n" for line in _call(signature, names, row).splitlines())
    prints = "".join(_print(item, *names.outputs[item.name]) for item in signature.outputs)
    return f"""/* Answers one golden row. Build it with: make example */
#include <math.h>
#include <stdio.h>

#include "model.h"

int main(void)
{{
{call}    if (code != {prefix.upper()}_OK) {{
        const char *name = {prefix}_input_name(input);
        fprintf(stderr, "%s: %s\\n", name ? name : "the row", {prefix}_message(code));
        return 1;
    }}
{prints}    return 0;
}}
"""


def _print(item: Output, member: str, columns: int) -> str:
    said = _value(item.name)
    if item.classes is not None:
        classes = ", ".join(_value(str(name)) for name in item.classes)
        return (
            f"    static const char *const classes_of_{member}[] = {{{classes}}};\n"
            f'    printf("%s: %d (%s)\\n", {said}, answer.{member}, classes_of_{member}[answer.{member}]);\n'
        )
    if item.datatype == "INT64":
        return f'    printf("%s: %d\\n", {said}, answer.{member});\n'
    if not columns:
        return f'    printf("%s: %.17g\\n", {said}, answer.{member});\n'
    return (
        f"    for (int at = 0; at < {columns}; at++)\n"
        f'        printf("%s[%d]: %.17g\\n", {said}, at, answer.{member}[at]);\n'
    )


def _golden_data(package: Package, names: Face) -> str:
    """golden_data.h: the rows, the answers, and how an answer lies beside them."""
    golden, prefix = package.golden, names.prefix
    columns = [golden.columns[item.name].tolist() for item in package.signature.inputs]
    rows = ["{" + ", ".join(map(_value, row)) + "}" for row in zip(*columns, strict=True)]
    count, width = golden.values.shape
    places = golden.labels.shape[1]
    parts = [
        "/* The golden rows and their answers, for golden_test.c. */\n",
        f"enum {{ GOLDEN_ROWS = {count}, GOLDEN_VALUES = {width}, GOLDEN_LABELS = {places} }};\n",
        f"#define GOLDEN_TOLERANCE {number(golden.tolerance, 'double')}\n",
        _table(f"struct {prefix}_input golden_rows[GOLDEN_ROWS]", rows),
        _table("double golden_values[GOLDEN_ROWS][GOLDEN_VALUES]", _rows(golden.values, "double")),
        _table("int golden_labels[GOLDEN_ROWS][GOLDEN_LABELS + 1]", _rows(golden.labels, "int32")),
        f"static void golden_read(const struct {prefix}_output *answer, double *values, int *labels)\n{{",
        *_reads(package.signature, names),
        "    (void)values;\n    (void)labels;\n}\n",
    ]
    return "\n".join(parts)


def _rows(array: np.ndarray[Any, Any], kind: str) -> list[str]:
    return ["{" + (", ".join(number(value, kind) for value in row) or "0") + "}" for row in array.tolist()]


def _table(name: str, items: list[str]) -> str:
    return f"static const {name} = {{\n" + "".join(f"    {item},\n" for item in items) + "};\n"


def _reads(signature: Signature, names: Face) -> list[str]:
    lines: list[str] = []
    places = {"FP64": 0, "INT64": 0}
    for item in signature.outputs:
        member, columns = names.outputs[item.name]
        kept = "values" if item.datatype == "FP64" else "labels"
        for at in range(columns or 1):
            lines.append(f"    {kept}[{places[item.datatype]}] = answer->{member}{f'[{at}]' if columns else ''};")
            places[item.datatype] += 1
    return lines


def _input_line(item: Input, names: Face) -> str:
    said = ["text" if item.datatype == "BYTES" else "whole number" if item.integer else "number"]
    said += ["may be missing"] if item.nullable else ["never missing"]
    said += [item.unit] if item.unit else []
    said += [item.about] if item.about else []
    kind = "const char *" if item.datatype == "BYTES" else "double "
    return f"| {_cell(item.name)} | `{kind}{names.inputs[item.name]}` | {_cell('; '.join(said))} |\n"


def _output_line(item: Output, names: Face) -> str:
    member, columns = names.outputs[item.name]
    kind = "int" if item.datatype == "INT64" else "double"
    said = "numbers" if item.datatype == "FP64" else "the place of the class"
    if item.classes is not None:
        said += ": " + ", ".join(f"{at} {name}" for at, name in enumerate(item.classes))
    return f"| {_cell(item.name)} | `{kind} {member}{f'[{columns}]' if columns else ''}` | {_cell(said)} |\n"


def _cell(value: str) -> str:
    """A text inside a table of Markdown."""
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("`", "'")


EXPORT = C()
