"""The small functions of C that operators call; a file gets those that it needs."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HELPERS"]

_SEARCH = """static int32_t find_{name}(const {type} *keys, int32_t count, {type} value)
{{
    int32_t low = 0, high = count;
    while (low < high) {{
        const int32_t middle = low + (high - low) / 2;
        if (keys[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }}
    return low < count && keys[low] == value ? low : -1;
}}
"""
_CAST = """static int{bits}_t to_int{bits}(double value)
{{
    return value >= {low} && value < {high} ? (int{bits}_t)value : INT{bits}_MIN;
}}
"""
_WRAP = """static int{bits}_t {name}_int{bits}(int{bits}_t a, int{bits}_t b)
{{
    return (int{bits}_t)((uint{bits}_t)a {sign} (uint{bits}_t)b);
}}
"""
_DIVIDE = """static int{bits}_t divide_int{bits}(int{bits}_t a, int{bits}_t b)
{{
    if (b == 0)
        return 0;
    return b == -1 ? (int{bits}_t)(0 - (uint{bits}_t)a) : a / b;
}}
"""
_MOST = """static {type} {name}_{type}({type} a, {type} b)
{{
    return a != a || a {sign} b ? a : b;
}}
"""
_BITS = {
    "int64": ("64", "-9223372036854775808.0", "9223372036854775808.0"),
    "int32": ("32", "-2147483648.0", "2147483648.0"),
}

HELPERS: Mapping[str, str] = {
    "find_text": """static int32_t find_text(const unsigned char *keys, const uint32_t *at,
                         int32_t count, const char *value)
{
    int32_t low = 0, high = count;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        const int order = strcmp((const char *)keys + at[middle], value);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
""",
    **{
        f"find_{name}": _SEARCH.format(name=name, type=type_)
        for name, type_ in (("double", "double"), ("float", "float"))
    },
    "find_int64": _SEARCH.format(name="int64", type="int64_t"),
    **{f"to_{name}": _CAST.format(bits=bits, low=low, high=high) for name, (bits, low, high) in _BITS.items()},
    **{
        f"{name}_{kind}": _WRAP.format(bits=bits, name=name, sign=sign)
        for kind, (bits, _, _) in _BITS.items()
        for name, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*"))
    },
    **{f"divide_{kind}": _DIVIDE.format(bits=bits) for kind, (bits, _, _) in _BITS.items()},
    **{
        f"{name}_{type_}": _MOST.format(name=name, type=type_, sign=sign)
        for type_ in ("double", "float")
        for name, sign in (("greater", ">"), ("smaller", "<"))
    },
    "logistic_double": """static double logistic_double(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : x < 0 ? 1 - 1 / (1 + exp(x)) : x;
}
""",
    "logistic_float": """static float logistic_float(float x)
{
    return 1 / (1 + expf(-x));
}
""",
}
"""By name, in the order in which a file has them. Integers wrap around, as the machine's do; NaN and what does not fit
becomes the least integer; the logistic function of a double has onnxruntime's form, which is 0 below -37."""
