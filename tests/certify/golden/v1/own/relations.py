def grows_with_a(row):
    """A larger a never makes it less."""
    if row["a"] is None or row["a"] > 4:
        return None
    return {**row, "a": row["a"] + 2}, "not less"


def the_same_twice(row):
    """The same row gets the same answer and label."""
    return [row, dict(row)], "equal"
