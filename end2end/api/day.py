"""A day's work with a client that a generator made from the API's document: every operation on what projects hold, with its answers.

Runs with the generated package's folder in PYTHONPATH. The names used here are Harbor's: the same program works with a client that was
generated from Harbor's own document. Prints one line for each part and ends with an error at the first thing that is not as expected.
"""

import importlib
import hashlib
import io
import json
import os
import sys
import tarfile
from urllib.parse import quote

import urllib3

PACKAGE = sys.argv[1]
URL = os.environ["BERTH_URL"]
PROJECT = f"day-{PACKAGE.replace('_', '-')}"
PASSWORD = "Day-Pass-1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

client = importlib.import_module(PACKAGE)
exceptions = importlib.import_module(f"{PACKAGE}.exceptions")


def sign_in(name, password):
    configuration = client.Configuration(host=f"{URL}/api/v2.0", username=name, password=password)
    return client.ApiClient(configuration)


def same(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: got {got!r}, expected {expected!r}")


def holds(what, fact):
    same(what, bool(fact), True)


def refused(status, call, *words, **named):
    """The call must be refused with this status; gives the first error of the answer."""
    try:
        answer = call(*words, **named)
    except exceptions.ApiException as error:
        same(f"{call.__name__} {words} {named}", error.status, status)
        return json.loads(error.body)["errors"][0] if error.body else None
    raise SystemExit(f"{call.__name__} {words} {named} was answered with {answer!r}, expected {status}")


def made(call, *words, **named):
    """The id of what the call made, from Location."""
    _, status, headers = call(*words, **named)
    same(f"{call.__name__}: status", status, 201)
    location = headers["Location"]
    holds(f"{call.__name__}: Location {location}", location.startswith("/api/v2.0/"))
    return int(location.rsplit("/", 1)[1])


def archive(**files):
    """A tar with these files, by path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def total(call, *words, **named):
    """Rows of a list, after comparing X-Total-Count with their number."""
    rows, status, headers = call(*words, **named)
    same(f"{call.__name__}: status", status, 200)
    same(f"{call.__name__}: X-Total-Count", int(headers["X-Total-Count"]), len(rows))
    return rows


class Registry:
    """Just enough of the distribution protocol to push small artifacts."""

    def __init__(self, name, password):
        self.pool = urllib3.PoolManager()
        self.headers = urllib3.make_headers(basic_auth=f"{name}:{password}")

    def send(self, method, path, content, content_type):
        answer = self.pool.request(method, URL + path, body=content, headers={**self.headers, "Content-Type": content_type})
        same(f"{method} {path}", answer.status, 201)

    def blob(self, repository, content, media_type):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.send("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", content, "application/octet-stream")
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, repository, tag, body):
        content = json.dumps(body).encode()
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.send("PUT", f"/v2/{repository}/manifests/{tag or digest}", content, MANIFEST)
        return {"mediaType": MANIFEST, "digest": digest, "size": len(content)}

    def image(self, repository, tag, seed):
        config = {"architecture": "amd64", "os": "linux", "author": seed, "created": "2024-05-06T07:08:09Z",
                  "config": {"Env": ["A=b"]}, "history": [{"created": "2024-05-06T07:08:09Z", "created_by": f"RUN {seed}"}],
                  "rootfs": {"type": "layers", "diff_ids": []}}
        return self.manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(repository, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [self.blob(repository, seed.encode(), "application/vnd.oci.image.layer.v1.tar")],
            "annotations": {"org.opencontainers.image.title": seed}})

    def referrer(self, repository, subject, kind, layer=None):
        """An artifact of this kind about another, with this layer, or an empty one."""
        empty = self.blob(repository, b"{}", "application/vnd.oci.empty.v1+json")
        return self.manifest(repository, None, {
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": empty, "layers": [layer or empty], "subject": subject})

    def signature_by_tag(self, repository, subject):
        """As cosign signs without referrers: by a tag that spells the digest of what is signed."""
        payload = self.blob(repository, b'{"critical":{}}', "application/vnd.dev.cosign.simplesigning.v1+json")
        config = self.blob(repository, b'{"architecture":"","os":""}', "application/vnd.oci.image.config.v1+json")
        return self.manifest(repository, subject["digest"].replace(":", "-") + ".sig",
                             {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [payload]})

    def nydus(self, repository, subject):
        """An image for lazy loading, about the image that it was made from."""
        config = self.blob(repository, b'{"architecture":"amd64","os":"linux"}', "application/vnd.oci.image.config.v1+json")
        layer = self.blob(repository, b"bootstrap", "application/vnd.oci.image.layer.v1.tar+gzip")
        layer["annotations"] = {"containerd.io/snapshot/nydus-bootstrap": "true"}
        return self.manifest(repository, None, {
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer], "subject": subject})

    def chart(self, repository, tag):
        about = {"apiVersion": "v2", "name": "web", "version": "1.2.3", "description": "A web server",
                 "dependencies": [{"name": "cache", "version": "~1.0", "repository": "https://example.com/charts"}]}
        packed = archive(**{"web/Chart.yaml": json.dumps(about), "web/values.yaml": "replicas: 2\n", "web/README.md": "# Web\n"})
        return self.manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(repository, json.dumps(about).encode(), "application/vnd.cncf.helm.config.v1+json"),
            "layers": [self.blob(repository, packed, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]})

    def model(self, repository, tag):
        layers = []
        for path, kind, text in (("README.md", "doc", "# Tiny\n"), ("LICENSE", "doc", "Do as you like.\n"), ("w/model.gguf", "weight", "weights")):
            layer = self.blob(repository, archive(**{path: text}), f"application/vnd.cncf.model.{kind}.v1.tar")
            layers.append({**layer, "annotations": {"org.cncf.model.filepath": path}})
        about = {"descriptor": {"name": "tiny", "version": "1"}, "config": {"format": "gguf"}, "modelfs": {"type": "layers", "diffIds": []}}
        return self.manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.cncf.model.manifest.v1+json",
            "config": self.blob(repository, json.dumps(about).encode(), "application/vnd.cncf.model.config.v1+json"), "layers": layers})

    def bundle(self, repository, tag):
        """A bundle of policies for Open Policy Agent, as its command line and conftest push them."""
        about = {"created": "2024-05-06T07:08:09Z", "revision": "7"}
        rules = archive(**{"policy.rego": "package main\n\nallow := true\n", ".manifest": "{}"})
        return self.manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(repository, json.dumps(about).encode(), "application/vnd.cncf.openpolicyagent.config.v1+json"),
            "layers": [self.blob(repository, rules, "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego")]})


admin = sign_in(os.environ["BERTH_ADMIN"], os.environ["BERTH_PASSWORD"])
registry = Registry(os.environ["BERTH_ADMIN"], os.environ["BERTH_PASSWORD"])
nobody = client.ApiClient(client.Configuration(host=f"{URL}/api/v2.0"))
state = {}


def system():
    same("ping", client.PingApi(nobody).get_ping(), "Pong")
    health = client.HealthApi(nobody).get_health()
    same("health", health.status, "healthy")
    same("components", {part.status for part in health.components}, {"healthy"})
    info = client.SysteminfoApi(admin).get_system_info()
    same("auth_mode", info.auth_mode, "db_auth")
    holds("harbor_version", info.harbor_version)
    holds("current_time", info.current_time.year > 2000)
    same("an anonymous caller learns less", client.SysteminfoApi(nobody).get_system_info().registry_url, None)
    statistic = client.StatisticApi(admin).get_statistic()
    same("total of projects", statistic.total_project_count, statistic.private_project_count + statistic.public_project_count)
    settings = client.ConfigureApi(admin).get_configurations()
    same("auth_mode", (settings.auth_mode.value, settings.auth_mode.editable), ("db_auth", True))
    same("robot_name_prefix", settings.robot_name_prefix.value, "robot$")
    before = settings.token_expiration.value
    client.ConfigureApi(admin).update_configurations(configurations=client.Configurations(token_expiration=before + 5))
    same("token_expiration", client.ConfigureApi(admin).get_configurations().token_expiration.value, before + 5)
    client.ConfigureApi(admin).update_configurations(configurations=client.Configurations(token_expiration=before))
    # For the parts of a system among themselves, and so for nobody.
    for caller in (admin, nobody):
        refused(401, client.ConfigureApi(caller).get_internalconfig)
    permissions = client.PermissionsApi(admin).get_permissions()
    holds("a robot can be let pull", any((p.resource, p.action) == ("repository", "pull") for p in permissions.project))
    disks = client.SysteminfoApi(admin).get_volumes().storage
    same("disks", len(disks), 1)
    holds(f"room of {disks[0].total} bytes, {disks[0].free} of them free", disks[0].total >= disks[0].free > 0)
    refused(401, client.SysteminfoApi(nobody).get_volumes)
    # The server of this day speaks plain http: it made no certificate that clients would have to trust.
    same("no certificate", refused(404, client.SysteminfoApi(nobody).get_cert)["code"], "NOT_FOUND")


def users():
    users = client.UserApi(admin)
    for role in ("developer", "stranger"):
        name = f"{PROJECT}-{role}"
        state[role] = made(users.create_user_with_http_info, user_req=client.UserCreationReq(
            username=name, email=f"{name}@example.com", realname=role.title(), password=PASSWORD, comment="of the day"))
        state[f"as {role}"] = sign_in(name, PASSWORD)
    name = f"{PROJECT}-developer"
    taken = client.UserCreationReq(username=name, email="other@example.com", realname="x", password=PASSWORD)
    same("a second user of the name", refused(409, users.create_user, user_req=taken)["code"], "CONFLICT")
    user = users.get_user(state["developer"])
    same("user", (user.username, user.realname, user.comment, user.sysadmin_flag), (name, "Developer", "of the day", False))
    users.update_user_profile(state["developer"], profile=client.UserProfile(email=user.email, realname="Dev", comment="later"))
    same("changed user", (users.get_user(state["developer"]).realname, users.get_user(state["developer"]).comment), ("Dev", "later"))
    same("list", [u.user_id for u in total(users.list_users_with_http_info, q=f"username={name}")], [state["developer"]])
    same("search", [u.user_id for u in total(users.search_users_with_http_info, username=name)], [state["developer"]])
    own = client.UserApi(state["as developer"])
    same("who am I", own.get_current_user_info().username, name)
    own.update_user_password(state["developer"], password=client.PasswordReq(old_password=PASSWORD, new_password=PASSWORD + "x"))
    refused(401, own.get_current_user_info)
    state["as developer"] = sign_in(name, PASSWORD + "x")
    users.set_user_sys_admin(state["stranger"], sysadmin_flag=client.UserSysAdminFlag(sysadmin_flag=True))
    same("an administrator", users.get_user(state["stranger"]).sysadmin_flag, True)
    users.set_user_sys_admin(state["stranger"], sysadmin_flag=client.UserSysAdminFlag(sysadmin_flag=False))
    refused(403, client.UserApi(state["as stranger"]).list_users)
    # Such secrets are for people who come from an identity provider; whoever signs in with a password here needs none.
    secret = client.OIDCCliSecretReq(secret="Cli-Secret-1")
    same("no secret for the command line", refused(412, users.set_cli_secret, state["developer"], secret=secret)["code"], "PRECONDITION")


def groups():
    groups = client.UsergroupApi(admin)
    name = f"{PROJECT}-group"
    group = client.UserGroup(group_name=name, group_type=2)
    state["group"] = made(groups.create_user_group_with_http_info, usergroup=group)
    same("a second group of the name", refused(409, groups.create_user_group, usergroup=group)["code"], "CONFLICT")
    refused(400, groups.create_user_group, usergroup=client.UserGroup(group_name=f"{name}-odd", group_type=9))
    got = groups.get_user_group(state["group"])
    same("group", (got.group_name, got.group_type), (name, 2))
    listed = total(groups.list_user_groups_with_http_info, group_name=name)
    same("list", [(g.id, g.group_name, g.group_type) for g in listed], [(state["group"], name, 2)])
    groups.update_user_group(state["group"], usergroup=client.UserGroup(group_name=f"{name}-renamed", group_type=2))
    same("renamed", groups.get_user_group(state["group"]).group_name, f"{name}-renamed")
    # Whoever is signed in may search, so that groups can be made members; only an administrator keeps them.
    found = total(client.UsergroupApi(state["as stranger"]).search_user_groups_with_http_info, f"{name}-renamed")
    same("search", [(g.id, g.group_name) for g in found], [(state["group"], f"{name}-renamed")])
    refused(403, client.UsergroupApi(state["as stranger"]).list_user_groups)
    refused(401, client.UsergroupApi(nobody).search_user_groups, name)


def projects():
    projects = client.ProjectApi(admin)
    refused(404, projects.head_project, PROJECT)
    request = client.ProjectReq(project_name=PROJECT, metadata=client.ProjectMetadata(public="false"), storage_limit=1 << 30)
    state["project"] = made(projects.create_project_with_http_info, project=request)
    refused(409, projects.create_project, project=request)
    projects.head_project(PROJECT)
    project = projects.get_project(PROJECT)
    same("project", (project.project_id, project.name, project.metadata.public), (state["project"], PROJECT, "false"))
    same("by id", projects.get_project(str(state["project"])).name, PROJECT)
    same("by name only", refused(404, projects.get_project, str(state["project"]), x_is_resource_name=True)["code"], "NOT_FOUND")
    projects.update_project(PROJECT, project=client.ProjectReq(metadata=client.ProjectMetadata(auto_scan="true", severity="high")))
    metadata = projects.get_project(PROJECT).metadata
    same("changed metadata", (metadata.public, metadata.auto_scan, metadata.severity), ("false", "true", "high"))
    listed = total(projects.list_projects_with_http_info, q=f"name={PROJECT}", with_detail=True)
    same("list", [p.project_id for p in listed], [state["project"]])
    same("a stranger's list", client.ProjectApi(state["as stranger"]).list_projects(name=PROJECT), [])
    refused(403, client.ProjectApi(state["as stranger"]).get_project, PROJECT)
    summary = projects.get_project_summary(PROJECT)
    same("summary", (summary.repo_count, summary.quota.hard["storage"]), (0, 1 << 30))
    settings = client.ProjectMetadataApi(admin)
    settings.add_project_metadatas(PROJECT, metadata={"prevent_vul": "true"})
    same("metadata", settings.get_project_metadata(PROJECT, "prevent_vul"), {"prevent_vul": "true"})
    settings.update_project_metadata(PROJECT, "prevent_vul", metadata={"prevent_vul": "false"})
    same("all metadata", settings.list_project_metadatas(PROJECT)["prevent_vul"], "false")
    settings.delete_project_metadata(PROJECT, "prevent_vul")
    holds("deleted metadata", "prevent_vul" not in settings.list_project_metadatas(PROJECT))


def allowlists():
    everywhere = client.SystemCVEAllowlistApi(admin)
    before = everywhere.get_system_cve_allowlist()
    listed = client.CVEAllowlist(items=[client.CVEAllowlistItem(cve_id="CVE-2024-0001")], expires_at=4102444800)
    everywhere.put_system_cve_allowlist(allowlist=listed)
    got = everywhere.get_system_cve_allowlist()
    same("system's allowlist", ([i.cve_id for i in got.items], got.expires_at), (["CVE-2024-0001"], 4102444800))
    everywhere.put_system_cve_allowlist(allowlist=client.CVEAllowlist(items=before.items or [], expires_at=before.expires_at))
    projects = client.ProjectApi(admin)
    projects.update_project(PROJECT, project=client.ProjectReq(
        metadata=client.ProjectMetadata(reuse_sys_cve_allowlist="false"),
        cve_allowlist=client.CVEAllowlist(items=[client.CVEAllowlistItem(cve_id="CVE-2024-0002")])))
    same("project's allowlist", [i.cve_id for i in projects.get_project(PROJECT).cve_allowlist.items], ["CVE-2024-0002"])


def members():
    members = client.MemberApi(admin)
    someone = client.ProjectMember(role_id=2, member_user=client.UserEntity(username=f"{PROJECT}-developer"))
    state["member"] = made(members.create_project_member_with_http_info, PROJECT, project_member=someone)
    refused(409, members.create_project_member, PROJECT, project_member=someone)
    member = members.get_project_member(PROJECT, state["member"])
    same("member", (member.entity_name, member.entity_type, member.role_id, member.role_name, member.project_id),
         (f"{PROJECT}-developer", "u", 2, "developer", state["project"]))
    members.update_project_member(PROJECT, state["member"], role=client.RoleRequest(role_id=4))
    same("role", members.get_project_member(PROJECT, state["member"]).role_name, "maintainer")
    listed = members.list_project_members(PROJECT, entityname=f"{PROJECT}-developer")
    same("list", [m.id for m in listed], [state["member"]])
    group = client.ProjectMember(role_id=3, member_group=client.UserGroup(id=state["group"]))
    of_group = made(members.create_project_member_with_http_info, PROJECT, project_member=group)
    member = members.get_project_member(PROJECT, of_group)
    same("a group as member", (member.entity_name, member.entity_type, member.role_name), (f"{PROJECT}-group-renamed", "g", "guest"))
    members.delete_project_member(PROJECT, of_group)
    same("as a member", client.ProjectApi(state["as developer"]).get_project(PROJECT).current_user_role_ids, [4])
    allowed = client.UserApi(state["as developer"]).get_current_user_permissions(scope=f"/project/{state['project']}", relative=True)
    holds("a maintainer may push", any((p.resource, p.action) == ("repository", "push") for p in allowed))


def robots():
    robots = client.RobotApi(admin)
    pull = client.RobotPermission(kind="project", namespace=PROJECT, access=[client.Access(resource="repository", action="pull")])
    for level, name in (("project", f"robot${PROJECT}+puller"), ("system", f"robot${PROJECT}-puller")):
        request = client.RobotCreate(name="puller" if level == "project" else f"{PROJECT}-puller", level=level, duration=30,
                                     description="pulls", permissions=[pull])
        created, status, headers = robots.create_robot_with_http_info(robot=request)
        same("robot", (status, created.name, headers["Location"]), (201, name, f"/api/v2.0/robots/{created.id}"))
        holds("its secret", len(created.secret) >= 8)
        state[f"{level} robot"] = created.id
        robot = robots.get_robot_by_id(created.id)
        same("robot", (robot.name, robot.level, robot.duration, robot.disable, robot.editable), (name, level, 30, False, True))
        same("its permission", [(p.kind, p.namespace, p.access[0].resource, p.access[0].action) for p in robot.permissions],
             [("project", PROJECT, "repository", "pull")])
        robot.description, robot.disable = "rests", True
        robots.update_robot(created.id, robot=robot)
        same("changed robot", (robots.get_robot_by_id(created.id).description, robots.get_robot_by_id(created.id).disable), ("rests", True))
    secret = robots.refresh_sec(state["project robot"], robot_sec=client.RobotSec(secret="")).secret
    holds("a new secret", len(secret) >= 8)
    listed = total(robots.list_robot_with_http_info, q=f"Level=project,ProjectID={state['project']}")
    same("list", [r.id for r in listed], [state["project robot"]])


def labels():
    labels = client.LabelApi(admin)
    for scope, more in (("p", {"project_id": state["project"]}), ("g", {})):
        label = client.Label(name=f"{PROJECT}-{scope}", color="#0065AB", description="kept", scope=scope, **more)
        state[f"label {scope}"] = made(labels.create_label_with_http_info, label=label)
        refused(409, labels.create_label, label=label)
        got = labels.get_label_by_id(state[f"label {scope}"])
        same("label", (got.name, got.color, got.scope, got.project_id), (label.name, "#0065AB", scope, label.project_id))
        got.description = "changed"
        labels.update_label(got.id, label=got)
        same("changed label", labels.get_label_by_id(got.id).description, "changed")
    listed = total(labels.list_labels_with_http_info, scope="p", project_id=state["project"])
    same("list", [label.id for label in listed], [state["label p"]])


def repositories():
    for tag, seed in (("v1", "one"), ("v2", "two")):
        state[f"pushed {tag}"] = registry.image(f"{PROJECT}/app", tag, seed)
        state[tag] = state[f"pushed {tag}"]["digest"]
    registry.image(f"{PROJECT}/deep/er", "v1", "deep")
    repositories = client.RepositoryApi(admin)
    listed = total(repositories.list_repositories_with_http_info, PROJECT, sort="name")
    same("list", [(r.name, r.artifact_count) for r in listed], [(f"{PROJECT}/app", 2), (f"{PROJECT}/deep/er", 1)])
    deep = quote("deep/er", safe="")
    same("with a slash in its name", repositories.get_repository(PROJECT, deep).name, f"{PROJECT}/deep/er")
    repositories.update_repository(PROJECT, "app", repository=client.Repository(description="# App"))
    same("description", repositories.get_repository(PROJECT, "app").description, "# App")
    same("of all projects", [r.name for r in total(repositories.list_all_repositories_with_http_info, q=f"name=~{PROJECT}/deep")],
         [f"{PROJECT}/deep/er"])
    refused(404, repositories.get_repository, PROJECT, "nothing")


def artifacts():
    artifacts = client.ArtifactApi(admin)
    artifact = artifacts.get_artifact(PROJECT, "app", "v1", with_tag=True, with_label=True)
    same("artifact", (artifact.digest, artifact.type, artifact.media_type, artifact.manifest_media_type),
         (state["v1"], "IMAGE", "application/vnd.oci.image.config.v1+json", MANIFEST))
    same("attributes", (artifact.extra_attrs["architecture"], artifact.extra_attrs["author"]), ("amd64", "one"))
    same("annotations", artifact.annotations, {"org.opencontainers.image.title": "one"})
    same("its tag", [t.name for t in artifact.tags], ["v1"])
    icon = client.IconApi(nobody).get_icon(artifact.icon)
    holds("its icon", icon.content and icon.content_type.startswith("image/"))
    links = artifact.addition_links
    holds("build history is offered", links["build_history"].href.endswith(f"/artifacts/{state['v1']}/additions/build_history"))
    history = artifacts.get_addition(PROJECT, "app", "v1", "build_history", _preload_content=False)
    same("build history", json.loads(history.data)[0]["created_by"], "RUN one")
    # Nothing scans here, and that is what is told; of what is not there, that it is not.
    unscanned = refused(404, artifacts.get_vulnerabilities_addition, PROJECT, "app", "v1")
    holds(f"no scanner: {unscanned}", "scanner" in unscanned["message"])
    missing = refused(404, artifacts.get_vulnerabilities_addition, PROJECT, "app", "nothing")
    holds(f"no artifact: {missing}", "scanner" not in missing["message"])
    listed = total(artifacts.list_artifacts_with_http_info, PROJECT, "app", sort="-push_time", with_tag=True)
    same("list", [a.digest for a in listed], [state["v2"], state["v1"]])
    same("by tag", [a.digest for a in artifacts.list_artifacts(PROJECT, "app", q="tags=v2")], [state["v2"]])
    artifacts.add_label(PROJECT, "app", "v1", label=client.Label(id=state["label p"]))
    refused(409, artifacts.add_label, PROJECT, "app", "v1", label=client.Label(id=state["label p"]))
    labelled = artifacts.list_artifacts(PROJECT, "app", q=f"labels=({state['label p']})", with_label=True)
    same("by label", [(a.digest, [l.id for l in a.labels]) for a in labelled], [(state["v1"], [state["label p"]])])
    artifacts.remove_label(PROJECT, "app", "v1", state["label p"])
    same("without the label", artifacts.get_artifact(PROJECT, "app", "v1", with_label=True).labels, None)
    _, status, headers = artifacts.copy_artifact_with_http_info(PROJECT, "copy", _from=f"{PROJECT}/app:v1")
    same("copy", (status, headers["Location"]), (201, f"/api/v2.0/projects/{PROJECT}/repositories/copy/artifacts/v1"))
    same("copied tag", [t.name for t in artifacts.list_tags(PROJECT, "copy", state["v1"])], ["v1"])
    projects = client.ProjectApi(admin)
    refused(400, projects.list_artifacts_of_project, PROJECT, latest_in_repository=True)
    images = "media_type=application/vnd.oci.image.config.v1%2Bjson"
    of_project = projects.list_artifacts_of_project(PROJECT, latest_in_repository=True, with_tag=True, q=images)
    same("latest of each repository", sorted(a.repository_name for a in of_project), sorted(f"{PROJECT}/{r}" for r in ("app", "copy", "deep/er")))
    refused(404, artifacts.get_artifact, PROJECT, "app", "nothing")


def tags():
    artifacts = client.ArtifactApi(admin)
    artifacts.create_tag(PROJECT, "app", "v1", tag=client.Tag(name="stable"))
    refused(409, artifacts.create_tag, PROJECT, "app", "v1", tag=client.Tag(name="stable"))
    listed = total(artifacts.list_tags_with_http_info, PROJECT, "app", state["v1"], with_immutable_status=True, sort="name")
    same("tags", [(t.name, t.immutable) for t in listed], [("stable", False), ("v1", False)])
    rules = client.ImmutableApi(admin)
    selector = dict(kind="doublestar", pattern="stable")
    rule = client.ImmutableRule(
        action="immutable", template="immutable_template", tag_selectors=[client.ImmutableSelector(decoration="matches", **selector)],
        scope_selectors={"repository": [client.ImmutableSelector(kind="doublestar", decoration="repoMatches", pattern="**")]})
    rule_id = made(rules.create_immu_rule_with_http_info, PROJECT, immutable_rule=rule)
    listed = rules.list_immu_rules(PROJECT)
    same("rule", [(r.id, bool(r.disabled), r.tag_selectors[0].pattern, r.scope_selectors["repository"][0].decoration) for r in listed],
         [(rule_id, False, "stable", "repoMatches")])
    same("immutable", artifacts.list_tags(PROJECT, "app", "v1", q="name=stable", with_immutable_status=True)[0].immutable, True)
    same("a fixed tag stays", refused(412, artifacts.delete_tag, PROJECT, "app", "v1", "stable")["code"], "PRECONDITION")
    listed[0].disabled = True
    rules.update_immu_rule(PROJECT, rule_id, immutable_rule=listed[0])
    artifacts.delete_tag(PROJECT, "app", "v1", "stable")
    refused(404, artifacts.delete_tag, PROJECT, "app", "v1", "stable")
    rules.delete_immu_rule(PROJECT, rule_id)
    same("no rules", rules.list_immu_rules(PROJECT), [])


def accessories():
    artifacts = client.ArtifactApi(admin)
    repository, subject = f"{PROJECT}/copy", state["pushed v1"]
    bill = json.dumps({"spdxVersion": "SPDX-2.3"})
    kind = "application/vnd.goharbor.harbor.sbom.v1"
    pushed = {
        "signature.notation": registry.referrer(repository, subject, "application/vnd.cncf.notary.signature"),
        "signature.cosign": registry.signature_by_tag(repository, subject),
        "sbom.harbor": registry.referrer(repository, subject, kind, registry.blob(repository, bill.encode(), kind)),
        "accelerator.nydus": registry.nydus(repository, subject),
        "subject.accessory": registry.referrer(repository, subject, "application/vnd.example.note"),
    }
    listed = total(artifacts.list_accessories_with_http_info, PROJECT, "copy", "v1")
    same("accessories", {a.type: (a.digest, a.subject_artifact_digest) for a in listed},
         {kind: (accessory["digest"], state["v1"]) for kind, accessory in pushed.items()})
    same("as many as were pushed", len(listed), len(pushed))
    one = total(artifacts.list_accessories_with_http_info, PROJECT, "copy", "v1", q="type=sbom.harbor")
    same("those of a kind", [(a.digest, a.size > 0, bool(a.icon)) for a in one], [(pushed["sbom.harbor"]["digest"], True, True)])
    artifact = artifacts.get_artifact(PROJECT, "copy", "v1", with_accessory=True)
    same("with the artifact", {a.digest for a in artifact.accessories}, {accessory["digest"] for accessory in pushed.values()})
    # An accessory is an artifact too, but no list of artifacts shows it for itself.
    same("the signature that cosign tagged", artifacts.get_artifact(PROJECT, "copy", pushed["signature.cosign"]["digest"]).digest,
         pushed["signature.cosign"]["digest"])
    same("listed apart", [a.digest for a in artifacts.list_artifacts(PROJECT, "copy")], [state["v1"]])
    told = artifacts.get_addition(PROJECT, "copy", pushed["sbom.harbor"]["digest"], "sbom", _preload_content=False)
    same("bill of materials", (told.data.decode(), told.status), (bill, 200))
    refused(400, artifacts.get_addition, PROJECT, "copy", pushed["sbom.harbor"]["digest"], "build_history")


def types():
    """Artifacts that are no images, and what can be read out of them."""
    artifacts = client.ArtifactApi(admin)
    read = lambda tag, addition: artifacts.get_addition(PROJECT, "things", tag, addition, _preload_content=False).data.decode()
    chart, model = registry.chart(f"{PROJECT}/things", "chart"), registry.model(f"{PROJECT}/things", "model")
    got = artifacts.get_artifact(PROJECT, "things", "chart")
    same("chart", (got.digest, got.type, got.media_type), (chart["digest"], "CHART", "application/vnd.cncf.helm.config.v1+json"))
    same("what it says of itself", (got.extra_attrs["name"], got.extra_attrs["version"], got.extra_attrs["dependencies"][0]["name"]), ("web", "1.2.3", "cache"))
    same("its additions", sorted(got.addition_links), ["dependencies", "readme.md", "values.yaml"])
    same("values", read("chart", "values.yaml"), "replicas: 2\n")
    same("readme of a chart", read("chart", "readme.md"), "# Web\n")
    same("dependencies", json.loads(read("chart", "dependencies")), [{"name": "cache", "version": "~1.0", "repository": "https://example.com/charts"}])
    got = artifacts.get_artifact(PROJECT, "things", "model")
    same("model", (got.digest, got.type, got.artifact_type), (model["digest"], "CNAI", "application/vnd.cncf.model.manifest.v1+json"))
    same("its name", got.extra_attrs["descriptor"]["name"], "tiny")
    same("its additions", sorted(got.addition_links), ["files", "license", "readme.md"])
    same("readme of a model", read("model", "readme.md"), "# Tiny\n")
    same("license", read("model", "license"), "Do as you like.\n")
    files = json.loads(read("model", "files"))
    same("files", [(f["name"], f["type"]) for f in files], [("w", "directory"), ("LICENSE", "file"), ("README.md", "file")])
    same("inside a folder", [f["name"] for f in files[0]["children"]], ["model.gguf"])
    bundle = registry.bundle(f"{PROJECT}/things", "bundle")
    got = artifacts.get_artifact(PROJECT, "things", "bundle")
    kind = "application/vnd.cncf.openpolicyagent.config.v1+json"
    same("bundle", (got.digest, got.type, got.media_type, got.artifact_type), (bundle["digest"], "OPENPOLICYAGENT", kind, kind))
    same("its configuration", dict(got.extra_attrs), {"created": "2024-05-06T07:08:09Z", "revision": "7"})
    same("no additions", got.addition_links or {}, {})
    refused(400, artifacts.get_addition, PROJECT, "things", "bundle", "build_history")
    same("bundles alone", [a.digest for a in artifacts.list_artifacts(PROJECT, "things", q="type=OPENPOLICYAGENT")], [bundle["digest"]])
    refused(400, artifacts.get_addition, PROJECT, "things", "chart", "build_history")
    refused(400, artifacts.get_addition, PROJECT, "things", "model", "values.yaml")
    refused(422, artifacts.get_addition, PROJECT, "things", "chart", "nonsense")
    same("charts alone", [a.digest for a in artifacts.list_artifacts(PROJECT, "things", q="type=CHART")], [chart["digest"]])


def quotas():
    quotas = client.QuotaApi(admin)
    listed = total(quotas.list_quotas_with_http_info, reference="project", reference_id=str(state["project"]))
    same("quota", [(q.ref["name"], q.hard["storage"]) for q in listed], [(PROJECT, 1 << 30)])
    holds("something is used", listed[0].used["storage"] > 0)
    quotas.update_quota(listed[0].id, hard=client.QuotaUpdateReq(hard={"storage": 1 << 31}))
    same("changed quota", quotas.get_quota(listed[0].id).hard["storage"], 1 << 31)
    refused(403, client.QuotaApi(state["as developer"]).list_quotas)


def search():
    found = client.SearchApi(admin).search(PROJECT)
    same("projects", [p.name for p in found.project], [PROJECT])
    same("repositories", sorted(r.repository_name for r in found.repository), sorted(f"{PROJECT}/{r}" for r in ("app", "copy", "deep/er", "things")))
    same("a stranger finds nothing", client.SearchApi(state["as stranger"]).search(PROJECT).repository, [])


def logs():
    logs, projects = client.AuditlogApi(admin), client.ProjectApi(admin)
    told = total(projects.get_log_exts_with_http_info, PROJECT, page_size=100, sort="op_time,id")
    events = [(e.operation, e.resource_type, e.resource) for e in told]
    for event in (("create", "project", PROJECT), ("create", "artifact", f"{PROJECT}/app:v1")):
        holds(f"{event} is told in {events}", event in events)
    same("who and how it went", {(e.username, e.operation_result) for e in told}, {(os.environ["BERTH_ADMIN"], True)})
    holds("in order", [e.op_time for e in told] == sorted(e.op_time for e in told))
    everywhere = logs.list_audit_log_exts(q=f"resource=~{PROJECT},operation=create", page_size=100)
    holds("the whole system's log has it too", {e.id for e in told if e.operation == "create"} <= {e.id for e in everywhere})
    strangers = client.AuditlogApi(state["as stranger"])
    same("nothing for a stranger", strangers.list_audit_log_exts(q=f"resource=~{PROJECT}/"), [])
    refused(403, client.ProjectApi(state["as stranger"]).get_log_exts, PROJECT)
    refused(401, client.AuditlogApi(nobody).list_audit_log_exts)
    kinds = [kind.event_type for kind in logs.list_audit_log_event_types()]
    holds(f"kinds of events: {kinds}", {"create_artifact", "delete_artifact", "pull_artifact", "create_project"} <= set(kinds))
    # The form before this one: still answered, and empty, because nothing is recorded in it.
    same("the former log", total(logs.list_audit_logs_with_http_info), [])
    same("the former log of a project", total(projects.get_logs_with_http_info, PROJECT), [])


def deletes():
    artifacts, repositories, projects = client.ArtifactApi(admin), client.RepositoryApi(admin), client.ProjectApi(admin)
    same("not while it holds something", refused(412, projects.delete_project, PROJECT)["code"], "PRECONDITION")
    same("deletable", bool(projects.get_project_deletable(PROJECT).deletable), False)
    artifacts.delete_artifact(PROJECT, "app", "v2")
    refused(404, artifacts.get_artifact, PROJECT, "app", state["v2"])
    for repository in ("app", "copy", "things", quote("deep/er", safe="")):
        repositories.delete_repository(PROJECT, repository)
    same("no repositories", repositories.list_repositories(PROJECT), [])
    for level in ("project", "system"):
        client.RobotApi(admin).delete_robot(state[f"{level} robot"])
        refused(404, client.RobotApi(admin).get_robot_by_id, state[f"{level} robot"])
    for scope in ("p", "g"):
        client.LabelApi(admin).delete_label(state[f"label {scope}"])
        refused(404, client.LabelApi(admin).get_label_by_id, state[f"label {scope}"])
    client.MemberApi(admin).delete_project_member(PROJECT, state["member"])
    refused(404, client.MemberApi(admin).get_project_member, PROJECT, state["member"])
    same("deletable", projects.get_project_deletable(PROJECT).deletable, True)
    projects.delete_project(PROJECT)
    refused(404, projects.get_project, PROJECT)
    client.UsergroupApi(admin).delete_user_group(state["group"])
    refused(404, client.UsergroupApi(admin).get_user_group, state["group"])
    for role in ("developer", "stranger"):
        client.UserApi(admin).delete_user(state[role])
        refused(404, client.UserApi(admin).get_user, state[role])


for part in (system, users, groups, projects, allowlists, members, robots, labels, repositories, artifacts, tags, accessories, types, quotas, search,
             logs, deletes):
    part()
    print(f"{part.__name__}: as expected")
