//! What the door promises about its own cost.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use service::seal::Seal;
use service::{Parts, Services, Settings, SystemClock, SystemIds};
use testkit::database::sqlite;

use super::Door;
use crate::security::Origins;

/// It is moved several times on its way from the socket to the rules: what is rare must not make it large (see `dispatch`).
const MOST: usize = 4 << 10;

#[tokio::test]
async fn the_future_of_a_read_is_small() {
    let (database, blobs) = (sqlite().await, tempfile::tempdir().unwrap());
    let parts = Parts {
        db: database.db.clone(),
        blobs: blob::BlobStore::filesystem(blobs.path()).await.unwrap(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        settings: Settings::default(),
        seal: Seal::new([7; 32]),
    };
    let services = Services::open(parts).await.unwrap();
    let door = Door::new(services, Origins::new(Vec::new(), None, "127.0.0.1:80".parse().unwrap()), 1);
    let request = Request::builder().uri("/v2/").body(Body::empty()).unwrap();
    let size = std::mem::size_of_val(&door.answer(request));
    assert!(size <= MOST, "{size} bytes");
}
