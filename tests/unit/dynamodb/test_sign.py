"""Our signatures are botocore's own."""

from __future__ import annotations

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials

from greylag.connectors.dynamodb.sign import Credentials, Signer

TARGET = "DynamoDB_20120810.BatchWriteItem"


class Clock:
    def __init__(self, text: str) -> None:
        self.seconds = datetime.fromisoformat(text).timestamp()

    def __call__(self) -> float:
        return self.seconds


def headers(request: bytes) -> dict[str, str]:
    head = request.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")
    assert head[0].startswith("POST ")
    return dict(line.split(": ", 1) for line in head[1:])


def authorization(
    clock: Clock, credentials: Credentials, url: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setattr(
        botocore.auth,
        "get_current_datetime",
        lambda: datetime.fromtimestamp(clock.seconds, UTC).replace(tzinfo=None),
    )
    request = AWSRequest(
        "POST", url, {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET}, data=body
    )
    botocore.auth.SigV4Auth(SdkCredentials(*credentials), "dynamodb", "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com/", "dynamodb.eu-west-1.amazonaws.com", "/"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", "/"),
        ("http://127.0.0.1:8000/some/path", "127.0.0.1:8000", "/some/path"),
    ],
)
def test_signatures_equal_botocores(
    token: str | None, url: str, host: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock("2024-02-29T23:59:58Z")
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    signer = Signer(lambda: credentials, "eu-west-1", host, path, clock=clock)
    for body in (b"{}", '{"a":"é"}'.encode(), b"x" * 100_000):
        clock.seconds += 1.4  # over midnight: another day, another key
        ours = headers(signer.request(TARGET, body))
        assert ours["Authorization"] == authorization(clock, credentials, url, body, monkeypatch)
        assert ours.get("X-Amz-Security-Token") == token
        assert ours["Content-Length"] == str(len(body))
        assert ours["Host"] == host


def test_credentials_are_asked_for_every_minute() -> None:
    clock = Clock("2024-01-01T00:00:00Z")
    given = [Credentials("first", "a"), Credentials("second", "b", "t")]
    signer = Signer(lambda: given[0], "eu-west-1", "h", "/", clock=clock)
    given.pop(0)
    clock.seconds += 30
    assert "Credential=first/" in headers(signer.request(TARGET, b""))["Authorization"]
    clock.seconds += 31
    renewed = headers(signer.request(TARGET, b""))
    assert "Credential=second/" in renewed["Authorization"]
    assert renewed["X-Amz-Security-Token"] == "t"
    fresh = Signer(lambda: Credentials("second", "b", "t"), "eu-west-1", "h", "/", clock=clock)
    assert headers(fresh.request(TARGET, b""))["Authorization"] == renewed["Authorization"]


def test_refused_credentials_are_worth_another_try_only_if_there_are_others() -> None:
    given = [Credentials("first", "a")]
    signer = Signer(lambda: given[0], "eu-west-1", "h", "/", clock=Clock("2024-01-01T00:00:00Z"))
    assert not signer.refresh()
    given[0] = Credentials("second", "b")
    assert signer.refresh()


def test_the_services_clock_is_followed() -> None:
    clock = Clock("2024-01-01T00:00:00Z")
    signer = Signer(lambda: Credentials("a", "b"), "eu-west-1", "h", "/", clock=clock)
    assert not signer.follow_clock(clock.seconds + 0.5)
    assert signer.follow_clock(clock.seconds + 86_400)
    assert headers(signer.request(TARGET, b""))["X-Amz-Date"] == "20240102T000000Z"
    assert not signer.follow_clock(clock.seconds + 86_400)


def test_a_secret_is_never_shown() -> None:
    assert "hidden" not in repr(Credentials("a", "hidden", "hidden"))
