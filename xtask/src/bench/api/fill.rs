//! Fills a server through its doors: people, projects, members, and repositories with artifacts and tags, as clients would make them.

use super::ListOptions;
use crate::bench::subject::Subject;
use crate::digest::digest;
use crate::http::{Client, path_of};
use crate::image;
use crate::token;
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Makes everything; repositories per second. What is there already stays.
pub fn fill(options: &ListOptions, subject: &Subject) -> Result<f64> {
    let api = |path: &'static str| move |client: &mut Client, body: Value| post(client, path, &body);
    let users = api("/api/v2.0/users");
    each(options, subject, options.users, |client, n| {
        let name = format!("bench{n:04}");
        let body =
            json!({"username": name, "email": format!("{name}@example.com"), "realname": format!("Bench {n}"), "password": "Passw0rd1"});
        users(client, body)
    })?;
    let projects = api("/api/v2.0/projects");
    each(options, subject, options.projects, |client, n| {
        projects(client, json!({"project_name": format!("bench{n:04}"), "metadata": {"public": "false"}}))
    })?;
    let of_each = options.members.min(options.users);
    each(options, subject, options.projects * of_each, |client, n| {
        let (project, member) = (n / of_each, (n / of_each + n % of_each) % options.users);
        let body = json!({"role_id": 2, "member_user": {"username": format!("bench{member:04}")}});
        post(client, &format!("/api/v2.0/projects/bench{project:04}/members"), &body)
    })?;
    let count = options.projects * options.repositories;
    let begun = Instant::now();
    each(options, subject, count, |_, n| {
        push(options, subject, &format!("bench{:04}/r{:03}", n / options.repositories, n % options.repositories))
    })?;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// Does `work` for each number below `count`, several at once, each worker with a connection of its own.
fn each(options: &ListOptions, subject: &Subject, count: usize, work: impl Fn(&mut Client, usize) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let worker = || {
            let mut client = Client::new(&subject.address, subject.basic());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok(());
                }
                work(&mut client, n)?;
            }
        };
        let workers: Vec<_> = (0..options.workers.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a client of the fill panicked")))
    })
}

fn post(client: &mut Client, path: &str, body: &Value) -> Result<()> {
    let reply = client.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())?;
    match reply.status {
        201 | 409 => Ok(()),
        status => bail!("POST {path} answered {status}: {}", String::from_utf8_lossy(&reply.body)),
    }
}

/// One repository with all its artifacts and tags.
fn push(options: &ListOptions, subject: &Subject, name: &str) -> Result<()> {
    let token = token::authorization(&subject.address, subject.basic(), name, "pull,push")?;
    let mut client = Client::new(&subject.address, token);
    let layer = b"layer of the benchmark\n".repeat(40);
    blob(&mut client, name, &layer)?;
    for artifact in 0..options.artifacts {
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z", "config": {"Env": [format!("N={artifact}")]},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": format!("COPY {name} {artifact}")}],
        });
        let config = config.to_string();
        blob(&mut client, name, config.as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": image::MANIFEST, "config": image::descriptor(image::CONFIG, config.as_bytes()),
            "layers": [image::descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
        });
        let manifest = manifest.to_string();
        for tag in 0..options.tags {
            let path = format!("/v2/{name}/manifests/v{artifact}.{tag}");
            let reply = client.send("PUT", &path, &[("Content-Type", image::MANIFEST)], manifest.as_bytes())?;
            if reply.status != 201 {
                bail!("PUT {path} answered {}", reply.status);
            }
        }
    }
    Ok(())
}

fn blob(client: &mut Client, name: &str, content: &[u8]) -> Result<()> {
    let begun = client.send("POST", &format!("/v2/{name}/blobs/uploads/"), &[], b"")?;
    let place = path_of(begun.header("location").with_context(|| format!("an upload to {name} began with {}", begun.status))?);
    let glue = if place.contains('?') { '&' } else { '?' };
    let path = format!("{place}{glue}digest={}", digest(content));
    let reply = client.send("PUT", &path, &[("Content-Type", "application/octet-stream")], content)?;
    match reply.status {
        201 => Ok(()),
        status => bail!("the upload of a blob to {name} answered {status}"),
    }
}
