"""The server without a browser: headers, sites, the password, the interface for programs, conversations."""

import base64
import contextlib
import dataclasses
import html
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import serving_here
from conftest import HashingEncoder, at_once
from fastapi.testclient import TestClient
from gradio_client import Client

from index import Index
from index.errors import LoadError, SettingsError, StoreError
from index.types import document_id
from qa import Answer, Assistant, Settings
from qa.conversations import Conversations
from qa.web import access, server, strings
from qa.web.access import Access, Throttle
from qa.web.corpus import Corpus, open_corpus
from qa.web.uploads import Staging, safe_name

LAUNCH = "The rocket flew in May. The pilot of the rocket, Ada Byron, said it was loud."
BREAD = "Bread needs flour, water and salt. The baker Jean Moreau said time matters most."
QUESTION = "Who was the pilot of the rocket?"
HTML = {"accept": "text/html", "sec-fetch-mode": "navigate"}


class Served:
    """A server's app with its parts, and clients of it that share no cookies."""

    def __init__(self, folder, stack, *, kind="index", password=None, host="127.0.0.1"):
        self.folder = folder
        self.stack = stack
        self.index = stack.enter_context(Index.open(folder / "index", encoder=HashingEncoder()))
        self.index.add_texts([("launch.txt", LAUNCH), ("bread.txt", BREAD)])
        self.assistant = Assistant(self.index, Settings(reader="sentences", threshold=0.0))
        self.conversations = stack.enter_context(
            contextlib.closing(Conversations(folder / "conversations.db"))
        )
        self.corpus = Corpus(self.assistant, "some documents", kind, folder / "documents")
        self.access = Access(b"k" * 32, password)
        self.app = server.create_app(self.corpus, self.conversations, self.access, host=host)

    def client(self, **options):
        return self.stack.enter_context(TestClient(self.app, "http://127.0.0.1", **options))

    def browser(self):
        client = self.client()
        client.get("/")
        return client


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda **options: Served(tmp_path, stack, **options)


@pytest.fixture
def served(start):
    return start()


def ask(client, question=QUESTION, **message):
    response = client.post("/chat/ask", json={"question": question, **message})
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


# Headers, sites, sizes


def test_every_response_carries_the_headers(served):
    client = served.client()
    for path in (
        "/",
        "/documents",
        "/healthz",
        "/static/style.css",
        "/static/app.js",
        "/nowhere",
        "/api/documents",
    ):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.head("/healthz").status_code == 200
    assert client.get("/favicon.ico").headers["content-type"].startswith("image/svg+xml")
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/docs", "/api/docs"):
        assert client.get(path).status_code == 404


def test_a_local_server_answers_to_its_own_names_alone(served):
    client = served.client()
    for host, status in (("evil.example", 400), ("[::1]:7860", 200), ("localhost:7860", 200)):
        assert client.get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("asked", "status"),
    [("192.0.2.7:7860", 200), ("[2001:db8::1]:7860", 200), ("server:7860", 200), ("server.local", 200),
     ("nas.home.arpa.", 200), ("wiki.internal:80", 200), ("LOCALHOST", 200), ("chat.example.org", 400),
     ("rebound.example:7860", 400), ("192.0.2.7.example", 400), ("local", 200), ("evillocal.example", 400),
     ("[::1", 400), ("", 400)],
)  # fmt: skip
def test_without_a_password_no_name_of_a_stranger_leads_here(start, asked, status):
    client = start(host="0.0.0.0").client()
    for path in ("/healthz", "/api/documents"):
        assert client.get(path, headers={"host": asked}).status_code == status


def test_a_refused_name_is_told_as_a_page(start):
    served = start(host="named.example.org")
    client = served.client()
    refused = client.get("/", headers={**HTML, "host": "<b>evil.example"})
    assert refused.status_code == 400
    assert strings.UNKNOWN_HOST.format("<b>evil.example") in html.unescape(refused.text)
    assert "&lt;b&gt;evil.example" in refused.text
    assert "<b>" not in refused.text
    assert client.get("/static/style.css", headers={"host": "evil.example"}).status_code == 200
    assert client.get("/healthz", headers={"host": "named.example.org:1"}).status_code == 200


def test_with_a_password_a_proxy_may_give_it_any_name(start):
    client = start(password="open sesame").client()
    page = client.get("/", headers={**HTML, "host": "chat.example.org"})
    assert page.url.path == "/login"
    assert client.get("/api/documents", headers={"host": "evil.example"}).status_code == 401


def test_a_proxy_on_this_machine_is_believed_about_whom_it_speaks_for(start, monkeypatch):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    config = server.configured(start(password="open sesame").app)
    config.load()

    def asking(by, speaking_for):
        client = TestClient(config.loaded_app, "http://127.0.0.1", client=(by, 5))
        headers = {"authorization": "Bearer wrong", "x-forwarded-for": speaking_for}
        return [client.get("/api/documents", headers=headers).status_code for _ in range(6)][-1]

    assert asking("127.0.0.1", "192.0.2.1") == 429
    assert asking("127.0.0.1", "192.0.2.2") == 429
    right = {"authorization": "Bearer open sesame", "x-forwarded-for": "192.0.2.3"}
    assert (
        TestClient(config.loaded_app, "http://127.0.0.1", client=("127.0.0.1", 5))
        .get("/api/documents", headers=right)
        .is_success
    )
    # Anyone else speaks for nobody: all these come from one address.
    for number in range(6):
        last = TestClient(config.loaded_app, "http://127.0.0.1", client=("198.51.100.9", 5)).get(
            "/api/documents",
            headers={"authorization": "Bearer wrong", "x-forwarded-for": f"192.0.2.{100 + number}"},
        )
    assert last.status_code == 429


def test_gradios_scripts_carry_the_nonce_of_its_policy(served):
    client = served.client()
    first, second = client.get("/gradio/"), client.get("/gradio/")
    nonce = re.search(r"'nonce-([^']+)'", first.headers["content-security-policy"])[1]
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') > 0
    assert nonce not in second.text
    assert "unsafe-eval" not in first.headers["content-security-policy"]


