//! What every blob store must do, whatever is behind it. Each driver's test file stamps the suite with
//! `contract!(constructor)`; the constructor gives a fresh store and something that keeps it alive.

mod committing;
mod reading;
mod receiving;

use std::convert::Infallible;

use blob::{BlobStore, UploadId, UploadState};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use oci::digest::Digest;

pub use committing::*;
pub use reading::*;
pub use receiving::*;

/// Bytes without a period that a misplaced slice could hide in.
pub fn content(length: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// A body in pieces of `piece` bytes.
pub fn body(bytes: &Bytes, piece: usize) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Unpin + use<> {
    let bytes = bytes.clone();
    stream::iter((0..bytes.len()).step_by(piece).map(move |at| Ok(bytes.slice(at..(at + piece).min(bytes.len())))))
}

/// A body that breaks after its bytes.
pub fn broken(bytes: &Bytes, piece: usize) -> impl Stream<Item = Result<Bytes, String>> + Send + Unpin + use<> {
    body(bytes, piece).map(|item| Ok(item.unwrap_or_else(|never| match never {}))).chain(stream::iter([Err("connection reset".to_owned())]))
}

pub async fn read(store: &BlobStore, digest: &Digest, start: u64, length: u64) -> Vec<u8> {
    let blob = store.open(digest).await.unwrap().expect("the blob is there");
    let mut stream = blob.stream(start, length);
    let mut bytes = Vec::new();
    while let Some(item) = stream.next().await {
        let item = item.unwrap();
        assert!(!item.is_empty());
        bytes.extend_from_slice(&item);
    }
    bytes
}

pub async fn push(store: &BlobStore, bytes: &Bytes, digest: &Digest) -> u64 {
    let upload = UploadId::random();
    let appended = store.append(&upload, UploadState::default(), body(bytes, 100_000)).await;
    appended.result.unwrap();
    store.commit(&upload, &appended.state, digest).await.unwrap()
}

/// Nothing of this digest can be seen.
pub async fn absent(store: &BlobStore, digest: &Digest) {
    assert_eq!(store.stat(digest).await.unwrap(), None);
    assert!(store.open(digest).await.unwrap().is_none());
}

/// Stamps the suite: `contract!(constructor)` with `async fn constructor() -> (BlobStore, impl Sized)`.
#[macro_export]
macro_rules! contract {
    ($constructor:path) => {
        $crate::contract!($constructor:
            round_trips_at_many_sizes
            many_tiny_pieces_arrive_in_order
            put_verifies_and_is_idempotent
            chunks_continue_from_stored_state
            bytes_beyond_the_recorded_state_are_dropped
            lost_bytes_are_refused
            wrong_digest_leaves_nothing_visible
            empty_blob
            sha512_announced_or_not
            interrupted_body_keeps_its_prefix
            dropped_append_can_be_repeated
            limit_counts_the_whole_upload
            announced_length_must_be_met_and_can_be_rolled_back
            large_announced_body
            commit_can_be_repeated
            concurrent_commits_of_the_same_content
            concurrent_commits_of_one_upload
            commit_and_remove_race
            ranges_at_boundaries
            reading_outlives_removal
            quarantine_hides_and_restores
            uploads_are_listed_with_age
            state_of_another_boot_is_verified_again
            usage_is_plausible
        );
    };
    ($constructor:path: $($clause:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $clause() {
            let (store, _alive) = $constructor().await;
            contract::$clause(store).await;
        }
    )*};
}
