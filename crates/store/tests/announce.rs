//! What processes say to each other: order, channels and the count of listeners. On PostgreSQL alone; SQLite has nobody to talk to.

use testkit::database;

#[tokio::test]
async fn what_is_said_is_heard_in_order_on_its_channel() {
    let Some(postgres) = database::postgres().await else { return };
    let (mut ear, mut mouth) =
        store::announce::open(&postgres.db, &["all", "mine"]).await.expect("it opens").expect("PostgreSQL can listen");
    let (other, mut other_mouth) = store::announce::open(&postgres.db, &["all"]).await.expect("it opens").expect("PostgreSQL can listen");
    assert_eq!(mouth.listeners().await.expect("a count"), 2);
    let said = |channel: &str, text: &str| (channel.to_owned(), text.to_owned());
    let first: Vec<_> = (0..50).map(|n| said("all", &format!("a{n}"))).collect();
    mouth.say(&first).await.expect("it is said");
    other_mouth.say(&[said("elsewhere", "nobody hears"), said("mine", "b"), said("all", "c")]).await.expect("it is said");
    store::announce::say_once(&postgres.db, "all", "d").await.expect("it is said");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "d") {
        heard.push(ear.hear().await.expect("a connection").expect("a payload"));
    }
    let mut expected: Vec<_> = (0..50).map(|n| format!("a{n}")).collect();
    expected.extend(["b", "c", "d"].map(str::to_owned));
    assert_eq!(heard, expected);
    drop((other, other_mouth));
    // The server notices the end of a connection a moment later.
    for _ in 0..200 {
        if mouth.listeners().await.expect("a count") == 1 {
            drop((ear, mouth));
            return postgres.drop_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("who stopped listening still counts");
}

#[tokio::test]
async fn there_is_nobody_on_sqlite() {
    let sqlite = database::sqlite().await;
    assert!(!store::announce::can_be_shared(&sqlite.db));
    assert!(store::announce::open(&sqlite.db, &["all"]).await.expect("no error").is_none());
    store::announce::say_once(&sqlite.db, "all", "x").await.expect("no error");
}
