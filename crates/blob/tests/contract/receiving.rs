//! Clauses about bodies that come in: chunks, interruptions, bounds.
//! Stamped by `contract!`.

use super::{body, broken, content, read};
use blob::{AppendError, AppendOptions, BlobError, BlobStore, CommitError, UploadId, UploadState};
use bytes::Bytes;
use futures::{StreamExt, stream};
use oci::digest::{Algorithm, Digest};
use std::convert::Infallible;

pub async fn many_tiny_pieces_arrive_in_order(store: BlobStore) {
    let bytes = content(300_000, 3);
    let upload = UploadId::random();
    let appended = store.append(&upload, UploadState::default(), body(&bytes, 7)).await;
    appended.result.unwrap();
    let digest = Digest::sha256(&bytes);
    store.commit(&upload, &appended.state, &digest).await.unwrap();
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn chunks_continue_from_stored_state(store: BlobStore) {
    let bytes = content(3 << 20, 7);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let upload = UploadId::random();
        let mut stored = UploadState::with_algorithm(algorithm).to_bytes();
        for cut in [0..1, 1..64, 64..1_000_000, 1_000_000..1_000_000, 1_000_000..(3 << 20)] {
            let state = UploadState::from_bytes(&stored).unwrap();
            assert_eq!(state.offset(), cut.start as u64);
            let appended = store.append(&upload, state, body(&bytes.slice(cut), 50_000)).await;
            appended.result.unwrap();
            stored = appended.state.to_bytes();
        }
        let digest = Digest::of(algorithm, &bytes);
        store.commit(&upload, &UploadState::from_bytes(&stored).unwrap(), &digest).await.unwrap();
        assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
    }
}

pub async fn bytes_beyond_the_recorded_state_are_dropped(store: BlobStore) {
    let (bytes, upload) = (content(600_000, 9), UploadId::random());
    let first = store.append(&upload, UploadState::default(), body(&bytes.slice(..400_000), 70_000)).await;
    // The answer to this one is lost: its state never gets stored.
    let _ = store.append(&upload, first.state.clone(), body(&content(300_000, 10), 70_000)).await;
    let last = store.append(&upload, first.state, body(&bytes.slice(400_000..), 70_000)).await;
    let digest = Digest::sha256(&bytes);
    assert_eq!(store.commit(&upload, &last.state, &digest).await.unwrap(), 600_000);
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);

    // The same when the commit follows at once.
    let (bytes, upload) = (content(5000, 11), UploadId::random());
    let first = store.append(&upload, UploadState::default(), body(&bytes, 5000)).await;
    let _ = store.append(&upload, first.state.clone(), body(&bytes, 5000)).await;
    let digest = Digest::sha256(&bytes);
    assert_eq!(store.commit(&upload, &first.state, &digest).await.unwrap(), 5000);
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn lost_bytes_are_refused(store: BlobStore) {
    let bytes = content(1000, 13);
    let upload = UploadId::random();
    let appended = store.append(&upload, UploadState::default(), body(&bytes, 1000)).await;
    store.cancel(&upload).await.unwrap();
    let again = store.append(&upload, appended.state.clone(), body(&bytes, 1000)).await;
    assert!(matches!(again.result, Err(AppendError::Lost)));
    assert_eq!((again.received, again.state.offset()), (0, 1000));
    let commit = store.commit(&upload, &appended.state, &Digest::sha256(&bytes)).await;
    assert!(matches!(commit, Err(CommitError::Lost)));
    assert!(matches!(store.hold(&upload).await.map(drop), Err(BlobError::Lost)));
}

pub async fn interrupted_body_keeps_its_prefix(store: BlobStore) {
    for prefix in [0, 10_000, 2_000_001] {
        let bytes = content(3_000_000, prefix as u64);
        let upload = UploadId::random();
        let appended = store.append(&upload, UploadState::default(), broken(&bytes.slice(..prefix), 40_000)).await;
        assert!(matches!(&appended.result, Err(AppendError::Aborted(why)) if why == "connection reset"));
        assert_eq!((appended.received, appended.state.offset()), (prefix as u64, prefix as u64));
        let stored = UploadState::from_bytes(&appended.state.to_bytes()).unwrap();
        let rest = store.append(&upload, stored, body(&bytes.slice(prefix..), 40_000)).await;
        rest.result.unwrap();
        let digest = Digest::sha256(&bytes);
        store.commit(&upload, &rest.state, &digest).await.unwrap();
        assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
    }
}

