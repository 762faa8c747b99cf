"""The only wiring: plain constructors, and the few edge functions that web and cli may use."""

from watchglass.bootstrap import (
    approving,
    archived,
    archiving,
    custody,
    exporting,
    holding,
    lodging,
    offline,
    orders,
    overseeing,
    rostering,
    seeking,
)
from watchglass.bootstrap.house import House, look_once, picture_size
from watchglass.bootstrap.keyring import Keyring
from watchglass.bootstrap.office import Office
from watchglass.bootstrap.signers import connect, make_deployment, new_key, open_bundle, sign_statement
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.entropy import SeededEntropy, SystemEntropy
from watchglass.edge.inference import MODEL, shipped
from watchglass.edge.joining import join as join_video
from watchglass.edge.keys import read_openings_key, read_signing_key
from watchglass.edge.plugins.host import enforceable as plug_ins_refused
from watchglass.edge.plugins.installed import installed as installed_plug_ins
from watchglass.edge.secrets import SecretFolder
from watchglass.edge.tiles import open_tiles, open_whole
from watchglass.edge.trust import keeping_evidence, load_trust, remember
from watchglass.edge.witness import evidence_in, new_witness, open_witness
from watchglass.edge.witness_client import LocalWitness
from watchglass.runtime.layout import Layout, deployment_of, parse_listen

__all__ = [
    "MODEL",
    "House",
    "Keyring",
    "Layout",
    "LocalWitness",
    "Office",
    "SecretFolder",
    "SeededEntropy",
    "SystemClock",
    "SystemEntropy",
    "VirtualClock",
    "approving",
    "archived",
    "archiving",
    "connect",
    "custody",
    "deployment_of",
    "evidence_in",
    "exporting",
    "holding",
    "installed_plug_ins",
    "join_video",
    "keeping_evidence",
    "load_trust",
    "lodging",
    "look_once",
    "make_deployment",
    "new_key",
    "new_witness",
    "offline",
    "open_bundle",
    "open_tiles",
    "open_whole",
    "open_witness",
    "orders",
    "overseeing",
    "parse_listen",
    "picture_size",
    "plug_ins_refused",
    "read_openings_key",
    "read_signing_key",
    "remember",
    "rostering",
    "seeking",
    "shipped",
    "sign_statement",
]
