import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.errors import ProjectError
from mintage.pipeline.facts import split_command

with_a_word = st.text(st.sampled_from("ab -#$%&|;<>*=/~!?()[]{}^`.,:@_\t\n\x0b\x1fé\u2003\xa0'\"\\"), max_size=12).map(
    "a".__add__
)


@given(with_a_word)
def test_a_command_is_split_as_a_shell_would_also_where_nothing_is_to_be_unquoted(text):
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(ProjectError, match="cannot be read"):
            split_command(text, "s")
    else:
        assert split_command(text, "s") == expected


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_command_is_refused(text):
    with pytest.raises(ProjectError, match="empty command"):
        split_command(text, "s")
