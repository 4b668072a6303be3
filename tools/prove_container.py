"""Executes the container file by hand in a folder and runs what it would run: all but the base image is proven without a container engine.

Run ``python tools/prove_container.py [--root DIR]`` with Python 3.11. Paths of the image lie below DIR (``/opt/ivigil`` is
``DIR/opt/ivigil``). The libraries are installed from the lock files by their hashes. The service then runs with the command of the file, as
the file's user where this may be done, answers its health check, plans the same bytes as the installed command line, and ends by the file's
signal. Prints what was done with every line; ends with 1 when one fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
USER_ID = 10001
"""The user of the image, as its useradd says; a test holds the two equal."""
_STARTING = 180
_DAY = "2026-11-20"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a container file."""

    word: str
    text: str

    def words(self) -> list[str]:
        """Its words; a JSON list where it is one."""
        if self.text.lstrip().startswith("["):
            return [str(one) for one in json.loads(self.text)]
        return shlex.split(self.text)


def instructions(text: str) -> list[Instruction]:
    """The instructions of a container file: comments left out, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def for_everybody(path: Path) -> bool:
    """Whether another user may reach this path."""
    return all(one.stat().st_mode & 0o001 for one in path.resolve().parents)


def base_python() -> Path:
    """The Python that stands for that of the base image: one that the image's user may run, where there is one."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [path for path in (Path(sys.base_prefix) / "bin" / name, Path("/usr/bin") / name) if path.exists()]
    return next((path for path in found if for_everybody(path)), found[0])


class Failed(Exception):
    """An instruction did not do what it should."""


@dataclass
class Image:
    """What the instructions build, below a folder, and what was done with each."""

    root: Path
    folder: Path = Path("/")
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)
    stop: signal.Signals = signal.SIGTERM
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "LC_")) or name.lower().endswith("_proxy")}
        links = self.root / "usr" / "bin"
        links.mkdir(parents=True, exist_ok=True)
        if not (links / "python").exists():
            (links / "python").symlink_to(base_python())
        self.environment = {**kept, "HOME": str(self.root), "PATH": f"{links}:/usr/bin:/bin:/usr/sbin:/sbin"}

    def at(self, path: str) -> str:
        """A path, a command or a database URL of the image, below the root."""
        return re.sub(r"(?:(?<![\w./])|(?<=///))/(opt|var/lib|etc|build)(?=/|$|\b)", lambda found: f"{self.root}/{found[1]}", path)

    def run(self, command: str) -> None:
        """A command of the build.

        Raises:
            Failed: it did not end well.
        """
        home = self.root / self.folder.relative_to("/")
        home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["/bin/sh", "-c", self.at(command)], cwd=home, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"RUN {command}\n{(done.stdout + done.stderr)[-3000:]}")

    def apply(self, one: Instruction) -> None:
        """One instruction.

        Raises:
            Failed: it cannot be carried out.
        """
        how = getattr(self, f"_{one.word.lower()}", None)
        if how is None:
            raise Failed(f"{one.word}: not known here")
        self.done.append(f"{one.word} {one.text.split(' && ')[0][:90]}: {how(one)}")

    def _from(self, one: Instruction) -> str:
        """The base image is not fetched; its Python must be this one's version."""
        version = f"python:{sys.version_info.major}.{sys.version_info.minor}-"
        if version not in one.text:
            raise Failed(f"FROM {one.text}: this Python is another version than the image's")
        self.folder = Path("/")
        return "not proven; this machine's Python of the same version stands for it"

    def _workdir(self, one: Instruction) -> str:
        self.folder = Path(one.text)
        return "done"

    def _copy(self, one: Instruction) -> str:
        *sources, target = one.words()
        if sources[0].startswith("--from="):
            if sources[1:] != [target] or not Path(self.at(target)).exists():
                raise Failed(f"COPY {one.text}: nothing of that name was built")
            return "the same folder stands for both stages"
        home = self.root / self.folder.relative_to("/")
        for source in sources:
            found = ROOT / source
            to = home / target / found.name if target.endswith("/") else home / target
            to.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, home / target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(found, to)
        return "done"

    def _run(self, one: Instruction) -> str:
        for part in one.text.split(" && "):
            if part.split()[0] != "useradd":
                self.run(part)
            elif os.geteuid() == 0 and shutil.which("useradd"):
                self._add_user(part)
            else:
                (self.root / "var" / "lib" / "ivigil").mkdir(parents=True, exist_ok=True)
                return "all but useradd, which needs root"
        return "done"

    def _add_user(self, command: str) -> None:
        """Add the user to a passwd file below the root, not to that of this machine."""
        etc = self.root / "etc"
        etc.mkdir(exist_ok=True)
        for name in ("passwd", "group", "shadow", "gshadow"):
            (etc / name).touch()
        (self.root / "var" / "lib").mkdir(parents=True, exist_ok=True)
        words = shlex.split(command)
        done = subprocess.run([words[0], "--prefix", str(self.root), *words[1:]], capture_output=True, text=True, check=False)
        if done.returncode or f"ivigil:x:{USER_ID}:" not in (etc / "passwd").read_text(encoding="utf-8"):
            raise Failed(f"RUN {command}\n{done.stderr}")

    def _env(self, one: Instruction) -> str:
        for pair in one.words():
            name, _, value = pair.partition("=")
            self.environment[name] = self.at(value.replace("$PATH", self.environment["PATH"]))
        return "done"

    def _user(self, one: Instruction) -> str:
        return "the service runs as this user's number where that may be done"

    def _volume(self, one: Instruction) -> str:
        if not Path(self.at(one.text)).is_dir():
            raise Failed(f"VOLUME {one.text}: not made by the build")
        return "the database lies there"

    def _expose(self, one: Instruction) -> str:
        return "the service listens there in the image; on a free port here"

    def _stopsignal(self, one: Instruction) -> str:
        self.stop = signal.Signals[one.text]
        return "ends the service"

    def _cmd(self, one: Instruction) -> str:
        self.command = one.words()
        return "run"

    def _healthcheck(self, one: Instruction) -> str:
        self.check = Instruction("CMD", one.text.partition("CMD ")[2]).words()
        return "asked while the service is down, while it runs, and after its end"


