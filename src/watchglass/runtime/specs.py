"""From what the charter says to what a worker is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import (
    Analytic,
    Charter,
    FileSource,
    MjpegSource,
    PlugIn,
    RtspSource,
    Source,
    WebcamSource,
)
from watchglass.charter.permit import LookAt, RunAnalytic
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, Refused
from watchglass.core.geometry import Polygon
from watchglass.core.time import DAY, SECOND
from watchglass.perception.messages import (
    DRAWN_OF,
    AnalyticSpec,
    HeartbeatSpec,
    Lease,
    SamplesSpec,
    SealingSpec,
    SourceSpec,
    ZoneSpec,
)


def no_secrets(name: str) -> str:
    """Where there are none, nothing asks for one.

    Raises:
        BadInput: always.
    """
    raise BadInput(f"There are no secrets here, so no “{name}”.", fix="Give a source whose address is no secret.")


def specs_of(
    charter: Charter,
    media: Path,
    backdrops: Callable[[str], tuple[tuple[str, bytes], ...]],
    *,
    realtime: bool,
    start_ms: int,
    secret: Callable[[str], str] = no_secrets,
    models: Path | None = None,
    sealing: Callable[[Source], SealingSpec | None] = lambda _: None,
    heartbeat: Callable[[Source], HeartbeatSpec | None] = lambda _: None,
) -> tuple[SourceSpec, ...]:
    """What each source of the charter needs.

    Args:
        media: where file sources lie.
        backdrops: the confirmed backdrops of a source: (scene, PNG) of each view.
        realtime: play by the clock; otherwise as fast as it goes, once, with time counted from ``start_ms``.
        secret: the secret of a name (``SecretFolder.get``). Addresses with passwords in them are secrets.
        models: where models lie that do not ship with the software.
        sealing: how original video of a source is kept (``sealing_of``); by default it is not.
        heartbeat: how heartbeats of a source are signed (``heartbeat_of``); by default there are none.

    Raises:
        BadInput: a file lies outside the media folder, or a secret is missing.
    """
    weights = {source.name: _weights(charter, source, models) for source in charter.sources}
    return tuple(
        SourceSpec(
            name=source.name,
            uri=_looked_at(media, source, secret),
            kind=source.kind,
            analytics=tuple(_analytic(charter, source, analytic) for analytic in charter.analytics_of(source.name)),
            weights=weights[source.name][0],
            weights_sha256=weights[source.name][1],
            record_uri=_recorded(source, secret),
            transport=source.transport if isinstance(source, RtspSource) else "tcp",
            hardware=isinstance(source, RtspSource) and source.hardware,
            loop=isinstance(source, FileSource) and source.loop and realtime,
            realtime=realtime,
            start_ms=start_ms,
            gate=source.gate,
            never_see=tuple(_corners(polygon) for polygon in source.never_see),
            never_show=tuple(_corners(polygon) for polygon in source.never_show),
            size=(source.picture.width, source.picture.height) if source.picture else None,
            width_m=source.view.width_m if source.view else None,
            plane=tuple((*point.at, *point.m) for point in source.view.plane) if source.view else (),
            overhead=source.view is not None and source.view.overhead,
            backdrops=backdrops(source.name),
            grid_m=charter.safeguards.public_view.grid_m,
            sealing=sealing(source),
            heartbeat=heartbeat(source),
            samples=samples_of(charter),
        )
        for source in charter.sources
    )


def sealing_of(charter: Charter, source: Source, *, origin: str, statements: tuple[bytes, ...]) -> SealingSpec | None:
    """How original video of a source is kept; None where the charter does not record it.

    Args:
        origin: the deployment's log. statements: the custodians' signed statements of their keys of the month.
    """
    safeguards = charter.safeguards
    record, release, keep_ms = safeguards.record, safeguards.release, safeguards.retention.sealed_ms
    analytics = charter.analytics_of(source.name)
    if record is None or release is None or keep_ms is None or not analytics:
        return None
    if record.sources and source.name not in record.sources:
        return None
    glass = release.break_glass
    return SealingSpec(
        origin=origin,
        charter=charter.sha256,
        always=record.when == "always",
        before_ms=record.before_ms,
        after_ms=record.after_ms,
        segment_ms=record.segment_ms,
        keep_ms=keep_ms,
        k=release.k,
        one_of=release.one_of,
        custodians=tuple((custodian.name, custodian.key) for custodian in safeguards.custodians),
        statements=statements,
        break_glass=unb64(glass.key, length=32) if glass else None,
        purposes=tuple((analytic.name, analytic.purpose) for analytic in analytics),
        purpose=charter.kept_for(source.name),
    )


def samples_of(charter: Charter) -> SamplesSpec | None:
    """How much of what was not alerted is looked at; None where the charter does not ask for it."""
    samples = charter.safeguards.samples
    if samples is None:
        return None
    per_mille = DRAWN_OF // 1000
    quiet = samples.quiet_a_day * DRAWN_OF * SECOND // DAY
    return SamplesSpec(samples.near_misses * per_mille, samples.very_near * per_mille, quiet)


def heartbeat_of(charter: Charter, source: Source, *, origin: str) -> HeartbeatSpec | None:
    """How heartbeats of a source are signed; None where the charter asks for none."""
    every_ms = charter.ledger.heartbeat_every_ms
    if every_ms is None:
        return None
    named = {analytic.model for analytic in charter.analytics_of(source.name) if analytic.model is not None}
    return HeartbeatSpec(origin, charter.sha256, every_ms // SECOND, tuple(sorted(named)))


def weights_in(models: Path, name: str) -> Path:
    """The file of a model that does not ship with the software."""
    return models / f"{name}.onnx"


def _weights(charter: Charter, source: Source, models: Path | None) -> tuple[str | None, str]:
    """The file and the hash of the weights that look at a source; no file where they are the shipped ones."""
    named = {analytic.model for analytic in charter.analytics_of(source.name) if analytic.model is not None}
    for name in named:
        if models is not None and weights_in(models, name).is_file():
            return str(weights_in(models, name)), charter.model(name).digest.removeprefix("sha256:")
    return None, ""


def lease_of(standing: Standing, now_ms: int) -> Lease:
    """What may run at ``now_ms``, and until when: the charter is asked for every source and every analytic."""
    charter = standing.charter
    if charter is None:
        return Lease("", frozenset(), frozenset(), now_ms)
    running, look, ends = set(), set(), []
    for analytic in charter.analytics:
        try:
            permit = decide(standing, RunAnalytic(analytic.source, analytic.name), now_ms)
        except Refused:
            continue
        running.add((analytic.source, analytic.name))
        ends.append(permit.until_ms)
    for source in charter.sources:
        try:
            permit = decide(standing, LookAt(source.name), now_ms)
        except Refused:
            continue
        look.add(source.name)
        ends.append(permit.until_ms)
    return Lease(charter.digest, frozenset(running), frozenset(look), min(ends, default=now_ms))


def _analytic(charter: Charter, source: Source, analytic: Analytic) -> AnalyticSpec:
    zone = None
    if analytic.zone is not None:
        found = source.zone(analytic.zone)
        zone = ZoneSpec(found.name, found.points, found.area_m2, line=found.line is not None)
    settings = dict(analytic.settings)
    if isinstance(analytic, PlugIn):
        settings["sha256"] = charter.plug_in(analytic.plug_in).digest.removeprefix("sha256:")
    return AnalyticSpec(analytic.name, analytic.kind, zone, settings)


def _corners(polygon: Polygon) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in polygon.corners)


def _looked_at(media: Path, source: Source, secret: Callable[[str], str]) -> str:
    match source:
        case FileSource():
            return str(_inside(media, source))
        case RtspSource():
            plain, name = source.detect_url or source.url, source.detect_url_secret or source.url_secret
        case MjpegSource():
            plain, name = source.url, source.url_secret
        case WebcamSource():
            return source.device
    return plain if plain is not None else secret(name or "")


def _recorded(source: Source, secret: Callable[[str], str]) -> str | None:
    """The stream that clips are cut from, where that is another one."""
    if not isinstance(source, RtspSource):
        return None
    return source.record_url or (secret(source.record_url_secret) if source.record_url_secret else None)


def _inside(media: Path, source: FileSource) -> Path:
    path = (media / source.path).resolve()
    if not path.is_relative_to(media.resolve()):
        raise BadInput(
            f"The source {source.name} points outside the media folder.",
            fix=f"Put the file into {media} and write its name only.",
        )
    return path
