//! How much of the catalog one answer holds, however much is asked for. On every engine.

use oci::{Catalog, Page};
use serde_json::json;
use service::Settings;
use store::{Db, Link};
use testkit::database::each;
use testkit::instance::Instance;

/// Repositories on one page at most.
const MOST: usize = 10_000;

/// Makes so many repositories of the first project at once, each with a tag of the first artifact.
async fn fill(db: &Db, count: usize) {
    const REPOSITORIES: &str = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
        INSERT INTO repository (project_id, name, is_published, created_at, updated_at) SELECT 1, 'r' || (100000 + n), TRUE, 0, 0 FROM n";
    const TAGS: &str = "INSERT INTO tag (repository_id, artifact_id, name, pushed_at)
        SELECT r.id, (SELECT MIN(id) FROM artifact), 'v', 0 FROM repository r WHERE r.name LIKE 'r1%' LIMIT $1";
    let count = i64::try_from(count).unwrap();
    let mut tx = db.write().await.unwrap();
    for sql in [REPOSITORIES, TAGS] {
        let made = match tx.link() {
            Link::Sqlite(link) => sqlx::query(sql).bind(count).execute(link).await.map(|done| done.rows_affected()),
            Link::Postgres(link) => sqlx::query(sql).bind(count).execute(link).await.map(|done| done.rows_affected()),
        };
        assert_eq!(made.unwrap(), u64::try_from(count).unwrap());
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn no_number_makes_a_page_of_the_catalog_longer_than_the_cap() {
    each(async |db| {
        let it = Instance::on(db, Settings::default()).await;
        let admin = it.admin().await;
        let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
        it.push(&admin, "library/first", Some("v"), &index).await.unwrap();
        // With the one that is there: three more than a page holds.
        fill(&it.db, MOST + 2).await;
        let ask = async |n: &str, last: Option<&str>| {
            let page = Page { n: Some(n.to_owned()), last: last.map(str::to_owned) };
            let page = it.services.registry.catalog(&admin, &page).await.unwrap();
            let document: Catalog = serde_json::from_slice(&page.body).unwrap();
            (document.repositories, page.next)
        };
        for n in ["10001", "1000000000", "18446744073709551615"] {
            let (names, next) = ask(n, None).await;
            assert_eq!(names.len(), MOST, "{n}");
            // The way on asks for no more either, and leads to the rest.
            let (last, step) = next.unwrap_or_else(|| panic!("{n}: there is more, and no way to it"));
            assert_eq!((Some(&last), step), (names.last(), MOST as u64), "{n}");
            let (rest, end) = ask(&step.to_string(), Some(&last)).await;
            assert_eq!((rest.len(), end), (3, None), "{n}");
        }
        let (names, next) = ask("10000", None).await;
        assert!(names.len() == MOST && next.is_some());
    })
    .await;
}