def test_the_page_has_no_script_or_style_of_its_own(served):
    page = served.client().get("/").text
    assert (
        re.findall(r"<script(?! type=\"application/json\"| type=\"module\" src=\"/static/app.js\")", page)
        == []
    )
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"},
     {"origin": "null"}, {"origin": "http://127.0.0.1:1"}],
)  # fmt: skip
def test_orders_of_other_sites_are_refused(served, headers):
    client = served.browser()
    [document, _] = served.index.document_ids()
    for method, path in (
        ("POST", "/api/ask"),
        ("POST", "/api/documents"),
        ("DELETE", f"/api/documents/{document}"),
        ("POST", "/chat/ask"),
        ("POST", "/login"),
        ("POST", "/gradio/gradio_api/call/ask"),
        ("POST", "/gradio_api/call/ask"),
    ):
        refused = client.request(method, path, headers=headers)
        assert (refused.status_code, refused.json()["detail"]) == (403, strings.OTHER_SITE)
    assert len(served.index.document_ids()) == 2


def test_a_link_of_another_site_gives_no_new_cookies(served):
    arriving = {**HTML, "sec-fetch-site": "cross-site"}
    response = served.client().get("/", headers=arriving)
    assert "refresh" in response.text
    assert "set-cookie" not in response.headers


def test_without_a_word_from_where_it_comes_a_browser_arrives_twice(served):
    client = served.client()
    page = client.get("/", headers={"accept": "text/html"})
    assert "url=?again" in page.text
    assert "set-cookie" not in page.headers
    assert "set-cookie" in client.get("/?again", headers={"accept": "text/html"}).headers
    assert 'id="question"' in client.get("/", headers={"accept": "text/html"}).text


def test_bodies_have_a_limit(served, monkeypatch):
    client = served.browser()
    assert client.post("/chat/ask", content=b"x" * 1_000_001).status_code == 413
    # Without a length told before.
    assert client.post("/chat/ask", content=(b"x" * 1_000 for _ in range(1_100))).status_code == 413


# The password


def test_a_server_with_a_password_shows_nothing_without(start):
    served = start(password="open sesame", host="0.0.0.0")
    client = served.client(follow_redirects=False)
    for path in (
        "/",
        "/documents",
        "/c/x",
        "/api/documents",
        "/api/openapi.json",
        "/gradio/",
        "/gradio/gradio_api/info",
        "/gradio_api/info",
        "/config",
    ):
        assert client.get(path).status_code == 401, path
    sent = client.get("/documents?x=1", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fdocuments%3Fx%3D1")
    assert "launch" not in client.get("/login").text
    assert client.get("/healthz").status_code == 200
    assert client.post("/api/ask", json={"question": QUESTION}).status_code == 401


def test_programs_send_the_password(start):
    client = start(password="öpen sesame").client()
    basic = base64.b64encode("anyone:öpen sesame".encode()).decode()
    for header in ("Bearer öpen sesame".encode(), f"Basic {basic}".encode()):
        assert client.get("/api/documents", headers={"authorization": header}).status_code == 200
    for wrong in (b"Bearer open", b"Basic !!", b"Digest x", b"Bearer "):
        assert client.get("/api/documents", headers={"authorization": wrong}).status_code == 401


def test_a_browser_logs_in_and_out(start):
    client = start(password="open sesame").client()
    page = client.post("/login", data={"password": "wrong", "next": "/documents"})
    assert (page.status_code, strings.PASSWORD_WRONG in page.text) == (401, True)
    assert client.get("/api/documents").status_code == 401
    page = client.post("/login", data={"password": "open sesame", "next": "/documents"})
    assert page.url.path == "/documents"
    cookie = page.history[0].headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get("/api/documents").status_code == 200
    client.post("/logout")
    assert client.get("/api/documents").status_code == 401


def test_logging_out_after_the_session_ended_leads_to_the_login(start):
    client = start(password="open sesame").client()
    left = client.post("/logout", headers=HTML)
    assert (left.status_code, left.url.path, left.url.query) == (200, "/login", b"")
    # What was sent is not what a login leads on to.
    sent = client.post("/chat/ask", json={"question": QUESTION}, headers=HTML)
    assert str(sent.url).endswith("/login?next=%2F")


def test_another_password_ends_sessions_but_no_conversations(start):
    before, after = Access(b"k" * 32, "one"), Access(b"k" * 32, "two")
    signed = before._sessions.sign("in").decode()
    assert after.session_cookie == before.session_cookie
    assert after._owners.unsign(before._owners.sign("me")) == b"me"
    client = start(password="two").client(cookies={after.session_cookie: signed})
    assert client.get("/api/documents").status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\nb", ""]
)
def test_logging_in_leads_nowhere_else(to):
    assert access.local_path(to) == "/"
    assert access.local_path("/c/abc?x=1") == "/c/abc?x=1"


def test_guessing_is_slowed_down(start):
    client = start(password="open sesame").client()
    for _ in range(5):
        assert client.get("/api/documents", headers={"authorization": "Bearer wrong"}).status_code == 401
    for header in ("Bearer wrong", "Bearer open sesame"):
        refused = client.get("/api/documents", headers={"authorization": header})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
    page = client.post("/login", data={"password": "open sesame"})
    assert (page.status_code, "Try again in" in page.text) == (429, True)


def test_waits_double_and_end():
    now = [0.0]
    throttle = Throttle(free=2, longest=60, most=3, clock=lambda: now[0])
    waits = []
    for _ in range(9):
        throttle.failed("2001:db8::1")
        waits.append(throttle.wait("2001:db8::ffff"))
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert throttle.wait("192.0.2.1") == 0
    now[0] = 60.0
    assert throttle.wait("2001:db8::1") == 0
    throttle.failed("2001:db8::1")
    throttle.passed("2001:db8::1")
    throttle.failed("2001:db8::1")
    assert throttle.wait("2001:db8::1") == 0
    for number in range(5):
        throttle.failed(f"192.0.2.{number}")
    assert len(throttle._failures) == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_beyond_this_machine_a_password_or_a_plain_word_is_needed(host, monkeypatch):
    monkeypatch.delenv(server.PASSWORD, raising=False)
    with pytest.raises(SettingsError, match=r"--password.*--no-auth"):
        server.serve([], None, host, 0)
    assert server.choose_password(host, wanted=False, auth=False) is None
    assert server.choose_password("127.0.0.1", wanted=False, auth=True) is None
    monkeypatch.setattr("getpass.getpass", lambda _: "typed")
    assert server.choose_password(host, wanted=True, auth=True) == "typed"
    monkeypatch.setenv(server.PASSWORD, "given")
    assert server.choose_password(host, wanted=False, auth=True) == "given"
    assert server.choose_password(host, wanted=True, auth=True) == "given"
    with pytest.raises(SettingsError, match="exclude"):
        server.choose_password(host, wanted=True, auth=False)


