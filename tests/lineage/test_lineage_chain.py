"""The chain of proof: whole when nothing was touched; and of what was touched, exactly that link is named."""

import http.server
import sqlite3
import threading

import pytest

from mintage.errors import IntegrityError, RunError, UnknownNameError
from mintage.lineage.chain import render_chain, walk
from mintage.lineage.verify import verify_target
from mintage.repo.workspace import Workspace
from small_project import flip

RELEASE = "production/buys"
LINKS = ["release", "model", "certificate", "policy", "hold-out", "provenance", "run"]
LINKS += ["data", "data", "environment", "commit"]


@pytest.fixture(scope="module")
def project(_released, tmp_path_factory):
    return _released.copy_to(tmp_path_factory.mktemp("chain") / "project")


def chain(project, target=RELEASE):
    return verify_target(target, workspace=Workspace(project.root))


def broken(project, target=RELEASE):
    """The links that do not hold: kind and what is said of them."""
    found = chain(project, target)
    assert not found.whole
    return {link.kind: link.detail for link in walk(found) if not link.ok}


def parts(project):
    """Digests of the things that the release's chain rests on."""
    champion = project.manifest()["champion"]
    record = project.record(champion["record"])["body"]
    run = project.record(record["run"])["body"]
    tree = project.record(record["tree"])
    return {
        "model record": champion["record"],
        "model tree": record["tree"],
        "model file": next(entry["digest"] for entry in tree["entries"] if entry["path"] == "model.onnx"),
        "model signature": next(entry["digest"] for entry in tree["entries"] if entry["path"] == "model.sig"),
        "certificate": champion["certificate"],
        "provenance": record["provenance"],
        "run record": record["run"],
        "data": run["stages"]["split"]["inputs"][0]["digest"],
        "output": run["stages"]["train"]["outputs"][0]["digest"],
        "environment": run["environment"],
    }


def test_an_untouched_chain_is_whole(project):
    found = chain(project)
    assert found.whole
    assert [link.kind for link in walk(found)] == LINKS
    text = render_chain(found)
    assert text.count("ok  ") == len(LINKS) and "NO" not in text
    assert chain(project, "buys").whole


@pytest.mark.parametrize(
    ("thing", "link"),
    [
        ("model record", "model"),
        ("model tree", "model"),
        ("model file", "model"),
        ("model signature", "model"),
        ("certificate", "certificate"),
        ("provenance", "provenance"),
        ("run record", "run"),
        ("data", "data"),
        ("output", "data"),
        ("environment", "environment"),
    ],
)
@pytest.mark.parametrize("damage", ["flipped", "lost"])
def test_of_a_thing_that_changed_exactly_its_link_is_named(project, thing, link, damage):
    digest = parts(project)[thing]
    path = project.blob(digest)
    data = path.read_bytes()
    try:
        if damage == "flipped":
            flip(path)
        else:
            path.unlink()
        found = broken(project)
        assert set(found) == {link}
        assert ("does not match its name" if damage == "flipped" else "is not in the store") in found[link]
        assert digest[:12] in found[link]
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    assert chain(project).whole


@pytest.mark.parametrize(("role", "links"), [("model", {"model"}), ("certificate", {"certificate"})])
def test_a_key_that_is_not_trusted_any_more_breaks_what_it_signed(project, role, links):
    before = project.read("trust.yaml")
    roles = [each for each in ("model", "certificate", "release") if each != role]
    project.replace("trust.yaml", "roles: [model, certificate, release, result]", f"roles: [{', '.join(roles)}]")
    assert set(broken(project)) == links
    project.write("trust.yaml", before)


def test_a_changed_policy_breaks_its_link_alone(project):
    head = project.git("rev-parse", "HEAD")
    project.replace("policies/buys.yaml", "min: 0.60", "min: 0.10")
    assert chain(project).whole, "what is not committed does not count"
    project.commit("a looser policy")
    assert set(broken(project)) == {"policy"}
    project.git("rm", "-q", "policies/buys.yaml")
    project.commit("no policy")
    assert set(broken(project)) == {"policy"}
    project.git("reset", "-q", "--hard", head)


