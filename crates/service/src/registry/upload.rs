//! Uploads of blobs: opened, streamed or in chunks, resumed, closed, cancelled, and mounts, which need no upload.
//!
//! First the bytes, then the row: a blob is visible only after its file is on the disk under its digest and the closing transaction is committed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::blob::{AppendError, AppendOptions, CommitError, UploadId, UploadState};
use bytes::Bytes;
use futures::Stream;
use model::permission::{Action, Resource};
use oci::digest::{Algorithm, DigestError};
use oci::range::ContentRange;
use oci::{Digest, RepositoryName};
use store::Durability;
use store::quota::Charge;
use store::upload::UploadRow;

use super::{Registry, Target, Use};
use crate::{Actor, Error, Result};

/// What `POST …/blobs/uploads/` asks for.
#[derive(Clone, Debug, Default)]
pub struct UploadRequest<'a> {
    /// `mount`: a digest to take over instead of uploading it.
    pub mount: Option<&'a str>,
    /// `from`: the repository to take it from.
    pub from: Option<&'a str>,
    /// `digest-algorithm`: what the closing digest will be.
    pub digest_algorithm: Option<&'a str>,
}

/// How an upload begins.
#[derive(Clone, Debug)]
pub enum Started {
    /// Nothing to upload: the repository holds the blob now.
    Mounted(Digest),
    /// Send the bytes to this upload.
    Open(String),
}

/// Part of a blob, as the request frames it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk {
    /// `Content-Range`, if any.
    pub range: Option<ContentRange>,
    /// `Content-Length`, if known.
    pub length: Option<u64>,
}

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its id.
    pub upload: String,
    /// Bytes received.
    pub received: u64,
}

