"""One file for each kind of incident. ``KINDS_OF_INCIDENT`` maps the charter's kind names to them.

An analytic sees tracks, zones and what perception found about the camera; never a pixel. It is told only those moments
at which the charter lets it run: hours, suspension and expiry are decided in the house, and the lease says the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.camera_fault import CameraFault
from watchglass.perception.analytics.crowd_density import CrowdDensity
from watchglass.perception.analytics.crowd_surge import CrowdSurge
from watchglass.perception.analytics.fall import Fall
from watchglass.perception.analytics.intrusion import Intrusion
from watchglass.perception.analytics.person_down import PersonDown
from watchglass.perception.analytics.rule import Analytic, Finding, Scene
from watchglass.perception.analytics.stopped_vehicle import StoppedVehicle
from watchglass.perception.analytics.unattended_object import UnattendedObject
from watchglass.perception.analytics.vehicle_in_pedestrian_area import VehicleInPedestrianArea
from watchglass.perception.analytics.wrong_way import WrongWay
from watchglass.perception.messages import AnalyticSpec

KINDS_OF_INCIDENT: Final[Mapping[str, Callable[[AnalyticSpec], Analytic]]] = {
    "intrusion": Intrusion,
    "wrong_way": WrongWay,
    "vehicle_in_pedestrian_area": VehicleInPedestrianArea,
    "stopped_vehicle": StoppedVehicle,
    "crowd_density": CrowdDensity,
    "crowd_surge": CrowdSurge,
    "unattended_object": UnattendedObject,
    "fall": Fall,
    "person_down": PersonDown,
    "camera_fault": CameraFault,
}


def build(spec: AnalyticSpec) -> Analytic:
    """The analytic behind a charter's rule.

    Raises:
        BadInput: there is no such kind, or its settings cannot be used.
    """
    if spec.kind not in KINDS_OF_INCIDENT:
        known = ", ".join(KINDS_OF_INCIDENT)
        raise BadInput(f"There is no analytic of kind {spec.kind!r}.", fix=f"Use one of: {known}.")
    return KINDS_OF_INCIDENT[spec.kind](spec)


__all__ = ["KINDS_OF_INCIDENT", "Analytic", "Finding", "Scene", "build"]
