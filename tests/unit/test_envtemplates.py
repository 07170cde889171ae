"""`greylag env`: two templates a service, no secret in them, nothing written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values
from pymongo.uri_parser import parse_uri
from ruamel.yaml import YAML

from greylag.config import load
from greylag.core.findings import Severity
from greylag.errors import ConfigurationError
from greylag.operations.assess.documentdb.code.scan import of_text
from greylag.operations.assess.documentdb.release import Release
from greylag.operations.envtemplates import EnvTemplates, Written, write_templates

QUIZ = Path(__file__).parents[2] / "examples" / "quiz"
SECRETS = dict.fromkeys(("MONGODB_URI", "DOCUMENTDB_URI"), "mongodb://app:hunter2@db.example.com/")


def written(folder: Path, *services: str, release: Release, variable: str = "MONGODB_URI") -> Written:
    project = load(QUIZ / "greylag.yaml", environ=SECRETS)
    return write_templates(project, EnvTemplates(services, folder, variable, release))


@pytest.mark.parametrize(
    "release",
    [Release("5.0"), Release("8.0"), Release("5.0", "elastic"), Release("8.0", "serverless")],
    ids=str,
)
def test_every_service_gets_both(tmp_path: Path, release: Release) -> None:
    done = written(tmp_path, release=release)
    names = {Path(each).name for each in done.written}
    assert names == {
        f"{service}.{environment}.env.example"
        for service in ("users", "content", "quiz")
        for environment in ("development", "production")
    }
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "hunter2" not in text
        assert "db.example.com" not in text
        values = dotenv_values(file, interpolate=False)
        service = file.name.partition(".")[0]
        address = values["MONGODB_URI"] or ""
        for name in ("DOCUMENTDB_USER", "DOCUMENTDB_PASSWORD"):
            address = address.replace(f"${{{name}}}", "filled")
        address = address.replace("${DOCUMENTDB_HOST}", "q.cluster-x.eu-west-1.docdb.amazonaws.com")
        parsed = parse_uri(address, validate=False)
        assert parsed["database"] == service
        if "production" in file.name:
            assert not values["DOCUMENTDB_PASSWORD"]
            assert parsed["options"]["tls"] == "true"
            assert ("replicaset" in {each.lower() for each in parsed["options"]}) != release.elastic
            assert (parsed["options"].get("retryWrites") == "false") == (release.version != "8.0")
            told = list(of_text(f"MONGODB_URI={address}", ".env", release))
            assert [each for each in told if each.severity > Severity.NOTE] == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "quiz.production.env.example"
    mine.write_text("mine", encoding="utf-8")
    done = written(tmp_path, "quiz", release=Release("5.0"), variable="MONGO")
    assert done.kept == (str(mine),)
    assert done.written == (str(tmp_path / "quiz.development.env.example"),)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert "\nMONGO=mongodb://" in (tmp_path / "quiz.development.env.example").read_text(encoding="utf-8")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no service 'quizz'") as raised:
        written(tmp_path, "quizz", release=Release("5.0"))
    assert "did you mean" in raised.value.message
    with pytest.raises(ConfigurationError, match="cannot be the name of a variable"):
        written(tmp_path, release=Release("5.0"), variable="A=B")
    forum = load(QUIZ.parent / "forum" / "greylag.yaml", environ={})
    with pytest.raises(ConfigurationError, match="no service has no flow from MongoDB"):
        write_templates(forum, EnvTemplates((), tmp_path, "A", Release("5.0")))
    with pytest.raises(ConfigurationError, match="users has no flow from MongoDB"):
        write_templates(forum, EnvTemplates(("users",), tmp_path, "A", Release("5.0")))
    assert list(tmp_path.iterdir()) == []


def test_compose_files_belong_to_the_project() -> None:
    project = load(QUIZ / "greylag.yaml", environ=SECRETS)
    for name in ("docker-compose.dev.yml", "docker-compose.prod.yml"):
        services = YAML(typ="safe").load((QUIZ / name).read_text(encoding="utf-8"))["services"]
        assert set(project.services) <= set(services)
        for service in project.services:
            [program] = services[service]["command"]
            assert (QUIZ / "services" / Path(program).name).is_file()
            if "prod" in name:
                assert services[service]["env_file"] == [f"env/{service}.production.env"]
            else:
                address = parse_uri(services[service]["environment"]["MONGODB_URI"])
                assert address["database"] == service
    assert "mongo" not in services
