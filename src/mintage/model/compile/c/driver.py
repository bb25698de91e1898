"""A program around ``model.c`` that answers a file of rows, and times predictions of one row.

    driver ROWS.bin ANSWERS.bin COUNT TIMED

ROWS.bin has each input in the struct's order, all rows of it: numbers as doubles; a text as the byte 1, its bytes and
a NUL, a missing one as the byte 0. ANSWERS.bin has of each row its double outputs, then its labels as int64; then the
TIMED times in microseconds, each from a clock read before and after one call. All is in the machine's byte order. The
program believes the file: what writes and reads both is ``pack_rows`` and ``read_answers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mintage.model.compile.c.face import Face
from mintage.model.compile.c.literal import encode
from mintage.model.signature import Signature

__all__ = ["driver", "pack_rows", "read_answers"]

WARM_UP = 1000
_MAIN = """int main(int argc, char **argv)
{
    if (argc != 5)
        return fail("four arguments are expected");
    const size_t count = (size_t)strtoull(argv[3], NULL, 10), timed = (size_t)strtoull(argv[4], NULL, 10);
    struct PREFIX_input *rows = calloc(count + 1, sizeof *rows);
    struct PREFIX_output *answers = calloc(count + 1, sizeof *answers);
    char *data = read_file(argv[1]);
    if (rows == NULL || answers == NULL || data == NULL)
        return fail("the rows cannot be read");
    unpack(data, rows, count);
    for (size_t row = 0; row < count; row++) {
        const int code = PREFIX_predict(&rows[row], &answers[row]);
        if (code != PREFIX_OK)
            return fail(PREFIX_message(code));
    }
    FILE *file = fopen(argv[2], "wb");
    if (file == NULL)
        return fail("the answers cannot be written");
    for (size_t row = 0; row < count; row++)
        write_answer(file, &answers[row]);
    for (size_t turn = 0; timed && count && turn < WARM_UP; turn++)
        PREFIX_predict(&rows[turn % count], &answers[0]);
    for (size_t turn = 0; turn < timed && count; turn++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        PREFIX_predict(&rows[turn % count], &answers[0]);
        clock_gettime(CLOCK_MONOTONIC, &after);
        const double us = (double)(after.tv_sec - before.tv_sec) * 1e6
            + (double)(after.tv_nsec - before.tv_nsec) / 1e3;
        fwrite(&us, sizeof us, 1, file);
    }
    if (fclose(file) != 0)
        return fail("the answers cannot be written");
    free(data);
    free(rows);
    free(answers);
    return 0;
}
"""
_READ = """#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

static int fail(const char *message)
{
    fprintf(stderr, "%s\\n", message);
    return 1;
}

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    const long size = ftell(file);
    char *data = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(file);
    if (data != NULL && fread(data, 1, (size_t)size, file) != (size_t)size)
        return NULL;
    fclose(file);
    return data;
}

"""


_NUMBER = """    for (size_t row = 0; row < count; row++, data += sizeof(double))
        memcpy(&rows[row].MEMBER, data, sizeof(double));
"""
_TEXT = """    for (size_t row = 0; row < count; row++)
        if (*data++) {
            rows[row].MEMBER = data;
            data += strlen(data) + 1;
        }
"""


def driver(signature: Signature, names: Face) -> str:
    """The text of the program."""
    unpack = "".join(
        (_TEXT if item.datatype == "BYTES" else _NUMBER).replace("MEMBER", names.inputs[item.name])
        for item in signature.inputs
    )
    doubles = [names.outputs[item.name] for item in signature.outputs if item.datatype == "FP64"]
    labels = [names.outputs[item.name][0] for item in signature.outputs if item.datatype == "INT64"]
    write = "".join(
        f"    fwrite({'' if columns else '&'}answer->{member}, sizeof(double), {columns or 1}, file);\n"
        for member, columns in doubles
    )
    if labels:
        places = ", ".join(f"answer->{member}" for member in labels)
        write += f"    const int64_t labels[] = {{{places}}};\n    fwrite(labels, sizeof labels, 1, file);\n"
    text = f"""{_READ}static void unpack(const char *data, struct PREFIX_input *rows, size_t count)
{{
{unpack}}}

static void write_answer(FILE *file, const struct PREFIX_output *answer)
{{
{write}}}

{_MAIN}"""
    text = text.replace("PREFIX_OK", f"{names.prefix.upper()}_OK").replace("WARM_UP", str(WARM_UP))
    return text.replace("PREFIX", names.prefix)


def pack_rows(signature: Signature, columns: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """ROWS.bin: of each column float64 with NaN for missing, or objects of str and None."""
    parts: list[bytes] = []
    for item in signature.inputs:
        column = columns[item.name]
        if item.datatype == "BYTES":
            parts.extend(b"\0" if value is None else b"\1" + encode(value) + b"\0" for value in column.tolist())
        else:
            parts.append(np.ascontiguousarray(column, dtype=np.float64).tobytes())
    return b"".join(parts)


def read_answers(data: bytes, signature: Signature, *, rows: int) -> tuple[Any, Any, list[float]]:
    """The values [rows, W], the labels [rows, H] and the times in ANSWERS.bin."""
    width = sum(item.shape[-1] for item in signature.outputs if item.datatype == "FP64")
    labels = sum(item.datatype == "INT64" for item in signature.outputs)
    table = np.frombuffer(data, dtype=np.int64, count=rows * (width + labels)).reshape(rows, width + labels)
    times = np.frombuffer(data, dtype=np.float64, offset=table.nbytes)
    values = table[:, :width].copy().view(np.float64)
    return values, table[:, width:].copy(), times.tolist()
