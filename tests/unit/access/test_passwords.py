from __future__ import annotations

import hashlib

import pytest

from watchglass.access.passwords import (
    _WORDS,
    HASHER,
    NOBODY,
    check_password,
    first_password,
    good_enough,
    hash_password,
)
from watchglass.core.errors import BadInput, DidNotVerify


class Bytes:
    def __init__(self) -> None:
        self._n = 0

    def bytes(self, n: int) -> bytes:
        self._n += 1
        return hashlib.shake_256(self._n.to_bytes(4, "big")).digest(n)


def test_a_password_is_kept_as_argon2id_with_the_stated_parameters_and_fresh_salt() -> None:
    entropy = Bytes()
    first, second = (hash_password("correct horse battery", entropy) for _ in range(2))
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    check_password(first, "correct horse battery")
    with pytest.raises(DidNotVerify):
        check_password(first, "correct horse batterx")


def test_nobody_has_the_same_form_and_cost_as_a_stored_password() -> None:
    assert not HASHER.check_needs_rehash(NOBODY)
    with pytest.raises(DidNotVerify):
        check_password(NOBODY, "")


def test_a_damaged_stored_form_is_told_apart() -> None:
    for stored in ("", "-", "$argon2id$broken"):
        with pytest.raises((BadInput, DidNotVerify)):
            check_password(stored, "x")


@pytest.mark.parametrize(
    "password",
    ["", "short", "aaaaaaaaaaaaaaaa", "abababababababab", "rita-rita-rita", "x" * 300, "\ud800 not text at all"],
)
def test_what_is_too_easy_or_too_long_is_refused_with_a_way_out(password: str) -> None:
    with pytest.raises(BadInput) as told:
        good_enough(password, "rita")
    assert told.value.fix


def test_long_ones_are_welcome_whatever_they_are_made_of() -> None:
    assert good_enough("four random words here", "rita") == "four random words here"
    assert good_enough("vier zufällige wörter", "rita")


def test_first_passwords_are_drawn_evenly_and_good_enough() -> None:
    assert len(set(_WORDS)) == len(_WORDS) == 242

    class Counting:
        def __init__(self) -> None:
            self.given = iter([255, 0, 241, 242, 5, 6, 7, 8])

        def bytes(self, n: int) -> bytes:
            assert n == 1
            return bytes([next(self.given)])

    drawn = first_password(Counting())
    assert drawn.split("-") == [_WORDS[n] for n in (0, 241, 5, 6, 7, 8)]  # 255 and 242 were drawn again
    assert good_enough(drawn, "rita")
