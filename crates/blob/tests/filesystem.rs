//! The contract on the file system driver, and what only a file system can show.

mod contract;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use blob::{AppendError, BlobError, BlobStore, CommitError, UploadId, UploadState};
use bytes::Bytes;
use contract::{absent, body, content, push, read};
use futures::{StreamExt, stream};
use oci::digest::{Algorithm, Digest};
use tempfile::TempDir;

async fn fresh() -> (BlobStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = BlobStore::filesystem(directory.path()).await.unwrap();
    (store, directory)
}

contract!(fresh);

#[tokio::test]
async fn blobs_are_at_the_paths_of_distribution() {
    let (store, directory) = fresh().await;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, b"hello");
        store.put(Bytes::from_static(b"hello"), &digest).await.unwrap();
        let hex = digest.hex();
        let path = format!("docker/registry/v2/blobs/{algorithm}/{}/{hex}/data", &hex[..2]);
        assert_eq!(fs::read(directory.path().join(path)).unwrap(), b"hello");
    }
    let upload: UploadId = "01234567-89ab-4cde-8f01-23456789abcd".parse().unwrap();
    let _ = store.append(&upload, UploadState::default(), body(&Bytes::from_static(b"part"), 4)).await;
    assert_eq!(fs::read(directory.path().join("uploads").join(upload.as_str())).unwrap(), b"part");
}

#[tokio::test]
async fn everything_is_for_its_owner_only() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("a/b");
    let store = BlobStore::filesystem(&root).await.unwrap();
    push(&store, &content(5000, 1), &Digest::sha256(&content(5000, 1))).await;
    store.put(content(10, 2), &Digest::sha256(&content(10, 2))).await.unwrap();
    let mut waiting = vec![outer.path().join("a")];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o7777, expected, "{}", path.display());
        seen += 1;
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 12);
}

#[tokio::test]
async fn unusable_root_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = BlobStore::filesystem(&file).await.unwrap_err();
    assert!(matches!(&error, BlobError::Unusable { path, .. } if Path::new(path).starts_with(&file)), "{error}");
}