def test_the_key_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "home" / "key"
    key = access.load_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert access.load_key(path) == key
    assert len(key) == access.KEY_BYTES
    path.write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged"):
        access.load_key(path)
    with pytest.raises(SettingsError, match="VERBATIM_HOME"):
        access.load_key(path / "below a file")


def test_servers_that_start_at_once_have_one_key(tmp_path):
    keys = []
    at_once(8, lambda: keys.append(access.load_key(tmp_path / "home" / "key")))
    assert len(keys) == 8
    assert set(keys) == {(tmp_path / "home" / "key").read_bytes()}


# Programs


def test_programs_ask(served):
    client = served.client()
    found = client.post("/api/ask", json={"question": QUESTION, "trace": True}).json()
    assert (found["status"], found["question"]) == ("answered", QUESTION)
    [citation, *_] = found["citations"]
    text = client.get(f"/api/documents/{citation['document_id']}").json()["text"]
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert "Ada Byron" in citation["quote"]
    assert found["trace"]
    [_, bread] = served.index.document_ids()
    only = client.post("/api/ask", json={"question": QUESTION, "documents": [bread]}).json()
    assert {one["document_id"] for one in only["citations"]} <= {bread}
    nowhere = client.post("/api/ask", json={"question": QUESTION, "documents": ["none"]}).json()
    assert (nowhere["status"], nowhere["text"]) == ("filtered", None)
    assert nowhere["reason"]


@pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": "x" * 2001}, {"question": " "}, {"question": 1},
                                  {"question": "a", "unknown": 1}, {"question": "a", "documents": "b"}])  # fmt: skip
def test_a_question_that_cannot_be_asked_is_told(served, body):
    refused = served.client().post("/api/ask", json=body)
    assert refused.status_code == 422
    assert refused.json()["detail"]


def test_what_is_wrong_with_a_request_is_one_sentence(served):
    client = served.browser()
    told = client.post("/api/documents")
    assert (told.status_code, told.json()["detail"]) == (422, "files: Field required")
    told = client.post("/api/ask", json={"question": "x" * 2001}).json()["detail"]
    assert told.startswith("question: ")
    assert "2000" in told
    described = client.get("/api/openapi.json").json()
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_people_are_told_what_is_wrong_as_a_page(served, monkeypatch):
    client = served.browser()

    def fail(*_):
        raise StoreError("conversations.db: damaged <b>")

    monkeypatch.setattr(Conversations, "list", fail)
    page = client.get("/", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "conversations.db: damaged &lt;b&gt;" in page.text
    assert 'href="/static/style.css"' in page.text
    told = client.get("/chat/list")
    assert (told.status_code, told.json()["detail"]) == (503, "conversations.db: damaged <b>")


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/logout", 405)])
def test_where_there_is_nothing_is_told_as_a_page(served, path, status):
    page = served.client().get(path, headers=HTML)
    assert (page.status_code, strings.NOT_HERE in page.text) == (status, True)
    assert (page.headers.get("allow") == "POST") == (status == 405)


def test_a_bug_is_told_as_a_page_and_logged(served, monkeypatch):
    def broken(*_):
        raise RuntimeError("a bug")

    client = served.client(raise_server_exceptions=False)
    monkeypatch.setattr("qa.web.pages.chat.shown", broken)
    monkeypatch.setattr(Conversations, "info", broken)
    page = client.get("/c/x?again", headers=HTML)
    assert (page.status_code, strings.BROKEN in html.unescape(page.text)) == (500, True)
    assert "a bug" not in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert client.get("/c/x?again").json() == {"detail": strings.BROKEN}


def test_the_interface_is_documented(served):
    described = served.client().get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/ask",
        "/api/documents",
        "/api/documents/{document}",
        "/api/documents/{document}/file",
        "/api/documents/{document}/read",
        "/api/uploads/{upload}",
    }
    assert all(
        operation.get("summary") and operation.get("description")
        for path in described["paths"].values()
        for operation in path.values()
    )


def test_programs_list_add_and_remove_documents(served, tmp_path):
    client = served.client()
    files = [
        ("files", ("tea.txt", b"Green tea is steamed soon after picking.")),
        ("files", ("bad.pdf", b"no pdf")),
    ]
    report = client.post("/api/documents", files=files).json()
    assert report["done"]
    tea, bad = report["files"]
    assert (tea["name"], tea["state"], tea["passages"]) == ("tea.txt", "added", 1)
    assert (bad["state"], bad["document"]) == ("failed", None)
    assert "bad.pdf" in bad["message"]
    assert str(tmp_path) not in bad["message"]
    listed = client.get("/api/documents", params={"query": "TEA"}).json()
    assert [one["id"] for one in listed["documents"]] == [tea["document"]]
    assert (listed["matching"], listed["total"]) == (1, 3)
    assert sorted(path.name for path in (tmp_path / "documents").iterdir()) == ["tea.txt"]
    file = client.get(f"/api/documents/{tea['document']}/file")
    assert file.content == b"Green tea is steamed soon after picking."
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["content-type"] == "application/octet-stream"
    again = client.post(f"/api/documents/{tea['document']}/read").json()
    assert [one["status"] for one in again["files"]] == ["unchanged"]
    assert client.delete(f"/api/documents/{tea['document']}").json() == {"removed": tea["document"]}
    assert client.delete(f"/api/documents/{tea['document']}").status_code == 404
    assert list((tmp_path / "documents").iterdir()) == []
    assert client.post("/api/ask", json={"question": "How is green tea made?"}).json()["citations"] != []
    assert "steamed" not in client.post("/api/ask", json={"question": "How is green tea made?"}).text


