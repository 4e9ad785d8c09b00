//! How the API writes and reads fields: what is left out when empty, and null taken as "not given".
//! Used by the serde attributes of `api`, by nobody else.

use serde::{Deserialize, Deserializer};

/// Left out of an answer: the value that says nothing (0, false, "", empty).
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// In a request, `null` means the same as a field that is not there.
pub(crate) fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}
