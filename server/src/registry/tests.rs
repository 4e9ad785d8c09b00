//! What the door promises about its own cost.

use axum::body::Body;
use http::Request;
use testkit::instance::Instance;

use super::Door;
use crate::security::Origins;

/// It is moved several times on its way from the socket to the rules: what is rare must not make it large (see `dispatch`).
const MOST: usize = 4 << 10;

#[tokio::test]
async fn the_future_of_a_read_is_small() {
    let instance = Instance::open().await;
    let door = Door::new(instance.services.clone(), Origins::new(Vec::new(), None, "127.0.0.1:80".parse().unwrap()), 1);
    let request = Request::builder().uri("/v2/").body(Body::empty()).unwrap();
    let size = std::mem::size_of_val(&door.answer(request));
    assert!(size <= MOST, "{size} bytes");
}
