//! Clauses about blobs that are there: ranges, removal, quarantine.
//! Stamped by `contract!`.

use super::{absent, body, content, push, read};
use blob::{BlobStore, UploadId, UploadState};
use futures::StreamExt;
use oci::digest::Digest;

pub async fn round_trips_at_many_sizes(store: BlobStore) {
    for length in [1, 2, 4096, 131_071, 131_072, 131_073, 262_143, 262_144, 262_145, 2 << 20, (5 << 20) + 7] {
        for piece in [length, 65_536, 300_001] {
            let bytes = content(length, length as u64 + piece as u64);
            let digest = Digest::sha256(&bytes);
            absent(&store, &digest).await;
            let upload = UploadId::random();
            let appended = store.append(&upload, UploadState::default(), body(&bytes, piece)).await;
            appended.result.unwrap();
            assert_eq!((appended.received, appended.state.offset()), (length as u64, length as u64));
            absent(&store, &digest).await;
            assert_eq!(store.commit(&upload, &appended.state, &digest).await.unwrap(), length as u64);
            assert_eq!(store.stat(&digest).await.unwrap(), Some(length as u64));
            assert!(read(&store, &digest, 0, u64::MAX).await == bytes, "{length} in {piece}");
            store.remove(&digest).await.unwrap();
        }
    }
    assert!(store.uploads().await.unwrap().is_empty());
}

pub async fn ranges_at_boundaries(store: BlobStore) {
    const SLICE: u64 = 2 << 20;
    const SMALL: u64 = 128 << 10;
    let size = 2 * SLICE + 12_345;
    let bytes = content(usize::try_from(size).unwrap(), 35);
    let digest = Digest::sha256(&bytes);
    push(&store, &bytes, &digest).await;
    let edges = [0, 1, 4095, 4096, SMALL - 1, SMALL, SMALL + 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE, size - 1, size];
    for start in edges {
        for length in [0, 1, SMALL - 1, SMALL, SMALL + 1, SLICE - 1, SLICE, SLICE + 1, size, u64::MAX] {
            let end = start.saturating_add(length).min(size);
            let expected = &bytes[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            assert!(read(&store, &digest, start, length).await == expected, "{start}+{length}");
        }
    }
    assert!(read(&store, &digest, size + 1, 5).await.is_empty());
    assert!(read(&store, &digest, u64::MAX, u64::MAX).await.is_empty());
    let blob = store.open(&digest).await.unwrap().unwrap();
    assert_eq!(blob.bytes(size - 1).await.unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    assert!(blob.bytes(size).await.unwrap() == bytes);
}

pub async fn reading_outlives_removal(store: BlobStore) {
    let bytes = content(7 << 20, 37);
    let digest = Digest::sha256(&bytes);
    push(&store, &bytes, &digest).await;
    let mut stream = store.open(&digest).await.unwrap().unwrap().stream(0, u64::MAX);
    let mut got = stream.next().await.unwrap().unwrap().to_vec();
    assert!(store.remove(&digest).await.unwrap());
    assert!(!store.remove(&digest).await.unwrap());
    absent(&store, &digest).await;
    while let Some(item) = stream.next().await {
        got.extend_from_slice(&item.unwrap());
    }
    assert!(got == bytes);
}

pub async fn quarantine_hides_and_restores(store: BlobStore) {
    let bytes = content(5000, 39);
    let digest = Digest::sha256(&bytes);
    assert!(!store.quarantine(&digest).await.unwrap());
    assert!(!store.restore(&digest).await.unwrap());
    store.put(bytes.clone(), &digest).await.unwrap();
    assert!(store.quarantine(&digest).await.unwrap());
    absent(&store, &digest).await;
    let aside = store.quarantined().await.unwrap();
    assert_eq!((aside.len(), &aside[0].digest, aside[0].size), (1, &digest, 5000));
    assert!(aside[0].since.elapsed().unwrap().as_secs() < 60);
    assert!(store.restore(&digest).await.unwrap());
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
    assert!(store.quarantined().await.unwrap().is_empty());

    // Pushed again while set aside: restoring and purging leave the new one alone.
    assert!(store.quarantine(&digest).await.unwrap());
    store.put(bytes.clone(), &digest).await.unwrap();
    assert!(store.restore(&digest).await.unwrap());
    assert!(store.quarantine(&digest).await.unwrap());
    store.put(bytes.clone(), &digest).await.unwrap();
    assert!(store.purge(&digest).await.unwrap());
    assert!(!store.purge(&digest).await.unwrap());
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn usage_is_plausible(store: BlobStore) {
    let usage = store.usage().await.unwrap();
    assert!(usage.total > 0 && usage.free <= usage.total);
}
