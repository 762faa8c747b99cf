"""Where sealed originals go: the deployment's own folder, or a bucket; and whether that answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchglass.core.digest import sha256
from watchglass.core.errors import WatchglassError
from watchglass.edge.bucket import Bucket, ObjectBucket
from watchglass.edge.objects import SEGMENTS, ObjectFiles
from watchglass.edge.secrets import SecretFolder
from watchglass.runtime.layout import Layout, Settings, read_settings

VERSIONS: Final = (
    "The bucket of sealed originals keeps versions: what is destroyed there stays as an old version, until a lifecycle "
    "rule of the bucket removes it. (What opens it is destroyed here all the same.) Add such a rule: expire noncurrent "
    "versions after one day, and delete markers."
)


def originals(layout: Layout, settings: Settings, secrets: SecretFolder) -> ObjectFiles | ObjectBucket:
    """The store that ``deployment.yaml`` names. Nothing is asked of it yet.

    In a bucket each deployment has a place of its own, by its origin: retention also removes what no row knows.

    Raises:
        BadInput: a secret of its account is not there.
    """
    at = settings.sealed
    if at is None:
        return ObjectFiles(layout.sealed, SEGMENTS)
    place = sha256(settings.origin.encode())[:8].hex()
    bucket = Bucket(
        endpoint=at.endpoint.rstrip("/"),
        bucket=at.bucket,
        region=at.region,
        prefix=f"{at.prefix}/{place}".lstrip("/"),
        access_key=secrets.get(at.access_key_secret),
        secret_key=secrets.get(at.secret_key_secret),
        access_key_name=at.access_key_secret,
        secret_key_name=at.secret_key_secret,
    )
    return ObjectBucket(bucket, SEGMENTS)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the store of sealed originals stands.

    Attributes:
        place: where it is, without any secret.
        trouble: why it cannot take anything now; None where it can.
        fix: what to do about that.
    """

    place: str
    trouble: str | None = None
    fix: str = ""


def look(store: ObjectFiles | ObjectBucket) -> Answer:
    """Ask the store, changing nothing in it."""
    try:
        store.check()
    except WatchglassError as error:
        return Answer(str(store), error.message, error.fix)
    return Answer(str(store))


def look_at(root: Path) -> tuple[Settings, Answer]:
    """How the store of the deployment in ``root`` stands. The deployment may be running meanwhile.

    Raises:
        BadInput: there is no deployment, or its settings or secrets cannot be used.
    """
    layout = Layout(root)
    settings = read_settings(layout)
    return settings, look(originals(layout, settings, SecretFolder(layout.secrets)))


def keeps_versions(store: ObjectFiles | ObjectBucket) -> bool:
    """Whether what is destroyed there may stay as an old version, as far as the store tells.

    Raises:
        WatchglassError: the store is away, or does not let us write or delete.
    """
    return isinstance(store, ObjectBucket) and store.keeps_versions()
