"""Answers GET requests with JSON: what the three services share."""

from __future__ import annotations

import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bson import json_util
from pymongo import MongoClient
from pymongo.synchronous.database import Database

Answers = dict[str, Callable[[Database[dict[str, Any]]], Any]]


def serve(answers: Answers) -> None:
    """Answer each path of `answers` with what its function finds in the database that MONGODB_URI names."""
    database = MongoClient[dict[str, Any]](os.environ["MONGODB_URI"]).get_default_database()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            body = json_util.dumps(found(database)).encode() if found else b"{}"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
