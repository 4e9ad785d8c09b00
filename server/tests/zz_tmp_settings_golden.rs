//! temporary
use std::path::Path;
use testkit::player::{Conversation, Engine, FreshServer, Kind, play};
#[test]
fn show() {
    let engine = match std::env::var("BERTH_TEST_POSTGRES_URL") { Ok(u) if !u.is_empty() => Engine::Postgres(u), _ => Engine::Sqlite };
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for name in std::env::var("NAMES").unwrap().split(',') {
        let c = Conversation::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/conversations").join(format!("{name}.json"))).unwrap();
        rt.block_on(async {
            let s = FreshServer::start(Path::new(env!("CARGO_BIN_EXE_berth")), &engine).await.unwrap();
            match play(&c, &s.target()).await {
                Ok(r) => {
                    println!("=== {name}: {} compared", r.steps_compared);
                    for d in r.of_kind(Kind::Hard) { println!("{d}"); }
                    for k in &r.skipped { println!("skipped {:?} {}", k.step, k.reason); }
                }
                Err(e) => println!("=== {name}: {e}"),
            }
            s.stop().await;
        });
    }
}
