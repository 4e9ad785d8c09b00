//! Helm charts: values, readme and dependencies out of the chart's archive. Archives come from strangers: everything is bounded.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Bytes of an unpacked archive that are looked at.
const MAX_UNPACKED: u64 = 64 << 20;
/// Bytes of what an archive says of an entry ahead of it, such as a long name: no path of any system is as long.
const MAX_AHEAD: u64 = 16 << 10;
/// Bytes of one file that are shown.
pub(super) const MAX_FILE: u64 = 4 << 20;
/// Entries of an archive that are looked at.
const MAX_ENTRIES: usize = 20_000;

/// A chart that another one needs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Dependency {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    condition: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enabled: bool,
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    import_values: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    alias: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Needs {
    dependencies: Option<Vec<Dependency>>,
}

/// Whether a layer of this type is the chart's archive.
pub(super) fn is_archive(media_type: &str) -> bool {
    matches!(media_type, "application/vnd.cncf.helm.chart.content.v1.tar+gzip" | "application/tar+gzip")
}

/// The default values; empty without.
pub(super) async fn values(archive: Bytes) -> Result<Vec<u8>> {
    on_a_thread(move || Ok(file(&archive, &["values.yaml"])?.unwrap_or_default())).await
}

/// The readme; empty without.
pub(super) async fn readme(archive: Bytes) -> Result<Vec<u8>> {
    on_a_thread(move || Ok(file(&archive, &["README.md"])?.unwrap_or_default())).await
}

/// The dependencies as JSON, `null` without; older charts name them in a file of their own.
pub(super) async fn dependencies(archive: Bytes) -> Result<Vec<u8>> {
    on_a_thread(move || {
        let mut needs = parse(file(&archive, &["Chart.yaml"])?)?;
        if needs.is_none() {
            needs = parse(file(&archive, &["requirements.yaml"])?)?;
        }
        serde_json::to_vec(&needs).map_err(Error::internal)
    })
    .await
}

fn parse(text: Option<Vec<u8>>) -> Result<Option<Vec<Dependency>>> {
    let Some(text) = text else { return Ok(None) };
    let text = String::from_utf8(text).map_err(|_| Error::bad_request("the chart's description is no UTF-8"))?;
    let needs: Needs = serde_saphyr::from_str(&text).map_err(|_| Error::bad_request("the chart's description cannot be read"))?;
    Ok(needs.dependencies.filter(|d| !d.is_empty()))
}

