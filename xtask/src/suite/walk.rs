//! Walks everything that a server shows, whoever put it there and whether or not it was acknowledged: what is visible must be whole.
//! Called at the end of the kill journeys.

use crate::digest::fits;
use crate::http::{Client, path_of};
use crate::image;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;

/// Pages of a list that are read before it is taken for endless.
const MOST_PAGES: usize = 10_000;

/// What was seen.
#[derive(Default)]
pub struct Walked {
    /// Manifests, each with its repository: by digest.
    pub manifests: BTreeSet<(String, String)>,
    /// Blobs likewise.
    pub blobs: BTreeSet<(String, String)>,
    /// Tags.
    pub tags: usize,
    /// What is not whole: one line each.
    pub wrong: Vec<String>,
}

/// Walks the catalog: every repository's tags, every artifact that the API lists, what their manifests name, and what is about them.
pub fn all(client: &mut Client) -> Result<Walked> {
    let mut walk = Walk { client, seen: Walked::default() };
    for repository in walk.list("/v2/_catalog?n=100", "repositories")? {
        let repository = repository.as_str().context("a repository without a name")?.to_owned();
        walk.repository(&repository).with_context(|| format!("walking {repository}"))?;
    }
    Ok(walk.seen)
}

struct Walk<'a> {
    client: &'a mut Client,
    seen: Walked,
}

impl Walk<'_> {
    fn repository(&mut self, repository: &str) -> Result<()> {
        for tag in self.list(&format!("/v2/{repository}/tags/list?n=100"), "tags")? {
            let tag = tag.as_str().context("a tag without a name")?;
            self.seen.tags += 1;
            let path = format!("/v2/{repository}/manifests/{tag}");
            let reply = self.client.send("HEAD", &path, &[], b"")?;
            match reply.header("docker-content-digest").filter(|_| reply.status == 200) {
                Some(named) => self.manifest(repository, named, None)?,
                None => self.seen.wrong.push(format!("{path}: {} although it is listed", reply.status)),
            }
        }
        let (project, name) = repository.split_once('/').context("a repository without a project")?;
        // Encoded twice, as the API wants it.
        let name = name.replace('/', "%252F");
        let artifacts = format!("/api/v2.0/projects/{project}/repositories/{name}/artifacts?page_size=100&with_accessory=true");
        for artifact in self.list(&artifacts, "")? {
            let accessories = artifact["accessories"].as_array().cloned().unwrap_or_default();
            for shown in accessories.iter().chain([&artifact]) {
                self.manifest(repository, shown["digest"].as_str().context("an artifact without a digest")?, None)?;
            }
        }
        Ok(())
    }

    /// A manifest, which must be what its digest says (and `descriptor`, where one named it), and everything that it names.
    fn manifest(&mut self, repository: &str, named: &str, descriptor: Option<&Value>) -> Result<()> {
        let path = format!("/v2/{repository}/manifests/{named}");
        let is_new = self.seen.manifests.insert((repository.to_owned(), named.to_owned()));
        if !is_new && descriptor.is_none() {
            return Ok(());
        }
        let accept = format!("{}, {}", image::MANIFEST, image::INDEX);
        let reply = self.client.send("GET", &path, &[("Accept", &accept)], b"")?;
        let media_type = reply.header("content-type").unwrap_or_default().to_owned();
        if reply.status != 200 || !fits(named, &reply.body) {
            self.seen.wrong.push(format!("{path}: {} with other content than it is named by", reply.status));
            return Ok(());
        }
        let Ok(manifest) = serde_json::from_slice::<Value>(&reply.body) else {
            self.seen.wrong.push(format!("{path}: no JSON"));
            return Ok(());
        };
        let is_as_described = descriptor.is_none_or(|said| said["size"] == reply.body.len() && said["mediaType"] == media_type.as_str());
        if !is_as_described || manifest["mediaType"] != media_type.as_str() {
            self.seen.wrong.push(format!("{path}: is {media_type} of {} bytes, named as {descriptor:?}", reply.body.len()));
        }
        if !is_new {
            return Ok(());
        }
        let list = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        for blob in list("layers").iter().chain(manifest.get("config")) {
            self.blob(repository, blob)?;
        }
        for child in list("manifests") {
            self.manifest(repository, child["digest"].as_str().unwrap_or_default(), Some(&child))?;
        }
        self.referrers(repository, named)
    }

    fn referrers(&mut self, repository: &str, subject: &str) -> Result<()> {
        for referrer in self.list(&format!("/v2/{repository}/referrers/{subject}"), "manifests")? {
            let named = referrer["digest"].as_str().unwrap_or_default();
            self.manifest(repository, named, Some(&referrer))?;
            let reply = self.client.send("GET", &format!("/v2/{repository}/manifests/{named}"), &[], b"")?;
            let about = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
            if about["subject"]["digest"] != subject {
                self.seen.wrong.push(format!("{repository}: {named} is listed as about {subject}, and is about {}", about["subject"]));
            }
        }
        Ok(())
    }

    fn blob(&mut self, repository: &str, descriptor: &Value) -> Result<()> {
        let named = descriptor["digest"].as_str().unwrap_or_default();
        if !self.seen.blobs.insert((repository.to_owned(), named.to_owned())) {
            return Ok(());
        }
        let path = format!("/v2/{repository}/blobs/{named}");
        let reply = self.client.send("GET", &path, &[], b"")?;
        if reply.status != 200 || !fits(named, &reply.body) || descriptor["size"] != reply.body.len() {
            self.seen.wrong.push(format!("{path}: {} with {} bytes, named as {descriptor}", reply.status, reply.body.len()));
        }
        Ok(())
    }

    /// All pages of a list: the items under `key`, or the whole answer where there is none.
    fn list(&mut self, first: &str, key: &str) -> Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), Some(first.to_owned()));
        for _ in 0..MOST_PAGES {
            let Some(path) = next else { return Ok(items) };
            let reply = self.client.send("GET", &path, &[], b"")?;
            ensure!(reply.status == 200, "{path} answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
            let page: Value = serde_json::from_slice(&reply.body).with_context(|| format!("{path} answered no JSON"))?;
            let listed = if key.is_empty() { &page } else { &page[key] };
            items.extend(listed.as_array().cloned().unwrap_or_default());
            next = reply.headers("link").find_map(following);
        }
        anyhow::bail!("{first} has no end")
    }
}

/// The address of the next page, of a `Link` header that may name the previous one too.
fn following(header: &str) -> Option<String> {
    let link = header.split(", ").find(|link| link.contains("rel=\"next\""))?;
    Some(path_of(link.split_once('<')?.1.split_once('>')?.0).to_owned())
}

#[cfg(test)]
mod tests {
    use super::following;

    #[test]
    fn the_next_page_is_found_among_others() {
        let both = "</a?page=1>; rel=\"prev\" , </a?page=3&q=x%2Cy>; rel=\"next\"";
        assert_eq!(following(both).as_deref(), Some("/a?page=3&q=x%2Cy"));
        assert_eq!(following("<http://h/v2/_catalog?n=1&last=a>; rel=\"next\"").as_deref(), Some("/v2/_catalog?n=1&last=a"));
        assert_eq!(following("</a?page=1>; rel=\"prev\""), None);
    }
}
