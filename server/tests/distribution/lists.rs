//! R137 to R142: tags and the catalog.

use testkit::client::Reply;

use crate::kit::{Kit, Repo};

testkit::tests! {
    Kit;
    r137_the_list_has_a_name_and_tags_in_byte_order,
    r138_r140_pages_are_cut_by_n_and_last,
    r138_n_that_is_no_number_is_400,
    r139_the_links_lead_through_all_tags,
    r141_a_page_holds_hundreds_of_tags,
    r142_the_catalog_is_for_administrators,
    r142_the_catalog_pages,
    extensions_are_listed,
}

fn names(reply: &Reply, member: &str) -> Vec<String> {
    reply.json()[member].as_array().expect("an array").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// The address of the next page, if there is one.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.find("link")?;
    let address = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link to the next page");
    assert!(address.starts_with("/v2/") && !address.contains(';'), "{link}");
    Some(address.to_owned())
}

/// A repository with these tags.
async fn tagged(kit: &Kit, tags: &[&str]) -> Repo {
    let repo = kit.repo().await;
    let image = repo.image("tags").await;
    for tag in tags {
        let _ = repo.push(tag, &image).await.expect(201);
    }
    repo
}

async fn r137_the_list_has_a_name_and_tags_in_byte_order(kit: Kit) {
    let repo = tagged(&kit, &["b", "a", "B", "_", "0", "a.b", "a-b", "a_b", "10", "9"]).await;
    let reply = repo.get("tags/list").send().await.expect(200);
    assert!(reply.header("content-type").starts_with("application/json"));
    assert_eq!(reply.json()["name"], repo.name.as_str());
    assert_eq!(names(&reply, "tags"), ["0", "10", "9", "B", "_", "a", "a-b", "a.b", "a_b", "b"]);
    assert_eq!(reply.find("link"), None);
    // Untagged, the list is an empty array.
    let bare = repo.sibling("bare");
    let image = bare.image("bare").await;
    let _ = bare.push(&image.digest(), &image).await.expect(201);
    assert_eq!(bare.get("tags/list").send().await.expect(200).json(), serde_json::json!({"name": bare.name, "tags": []}));
    // NAME_UNKNOWN by the letter; Harbor's code.
    repo.sibling("none").get("tags/list").send().await.expect_error(404, "NOT_FOUND");
    let head = repo.head("tags/list").send().await.expect(200);
    assert_eq!((head.length(), head.body.len()), (reply.length(), 0));
}

async fn r138_r140_pages_are_cut_by_n_and_last(kit: Kit) {
    let repo = tagged(&kit, &["a", "b", "c", "d", "e"]).await;
    for (query, tags, more) in [
        ("n=2", "ab", true),
        ("n=5", "abcde", false),
        ("n=1000", "abcde", false),
        ("n=99999999999999999999999", "abcde", false),
        ("n=0", "", false),
        ("last=b", "cde", false),
        ("last=bb", "cde", false),
        ("last=0", "abcde", false),
        ("last=e", "", false),
        ("last=zzz", "", false),
        ("n=2&last=b", "cd", true),
        ("n=3&last=b", "cde", false),
        ("last=bb&n=1", "c", true),
        ("n=0&last=b", "", false),
        ("n=", "abcde", false),
    ] {
        let reply = repo.get(&format!("tags/list?{query}")).send().await.expect(200);
        assert_eq!((names(&reply, "tags").concat().as_str(), next(&reply).is_some()), (tags, more), "{query}");
    }
}

/// PAGINATION_NUMBER_INVALID by the letter; Harbor's code.
async fn r138_n_that_is_no_number_is_400(kit: Kit) {
    let repo = tagged(&kit, &["a"]).await;
    for n in ["-1", "abc", "1.5", "0x1", "%20"] {
        repo.get(&format!("tags/list?n={n}")).send().await.expect_error(400, "BAD_REQUEST");
    }
}