/// Runs what takes time without holding up other requests.
pub(super) async fn on_a_thread(work: impl FnOnce() -> Result<Vec<u8>> + Send + 'static) -> Result<Vec<u8>> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// The first of these files, in any case, right inside the chart's own folder.
fn file(archive: &[u8], names: &[&str]) -> Result<Option<Vec<u8>>> {
    find(archive, |path| {
        let inside = path.split_once('/').map(|(_, inside)| inside);
        inside.is_some_and(|inside| names.iter().any(|name| name.eq_ignore_ascii_case(inside)))
    })
}

/// The first file of a tar archive, packed or not, whose path is wanted.
pub(super) fn find(archive: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Option<Vec<u8>>> {
    let unreadable = |_| Error::bad_request("the archive cannot be read");
    let packed = archive.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read + '_> = if packed { Box::new(MultiGzDecoder::new(archive)) } else { Box::new(archive) };
    let mut tar = tar::Archive::new(reader.take(MAX_UNPACKED));
    let mut ahead = None;
    // Raw, as the library would read what is said ahead of an entry as a whole, however long it is.
    for entry in tar.entries().map_err(unreadable)?.raw(true).take(MAX_ENTRIES) {
        let mut entry = entry.map_err(unreadable)?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            if entry.size() > MAX_AHEAD {
                return Err(Error::bad_request(format!("a name in the archive has more than {MAX_AHEAD} bytes")));
            }
            let mut said = Vec::new();
            entry.read_to_end(&mut said).map_err(unreadable)?;
            ahead = if kind.is_gnu_longname() { Some(said) } else { pax_path(&said).or(ahead) };
            continue;
        }
        // What links point to may come between a name and what it names.
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = ahead.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let path = String::from_utf8_lossy(&path).trim_end_matches('\0').trim_start_matches("./").to_owned();
        if !kind.is_file() || !wanted(&path) {
            continue;
        }
        if entry.size() > MAX_FILE {
            return Err(Error::bad_request(format!("a file of more than {MAX_FILE} bytes is not shown")));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(unreadable)?;
        return Ok(Some(content));
    }
    Ok(None)
}

/// The path among the records of a pax header (POSIX.1-2001).
fn pax_path(records: &[u8]) -> Option<Vec<u8>> {
    let path = tar::PaxExtensions::new(records).flatten().find(|record| record.key_bytes() == b"path")?;
    Some(path.value_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn archive(files: &[(&str, &[u8])]) -> Bytes {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap().into()
    }

    #[tokio::test]
    async fn only_files_of_the_chart_itself_count() {
        let chart = archive(&[
            ("web/charts/cache/values.yaml", b"inner: 1"),
            ("web/values.yaml", b"outer: 1"),
            ("web/readme.MD", b"# web"),
            (
                "web/Chart.yaml",
                b"name: web\ndependencies:\n- name: a\n  version: 1.0\n  tags: [x]\n- {name: b, repository: r, enabled: true}\n",
            ),
        ]);
        assert_eq!(values(chart.clone()).await.unwrap(), b"outer: 1");
        assert_eq!(readme(chart.clone()).await.unwrap(), b"# web");
        let json = String::from_utf8(dependencies(chart).await.unwrap()).unwrap();
        assert_eq!(json, r#"[{"name":"a","version":"1.0","repository":"","tags":["x"]},{"name":"b","repository":"r","enabled":true}]"#);
    }

    #[tokio::test]
    async fn older_charts_name_their_dependencies_apart() {
        let chart = archive(&[("web/Chart.yaml", b"name: web"), ("web/requirements.yaml", b"dependencies: [{name: a}]")]);
        assert_eq!(dependencies(chart).await.unwrap(), br#"[{"name":"a","repository":""}]"#);
        assert_eq!(dependencies(archive(&[("web/Chart.yaml", b"name: web")])).await.unwrap(), b"null");
    }

    #[tokio::test]
    async fn names_that_are_said_ahead_count_and_have_a_bound() {
        let folder = "w".repeat(150);
        let chart = archive(&[(&format!("{folder}/values.yaml"), b"long: 1")]);
        assert_eq!(values(chart).await.unwrap(), b"long: 1");
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_pax_extensions([("path", format!("{folder}/values.yaml").as_bytes()), ("comment", b"x")]).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path("short").unwrap();
        header.set_size(6);
        header.set_cksum();
        tar.append(&header, b"pax: 1".as_slice()).unwrap();
        assert_eq!(values(tar.into_inner().unwrap().into()).await.unwrap(), b"pax: 1");
        for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
            let mut header = tar::Header::new_gnu();
            header.set_path("././@LongLink").unwrap();
            header.set_entry_type(kind);
            header.set_size(MAX_AHEAD + 1);
            header.set_cksum();
            let mut tar = tar::Builder::new(Vec::new());
            tar.append(&header, std::io::repeat(b'x').take(MAX_AHEAD + 1)).unwrap();
            let refusal = values(tar.into_inner().unwrap().into()).await.unwrap_err();
            assert!(refusal.status == 400 && refusal.message().contains("16384"), "{refusal}");
        }
    }

    #[tokio::test]
    async fn archives_that_lie_are_refused() {
        let bombed = {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let block = vec![0u8; 1 << 20];
            let mut header = tar::Header::new_gnu();
            header.set_path("web/values.yaml").unwrap();
            header.set_size(300 << 20);
            header.set_cksum();
            packer.write_all(header.as_bytes()).unwrap();
            for _ in 0..8 {
                packer.write_all(&block).unwrap();
            }
            Bytes::from(packer.finish().unwrap())
        };
        assert_eq!(values(bombed).await.unwrap_err().status, 400);
        assert_eq!(values(Bytes::from_static(b"not a tar")).await.unwrap_err().status, 400);
        assert_eq!(values(Bytes::from_static(b"\x1f\x8bnot gzip")).await.unwrap_err().status, 400);
        let aliases = b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n\
            e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ndependencies: [{name: q, import-values: [*f,*f,*f,*f,*f,*f,*f,*f]}]\n";
        assert_eq!(dependencies(archive(&[("web/Chart.yaml", aliases)])).await.unwrap_err().status, 400);
    }
}
