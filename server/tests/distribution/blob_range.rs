//! R86 to R92: parts of blobs.

use bytes::Bytes;
use testkit::client::Reply;

use crate::kit::{Kit, Repo, noise};

testkit::tests! {
    Kit;
    r086_single_ranges_are_206,
    r087_ranges_that_cannot_be_are_416,
    r088_a_suffix_longer_than_the_blob_is_the_blob,
    r089_several_ranges_come_in_parts_as_asked_for,
    r090_100_ranges_are_served_and_too_many_are_400,
    r091_a_range_of_the_empty_blob_is_200,
    r092_if_range_decides,
    other_units_and_head_ignore_ranges,
}

const SIZE: usize = 2048;

async fn blob(kit: &Kit) -> (Repo, String, Bytes) {
    let repo = kit.repo().await;
    let content = noise(86, SIZE);
    let digest = repo.blob(content.clone()).await;
    (repo, format!("blobs/{digest}"), content)
}

async fn r086_single_ranges_are_206(kit: Kit) {
    let (repo, path, content) = blob(&kit).await;
    for (range, first, last) in [
        ("500-1499", 500, 1499),
        ("500-", 500, 2047),
        ("-500", 1548, 2047),
        ("2000-5000", 2000, 2047),
        ("0-0", 0, 0),
        ("2047-", 2047, 2047),
    ] {
        let reply = repo.get(&path).header("range", format!("bytes={range}")).send().await.expect(206);
        assert_eq!(reply.header("content-range"), format!("bytes {first}-{last}/{SIZE}"));
        assert_eq!((reply.length(), &reply.body), (last - first + 1, &content.slice(first..=last)), "{range}");
        assert!(path.ends_with(reply.header("docker-content-digest")));
    }
}

async fn r087_ranges_that_cannot_be_are_416(kit: Kit) {
    let (repo, path, _) = blob(&kit).await;
    for range in ["500-0", "5000-10000", "x", "2048-", "-0", "1-2-3", "-"] {
        let reply = repo.get(&path).header("range", format!("bytes={range}")).send().await;
        assert_eq!((reply.status, reply.header("content-range")), (416, "bytes */2048"), "{range}");
    }
}

async fn r088_a_suffix_longer_than_the_blob_is_the_blob(kit: Kit) {
    let (repo, path, content) = blob(&kit).await;
    let reply = repo.get(&path).header("range", "bytes=-99999").send().await.expect(206);
    assert_eq!((reply.header("content-range"), &reply.body), ("bytes 0-2047/2048", &content));
}

/// The parts of a multipart answer: first byte, last byte, content.
fn parts(reply: &Reply) -> Vec<(usize, usize, Vec<u8>)> {
    assert_eq!(reply.length(), reply.body.len());
    let boundary = reply.header("content-type").strip_prefix("multipart/byteranges; boundary=").expect("a boundary").trim_matches('"');
    let mut rest = &reply.body[..];
    let mut parts = Vec::new();
    let after = |bytes: &[u8], mark: &str| bytes.windows(mark.len()).position(|window| window == mark.as_bytes()).map(|at| at + mark.len());
    let open = format!("--{boundary}");
    while let Some(at) = after(rest, &open) {
        rest = &rest[at..];
        if rest.starts_with(b"--") {
            return parts;
        }
        let head_end = after(rest, "\r\n\r\n").expect("a part's head ends");
        let head = String::from_utf8_lossy(&rest[..head_end]).to_lowercase();
        assert!(head.contains("content-type: application/octet-stream"), "{head}");
        let range = head.split("content-range: bytes ").nth(1).and_then(|text| text.split('/').next()).expect("a content range");
        let (first, last) =
            range.split_once('-').map(|(a, b)| (a.parse::<usize>().expect("first"), b.parse::<usize>().expect("last"))).expect("a range");
        let content = rest[head_end..head_end + last - first + 1].to_vec();
        rest = &rest[head_end + content.len()..];
        parts.push((first, last, content));
    }
    panic!("the closing boundary is missing");
}

async fn r089_several_ranges_come_in_parts_as_asked_for(kit: Kit) {
    let (repo, path, content) = blob(&kit).await;
    // Adjacent, out of order, and one cut at the end: neither merged nor sorted.
    for asked in [vec![(0, 9), (10, 19)], vec![(100, 199), (0, 9)], vec![(0, 0), (2000, 2047), (1, 1)]] {
        let text: Vec<String> = asked.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        let reply = repo.get(&path).header("range", format!("bytes={}", text.join(","))).send().await.expect(206);
        let expected: Vec<_> = asked.iter().map(|&(first, last)| (first, last, content[first..=last].to_vec())).collect();
        assert_eq!(parts(&reply), expected);
    }
    let reply = repo.get(&path).header("range", "bytes=0-1, -2").send().await.expect(206);
    assert_eq!(parts(&reply).iter().map(|part| (part.0, part.1)).collect::<Vec<_>>(), [(0, 1), (2046, 2047)]);
}

async fn r090_100_ranges_are_served_and_too_many_are_400(kit: Kit) {
    let (repo, path, _) = blob(&kit).await;
    let ranges = |count: usize, step: usize| (0..count).map(|n| format!("{0}-{0}", n * step)).collect::<Vec<_>>().join(",");
    let reply = repo.get(&path).header("range", format!("bytes={}", ranges(100, 20))).send().await.expect(206);
    assert_eq!(parts(&reply).len(), 100);
    let reply = repo.get(&path).header("range", format!("bytes={}", ranges(1024, 2))).send().await.expect(206);
    assert_eq!(parts(&reply).len(), 1024);
    let _ = repo.get(&path).header("range", format!("bytes={}", ranges(2000, 1))).send().await.expect(400);
}

async fn r091_a_range_of_the_empty_blob_is_200(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.blob("").await;
    for range in ["bytes=0-", "bytes=-5", "bytes=0-0"] {
        let reply = repo.get(&format!("blobs/{digest}")).header("range", range).send().await.expect(200);
        assert_eq!((reply.length(), reply.body.len()), (0, 0));
    }
}

async fn r092_if_range_decides(kit: Kit) {
    let (repo, path, _) = blob(&kit).await;
    let etag = format!("\"{}\"", path.trim_start_matches("blobs/"));
    for (condition, status) in
        [(etag.as_str(), 206), ("\"other\"", 200), (&format!("W/{etag}"), 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)]
    {
        let reply = repo.get(&path).header("range", "bytes=0-9").header("if-range", condition).send().await;
        assert_eq!((reply.status, reply.body.len()), (status, if status == 206 { 10 } else { SIZE }), "{condition}");
    }
}

async fn other_units_and_head_ignore_ranges(kit: Kit) {
    let (repo, path, _) = blob(&kit).await;
    let reply = repo.get(&path).header("range", "items=0-5").send().await.expect(200);
    assert_eq!(reply.body.len(), SIZE);
    let head = repo.head(&path).header("range", "bytes=0-9").send().await.expect(200);
    assert_eq!((head.length(), head.find("content-range")), (SIZE, None));
}
