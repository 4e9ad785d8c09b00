//! Clauses about what becomes visible, when, and only if it is right.
//! Stamped by `contract!`.

use super::{absent, body, content, push, read};
use blob::{BlobError, BlobStore, CommitError, UploadId, UploadState};
use bytes::Bytes;
use oci::digest::{Algorithm, Digest};

pub async fn put_verifies_and_is_idempotent(store: BlobStore) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let bytes = content(3000, 5);
        let digest = Digest::of(algorithm, &bytes);
        for _ in 0..2 {
            store.put(bytes.clone(), &digest).await.unwrap();
            assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
        }
        let wrong = Digest::of(algorithm, b"something else");
        assert!(matches!(store.put(bytes, &wrong).await, Err(BlobError::Mismatch { .. })));
        absent(&store, &wrong).await;
    }
    assert!(store.uploads().await.unwrap().is_empty());
}

pub async fn wrong_digest_leaves_nothing_visible(store: BlobStore) {
    let bytes = content(400_000, 15);
    let wrong = Digest::sha256(b"something else");
    let upload = UploadId::random();
    let appended = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await;
    let CommitError::Mismatch { expected, computed } = store.commit(&upload, &appended.state, &wrong).await.unwrap_err() else {
        panic!("a mismatch")
    };
    assert_eq!((expected, computed), (wrong.to_string(), Digest::sha256(&bytes).to_string()));
    absent(&store, &wrong).await;
    absent(&store, &Digest::sha256(&bytes)).await;
    store.cancel(&upload).await.unwrap();
    store.cancel(&upload).await.unwrap();
    assert!(store.uploads().await.unwrap().is_empty());
}

pub async fn empty_blob(store: BlobStore) {
    for (algorithm, appends) in [(Algorithm::Sha256, true), (Algorithm::Sha512, false)] {
        let digest = Digest::of(algorithm, b"");
        let upload = UploadId::random();
        let mut state = UploadState::default();
        if appends {
            let appended = store.append(&upload, state, body(&Bytes::new(), 1)).await;
            appended.result.unwrap();
            state = appended.state;
        }
        assert_eq!(store.commit(&upload, &state, &digest).await.unwrap(), 0);
        assert_eq!(store.stat(&digest).await.unwrap(), Some(0));
        assert!(read(&store, &digest, 0, u64::MAX).await.is_empty());
        assert!(store.open(&digest).await.unwrap().unwrap().bytes(0).await.unwrap().is_empty());
    }
}

pub async fn sha512_announced_or_not(store: BlobStore) {
    let bytes = content(2_500_000, 17);
    for (running, asked) in
        [(Algorithm::Sha512, Algorithm::Sha512), (Algorithm::Sha256, Algorithm::Sha512), (Algorithm::Sha512, Algorithm::Sha256)]
    {
        let upload = UploadId::random();
        let appended = store.append(&upload, UploadState::with_algorithm(running), body(&bytes, 65_536)).await;
        let wrong = Digest::of(asked, b"something else");
        let refused = store.commit(&upload, &appended.state, &wrong).await;
        assert!(matches!(refused, Err(CommitError::Mismatch { .. })));
        let digest = Digest::of(asked, &bytes);
        store.commit(&upload, &appended.state, &digest).await.unwrap();
        assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
        store.remove(&digest).await.unwrap();
    }
}

pub async fn commit_can_be_repeated(store: BlobStore) {
    let (bytes, upload) = (content(700_000, 27), UploadId::random());
    let digest = Digest::sha256(&bytes);
    let state = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await.state;
    for _ in 0..3 {
        assert_eq!(store.commit(&upload, &state, &digest).await.unwrap(), 700_000);
    }
    // The same content again, as another upload.
    assert_eq!(push(&store, &bytes, &digest).await, 700_000);
    assert!(store.uploads().await.unwrap().is_empty());
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
    // A state alone does not make a blob of another digest.
    let other = Digest::of(Algorithm::Sha512, &bytes);
    assert!(matches!(store.commit(&upload, &state, &other).await, Err(CommitError::Lost)));
}

pub async fn concurrent_commits_of_the_same_content(store: BlobStore) {
    let bytes = content(500_000, 29);
    let digest = Digest::sha256(&bytes);
    let pushes = (0..12).map(|_| {
        let (store, bytes, digest) = (store.clone(), bytes.clone(), digest.clone());
        tokio::spawn(async move { push(&store, &bytes, &digest).await })
    });
    for size in futures::future::join_all(pushes).await {
        assert_eq!(size.unwrap(), 500_000);
    }
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
    assert!(store.uploads().await.unwrap().is_empty());
}

pub async fn concurrent_commits_of_one_upload(store: BlobStore) {
    let (bytes, upload) = (content(500_000, 31), UploadId::random());
    let digest = Digest::sha256(&bytes);
    let state = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await.state;
    let (a, b) = tokio::join!(store.commit(&upload, &state, &digest), store.commit(&upload, &state, &digest));
    assert_eq!((a.unwrap(), b.unwrap()), (500_000, 500_000));
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn commit_and_remove_race(store: BlobStore) {
    let bytes = content(10_000, 33);
    let digest = Digest::sha256(&bytes);
    let remover = {
        let (store, digest) = (store.clone(), digest.clone());
        tokio::spawn(async move {
            loop {
                store.remove(&digest).await.unwrap();
            }
        })
    };
    for _ in 0..40 {
        // Never half there, never an error: when it is there it is whole.
        match store.put(bytes.clone(), &digest).await {
            Ok(()) => {}
            Err(BlobError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
            Err(error) => panic!("{error}"),
        }
        if let Some(blob) = store.open(&digest).await.unwrap() {
            assert!(blob.bytes(10_000).await.unwrap() == bytes);
        }
    }
    remover.abort();
    assert!(remover.await.unwrap_err().is_cancelled());
    store.put(bytes, &digest).await.unwrap();
    assert_eq!(store.stat(&digest).await.unwrap(), Some(10_000));
}

pub async fn state_of_another_boot_is_verified_again(store: BlobStore) {
    let (bytes, upload) = (content(800_000, 43), UploadId::random());
    let digest = Digest::sha256(&bytes);
    let claimed = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await.state.to_bytes();
    // After a power cut: a file of the right length with other bytes.
    let _ = store.append(&upload, UploadState::default(), body(&content(800_000, 44), 65_536)).await;
    let mut other_boot = claimed.clone();
    other_boot[10..46].fill(b'0');
    let state = UploadState::from_bytes(&other_boot).unwrap();
    let refused = store.commit(&upload, &state, &digest).await;
    assert!(matches!(refused, Err(CommitError::Mismatch { .. })));
    absent(&store, &digest).await;
    // And with the right ones it goes through.
    let _ = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await;
    assert_eq!(store.commit(&upload, &state, &digest).await.unwrap(), 800_000);
}
