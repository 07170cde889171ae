"""The GitHub Actions workflow and the two scripts it runs; text, so that people can read and change it."""

from __future__ import annotations

import posixpath
import shlex
from importlib.resources import files as resources
from textwrap import dedent, indent
from typing import TYPE_CHECKING

from greylag import __version__
from greylag.infra.render.roots import TERRAFORM
from greylag.infra.render.stack import ENVIRONMENTS, slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.infra.render.stack import Stack

CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
SETUP_PYTHON = "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0"
SETUP_TERRAFORM = "hashicorp/setup-terraform@b9cd54a3c349d3f38e8881555d616ced269862dd # v3.1.2"
CREDENTIALS = "aws-actions/configure-aws-credentials@b47578312673ae6fa5b5096b330d9fbac3d116df # v4.2.1"
ECR_LOGIN = "aws-actions/amazon-ecr-login@062b18b96a7aff071d4dc91bc00c4c1a7945b076 # v2.0.1"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
DOWNLOAD = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0"
"""Pinned by commit: a tag can be moved by whoever takes over its repository."""

TERRAFORM_VERSION = "1.11.4"
assert TERRAFORM_VERSION.startswith(TERRAFORM.removeprefix(">= "))


_IGNORED = """\
# States and plans hold secrets; the rest is made anew. Commit .terraform.lock.hcl: it pins the provider for everybody.
.terraform/
*.tfstate
*.tfstate.*
*.tfplan
build/
outputs.json
"""


def scripts(stacks: Sequence[Stack]) -> dict[str, str]:
    """bin/package.py and bin/smoke.py, and a README that says in which order a person begins."""
    folder = resources("greylag.infra") / "scripts"
    found = {"bin/smoke.py": (folder / "smoke.py").read_text(encoding="utf-8")}
    if any(each.packages for each in stacks):
        found["bin/package.py"] = (folder / "package.py").read_text(encoding="utf-8")
    found[".gitignore"] = _IGNORED
    found["README.md"] = (folder / "README.md").read_text(encoding="utf-8")
    return found


def workflow(stacks: Sequence[Stack], below: str, project: str) -> str:
    """The workflow. `below` is the path of the Terraform code from the repository's folder, `project` that of
    greylag.yaml, with `/`.
    """
    home = posixpath.dirname(project)
    packages = sorted(
        {
            (slug(name), posixpath.normpath(posixpath.join(home, folder)))
            for each in stacks
            for name, folder in each.packages
        }
    )
    images = sorted({image for each in stacks for image in each.images})
    jobs = [_check(below, project), _plan(stacks, below)]
    if packages:
        jobs.append(_packages(packages, below, home))
    if images:
        jobs.append(_images(stacks, images, home))
    built = ["check", *(["packages"] if packages else []), *(["images"] if images else [])]
    dev, staging, prod = stacks
    jobs.append(_apply(dev, built, below, "github.event_name == 'workflow_dispatch'"))
    jobs.append(_apply(staging, built, below, "github.event_name == 'push'"))
    jobs.append(_apply(prod, ["staging"], below, "github.event_name == 'push'"))
    return _HEAD.format(region=dev.infrastructure.region) + "\n".join(indent(job, "  ") for job in jobs)


_HEAD = """\
# Checks and plans a pull request; applies main to staging, then to production once a person approves it there.
# The environments dev, staging and prod of this repository hold the variables APPLY_ROLE_ARN and STATE_BUCKET and the
# secret ORIGIN_SECRETS; the repository holds PLAN_ROLE_ARN and STATE_BUCKET, or PLAN_ROLE_ARN_DEV and so on where
# environments have accounts of their own. Production's required reviewers are the approval. README.md beside the root
# modules has each step.
name: infrastructure

on:
  pull_request:
  push:
    branches: [main]
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: infrastructure-${{{{ github.ref }}}}
  cancel-in-progress: false

env:
  AWS_REGION: {region}
  TF_IN_AUTOMATION: "true"
  TF_INPUT: "false"

jobs:
"""


def _steps(*steps: str) -> str:
    return "\n".join(indent(dedent(step).strip("\n"), "    ") for step in steps if step)


def _checkout() -> str:
    return f"""
    - uses: {CHECKOUT}
      with:
        persist-credentials: false
    """


def _terraform() -> str:
    return f"""
    - uses: {SETUP_TERRAFORM}
      with:
        terraform_version: {TERRAFORM_VERSION}
        terraform_wrapper: false
    """


