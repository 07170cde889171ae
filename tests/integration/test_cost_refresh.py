"""`greylag cost --refresh` against a server of this machine: what AWS's price list said, whole or damaged."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from greylag.cli.root import greylag
from greylag.cost.pricelist import offers

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parents[1] / "cases" / "price-list"
REGION = "eu-west-2"
RECORDED = ("AWSLambda", "AWSQueueService", "AmazonEC2")


class PriceServer(ThreadingHTTPServer):
    """Serves the recorded files; `damage` says how one of them is spoilt, `sent` counts the whole ones."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Files)
        self.damage: dict[str, str] = {}
        self.sent: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PriceServer

    def do_GET(self) -> None:
        offer, region = self.path.split("/aws/")[1].removesuffix("/index.csv").split("/current/")
        damage = self.server.damage.get(offer, "")
        if offer not in RECORDED or region != REGION:
            self.send_error(404)
            return
        if damage.isdigit():
            self.send_error(int(damage))
            return
        content = (CASES / f"{offer}-{REGION}.csv").read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        self.server.sent[offer] += 1
        content = {
            "html": b"<html>sign in to the network</html>",
            "binary": b"\xff\xfe" * 50,
            "half a line": content[: len(content) - 40],
        }.get(damage, content)
        self.send_response(200)
        self.send_header("ETag", etag)
        if damage == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(content) + content[: len(content) // 2])
            self.close_connection = True
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: content.rindex(b"\n", 0, -1) + 1] if damage == "cut" else content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with PriceServer() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def call(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(greylag, ["cost", *arguments])
    assert result.exit_code == expect, result.output
    return result


def refresh(server: PriceServer, *arguments: str, expect: int = 0) -> Result:
    return call("--refresh", "--region", REGION, "--price-list", f"{server.url}/", *arguments, expect=expect)


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        Path(f"cache/greylag/prices/{REGION}.json").read_text(encoding="utf-8")
    )
    return found


def test_prices_are_fetched_kept_and_used(server: PriceServer) -> None:
    told = refresh(server)
    assert "9 prices of eu-west-2 are kept in" in told.stdout
    assert "eu-west-2: AWSLambda: 5 prices" in told.stderr
    assert "eu-west-2: AmazonDynamoDB: not in eu-west-2" in told.stderr
    [nat] = [each for each in kept()["sources"] if "/AmazonEC2/" in each["address"]]
    assert nat["address"].startswith(server.url)
    assert nat["date"] == "2026-09-04"
    found = json.loads(call("--compare", "nat", "--region", REGION, "--json", expect=3).stdout)
    assert "no price of vpc public-ipv4-hour in eu-west-2" in found["error"]["message"]
    assert json.loads(refresh(server, "--json").stdout)["prices"] == 9


def test_what_has_not_changed_is_not_sent_again(server: PriceServer) -> None:
    refresh(server)
    before = kept()
    told = refresh(server)
    assert server.sent == dict.fromkeys(RECORDED, 1)
    assert told.stderr.count("unchanged") == 3
    assert kept() == before
    file = Path(f"cache/greylag/prices/{REGION}.json")
    file.write_text(file.read_text().replace(before["known"], "read by other rules"))
    refresh(server)
    assert server.sent == dict.fromkeys(RECORDED, 2)
    file.write_text("{")
    refresh(server)
    assert kept() == before


@pytest.mark.parametrize(
    ("damage", "code", "message"),
    [
        ("cut", 6, "was cut off: "),
        ("chunks", 4, "cannot be reached: IncompleteRead"),
        ("half a line", 6, "is damaged: a line has"),
        ("html", 6, "this is no price list of AWSQueueService"),
        ("binary", 6, "is not text"),
        ("503", 4, "answered 503"),
        ("429", 4, "answered 429"),
        ("400", 6, "answered 400"),
    ],
)
def test_a_bad_answer_keeps_what_was_there(server: PriceServer, damage: str, code: int, message: str) -> None:
    refresh(server)
    before = kept()
    file = Path(f"cache/greylag/prices/{REGION}.json")
    file.write_text(file.read_text().replace(before["known"], "read by other rules"))
    held = file.read_text()
    server.damage["AWSQueueService"] = damage
    refused = refresh(server, expect=code)
    assert message in " ".join(refused.stderr.split())
    assert file.read_text() == held
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_region_that_is_none(server: PriceServer) -> None:
    refused = call("--refresh", "--region", "eu-west-9", "--price-list", server.url, "--json", expect=6)
    assert "has none of our prices in eu-west-9" in json.loads(refused.stdout)["error"]["message"]
    assert refused.stderr.count("not in eu-west-9") == len(offers())
    assert not Path("cache/greylag/prices").exists()


def test_a_price_list_that_is_away_or_no_address(server: PriceServer) -> None:
    away = call("--refresh", "--region", REGION, "--price-list", "http://127.0.0.1:1", expect=4)
    assert "cannot be reached" in away.stderr
    file = call("--refresh", "--region", REGION, "--price-list", "/tmp/prices", expect=3)
    assert "is no address of a price list" in file.stderr
    assert "give both" in call("--price-list", server.url, expect=2).stderr
