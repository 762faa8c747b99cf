"""Ciphertext in a bucket of an S3-compatible store, instead of in files.

Nothing of what a store answers is passed on but the code of its error: an answer may repeat what was sent to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from watchglass.core.errors import CannotRecord, Problem
from watchglass.edge.objects import Kind, checked, missing, other_content

CONNECT_S: Final = 5.0
WHOLE_S: Final = 60.0
"""For one object there or back: 5 MB at one megabit a second need forty seconds."""

if TYPE_CHECKING:  # the stub has it, the module does not
    from obstore.store import S3Credential

MOST_OCTETS: Final = 1200 * 1024 * 1024
"""More than the longest segment has, sealed."""
_PROBE: Final = "_probe"
_PAGE: Final = 1000
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3})")
_ABSENT: Final = frozenset({"", "NoSuchKey", "NotFound"})
_REFUSED: Final = 403
_SERVER: Final = 500


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is, and who we are there.

    Attributes:
        endpoint: ``https://host[:port]``; the bucket's name comes behind it, as a path.
        prefix: what stands before the names of all objects; for one deployment only.
        access_key, secret_key: the account at the store.
        access_key_name, secret_key_name: the names of those two secrets, for what a person is told.
    """

    endpoint: str
    bucket: str
    region: str
    prefix: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    access_key_name: str
    secret_key_name: str


