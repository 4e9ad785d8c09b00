//! R5 to R11: names, tags, digests, and paths made of them.

use http::Method;

use crate::kit::{Kit, sha256};

testkit::tests! {
    Kit;
    r005_the_grammar_of_names_is_the_specifications,
    r005_a_name_without_a_project_is_refused,
    r006_a_name_may_have_255_characters,
    r007_the_words_of_the_routes_may_be_names,
    r008_a_tag_has_1_to_128_characters,
    r009_reading_an_illegal_tag_is_404,
    r010_reading_a_malformed_digest_is_404,
    r011_a_digest_is_lower_case_and_of_the_right_length,
}

/// An illegal name is 400 NAME_INVALID by the letter; Harbor does not recognise the request and answers 401 with an empty challenge.
async fn r005_the_grammar_of_names_is_the_specifications(kit: Kit) {
    let project = kit.repo().await.project().to_owned();
    for name in ["a", "a.b", "a_b", "a__b", "a--b", "a/b/c/d", "0/1", "a-b.c_d/0"] {
        let _ = kit.admin.post(&format!("/v2/{project}/{name}/blobs/uploads/")).send().await.expect(202);
    }
    for name in ["A", "a/B", "a___b", "a..b", "-a", "a-", "a//b", ".a", "_a/b", "a._b", "%C3%A9", "a%20b", "a%2f%2fb"] {
        let path = format!("/v2/{project}/{name}");
        for (method, rest) in [(Method::POST, "blobs/uploads/"), (Method::GET, "manifests/t"), (Method::GET, "tags/list")] {
            let reply = kit.admin.call(method, &format!("{path}/{rest}")).send().await.expect(401);
            assert_eq!((reply.header("www-authenticate"), reply.code().as_str()), ("", "UNAUTHORIZED"), "{name}");
        }
    }
}

/// Single components are names by the specification; here the first component is the project, as in Harbor, and one alone is none.
async fn r005_a_name_without_a_project_is_refused(kit: Kit) {
    kit.admin.post("/v2/app/blobs/uploads/").basic().send().await.expect_error(400, "BAD_REQUEST");
    kit.admin.get("/v2/app/manifests/t").basic().send().await.expect_error(400, "BAD_REQUEST");
    kit.admin.get("/v2/app/tags/list").basic().send().await.expect_error(400, "BAD_REQUEST");
}

async fn r006_a_name_may_have_255_characters(kit: Kit) {
    let mut repo = kit.repo().await;
    repo.name = format!("{}/{}", repo.project(), "a".repeat(254 - repo.project().len()));
    assert_eq!(repo.name.len(), 255);
    let image = repo.tagged("t").await;
    assert_eq!(repo.manifest_status("t").await, 200);
    assert_eq!(repo.tags().await, ["t"]);
    assert_eq!(repo.get("manifests/t").send().await.body, image.bytes);
    repo.name.push('a');
    // As every illegal name.
    repo.post("blobs/uploads/").send().await.expect_error(401, "UNAUTHORIZED");
}

async fn r007_the_words_of_the_routes_may_be_names(kit: Kit) {
    let repo = kit.repo().await;
    for path in
        ["blobs/uploads/x", "manifests/latest", "tags/list", "referrers/x", "blobs", "a/blobs/uploads", "uploads/manifests/tags/list"]
    {
        let repo = repo.sibling(path);
        let image = repo.tagged("t").await;
        let reply = repo.get("manifests/t").send().await.expect(200);
        assert_eq!(reply.body, image.bytes, "{path}");
        assert_eq!(repo.tags().await, ["t"], "{path}");
        let blob = repo.blob(path.to_owned()).await;
        assert_eq!(repo.get(&format!("blobs/{blob}")).send().await.expect(200).body, path);
        let _ = repo.get(&format!("referrers/{blob}")).send().await.expect(200);
    }
}

async fn r008_a_tag_has_1_to_128_characters(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r008").await;
    let longest = "t".repeat(128);
    for tag in [longest.as_str(), "_x", "0", "a.b-c_D", "sha256-abc.sig", "latest", "LATEST"] {
        let _ = repo.push(tag, &image).await.expect(201);
        assert_eq!(repo.manifest_status(tag).await, 200, "{tag}");
    }
    for tag in [&"t".repeat(129), ".x", "-x", "a%20b", "a+b", "%C3%A9"] {
        repo.push(tag, &image).await.expect_error(400, "BAD_REQUEST");
        assert_eq!(repo.manifest_status(tag).await, 404, "{tag}");
    }
    assert_eq!(repo.manifest_status("Latest").await, 404);
}

async fn r009_reading_an_illegal_tag_is_404(kit: Kit) {
    let repo = kit.repo().await;
    for exists in [false, true] {
        if exists {
            repo.tagged("t").await;
        }
        assert_eq!(repo.manifest_status(".INVALID_MANIFEST_NAME").await, 404);
        assert_eq!(repo.head("manifests/.INVALID_MANIFEST_NAME").send().await.status, 404);
    }
}

async fn r010_reading_a_malformed_digest_is_404(kit: Kit) {
    let repo = kit.repo().await;
    repo.tagged("t").await;
    for digest in ["sha256:totallywrong", "sha256:baddigeststring", "sha256:", ":", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        assert_eq!(repo.manifest_status(digest).await, 404, "{digest}");
        assert_eq!(repo.head(&format!("manifests/{digest}")).send().await.status, 404, "{digest}");
    }
}

async fn r011_a_digest_is_lower_case_and_of_the_right_length(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("r011").await;
    let broken = |digest: &str| {
        let hex = digest.trim_start_matches("sha256:");
        [format!("sha256:{}", hex.to_uppercase()), format!("sha256:{}", &hex[1..]), format!("sha256:{hex}0"), format!("SHA256:{hex}")]
    };
    for digest in broken(&image.digest()) {
        assert_eq!(repo.manifest_status(&digest).await, 404, "{digest}");
        assert_eq!(repo.push(&digest, &image).await.status, 400, "{digest}");
    }
    for digest in broken(&blob) {
        repo.get(&format!("blobs/{digest}")).send().await.expect_error(400, "DIGEST_INVALID");
        let location = repo.start().await;
        repo.finish(&location, &digest, "r011").await.expect_error(400, "DIGEST_INVALID");
    }
    assert_eq!(repo.blob_status(&sha256("r011")).await, 200);
}
