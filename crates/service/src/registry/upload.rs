//! Uploads of blobs: opened, streamed or in chunks, resumed, closed, cancelled, and mounts, which need no upload.
//!
//! First the bytes, then the row: a blob is visible only after its file is on the disk under its digest and the closing transaction is committed.

use ::blob::{AppendError, AppendOptions, BlobError, CommitError, Held, UploadId, UploadState};
use bytes::Bytes;
use futures::Stream;
use oci::digest::{Algorithm, DigestError};
use oci::range::ContentRange;
use oci::{Digest, RepositoryName};
use store::Durability;
use store::upload::UploadRow;

use super::keep::Origin;
use super::turn::Writer;
use super::{Registry, Target, Use, bytes};
use crate::quota::Limit;
use crate::{Actor, Error, Result};

/// Uploads that a project may have open at once. Where there are more, those go that nobody touched for an hour.
const MOST_OPEN: i64 = 1000;

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
        crate::quota::check_room(&self.core, target.allowed.id()).await?;
        let row = UploadRow {
            id: self.core.ids.uuid(),
            project_id: target.allowed.id(),
            repository: target.path.to_owned(),
            received: 0,
            state: state.to_bytes(),
            version: 0,
        };
        // A row that is there has a file, so that one without a file was lost or has become a blob.
        self.core.blobs.begin(&upload_id(&row.id)?).await?;
        if !self.open(&row).await? && (self.sweep_project(row.project_id).await? == 0 || !self.open(&row).await?) {
            self.core.blobs.cancel(&upload_id(&row.id)?).await?;
            return Err(too_many_open());
        }
        Ok(Started::Open(row.id))
    }

    async fn open(&self, row: &UploadRow) -> Result<bool> {
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        let opened = store::upload::create(&mut tx.link(), row, MOST_OPEN, self.now()).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// Where the upload stands.
    pub async fn upload_status(&self, actor: &Actor, name: &RepositoryName, upload: &str) -> Result<Progress> {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let row = self.find_upload(&target, &id).await?;
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
        E: std::fmt::Display + Send,
    {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let mut turn = self.take(&target, &id).await?;
        let body = turn.writer.hear(body);
        let mut received = self.receive(&turn, chunk, body).await?;
        self.advance(&mut received.row, &received.state).await?;
        Ok(progress(&received.row))
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
        E: std::fmt::Display + Send,
    {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        let mut turn = self.take(&target, &id).await?;
        let text = digest.ok_or_else(|| Error::bad_request("exist blob require digest"))?;
        let digest: Digest = text.parse().map_err(|e| match e {
            DigestError::UnsupportedAlgorithm(name) => unsupported(&name),
            DigestError::Malformed => Error::oci(oci::ErrorCode::DigestInvalid, "digest parsing failed"),
        })?;
        let Received { mut row, state, limit } = if chunk.length == Some(0) {
            let limit = crate::quota::limit(&self.core, turn.row.project_id).await?;
            Received { row: turn.row.clone(), state: saved_state(&turn.row)?, limit }
        } else {
            let body = turn.writer.hear(body);
            self.receive(&turn, chunk, body).await?
        };
        if limit.is_some()
            && let Err(error) = crate::quota::check(&self.core, row.project_id, digest.as_str(), bytes(state.offset())).await
        {
            self.drop_upload(&id).await?;
            return Err(error.into());
        }
        let committed = match turn.held {
            Some(held) => held.commit(&state, &digest).await,
            None => self.core.blobs.committed_before(&state, &digest).await,
        };
        let size = match committed {
            Ok(size) => size,
            Err(CommitError::Mismatch { .. }) => {
                self.drop_upload(&id).await?;
                return Err(Error::oci(oci::ErrorCode::DigestInvalid, "the content received has another digest").into());
            }
            Err(CommitError::Lost) => {
                self.drop_upload(&id).await?;
                return Err(gone().into());
            }
            // The upload stays: what came with this request is noted only now, as an upload that ends well has no use for it.
            Err(error) => {
                self.advance(&mut row, &state).await?;
                return Err(match error {
                    CommitError::Busy => Refused::OutOfOrder(progress(&row)),
                    CommitError::StorageFull => storage_full().into(),
                    error => Error::internal(error).into(),
                });
            }
        };
        match self.keep(&target, &digest, bytes(size), Origin::Upload(&row.id)).await {
            Err(error) if error.status < 500 => {
                self.drop_upload(&id).await?;
                Err(error.into())
            }
            Err(error) => {
                self.advance(&mut row, &state).await?;
                Err(error.into())
            }
            Ok(_) => Ok(digest),
        }
    }

    /// Ends an upload and forgets its bytes, also while somebody writes to it. Whoever may push may do it: clients end what they do not need.
    pub async fn cancel_upload(&self, actor: &Actor, name: &RepositoryName, upload: &str) -> Result<()> {
        let target = self.target(actor, name, Use::Push).await?;
        let id = upload_id(upload)?;
        self.find_upload(&target, &id).await?;
        self.drop_upload(&id).await
    }

    /// Takes an upload in hand: no other request, of this or another process, writes to it until the turn ends. Where it stands is read then, not before:
    /// what two requests both went on from would be written over by one of them.
    async fn take(&self, target: &Target<'_>, id: &UploadId) -> std::result::Result<Turn, Refused> {
        let Some(writer) = self.core.turns.take(id.as_str()).await else {
            return Err(Refused::OutOfOrder(progress(&self.find_upload(target, id).await?)));
        };
        let held = match self.core.blobs.hold(id).await {
            Ok(held) => Some(held),
            Err(BlobError::Lost) => None,
            Err(BlobError::Busy) => return Err(Refused::OutOfOrder(progress(&self.find_upload(target, id).await?))),
            Err(error) => return Err(error.into()),
        };
        Ok(Turn { row: self.find_upload(target, id).await?, held, writer })
    }

    async fn find_upload(&self, target: &Target<'_>, id: &UploadId) -> Result<UploadRow> {
        let mut conn = self.core.db.read().await?;
        store::upload::find(&mut conn.link(), target.allowed.id(), target.path, id.as_str()).await?.ok_or_else(gone)
    }

    /// Appends a body. That it came whole is left to the caller to note ([`Self::advance`]); what came of another is noted here.
    async fn receive<S, E>(&self, turn: &Turn, chunk: Chunk, body: S) -> std::result::Result<Received, Refused>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        let mut row = turn.row.clone();
        let before = saved_state(&row)?;
        let id = upload_id(&row.id)?;
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
        let Some(held) = &turn.held else {
            self.drop_upload(&id).await?;
            return Err(gone().into());
        };
        let quota = crate::quota::limit(&self.core, row.project_id).await?;
        let limit = self.core.settings().max_blob_bytes.into_iter().chain(quota.map(Limit::cut)).min();
        let options = AppendOptions { limit, length: expected.or(chunk.length) };
        let appended = held.append(before.clone(), body, options).await;
        if let (Some(expected), Err(AppendError::Length { .. })) = (expected, &appended.result) {
            held.rollback(&before).await?;
            return Err(size_invalid(expected, appended.received).into());
        }
        let state = appended.state;
        let Err(error) = appended.result else { return Ok(Received { row, state, limit: quota }) };
        // What arrived before an interruption stays: the client asks where it stands and goes on.
        self.advance(&mut row, &state).await?;
        match error {
            AppendError::Lost => {
                self.drop_upload(&id).await?;
                Err(gone().into())
            }
            AppendError::TooLarge { limit } => {
                self.drop_upload(&id).await?;
                if let Some(quota) = quota.filter(|quota| quota.cut() == limit) {
                    let announced = options.length.map_or(limit + 1, |length| before.offset().saturating_add(length));
                    return Err(quota.refusal(announced).into());
                }
                let message = format!("the blob is larger than the {limit} bytes that one blob may have here");
                Err(Error::oci_message(oci::ErrorCode::SizeInvalid, message, serde_json::Value::Null).into())
            }
            AppendError::Aborted(why) => Err(Error::bad_request(format!("the body ended early: {why}")).into()),
            AppendError::Busy => Err(Refused::OutOfOrder(progress(&row))),
            AppendError::StorageFull => Err(storage_full().into()),
            AppendError::Length { .. } => Err(Error::bad_request("the body is not as long as its Content-Length").into()),
            error => Err(Error::internal(error).into()),
        }
    }

    /// Notes where an upload stands, if it stands elsewhere than its row says.
    async fn advance(&self, row: &mut UploadRow, state: &UploadState) -> Result<()> {
        if row.received == bytes(state.offset()) {
            return Ok(());
        }
        let saved = state.to_bytes();
        let received = bytes(state.offset());
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        let mine = store::upload::advance(&mut tx.link(), row, received, &saved, self.now()).await?;
        tx.commit().await?;
        // It was cancelled meanwhile.
        if !mine {
            return Err(gone());
        }
        row.received = received;
        row.state = saved;
        row.version += 1;
        Ok(())
    }

    async fn drop_upload(&self, id: &UploadId) -> Result<()> {
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        store::upload::remove(&mut tx.link(), id.as_str()).await?;
        tx.commit().await?;
        self.core.blobs.cancel(id).await?;
        Ok(())
    }
}

/// An upload in the hands of one request.
struct Turn {
    /// Where it stood when it was taken.
    row: UploadRow,
    /// Its file; none when that is lost, or has become a blob.
    held: Option<Held>,
    writer: Writer,
}

/// A body that came whole.
struct Received {
    /// The upload as it was taken.
    row: UploadRow,
    /// Where it stands now.
    state: UploadState,
    /// What the project may have in all, if there is a limit.
    limit: Option<Limit>,
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

fn too_many_open() -> Error {
    let message = "too many uploads of this project are open: finish or cancel some, or wait until they are abandoned";
    Error::oci_message(oci::ErrorCode::TooManyRequests, message, serde_json::Value::Null)
}

/// 507 would be the word for it, but clients retry what they do not know; 403 ends the push with a sentence.
fn storage_full() -> Error {
    Error::denied("the registry's storage is full: nothing was stored")
}

fn size_invalid(announced: u64, received: u64) -> Error {
    let message = format!("Content-Range announces {announced} bytes, the body has {received}");
    Error::oci_message(oci::ErrorCode::SizeInvalid, message, serde_json::Value::Null)
}