class ObjectBucket:
    """Ciphertext objects under one prefix of a bucket.

    Each request is signed (AWS Signature 4) together with the SHA-256 of what it brings. Stores should compare that,
    and not all do: so what the store says it holds is compared here too. There is no retry in here; whoever calls
    tries again.

    Args:
        at: the bucket.
        kind: what the objects are.
        connect_s, whole_s: seconds until a connection stands, and until a request is over.
    """

    def __init__(self, at: Bucket, kind: Kind, *, connect_s: float = CONNECT_S, whole_s: float = WHOLE_S) -> None:
        self._at = at
        self._kind = kind
        self._store = S3Store(
            at.bucket,
            prefix=at.prefix,
            endpoint=at.endpoint,
            aws_endpoint_url_s3=at.endpoint,  # else a variable of the environment would send everything elsewhere
            region=at.region,
            credential_provider=self._credential,  # the environment's would be joined by its own session token
            skip_signature=False,
            unsigned_payload=False,
            conditional_put="etag",
            virtual_hosted_style_request=False,
            checksum_algorithm="SHA256",
            disable_bulk_delete=True,  # not every store has it
            client_options={
                "allow_http": at.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=connect_s),
                "timeout": timedelta(seconds=whole_s),
            },
            retry_config={"max_retries": 0},
        )

    def _credential(self) -> S3Credential:
        return {
            "access_key_id": self._at.access_key,
            "secret_access_key": self._at.secret_key,
            "token": None,
            "expires_at": None,
        }

    def __str__(self) -> str:
        return f"{self._at.endpoint}/{self._at.bucket}/{self._at.prefix}/"

    def write(self, name: str, ciphertext: bytes) -> None:
        """Keep ``ciphertext`` under ``name``, if nothing lies there. The same may be written again.

        Two writers at once are kept apart by the store's own condition (``If-None-Match``), where it has one; stores
        without it are asked first whether the object is there. Where the store's tag of a new object is not the MD5 of
        what was sent (damage, but also some stores' own ways), the object is read again and compared by its SHA-256.

        Raises:
            BadInput: a bad name. Problem: other bytes lie under that name.
            CannotRecord: the store is away, refuses, or got something else than was sent.
        """
        key, what = self._key(name), f"The {self._kind.noun} {name} could not be stored"
        tag = self._put(key, ciphertext, what) if self._size(key) is None else None
        if tag == hashlib.md5(ciphertext, usedforsecurity=False).hexdigest():
            return
        found = self._get(key, name, None)
        if hashlib.sha256(found).digest() == hashlib.sha256(ciphertext).digest():
            return
        if tag is None:
            raise other_content(name, self._kind)
        self._delete(key, what)
        raise CannotRecord(f"{what}: it arrived damaged.", fix="It is tried again. Check the network and the store.")

    def read(self, name: str) -> bytes:
        """The ciphertext under ``name``.

        Raises:
            BadInput: a bad name, or there is no such object (any more). CannotRecord: the store is away, or refuses.
            Problem: what it has is longer than any object.
        """
        return self._get(self._key(name), name, None)

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` on; fewer where the object ends, and none behind its end.

        Raises:
            as ``read``.
        """
        if offset < 0 or length < 0:
            raise Problem("No part begins before an object, or has less than no bytes.", fix="Ask for another part.")
        key = self._key(name)
        size = self._size(key)
        if size is None:
            raise missing(name, self._kind)
        end = min(size, offset + length)
        return self._get(key, name, (offset, end)) if end > offset else b""

    def destroy(self, name: str) -> None:
        """Delete the object; no error where there is none. A bucket that keeps versions keeps the old one.

        Raises:
            BadInput: a bad name. CannotRecord: the store is away, or refuses.
        """
        self._delete(self._key(name), f"The {self._kind.noun} {name} could not be destroyed")

    def kept(self) -> Iterator[tuple[str, int]]:
        """Every object, with when it was written (milliseconds since 1970, by the store's clock).

        Raises:
            CannotRecord: the store is away, or refuses.
        """
        suffix = self._kind.suffix
        pages = iter(self._store.list(chunk_size=_PAGE))
        while True:
            with self._asking("What the bucket holds could not be listed"):
                page = next(pages, None)
            if page is None:
                return
            for each in page:
                if each["path"].endswith(suffix) and "/" not in each["path"]:
                    yield each["path"].removesuffix(suffix), round(each["last_modified"].timestamp() * 1000)

    def names(self) -> tuple[str, ...]:
        """The names of all objects, sorted."""
        return tuple(sorted(name for name, _ in self.kept()))

    def check(self) -> None:
        """Ask the store for something, changing nothing.

        Raises:
            CannotRecord: it is away, or refuses: the bucket, the account and the clocks are named by what is wrong.
        """
        with self._asking("The store of sealed originals does not take our requests"):
            next(iter(self._store.list(chunk_size=1)), None)

    def keeps_versions(self) -> bool:
        """Whether the bucket keeps what is deleted, as far as it tells: a small object is written and deleted.

        Raises:
            CannotRecord: the store is away, or refuses to write or delete.
        """
        what = "A trial object could not be written to the store of sealed originals"
        try:
            with self._asking(what):
                version = self._store.put(_PROBE, b"Watchglass looks whether it may write here.\n")["version"]
        except FileNotFoundError:
            raise _no_bucket(self._at, what) from None
        self._delete(_PROBE, "A trial object could not be deleted from the store of sealed originals")
        return version not in (None, "", "null")

    def _key(self, name: str) -> str:
        return checked(name, self._kind) + self._kind.suffix

    def _put(self, key: str, ciphertext: bytes, what: str) -> str | None:
        """The store's tag of the new object; None where there was one meanwhile."""
        try:
            with self._asking(what):
                try:
                    made = self._store.put(key, ciphertext, mode="create", use_multipart=False)
                except (AlreadyExistsError, PreconditionError):
                    return None
        except FileNotFoundError:
            raise _no_bucket(self._at, what) from None
        return (made["e_tag"] or "").strip('"')

    def _size(self, key: str) -> int | None:
        """Bytes of an object; None where there is none."""
        try:
            with self._asking("The store of sealed originals does not say what it holds"):
                return self._store.head(key)["size"]
        except FileNotFoundError:
            return None

    def _get(self, key: str, name: str, part: tuple[int, int] | None) -> bytes:
        try:
            with self._asking(f"The {self._kind.noun} {name} could not be fetched"):
                if part is None:
                    found = self._store.get(key)
                    if found.meta["size"] > MOST_OCTETS:
                        raise self._too_large(name, found.meta["size"])
                    return bytes(found.bytes())
                return bytes(self._store.get_range(key, start=part[0], end=part[1]))
        except FileNotFoundError:
            raise missing(name, self._kind) from None

    def _too_large(self, name: str, size: int) -> Problem:
        """Whoever runs the store could fill this machine's memory."""
        return Problem(
            f"What the store has under the name of the {self._kind.noun} {name} is {size:,} bytes long: not what was "
            "stored.",
            fix="Ask whoever runs the store; it is not opened.",
            name=name,
        )

    def _delete(self, key: str, what: str) -> None:
        try:
            with self._asking(what):
                self._store.delete(key)
        except FileNotFoundError:
            return

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turn what the client says into what a person does next. ``FileNotFoundError`` passes: an absent object."""
        try:
            yield
        except FileNotFoundError as error:
            if (_found(_CODE, error) or "") not in _ABSENT:
                raise self._why(what, error) from None
            raise
        except (BaseError, OSError, ValueError) as error:
            raise self._why(what, error) from None

    def _why(self, what: str, error: Exception) -> CannotRecord:
        at = self._at
        code = _found(_CODE, error)
        status = int(_found(_STATUS, error) or 0)
        if code == "NoSuchBucket":
            return _no_bucket(at, what)
        said, fix = _EXPLAINED.get(code or "", (None, ""))
        if said is None and "redirect" in str(error):
            said, fix = _REGION
        if said is None and code is None and status == _REFUSED:
            said, fix = _EXPLAINED["AccessDenied"]
        elif said is None and status >= _SERVER:
            said, fix = "the store has a trouble of its own", "It is tried again. Ask whoever runs the store."
        elif said is None and status == 0:
            said = "the store does not answer"
            fix = "It is tried again. Check the network, `endpoint` in deployment.yaml, and that the store runs."
        elif said is None:
            said, fix = "the store refuses", "Ask whoever runs the store what this answer means there."
        names = {"access": at.access_key_name, "secret": at.secret_key_name, "bucket": at.bucket, "region": at.region}
        tail = f" ({code or status})" if code or status else ""
        return CannotRecord(f"{what}: {said}{tail}.", fix=fix.format(**names), code=code)


def _found(pattern: re.Pattern[str], error: Exception) -> str | None:
    """What a pattern finds in the client's account of an answer."""
    match = pattern.search(str(error))
    return match[1] if match else None


def _no_bucket(at: Bucket, what: str) -> CannotRecord:
    return CannotRecord(
        f"{what}: there is no bucket “{at.bucket}” (NoSuchBucket).",
        fix="Make the bucket, or correct `bucket` and `endpoint` under `sealed` in deployment.yaml.",
        code="NoSuchBucket",
    )


_SKEW: Final = (
    "its clock and this machine's differ too much",
    "Set this machine's clock by the network (NTP), and look whether the store's is right.",
)
_REGION: Final = (
    "the bucket lies in another region",
    "Correct `region` (now {region}) or `endpoint` under `sealed` in deployment.yaml.",
)
_FULL: Final = ("the store has no room for it", "Make room at the store, or raise the quota of bucket {bucket}.")
_EXPLAINED: Final[dict[str, tuple[str, str]]] = {
    "InvalidAccessKeyId": (
        "the store does not know our access key",
        "Set the secret “{access}” again: `watchglass secret set DIR {access}`, then start anew.",
    ),
    "SignatureDoesNotMatch": (
        "the secret key is wrong",
        "Set the secret “{secret}” again: `watchglass secret set DIR {secret}`, then start anew.",
    ),
    "AccessDenied": (
        "our account there may not do this",
        "Let it list the bucket {bucket}, and get, put and delete objects in it.",
    ),
    "RequestTimeTooSkewed": _SKEW,
    "RequestExpired": _SKEW,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "QuotaExceeded": _FULL,
    "InsufficientStorage": _FULL,
    "XMinioStorageFull": _FULL,
    "SlowDown": ("the store is busy", "It is tried again; nothing needs to be done."),
}
