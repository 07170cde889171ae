"""PostgreSQL, ready for logical replication, on TCP only and without a password."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from greylag.errors import ResourceError
from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import Address, Site

_POSTGRESQL = Package(
    name="postgresql", registry=Registry.DEBIAN, brings="PostgreSQL", licence="PostgreSQL (BSD-like)"
)


class Postgres:
    """PostgreSQL from PATH, else the newest one in Debian's own place."""

    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients

    def missing(self) -> tuple[Package, ...]:
        """The whole server: initdb, postgres and pg_isready."""
        return () if _programs() else (_POSTGRESQL,)

    def start(self, site: Site) -> Address:
        """Makes a cluster and returns when it takes connections."""
        programs = _programs()
        if programs is None:
            raise ResourceError(
                "PostgreSQL is not installed.", advice="Install it: greylag lab install postgres"
            )
        [port] = free_ports(1)
        user, data = _place(site)
        command = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync"]
        made = subprocess.run(
            [*command, "-E", "UTF8", "--locale=C.UTF-8"],
            user=user, group=user, extra_groups=None if user is None else [],
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise ResourceError(f"initdb failed: {made.stderr.strip()[:500]}")
        settings = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "wal_level": "logical",
            "max_replication_slots": "20",
            "max_wal_senders": "20",
            # The data is deleted when the server ends: there is nothing to survive a power cut.
            "fsync": "off",
        }
        arguments = [str(programs / "postgres"), "-D", str(data)]
        arguments += [f"--{key}={value}" for key, value in settings.items()]
        site.launch("postgres", arguments, port=port, user=user, folder=Path("/"))
        asks = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        site.wait_until(lambda: subprocess.run(asks, check=False).returncode == 0)
        return Address({"POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{port}/postgres"})


def _programs() -> Path | None:
    # What stands on PATH may be links, and not to every program: the folder behind them has them all.
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    folders += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    needed = ("initdb", "postgres", "pg_isready")
    return next((path for path in folders if all((path / name).exists() for name in needed)), None)


def _place(site: Site) -> tuple[str | None, Path]:
    """Whom PostgreSQL runs as, and where its data goes."""
    if os.geteuid() != 0:
        return None, site.folder / "data"
    # PostgreSQL refuses to run as root. The user it runs as instead may not be able to reach this project's
    # folder.
    user = "postgres"
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise ResourceError(
            "PostgreSQL does not run as root, and there is no user `postgres` to run it as.",
            advice="Run `greylag lab up` as another user, or create that one.",
        ) from None
    folder = Path(tempfile.mkdtemp(prefix="greylag-postgres-"))
    site.remember_folder(folder)
    shutil.chown(folder, user)
    return user, folder / "data"