def test_a_manifest_that_names_another_root_breaks_the_model(project):
    head = project.git("rev-parse", "HEAD")
    manifest = project.manifest()
    manifest["champion"]["root"] = "sha256:" + "1" * 64
    project.write_manifest(manifest)
    project.commit("by hand")
    assert set(broken(project)) == {"model"}
    project.git("reset", "-q", "--hard", head)


def test_certificate_and_provenance_of_another_model_are_seen(project):
    head = project.git("rev-parse", "HEAD")
    manifest = project.manifest()
    manifest["champion"]["certificate"] = project.lock("certificate:buys")["record"]
    project.write_manifest(manifest)
    project.commit("by hand")
    found = broken(project)
    assert set(found) == {"certificate"} and "another model" in found["certificate"]
    project.git("reset", "-q", "--hard", head)


def test_a_commit_that_git_lost_breaks_the_commit_link(released):
    assert chain(released, "buys").whole, "it was made from a dirty tree: the snapshot holds it"
    for line in released.git("for-each-ref", "--format=%(refname)", "refs/mintage").split():
        released.git("update-ref", "-d", line)
    released.git("reflog", "expire", "--expire=now", "--all")
    released.git("gc", "-q", "--prune=now")
    found = broken(released, "buys")
    assert set(found) == {"commit"} and "is not in this clone" in found["commit"]
    assert chain(released).whole, "the released model was made from a commit of the branch"


def test_a_row_of_the_audit_log_that_was_changed_is_found(released):
    released.run("verify", RELEASE)
    connection = sqlite3.connect(released.root / ".mintage/mintage.db", isolation_level=None)
    trigger, sql = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%UPDATE ON audit_entry%'"
    ).fetchone()
    connection.execute(f"DROP TRIGGER {trigger}")
    (body,) = connection.execute("SELECT body FROM audit_entry WHERE seq = 2").fetchone()
    connection.execute("UPDATE audit_entry SET body = ? WHERE seq = 2", (body.replace(b"user:", b"User:"),))
    connection.execute(sql)
    connection.close()
    answer = released.run("verify", RELEASE, "--json", expect=4)
    assert answer.json["error"]["code"] == "audit.log-broken" and "entry 2" in answer.json["error"]["found"]


def test_the_endpoint_is_the_first_link_and_must_serve_what_the_manifest_says(released):
    url = released.run("reconcile", "production", "--json").json["url"]
    found = chain(released, url)
    assert found.whole and [link.kind for link in walk(found)] == ["endpoint", *LINKS]
    released.run("release", "buys", "--to", "production")
    found = broken(released)
    assert set(found) == {"endpoint"} and "serves another model" in found["endpoint"]
    released.run("reconcile", "production")
    assert chain(released, url + "/").whole


def test_a_gateway_whose_model_no_manifest_names_is_not_believed(released):
    url = released.run("reconcile", "production", "--json").json["url"]
    released.git("rm", "-q", "releases/production/buys.yaml")
    released.commit("out of service")
    found = chain(released, url)
    assert not found.ok and "no committed manifest" in found.detail


@pytest.mark.parametrize("answer", [b"<html>hello</html>", b'{"models": ["buys"]}', b'"text"', b"\xff"])
def test_an_address_that_is_no_gateway_is_said_to_be_none(project, answer):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with pytest.raises(IntegrityError, match="not understood"):
            chain(project, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_a_target_that_is_not_there_is_an_error_not_a_broken_chain(project):
    with pytest.raises(UnknownNameError):
        chain(project, "staging/buys")
    with pytest.raises(UnknownNameError):
        chain(project, "leaves")
    with pytest.raises(RunError):
        chain(project, "http://127.0.0.1:9")
