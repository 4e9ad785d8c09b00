//! The contract of the audit log, on every engine.

use model::list::{ListQuery, Paging, parse_q, parse_sort};
use model::permission::Role;
use model::{ProjectId, UserId};
use store::audit::{self, AuditEntry, Reader};
use store::{Link, member, project, user};
use testkit::database::each;

fn query(q: &str, sort: &str) -> ListQuery {
    ListQuery::new(Paging { page: 1, page_size: 10 }, parse_q(q).unwrap(), parse_sort(sort))
}

fn entry(project: i64, operation: &'static str, resource: &str, username: &str, op_time: i64) -> AuditEntry {
    AuditEntry {
        project_id: ProjectId(project),
        operation,
        resource_type: "project",
        resource: resource.to_owned(),
        description: format!("{operation} project: {resource}"),
        succeeded: username != "evan",
        username: username.to_owned(),
        op_time,
    }
}

async fn found(link: &mut Link<'_>, reader: &Reader, q: &str, sort: &str) -> Vec<String> {
    let page = audit::list(link, reader, &query(q, sort)).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|row| format!("{} {} {}", row.username, row.operation, row.resource)).collect()
}

async fn filled(link: &mut Link<'_>) {
    let entries = [
        entry(0, "create", "dana", "admin", 10),
        entry(1, "create", "north", "dana", 20),
        entry(2, "create", "50%_off", "dana", 30),
        entry(1, "update", "north", "evan", 40),
        entry(1, "update", "north", "Dana", 40),
    ];
    audit::append(link, &entries).await.unwrap();
}

#[tokio::test]
async fn lists_are_newest_first_and_of_what_the_reader_sees() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        audit::append(link, &[]).await.unwrap();
        filled(link).await;
        let all = ["Dana update north", "evan update north", "dana create 50%_off", "dana create north", "admin create dana"];
        assert_eq!(found(link, &Reader::All, "", "").await, all);
        assert_eq!(found(link, &Reader::Of(ProjectId(2)), "", "").await, ["dana create 50%_off"]);
        assert_eq!(found(link, &Reader::In(vec![0, 2]), "", "op_time").await, ["admin create dana", "dana create 50%_off"]);
        assert_eq!(found(link, &Reader::In(Vec::new()), "", "").await, Vec::<String>::new());
        let page = audit::list(link, &Reader::All, &ListQuery { page: 2, page_size: 2, ..query("", "id") }).await.unwrap();
        assert_eq!((page.total, page.items[0].op_time, page.items[1].op_time), (5, 30, 40));
        let row = &page.items[1];
        assert_eq!((row.description.as_str(), row.succeeded, row.resource_type.as_str()), ("update project: north", false, "project"));
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_sorted_by_what_the_api_names() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        filled(link).await;
        for (q, expected) in [
            ("operation=create,username=dana", vec!["dana create north", "dana create 50%_off"]),
            ("username=~DAN", vec!["dana create north", "dana create 50%_off", "Dana update north"]),
            ("resource=~%_", vec!["dana create 50%_off"]),
            ("op_result=false", vec!["evan update north"]),
            ("operation_result=false,resource=50%_off", vec!["dana create 50%_off"]),
            ("username={evan admin}", vec!["admin create dana", "evan update north"]),
            ("op_desc=update project: north,op_result=true", vec!["Dana update north"]),
            ("op_time=[1970-01-01T00:00:00~1970-01-01T00:00:01],project_id=2", vec!["dana create 50%_off"]),
            ("op_time=[2020-01-01T00:00:00~]", vec![]),
        ] {
            assert_eq!(found(link, &Reader::All, q, "id").await, expected, "{q}");
        }
        // Byte by byte on both engines: capitals first.
        let by_name = ["Dana update north", "admin create dana", "dana create 50%_off", "dana create north", "evan update north"];
        assert_eq!(found(link, &Reader::All, "", "username").await, by_name);
    })
    .await;
}

#[tokio::test]
async fn members_read_the_logs_of_projects_where_their_role_lets_them() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        user::insert_first(link, "hash", 5).await.unwrap();
        let metadata = std::collections::BTreeMap::new();
        let mut ids = Vec::new();
        for name in ["north", "south"] {
            let new = project::NewProject { name, owner_id: UserId(1), registry_id: None, metadata: &metadata };
            ids.push(project::insert(link, &new, 5).await.unwrap());
        }
        member::insert_owner(link, ids[0], UserId(1), 5).await.unwrap();
        audit::append(link, &[entry(ids[0].get(), "create", "north", "admin", 6), entry(ids[1].get(), "create", "south", "admin", 7)])
            .await
            .unwrap();
        let reader = |user, role: Role| Reader::Member(UserId(user), vec![role.id()]);
        assert_eq!(found(link, &reader(1, Role::ProjectAdmin), "", "").await, ["admin create north"]);
        assert_eq!(found(link, &reader(1, Role::Guest), "", "").await, Vec::<String>::new());
        assert_eq!(found(link, &reader(2, Role::ProjectAdmin), "", "").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn rows_of_a_time_are_counted() {
    each(async |db| {
        let mut tx = db.write().await.unwrap();
        let link = &mut tx.link();
        filled(link).await;
        let of_one = Reader::Of(ProjectId(1));
        for (reader, since, until, rows) in [
            (&Reader::All, None, None, 5),
            (&Reader::All, Some(20), Some(40), 2),
            (&Reader::All, None, Some(20), 1),
            (&of_one, Some(40), None, 2),
            (&of_one, None, Some(40), 1),
        ] {
            assert_eq!(audit::count(link, reader, since, until).await.unwrap(), rows, "{reader:?} {since:?} {until:?}");
        }
        let page = audit::list_of_known(link, &Reader::All, &query("", ""), 7).await.unwrap();
        assert_eq!((page.total, page.items.len()), (7, 5));
        assert!(audit::list_of_known(link, &Reader::All, &ListQuery { page: 2, ..query("", "") }, 5).await.unwrap().items.is_empty());
    })
    .await;
}
