//! The driver for a local file system: paths, blobs and the quarantine (here), upload files, receiving.
//! Only `store` calls it. Everything here blocks, but for `locked` and `receive`.
//!
//! ```text
//! <root>/docker/registry/v2/blobs/<algorithm>/<first 2 digits>/<digits>/data
//! <root>/uploads/<upload id>
//! <root>/quarantine/<algorithm>/<digits>
//! ```

mod line;
pub(crate) mod receive;
mod upload_file;

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use oci::digest::{Algorithm, Digest};

use crate::error::BlobError;
use crate::serve::Blob;
use crate::store::Quarantined;
use crate::upload::{UploadFile, UploadId, Usage};

pub(crate) use upload_file::{PATIENCE, fit, locked};

/// How often publishing tries again when somebody removes the empty directory it has just made.
const PUBLISH_ATTEMPTS: u32 = 16;

#[derive(Debug)]
pub(crate) struct Filesystem {
    root: PathBuf,
    /// Prefix directories (`<algorithm>/<2 digits>`) known to be durable; syncing their parent once is enough.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Filesystem {
    pub(crate) fn open(root: &Path) -> Result<Self, BlobError> {
        let unusable = |path: &Path, source| BlobError::Unusable { path: path.display().to_string(), source };
        let fs = Self { root: root.to_owned(), durable: Mutex::default() };
        let mut directories = vec![fs.uploads_dir()];
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            directories.push(fs.blobs_dir().join(algorithm.as_str()));
            directories.push(fs.quarantine_dir().join(algorithm.as_str()));
        }
        for directory in &directories {
            create_dirs(directory).map_err(|error| unusable(directory, error))?;
        }
        // Each once, although most are on the way to several.
        let to_sync: BTreeSet<&Path> =
            directories.iter().flat_map(|directory| directory.ancestors().take_while(|path| path.starts_with(root))).collect();
        for directory in to_sync {
            sync_dir(directory).map_err(|error| unusable(directory, error))?;
        }
        let probe = fs.upload_path(&UploadId::random());
        try_writing(&probe).map_err(|error| unusable(&probe, error))?;
        Ok(fs)
    }

    fn blobs_dir(&self) -> PathBuf {
        self.root.join("docker/registry/v2/blobs")
    }

    fn uploads_dir(&self) -> PathBuf {
        self.root.join("uploads")
    }

    fn quarantine_dir(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    fn upload_path(&self, upload: &UploadId) -> PathBuf {
        self.uploads_dir().join(upload.as_str())
    }

    /// `<blobs>/<algorithm>/<first 2 digits>/<digits>`. A digest is its algorithm's number of lower-case hexadecimal
    /// digits by construction, so the path stays inside.
    fn blob_dir(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.blobs_dir().join(digest.algorithm().as_str()).join(&hex[..2]).join(hex)
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blob_dir(digest).join("data")
    }

    fn quarantine_path(&self, digest: &Digest) -> PathBuf {
        self.quarantine_dir().join(digest.algorithm().as_str()).join(digest.hex())
    }

    pub(crate) fn stat(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let found = present(fs::symlink_metadata(self.blob_path(digest)))?;
        Ok(found.filter(Metadata::is_file).map(|metadata| metadata.len()))
    }

    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<Option<Blob>, BlobError> {
        let Some(file) = present(File::open(self.blob_path(digest)))? else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then(|| Blob::new(file, metadata.len())))
    }

    pub(crate) fn put(&self, bytes: &[u8], digest: &Digest) -> Result<(), BlobError> {
        let computed = Digest::of(digest.algorithm(), bytes);
        if computed != *digest {
            return Err(BlobError::Mismatch { expected: digest.to_string(), computed: computed.to_string() });
        }
        if self.has_durably(digest, bytes.len() as u64)? {
            return Ok(());
        }
        // A name like an upload's, so that what a crash leaves here is found and removed like one.
        let path = self.upload_path(&UploadId::random());
        let published = write_synced(&path, bytes).and_then(|()| self.publish(&path, digest));
        if published.is_err() {
            let _ = fs::remove_file(&path);
        }
        Ok(published?)
    }

    pub(crate) fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        let removed = present(fs::remove_file(self.blob_path(digest)))?.is_some();
        self.drop_empty_dir(digest);
        Ok(removed)
    }

    pub(crate) fn quarantine(&self, digest: &Digest) -> Result<bool, BlobError> {
        let (from, to) = (self.blob_path(digest), self.quarantine_path(digest));
        let Some(file) = present(File::open(&from))? else {
            return Ok(false);
        };
        file.set_modified(SystemTime::now())?;
        if present(fs::rename(&from, &to))?.is_none() {
            return Ok(false);
        }
        // Both ends of the move, or a crash could leave the blob in neither place or in both.
        sync_parent(&to)?;
        sync_dir(&self.blob_dir(digest)).or_else(absent_is_fine)?;
        self.drop_empty_dir(digest);
        Ok(true)
    }

    pub(crate) fn restore(&self, digest: &Digest) -> Result<bool, BlobError> {
        let from = self.quarantine_path(digest);
        if present(fs::symlink_metadata(&from))?.is_none() {
            return Ok(false);
        }
        self.publish(&from, digest)?;
        sync_parent(&from)?;
        Ok(true)
    }

    pub(crate) fn purge(&self, digest: &Digest) -> Result<bool, BlobError> {
        Ok(present(fs::remove_file(self.quarantine_path(digest)))?.is_some())
    }

    pub(crate) fn quarantined(&self) -> Result<Vec<Quarantined>, BlobError> {
        let mut found = Vec::new();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for (name, metadata) in files(&self.quarantine_dir().join(algorithm.as_str()))? {
                match Digest::from_parts(algorithm, &name) {
                    Ok(digest) => found.push(Quarantined { digest, size: metadata.len(), since: metadata.modified()? }),
                    Err(_) => {
                        tracing::warn!(file = %name, "a foreign file in the quarantine directory")
                    }
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn uploads(&self) -> Result<Vec<UploadFile>, BlobError> {
        let mut found = Vec::new();
        for (name, metadata) in files(&self.uploads_dir())? {
            match name.parse() {
                Ok(id) => found.push(UploadFile { id, size: metadata.len(), modified: metadata.modified()? }),
                Err(_) => tracing::warn!(file = %name, "a foreign file in the uploads directory"),
            }
        }
        Ok(found)
    }

    pub(crate) fn usage(&self) -> Result<Usage, BlobError> {
        let space = rustix::fs::statvfs(&self.root).map_err(io::Error::from)?;
        Ok(Usage { total: space.f_blocks * space.f_frsize, free: space.f_bavail * space.f_frsize })
    }

    /// Whether the blob is there with this size; if so it is durable when this returns, although whoever wrote it may
    /// still be on the way to syncing the directory.
    fn has_durably(&self, digest: &Digest, size: u64) -> io::Result<bool> {
        match present(fs::symlink_metadata(self.blob_path(digest)))? {
            Some(metadata) if metadata.is_file() && metadata.len() == size => {}
            _ => return Ok(false),
        }
        // Gone meanwhile: as if it had not been there.
        Ok(present(self.sync_entry(digest))?.is_some())
    }

    /// Moves a complete and synced file to its content address and makes that durable.
    ///
    /// When the directory cannot be synced, the caller gets the error and the blob stays where it is: another request
    /// may have committed the same content and been answered.
    fn publish(&self, from: &Path, digest: &Digest) -> io::Result<()> {
        let target = self.blob_path(digest);
        for _ in 0..PUBLISH_ATTEMPTS {
            create_dirs(&self.blob_dir(digest))?;
            match fs::rename(from, &target) {
                Ok(()) => return self.sync_entry(digest),
                // Somebody removed the blob and with it the empty directory, or `from` itself is gone.
                Err(error) if error.kind() == ErrorKind::NotFound && from.exists() => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::ResourceBusy, "the blob's directory keeps disappearing"))
    }

    /// Syncs the way to the blob: its directory, the prefix directory, and once per process the one above.
    fn sync_entry(&self, digest: &Digest) -> io::Result<()> {
        let directory = self.blob_dir(digest);
        sync_dir(&directory)?;
        sync_parent(&directory)?;
        let Some(prefix) = directory.parent() else {
            return Ok(());
        };
        let known = self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(prefix);
        if !known {
            sync_parent(prefix)?;
            self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(prefix.to_owned());
        }
        Ok(())
    }

    /// Removes the directory a blob was in. Not when something is in it again, and whether it works does not matter.
    fn drop_empty_dir(&self, digest: &Digest) {
        let _ = fs::remove_dir(self.blob_dir(digest));
    }
}

/// Absence as `None`.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn create_dirs(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_dir)
}

/// Names and metadata of the regular files in a directory; files that vanish meanwhile are left out.
fn files(directory: &Path) -> io::Result<Vec<(String, Metadata)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match present(entry.metadata())? {
            Some(metadata) if metadata.is_file() => {
                found.push((entry.file_name().to_string_lossy().into_owned(), metadata));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Writes a new file, readable by its owner only, and syncs its data.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// Tries what every upload will need: create, lock, write, sync, remove.
fn try_writing(path: &Path) -> io::Result<()> {
    write_synced(path, b"berth")?;
    let locked = OpenOptions::new().write(true).open(path).and_then(|file| Ok(file.try_lock()?));
    fs::remove_file(path)?;
    locked
}