pub async fn dropped_append_can_be_repeated(store: BlobStore) {
    let (bytes, upload) = (content(3_000_000, 19), UploadId::random());
    let hanging = body(&bytes, 50_000).chain(stream::pending());
    let task = {
        let (store, upload) = (store.clone(), upload.clone());
        tokio::spawn(async move { store.append(&upload, UploadState::default(), hanging).await.received })
    };
    while store.uploads().await.unwrap().iter().all(|file| file.size < 1_000_000) {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let appended = store.append(&upload, UploadState::default(), body(&bytes, 50_000)).await;
    appended.result.unwrap();
    let digest = Digest::sha256(&bytes);
    store.commit(&upload, &appended.state, &digest).await.unwrap();
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn limit_counts_the_whole_upload(store: BlobStore) {
    let (bytes, upload) = (content(2_000_000, 21), UploadId::random());
    let options = AppendOptions { limit: Some(2_000_000), length: None };
    let first = store.append_with(&upload, UploadState::default(), body(&bytes, 60_000), options).await;
    first.result.unwrap();
    let over = store.append_with(&upload, first.state.clone(), body(&bytes.slice(..1), 1), options).await;
    assert!(matches!(over.result, Err(AppendError::TooLarge { limit: 2_000_000 })));
    assert_eq!((over.received, over.state.offset()), (0, 2_000_000));

    // Announced too large: refused before a byte is read.
    let options = AppendOptions { limit: Some(10), length: Some(11) };
    let poison = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> { panic!("read") });
    let refused = store.append_with(&UploadId::random(), UploadState::default(), poison, options).await;
    assert!(matches!(refused.result, Err(AppendError::TooLarge { limit: 10 })));

    // An endless body ends at the limit.
    let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 65_536])));
    let options = AppendOptions { limit: Some(1_000_000), length: None };
    let cut = store.append_with(&UploadId::random(), UploadState::default(), Box::pin(endless), options).await;
    assert!(matches!(cut.result, Err(AppendError::TooLarge { limit: 1_000_000 })));
    assert!(cut.state.offset() <= 1_000_000);
}

pub async fn announced_length_must_be_met_and_can_be_rolled_back(store: BlobStore) {
    let (bytes, upload) = (content(900_000, 23), UploadId::random());
    let start = store.append(&upload, UploadState::default(), body(&bytes.slice(..100_000), 30_000)).await.state;
    for (announced, sent) in [(700_000, 300_000), (300_000, 700_000), (50, 10), (10, 50), (0, 1)] {
        let options = AppendOptions { limit: None, length: Some(announced) };
        let sent = body(&content(sent, 24), 30_000);
        let appended = store.append_with(&upload, start.clone(), sent, options).await;
        assert!(matches!(appended.result, Err(AppendError::Length { announced: a, .. }) if a == announced));
        assert_eq!(appended.state.offset(), 100_000 + appended.received);
        store.hold(&upload).await.unwrap().rollback(&start).await.unwrap();
    }
    let options = AppendOptions { limit: None, length: Some(800_000) };
    let rest = store.append_with(&upload, start, body(&bytes.slice(100_000..), 30_000), options).await;
    rest.result.unwrap();
    let digest = Digest::sha256(&bytes);
    store.commit(&upload, &rest.state, &digest).await.unwrap();
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn large_announced_body(store: BlobStore) {
    let (bytes, upload) = (content(20 << 20, 25), UploadId::random());
    let options = AppendOptions { limit: Some(20 << 20), length: Some(20 << 20) };
    let cut_off = broken(&bytes.slice(..(9 << 20)), 200_000);
    let first = store.append_with(&upload, UploadState::default(), cut_off, options).await;
    assert!(matches!(first.result, Err(AppendError::Aborted(_))));
    assert_eq!(first.state.offset(), 9 << 20);
    let options = AppendOptions { limit: Some(20 << 20), length: Some(11 << 20) };
    let rest = store.append_with(&upload, first.state, body(&bytes.slice((9 << 20)..), 200_000), options).await;
    rest.result.unwrap();
    let digest = Digest::sha256(&bytes);
    store.commit(&upload, &rest.state, &digest).await.unwrap();
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

pub async fn uploads_are_listed_with_age(store: BlobStore) {
    let bytes = content(1234, 41);
    let upload = UploadId::random();
    let _ = store.append(&upload, UploadState::default(), body(&bytes, 1000)).await;
    let found = store.uploads().await.unwrap();
    assert_eq!((found.len(), &found[0].id, found[0].size), (1, &upload, 1234));
    let now = std::time::SystemTime::now();
    assert!(found[0].age(now).as_secs() < 60);
    assert!(found[0].age(now + std::time::Duration::from_secs(3600)).as_secs() >= 3600);
    store.cancel(&upload).await.unwrap();
    assert!(store.uploads().await.unwrap().is_empty());
}
