//! Sweeping away uploads that were abandoned, and upload files that a crash left without a row. The server calls it at its start and now and then.
//!
//! An upload's file comes a moment before its row and goes after it, so an old file without a row is nobody's. Blobs are never looked at.

use std::collections::HashMap;
use std::time::SystemTime;

use ::blob::{BlobError, UploadId};
use model::ProjectId;
use store::Durability;

use super::Registry;
use crate::Result;

/// Uploads that are looked at together.
const BATCH: usize = 500;
/// When a project has too many uploads open, those go that nobody touched for this long. Microseconds.
const CROWDED_AGE: i64 = 3600 * 1_000_000;
/// Files without a row are left alone this long: the next moment gives or takes their name. Microseconds.
const ORPHAN_AGE: i64 = 24 * 3600 * 1_000_000;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that nobody touched for the configured time.
    pub abandoned: usize,
    /// Files that belonged to no upload.
    pub orphans: usize,
}

impl Registry {
    /// Removes uploads that nobody touched for the configured time, and files of none. Several processes may do it at once.
    ///
    /// # Errors
    /// The database or the storage failed; what was removed before is gone.
    pub async fn sweep_uploads(&self) -> Result<Swept> {
        // Listed before the rows are asked: what begins later is not looked at.
        let files = self.core.blobs.uploads().await?;
        let files: HashMap<UploadId, i64> = files.into_iter().map(|file| (file.id, micros(file.modified))).collect();
        let orphans = self.sweep_orphans(&files).await?;
        Ok(Swept { orphans, abandoned: self.sweep_abandoned(&files).await? })
    }

    async fn sweep_abandoned(&self, files: &HashMap<UploadId, i64>) -> Result<usize> {
        let before = self.now() - self.core.settings().upload_lifetime * 1_000_000;
        let mut removed = 0;
        loop {
            let mut conn = self.core.db.read().await?;
            let idle = store::upload::idle(&mut conn.link(), before, BATCH as i64).await?;
            drop(conn);
            let mut went = 0;
            for upload in &idle {
                let Ok(id) = upload.parse::<UploadId>() else { continue };
                // A long body is written without a word to the row.
                if files.get(&id).is_some_and(|modified| *modified >= before) {
                    continue;
                }
                went += usize::from(self.remove_idle(&id, before).await?);
            }
            removed += went;
            if idle.len() < BATCH || went == 0 {
                return Ok(removed);
            }
        }
    }

    /// Makes room in a project that has too many uploads open: removes those that nobody touched for an hour; how many went.
    pub(super) async fn sweep_project(&self, project: ProjectId) -> Result<usize> {
        let before = self.now() - CROWDED_AGE;
        let mut conn = self.core.db.read().await?;
        let idle = store::upload::idle_of(&mut conn.link(), project, before, BATCH as i64).await?;
        drop(conn);
        let mut removed = 0;
        for upload in &idle {
            let Ok(id) = upload.parse::<UploadId>() else { continue };
            // One in somebody's hands stays: a long body is written without a word to the row. Nobody is waited for here.
            let held = self.core.blobs.hold_if_free(&id).await;
            if !matches!(held, Err(BlobError::Busy)) {
                removed += usize::from(self.remove_idle(&id, before).await?);
            }
        }
        Ok(removed)
    }

    /// Ends an upload that nobody touched since; whether it was there.
    async fn remove_idle(&self, id: &UploadId, before: i64) -> Result<bool> {
        let mut tx = self.core.db.begin(Durability::Relaxed).await?;
        let mine = store::upload::remove_idle(&mut tx.link(), id.as_str(), before).await?;
        tx.commit().await?;
        if mine {
            self.drop_file(id).await;
        }
        Ok(mine)
    }

    async fn sweep_orphans(&self, files: &HashMap<UploadId, i64>) -> Result<usize> {
        let before = self.now() - ORPHAN_AGE;
        let old: Vec<&UploadId> = files.iter().filter(|(_, modified)| **modified < before).map(|(id, _)| id).collect();
        let mut removed = 0;
        for batch in old.chunks(BATCH) {
            let ids: Vec<&str> = batch.iter().map(|id| id.as_str()).collect();
            let mut conn = self.core.db.read().await?;
            let known = store::upload::known(&mut conn.link(), &ids).await?;
            drop(conn);
            for id in batch.iter().filter(|id| !known.iter().any(|known| known == id.as_str())) {
                removed += usize::from(self.drop_file(id).await);
            }
        }
        Ok(removed)
    }

    /// Whether it went. One that stays is tried again by the next sweep.
    async fn drop_file(&self, id: &UploadId) -> bool {
        let dropped = self.core.blobs.cancel(id).await;
        if let Err(error) = &dropped {
            tracing::warn!(%error, upload = %id, "an upload's file could not be removed");
        }
        dropped.is_ok()
    }
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