/// Refuses a chunk that does not continue the upload: the caller tells the client where it stands.
#[derive(Debug)]
pub enum Refused {
    /// 416: not the next byte.
    OutOfOrder(Progress),
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One writer at a time for each upload of this process.
#[derive(Debug, Default)]
pub struct UploadLocks {
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl UploadLocks {
    async fn lock(&self, id: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() > 1024 {
                locks.retain(|_, lock| lock.strong_count() > 0);
            }
            let known = locks.get(id).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                locks.insert(id.to_owned(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

impl Registry {
    /// Opens an upload, or mounts the blob asked for if the caller may read where it is. A mount that cannot be done is an upload, never an error.
    pub async fn start_upload(&self, actor: &Actor, name: &RepositoryName, request: &UploadRequest<'_>) -> Result<Started> {
        let target = self.target(actor, name, Use::Push).await?;
        let state = match request.digest_algorithm {
            None => UploadState::default(),
            Some(text) => UploadState::with_algorithm(text.parse::<Algorithm>().map_err(|_| unsupported(text))?),
        };
        if let Some(digest) = request.mount.and_then(|text| text.parse().ok())
            && self.mount(actor, &target, &digest, request.from).await?
        {
            return Ok(Started::Mounted(digest));
        }
        self.refuse_when_full(&target).await?;
        let row = UploadRow {
            id: self.core.ids.uuid(),
            project_id: target.allowed.id(),
            repository: target.path.to_owned(),
            received: 0,
            state: state.to_bytes(),
            version: 0,
        };
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        store::upload::create(&mut tx.link(), &row, self.now()).await?;
        tx.commit().await?;
        Ok(Started::Open(row.id))
    }

    /// Where the upload stands.
    pub async fn upload_status(&self, actor: &Actor, name: &RepositoryName, upload: &str) -> Result<Progress> {
        let target = self.target(actor, name, Use::Push).await?;
        let row = self.find_upload(&target, upload).await?;
        Ok(progress(&row))
    }

    /// Appends the body. A chunk with a range must continue where the upload stands; without one the bytes are simply appended.
    pub async fn append<S, E>(
        &self,
        actor: &Actor,
        name: &RepositoryName,
        upload: &str,
        chunk: Chunk,
        body: S,
    ) -> std::result::Result<Progress, Refused>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let _writer = self.core.upload_locks.lock(upload).await;
        let row = self.find_upload(&target, upload).await?;
        let (row, _) = self.receive(row, &id, chunk, body).await?;
        Ok(progress(&row))
    }

    /// Appends what the closing request still brings, verifies the digest and makes the blob part of the repository.
    pub async fn finish_upload<S, E>(
        &self,
        actor: &Actor,
        name: &RepositoryName,
        upload: &str,
        digest: Option<&str>,
        chunk: Chunk,
        body: S,
    ) -> std::result::Result<Digest, Refused>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let _writer = self.core.upload_locks.lock(upload).await;
        let row = self.find_upload(&target, upload).await?;
        let text = digest.ok_or_else(|| Error::bad_request("exist blob require digest"))?;
        let digest: Digest = text.parse().map_err(|e| match e {
            DigestError::UnsupportedAlgorithm(name) => unsupported(&name),
            DigestError::Malformed => Error::oci(oci::ErrorCode::DigestInvalid, "digest parsing failed"),
        })?;
        let (row, state) = if chunk.length == Some(0) {
            let state = saved_state(&row)?;
            (row, state)
        } else {
            self.receive(row, &id, chunk, body).await?
        };
        if let Err(error) = self.refuse_beyond_quota(&target, &digest, state.offset()).await {
            self.drop_upload(&row, &id).await?;
            return Err(error.into());
        }
        let size = match self.core.blobs.commit(&id, &state, &digest).await {
            Ok(size) => size,
            Err(CommitError::Mismatch { .. }) => {
                self.drop_upload(&row, &id).await?;
                return Err(Error::oci(oci::ErrorCode::DigestInvalid, "the content received has another digest").into());
            }
            Err(CommitError::Lost) => {
                self.drop_upload(&row, &id).await?;
                return Err(gone().into());
            }
            Err(CommitError::Busy) => return Err(Refused::OutOfOrder(progress(&row))),
            Err(CommitError::StorageFull) => return Err(storage_full().into()),
            Err(error) => return Err(Error::internal(error).into()),
        };
        self.keep(&target, &digest, size, Some(&row.id)).await?;
        Ok(digest)
    }

    /// Ends an upload and forgets its bytes. Whoever may push may do it: clients end what they do not need.
    pub async fn cancel_upload(&self, actor: &Actor, name: &RepositoryName, upload: &str) -> Result<()> {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let _writer = self.core.upload_locks.lock(upload).await;
        let row = self.find_upload(&target, upload).await?;
        self.drop_upload(&row, &id).await
    }

    /// Removes uploads that nobody touched for the configured time. Returns how many went, a thousand at most.
    pub async fn sweep_uploads(&self) -> Result<usize> {
        let before = self.now() - self.core.settings().upload_lifetime * 1_000_000;
        let mut conn = self.core.db.read().await?;
        let idle = store::upload::idle(&mut conn.link(), before, 1000).await?;
        drop(conn);
        for upload in &idle {
            let mut tx = self.core.db.begin(Durability::Relaxed).await?;
            store::upload::remove(&mut tx.link(), upload).await?;
            tx.commit().await?;
            if let Ok(id) = upload.parse()
                && let Err(error) = self.core.blobs.cancel(&id).await
            {
                tracing::warn!(%error, upload, "an abandoned upload's file could not be removed");
            }
        }
        Ok(idle.len())
    }

    async fn find_upload(&self, target: &Target<'_>, upload: &str) -> Result<UploadRow> {
        let mut conn = self.core.db.read().await?;
        store::upload::find(&mut conn.link(), target.allowed.id(), target.path, upload).await?.ok_or_else(gone)
    }

    async fn receive<S, E>(
        &self,
        mut row: UploadRow,
        id: &UploadId,
        chunk: Chunk,
        body: S,
    ) -> std::result::Result<(UploadRow, UploadState), Refused>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        let before = saved_state(&row)?;
        let expected = chunk.range.map(|range| range.end_inclusive - range.start + 1);
        if let Some(range) = chunk.range
            && range.start != before.offset()
        {
            return Err(Refused::OutOfOrder(progress(&row)));
        }
        if let (Some(expected), Some(length)) = (expected, chunk.length)
            && expected != length
        {
            return Err(size_invalid(expected, length).into());
        }
        let options = AppendOptions { limit: self.core.settings().max_blob_bytes, length: expected.or(chunk.length) };
        let appended = self.core.blobs.append_with(id, before.clone(), body, options).await;
        if let (Some(expected), Err(AppendError::Length { .. })) = (expected, &appended.result) {
            self.core.blobs.rollback(id, &before).await?;
            return Err(size_invalid(expected, appended.received).into());
        }
        // What arrived before an interruption stays: the client asks where it stands and goes on.
        let state = appended.state;
        if state.offset() != before.offset() {
            self.advance(&mut row, &state).await?;
        }
        match appended.result {
            Ok(()) => Ok((row, state)),
            Err(AppendError::Lost) => {
                self.drop_upload(&row, id).await?;
                Err(gone().into())
            }
            Err(AppendError::TooLarge { limit }) => {
                self.drop_upload(&row, id).await?;
                let message = format!("the blob is larger than the {limit} bytes that one blob may have here");
                Err(Error::oci_message(oci::ErrorCode::SizeInvalid, message, serde_json::Value::Null).into())
            }
            Err(AppendError::Aborted(why)) => Err(Error::bad_request(format!("the body ended early: {why}")).into()),
            // Another process writes to it: to this one the upload stands elsewhere.
            Err(AppendError::Busy) => Err(Refused::OutOfOrder(progress(&row))),
            Err(AppendError::StorageFull) => Err(storage_full().into()),
            Err(AppendError::Length { .. }) => Err(Error::bad_request("the body is not as long as its Content-Length").into()),
            Err(error) => Err(Error::internal(error).into()),
        }
    }

    async fn advance(&self, row: &mut UploadRow, state: &UploadState) -> Result<()> {
        let bytes = state.to_bytes();
        let received = i64::try_from(state.offset()).unwrap_or(i64::MAX);
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        let mine = store::upload::advance(&mut tx.link(), row, received, &bytes, self.now()).await?;
        tx.commit().await?;
        if !mine {
            return Err(gone());
        }
        row.received = received;
        row.state = bytes;
        row.version += 1;
        Ok(())
    }

    async fn drop_upload(&self, row: &UploadRow, id: &UploadId) -> Result<()> {
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        store::upload::remove(&mut tx.link(), &row.id).await?;
        tx.commit().await?;
        self.core.blobs.cancel(id).await?;
        Ok(())
    }

    /// The transaction that makes a stored content a blob of the repository, and ends its upload.
    async fn keep(&self, target: &Target<'_>, digest: &Digest, size: u64, upload: Option<&str>) -> Result<()> {
        let now = self.now();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let project = target.allowed.id();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        self.hold_project(link, target).await?;
        if let Charge::Exceeded { adding, used, hard } =
            crate::quota::charge(&self.core, link, project, &[(digest.to_string(), size)]).await?
        {
            return Err(super::push::over_quota(adding, used, hard));
        }
        let repository = store::repository::find_or_create(link, project, target.path, now).await?.id;
        let blob = store::blob::upsert(link, digest.as_str(), size, now).await?;
        store::blob::attach(link, repository, blob, now).await?;
        if let Some(upload) = upload {
            store::upload::remove(link, upload).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Mounts if it can be done; whether it was.
    async fn mount(&self, actor: &Actor, target: &Target<'_>, digest: &Digest, from: Option<&str>) -> Result<bool> {
        let Some(source) = from.and_then(|text| text.parse::<RepositoryName>().ok()) else {
            return Ok(false);
        };
        let (Some(project_name), Some(path)) = (source.project(), source.rest()) else {
            return Ok(false);
        };
        let Some(project) = self.core.authz.project_by_name(project_name).await? else {
            return Ok(false);
        };
        let readable = self.core.authz.repository(actor, &project, source.as_str(), Resource::Repository, Action::Pull).await?;
        let Ok(allowed) = readable else {
            return Ok(false);
        };
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let Some(repository) = store::repository::find(link, allowed.id(), path).await? else {
            return Ok(false);
        };
        let Some(blob) = store::blob::find_in_repository(link, repository.id, digest.as_str()).await? else {
            return Ok(false);
        };
        drop(conn);
        self.keep(target, digest, u64::try_from(blob.size).unwrap_or_default(), None).await?;
        Ok(true)
    }

    /// Asked before the bytes become a blob, so that a refused one leaves nothing behind; the closing transaction decides.
    async fn refuse_beyond_quota(&self, target: &Target<'_>, digest: &Digest, size: u64) -> Result<()> {
        if !self.core.settings().quota_per_project {
            return Ok(());
        }
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        match store::quota::find(link, target.allowed.id()).await? {
            Some(quota) if quota.hard >= 0 && quota.used.saturating_add(size) > quota.hard => {
                let counted = store::quota::is_counted(link, target.allowed.id(), digest.as_str()).await?;
                if counted { Ok(()) } else { Err(super::push::over_quota(size, quota.used, quota.hard)) }
            }
            _ => Ok(()),
        }
    }

    /// A project without any room left refuses an upload at its start.
    async fn refuse_when_full(&self, target: &Target<'_>) -> Result<()> {
        let mut conn = self.core.db.read().await?;
        match store::quota::find(&mut conn.link(), target.allowed.id()).await? {
            Some(quota) if self.core.settings().quota_per_project && quota.hard >= 0 && quota.used >= quota.hard => {
                let size = |bytes: i64| model::size::harbor_size(u64::try_from(bytes).unwrap_or_default());
                Err(Error::denied(format!(
                    "subtracting 0 B of storage resource, which when updated to current usage of {} will exceed the configured upper limit of {}.",
                    size(quota.used),
                    size(quota.hard)
                )))
            }
            _ => Ok(()),
        }
    }
}

fn saved_state(row: &UploadRow) -> Result<UploadState> {
    UploadState::from_bytes(&row.state).map_err(Error::internal)
}

fn upload_id(text: &str) -> Result<UploadId> {
    text.parse().map_err(|_| gone())
}

fn progress(row: &UploadRow) -> Progress {
    Progress { upload: row.id.clone(), received: u64::try_from(row.received).unwrap_or_default() }
}

fn gone() -> Error {
    Error::oci(oci::ErrorCode::BlobUploadUnknown, serde_json::json!({}))
}

fn unsupported(algorithm: &str) -> Error {
    let algorithm: String = algorithm.chars().take(64).collect();
    Error::oci_message(oci::ErrorCode::DigestInvalid, format!("digest algorithm {algorithm} is not supported"), serde_json::Value::Null)
}

/// 507 would be the word for it, but clients retry what they do not know; 403 ends the push with a sentence.
fn storage_full() -> Error {
    Error::denied("the registry's storage is full: nothing was stored")
}

fn size_invalid(announced: u64, received: u64) -> Error {
    let message = format!("Content-Range announces {announced} bytes, the body has {received}");
    Error::oci_message(oci::ErrorCode::SizeInvalid, message, serde_json::Value::Null)
}