def _of_environment(variable: str) -> str:
    """A variable of the repository, `NAME_PROD` before `NAME`: each environment may have an account of its own. A
    pull request's job has no GitHub environment to take them from: its token would be that environment's.
    """
    return f"vars[format('{variable}_{{0}}', matrix.environment)] || vars.{variable}"


def _credentials(role: str) -> str:
    return f"""
    - uses: {CREDENTIALS}
      with:
        role-to-assume: ${{{{ {role} }}}}
        aws-region: ${{{{ env.AWS_REGION }}}}
    """


def _check(below: str, project: str) -> str:
    of = "" if project in ("", "greylag.yaml") else f" --file {shlex.quote(project)}"
    below = shlex.quote(below)
    steps = _steps(
        _checkout(),
        f"""
        - uses: {SETUP_PYTHON}
          with:
            python-version: "3.13"
        """,
        _terraform(),
        f"""
        - name: Format
          run: terraform fmt -check -recursive {below}
        """,
        f"""
        - name: Validate
          run: |
            for root in {below}/bootstrap {below}/environments/*; do
              terraform -chdir="$root" init -backend=false
              terraform -chdir="$root" validate
            done
        """,
        f"""
        - name: Policy
          run: |
            # The version that rendered this: another one may render other bytes.
            # checkov replaces a module that greylag reads Terraform with: each has an environment of its own.
            python -m venv "$RUNNER_TEMP/checkov" && "$RUNNER_TEMP/checkov/bin/pip" install --quiet checkov
            python -m pip install --quiet "greylag[infra]=={__version__}"
            greylag{of} infra render --check --out {below}
            greylag infra check {below} --checkov "$RUNNER_TEMP/checkov/bin/checkov"
        """,
    )
    return f"check:\n  runs-on: ubuntu-24.04\n  timeout-minutes: 20\n  steps:\n{steps}\n"


def _plan(stacks: Sequence[Stack], below: str) -> str:
    packaged = any(each.packages for each in stacks)
    own = [f"TF_VAR_image_tags: '{_tags(stacks)}'"] if any(each.images for each in stacks) else []
    own += sorted({_email(each) for each in stacks} - {""})
    variables = "".join(f"\n            {each}" for each in own)
    steps = _steps(
        _checkout(),
        _terraform(),
        _credentials(_of_environment("PLAN_ROLE_ARN")),
        _download_packages(below) if packaged else "",
        f"""
        - name: Plan
          env:
            BUCKET: ${{{{ {_of_environment("STATE_BUCKET")} }}}}
            TF_VAR_origin_secrets: '["{"0" * 32}"]'{variables}
          run: |
            terraform init -backend-config="bucket=$BUCKET"
            terraform plan -lock=false -no-color -out=plan.tfplan
            terraform show -no-color plan.tfplan | tail -c 900000 | sed 's/^/    /' >> "$GITHUB_STEP_SUMMARY"
          working-directory: {below}/environments/${{{{ matrix.environment }}}}
        """,
    )
    needs = ["check", *(["packages"] if packaged else [])]
    return (
        f"plan:\n  # Reads with a role that can change nothing. A fork's pull request gets no role at all.\n"
        "  if: github.event_name == 'pull_request'"
        " && github.event.pull_request.head.repo.full_name == github.repository\n"
        f"  needs: [{', '.join(needs)}]\n  runs-on: ubuntu-24.04\n  timeout-minutes: 30\n"
        f"  permissions:\n    contents: read\n    id-token: write\n"
        f"  strategy:\n    fail-fast: false\n    matrix:\n      environment: [{', '.join(ENVIRONMENTS)}]\n"
        f"  steps:\n{steps}\n"
    )


def _packages(packages: Sequence[tuple[str, str]], below: str, home: str) -> str:
    quoted = shlex.quote(below)
    lines = "\n".join(
        f"            python {quoted}/bin/package.py {shlex.quote(folder)} {quoted}/build/{name}.zip"
        for name, folder in packages
    )
    make = f"make -C {shlex.quote(home)}" if home else "make"
    steps = _steps(
        _checkout(),
        f"""
        - uses: {SETUP_PYTHON}
          with:
            python-version: "3.13"
        """,
        f"""
        - name: Build
          # Yours: whatever fills the folders that greylag.yaml names under `package`.
          run: if {make} -n packages >/dev/null 2>&1; then {make} packages; fi
        """,
        f"        - name: Zip, the same files to the same bytes\n          run: |\n{lines}\n",
        f"""
        - uses: {UPLOAD}
          with:
            name: packages
            path: {below}/build/*.zip
            if-no-files-found: error
        """,
    )
    return f"packages:\n  runs-on: ubuntu-24.04\n  timeout-minutes: 20\n  steps:\n{steps}\n"


