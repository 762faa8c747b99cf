"""Only what the charter names ran: its analytics, sources, models and purposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.oversight.charters import Known
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.records.act_spec import Need
from watchglass.records.vocabulary import ACTS

_PURPOSES: Final = frozenset(name for name, spec in ACTS.items() if spec.purpose is Need.ALWAYS)
_ENDS: Final = frozenset({"drill_scored", "source_recovered"})
"""What ends something that began under an earlier charter, which may have had another source."""
_SOURCES: Final = frozenset(name for name, spec in ACTS.items() if {"source", "sources"} & spec.clear.keys()) - _ENDS
_SEALING: Final = frozenset(
    {"segment_sealed", "sealing_key_published", "release_requested", "glass_broken", "hold_ordered"}
)


class Allowed(Promise):
    name = "allowed"
    title = "Only the analytics, sources, models and purposes of the charter ran, and only what it lets be kept was."
    acts = _PURPOSES | _SOURCES | _SEALING

    def see(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        if known is None:
            return
        self.checked += 1
        wrong = self._wrong(entry, known)
        if wrong:
            self.breach(f"{wrong}; it names version {known.version}", OPERATOR, world, entry, known.index)

    def _wrong(self, entry: Entry, known: Known) -> str:  # noqa: PLR0911  (a case for each thing that can be wrong)
        act, clear = entry.act, entry.clear
        if entry.purpose is not None and entry.purpose not in known.purposes:
            return f"('{act}') was for the purpose '{entry.purpose}', which the charter does not have"
        if act == "alert_raised":
            return self._alert(entry, known)
        if act == "segment_sealed" and not known.sealing:
            return "keeps original video, and the charter keeps none"
        if act == "segment_sealed" and entry.purpose not in known.recorded_for:
            return f"keeps original video for '{entry.purpose}', for which the charter records nothing"
        if act in _SEALING and not known.sealing:
            return f"('{act}') is about original video, and the charter keeps none"
        sources = clear.get("sources", [clear["source"]] if "source" in clear else [])
        strange = [source for source in sources if source not in known.sources]
        if strange:
            return f"('{act}') is about the source '{strange[0]}', which the charter does not have"
        if act == "heartbeat":
            return self._beat(clear, known)
        return self._models(clear["models"], known) if act == "run_started" else ""

    def _alert(self, entry: Entry, known: Known) -> str:
        name = entry.clear["analytic"]
        analytic = known.analytics.get(name)
        if analytic is None:
            return f"is an alert of '{name}', which is no analytic of the charter"
        if entry.clear["kind"] != analytic.kind:
            kind = entry.clear["kind"]
            return f"is an alert of '{name}' about '{kind}', and the charter lets it notice '{analytic.kind}'"
        if entry.purpose != analytic.purpose:
            return f"is an alert of '{name}' for '{entry.purpose}', and the charter has it for '{analytic.purpose}'"
        return ""

    def _beat(self, clear: Mapping[str, object], known: Known) -> str:
        running = clear["running"]
        assert isinstance(running, list)
        for name in running:
            analytic = known.analytics.get(name)
            if analytic is None or analytic.source != clear["source"]:
                return f"says that '{name}' ran on '{clear['source']}', which the charter does not let it"
        models = clear["models"]
        assert isinstance(models, dict)
        return self._models(models, known)

    def _models(self, models: Mapping[str, str], known: Known) -> str:
        for name, digest in models.items():
            if known.models.get(name) != digest:
                return f"says that the model '{name}' was used with other weights than the charter's, or without it"
        return ""

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'entry', 'entries')} that name an analytic, a source, a model or a purpose were "
            "compared with the charter that they name. That a named model is what ran is the operator's word."
        )
