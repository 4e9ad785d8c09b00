"""The journey with oras where only its Python edition is to be had: a file with annotations goes up and comes back, whole and in pieces;
an artifact of a type of its own and one that is attached to it are found again.

Arguments: address, repository, user, password, and over TLS the authority's certificate. Works in the current folder.
"""

import hashlib
import json
import os
import sys

import oras.client
import oras.defaults
import oras.oci

ADDRESS, REPOSITORY, USER, PASSWORD = sys.argv[1:5]
AUTHORITY = sys.argv[5] if len(sys.argv) > 5 else None
MANIFEST = oras.defaults.default_manifest_media_type


def same(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: got {got!r}, expected {expected!r}")


def sign_in(password):
    # With tokens it keeps the first one, which only lets it look, for the push too.
    client = oras.client.OrasClient(hostname=ADDRESS, insecure=AUTHORITY is None, tls_verify=AUTHORITY or True, auth_backend="basic")
    client.auth.set_basic_auth(USER, password)
    return client


def target(reference):
    return f"{ADDRESS}/{REPOSITORY}:{reference}"


def descriptor(content, media_type):
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}


def push_and_pull(client):
    with open("note.txt", "wb") as note:
        note.write(b"a note\n" * 100_000)
    annotations = {"org.example.kind": "note", "org.example.text": "ä ö"}
    for tag, in_pieces in (("whole", False), ("pieces", True)):
        client.push(target=target(tag), files=["note.txt:text/plain"], manifest_annotations=annotations, do_chunked=in_pieces,
                    chunk_size=100_001, quiet=True)
        manifest = client.get_manifest(target(tag))
        same(f"{tag}: annotations", manifest["annotations"], annotations)
        same(f"{tag}: layer", (manifest["layers"][0]["mediaType"], manifest["layers"][0]["size"]), ("text/plain", 700_000))
        os.mkdir(tag)
        client.pull(target=target(tag), outdir=tag)
        with open(f"{tag}/note.txt", "rb") as back, open("note.txt", "rb") as note:
            same(f"{tag}: content", back.read() == note.read(), True)
    same("tags", sorted(client.get_tags(f"{ADDRESS}/{REPOSITORY}")), ["pieces", "whole"])


def typed_and_attached(client):
    container = client.get_container(target("typed"))
    with open("empty.json", "wb") as empty:
        empty.write(b"{}")
    empty = descriptor(b"{}", "application/vnd.oci.empty.v1+json")
    client._check_200_response(client.upload_blob("empty.json", container, empty))
    subject = None
    for reference, kind in (("typed", "application/vnd.test.note"), (None, "application/vnd.test.sbom")):
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": empty, "layers": [empty],
                    "annotations": {"org.example.kind": kind}}
        if subject:
            manifest["subject"] = subject
        content = json.dumps(manifest).encode()
        named = descriptor(content, MANIFEST)
        container = client.get_container(target(reference) if reference else f"{ADDRESS}/{REPOSITORY}@{named['digest']}")
        answer = client.do_request(f"{client.prefix}://{container.manifest_url()}", "PUT", headers={"Content-Type": MANIFEST}, data=content)
        same(f"pushing {kind}", answer.status_code, 201)
        same(f"{kind} as it is kept", client.get_manifest(str(container))["artifactType"], kind)
        subject = subject or named
    url = f"{client.prefix}://{ADDRESS}/v2/{REPOSITORY}/referrers/{subject['digest']}"
    found = client.do_request(url, "GET", headers={"Accept": "application/vnd.oci.image.index.v1+json"}).json()["manifests"]
    same("what is attached", [one["artifactType"] for one in found], ["application/vnd.test.sbom"])


def main():
    try:
        sign_in("wrong").push(target=target("never"), files=[], quiet=True)
        raise SystemExit("a push with a wrong password went well")
    except Exception as error:
        same("refused with a wrong password", "401" in str(error) or "nauthorized" in str(error), True)
    client = sign_in(PASSWORD)
    push_and_pull(client)
    typed_and_attached(client)


main()
