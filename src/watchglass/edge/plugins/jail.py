"""The inside of the sandbox: a script of its own, run by a bare Python, that never imports the rest of the house.

It opens its two pipes, imports the few modules that a rule may use, and asks Linux (seccomp) to refuse every system
call except reading from the one pipe, writing to the other, memory, time and leaving. It then *tries* to open a file, a
socket and a process: only when all three are refused does it take the plug-in's source from the pipe and run it. It
says what happened in lines of JSON. See ``host.py`` for the other end.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MAY_IMPORT = (
    "__future__", "abc", "bisect", "collections", "collections.abc", "copy", "dataclasses", "enum", "functools",
    "heapq", "itertools", "json", "math", "numbers", "operator", "random", "re", "statistics", "string", "types",
    "typing",
)  # fmt: skip
"""What a plug-in may import, besides its own modules."""

_LONGEST_LINE = 4 * 1024 * 1024
_MEMORY = 512 * 1024 * 1024
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_AT, _THIRD_AT = 0, 4, 16, 32
_EXECUTABLE = 4

# By machine: AUDIT_ARCH, then the numbers of system calls (linux/audit.h; the kernel's tables of each machine).
_FREE = ("close", "fstat", "munmap", "brk", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "mremap", "madvise",
         "exit", "exit_group", "sigaltstack", "futex", "clock_gettime", "getrandom", "getpid", "gettid",
         "restart_syscall")  # fmt: skip
_TABLES = {
    "x86_64": (0xC000003E, {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "mremap": 25, "madvise": 28, "getpid": 39,
        "exit": 60, "sigaltstack": 131, "gettid": 186, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
        "exit_group": 231, "getrandom": 318,
    }),
    "aarch64": (0xC00000B7, {
        "close": 57, "read": 63, "write": 64, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98,
        "clock_gettime": 113, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
        "mprotect": 226, "madvise": 233, "getrandom": 278,
    }),
}  # fmt: skip


class Unenforceable(Exception):
    """This operating system cannot keep a plug-in in."""


def rules(machine: str) -> bytes:
    """The filter for ``machine`` as classic BPF (linux/filter.h, struct sock_filter): 8 bytes a step.

    Raises:
        Unenforceable: the numbers of this machine's system calls are not known here.
    """
    if machine not in _TABLES:
        raise Unenforceable(f"no table of system calls for {machine}")
    arch, numbers = _TABLES[machine]

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    program = [step(_LOAD, _MACHINE_AT), step(_EQUAL, arch, 1, 0), step(_RETURN, _KILL), step(_LOAD, _NUMBER_AT)]
    for name in _FREE:
        program += [step(_EQUAL, numbers[name], 0, 1), step(_RETURN, _ALLOW)]
    for name, only in (("read", 0), ("write", 1)):
        program += [
            step(_EQUAL, numbers[name], 0, 4),
            step(_LOAD, _FIRST_AT),
            step(_EQUAL, only, 0, 1),
            step(_RETURN, _ALLOW),
            step(_RETURN, _REFUSE),
        ]
    for name in ("mmap", "mprotect"):
        program += [
            step(_EQUAL, numbers[name], 0, 4),
            step(_LOAD, _THIRD_AT),
            step(_BITS, _EXECUTABLE, 1, 0),
            step(_RETURN, _ALLOW),
            step(_RETURN, _REFUSE),
        ]
    return b"".join([*program, step(_RETURN, _REFUSE)])


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def lock() -> None:
    """Refuse from now on, for ever, all but the few calls.

    Raises:
        Unenforceable: it is no Linux, or the kernel does not take the filter.
    """
    if sys.platform != "linux":
        raise Unenforceable(f"{sys.platform} has no seccomp")
    for what, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(what, (most, most))
    steps = rules(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unenforceable("the kernel does not give up new privileges")
    program = _Program(len(steps) // 8, steps)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise Unenforceable(f"the kernel does not take the filter (error {ctypes.get_errno()})")


def prove(socket: ModuleType) -> None:
    """Try what must not be possible.

    Raises:
        Unenforceable: something of it was possible.
    """
    attempts: dict[str, Callable[[], object]] = {
        "open a file": lambda: os.open("/", os.O_RDONLY),
        "look at a folder": lambda: os.stat("/"),  # noqa: PTH116 # the call itself is what is tried
        "open a connection": socket.socket,
        "start a process": os.fork,
        "signal a process": lambda: os.kill(os.getppid(), 0),
        "write elsewhere": lambda: os.write(2, b""),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        raise Unenforceable(f"a locked process could {what}")


class _Given(MetaPathFinder, Loader):
    """Imports the plug-in's own modules from the sources that came through the pipe, and nothing else."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        package = any(name.startswith(f"{fullname}.") for name in self._sources)
        if fullname in self._sources or package:
            return ModuleSpec(fullname, self, is_package=package)
        raise ImportError(f"a plug-in may import its own modules and: {', '.join(MAY_IMPORT)}; not {fullname}")

    def create_module(self, spec: ModuleSpec) -> None:
        del spec

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        exec(compile(self._sources.get(name, ""), f"<{name}>", "exec"), module.__dict__)  # noqa: S102 # this is the place for it


def _hide() -> None:
    """Leave only what may be imported: importing anything else must fail by name, not by chance."""
    keep = {*MAY_IMPORT, "sys", "builtins", "__main__"}
    for name in list(sys.modules):
        if name not in keep and not name.startswith(("_", "encodings", "codecs", "re.", "json.", "collections.")):
            del sys.modules[name]


def main() -> None:
    """Lock, prove it, load, and answer one line for each line."""
    for name in MAY_IMPORT:
        __import__(name)
    import socket  # noqa: PLC0415 # only to prove that it is of no use

    source, sink = sys.stdin.buffer, sys.stdout.buffer

    def say(line: dict[str, object]) -> None:
        sink.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        sink.flush()

    try:
        lock()
        prove(socket)
    except Unenforceable as error:
        say({"locked": False, "why": str(error)})
        return
    say({"locked": True})
    first = json.loads(source.readline(_LONGEST_LINE))
    _hide()
    sys.meta_path[:] = [_Given(first["sources"])]
    sys.path[:] = []
    try:
        module = __import__(first["module"], fromlist=[first["class"]])
        rule = getattr(module, first["class"])(first["settings"], first["zone"])
    except BaseException as error:  # noqa: BLE001 # whatever a plug-in raises is told in one line
        say({"error": f"{type(error).__name__}: {error}"[:500]})
        return
    say({"ready": True})
    while line := source.readline(_LONGEST_LINE):
        message = json.loads(line)
        try:
            answer = rule.reset() if "reset" in message else rule.see(message["scene"])
            say({"finding": answer})
        except BaseException as error:  # noqa: BLE001 # as above
            say({"error": f"{type(error).__name__}: {error}"[:500]})
            return


if __name__ == "__main__":
    main()