def built(root: Path, text: str) -> Image:
    """The image below ``root``.

    Raises:
        Failed: an instruction cannot be carried out.
    """
    image = Image(root)
    for one in instructions(text):
        image.apply(one)
    return image


def write_settings(image: Image, port: int) -> None:
    """What docs/service.md asks of a hospital: settings, a site profile, a certificate with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    etc = Path(image.at("/etc/ivigil"))
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "settings.yaml").write_text(f"mode: sign-in\npublic_url: https://127.0.0.1:{port}\n", encoding="utf-8")
    (etc / "site.yaml").write_text("jurisdiction: US\n", encoding="utf-8")
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    (etc / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (etc / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def run_as_told(image: Image) -> Iterator[str]:
    """Start, ask and end the service by the words of the container file; says what was proven.

    Raises:
        Failed: it does not start, answer, or end.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    write_settings(image, port)
    home = Path(image.at("/var/lib/ivigil"))
    other = os.geteuid() == 0 and for_everybody(base_python()) and for_everybody(image.root / "opt")
    who = {"user": USER_ID, "group": USER_ID, "extra_groups": []} if other else {}
    if who:
        for path in (home, *home.rglob("*"), *Path(image.at("/etc/ivigil")).iterdir()):
            os.chown(path, USER_ID, USER_ID)
    environment = {name: value for name, value in image.environment.items() if not name.startswith("PIP_")} | {"HOME": str(home)}

    def done(words: list[str]) -> subprocess.CompletedProcess[str]:
        words = [re.sub(r"\b8443\b", str(port), image.at(word)) for word in words]
        return subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=300, **who)  # type: ignore[call-overload,no-any-return]

    database = image.command[image.command.index("--database") + 1]
    (home / "password").write_text("correct horse battery staple\n", encoding="utf-8")
    (home / "password").chmod(0o644)
    added = done(["ivigil", "users", "add", "anna", "--role", "prescriber", "--database", database, "--password-from", str(home / "password")])
    if added.returncode:
        raise Failed(f"users add: {added.stdout}{added.stderr}")
    token = done(["ivigil", "users", "token", "anna", "--label", "proof", "--days", "1", "--database", database]).stdout.split()[-1]
    if done(image.check).returncode == 0:
        raise Failed("the health check says yes before the service runs")
    command = [re.sub(r"\b8443\b", str(port), image.at(word)) for word in image.command]
    with (image.root / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log, **who)  # type: ignore[call-overload]
    try:
        until = time.monotonic() + _STARTING
        while done(image.check).returncode:
            if process.poll() is not None or time.monotonic() > until:
                raise Failed(f"the service does not get healthy:\n{(image.root / 'log').read_text(encoding='utf-8')[-3000:]}")
            time.sleep(0.5)
        yield f"the command of the file serves https{' as user ' + str(USER_ID) if who else ''}, and the health check says yes"
        record = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()
        context = ssl.create_default_context(cafile=image.at("/etc/ivigil/certificate.pem"))
        context.check_hostname = False
        asked = urllib.request.Request(f"https://127.0.0.1:{port}/api/v1/plan?jurisdiction=US&as_of={_DAY}", record, {"authorization": f"Bearer {token}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(asked, timeout=120) as answer:
            planned = answer.read()
        (home / "record.yaml").write_bytes(record)
        (home / "record.yaml").chmod(0o644)
        printed = done(["ivigil", "plan", "record.yaml", "--jurisdiction", "US", "--as-of", _DAY, "--format", "json"]).stdout.encode()
        if planned != printed:
            raise Failed("the plan over https is another than that of the installed command line")
        yield f"a plan over https is that of the installed command line, byte for byte ({len(planned)} bytes)"
    finally:
        process.send_signal(image.stop)
        code = process.wait(60)
    if code:
        raise Failed(f"{image.stop.name} ends it with {code}")
    if done(image.check).returncode == 0:
        raise Failed("the health check says yes after the end")
    yield f"{image.stop.name} ends it in good order, and the health check says no"


def main() -> int:
    """Build, run, and say what was proven."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--root", default="", help="an empty folder to build in; default: a temporary one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ivigil-image-") as folder:
        root = Path(asked.root or folder)
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
        try:
            image = built(root, CONTAINERFILE.read_text(encoding="utf-8"))
            print("\n".join(image.done), flush=True)
            for proven in run_as_told(image):
                print(f"proven: {proven}")
        except Failed as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
