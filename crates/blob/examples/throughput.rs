//! Prints how fast blobs are received and served: `cargo run --release -p blob --example throughput [directory] [MiB]`.

use std::convert::Infallible;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use blob::{AppendOptions, BlobStore, UploadId, UploadState};
use bytes::Bytes;
use futures::{StreamExt, stream};
use oci::digest::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PIECE: usize = 256 << 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mebibytes: usize = arguments.next().map_or(Ok(1024), |text| text.parse())?;
    let directory = tempfile::tempdir_in(parent)?;
    let store = BlobStore::filesystem(directory.path()).await?;
    let pieces: Vec<Bytes> = (0..mebibytes * (1 << 20) / PIECE)
        .map(|n| {
            Bytes::from(
                (0..PIECE / 8)
                    .flat_map(|i| ((n * PIECE + i) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
                    .collect::<Vec<u8>>(),
            )
        })
        .collect();
    let size = (pieces.len() * PIECE) as u64;
    let hashing = Instant::now();
    let digest = Digest::sha256(&pieces.concat());
    report("hash alone (with a copy)", size, hashing.elapsed());

    for (name, length) in [
        ("append, length announced", Some(size)),
        ("append, length unknown", None),
        ("append, length announced", Some(size)),
        ("append, length unknown", None),
    ] {
        store.remove(&digest).await?;
        let upload = UploadId::random();
        let body = stream::iter(pieces.clone().into_iter().map(Ok::<_, Infallible>));
        let start = Instant::now();
        let options = AppendOptions { limit: None, length };
        let appended = store.append_with(&upload, UploadState::default(), body, options).await;
        appended.result?;
        let received = start.elapsed();
        store.commit(&upload, &appended.state, &digest).await?;
        report(name, size, received);
        report("  with commit", size, start.elapsed());
    }

    let blob = store.open(&digest).await?.ok_or("the blob is there")?;
    for round in ["stream, pages touched", "  again"] {
        let start = Instant::now();
        let mut stream = blob.stream(0, size);
        while let Some(item) = stream.next().await {
            black_box(item?.iter().step_by(4096).fold(0u8, |sum, byte| sum ^ byte));
        }
        report(round, size, start.elapsed());
    }
    for round in ["stream to a loopback socket", "  again"] {
        report(round, size, to_socket(blob.stream(0, size)).await?);
    }
    if let Ok(file) = std::fs::File::open(path(directory.path(), &digest)) {
        // Cached pages dropped: what comes now comes from the disk.
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        report("stream to a loopback socket, cold", size, to_socket(blob.stream(0, size)).await?);
    }

    small(&store).await
}

/// Sends a stream through a socket to a reader that throws it away.
async fn to_socket(mut stream: blob::BlobStream) -> Result<Duration, Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let start = Instant::now();
    let reader = tokio::spawn(async move {
        let mut socket = tokio::net::TcpStream::connect(address).await?;
        let mut buffer = vec![0; 1 << 20];
        while socket.read(&mut buffer).await? > 0 {}
        Ok::<_, std::io::Error>(())
    });
    let (mut socket, _) = listener.accept().await?;
    while let Some(item) = stream.next().await {
        socket.write_all(&item?).await?;
    }
    drop(socket);
    reader.await??;
    Ok(start.elapsed())
}

/// Many small blobs, one after the other: the cost of one push and of one pull.
async fn small(store: &BlobStore) -> Result<(), Box<dyn std::error::Error>> {
    const COUNT: u32 = 200;
    let contents: Vec<Bytes> = (0..COUNT).map(|n| Bytes::from(n.to_string().repeat(1000))).collect();
    let start = Instant::now();
    for bytes in &contents {
        let upload = UploadId::random();
        let body = stream::iter([Ok::<_, Infallible>(bytes.clone())]);
        let appended = store.append(&upload, UploadState::default(), body).await;
        appended.result?;
        store.commit(&upload, &appended.state, &Digest::sha256(bytes)).await?;
    }
    println!("{:38} {:8.2?} each", "small blob, append and commit", start.elapsed() / COUNT);
    let start = Instant::now();
    for bytes in &contents {
        let blob = store.open(&Digest::sha256(bytes)).await?.ok_or("the blob is there")?;
        black_box(blob.bytes(1 << 20).await?);
    }
    println!("{:38} {:8.2?} each", "small blob, open and read", start.elapsed() / COUNT);
    Ok(())
}

fn path(root: &std::path::Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    root.join("docker/registry/v2/blobs").join(digest.algorithm().as_str()).join(&hex[..2]).join(hex).join("data")
}

fn report(name: &str, bytes: u64, took: Duration) {
    println!("{name:38} {:8.0} MB/s", bytes as f64 / 1e6 / took.as_secs_f64());
}