def test_a_file_of_the_same_name_replaces_unless_it_cannot_be_read(served, tmp_path):
    client = served.client()

    def send(content):
        [file] = client.post("/api/documents", files={"files": ("tea.md", content)}).json()["files"]
        return file["state"]

    assert send(b"Green tea is steamed.") == "added"
    assert send(b"Green tea is steamed.") == "unchanged"
    assert send(b"Black tea is oxidised.") == "replaced"
    assert send(b"") == "failed"
    [document] = [
        info for info in served.index.documents() if info.title == "tea" or "tea.md" in info.sources[0]
    ]
    assert "Black tea" in client.get(f"/api/documents/{document.id}").json()["text"]
    assert client.get(f"/api/documents/{document.id}/file").content == b"Black tea is oxidised."


def held_encoder(served):
    """Have the encoder wait; return what tells that it is asked, and what lets it go on."""
    reading, go_on = threading.Event(), threading.Event()
    encode = served.index.encoder.encode

    def slow(texts):
        reading.set()
        go_on.wait(30)
        return encode(texts)

    served.index.encoder.encode = slow
    return reading, go_on


def test_an_upload_is_followed(served):
    client = served.client()
    reading, go_on = held_encoder(served)
    sent = client.post(
        "/api/documents", params={"wait": False}, files={"files": ("tea.txt", b"Tea is steamed.")}
    )
    assert not sent.json()["done"]
    assert reading.wait(30)
    # Questions are answered meanwhile.
    assert client.post("/api/ask", json={"question": QUESTION}).json()["status"] == "answered"
    following = f"/api/uploads/{sent.json()['id']}"
    assert client.get(following).json()["files"][0]["state"] == "reading"
    go_on.set()
    served.app.state.service.uploads.get(sent.json()["id"]).finished.result(30)
    assert client.get(following).json()["files"][0]["state"] == "added"
    assert client.get("/api/uploads/none").status_code == 404


@pytest.mark.parametrize(
    ("name", "safe"),
    [("../../etc/passwd.txt", "passwd.txt"), ("C:\\x\\a.pdf", "a.pdf"), ("a\0b\n.txt", "a_b_.txt"),
     ("..hidden.txt", "hidden.txt"), ("<b>\u202eA.TXT", "_b__A.TXT"), ("con.txt", "_con.txt"), ("e\u0301.md", "é.md"),
     ("x" * 500 + ".html", "x" * 175 + ".html"), ("🚀" * 100 + ".txt", "🚀" * 44 + ".txt")],
)  # fmt: skip
def test_names_of_files_are_names_and_nothing_else(name, safe):
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", "..", ".txt", "a.exe", "a", "a.txt/", "a.pdf.sh", "a.txt\0"])
def test_files_of_other_kinds_are_refused(name):
    with pytest.raises(LoadError, match="Send one of"):
        safe_name(name)


def test_only_files_that_the_index_knows_are_handed_out(served, tmp_path):
    client = served.client()
    (tmp_path / "secret.txt").write_text("secret")
    # A text's name is no path, whatever it looks like.
    served.index.add_texts([("secret.txt", "A text."), ("/etc/passwd", "Another text.")])
    for document in served.index.document_ids():
        assert client.get(f"/api/documents/{document}/file").status_code == 404
    for path in ("..%2f..%2fsecret.txt", "%2fetc%2fpasswd", str(tmp_path / "secret.txt").strip("/")):
        assert client.get(f"/api/documents/{path}/file").status_code == 404


