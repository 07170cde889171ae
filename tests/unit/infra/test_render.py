"""Every example renders: the same bytes each time, formatted, clean under `infra check`, with no right too many."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from greylag.config import InvalidProject
from greylag.core.findings import Severity
from greylag.errors import ConfigurationError
from greylag.infra.check import check
from greylag.infra.render.roots import _ABOUT
from greylag.infra.rendering import render_project
from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("forum", "shop", "summaries", "till")
TF = Path("infrastructure") / "terraform"


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of an example, rendered; its folder."""

    def rendered(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(
            EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".greylag", "data", "infrastructure")
        )
        (folder / ".git").mkdir()
        render_project(folder / "greylag.yaml", folder / TF)
        return folder

    return rendered


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_example_renders_clean(name: str, example: Callable[[str], Path]) -> None:
    folder = example(name)
    found = [each for each in check(folder / TF).findings if each.severity is Severity.BLOCKER]
    assert found == []
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is not None:
        done = subprocess.run(
            [program, "fmt", "-check", "-diff", "-recursive", str(folder / TF / "environments")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_same_project_gives_the_same_bytes(example: Callable[[str], Path], tmp_path: Path) -> None:
    """In other processes with other seeds for hashes, and whatever the variables of connections are."""
    folder = example("forum")
    for seed in ("1", "5"):  # sets of its images come out in another order
        again = tmp_path / seed
        shutil.copytree(folder, again, ignore=shutil.ignore_patterns("infrastructure", ".github"))
        subprocess.run(
            [sys.executable, "-c", "from greylag.cli import main; main()", "infra", "render"],
            cwd=again,
            env={**os.environ, "PYTHONHASHSEED": seed, "MONGODB_URI": "mongodb://other"},
            check=True,
            capture_output=True,
        )
        assert contents(again) == contents(folder)
    assert all(each.outcome == "unchanged" for each in render_project(folder / "greylag.yaml", folder / TF))


def test_a_second_render_changes_only_what_the_project_changed(example: Callable[[str], Path]) -> None:
    folder = example("till")
    file = folder / "greylag.yaml"
    file.write_text(file.read_text().replace("max_receives: 5", "max_receives: 4"))
    changed = [each.path for each in render_project(file, folder / TF) if each.outcome != "unchanged"]
    assert changed == [f"environments/{name}/terraform.tfvars" for name in ("dev", "prod", "staging")]


def test_a_service_that_goes_takes_its_files_along(example: Callable[[str], Path]) -> None:
    folder = example("till")
    file = folder / "greylag.yaml"
    text = (
        file.read_text()
        .replace("    queue: {fifo: true, max_receives: 5}\n", "")
        .replace(", queues: [sync]", "")
    )
    file.write_text(text.replace("          uses: {queues: [sync]}}", "          uses: {}}"))
    removed = {each.path for each in render_project(file, folder / TF) if each.outcome == "removed"}
    assert {"environments/prod/sqs.tf", "modules/queue/main.tf"} <= removed
    assert not (folder / TF / "modules" / "queue").exists()


def test_an_edit_is_kept_shown_and_answered(example: Callable[[str], Path]) -> None:
    folder = example("till")
    greylag = Command(folder)
    tfvars = folder / TF / "environments" / "prod" / "terraform.tfvars"
    edited = tfvars.read_text().replace('"db.t4g.small"', '"db.r7g.large"')
    tfvars.write_text(edited)
    done = greylag("infra", "render", "--check")
    assert "environments/prod/terraform.tfvars: yours, kept" in done.stdout
    assert '-    instance_class        = "db.r7g.large"' in done.stdout
    file = folder / "greylag.yaml"
    file.write_text(file.read_text().replace("max_storage_gb: 200", "max_storage_gb: 300"))
    told = greylag("infra", "render", expect=12)
    assert "+    max_allocated_storage = 300" in told.stdout
    assert "--force" in told.stderr
    assert tfvars.read_text() == edited
    greylag("infra", "render", "--keep", "environments/prod/terraform.tfvars")
    assert greylag.json("infra", "render", "--check")["written"] is False
    assert tfvars.read_text() == edited
    greylag("infra", "render", "--force", "environments/prod/terraform.tfvars")
    assert "max_allocated_storage = 300" in tfvars.read_text()
    assert "none of the rendered files" in greylag("infra", "render", "--force", "main.tf", expect=3).stderr


def test_check_writes_nothing(example: Callable[[str], Path]) -> None:
    folder = example("shop")
    greylag = Command(folder)
    greylag("infra", "render", "--check")
    file = folder / "greylag.yaml"
    file.write_text(file.read_text().replace("monthly_budget_usd: 150", "monthly_budget_usd: 151"))
    before = contents(folder)
    assert "to change" in greylag("infra", "render", "--check", expect=12).stdout
    assert contents(folder) == before


def test_tables_are_those_of_the_flows(example: Callable[[str], Path]) -> None:
    text = (example("forum") / TF / "environments" / "prod" / "dynamodb.tf").read_text()
    posts = text[text.index("forum-posts = {") :]
    assert 'hash_key   = "postId"' in posts
    assert 'range_key  = "threadId"' in posts
    assert re.search(r'postId\s+= "N"', posts)
    assert 'UserIndex = {\n          hash_key = "userId"' in posts
    assert text.count('"NEW_AND_OLD_IMAGES"') == 3
    assert 'module.key_tables.replica_arns["us-west-2"]' in text


def test_a_program_may_do_what_it_uses_and_nothing_else(example: Callable[[str], Path]) -> None:
    text = (example("shop") / TF / "environments" / "prod" / "iam.tf").read_text()
    assert '"*"' not in text
    assert not re.search(r'"[a-z0-9-]+:[A-Za-z]*\*"', text)
    catalogue, customers = text.split("statements_customers")
    assert "s3:PutObject" in catalogue
    assert "s3:" not in customers
    assert "secretsmanager:GetSecretValue" in customers
    assert "secretsmanager" not in catalogue
    assert 'user_arns["customers"]' in customers


def test_the_pipeline_may_make_what_is_rendered(example: Callable[[str], Path]) -> None:
    """Its roles are bound to names that begin with project and environment; tables are listed by their own."""
    folder = example("forum") / TF
    text = (folder / "bootstrap" / "tables.tf").read_text()
    assert 'prod    = ["forum-posts", "forum-threads", "forum-users"]' in text
    assert "dynamodb:CreateTableReplica" in text
    for name in ("shop", "till", "summaries"):
        root = example(name) / TF / "environments" / "prod"
        texts = [file.read_text() for file in sorted(root.glob("*.tf")) if file.name != "monitoring.tf"]
        named = re.findall(r"^ +(?:bucket_)?name +=\s(.*)$", "".join(texts), re.MULTILINE)
        assert named
        prefixed = (
            "local.name",
            '"${var.project}-${var.environment}"',
            '"${local.name}-',
            "one(aws_acm_certificate",
        )
        assert [each for each in named if not each.startswith(prefixed) and "example.com" not in each] == []


def test_no_value_of_a_variable_is_in_a_file(
    example: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALARM_EMAIL", "someone@example.org")
    monkeypatch.setenv("MONGODB_URI", "mongodb://user:hunter2@example.org")
    for text in contents(example("shop")).values():
        assert b"someone@example.org" not in text
        assert b"hunter2" not in text


def test_every_environment_has_a_state_of_its_own(example: Callable[[str], Path]) -> None:
    folder = example("summaries") / TF / "environments"
    texts = [(folder / name / "versions.tf").read_text() for name in ("dev", "staging", "prod")]
    keys = {key for text in texts for key in re.findall(r'key += "(.*)"', text)}
    assert len(keys) == 3
    # With `encrypt` and no key of its own Terraform asks S3 for AES256, past the bucket's key.
    assert not any(re.search(r"^ *encrypt +=", text, re.MULTILINE) for text in texts)
    assert 'nat                 = "instance"' in (folder / "dev" / "terraform.tfvars").read_text()
    assert 'nat                 = "gateway"' in (folder / "prod" / "terraform.tfvars").read_text()


def test_a_program_signs_in_to_its_cache_as_the_user_that_is_made(example: Callable[[str], Path]) -> None:
    """With IAM the name of a user is its whole id, which only the module knows."""
    root = example("till") / TF / "environments" / "prod"
    assert re.search(
        r'CACHE_USER += module\.cache_api\.user_names\["api"\]', (root / "lambda.tf").read_text()
    )


def test_read_replicas_are_watched(example: Callable[[str], Path]) -> None:
    folder = example("till")
    file = folder / "greylag.yaml"
    monitoring = folder / TF / "environments" / "prod" / "monitoring.tf"
    assert "replica_names" not in monitoring.read_text()
    file.write_text(file.read_text().replace("proxy: true, backup", "proxy: true, replicas: 2, backup"))
    render_project(file, folder / TF)
    assert 'in module.database_till.replica_names : "till-${suffix}"' in monitoring.read_text()
    assert re.search(r"replica +=\strue", monitoring.read_text())
    assert not [each for each in check(folder / TF).findings if each.severity is Severity.BLOCKER]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("key_types: {email: S}\n", "\n"), "nothing tells the type of email, a key of table forum-users"),
        (("infrastructure:\n  region: us-east-1\n", "x-infrastructure:\n"), "unknown key 'x-infrastructure'"),
        (
            (
                "  posts:\n    run: {",
                "    cache: valkey\n  moderation-of-threads:\n    run: {uses: {caches: [threads]}, ",
            ),
            "the user forum-staging-threads-moderation-of-thread of the cache of threads is longer than 40",
        ),
        (("project: forum", "project: a-project-whose-name-is-far-too-long"), "longer than 36 characters"),
    ],
)
def test_what_cannot_be_rendered_is_told(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    text = (EXAMPLES / "forum" / "greylag.yaml").read_text()
    assert change[0] in text
    file = tmp_path / "greylag.yaml"
    file.write_text(text.replace(*change, 1))
    with pytest.raises((InvalidProject, ConfigurationError), match=re.escape(expected)):
        render_project(file, tmp_path / TF)
    assert not (tmp_path / TF).exists()


def test_states_and_plans_are_not_committed(example: Callable[[str], Path]) -> None:
    ignored = (example("shop") / TF / ".gitignore").read_text().splitlines()
    assert {"*.tfstate", "*.tfplan", ".terraform/"} <= set(ignored)
    assert ".terraform.lock.hcl" not in ignored


def test_functions_may_be_made_of_images(tmp_path: Path) -> None:
    """In registries that the pipeline cannot give rights for: they lie outside the environments' prefix."""
    file = tmp_path / "greylag.yaml"
    file.write_text(
        "project: shop\nconnections: {old: {kind: json, path: data}}\n"
        "infrastructure: {region: eu-west-1, github: a/b}\n"
        "services:\n  jobs: {run: {image: jobs}}\n  web: {run: {kind: container, image: web}}\n"
    )
    render_project(file, tmp_path / TF)
    text = (tmp_path / TF / "bootstrap" / "ecr.tf").read_text()
    policy = text.partition('resource "aws_ecr_repository_policy" "functions"')[2]
    assert 'toset(["jobs"])' in policy
    assert "lambda.amazonaws.com" in policy
    assert not [each for each in check(tmp_path / TF).findings if each.severity is Severity.BLOCKER]
    for environment in ("dev", "staging", "prod"):  # nothing here is a store
        assert (
            "deletion_protection"
            not in (tmp_path / TF / "environments" / environment / "variables.tf").read_text()
        )


_FUNCTION = "package: x, runtime: python3.13, handler: a.b"
_API = "{routes: [GET /], domain: api.example.com}"


@pytest.mark.parametrize(
    ("infrastructure", "services", "expected"),
    [
        (
            "tags: {t: '${TOKEN}'}",
            "a: {queue: {}}",
            "greylag.yaml:3: ${TOKEN}: what is rendered is committed",
        ),
        ("", "a: {run: {kind: container, image: x/y, command: ['${TOKEN}']}}", "no variable is put in here"),
        (
            "databases: {orders-cache: {kind: postgres}}",
            "orders: {cache: valkey}",
            "output.orders_cache_host",
        ),
        ("databases: {o-1: {kind: postgres}, o_1: {kind: documentdb}}", "a: {}", "o_1: two databases"),
        ("databases: {1st: {kind: postgres}}", "a: {}", "begins with a digit"),
        ("", "a-tables: {queue: {}, assets: {bucket: %s}}" % ("b" * 60), "longer than 63 characters"),
        ("tags: {Project: x}", "a: {queue: {}}", "tag project: everything has this tag already"),
        ("tags: {Owner: x, owner: y}", "a: {queue: {}}", "owner: two tags have this name"),
        ("cidr: 10.0.0.0/8", "a: {queue: {}}", "is not the addresses of a network from /16"),
        (
            "",
            f"a: {{queue: {{}}, run: {{{_FUNCTION}, environment: [QUEUE_URL]}}}}",
            "QUEUE_URL: two variables",
        ),
        (
            "",
            f"a: {{run: {{{_FUNCTION}, secrets: [B_C]}}}}\n  a_b: {{run: {{{_FUNCTION}, secrets: [C]}}}}",
            "resource.aws_secretsmanager_secret.a_b_c: two things",
        ),
        (
            "domain: example.com",
            f"a: {{run: {{{_FUNCTION}}}, api: {_API}}}\n  b: {{run: {{{_FUNCTION}}}, api: {_API}}}",
            "dev-api.example.com: the domain of two services",
        ),
    ],
)
def test_what_an_apply_would_refuse_is_not_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, infrastructure: str, services: str, expected: str
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t")
    file = tmp_path / "greylag.yaml"
    more = f", {infrastructure}" if infrastructure else ""
    file.write_text(
        "project: shop\nconnections: {old: {kind: json, path: data}}\n"
        f"infrastructure: {{region: eu-west-1{more}}}\nservices:\n  {services}\n"
    )
    with pytest.raises((InvalidProject, ConfigurationError), match=re.escape(expected)) as raised:
        render_project(file, tmp_path / TF)
    assert "s3cr3t" not in str(raised.value)
    assert not (tmp_path / TF).exists()


def test_every_file_says_what_it_is_for(example: Callable[[str], Path]) -> None:
    files = [file for name in NAMES for file in (example(name) / TF / "environments" / "prod").glob("*.tf")]
    assert {file.name for file in files} >= set(_ABOUT) - {"documentdb.tf"}
    for file in files:
        assert file.read_text().startswith("# "), file


# The pipeline.


@pytest.fixture
def pipeline(example: Callable[[str], Path]) -> Callable[[str], Any]:
    def loaded(name: str) -> Any:
        file = example(name) / ".github" / "workflows" / "infrastructure.yml"
        return YAML(typ="safe", pure=True).load(file)

    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_goes_from_checks_to_staging_to_production(
    name: str, pipeline: Callable[[str], Any]
) -> None:
    workflow = pipeline(name)
    jobs = workflow["jobs"]
    assert set(workflow["on"]) == {"pull_request", "push", "workflow_dispatch"}
    assert {"check", "plan", "dev", "staging", "prod"} <= set(jobs)
    assert jobs["prod"]["needs"] == ["staging"]
    assert "check" in jobs["staging"]["needs"]
    for job in jobs.values():
        assert set(job.get("needs", ())) <= set(jobs)
        assert job["timeout-minutes"]
    for environment in ("dev", "staging", "prod"):
        assert jobs[environment]["environment"] == environment
    assert "pull_request" in jobs["plan"]["if"]
    assert ("packages" in jobs) == (name in ("shop", "till"))
    assert ("images" in jobs) == (name in ("forum", "summaries"))


@pytest.mark.parametrize("name", NAMES)
def test_only_jobs_that_sign_in_may_ask_for_a_token(name: str, pipeline: Callable[[str], Any]) -> None:
    workflow = pipeline(name)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        signs_in = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        wanted = {"contents": "read", "id-token": "write"} if signs_in else None
        assert job.get("permissions") == wanted


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_and_no_secret_is_in_a_command(name: str, pipeline: Callable[[str], Any]) -> None:
    steps = [step for job in pipeline(name)["jobs"].values() for step in job["steps"]]
    for step in steps:
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        assert "secrets." not in step.get("run", "")
    commands = "\n".join(step.get("run", "") for step in steps)
    for each in ("terraform fmt -check", "validate", "greylag infra check", "terraform plan", "smoke.py"):
        assert each in commands


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_the_workflow_are_given_what_they_read(name: str, pipeline: Callable[[str], Any]) -> None:
    workflow = pipeline(name)
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            given = {*workflow["env"], *job.get("env", ()), *step.get("env", ())}
            read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", step.get("run", "")))
            assert {each for each in read - given if not each.startswith(("GITHUB_", "RUNNER_"))} == set()


def test_the_workflow_stands_in_the_repository_around_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "apps" / "till"
    shutil.copytree(EXAMPLES / "till", folder)
    render_project(folder / "greylag.yaml", folder / TF)
    text = (tmp_path / ".github" / "workflows" / "infrastructure.yml").read_text()
    assert "terraform fmt -check -recursive apps/till/infrastructure/terraform" in text
    assert "greylag --file apps/till/greylag.yaml infra render --check" in text


def test_the_workflow_serves_every_environment_and_odd_folders(tmp_path: Path) -> None:
    """What one environment alone has is built and tagged for it; folders are found from greylag.yaml, and quoted."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "my apps"
    folder.mkdir()
    (folder / "greylag.yaml").write_text(
        "project: odd\nconnections: {old: {kind: json, path: data}}\n"
        "infrastructure: {region: eu-west-1, github: a/b, alarm_email: '${WHO}'}\n"
        "services:\n  jobs: {run: {package: build/$(id), runtime: python3.13, handler: a.b}}\n"
        "environments:\n  prod: {services: {extra: {run: {image: worker}}}}\n"
    )
    render_project(folder / "greylag.yaml", folder / TF)
    file = tmp_path / ".github" / "workflows" / "infrastructure.yml"
    jobs = YAML(typ="safe", pure=True).load(file)["jobs"]
    commands = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    assert (
        "package.py 'my apps/build/$(id)' 'my apps/infrastructure/terraform'/build/" in commands["packages"]
    )
    assert "make -C 'my apps' packages" in commands["packages"]
    assert "'my apps/worker'" in commands["images"]
    assert "docker push" in commands["prod"]
    assert "docker push" not in commands["staging"]
    variables = {
        name: next(
            step["env"] for step in job["steps"] if "terraform init" in step.get("run", "") and "env" in step
        )
        for name, job in jobs.items()
        if name in ("plan", "staging", "prod")
    }
    assert "TF_VAR_image_tags" not in variables["staging"]
    assert variables["prod"]["TF_VAR_image_tags"] == '{"extra": "${{ github.sha }}"}'
    assert variables["plan"]["TF_VAR_alarm_email"] == "${{ secrets.WHO }}"


def test_a_package_has_the_same_bytes_wherever_it_is_made(
    example: Callable[[str], Path], tmp_path: Path
) -> None:
    script = example("till") / TF / "bin" / "package.py"
    assert os.access(script, os.X_OK)
    digests = set()
    for number, names in enumerate((["b.py", "sub/a.py"], ["sub/a.py", "b.py"])):
        source = tmp_path / f"source{number}"
        for name in names:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(name)
            os.utime(source / name, (number, number))
        (source / "b.py").chmod(0o700 if number else 0o755)
        target = tmp_path / f"{number}.zip"
        subprocess.run([sys.executable, str(script), str(source), str(target)], check=True)
        digests.add(hashlib.sha256(target.read_bytes()).hexdigest())
        with zipfile.ZipFile(target) as archive:
            assert archive.namelist() == ["b.py", "sub/a.py"]
    assert len(digests) == 1