#[tokio::test]
async fn reopening_finds_everything() {
    let (store, directory) = fresh().await;
    let (bytes, upload) = (content(2_000_000, 1), UploadId::random());
    let digest = Digest::sha256(&bytes);
    push(&store, &content(77, 2), &Digest::sha256(&content(77, 2))).await;
    let half = store.append(&upload, UploadState::default(), body(&bytes.slice(..999_999), 65_536)).await;
    let stored = half.state.to_bytes();
    drop((store, half));
    let store = BlobStore::filesystem(directory.path()).await.unwrap();
    assert_eq!(store.stat(&Digest::sha256(&content(77, 2))).await.unwrap(), Some(77));
    let state = UploadState::from_bytes(&stored).unwrap();
    let rest = store.append(&upload, state, body(&bytes.slice(999_999..), 65_536)).await;
    store.commit(&upload, &rest.state, &digest).await.unwrap();
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

#[tokio::test]
async fn shorter_file_is_lost_and_longer_file_is_cut() {
    let (store, directory) = fresh().await;
    let (bytes, upload) = (content(100_000, 3), UploadId::random());
    let path = directory.path().join("uploads").join(upload.as_str());
    let state = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await.state;
    fs::write(&path, &bytes[..99_999]).unwrap();
    let appended = store.append(&upload, state.clone(), body(&bytes, 65_536)).await;
    assert!(matches!(appended.result, Err(AppendError::Lost)));
    let commit = store.commit(&upload, &state, &Digest::sha256(&bytes)).await;
    assert!(matches!(commit, Err(CommitError::Lost)));
    absent(&store, &Digest::sha256(&bytes)).await;
    assert!(path.exists(), "only cancelling removes an upload");

    fs::write(&path, [&bytes[..], b"left by a crash"].concat()).unwrap();
    let appended = store.append(&upload, state, body(&bytes.slice(..1), 1)).await;
    assert_eq!(fs::read(&path).unwrap(), [&bytes[..], &bytes[..1]].concat());
    assert_eq!(appended.state.offset(), 100_001);
}

#[tokio::test]
async fn crash_debris_is_listed_and_removed() {
    let (store, directory) = fresh().await;
    let uploads = directory.path().join("uploads");
    let debris = UploadId::random();
    fs::write(uploads.join(debris.as_str()), b"half").unwrap();
    fs::write(uploads.join("lost+found"), b"not ours").unwrap();
    let found = store.uploads().await.unwrap();
    assert_eq!(found.iter().map(|file| &file.id).collect::<Vec<_>>(), [&debris]);
    store.cancel(&debris).await.unwrap();
    assert!(store.uploads().await.unwrap().is_empty());
    assert!(uploads.join("lost+found").exists());
}

#[tokio::test]
async fn traversal_finds_no_way_out() {
    let (store, directory) = fresh().await;
    for name in ["../../etc/passwd", "..", "/etc/passwd", "a/b", "%2e%2e", "x\0y", "0123456789abcdef0123456789abcdef"] {
        assert!(name.parse::<UploadId>().is_err(), "{name}");
        assert!(format!("sha256:{name}").parse::<Digest>().is_err(), "{name}");
    }
    // A symbolic link in the uploads directory is not followed.
    let outside = directory.path().join("outside");
    fs::write(&outside, b"precious").unwrap();
    let upload = UploadId::random();
    symlink(&outside, directory.path().join("uploads").join(upload.as_str())).unwrap();
    let appended = store.append(&upload, UploadState::default(), body(&content(10, 1), 10)).await;
    assert!(matches!(appended.result, Err(AppendError::Io(_))), "{:?}", appended.result);
    assert_eq!(fs::read(&outside).unwrap(), b"precious");
    assert!(store.uploads().await.unwrap().is_empty(), "a link is not an upload");
}

#[tokio::test]
async fn damaged_blob_is_healed_by_the_next_push() {
    let (store, directory) = fresh().await;
    let bytes = content(300_000, 5);
    let digest = Digest::sha256(&bytes);
    push(&store, &bytes, &digest).await;
    let hex = digest.hex();
    let path = directory.path().join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]));
    fs::write(&path, &bytes[..1000]).unwrap();
    push(&store, &bytes, &digest).await;
    assert!(read(&store, &digest, 0, u64::MAX).await == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blob_is_never_written_again() {
    let (store, directory) = fresh().await;
    let (bytes, upload) = (content(300_000, 7), UploadId::random());
    let digest = Digest::sha256(&bytes);
    let state = store.append(&upload, UploadState::default(), body(&bytes, 65_536)).await.state;
    let hex = digest.hex();
    let path = directory.path().join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]));
    let held = fs::File::options().read(true).open(directory.path().join("uploads").join(upload.as_str())).unwrap();
    // Somebody holds the upload while it is committed and while another append waits for it.
    held.lock().unwrap();
    let (commit, append) = tokio::join!(store.commit(&upload, &state, &digest), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(held);
        store.append(&upload, UploadState::default(), body(&content(10, 8), 10)).await
    });
    // Whoever comes first: the blob, if there is one, is whole, and nothing of the second body is in it.
    match commit {
        Ok(size) => {
            assert_eq!(size, 300_000);
            assert!(fs::read(&path).unwrap() == bytes);
            assert_eq!(fs::metadata(&path).unwrap().nlink(), 1);
        }
        Err(error) => assert!(matches!(error, CommitError::Lost | CommitError::Busy), "{error}"),
    }
    append.result.unwrap();
}

#[tokio::test(start_paused = true)]
async fn second_writer_is_told_to_wait() {
    let (store, directory) = fresh().await;
    let upload = UploadId::random();
    let path = directory.path().join("uploads").join(upload.as_str());
    let held = fs::File::create(&path).unwrap();
    held.lock().unwrap();
    let appended = store.append(&upload, UploadState::default(), body(&content(10, 8), 10)).await;
    assert!(matches!(appended.result, Err(AppendError::Busy)));
    let rolled = store.hold(&upload).await;
    assert!(matches!(rolled, Err(BlobError::Busy)));
    let commit = store.commit(&upload, &UploadState::default(), &Digest::sha256(b"")).await;
    assert!(matches!(commit, Err(CommitError::Busy)));
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_hold_no_threads() {
    // More unfinished bodies than the blocking pool has threads: all the others must still get through.
    let (store, _directory) = fresh().await;
    let mut waiting = Vec::new();
    for seed in 0..600 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            let slow = body(&content(300_000, seed), 300_000).chain(stream::pending());
            store.append(&UploadId::random(), UploadState::default(), slow).await.received
        }));
    }
    while store.uploads().await.unwrap().len() < 600 {
        tokio::task::yield_now().await;
    }
    let bytes = content(600_000, 1);
    push(&store, &bytes, &Digest::sha256(&bytes)).await;
    for task in waiting {
        task.abort();
    }
}