def test_over_the_seeds_an_upload_starts_an_index_of_ones_own(start, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    served = start(kind="seeds")
    client = served.client()
    client.post("/api/documents", files={"files": ("bad.pdf", b"no pdf")})
    assert client.get("/api/documents").json()["total"] == 2
    client.post("/api/documents", files={"files": ("tea.txt", b"Green tea is steamed.")})
    assert [one["title"] for one in client.get("/api/documents").json()["documents"]] == ["tea"]
    assert (tmp_path / "home" / "index").is_dir()
    # What was answered from before can still be looked up.
    [launch, _] = served.index.document_ids()
    assert client.get(f"/api/documents/{launch}").json()["text"] == LAUNCH
    assert client.delete(f"/api/documents/{launch}").status_code == 404


def test_from_an_emptied_index_a_way_leads_back_to_the_seeds(start, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    served = start(kind="seeds")
    client = served.client()
    [tea] = client.post("/api/documents", files={"files": ("tea.txt", b"Green tea is steamed.")}).json()[
        "files"
    ]
    assert strings.TO_SEEDS not in html.unescape(client.get("/chat/welcome").text)
    refused = client.post("/documents/seeds")
    assert (refused.status_code, refused.json()["detail"]) == (422, strings.NOT_EMPTY)
    client.delete(f"/api/documents/{tea['document']}")
    for path in ("/chat/welcome", "/documents/list", "/documents", "/"):
        assert strings.TO_SEEDS in html.unescape(client.get(path).text), path
    assert client.post("/documents/seeds").status_code == 204
    page = html.unescape(client.get("/documents").text)
    assert strings.SEEDS in page
    assert strings.TO_SEEDS not in page
    assert client.get("/api/documents").json()["total"] == 2
    # And on from there, as before.
    client.post("/api/documents", files={"files": ("tea.txt", b"Green tea is steamed.")})
    assert [one["title"] for one in client.get("/api/documents").json()["documents"]] == ["tea"]


def test_an_index_that_another_process_has_begun_is_left_alone(start, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    served = start(kind="seeds")
    add, begun = Index.add, []

    def meanwhile(self, *arguments, **options):
        begun.append(served.stack.enter_context(Index.open(encoder=HashingEncoder())))
        return add(self, *arguments, **options)

    monkeypatch.setattr(Index, "add", meanwhile)
    served.client().post("/api/documents", files={"files": ("bad.pdf", b"no pdf")})
    begun[0].add_texts([("rice.txt", "Rice is grown in paddies.")])
    with Index.open(encoder=HashingEncoder(), create=False) as kept:
        assert [info.title for info in kept.documents()] == ["rice.txt"]


def test_rounds_between_the_seeds_and_ones_own_open_no_more_and_no_more(start, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    now_open = set()
    was_opened, was_closed = Index.__init__, Index.close

    def opened(self, *arguments, **options):
        was_opened(self, *arguments, **options)
        now_open.add(self)

    def closed(self):
        was_closed(self)
        now_open.discard(self)

    monkeypatch.setattr(Index, "__init__", opened)
    monkeypatch.setattr(Index, "close", closed)
    served = start(kind="seeds")
    client = served.client()
    library = served.app.state.service.library
    counts = []
    for leaf in ("Green", "Black", "White"):
        [tea] = client.post("/api/documents", files={"files": ("tea.txt", f"{leaf} tea.".encode())}).json()[
            "files"
        ]
        assert client.get(f"/api/documents/{tea['document']}").json()["text"] == f"{leaf} tea."
        assert client.post("/api/ask", json={"question": "Which tea?"}).json()["text"] == f"{leaf} tea."
        client.delete(f"/api/documents/{tea['document']}")
        # Those that come along are whole again, whoever removed one of them.
        assert client.post("/documents/seeds").status_code == 204
        assert client.get("/api/documents").json()["total"] == 2
        library.remove(library.index.document_ids()[0])
        counts.append(len(now_open))
    assert counts == [3, 3, 3]
    library.close()
    assert now_open == {served.index}


def test_what_a_killed_server_left_is_cleared_at_the_next_start(start, tmp_path):
    folder = tmp_path / "documents"
    running, killed = Staging(folder), folder / ".incoming-0123"
    (running.path / "0").write_text("on its way")
    for part in ("earlier", "taking"):
        (killed / part).mkdir(parents=True)
    (killed / "0").write_text("half a fi")
    (killed / "earlier" / "tea.txt").write_text("Was replaced; what replaced it has been removed since.")
    (killed / "taking" / "rice.txt").touch()
    (folder / "rice.txt").write_text("Was never read.")
    (folder / "kept.txt").write_text("A document.")
    start()
    assert (running.path / "0").read_text() == "on its way"
    assert not killed.exists()
    running.close()
    assert [path.name for path in folder.iterdir()] == ["kept.txt"]


KILLED = """
import io, os, signal, sys
from pathlib import Path

from conftest import HashingEncoder
from index import Index
from qa import Assistant, Settings
from qa.web.corpus import Corpus
from qa.web.library import Library
from qa.web.uploads import Uploads

folder, earlier, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
index = Index.open(folder / "index", encoder=HashingEncoder())
assistant = Assistant(index, Settings(reader="sentences"))
uploads = Uploads(Library(Corpus(assistant, "some documents", "index", folder / "documents")))
send = lambda text: uploads.submit([("tea.txt", io.BytesIO(text.encode()))]).finished.result(60)
if earlier:
    send(earlier)
place, name = (index.encoder, "encode") if when == "read" else (index._vectors, "save")
setattr(place, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
send("Black tea is oxidised.")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
@pytest.mark.parametrize("earlier", ["", "Green tea is steamed."])
@pytest.mark.parametrize("when", ["read", "stored"])
def test_a_server_killed_within_an_upload_leaves_file_and_index_at_one(start, tmp_path, earlier, when):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), earlier, when],
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )
    assert done.returncode == -signal.SIGKILL
    served = start()
    expected = earlier or ("Black tea is oxidised." if when == "stored" else None)
    folder = tmp_path / "documents"
    assert {path.name: path.read_text() for path in folder.iterdir()} == (
        {} if expected is None else {"tea.txt": expected}
    )
    tea = served.index.document(document_id(str(folder / "tea.txt")))
    assert (tea and tea.text) == expected


def test_a_server_that_is_killed_lets_go_of_what_was_on_its_way(start, tmp_path):
    folder = tmp_path / "documents"
    code = (
        "import sys, pathlib, signal, os; from qa.web.uploads import Staging; "
        "staging = Staging(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False, timeout=120)
    assert len(list(folder.glob(".incoming-*"))) >= 1
    start()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"Black tea is oxidised.", b""])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_document_removed_while_it_is_replaced(served, tmp_path, content, when):
    client = served.client()

    def send(content, **params):
        files = {"files": ("tea.txt", content)}
        return client.post("/api/documents", files=files, params=params).json()

    [tea] = send(b"Green tea is steamed.")["files"]
    library = served.app.state.service.library
    add = library.add

    def meanwhile(*arguments):
        if when == "before":
            assert library.remove(tea["document"])
        report = add(*arguments)
        if when == "after":
            assert library.remove(tea["document"])
        return report

    library.add = meanwhile
    send(content)
    kept = content and when == "before"
    assert [path.name for path in (tmp_path / "documents").iterdir()] == (["tea.txt"] if kept else [])
    files = [name for info in served.index.documents() for name in info.sources if "tea" in name]
    assert len(files) == (1 if kept else 0)


def test_reading_a_document_again_reads_no_other(served, tmp_path):
    client = served.client()
    for name in ("tea.txt", "rice.txt"):
        client.post("/api/documents", files={"files": (name, f"All about {name}.".encode())})
    tea, rice = (document_id(str(tmp_path / "documents" / name)) for name in ("tea.txt", "rice.txt"))
    [launch, _] = served.index.document_ids()[:2]
    with served.index._store.transaction() as connection:
        connection.execute("UPDATE documents SET recipe = 'of an older version'")
    served.index.encoder.encoded = 0
    for document in (tea, launch):
        report = client.post(f"/api/documents/{document}/read").json()
        assert [one["status"] for one in report["files"]] == ["replaced"]
    assert served.index.encoder.encoded == 2
    stale = served.index._store.stale("")
    assert rice in stale
    assert client.get(f"/api/documents/{launch}").json()["text"] == LAUNCH


def test_a_document_removed_while_it_waits_to_be_read_again_stays_away(served, tmp_path):
    library = served.app.state.service.library
    paths = [tmp_path / "tea.txt", tmp_path / "rice.txt"]
    for path in paths:
        path.write_text(f"All about {path.name}.")
    library.add(paths)
    tea, rice = (document_id(str(path)) for path in paths)
    for path in paths:
        path.write_text(f"All that is new about {path.name}.")
    reading, go_on = held_encoder(served)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(library.read_again, tea)
        assert reading.wait(30)
        second = pool.submit(library.read_again, rice)
        # It gets as far as it can.
        time.sleep(0.2)
        assert library.remove(rice)
        go_on.set()
        assert [one.status for one in first.result(30).files] == ["replaced"]
        assert second.result(30) is None
    assert served.index.document(tea).text == "All that is new about tea.txt."
    assert served.index.document(rice) is None


def test_a_document_is_read_again_into_the_index_it_is_of(start, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    served = start(kind="seeds")
    client = served.client()
    (tmp_path / "rice.txt").write_text("Rice is grown in paddies.")
    served.index.add(tmp_path / "rice.txt")
    look_up = served.index.document

    def meanwhile(document):
        served.index.document = look_up
        client.post("/api/documents", files={"files": ("tea.txt", b"Green tea is steamed.")})
        return look_up(document)

    served.index.document = meanwhile
    (tmp_path / "rice.txt").write_text("Rice is eaten everywhere.")
    rice = document_id(str(tmp_path / "rice.txt"))
    [again] = client.post(f"/api/documents/{rice}/read").json()["files"]
    assert again["status"] == "replaced"
    assert [one["title"] for one in client.get("/api/documents").json()["documents"]] == ["tea"]
    assert served.index.document(rice).text == "Rice is eaten everywhere."


def test_a_document_removed_while_it_is_read_again_stays_away(served, tmp_path):
    client = served.client()
    [tea] = client.post("/api/documents", files={"files": ("tea.txt", b"Tea.")}).json()["files"]
    library = served.app.state.service.library
    path = tmp_path / "documents" / "tea.txt"
    path.write_bytes(b"Tea is steamed.")
    encode = served.index.encoder.encode

    def meanwhile(texts):
        library.remove(tea["document"])
        return encode(texts)

    served.index.encoder.encode = meanwhile
    client.post(f"/api/documents/{tea['document']}/read")
    assert len(served.index.document_ids()) == 2
    assert not path.exists()


@pytest.mark.parametrize("path", ["", "/", "/gradio/"])
def test_gradio_clients_use_named_endpoints(path, served):
    with serving_here(served.app) as address:
        client = Client(f"{address}{path}", verbose=False)
        found = client.predict(QUESTION, None, api_name="/ask")
        assert "Ada Byron" in found["citations"][0]["quote"]
        assert client.predict("bread", api_name="/documents")["matching"] == 1
        assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {
            "/ask",
            "/documents",
        }


# Conversations


def test_a_question_is_answered_in_stages_and_kept(served):
    client = served.browser()
    *stages, last = ask(client)
    assert [step["stage"] for step in stages] == [strings.SEARCHING, strings.READING]
    assert "Ada Byron" in last["html"]
    assert 'id="c-1-1"' in last["sources"]
    page = client.get(f"/c/{last['conversation']}")
    assert last["html"] in page.text
    assert last["sources"] in page.text
    second = ask(client, "What does bread need?", conversation=last["conversation"])[-1]
    assert (second["turn"], second["conversation"]) == (2, last["conversation"])
    edited = ask(client, "What did the baker say?", conversation=last["conversation"], keep=1)[-1]
    assert edited["turn"] == 2
    [info] = served.conversations.list(
        served.access._owners.unsign(client.cookies[served.access.owner_cookie]).decode()
    )
    assert (info.title, info.turns) == (QUESTION, 4)


def test_an_answer_has_its_own_number_whatever_is_asked_meanwhile(served, monkeypatch):
    client = served.browser()
    append = Conversations.append

    def meanwhile(self, owner, conversation, *turns, **options):
        place = append(self, owner, conversation, *turns, **options)
        # Another tab of the browser.
        append(self, owner, conversation, *turns)
        return place

    monkeypatch.setattr(Conversations, "append", meanwhile)
    last = ask(client)[-1]
    assert last["turn"] == 1
    assert 'id="t-1"' in last["html"]


@pytest.mark.parametrize("path", ["ask", "opinion"])
def test_what_is_no_text_is_told(served, path):
    client = served.browser()
    conversation = ask(client)[-1]["conversation"]
    broken = "\ud800"
    bodies = {
        "/chat/ask": [
            {"question": QUESTION, "conversation": broken},
            {"question": QUESTION, "documents": [broken]},
            {"question": QUESTION, "conversation": "x" * 1000},
        ],
        f"/chat/{conversation}/opinion": [{"turn": 1, "verdict": "wrong", "document": broken}],
    }
    for address, sent in bodies.items():
        for body in sent if address.endswith(path) else []:
            told = client.post(
                address, content=json.dumps(body), headers={"content-type": "application/json"}
            )
            assert (told.status_code, bool(told.json()["detail"])) == (422, True)


def test_a_question_that_fails_is_told_and_not_kept(served, monkeypatch, caplog):
    client = served.browser()
    assert "is empty" in ask(client, "  ")[-1]["error"]

    def broken(*_, **__):
        yield "searching"
        raise RuntimeError("a bug")

    monkeypatch.setattr(Assistant, "stages", broken)
    assert strings.BROKEN in html.unescape(ask(client)[-1]["error"])
    assert "a bug" in caplog.text
    assert strings.NO_CONVERSATIONS in client.get("/").text


def test_each_browser_has_conversations_of_its_own(served):
    mine, theirs = served.browser(), served.browser()
    conversation = ask(mine)[-1]["conversation"]
    assert mine.get(f"/c/{conversation}").status_code == 200
    stranger = served.client()
    for client in (theirs, stranger):
        assert QUESTION not in client.get("/").text
    for client, refusal in ((theirs, 404), (stranger, 403)):
        for method, path, body in (
            ("GET", "export", None),
            ("POST", "keep", {"keep": 0}),
            ("POST", "title", {"title": "mine now"}),
            ("POST", "opinion", {"turn": 1, "verdict": "right"}),
            ("DELETE", "", None),
        ):
            client.cookies.clear() if client is stranger else None
            refused = client.request(method, f"/chat/{conversation}/{path}".rstrip("/"), json=body)
            assert refused.status_code == refusal, path
        client.cookies.clear() if client is stranger else None
        assert (
            client.post("/chat/ask", json={"question": QUESTION, "conversation": conversation}).status_code
            == refusal
        )
    page = theirs.get(f"/c/{conversation}")
    assert (page.status_code, "Ada Byron" in page.text) == (404, False)
    assert mine.get(f"/c/{conversation}").text.count('class="turn"') == 1


def test_a_cookie_that_was_not_signed_here_is_no_ones(served):
    client = served.browser()
    conversation = ask(client)[-1]["conversation"]
    name = served.access.owner_cookie
    signed = client.cookies[name]
    owner, _, signature = signed.rpartition(".")
    # Not the signature's last character: some of its bits are padding.
    other = f"{owner}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    for forged in (owner, other, "me.x"):
        thief = served.client(cookies={name: forged})
        assert thief.get(f"/c/{conversation}").status_code == 404
    cookie = served.client().get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_a_removed_document_leaves_stored_conversations(served):
    client = served.browser()
    conversation = ask(client)[-1]["conversation"]
    [launch, _] = served.index.document_ids()
    client.delete(f"/api/documents/{launch}")
    page = client.get(f"/c/{conversation}").text
    assert QUESTION in page
    assert "Ada Byron" not in page
    assert "Ada Byron" not in client.get(f"/chat/{conversation}/export").text


def test_a_document_removed_while_it_is_quoted_is_not_kept(served, monkeypatch):
    client = served.browser()
    stages = Assistant.stages
    [launch, _] = served.index.document_ids()

    def meanwhile(self, *arguments, **options):
        for step in stages(self, *arguments, **options):
            if isinstance(step, Answer):
                served.app.state.service.library.remove(launch)
            yield step

    monkeypatch.setattr(Assistant, "stages", meanwhile)
    last = ask(client)[-1]
    assert "Ada Byron" not in last["html"] + last["sources"]
    kept = client.get(f"/chat/{last['conversation']}/export", params={"kind": "json"})
    assert "Ada Byron" not in kept.text


def test_opinions_become_a_question_set_of_their_browser(served):
    client, other = served.browser(), served.browser()
    conversation = ask(client)[-1]["conversation"]
    [launch, _] = served.index.document_ids()
    place = {"document": launch, "start": LAUNCH.index("May"), "end": LAUNCH.index("May") + 3}
    told = client.post(f"/chat/{conversation}/opinion", json={"turn": 1, "verdict": "wrong", **place}).json()
    assert told == {"told": strings.MARKED.format("May"), "verdict": "wrong"}
    squad = client.get("/chat/feedback.json").json()
    [paragraph] = squad["data"][0]["paragraphs"]
    [answer] = paragraph["qas"][0]["answers"]
    assert paragraph["context"][answer["answer_start"] :].startswith("May")
    assert other.get("/chat/feedback.json").json()["data"] == []
    beyond = {"turn": 1, "verdict": "wrong", "document": launch, "start": 0, "end": 10_000}
    assert client.post(f"/chat/{conversation}/opinion", json=beyond).status_code == 422
    missing = client.post(f"/chat/{conversation}/opinion", json={"turn": 9, "verdict": "right"})
    assert (missing.status_code, "Turn 17 is no answer" in missing.json()["detail"]) == (404, True)
    contrary = {"turn": 1, "verdict": "right", **place}
    refused = client.post(f"/chat/{conversation}/opinion", json=contrary)
    assert (refused.status_code, "An answer is marked" in refused.json()["detail"]) == (422, True)
    client.post(f"/chat/{conversation}/opinion", json={"turn": 1, "verdict": None})
    assert client.get("/chat/feedback.json").json()["data"] == []


def test_conversations_are_listed_and_exported(served):
    client = served.browser()
    conversation = ask(client)[-1]["conversation"]
    title = "<script>pwn()</script> \u202e"
    assert client.post(f"/chat/{conversation}/title", json={"title": title}).status_code == 200
    listed = client.get("/chat/list", params={"query": "rocket"}).text
    assert "&#60;script&#62;" in listed
    assert "\u202e" not in listed
    assert strings.NO_CONVERSATIONS_FOUND in client.get("/chat/list", params={"query": "nothing"}).text
    markdown = client.get(f"/chat/{conversation}/export")
    assert markdown.headers["content-disposition"].startswith("attachment")
    assert "launch.txt" in markdown.text
    plain = client.get(f"/chat/{conversation}/export", params={"kind": "text"})
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.headers["content-disposition"] == 'attachment; filename="conversation.txt"'
    assert plain.text.startswith("<script>pwn()</script>")
    assert f"> {QUESTION}" in plain.text
    assert f"/chat/{conversation}/export?kind=text" in client.get(f"/c/{conversation}").text
    assert json.loads(client.get(f"/chat/{conversation}/export", params={"kind": "json"}).text)["turns"]
    assert client.delete(f"/chat/{conversation}").status_code == 204
    assert client.get(f"/c/{conversation}").status_code == 404


# The page's parts


def test_documents_are_listed_in_parts_and_found(served):
    served.index.add_texts([(f"{number:03}.txt", f"Text number {number}.") for number in range(70)])
    client = served.client()
    first = client.get("/documents/list").text
    assert first.count("<tr data-document") == 50
    assert client.get("/documents/list", params={"offset": 50}).text.count("<tr data-document") == 22
    assert client.get("/documents/list", params={"query": "launch"}).text.count("<tr data-document") == 1
    assert strings.NO_DOCUMENTS_FOUND in client.get("/documents/list", params={"query": "zzz"}).text


def test_a_document_is_viewed_at_a_place(served):
    client = served.client()
    [launch, _] = served.index.document_ids()
    view = f"/documents/{launch}/view"
    place = {"start": 0, "end": 23, "answer_start": 20, "answer_end": 22}
    assert '<mark class="quoted answer" data-start="20">' in client.get(view, params=place).text
    changed = client.get(view, params={**place, "digest": "other"}).text
    assert strings.CHANGED in changed
    assert "<mark" not in changed
    for wrong in ({"start": -5, "end": 9}, {"start": 50, "end": 9}, {"start": 0, "end": 10_000}):
        assert "<mark" not in client.get(view, params=wrong).text
    found = client.get(f"/documents/{launch}/find", params={"words": "ada  BYRON"}).json()
    assert LAUNCH[found["start"] : found["end"]] == "Ada Byron"
    assert client.get(f"/documents/{launch}/find", params={"words": "nothing"}).status_code == 404
    assert client.get("/documents/none/view").status_code == 404


def test_examples_follow_the_documents(served):
    client = served.client()
    assert "Ada Byron" in client.get("/chat/welcome").text
    served.index.remove(*served.index.document_ids())
    assert strings.EMPTY in client.get("/chat/welcome").text


# The port


def test_a_port_in_use_is_named_with_the_fix():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port}\b.*--port {port + 1}"):
            server.serve([], None, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70000), ("127.0.0.1", -1), ("no.such.host.invalid", 7860)]
)
def test_an_address_that_cannot_be_had_is_one_line(host, port):
    with pytest.raises(SettingsError, match="--") as caught:
        server.serve([], None, host, port, auth=False)
    assert "\n" not in str(caught.value)


def test_listening_elsewhere_is_warned_of(capsys):
    server.announce("x", "127.0.0.1", 7860, protected=False)
    assert not capsys.readouterr().err
    server.announce("x", "0.0.0.0", 7860, protected=False)
    assert "without a password" in capsys.readouterr().err
    server.announce("x", "0.0.0.0", 7860, protected=True)
    assert "unencrypted" in capsys.readouterr().err


def test_app_ends_with_one_line_and_code_1(tmp_path):
    app = Path(__file__).parent.parent / "app.py"
    command = [sys.executable, str(app), "--port", "0", "--index", str(tmp_path / "none")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "VERBATIM_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 1
    # What was prepared for the first time may be told before.
    assert re.fullmatch(r"verbatim: .*no index there.*", done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr


def test_uploads_to_an_index_named_by_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERBATIM_HOME", "home")
    monkeypatch.setenv("VERBATIM_READER", "sentences")
    monkeypatch.setattr("index.index.load_encoder", lambda _=None: HashingEncoder())
    Index.open("mine").close()
    with (
        contextlib.closing(Conversations()) as conversations,
        open_corpus([], Path("mine")).assistant as assistant,
    ):
        corpus = open_corpus([], Path("mine"))
        corpus.assistant.close()
        app = server.create_app(
            dataclasses.replace(corpus, assistant=assistant), conversations, Access(b"k" * 32)
        )
        with TestClient(app, "http://127.0.0.1") as client:
            [file] = client.post("/api/documents", files={"files": ("tea.txt", b"Tea.")}).json()["files"]
            assert file["state"] == "added"
            assert client.delete(f"/api/documents/{file['document']}").status_code == 200
    assert list((tmp_path / "mine" / "documents").iterdir()) == []


def test_a_bug_on_one_file_stops_no_other(served, tmp_path, caplog):
    encode = served.index.encoder.encode

    def broken(texts):
        if "Tea" in texts[0]:
            raise RuntimeError("a bug")
        return encode(texts)

    served.index.encoder.encode = broken
    files = [("files", ("tea.txt", b"Tea.")), ("files", ("rice.txt", b"Rice."))]
    report = served.client().post("/api/documents", files=files).json()
    assert [file["state"] for file in report["files"]] == ["failed", "added"]
    assert report["files"][0]["message"] == strings.BROKEN
    assert "a bug" in caplog.text
    assert [path.name for path in (tmp_path / "documents").iterdir()] == ["rice.txt"]


def test_an_upload_does_not_hold_up_the_end(served, tmp_path):
    reading, go_on = threading.Event(), threading.Event()

    def slow(texts):
        reading.set()
        go_on.wait(30)
        return HashingEncoder().encode(texts)

    served.index.encoder.encode = slow
    uploads = served.app.state.service.uploads
    sent = uploads.submit([("tea.txt", io.BytesIO(b"Tea.")), ("rice.txt", io.BytesIO(b"Rice."))])
    waiting = uploads.submit([("flour.txt", io.BytesIO(b"Flour."))])
    assert reading.wait(30)
    threading.Timer(0.1, go_on.set).start()
    uploads.close()
    assert [file.state for file in sent.files] == ["failed", "failed"]
    assert waiting.files[0].state == "waiting"
    assert list((tmp_path / "documents").iterdir()) == []
    assert len(served.index.document_ids()) == 2


def test_gradio_hands_out_no_files(served, tmp_path):
    client = served.client()
    (tmp_path / "secret.txt").write_text("secret")
    for path in (
        tmp_path / "secret.txt",
        tmp_path / "conversations.db",
        "/etc/passwd",
        Path(server.__file__),
    ):
        assert client.get(f"/gradio/gradio_api/file={path}").status_code in (403, 404)
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)
    sent = client.post("/gradio/gradio_api/upload", files={"files": ("a.txt", b"some bytes")})
    assert sent.status_code >= 400


@pytest.mark.parametrize("prefix", ["/gradio/gradio_api", "/gradio_api"])
def test_gradio_fetches_nothing_for_a_stranger(prefix, served):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        client = served.client()
        for way in ("file=", "file/", "proxy="):
            response = client.get(f"{prefix}/{way}http://127.0.0.1:{port}/x.png")
            assert response.status_code == 404
            assert "nonce" not in response.headers["content-security-policy"]
        with contextlib.suppress(TimeoutError):
            asked.append(listener.accept())
    assert not asked


def test_only_gradios_page_gets_its_looser_policy(served):
    client = served.client()
    assert "nonce-" in client.get("/gradio/").headers["content-security-policy"]
    for path in ("/gradio/gradio_api/info", "/gradio/theme.css", "/gradio_api/info", "/config"):
        assert "nonce-" not in client.get(path).headers["content-security-policy"]


def test_an_edited_question_takes_nothing_away_where_its_answer_cannot_be_stored(served, monkeypatch):
    client = served.browser()
    first = ask(client)[-1]
    ask(client, "What does bread need?", conversation=first["conversation"])

    def fail(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr("qa.conversations.answer_to_json", fail)
    told = ask(client, "Who is Ada?", conversation=first["conversation"], keep=0)[-1]
    assert "The disk is full" in told["error"]
    page = client.get(f"/c/{first['conversation']}").text
    assert QUESTION in page
    assert "What does bread need?" in page


@pytest.mark.parametrize("number", [-1, 10**18, 10**30])
def test_numbers_out_of_range_are_told(number, served):
    client = served.browser()
    conversation = ask(client)[-1]["conversation"]
    assert client.post(f"/chat/{conversation}/keep", json={"keep": number}).status_code == 422
    opinion = {"turn": number, "verdict": "right"}
    assert client.post(f"/chat/{conversation}/opinion", json=opinion).status_code == 422


def test_where_nothing_can_be_kept_is_told(served, tmp_path):
    (tmp_path / "documents").write_text("a file in the way")
    refused = served.client().post("/api/documents", files={"files": ("tea.txt", b"Tea.")})
    assert refused.status_code == 503
    assert str(tmp_path / "documents") in refused.json()["detail"]
