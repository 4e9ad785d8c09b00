//! The bounds of what the protocol types accept, in one place.
//! Doors use them to size their buffers; the parsers of this crate enforce the rest.

/// Largest manifest, in bytes (R43). What all known clients can read; the specification asks for at least this.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// Longest repository name, in characters (R6).
pub const MAX_NAME_LENGTH: usize = 255;

/// Longest tag, in characters (R8).
pub const MAX_TAG_LENGTH: usize = 128;

/// Most layers of one manifest. Engines stop at 127; model and data sets use some thousands.
pub const MAX_LAYERS: usize = 10_000;

/// Most entries of one index.
pub const MAX_INDEX_ENTRIES: usize = 10_000;

/// Most annotations of one document or descriptor.
pub const MAX_ANNOTATIONS: usize = 10_000;

/// Most members at the top level of a manifest, known and unknown together.
pub const MAX_MEMBERS: usize = 1_000;

/// Most entries of the small lists inside a descriptor: `urls` and `os.features`.
pub const MAX_URLS: usize = 1_000;

/// Most ranges of one `Range` header (R90); what zstd:chunked clients send at most.
pub const MAX_RANGES: usize = 1_024;

/// Most `tag` parameters a manifest may be pushed with (R69, R70); beyond it the door answers 414.
pub const MAX_TAG_PARAMETERS: usize = 100;

/// Longest request path and longest query, in bytes each; beyond it the door answers 414.
pub const MAX_URI_BYTES: usize = 64 * 1024;

/// Most token scopes read from one text; more are not looked at, which grants less, never more.
pub const MAX_SCOPES: usize = 256;

/// Largest error body, in bytes (R16); some clients read no more.
pub const MAX_ERROR_BODY_BYTES: usize = 8 * 1024;
