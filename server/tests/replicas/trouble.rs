//! Processes that stand still, die, or lose their connection; and the one server of an SQLite database.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::server::{End, Engine, Server};

use crate::{Moving, Pair, make_project, program};

/// A process that does not answer is given up after this time at the latest.
const GIVEN_UP: Duration = Duration::from_secs(8);
/// And not before this time.
const WAITED_FOR: Duration = Duration::from_secs(3);

fn signal(server: &Server, signal: Signal) {
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("the signal is sent");
}

#[tokio::test]
async fn a_process_that_stood_still_does_not_show_the_old() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "still", false).await;
    let moving = Moving::begin(&a, "still/app").await;
    for (n, pause) in [0, 1, 2, 6].into_iter().enumerate() {
        moving.push(&a, "latest", &format!("before {n}")).await;
        let _ = moving.pull(&b, "latest").await.expect(200);
        signal(&pair.b, Signal::STOP);
        let begun = Instant::now();
        let mark = format!("meanwhile {n}");
        let push = moving.push(&a, "latest", &mark);
        let awake = async {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            if pause < 6 {
                signal(&pair.b, Signal::CONT);
            }
        };
        let (digest, ()) = tokio::join!(push, awake);
        assert!(begun.elapsed() < GIVEN_UP, "acknowledged after {:?}", begun.elapsed());
        // The other could not answer, so nothing was acknowledged meanwhile.
        assert!(begun.elapsed() >= WAITED_FOR.min(Duration::from_secs(pause)), "acknowledged after {:?}", begun.elapsed());
        if pause >= 6 {
            signal(&pair.b, Signal::CONT);
        }
        for _ in 0..20 {
            let pulled = moving.pull(&b, "latest").await.expect(200);
            assert_eq!(pulled.header("docker-content-digest"), digest, "after standing still for {pause} s");
        }
    }
    // And it is a member again.
    tokio::time::sleep(Duration::from_secs(4)).await;
    for n in 0..20 {
        let digest = moving.push(&a, "latest", &format!("after {n}")).await;
        assert_eq!(moving.pull(&b, "latest").await.expect(200).header("docker-content-digest"), digest);
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_process_that_dies_is_waited_for_only_once() {
    let Some(mut pair) = Pair::start().await else { return };
    let a = pair.a.admin();
    make_project(&a, "dead", false).await;
    let moving = Moving::begin(&a, "dead/app").await;
    signal(&pair.b, Signal::KILL);
    let begun = Instant::now();
    moving.push(&a, "latest", "first").await;
    assert!(begun.elapsed() < GIVEN_UP, "acknowledged after {:?}", begun.elapsed());
    let begun = Instant::now();
    for n in 0..10 {
        moving.push(&a, "latest", &n.to_string()).await;
    }
    assert!(begun.elapsed() < WAITED_FOR * 5, "ten pushes took {:?}, as if they waited each", begun.elapsed());
    // It comes back, and is told again.
    pair.b.restart(End::Kill).await.expect("it starts again");
    let b = pair.b.admin();
    for n in 0..20 {
        let digest = moving.push(&a, "latest", &format!("again {n}")).await;
        assert_eq!(moving.pull(&b, "latest").await.expect(200).header("docker-content-digest"), digest);
    }
    pair.stop().await;
}

#[tokio::test]
async fn lost_connections_lose_no_change() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.admin());
    make_project(&a, "lost", false).await;
    let moving = Moving::begin(&a, "lost/app").await;
    for n in 0..40 {
        if n % 10 == 5 {
            pair.a.end_connections("berth announcements").await.expect("connections can be ended");
        }
        let digest = moving.push(&a, "latest", &n.to_string()).await;
        for _ in 0..3 {
            assert_eq!(moving.pull(&b, "latest").await.expect(200).header("docker-content-digest"), digest, "move {n}");
        }
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_process_alone_waits_for_nobody() {
    let Some(pair) = Pair::start().await else { return };
    let Pair { a: server, b: other } = pair;
    let a = server.admin();
    make_project(&a, "alone", false).await;
    let moving = Moving::begin(&a, "alone/app").await;
    assert!(other.stop().await.expect("it ends").success());
    let begun = Instant::now();
    moving.push(&a, "latest", "1").await;
    assert!(begun.elapsed() < WAITED_FOR, "after an orderly end the next push took {:?}", begun.elapsed());
    assert!(server.stop().await.expect("it ends").success());
}

#[tokio::test]
async fn an_sqlite_database_has_one_server() {
    let server = Server::start(program(), &Engine::Sqlite, &[]).await.expect("the first starts");
    let refusal = server.beside().await.err().expect("the second does not start").to_string();
    assert!(refusal.contains("another berth already serves the data directory"), "{refusal}");
    let mut server = server;
    server.restart(End::Kill).await.expect("nothing is left in the way of the next");
    assert!(server.stop().await.expect("it ends").success());
}

#[tokio::test]
async fn the_instance_key_may_lie_elsewhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("shared.key");
    let start =
        async || Server::start(program(), &Engine::Sqlite, &[("BERTH_INSTANCE_KEY_FILE", file.to_str().expect("a plain path"))]).await;
    let refusal = start().await.err().expect("a file that is named must be there").to_string();
    assert!(refusal.contains("shared.key cannot be read"), "{refusal}");
    std::fs::write(&file, "too short").expect("a file");
    let refusal = start().await.err().expect("nothing but a key will do").to_string();
    assert!(refusal.contains("holds no instance key"), "{refusal}");
    std::fs::write(&file, format!("{}\n", "0a".repeat(32))).expect("a file");
    let server = start().await.expect("with the key it starts");
    assert!(!server.data().join("instance.key").exists());
    assert!(server.stop().await.expect("it ends").success());
}
