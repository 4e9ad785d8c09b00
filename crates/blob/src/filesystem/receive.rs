//! Receiving a body into an upload file: network, writing and hashing side by side.
//! Called by `store` only.
//!
//! Nothing holds a thread while a client is slow: what has arrived is written by a job on the blocking pool, what has
//! been written is hashed by another, and the next bytes are read meanwhile. Hashing follows writing, so the hash never
//! covers what is not in the file.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::task::spawn_blocking;

use super::fit;
use super::line::{Batch, Line, PIECES};
use crate::error::AppendError;
use crate::serve::flatten;
use crate::upload::{AppendOptions, Appended, UploadState};

/// A body that ends within this many bytes is written and hashed by one job.
const INLINE: usize = 256 << 10;

/// Appends a body to a file that is held for this request.
pub(crate) async fn append<S, E>(file: Arc<File>, state: UploadState, mut body: S, options: AppendOptions) -> Appended
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Display,
{
    let mut intake = Intake { offset: state.offset(), received: 0, options, end: None };
    let mut batch = Batch::default();
    while intake.end.is_none() && batch.bytes < INLINE && batch.pieces.len() < PIECES {
        batch.extend(intake.take(body.next().await));
    }
    let (held, offset, length) = (file.clone(), state.offset(), options.length);
    let fitted = spawn_blocking(move || fit(&held, offset, length)).await;
    if let Err(fault) = fitted.unwrap_or_else(|error| Err(io::Error::other(error).into())) {
        return Appended { state, received: 0, result: Err(fault.into()) };
    }
    let mut line = Line::new(file, &state);
    match intake.end.is_some() {
        true => line.at_once(batch).await,
        false => line.run(&mut body, &mut intake, batch).await,
    }
    let Line { file, hash, hashed, mut failure, .. } = line;
    let state = state.advanced(hash, hashed);
    if (failure.is_some() || !matches!(intake.end, Some(Ok(()))))
        && let Err(error) = cut(file, state.offset()).await
    {
        // The surplus is cut before the next append as well; only an error of our own is worth telling.
        failure.get_or_insert(error);
    }
    let result = match failure {
        Some(error) => Err(error.into()),
        None => intake.end.unwrap_or(Ok(())),
    };
    Appended { state, received: hashed, result }
}

/// Cuts off half a write, and space that was set aside and not used.
async fn cut(file: Arc<File>, offset: u64) -> io::Result<()> {
    flatten(spawn_blocking(move || file.set_len(offset)).await)
}

/// Takes the body's pieces while they are within bounds and knows when and how it ended.
pub(super) struct Intake {
    pub(super) offset: u64,
    pub(super) received: u64,
    pub(super) options: AppendOptions,
    pub(super) end: Option<Result<(), AppendError>>,
}

impl Intake {
    pub(super) fn take<E: Display>(&mut self, item: Option<Result<Bytes, E>>) -> Option<Bytes> {
        let received = self.received;
        let piece = match item {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => {
                self.end = Some(Err(AppendError::Aborted(error.to_string())));
                return None;
            }
            None => {
                let short = self.options.length.filter(|announced| *announced != received);
                self.end = Some(short.map_or(Ok(()), |announced| Err(AppendError::Length { announced, received })));
                return None;
            }
        };
        let received = received.saturating_add(piece.len() as u64);
        if let Some(announced) = self.options.length.filter(|announced| received > *announced) {
            self.end = Some(Err(AppendError::Length { announced, received }));
            return None;
        }
        if let Some(limit) = self.options.limit.filter(|limit| self.offset.saturating_add(received) > *limit) {
            self.end = Some(Err(AppendError::TooLarge { limit }));
            return None;
        }
        self.received = received;
        Some(piece).filter(|piece| !piece.is_empty())
    }
}
