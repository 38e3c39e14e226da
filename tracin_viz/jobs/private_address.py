"""Where the query process of a workspace can be reached, known to this user only.

A folder of mode 0700 in the system's folder for temporary files holds a socket and ``contact.json`` of
mode 0600 with a random key. Its path is short because socket paths end at about 100 bytes. Whoever wants
to talk proves that they know the key without sending it, and so does the process that answers.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import tracin_viz
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.jobs.messages import Wire
from tracin_viz.portable import WINDOWS, process_token

_SOCKET_LIMIT = 100
_PROOF = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Address:
    """The fixed place of one workspace's query process.

    Attributes:
        folder: Private folder of its socket and contact file.
        home: Fingerprint of the workspace's path.
        log: File of its output.
    """

    folder: Path
    home: str
    log: Path

    @property
    def contact_file(self) -> Path:
        """File that tells how to reach the process that answers now."""
        return self.folder / "contact.json"


@dataclass(frozen=True)
class Contact:
    """How to reach a process that answers now.

    Attributes:
        location: Path of its socket, or name of its pipe.
        key: Hexadecimal secret of 32 bytes.
        pid: Its number.
        pid_token: Tells it from a later process with that number.
        version: Version of its code.
        home: Fingerprint of its workspace's path.
    """

    location: str
    key: str
    pid: int
    pid_token: str
    version: str
    home: str


def address_of(home: Home) -> Address:
    """The address of the query process of workspace ``home``; nothing is made on disk."""
    mark = fingerprint(str(home.root))
    user = str(os.getuid()) if hasattr(os, "getuid") else fingerprint(getpass.getuser())[:8]
    name = f"tracin-viz-{user}-{mark[:12]}"
    folder = Path(tempfile.gettempdir()) / name
    if not WINDOWS and len(os.fsencode(folder / "12345678.sock")) > _SOCKET_LIMIT:
        folder = Path("/tmp") / name  # the one short folder that every POSIX system has
    return Address(folder, mark, home.runtime / "logs" / "query_server.log")


def make_private(address: Address) -> None:
    """Make the folder of ``address`` and insist that only this user can enter it.

    Raises:
        JobError: Something else is in its place, or it belongs to somebody else.
    """
    folder = address.folder
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise JobError(
            f"{folder} cannot be made ({error}).", remedy="Remove what is in its place."
        ) from error
    if WINDOWS:  # its folder for temporary files is the user's own
        return
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise JobError(
            f"{folder} belongs to somebody else, so this workspace's query process cannot use it.",
            remedy="Remove it, or set TMPDIR to a folder of your own.",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)


def new_contact(address: Address) -> Contact:
    """A fresh location and key for this process; nothing is published yet."""
    name = secrets.token_hex(4)
    location = rf"\\.\pipe\tracin-viz-{secrets.token_hex(16)}" if WINDOWS else f"{address.folder / name}.sock"
    pid = os.getpid()
    return Contact(
        location=location,
        key=secrets.token_hex(32),
        pid=pid,
        pid_token=process_token(pid) or "",
        version=tracin_viz.__version__,
        home=address.home,
    )


def publish(address: Address, contact: Contact) -> None:
    """Make ``contact`` the one that callers find; the sockets of predecessors are removed."""
    draft = address.folder / f"{secrets.token_hex(4)}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(contact), stream)
    draft.replace(address.contact_file)
    for old in address.folder.glob("*.sock"):
        if str(old) != contact.location:
            old.unlink(missing_ok=True)


def read_contact(address: Address) -> Contact | None:
    """The contact that was published; ``None`` if there is none, or nobody but its owner could trust it."""
    try:
        status = address.contact_file.lstat()
        if not WINDOWS and (status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077):
            return None
        contact = Contact(**json.loads(address.contact_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return contact if contact.home == address.home else None


def withdraw(address: Address, contact: Contact) -> None:
    """Remove ``contact`` and its socket; a successor's files stay."""
    if read_contact(address) == contact:
        address.contact_file.unlink(missing_ok=True)
    if not WINDOWS:
        Path(contact.location).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty: somebody else uses it
        address.folder.rmdir()


def prove_as_server(wire: Wire, key: str, timeout: float) -> bool:
    """Let a caller prove that it knows the key, then prove the same to it; False if it could not."""
    question = secrets.token_bytes(32)
    wire.send_bytes(question)
    if not wire.poll(timeout):
        return False
    answer = wire.recv_bytes(_PROOF + 32)
    proof, counter_question = answer[:_PROOF], answer[_PROOF:]
    if len(counter_question) != 32 or not hmac.compare_digest(proof, _proof(key, b"caller", question)):
        return False
    wire.send_bytes(_proof(key, b"server", counter_question))
    return True


def prove_as_caller(wire: Wire, key: str, timeout: float) -> bool:
    """Prove to a server that this process knows the key, and let it prove the same; False if it could not."""
    if not wire.poll(timeout):
        return False
    counter_question = secrets.token_bytes(32)
    wire.send_bytes(_proof(key, b"caller", wire.recv_bytes(32)) + counter_question)
    if not wire.poll(timeout):
        return False
    return hmac.compare_digest(wire.recv_bytes(_PROOF), _proof(key, b"server", counter_question))


def _proof(key: str, role: bytes, question: bytes) -> bytes:
    # The role keeps a question from being reflected to the side that asked it.
    digest: Callable[[], hashlib._Hash] = hashlib.sha256
    return hmac.new(bytes.fromhex(key), role + question, digest).digest()
