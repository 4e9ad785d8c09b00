"""What schemathesis stands on when it fuzzes the API: things that exist, and a caller that cannot lock itself out.

Loaded by schemathesis through SCHEMATHESIS_HOOKS. On load it makes, as the administrator, the caller and everything that the
caller's requests may name; then it offers those names in the document beside the free ones, so that a good part of the
requests gets past "not found". The document's own schemas stay as they are beside them.
"""

import hashlib
import json
import os

import requests
import schemathesis

URL = os.environ["BERTH_URL"]
API = URL + "/api/v2.0"
CALLER = os.environ["BERTH_CALLER"]
PASSWORD = os.environ["BERTH_CALLER_PASSWORD"]
ADMIN = (os.environ["BERTH_ADMIN"], os.environ["BERTH_PASSWORD"])
IS_ADMIN = os.environ["BERTH_CALLER_IS_ADMIN"] == "yes"
PROJECT = f"{CALLER}-project"

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def ask(method, path, expected, **more):
    """One request of the preparation; anything but the expected answer ends the run."""
    answer = requests.request(method, URL + path, auth=ADMIN, timeout=30, **more)
    if answer.status_code != expected:
        raise SystemExit(f"preparing: {method} {path} answered {answer.status_code}: {answer.text}")
    return answer


def made(path, body):
    """Makes a thing and gives its id, the last word of Location."""
    return ask("POST", "/api/v2.0" + path, 201, json=body).headers["Location"].rsplit("/", 1)[1]


def user(name):
    return int(made("/users", {"username": name, "realname": name, "email": f"{name}@example.com", "password": PASSWORD}))


def blob(repository, content):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", 201, data=content,
        headers={"Content-Type": "application/octet-stream"})
    return {"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}


def manifest(repository, reference, body):
    content = json.dumps(body).encode()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    ask("PUT", f"/v2/{repository}/manifests/{reference or digest}", 201, data=content, headers={"Content-Type": MANIFEST})
    return {"mediaType": MANIFEST, "digest": digest, "size": len(content)}


def push(project):
    """An image with two tags, its signature by reference, and a file with an artifact type; digests of all three."""
    image, other = f"{project}/app", f"{project}/deep/er"
    config = blob(image, json.dumps({"architecture": "amd64", "os": "linux", "history": [{"created_by": "x"}]}).encode())
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {**config, "mediaType": CONFIG}, "layers": [blob(image, b"layer")]}
    pushed = [manifest(image, tag, body) for tag in ("v1", "locked-1")]
    empty = {**blob(image, b"{}"), "mediaType": "application/vnd.oci.empty.v1+json"}
    signature = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.cncf.notary.signature", "config": empty,
                 "layers": [empty], "subject": pushed[0]}
    pushed.append(manifest(image, None, signature))
    blob(other, b"{}")
    pushed.append(manifest(other, "note", {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.test.note",
                                           "config": empty, "layers": [empty], "annotations": {"a": "b"}}))
    return sorted({one["digest"] for one in pushed})


def prepare():
    """Values by the names of the document's parameters; they exist when this returns."""
    caller, spare = user(CALLER), user(f"{CALLER}-spare")
    project = int(made("/projects", {"project_name": PROJECT, "metadata": {"public": "true"}}))
    foreign = int(made("/projects", {"project_name": f"{PROJECT}-foreign"}))
    member = int(made(f"/projects/{project}/members", {"role_id": 1, "member_user": {"user_id": caller}}))
    if IS_ADMIN:
        ask("PUT", f"/api/v2.0/users/{caller}/sysadmin", 200, json={"sysadmin_flag": True})
    digests = push(PROJECT)
    labels = [int(made("/labels", body)) for body in (
        {"name": f"{CALLER}-everywhere", "scope": "g"}, {"name": "here", "scope": "p", "project_id": project})]
    access = [{"resource": "repository", "action": "pull"}]
    robots = [int(made("/robots", {"name": f"{CALLER}-{level}", "level": level, "duration": -1, "permissions": [
        {"kind": "project", "namespace": PROJECT, "access": access}]})) for level in ("system", "project")]
    selector = {"kind": "doublestar", "pattern": "**"}
    rule = int(made(f"/projects/{project}/immutabletagrules", {
        "action": "immutable", "template": "immutable_template",
        "tag_selectors": [{**selector, "decoration": "matches", "pattern": "locked-*"}],
        "scope_selectors": {"repository": [{**selector, "decoration": "repoMatches"}]}}))
    group = int(made("/usergroups", {"group_name": f"{CALLER}-group", "group_type": 2}))
    quotas = ask("GET", f"/api/v2.0/quotas?reference=project&reference_id={project}", 200).json()
    icon = ask("GET", f"/api/v2.0/projects/{PROJECT}/repositories/app/artifacts/v1", 200).json()["icon"]
    return {
        "path": {
            "project_name": [PROJECT, f"{PROJECT}-foreign"],
            "project_name_or_id": [PROJECT, str(project), str(foreign)],
            "repository_name": ["app", "deep%252Fer"],
            "reference": ["v1", "locked-1", "note", *digests],
            "tag_name": ["v1", "locked-1", "note"],
            "user_id": [caller, spare],
            "mid": [member],
            "label_id": labels,
            "robot_id": robots,
            "immutable_rule_id": [rule],
            "id": [quota["id"] for quota in quotas],
            "group_id": [group],
            "digest": [icon],
            "meta_name": ["public", "auto_scan", "severity", "reuse_sys_cve_allowlist"],
            "addition": ["build_history", "values.yaml", "readme.md", "dependencies", "files", "license"],
        },
        "query": {
            "q": ["name=~a", "name=app", "username=~f,email=~e", "creation_time=[2020-01-01~2030-01-01]", "id={1 2 3}", "id=(1 2)",
                  "tags=*", "tags=nil", "labels=(1 2)", "Level=project,ProjectID=1", "digest=~sha", "name=~%", "name=~_", "type=IMAGE"],
            "sort": ["name", "-name", "-creation_time,id", "id,-id", "update_time", "nothing"],
            "project_id": [project],
            "project_name": [PROJECT],
            "scope": ["g", "p", f"/project/{project}"],
            "reference": ["project"],
            "reference_id": [str(project)],
            "username": [CALLER],
            "entityname": [CALLER],
            "groupname": [f"{CALLER}-group"],
            "group_name": [f"{CALLER}-group"],
            "from": [f"{PROJECT}/app:v1", f"{PROJECT}/app@{digests[0]}"],
        },
    }, caller, spare


KNOWN, ME, SPARE = prepare()
WHO_PREPARES = ask("GET", "/api/v2.0/users/current", 200).json()["user_id"]

# Why a request is steered elsewhere: without its caller, or on a server that refuses all changes, every later one would be answered the same.
# A spare account takes what would shut the caller out, or who prepares the next run.
SHUTS_OUT = {"setUserSysAdmin", "updateUserPassword", "deleteUser"}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for item in raw_schema["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                known = KNOWN.get(parameter["in"], {}).get(parameter["name"])
                if known:
                    kind = parameter["schema"].get("type", "string")
                    parameter["schema"] = {"anyOf": [{"type": kind, "enum": known}, parameter["schema"]]}


@schemathesis.hook
def before_call(context, case, **_):
    operation = case.operation.definition.raw.get("operationId")
    if operation in SHUTS_OUT and str((case.path_parameters or {}).get("user_id")) in (str(ME), str(WHO_PREPARES)):
        case.path_parameters["user_id"] = SPARE
    if operation == "updateConfigurations" and isinstance(case.body, dict) and case.body.get("read_only") is True:
        case.body["read_only"] = False