async fn r139_the_links_lead_through_all_tags(kit: Kit) {
    let tags: Vec<String> = (0..7).map(|n| format!("v1.{n}_x")).collect();
    let repo = tagged(&kit, &tags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for n in 1..=8 {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut target = Some(repo.path(&format!("tags/list?n={n}")));
        while let Some(path) = target {
            let reply = repo.client.get(&path).send().await.expect(200);
            let page = names(&reply, "tags");
            assert!(!page.is_empty() && page.len() <= n);
            found.extend(page);
            pages += 1;
            target = next(&reply);
        }
        assert_eq!((found, pages), (tags.clone(), tags.len().div_ceil(n)));
    }
}

async fn r141_a_page_holds_hundreds_of_tags(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r141").await;
    for part in 0..3 {
        let query: Vec<String> = (0..100).map(|n| format!("tag=t{part}{n:02}")).collect();
        let _ = repo.push(&format!("{}?{}", image.digest(), query.join("&")), &image).await.expect(201);
    }
    let reply = repo.get("tags/list").send().await.expect(200);
    assert_eq!((names(&reply, "tags").len(), next(&reply)), (300, None));
    let reply = repo.get("tags/list?n=1000").send().await.expect(200);
    assert_eq!((names(&reply, "tags").len(), next(&reply)), (300, None));
}

async fn r142_the_catalog_is_for_administrators(kit: Kit) {
    let repo = kit.repo().await;
    repo.tagged("t").await;
    assert!(names(&kit.admin.get("/v2/_catalog").basic().send().await.expect(200), "repositories").contains(&repo.name));
    // Harbor's challenge for the catalog is Basic, whoever asks.
    let user = kit.user().await;
    for call in [kit.nobody().get("/v2/_catalog"), user.get("/v2/_catalog").basic()] {
        let reply = call.send().await.expect(401);
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"harbor\"");
    }
    let token = kit.admin.token(&["registry:catalog:*"]).await;
    let _ = kit.admin.get("/v2/_catalog").bearer(&token).send().await.expect(200);
    let other = kit.admin.token(&[&format!("repository:{}:pull", repo.name)]).await;
    let _ = kit.admin.get("/v2/_catalog").bearer(&other).send().await.expect(401);
    let users = user.token(&["registry:catalog:*"]).await;
    let _ = user.get("/v2/_catalog").bearer(&users).send().await.expect(401);
}

async fn r142_the_catalog_pages(kit: Kit) {
    let repo = kit.repo().await;
    for path in ["a", "b", "c"] {
        repo.sibling(path).tagged("t").await;
    }
    // Blobs alone make no repository.
    repo.sibling("blobs-only").blob("x").await;
    let mine = |all: Vec<String>| all.into_iter().filter(|name| name.starts_with(&format!("{}/", repo.project()))).collect::<Vec<_>>();
    let expected: Vec<String> = ["a", "b", "c"].map(|path| format!("{}/{path}", repo.project())).to_vec();
    let all = names(&kit.admin.get("/v2/_catalog").basic().send().await.expect(200), "repositories");
    assert!(all.is_sorted());
    assert_eq!(mine(all), expected);
    // From a repository that is there, two at a time; others come and go meanwhile, ours do not.
    let mut found = vec![expected[0].clone()];
    let mut target = Some(format!("/v2/_catalog?n=2&last={}", expected[0].replace('/', "%2F")));
    while let Some(path) = target {
        let reply = kit.admin.get(&path).basic().send().await.expect(200);
        found.extend(mine(names(&reply, "repositories")));
        target = next(&reply).filter(|_| found.len() < expected.len());
    }
    assert_eq!(found, expected);
    let none = kit.admin.get("/v2/_catalog?n=0").basic().send().await.expect(200);
    assert_eq!((names(&none, "repositories").len(), next(&none)), (0, None));
    kit.admin.get("/v2/_catalog?n=-1").basic().send().await.expect_error(400, "BAD_REQUEST");
    kit.admin.get("/v2/_catalog?n=x").basic().send().await.expect_error(400, "BAD_REQUEST");
}

async fn extensions_are_listed(kit: Kit) {
    let repo = kit.repo().await;
    for path in ["/v2/_oci/ext/discover".to_owned(), repo.path("_oci/ext/discover")] {
        let reply = kit.admin.get(&path).send().await.expect(200);
        assert!(reply.json()["extensions"].is_array());
        let _ = kit.nobody().get(&path).send().await.expect(401);
    }
}