def _images(stacks: Sequence[Stack], images: Sequence[str], home: str) -> str:
    kinds = {
        run.architecture
        for each in stacks
        for _, run in (*each.functions, *each.containers)
        if run.image in images
    }
    runner = "ubuntu-24.04-arm" if kinds == {"arm64"} else "ubuntu-24.04"
    lines = "\n".join(
        f"            docker build --tag {slug(image)}:${{{{ github.sha }}}}"
        f" {shlex.quote(posixpath.join(home, image))}"
        for image in images
    )
    saved = " ".join(f"{slug(image)}:${{{{ github.sha }}}}" for image in images)
    steps = _steps(
        _checkout(),
        f"        - name: Build, once for every environment\n          run: |\n{lines}\n"
        f"            docker save --output images.tar {saved}\n",
        f"""
        - uses: {UPLOAD}
          with:
            name: images
            path: images.tar
        """,
    )
    return (
        "images:\n  # Each image's folder, with its Dockerfile, has the name that greylag.yaml gives under `image`.\n"
        "  if: github.event_name != 'pull_request'\n"
        f"  runs-on: {runner}\n  timeout-minutes: 40\n"
        f"  steps:\n{steps}\n"
    )


def _email(stack: Stack) -> str:
    email = stack.infrastructure.alarm_email
    return f"TF_VAR_alarm_email: ${{{{ secrets.{email} }}}}" if email is not None else ""


def _tags(stacks: Sequence[Stack]) -> str:
    users = dict.fromkeys(
        name
        for each in stacks
        for name, run in (*each.functions, *each.containers)
        if run.image in each.images
    )
    return "{" + ", ".join(f'"{name}": "${{{{ github.sha }}}}"' for name in users) + "}"


def _download_packages(below: str) -> str:
    return f"""
    - uses: {DOWNLOAD}
      with:
        name: packages
        path: {below}/build
    """


def _apply(stack: Stack, needs: Sequence[str], below: str, when: str) -> str:
    environment, images = stack.environment, stack.images
    push = ""
    tags = ""
    if images:
        prefix = slug(stack.project)
        names = " ".join(slug(image) for image in images)
        push = f"""
        - uses: {ECR_LOGIN}
          id: registry
        - uses: {DOWNLOAD}
          with:
            name: images
        - name: Push the images, unless this commit's are there
          env:
            REGISTRY: ${{{{ steps.registry.outputs.registry }}}}
          run: |
            docker load --input images.tar
            for image in {names}; do
              there="$REGISTRY/{prefix}/$image:${{{{ github.sha }}}}"
              if ! docker manifest inspect "$there" >/dev/null 2>&1; then
                docker tag "$image:${{{{ github.sha }}}}" "$there"
                docker push "$there"
              fi
            done
        """
        tags = f"            TF_VAR_image_tags: '{_tags([stack])}'\n"
    email = _email(stack)
    told = f"            {email}\n" if email else ""
    apply = (
        "        - name: Apply\n          env:\n            BUCKET: ${{ vars.STATE_BUCKET }}\n"
        "            TF_VAR_origin_secrets: ${{ secrets.ORIGIN_SECRETS }}\n"
        + tags
        + told
        + "          run: |\n"
        '            terraform init -backend-config="bucket=$BUCKET"\n'
        "            terraform apply -auto-approve -no-color\n"
        "            terraform output -json > outputs.json\n"
        f"          working-directory: {below}/environments/{environment}\n"
    )
    quoted = shlex.quote(below)
    steps = _steps(
        _checkout(),
        f"""
        - uses: {SETUP_PYTHON}
          with:
            python-version: "3.13"
        """,
        _terraform(),
        _credentials("vars.APPLY_ROLE_ARN"),
        push,
        _download_packages(below) if stack.packages else "",
        apply,
        f"""
        - name: Smoke tests
          run: python {quoted}/bin/smoke.py {quoted}/environments/{environment}/outputs.json
        """,
    )
    return (
        f"{environment}:\n  if: {when}\n  needs: [{', '.join(needs)}]\n"
        f"  runs-on: ubuntu-24.04\n  timeout-minutes: 90\n  environment: {environment}\n"
        f"  permissions:\n    contents: read\n    id-token: write\n"
        f"  steps:\n{steps}\n"
    )
