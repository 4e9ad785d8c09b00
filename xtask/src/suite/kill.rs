//! The kill journeys: a server is killed at random moments of many pushes and must keep what it acknowledged.
//! At the end every acknowledged blob, manifest and tag is fetched and compared, what was deleted is gone, and everything that is visible,
//! acknowledged or not, is whole.

use super::pusher::{Ledger, Pusher};
use super::{Tally, walk};
use crate::clients::PROJECT;
use crate::digest::{digest, fits};
use crate::http::{Client, basic};
use crate::image;
use crate::instance::{ADMIN, Instance, PASSWORD};
use crate::postgres::Postgres;
use crate::random::Random;
use anyhow::{Result, ensure};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the server is pushed to and killed.
const DURATION: Duration = Duration::from_secs(40);
/// Clients at once.
const PUSHERS: u64 = 4;
/// A run that killed less often than this or got fewer images through has not tried anything.
const FEWEST: usize = 5;

/// Runs the journey on both engines.
pub fn run(binary: &Path, postgres: &Postgres, seed: Option<u64>, wants: impl Fn(&str) -> bool, tally: &mut Tally) {
    for engine in ["sqlite", "postgres"] {
        let name = format!("kill/{engine}/pushes survive kill -9");
        if !wants(&name) {
            continue;
        }
        let seed = seed.unwrap_or_else(Random::fresh_seed);
        println!("kill/{engine}: seed {seed}");
        let begun = Instant::now();
        let database = match engine {
            "postgres" => postgres.create_database(&format!("kill_{seed}")).map(Some),
            _ => Ok(None),
        };
        match database.and_then(|database| journey(binary, database, seed)) {
            Ok(report) => {
                println!("kill/{engine}: {report}");
                tally.pass(&name, begun.elapsed());
            }
            Err(error) => tally.fail(&name, &format!("seed {seed}: {error:#}"), begun.elapsed()),
        }
    }
}

fn journey(binary: &Path, database: Option<String>, seed: u64) -> Result<String> {
    let mut instance = Instance::start(binary, database, None)?;
    instance.create_project(PROJECT)?;
    let (ledger, stop, address) = (Mutex::new(Ledger::default()), AtomicBool::new(false), instance.address());
    let authorization = basic(ADMIN, PASSWORD);

    let kills = std::thread::scope(|scope| -> Result<usize> {
        let pushers: Vec<_> = (0..PUSHERS)
            .map(|number| {
                let repository = format!("{PROJECT}/kill-{number}");
                let pusher = Pusher::new(&address, authorization.clone(), &repository, seed ^ (number + 1) << 32, &ledger, &stop);
                scope.spawn(move || pusher.run())
            })
            .collect();
        let killed = kill_for(&mut instance, DURATION, seed);
        stop.store(true, Ordering::Relaxed);
        for pusher in pushers {
            pusher.join().map_err(|_| anyhow::anyhow!("a pusher panicked"))??;
        }
        killed
    })?;

    let ledger = ledger.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ensure!(
        kills >= FEWEST && ledger.manifests.len() >= FEWEST,
        "only {kills} kills and {} images: nothing was tried",
        ledger.manifests.len()
    );
    ensure!(ledger.resumed > 0, "no upload went on after a kill: resuming was not tried");
    let tried = [ledger.indexes, ledger.referrers, ledger.mounted, ledger.deleted.len()];
    ensure!(!tried.contains(&0), "indexes, referrers, mounts, deletions: {tried:?}; not all were tried");
    // Once more, so that nothing is only remembered by the process that took it.
    instance.kill_and_restart(Duration::ZERO)?;
    let mut client = Client::new(&address, Some(authorization));
    verify(&mut client, &ledger)?;
    let walked = walk::all(&mut client)?;
    ensure!(walked.wrong.is_empty(), "{} visible things are not whole:\n{}", walked.wrong.len(), beginning(&walked.wrong));
    let unseen: Vec<_> =
        ledger.manifests.difference(&walked.manifests).map(|(repository, named)| format!("{repository}@{named}")).collect();
    ensure!(unseen.is_empty(), "{} acknowledged manifests are in no list:\n{}", unseen.len(), beginning(&unseen));
    instance.stop()?;
    Ok(format!(
        "{kills} kills, {} requests broken off, {} uploads resumed; {} blobs ({} mounted), {} manifests ({} indexes, {} referrers) and {} tags \
         acknowledged, all there, {} deletions, none back; {} manifests, {} blobs and {} tags visible, all whole",
        ledger.broken,
        ledger.resumed,
        ledger.blobs.len(),
        ledger.mounted,
        ledger.manifests.len(),
        ledger.indexes,
        ledger.referrers,
        ledger.tags.len(),
        ledger.deleted.len() / 2,
        walked.manifests.len(),
        walked.blobs.len(),
        walked.tags,
    ))
}

fn kill_for(instance: &mut Instance, duration: Duration, seed: u64) -> Result<usize> {
    let mut random = Random::new(seed);
    let begun = Instant::now();
    let mut kills = 0;
    while begun.elapsed() < duration {
        std::thread::sleep(random.millis(200, 2500));
        instance.kill_and_restart(random.millis(0, 200))?;
        kills += 1;
    }
    Ok(kills)
}

/// Fetches everything that was acknowledged, and what must not come back; the error lists the first things that are wrong.
fn verify(client: &mut Client, ledger: &Ledger) -> Result<()> {
    let mut wrong = Vec::new();
    for (repository, named) in &ledger.blobs {
        compare(client, &format!("/v2/{repository}/blobs/{named}"), named, &mut wrong)?;
    }
    for (repository, named) in &ledger.manifests {
        compare(client, &format!("/v2/{repository}/manifests/{named}"), named, &mut wrong)?;
    }
    for ((repository, tag), named) in &ledger.tags {
        compare(client, &format!("/v2/{repository}/manifests/{tag}"), named, &mut wrong)?;
    }
    for (repository, reference) in &ledger.deleted {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let reply = client.send("GET", &path, &[("Accept", image::MANIFEST)], b"")?;
        if reply.status != 404 {
            wrong.push(format!("{path}: {} although its deletion was acknowledged", reply.status));
        }
    }
    ensure!(wrong.is_empty(), "{} acknowledged things are not as they were:\n{}", wrong.len(), beginning(&wrong));
    Ok(())
}

fn beginning(lines: &[String]) -> String {
    lines.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

fn compare(client: &mut Client, path: &str, named: &str, wrong: &mut Vec<String>) -> Result<()> {
    let accept = format!("{}, {}", image::MANIFEST, image::INDEX);
    let reply = client.send("GET", path, &[("Accept", &accept)], b"")?;
    if reply.status != 200 || !fits(named, &reply.body) {
        wrong.push(format!("{path}: {} with content {}, expected {named}", reply.status, digest(&reply.body)));
    }
    Ok(())
}
